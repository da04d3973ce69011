"""Processes and devices that train one network together, through `tf.distribute`."""

import contextlib
import functools
import json
import os
import re
import signal
import threading

import numpy as np
import tensorflow as tf

from skbreast._keras import GREETINGS, held_back
from skbreast._meeting import meet
from skbreast._teams import ALONE, Alone

__all__ = ["START_SECONDS", "WAIT_SECONDS", "Team", "find_team"]

START_SECONDS = 600.0  # from the first process that comes to the last
WAIT_SECONDS = 600.0  # for one another: in it fit what only one does, as a chief's checkpoint
CHUNK = 2**22  # numbers that are sent at a time
_lock = threading.Lock()
_training = threading.RLock()  # a callback may fit another network

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
        A :class:`Team` where there are others.

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
    return Team(tf.distribute.MirroredStrategy(devices))


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
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=WAIT_SECONDS)
    try:
        with _own_signals(), held_back(JOINING):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except tf.errors.OpError as error:
        raise ConnectionError(
            "distribute='multiworker': this process cannot join the others; start all of them "
            f"again ({error.message})."
        ) from error
    return Team(strategy, n_processes=len(addresses), index=index)


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


class Team(Alone):
    """Devices, in one process or several, that share every batch.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
        A mirrored one.
    n_processes, index : int
        Processes that train together, and the number of this one.

    Attributes
    ----------
    store : dict
        What belongs to the team alone.
    """

    def __init__(self, strategy, n_processes=1, index=0):
        self.strategy = strategy
        self.n_processes, self.index = n_processes, index
        self.n_replicas = strategy.num_replicas_in_sync
        self.store = {}
        self._sum = tf.function(self._reduce, input_signature=[tf.TensorSpec((None,), tf.float32)])
        self._sum_wide = tf.function(
            self._reduce, input_signature=[tf.TensorSpec((None,), tf.float64)]
        )

    def _reduce(self, numbers):
        return self.strategy.reduce("SUM", tf.identity(numbers), axis=None)

    @contextlib.contextmanager
    def training(self):
        """Let one thread train at a time: of two, each process might take another first."""
        if not _training.acquire(blocking=self.n_processes == 1):
            raise RuntimeError(
                "distribute='multiworker' trains one network at a time; another fit is under way "
                "in this process. Set n_jobs=None in what calls fit."
            )
        try:
            yield
        finally:
            _training.release()

    @contextlib.contextmanager
    def scope(self):
        """Let what is built be of the strategy; all processes build it, with the chief's values."""
        with self.contact(), self.strategy.scope():
            yield

    @contextlib.contextmanager
    def contact(self):
        """Say in one sentence that others are gone.

        Raises
        ------
        ConnectionError
            If a process ended or does not answer.
        """
        try:
            yield
        except (
            tf.errors.UnavailableError,
            tf.errors.DeadlineExceededError,
            tf.errors.CancelledError,
            tf.errors.AbortedError,
            tf.errors.FailedPreconditionError,
        ) as error:
            late = isinstance(error, tf.errors.DeadlineExceededError)
            what = f"did not answer for {WAIT_SECONDS:g} seconds" if late else "has ended"
            raise ConnectionError(
                f"distribute='multiworker': another process {what}, so process {self.index} of "
                f"{self.n_processes} ends its training. Start all of them again; with checkpoint= "
                "they go on after the last epoch that was written."
            ) from error

    def from_chief(self, compute):
        """Return what the chief computes; JSON must be able to hold it."""
        if self.n_processes == 1:
            return compute()
        text = json.dumps(compute()) if self.index == 0 else ""
        return json.loads(self.bytes_from_chief(text.encode()))

    def bytes_from_chief(self, content):
        """Return the bytes that the chief has."""
        if self.n_processes == 1:
            return content
        n_bytes = int(self.total(np.array([len(content) if self.index == 0 else 0]))[0])
        numbers = np.zeros(-(-n_bytes // 2), np.float32)
        if self.index == 0:
            numbers[:] = np.frombuffer(content + bytes(n_bytes % 2), np.uint16)
        # Numbers of 16 bits are exact in float32, which every kind of network carries.
        with self.contact():
            sums = [
                self._sum(numbers[start : start + CHUNK]).numpy()
                for start in range(0, len(numbers), CHUNK)
            ]
        return np.concatenate([np.float32([]), *sums]).astype(np.uint16).tobytes()[:n_bytes]

    def total(self, numbers):
        """Return the sum over all processes of a float64 vector, the same bits in each."""
        if self.n_processes == 1:
            return numbers
        with self.contact():
            return self._sum_wide(np.asarray(numbers, np.float64)).numpy()

    def check_same(self, describe):
        """Raise a ValueError, in all processes, if something is not the same in all.

        Parameters
        ----------
        describe : callable
            Returns a dict of what must be the same, as JSON can hold it.
        """
        if self.n_processes == 1:
            return
        own = json.loads(json.dumps(describe(), default=str))
        chief = self.from_chief(lambda: own)
        others = sorted(name for name in own | chief if own.get(name) != chief.get(name))
        if self.total([len(others)])[0] > 0:
            found = f"here, in process {self.index}, " if others else "another has other ones"
            raise ValueError(
                "distribute='multiworker': all processes must be given the same patches, labels "
                f"and parameters as the first, and have the same versions; {found}"
                + (f"these differ: {', '.join(others)}." if others else ".")
            )
