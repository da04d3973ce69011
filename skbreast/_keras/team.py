"""Devices, in one process or in several, that share every batch of a training."""

import contextlib
import json
import threading

import numpy as np
import tensorflow as tf

from skbreast._teams import Alone

__all__ = ["WAIT_SECONDS", "Team"]

WAIT_SECONDS = 600.0  # for one another: in it fit what only one does, as a chief's checkpoint
CHUNK = 2**22  # numbers that are sent at a time
_training = threading.RLock()  # a callback may fit another network


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
        except Exception:
            raise
        except BaseException:  # Ctrl-C, wherever it comes
            self._leave()
            raise
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

    @contextlib.contextmanager
    def together(self):
        """Let all processes fail where one does, so that nobody waits and all can go on.

        Nothing within may need the others.

        Raises
        ------
        ConnectionError
            If another process failed.
        """
        failure = None
        try:
            yield
        except Exception as error:
            if self.n_processes == 1:
                raise
            failure = error
        if self.total([failure is not None])[0]:
            raise failure or ConnectionError(self._failed_elsewhere("another process has failed"))

    @contextlib.contextmanager
    def to_the_end(self):
        """Let the others end at once where this process fails among steps that all take.

        After that this process can take no more steps with them.
        """
        try:
            yield
        except ConnectionError:  # of those who are gone already
            raise
        except Exception:
            self._leave()
            raise

    def _leave(self):
        """Tell the other processes that this one takes no further steps; else they would wait."""
        if self.n_processes == 1:
            return
        from tensorflow.python.eager import context  # TensorFlow has no public way

        for tell in ("abort_collective_ops", "report_error_to_cluster"):
            with contextlib.suppress(tf.errors.OpError):  # of those who are gone
                getattr(context.context(), tell)(tf.errors.UNAVAILABLE, "a process has left")

    def _failed_elsewhere(self, what):
        return (
            f"distribute='multiworker': {what}, so process {self.index} of {self.n_processes} ends "
            "its training; what that one says tells why."
        )

    def from_chief(self, compute):
        """Return what the chief computes, which JSON must be able to hold.

        Raises
        ------
        ConnectionError
            If the chief fails; in the chief it is what it raised.
        """
        if self.n_processes == 1:
            return compute()
        text, failure = "", None
        if self.index == 0:
            try:
                text = json.dumps({"value": compute()})
            except Exception as error:
                text, failure = json.dumps({"failed": f"{type(error).__name__}: {error}"}), error
        said = json.loads(self.bytes_from_chief(text.encode()))
        if failure is not None:
            raise failure
        if "failed" in said:
            what = f"the first process has failed ({said['failed']})"
            raise ConnectionError(self._failed_elsewhere(what))
        return said["value"]

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
