"""Find who trains together: devices of this process, or processes that join, by `tf.distribute`."""

import contextlib
import functools
import json
import os
import re
import signal
import threading

import tensorflow as tf

from skbreast._keras import GREETINGS, held_back, team
from skbreast._meeting import meet
from skbreast._teams import ALONE

__all__ = ["START_SECONDS", "find_team"]

START_SECONDS = 600.0  # from the first process that comes to the last
_lock = threading.Lock()

JOINING = re.compile(GREETINGS.pattern + rb"|^I\d{4} .* (coordination_service|grpc_server_lib)")
NEEDED = (
    "distribute='multiworker' needs the environment variable TF_CONFIG, in each process, before "
    'Python starts: {"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": '
    '"worker", "index": 0}}, with an index of its own for each; '
)


def find_team(distribute):
    """Return who trains together, which the first call of a process sets up.

    Parameters
    ----------
    distribute : {None, "mirrored", "multiworker"}
        Nobody but this process; all its GPUs; the processes that TF_CONFIG names.

    Returns
    -------
    Alone
        A :class:`skbreast._keras.team.Team` where there are others.

    Raises
    ------
    ValueError
        If TF_CONFIG is not as needed.
    RuntimeError
        If TensorFlow has computed before in this process, or its port is taken.
    """
    if distribute is None:
        return ALONE
    with _lock:
        return {"mirrored": _mirrored, "multiworker": _multiworker}[distribute]()


@functools.cache
def _mirrored():
    """Make a team of one process; processors count as devices where the user has divided them."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    return team.Team(tf.distribute.MirroredStrategy(devices))


@functools.cache
def _multiworker():
    addresses, index = _read_cluster(os.environ.get("TF_CONFIG"))
    if _has_started():
        raise RuntimeError(
            "distribute='multiworker' must come before all else that TensorFlow computes in a "
            "process; fit this classifier first, in a new process."
        )
    if len(addresses) > 1:
        meet(addresses, index, seconds=START_SECONDS)
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=team.WAIT_SECONDS)
    try:
        with _own_signals(), held_back(JOINING):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except tf.errors.OpError as error:
        raise ConnectionError(
            "distribute='multiworker': this process cannot join the others; start all of them "
            f"again ({error.message})."
        ) from error
    return team.Team(strategy, n_processes=len(addresses), index=index)


def _has_started():
    """Tell whether TensorFlow has computed: its threads cannot be changed any more."""
    threads = tf.config.threading
    number = threads.get_inter_op_parallelism_threads()
    try:
        threads.set_inter_op_parallelism_threads(number + 1)
    except RuntimeError:
        return True
    threads.set_inter_op_parallelism_threads(number)
    return False


@contextlib.contextmanager
def _own_signals():
    """Let SIGTERM end the process as before: TensorFlow would catch it and do nothing."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _read_cluster(text):
    """Check TF_CONFIG before TensorFlow reads it; return all addresses, and which is our own."""
    try:
        config = json.loads(text or "null")
        jobs = {name: [str(each) for each in config["cluster"][name]] for name in config["cluster"]}
        job, number = config["task"]["type"], int(config["task"]["index"])
        own = jobs[job][number]
        addresses = [address for name in sorted(jobs) for address in jobs[name]]
        ports = [int(address.rpartition(":")[2]) for address in addresses]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise ValueError(f"{NEEDED}got {text!r}.") from None
    if not set(jobs) <= {"chief", "worker"} or number < 0 or not all(ports):
        raise ValueError(f"{NEEDED}got {text!r}.")
    if len(set(addresses)) < len(addresses):
        raise ValueError(f"{NEEDED}two processes have one address: {text!r}.")
    return addresses, addresses.index(own)  # a chief comes before workers, as in TensorFlow
