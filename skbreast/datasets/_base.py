"""What all loaders share: walking folders, thinning by patient, and packing a Bunch."""

import importlib.resources
import importlib.util
import os
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state

from skbreast._loaded import remember_patients
from skbreast._validation import import_optional
from skbreast.datasets._bunch import PatchBunch

MAX_LIST_BYTES = 2**26
MAX_LINE = 1000


def thin(target, groups, max_patches, random_state):
    """Choose at most `max_patches` patches so that every patient loses the same share.

    Each patient keeps the whole number below or above its share, and at least one patch while
    there are as many patches to keep as patients. With fewer, patients of all class mixtures
    give one patch each. Within a patient the classes keep their proportion, and the roundings
    are balanced over patients, so the class totals keep theirs too. Without groups the draw is
    stratified by class alone.

    Parameters
    ----------
    target : array-like of int, shape (n_patches,)
        Class of each patch.
    groups : array-like of shape (n_patches,) or None
        Patient of each patch.
    max_patches : int or None
        How many patches to keep; None or a number not below n_patches keeps all.
    random_state : int, RandomState instance or None
        Decides which patches stay.

    Returns
    -------
    ndarray of intp, shape (n_kept,)
        Sorted indices of the patches that stay.

    Raises
    ------
    ValueError
        If `max_patches` is not a whole number of at least 1.

    Examples
    --------
    >>> from skbreast.datasets._base import thin
    >>> groups = ["a"] * 4 + ["b"] * 2
    >>> kept = thin([0, 0, 1, 1, 0, 1], groups, 3, random_state=0)
    >>> [groups[row] for row in kept]
    ['a', 'a', 'b']
    """
    n_patches = len(target)
    check_max_patches(max_patches)
    if max_patches is None or max_patches >= n_patches:
        return np.arange(n_patches)
    rng = check_random_state(random_state)
    class_of = np.unique(target, return_inverse=True)[1]
    groups = np.zeros(n_patches) if groups is None else groups
    patient_of = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((patient_of.max() + 1, class_of.max() + 1), dtype=np.int64)
    np.add.at(counts, (patient_of, class_of), 1)
    quotas = _cell_quotas(counts, int(max_patches), rng)
    return _draw(patient_of * counts.shape[1] + class_of, quotas.ravel(), rng)


def check_max_patches(max_patches):
    """Raise a ValueError unless `max_patches` is None or a whole number of at least 1."""
    whole = isinstance(max_patches, Integral) and not isinstance(max_patches, bool)
    if max_patches is not None and not (whole and max_patches >= 1):
        raise ValueError(
            f"max_patches must be None or a whole number of at least 1; got {max_patches!r}."
        )


def check_split(split, parts):
    """Return the parts that `split` names, each once, or raise a ValueError that lists them.

    Parameters
    ----------
    split : str, or tuple or list of str
        What came.
    parts : collection of str
        The names that there are.

    Returns
    -------
    tuple of str
        In the order of `split`.
    """
    asked = (split,) if isinstance(split, str) else split
    known = isinstance(asked, tuple | list) and len(asked) > 0
    if not known or not all(isinstance(part, str) and part in parts for part in asked):
        raise ValueError(
            f"split must be one of {', '.join(map(repr, parts))}, or a tuple of them; got "
            f"{split!r}."
        )
    return tuple(dict.fromkeys(asked))


def _cell_quotas(counts, n_keep, rng):
    """Share `n_keep` over the (patient, class) table `counts`, rows first, then columns."""
    shares = _patient_shares(counts.sum(axis=1), n_keep)
    # Neighbours of the same class mixture balance each other's rounding: pure patients, as in
    # BreakHis, could otherwise shift the class totals.
    mixture = counts / counts.sum(axis=1, keepdims=True)
    order = np.lexsort((rng.permutation(len(counts)), *mixture.T))
    upto = np.cumsum(shares[order])
    upto[-1] = n_keep
    rounded = np.floor(np.round(upto, 9) + rng.uniform()).astype(np.int64)
    quotas = np.empty_like(counts)
    owed = np.zeros(counts.shape[1])
    for patient, quota in zip(order, np.diff(rounded, prepend=0), strict=True):
        owed += shares[patient] * mixture[patient]
        quotas[patient] = _class_quotas(counts[patient], quota, owed)
        owed -= quotas[patient]
    return quotas


def _patient_shares(sizes, n_keep):
    """Give every patient the same share of its patches, but not less than one patch."""
    if n_keep <= len(sizes):
        return np.full(len(sizes), n_keep / len(sizes))
    small = np.zeros(len(sizes), dtype=bool)
    while True:
        share = (n_keep - small.sum()) / sizes[~small].sum()
        smaller = small | (share * sizes < 1)
        if (smaller == small).all():
            return np.where(small, 1.0, share * sizes)
        small = smaller


def _class_quotas(counts, quota, owed):
    """Split a patient's `quota` over its classes; what is left goes where most is `owed`."""
    quotas, rest = np.divmod(quota * counts, counts.sum())
    n_left = quota - quotas.sum()
    claim = np.where(rest > 0, owed - quotas, -np.inf)
    quotas[np.argsort(-claim, kind="stable")[:n_left]] += 1
    return quotas


def _draw(cell_of, quotas, rng):
    """Draw ``quotas[c]`` patches from each cell c without replacement."""
    shuffled = rng.permutation(len(cell_of))
    by_cell = shuffled[np.argsort(cell_of[shuffled], kind="stable")]
    sizes = np.bincount(cell_of, minlength=len(quotas))
    rank = np.arange(len(cell_of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(by_cell[rank < np.repeat(quotas, sizes)])


def check_folder(folder, *, name="root"):
    """Return `folder` as a Path, or raise an error that says what stands there instead."""
    try:
        path = Path(folder).expanduser()
        exists = path.exists()
    except (TypeError, ValueError) as error:  # a type that is no path, a NUL, half a surrogate
        raise ValueError(f"{name} must be the path of a folder; got {folder!r}.") from error
    if not exists:
        raise FileNotFoundError(f"{name}: there is no folder {str(path)!r}.")
    if not path.is_dir():
        raise NotADirectoryError(f"{name} must be a folder; {str(path)!r} is a file.")
    return path


def subfolders(folder):
    """Return the folders directly in `folder` as sorted paths, hidden ones left out."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    return [Path(folder, name) for name in sorted(names)]


def walk_files(folder):
    """List all files below `folder` as strings, sorted by path, hidden ones left out.

    Links to folders are followed, but no folder is visited twice: links in a circle end.
    """
    files, seen, waiting = [], set(), [Path(folder)]
    while waiting:
        here = waiting.pop()
        status = here.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(here) as entries:
            files += [e.path for e in entries if not e.name.startswith(".") and e.is_file()]
        waiting += reversed(subfolders(here))
    return sorted(files, key=lambda file: Path(file).parts)


def describe_folder(folder, *, limit=4):
    """Say in a few words what lies directly in `folder`, for error messages."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name + "/" * entry.is_dir() for entry in entries)
    if not names:
        return "nothing"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def check_file_size(path, max_bytes):
    """Raise a ValueError if a file is larger than `max_bytes`."""
    n_bytes = Path(path).stat().st_size
    if n_bytes > max_bytes:
        raise ValueError(f"{path} has {n_bytes:,} bytes; at most {max_bytes:,} are allowed.")


def read_lines(path):
    """Read a small text file as (line number from 1, stripped line) pairs, blank lines left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not text in UTF-8, or larger than `MAX_LIST_BYTES`, or a line has more than
        `MAX_LINE` characters.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    check_file_size(path, MAX_LIST_BYTES)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8.") from error
    lines = list(enumerate((line.strip() for line in text.splitlines()), start=1))
    long = next((number for number, line in lines if len(line) > MAX_LINE), None)
    if long is not None:
        raise ValueError(f"{path}, line {long}: it has more than {MAX_LINE} characters.")
    return [(number, line) for number, line in lines if line]


def load_descr(name):
    """Return the description of a data set, ``descr/<name>.rst``."""
    folder = importlib.resources.files("skbreast.datasets")
    return folder.joinpath("descr", f"{name}.rst").read_text(encoding="utf-8")


def has_pandas():
    """Tell whether a frame can be built."""
    return importlib.util.find_spec("pandas") is not None


def make_columns(names, rows):
    """Turn rows into a dict of 1-D arrays; strings stay Python objects."""
    columns = zip(*rows, strict=True)
    return {name: _as_column(values) for name, values in zip(names, columns, strict=True)}


def _as_column(values):
    return np.array(values, dtype=object if isinstance(values[0], str) else None)


def thin_columns(columns, *, groups, max_patches, random_state):
    """Apply :func:`thin` to all columns; `groups` names the column of patients, or is None."""
    patients = None if groups is None else columns[groups]
    kept = thin(columns["target"], patients, max_patches, random_state)
    return {name: values[kept] for name, values in columns.items()}


def pack(columns, *, groups, target_names, descr, return_X_y=False, **more):
    """Pack the columns of a data set as the Bunch, or the pair, that a loader returns.

    Parameters
    ----------
    columns : dict of str to ndarray
        All metadata in order, with at least "reference" and "target".
    groups : str or None
        Which column holds the patients.
    target_names : sequence of str
        Name of each class.
    descr : str
        The description.
    return_X_y : bool, default=False
        Return only ``(data, target)``.
    **more
        Further entries of the Bunch.

    Returns
    -------
    Bunch or (ndarray, ndarray)
        With ``frame=None`` where pandas is not installed.
    """
    data, target = columns["reference"], columns["target"].astype(np.int64)
    patients = None if groups is None else columns[groups].astype(str)
    remember_patients(data, patients)
    if return_X_y:
        return data, target
    frame = None
    if has_pandas():
        pandas = import_optional("pandas", extra="plot", purpose="The frame of a data set")
        frame = pandas.DataFrame({**columns, "target": target})
    return PatchBunch(
        data=data,
        target=target,
        target_names=np.array(target_names, dtype=str),
        groups=patients,
        frame=frame,
        DESCR=descr,
        **more,
    )
