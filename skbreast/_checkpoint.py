"""A training on disk: where it stands, what it is a training of, and whether both still hold."""

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skbreast._files import forget_parts, written_whole
from skbreast._fingerprints import digest_array, digest_text
from skbreast._mismatches import name_mismatches
from skbreast._warn import warn_user
from skbreast.exceptions import CheckpointWarning

__all__ = [
    "Checkpoint",
    "DamagedCheckpointError",
    "State",
    "packed",
    "read_state",
    "unpacked",
    "write_state",
]

FORMAT = 1
FORM = "{name} {noted}, now {own}"


class DamagedCheckpointError(ValueError):
    """A file is no checkpoint, or not what was written."""


@dataclass
class State:
    """Where a training stands.

    Attributes
    ----------
    numbers : dict
        What JSON can hold; floats come back with the same bits, NaN and infinity included.
    arrays : dict of str to list of ndarray
        Lists of arrays of numbers, which may be empty.
    """

    numbers: dict
    arrays: dict = field(default_factory=dict)


def write_state(path, about, state):
    """Write a state whole, with what it belongs to.

    Parameters
    ----------
    path : path-like
        The file; an older one stays until the new one is on the disk.
    about : dict of str to dict
        What JSON can hold.
    state : State
        What is to be found again.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with written_whole(path) as part, part.open("wb") as file:
        _write(file, about, state)


def _write(file, about, state):
    arrays = {name: list(map(_of_numbers, each)) for name, each in state.arrays.items()}
    lengths = {name: len(each) for name, each in arrays.items()}
    card = json.dumps([FORMAT, about, state.numbers, lengths], default=_plain)
    entries = {
        f"{name}-{i}": array for name, each in arrays.items() for i, array in enumerate(each)
    }
    np.savez(file, card=card, digest=_digest(card, entries), **entries)


def packed(state):
    """Return a state as bytes, to be sent to another process."""
    file = io.BytesIO()
    _write(file, {}, state)
    return file.getvalue()


def unpacked(content):
    """Return the state that :func:`packed` made bytes of."""
    return _read(content)[1]


def read_state(path):
    """Read what :func:`write_state` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    about : dict of str to dict
        What the state belongs to.
    state : State
        The state.

    Raises
    ------
    OSError
        If the file cannot be read.
    DamagedCheckpointError
        If a bit is not as it was written, or the file is none of this format. Nothing in it is
        ever run.
    """
    return _read(Path(path).read_bytes())


def _read(content):
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            entries = {name: file[name] for name in file.files}
        card, digest = str(entries.pop("card")), str(entries.pop("digest"))
        if digest != _digest(card, entries):
            raise ValueError("its digest is another")
        number, about, numbers, lengths = json.loads(card)
        if number != FORMAT:
            raise ValueError(f"its format is {number}, not {FORMAT}")
        arrays = {name: [entries[f"{name}-{i}"] for i in range(n)] for name, n in lengths.items()}
    except Exception as error:  # damaged bytes raise all kinds
        raise DamagedCheckpointError(f"{type(error).__name__}: {error}") from error
    return about, State(numbers, arrays)


def _digest(card, entries):
    digests = [[name, digest_array(array).hex()] for name, array in sorted(entries.items())]
    return hashlib.sha256(json.dumps([card, digests]).encode()).hexdigest()


def _of_numbers(array):
    """Return an array as numpy's files know it; bfloat16 they do not, but float32 holds it."""
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


class Checkpoint:
    """The file of one training in a folder of many.

    Its name is made of two digests: of what makes it this training, and of the conditions that it
    was begun under. So trainings of other patches or parameters never meet, those that run at the
    same time included, while one that was begun under other conditions is noticed and left alone.

    Parameters
    ----------
    folder : path-like
        Where the files are.
    training : dict of str to object
        What makes it this training, as JSON can hold it.
    conditions : dict of str to object
        What decides the result as well, but may change without anybody's noticing: versions,
        times of files.
    """

    def __init__(self, folder, training, conditions):
        about = {"training": training, "conditions": conditions}
        self.about = json.loads(json.dumps(about, default=_plain))
        self._kind, own = (
            digest_text(json.dumps(part, sort_keys=True))[:16] for part in self.about.values()
        )
        self.path = Path(folder).expanduser() / f"fit-{self._kind}-{own}.npz"
        self._told = False

    def load(self):
        """Return the state that is kept; None where there is none that can be used.

        Returns
        -------
        State or None
            The last that was saved.

        Raises
        ------
        OSError
            If there is a file that cannot be read, or a useless one that cannot be moved aside.

        Warns
        -----
        CheckpointWarning
            If a file is damaged or of another training; it is moved aside. If there is one of this
            training that was begun under other conditions, which are named; it stays.
        """
        with self._explained("read"):
            forget_parts(self.path.parent, self.path.name)
            try:
                state, reason = self._examine(self.path)
            except FileNotFoundError:
                self._tell_of_other_conditions()
                return None
            if state is None:
                aside = self.path.replace(self.path.with_suffix(".unusable"))
                self._warn(f"is not used, since {reason}. It is now {aside.name}")
        return state

    def begin(self, state):
        """Write the first state.

        Raises
        ------
        OSError
            If it cannot be written; the message says what to do.
        """
        with self._explained("written"):
            write_state(self.path, self.about, state)

    def save(self, state):
        """Write a later state; the one before stays until then.

        Warns
        -----
        CheckpointWarning
            If it cannot be written, once. The next call tries again.
        """
        try:
            write_state(self.path, self.about, state)
        except OSError as error:
            if not self._told:
                self._told = True
                warn_user(
                    f"The checkpoint {self.path} cannot be written ({error}). The training goes "
                    "on; if it is killed, it will start from the last epoch that was written.",
                    CheckpointWarning,
                )

    def remove(self):
        """Delete the file, since the training has ended.

        Warns
        -----
        CheckpointWarning
            If it cannot be deleted.
        """
        try:
            self.path.unlink(missing_ok=True)
            forget_parts(self.path.parent, self.path.name)
        except OSError as error:
            warn_user(
                f"The checkpoint {self.path} cannot be deleted ({error}). Delete it, or the next "
                "fit of the same patches ends at once with the same weights.",
                CheckpointWarning,
            )

    def _examine(self, path):
        """Return the state in a file, or None and the reason why it cannot be used."""
        try:
            about, state = read_state(path)
        except DamagedCheckpointError as error:
            return None, f"it is damaged ({error})"
        reasons = [
            reason
            for part, own in self.about.items()
            for reason in name_mismatches(about.get(part, {}), own, FORM)
        ]
        return (None, f"it was begun with {', '.join(reasons)}") if reasons else (state, "")

    def _tell_of_other_conditions(self):
        for path in sorted(self.path.parent.glob(f"fit-{self._kind}-*.npz")):
            with contextlib.suppress(FileNotFoundError):  # another process has ended
                reason = self._examine(path)[1] or "it was renamed"
                self._warn(f"is not used, since {reason}. Delete it if nobody needs it", path)

    def _warn(self, what, path=None):
        warn_user(
            f"The checkpoint {path or self.path} {what}; the training starts anew.",
            CheckpointWarning,
        )

    @contextlib.contextmanager
    def _explained(self, done):
        try:
            yield
        except OSError as error:
            raise OSError(
                f"The checkpoint {self.path} cannot be {done} ({error}); give another folder in "
                "checkpoint=, or None."
            ) from error


def _plain(value):
    """Return a number of numpy's as one of Python's, and anything else as text."""
    return value.item() if isinstance(value, np.generic) else str(value)
