"""How a training is kept on disk and taken up again: what of it, and what it belongs to."""

import json

import numpy as np

from skbreast._checkpoint import Checkpoint, State, packed, unpacked
from skbreast._digests import describe
from skbreast._fingerprints import digest_array, digest_patches, digest_text, patch_files
from skbreast._teams import ALONE
from skbreast._versions import versions
from skbreast.stain._jitter import strengths_of

__all__ = ["Memory", "check_team", "open_memory"]

# Of what scikit-learn does, samples and weights have digests of their own.
VERSIONS = ("skbreast", "keras", "tensorflow", "numpy")
BEST = ("loss", "waited", "n_seen", "epoch")


def open_memory(
    estimator, program, phases, training, validation, *, course, best, seed, team=ALONE
):
    """Return where a training is kept, which is nowhere if its estimator has no `checkpoint`.

    Of several processes that train together the first keeps it, and tells the others; here they
    find out whether they were all given the same.

    Parameters
    ----------
    estimator : PatchCNNClassifier
        In its `fit`, with the `history_` that this one goes on from.
    program : skbreast._keras.training.Program
        The network as it is before the first step.
    phases, training, validation, course, best, seed
        As for :func:`skbreast._fitting.run_phases`.
    team : skbreast._teams.Alone
        Who trains together.

    Returns
    -------
    Memory
        Keeps weights, optimizer, states of random layers, history, early stopping and position.

    Raises
    ------
    ValueError
        If processes that train together were not given the same.
    """
    team.check_same(lambda: _network(program) | {"precision_": estimator.precision_})
    if estimator.checkpoint is None or team.index > 0:
        return Memory(None, estimator, program, phases, course, best, team)
    text, whole = program.describe()
    conditions = _conditions(estimator, program, training, validation, code=not whole)
    if team is not ALONE:
        conditions["replicas"] = team.n_replicas
    about = _settings(estimator, best) | _data(training, validation)
    about |= {"phases": phases, "seed": seed, "network": digest_text(text)}
    checkpoint = Checkpoint(estimator.checkpoint, about, conditions)
    return Memory(checkpoint, estimator, program, phases, course, best, team)


def check_team(estimator, training, validation, team):
    """Raise a ValueError if processes that train together were not given the same.

    They find out before they build a network, since others would wait for one that differs.

    Parameters
    ----------
    estimator : PatchCNNClassifier
        In its `fit`.
    training, validation : TrainingSet
        As for :func:`skbreast._fitting.run_phases`.
    team : skbreast._teams.Alone
        Who trains together.

    Raises
    ------
    ValueError
        In all of them; the message says what differs.
    """
    names = ("max_epochs", "learning_rate", "early_stopping", "patience", "warm_start")
    team.check_same(
        lambda: (
            {name: getattr(estimator, name) for name in names}
            | _parameters(estimator)
            | _data(training, validation)
            | _versions()
        )
    )


def _settings(estimator, best):
    return _parameters(estimator) | {
        "patience": None if best is None else best.patience,
        "history": digest_text(json.dumps(estimator.history_, default=float)),
    }


def _parameters(estimator):
    augment, precision = estimator.augment, estimator.precision
    return {
        "architecture": _name(estimator.architecture),
        "weights": estimator.weights,
        "precision": _name(precision),
        "batch_size": estimator.batch_size,
        "augment": strengths_of(augment) if hasattr(augment, "get_params") else augment,
        "classes": digest_text(json.dumps(estimator.classes_.tolist(), default=str)),
    }


def _name(value):
    return value if isinstance(value, str) else getattr(value, "__qualname__", type(value).__name__)


def _sets(training, validation):
    return {"": training} | ({} if validation is None else {"validation ": validation})


def _data(training, validation):
    """Return digests of what a training sees; of many references their names, not the pixels."""
    digests = {}
    for kind, samples in _sets(training, validation).items():
        X = samples.source.X
        text = json.dumps(X.tolist()) if X.ndim == 1 else None
        digests |= {
            f"{kind}patch shape": list(samples.source.shape),
            f"{kind}patches": digest_patches(X) if text is None else digest_text(text),
            f"{kind}labels": digest_array(samples.targets).hex(),
            f"{kind}sample weights": digest_array(samples.weights).hex(),
        }
    return digests


def _versions():
    found = versions()
    return {name: found[name] for name in VERSIONS}


def _network(program):
    weights = [digest_array(array).hex() for array in program.get_weights()]
    text, _ = program.describe()
    return {
        "first weights": digest_text(json.dumps(weights)),
        "network": digest_text(text),
    }


def _conditions(estimator, program, training, validation, *, code):
    conditions = _versions() | {"precision_": estimator.precision_}
    conditions["first weights"] = _network(program)["first weights"]
    for kind, samples in _sets(training, validation).items():
        if samples.source.X.ndim == 1:
            states = patch_files(samples.source.X)
            conditions[f"{kind}patch files (size or time)"] = digest_text(json.dumps(states))
    if code:
        conditions["code of architecture"] = digest_text(repr(describe(estimator.architecture)))
    return conditions


class Memory:
    """Keeps a training on disk; without a checkpoint it does nothing.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        The file.
    estimator : PatchCNNClassifier
        In its `fit`.
    program : skbreast._keras.training.Program
        The network.
    phases : list of dict
        See :func:`skbreast._fitting.run_phases`.
    course : Course
        Where the training stands.
    best : BestWeights or None
        Where early stopping stands.
    team : skbreast._teams.Alone
        Who trains together.
    """

    def __init__(self, checkpoint, estimator, program, phases, course, best, team=ALONE):
        self._checkpoint = checkpoint
        self._estimator, self._program, self._phases = estimator, program, phases
        self._course, self._best, self._team = course, best, team

    def recall(self):
        """Put everything back to where the training was; prove that it can be written.

        Raises
        ------
        OSError
            If it cannot be read or written.
        """
        state = None if self._checkpoint is None else self._checkpoint.load()
        if self._checkpoint is not None:
            self._checkpoint.begin(state or self._state(optimizer=[]))
        if self._team.n_processes > 1:
            content = self._team.bytes_from_chief(b"" if state is None else packed(state))
            state = unpacked(content) if content else None
        if state is not None:
            self._restore(state)

    def keep(self):
        """Write where the training stands after an epoch."""
        if self._checkpoint is not None:
            goes_on = self._course.epoch > 0
            phase = self._phases[self._course.phase]["phase"] if goes_on else None
            optimizer = self._program.optimizer_state(phase) if goes_on else []
            self._checkpoint.save(self._state(optimizer))

    def forget(self):
        """Delete the file: the training has ended."""
        if self._checkpoint is not None:
            self._checkpoint.remove()

    def _state(self, optimizer):
        best = self._best
        numbers = {
            "history": self._estimator.history_,
            "course": [self._course.phase, self._course.epoch],
            "best": None if best is None else {name: getattr(best, name) for name in BEST},
        }
        arrays = {
            "weights": self._program.get_weights(),
            "seeds": self._program.seed_states(),
            "optimizer": optimizer,
            "best": [] if best is None else best.weights,
        }
        return State(numbers, arrays)

    def _restore(self, state):
        like = self._program.get_weights()
        self._program.set_weights(_cast(state.arrays["weights"], like))
        self._program.set_seed_states(state.arrays["seeds"])
        self._course.phase, self._course.epoch = state.numbers["course"]
        self._course.optimizer = state.arrays["optimizer"]
        self._estimator.history_ = state.numbers["history"]
        if self._best is not None:
            vars(self._best).update(state.numbers["best"])
            self._best.weights = _cast(state.arrays["best"], like) if state.arrays["best"] else []


def _cast(arrays, like):
    """Return arrays in the dtypes of others, which the file may not know, as bfloat16."""
    pairs = zip(arrays, like, strict=True)
    return [np.asarray(array, dtype=other.dtype) for array, other in pairs]
