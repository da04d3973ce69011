"""Any pictures sorted into class folders, with or without folders for train and validation."""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from skbreast._validation import name_some
from skbreast._warn import warn_user
from skbreast.datasets._base import (
    check_folder,
    check_max_patches,
    check_split,
    describe_folder,
    load_descr,
    make_columns,
    pack,
    subfolders,
    thin_columns,
    walk_files,
)
from skbreast.exceptions import PatientLeakageWarning

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
# None, NaN and pandas' missing values, written out: a callable may look ids up in a table.
_MISSING = ("", "None", "nan", "NaT", "<NA>")
NO_GROUPS = """
No patient ids
--------------
``groups`` is None because no ``groups_pattern`` was given. Pictures of one patient may then stand
on both sides of a split, which makes scores look better than they are on new patients.
"""


def load_patch_folder(
    root,
    *,
    split=None,
    groups_pattern=None,
    max_patches=None,
    random_state=None,
    return_X_y=False,
):
    r"""Load pictures that are sorted into one folder per class.

    The class folders lie directly below `root` (``benign/*.jpg``, ``malignant/*.jpg``) or below
    folders for the parts (``train/benign/*.jpg`` … ``validation/malignant/*.jpg``). Pictures are
    files that end in png, jpg, jpeg, tif, tiff or bmp, at any depth below a class folder. Hidden
    files, other files and pictures outside the class folders are left out. No pixel is read.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "validation", "test"} or tuple of them, optional
        Only these parts. The folders may also be called training, val or valid, in any case.
    groups_pattern : str, re.Pattern or callable, optional
        Where the patient id of a picture comes from. A regular expression is searched in the
        path below `root`, written with ``/``; its first group, or the whole match if it has none,
        is the id. A callable gets that path and returns the id. By default no patients are known.
    max_patches : int, optional
        Keep at most so many patches. With patients, each loses the same share, keeps at least one
        patch while there are as many patches as patients, and keeps its class proportion.
        Without, the draw is stratified by class.
    random_state : int, RandomState instance or None, default=None
        Decides which patches `max_patches` keeps; an int for the same ones every time.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        data : ndarray of str objects, shape (n_patches,)
            Patch references, sorted by path.
        target : ndarray of int64, shape (n_patches,)
            Place of the class in `target_names`, the same for every `split`.
        target_names : ndarray of str, shape (n_classes,)
            Names of the class folders, sorted.
        groups : ndarray of str, shape (n_patches,), or None
            Patient ids, if `groups_pattern` is given.
        part : ndarray of str, shape (n_patches,)
            "train", "validation" or "test"; "" without part folders.
        frame : pandas.DataFrame or None
            Columns path (below `root`), part ("" without part folders), class, reference, target
            and, if known, patient. None where pandas is not installed.
        DESCR : str
            What was read, and what to beware of.
    (data, target) : tuple of ndarray
        If `return_X_y`.

    Raises
    ------
    FileNotFoundError
        If `root` does not exist.
    ValueError
        If fewer than two classes are found, part folders and others are mixed, `split` is not
        there, or `groups_pattern` gives no id for a picture.

    Warns
    -----
    PatientLeakageWarning
        If patients stand in more than one part.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbreast.datasets import load_patch_folder
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("benign/p1_1.png", "benign/p2_1.png", "malignant/p3_1.png"):
    ...         path = Path(root, name)
    ...         path.parent.mkdir(exist_ok=True)
    ...         path.touch()
    ...     patches = load_patch_folder(root, groups_pattern=r"/(p\d+)_")
    >>> patches.groups
    array(['p1', 'p2', 'p3'], dtype='<U2')
    >>> patches.target
    array([0, 0, 1])
    """
    return load_folder(
        root, split, groups_pattern, max_patches, random_state, return_X_y=return_X_y
    )


def load_folder(
    root,
    split=None,
    groups_pattern=None,
    max_patches=None,
    random_state=None,
    *,
    return_X_y=False,
    warn=True,
):
    """Do what :func:`load_patch_folder` does, without the warning for those who mend the leak."""
    check_max_patches(max_patches)
    root = check_folder(root)
    parts = None if split is None else {PARTS[name] for name in check_split(split, PARTS)}
    columns = _find_pictures(root)
    target_names, target = np.unique(columns["class"].astype(str), return_inverse=True)
    columns["target"] = target
    groups, descr = None, load_descr("patch_folder")
    if groups_pattern is None:
        descr += NO_GROUPS
    else:
        columns["patient"], groups = _patients(columns["path"], groups_pattern), "patient"
        if warn:
            _warn_shared(columns["patient"], columns["part"])
    if parts is not None:
        columns = _select(columns, split, parts, root)
    columns = thin_columns(
        columns, groups=groups or "part", max_patches=max_patches, random_state=random_state
    )
    return pack(
        columns,
        groups=groups,
        target_names=target_names,
        descr=descr,
        return_X_y=return_X_y,
        part=columns["part"].astype(str),
    )


def _find_pictures(root):
    rows = []
    for part, part_folder in _part_folders(root):
        for class_folder in subfolders(part_folder):
            for picture in _pictures(class_folder):
                path = Path(picture).relative_to(root).as_posix()
                rows.append((path, part, class_folder.name, picture))
    _check_classes(root, Counter(row[2] for row in rows))
    return make_columns(("path", "part", "class", "reference"), sorted(rows))


def _pictures(folder):
    return [file for file in walk_files(folder) if Path(file).suffix.lower() in SUFFIXES]


def find_parts(root):
    """Return the names of the part folders in `root`: train, validation, test, or none of them."""
    return {part for part, _ in _part_folders(root)} - {""}


def _part_folders(root):
    """Return (part, folder) pairs; the single part "" is `root` itself."""
    folders = subfolders(root)
    parts = [(PARTS[f.name.lower()], f) for f in folders if f.name.lower() in PARTS]
    if not parts:
        return [("", root)]
    others = [f.name for f in folders if f.name.lower() not in PARTS and _pictures(f)]
    if others:
        raise ValueError(
            f"root: beside the part folder {parts[0][1].name!r}, {str(root)!r} holds pictures in "
            f"{', '.join(map(repr, others[:4]))}; part folders are called {', '.join(PARTS)}."
        )
    return parts


def _check_classes(root, counts):
    if len(counts) < 2:
        only = [f"pictures of one class only, {name!r} ({n})" for name, n in counts.items()]
        raise ValueError(
            f"root: two class folders with pictures are needed; {str(root)!r} has "
            f"{only[0] if only else 'none'}; it holds {describe_folder(root)}."
        )
    lowered = Counter(name.casefold() for name in counts)
    twins = sorted(name for name in counts if lowered[name.casefold()] > 1)
    if twins:
        raise ValueError(
            f"root: the class folders {', '.join(map(repr, twins))} differ in upper and lower "
            "case only; give one class one name."
        )


def _patients(paths, groups_pattern):
    """Return the patient id of each path, as str objects."""
    find = groups_pattern if callable(groups_pattern) else _searcher(groups_pattern)
    patients = np.array([str(find(path)) for path in paths], dtype=object)
    nameless = paths[np.isin(patients.astype(str), _MISSING)]
    if len(nameless):
        raise ValueError(
            f"groups_pattern gives no patient id for {nameless[0]!r} ({len(nameless)} of "
            f"{len(paths)} pictures have none); every picture needs one."
        )
    return patients


def _searcher(pattern):
    try:
        pattern = re.compile(pattern)
        pattern.search("")  # a pattern of bytes cannot
    except (re.error, TypeError) as error:
        raise ValueError(
            f"groups_pattern must be a regular expression or a callable; got {pattern!r}: {error}."
        ) from error

    def find(path):
        match = pattern.search(path)
        return None if match is None else match[1 if pattern.groups else 0]

    return find


def _warn_shared(patients, parts):
    in_parts = Counter(patient for patient, _ in set(zip(patients, parts, strict=True)))
    shared = sorted(patient for patient, n_parts in in_parts.items() if n_parts > 1)
    if shared:
        warn_user(
            f"{len(shared)} of {len(set(patients))} patients stand in more than one part "
            f"({name_some(shared, write=str)}), so scores on validation or test are too good. "
            "Load all parts together and split by groups.",
            PatientLeakageWarning,
        )


def _select(columns, split, parts, root):
    chosen = np.isin(columns["part"].astype(str), sorted(parts))
    if not chosen.any():
        found = sorted(set(columns["part"]) - {""})
        raise ValueError(
            f"split={split!r}: {str(root)!r} has no such part with pictures; it has "
            f"{', '.join(found) or 'class folders directly below it'}."
        )
    return {name: values[chosen] for name, values in columns.items()}
