"""One compiled program a structure and thread, whichever estimator asks for it."""

import contextlib
import gc
import threading
import weakref
from collections import OrderedDict

from skbreast._keras.blueprints import blueprint
from skbreast._keras.networks import build_network
from skbreast._keras.shared import SharedProgram
from skbreast._keras.training import Program, plain_settings, seeded_layers
from skbreast._teams import ALONE

__all__ = ["get_program"]

PROGRAMS_KEPT = 4
CALLABLES_KNOWN = 16
DISCARDED_BYTES = 2**23
_local = threading.local()
_networks = weakref.WeakSet()  # of callables, in all threads
_lock = threading.Lock()


def get_program(
    architecture, input_shape, n_classes, precision, *, fresh=False, seed=0, team=ALONE
):
    """Return this thread's compiled network of a structure, building it where there is none.

    Parameters
    ----------
    architecture, input_shape, n_classes, precision
        As for :func:`skbreast._keras.networks.build_network`.
    fresh : bool, default=False
        Whether a user's callable is called again, since only it knows how its weights begin.
        Where it builds what it built before, those weights go into the compiled network.
    seed : int, default=0
        Decides how they begin where its layers have no seeds of their own.
    team : skbreast._teams.Alone
        Who shares its batches. All processes of a team build it at the same time, since each
        waits for the others, so a team keeps networks of its own.

    Returns
    -------
    Program
        With weights of no meaning, or those of the callable if `fresh`.
    """
    structure = (tuple(input_shape), n_classes, precision)
    with team.scope():
        if callable(architecture):
            return _program_of_callable(architecture, structure, fresh, seed, team)
        key = (architecture, *structure)
        program = _find(key, team, free=fresh)
        return program or _build(key, architecture, structure, seed, team)


def _program_of_callable(build, structure, fresh, seed, team):
    # A callable may be unhashable. What is known of it keeps it alive, so its id stays its own.
    name = (id(build), *structure)
    _, known_key = _known(team).get(name, (build, None))
    if not fresh and known_key in _kept(team):
        return _find(known_key, team)
    network = _build_anew(build, structure, seed)
    key = (blueprint(network) or name, *structure)
    if key[0] == name:  # nobody can tell whether it is what it was
        _kept(team).pop(key, None)
    _remember(_known(team), name, (build, key), CALLABLES_KNOWN)
    program = _find(key, team, free=fresh)
    if program is None:
        return _build(key, build, structure, seed, team, network)
    weights = network.get_weights()
    program.set_weights(weights)
    del network
    _collect_after(sum(array.nbytes for array in weights))
    return program


def _build_anew(build, structure, seed):
    with seeded_layers(seed):
        network = build_network(build, structure[0], structure[1])
    with _lock:
        if network in _networks:
            raise ValueError(
                "architecture: the callable returned the same keras.Model again; it must build a "
                "new one whenever it is called."
            )
        _networks.add(network)
    return network


def _collect_after(n_bytes):
    """Have discarded networks freed before they are many.

    They are cycles, and Python, which looks for those rarely, knows nothing of their tensors.
    """
    _local.discarded = getattr(_local, "discarded", 0) + n_bytes
    if _local.discarded > DISCARDED_BYTES:
        _local.discarded = 0
        gc.collect()


def _find(key, team, *, free=False):
    programs = _kept(team)
    if key not in programs or (free and programs[key].in_use):
        return None
    programs.move_to_end(key)
    return programs[key]


def _build(key, architecture, structure, seed, team, network=None):
    settings = contextlib.nullcontext if callable(architecture) else plain_settings
    with seeded_layers(seed), settings():
        if team is ALONE:
            program = Program(architecture, *structure, network)
        else:
            program = SharedProgram(architecture, *structure, network, team=team)
    if key not in _kept(team):  # else it is in use
        _remember(_kept(team), key, program, PROGRAMS_KEPT)
    return program


def _remember(store, key, value, n_kept):
    store[key] = value
    store.move_to_end(key)
    while len(store) > n_kept:
        store.popitem(last=False)


def _kept(team=ALONE):
    return _store(team).setdefault("programs", OrderedDict())


def _known(team=ALONE):
    return _store(team).setdefault("callables", OrderedDict())


def _store(team):
    return _local.__dict__ if team is ALONE else team.store
