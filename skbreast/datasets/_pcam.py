"""PatchCamelyon (Veeling 2018): refer to the rows of the published HDF5 files."""

import csv
from contextlib import contextmanager

import numpy as np

from skbreast._stacks import HDF5_ERRORS, check_stored_inside
from skbreast._validation import import_optional, name_some
from skbreast.datasets._base import (
    check_file_size,
    check_folder,
    check_max_patches,
    check_split,
    describe_folder,
    load_descr,
    pack,
    thin_columns,
)
from skbreast.references import format_reference

PATCH_SHAPE = (96, 96, 3)
SPLITS = ("train", "valid", "test")
TARGET_NAMES = ("normal", "tumour")
MAX_PATCHES = 10_000_000
MAX_META_BYTES = 2**30
NO_GROUPS = """
No patient ids
--------------
No metadata file with slide names (``camelyonpatch_level_2_split_{part}_meta.csv``) lies beside
this copy, and the HDF5 files name no patient and no slide. So ``groups`` is None, and an evaluation
grouped by patient is impossible: patches of one slide may stand on both sides of any split made
within a part.
"""


def load_pcam(root, *, split="train", max_patches=None, random_state=None, return_X_y=False):
    """Load one or several parts of the PatchCamelyon patches of 96x96 pixels [1]_.

    Reads the labels only. The patches stay in ``camelyonpatch_level_2_split_<split>_x.h5``, and
    the references point to its rows.

    Parameters
    ----------
    root : str or path-like
        Folder of the unpacked files ``camelyonpatch_level_2_split_<split>_{x,y}.h5`` and, for
        slide ids, ``camelyonpatch_level_2_split_<split>_meta.csv``.
    split : {"train", "valid", "test"} or tuple of them, default="train"
        Which part, or which parts one after the other.
    max_patches : int, optional
        Keep at most so many patches. With slide ids every slide loses the same share and keeps
        at least one patch while there are as many patches as slides; the classes keep their
        proportion. Without, every part loses the same share.
    random_state : int, RandomState instance or None, default=None
        Decides which patches `max_patches` keeps; an int for the same ones every time.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        data : ndarray of str objects, shape (n_patches,)
            Patch references ``<file>.h5#<row>``, in the order of the file.
        target : ndarray of int64, shape (n_patches,)
            1 where the centre of 32x32 pixels holds tumour.
        target_names : ndarray of str, shape (2,)
            Names of the classes.
        groups : ndarray of str, shape (n_patches,), or None
            Slides, from the column "wsi" of the metadata; None where a part lacks that file.
        part : ndarray of str, shape (n_patches,)
            "train", "valid" or "test".
        frame : pandas.DataFrame or None
            Columns reference, row, part, target and, with slides, those that the metadata of all
            parts have, as text. None where pandas is not installed.
        DESCR : str
            The description of the data set; it says whether slide ids are there.
    (data, target) : tuple of ndarray
        If `return_X_y`.

    Raises
    ------
    FileNotFoundError
        If a file is missing, or is there only as ``.gz``.
    ValueError
        If a file is no HDF5, its array has another name, shape or type than published, or files
        differ in length.
    ImportError
        If h5py is not installed.

    References
    ----------
    .. [1] Veeling, Linmans, Winkens, Cohen and Welling, "Rotation equivariant CNNs for digital
       pathology", MICCAI 2018.

    Examples
    --------
    >>> from skbreast.datasets import load_pcam
    >>> pcam = load_pcam("pcam", split="valid")  # doctest: +SKIP
    >>> pcam.data[0]  # doctest: +SKIP
    'pcam/camelyonpatch_level_2_split_valid_x.h5#0'
    """
    parts = check_split(split, SPLITS)
    check_max_patches(max_patches)
    folder = check_folder(root)
    read = [_read_part(folder, part) for part in parts]
    slideless = [part for part, (meta, _) in zip(parts, read, strict=True) if meta is None]
    columns, groups = _join(columns for _, columns in read), None
    if not slideless:
        columns, groups = {**_join(meta for meta, _ in read), **columns}, "wsi"
    columns = thin_columns(
        columns, groups=groups or "part", max_patches=max_patches, random_state=random_state
    )
    return pack(
        columns,
        groups=groups,
        target_names=TARGET_NAMES,
        descr=load_descr("pcam") + "".join(NO_GROUPS.format(part=part) for part in slideless[:1]),
        return_X_y=return_X_y,
        part=columns["part"].astype(str),
    )


def find_parts(root):
    """Return the parts of which a file of patches lies in `root`, packed or not."""
    stem = "camelyonpatch_level_2_split"
    return tuple(part for part in SPLITS if next(root.glob(f"{stem}_{part}_x.h5*"), None))


def _join(tables):
    """Lay tables one below the other; columns that not all of them have are left out."""
    first, *others = tables
    names = [name for name in first if all(name in table for table in others)]
    return {name: np.concatenate([first[name], *(t[name] for t in others)]) for name in names}


def _read_part(folder, part):
    stem = folder / f"camelyonpatch_level_2_split_{part}"
    columns = _read_columns(stem, part)
    return _read_meta(_find_file(stem, "meta.csv"), len(columns["target"])), columns


def _read_columns(stem, part):
    x_path, y_path = (_find_file(stem, f"{array}.h5") for array in "xy")
    for path, name in ((x_path, "x"), (y_path, "y")):
        if path is None:
            raise FileNotFoundError(
                f"root: the file {stem.name}_{name}.h5 is missing in {str(stem.parent)!r}, which "
                f"holds {describe_folder(stem.parent)}."
            )
    target = _read_labels(y_path)
    _check_images(x_path, len(target))
    rows = np.arange(len(target))
    references = np.array([format_reference(x_path, row) for row in rows], dtype=object)
    parts = np.full(len(rows), part, dtype=object)
    return {"reference": references, "row": rows, "part": parts, "target": target}


def _find_file(stem, ending):
    """Return the path of a file of the part, or None; one that is still packed is an error."""
    path = stem.with_name(f"{stem.name}_{ending}")
    packed = path.with_name(path.name + ".gz")
    if path.is_file():
        return path
    if packed.is_file():
        raise FileNotFoundError(f"{packed} is still packed; unpack it: gunzip --keep {packed.name}")
    return None


@contextmanager
def _open_array(path, name):
    h5py = import_optional("h5py", extra="pcam", purpose="Loading PatchCamelyon")
    try:
        with h5py.File(path, "r") as file:
            array = file.get(name)
            if not isinstance(array, h5py.Dataset):
                held = sorted(file)[:5] or "nothing"
                raise ValueError(f"{path} has no array {name!r}; it holds {held}.")
            if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                raise ValueError(f"{path}: {name} lies in another file, which is not allowed.")
            check_stored_inside(array)
            yield array
    except HDF5_ERRORS as error:
        if str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} is no readable HDF5 file, or is cut off: {error}.") from error


def _read_labels(path):
    with _open_array(path, "y") as labels:
        shape = labels.shape
        if not shape or shape[0] == 0 or shape[1:] not in ((), (1, 1, 1)):
            raise ValueError(f"{path}: y must have the shape (n, 1, 1, 1); it has {shape}.")
        if shape[0] > MAX_PATCHES or labels.dtype.kind not in "biuf":
            raise ValueError(
                f"{path}: y must hold at most {MAX_PATCHES:,} numbers; it claims {shape[0]:,} of "
                f"the type {labels.dtype}."
            )
        target = labels[...].reshape(-1)
    if not np.isin(target, (0, 1)).all():
        raise ValueError(f"{path}: y must hold 0 and 1 only; it holds {np.unique(target)[:5]}.")
    return target.astype(np.int64)


def _check_images(path, n_patches):
    with _open_array(path, "x") as images:
        shape, dtype = images.shape, images.dtype
    if shape[1:] != PATCH_SHAPE or dtype != np.uint8:
        raise ValueError(
            f"{path}: x must be uint8 of the shape (n, 96, 96, 3); it is {dtype} of {shape}."
        )
    if shape[0] != n_patches:
        raise ValueError(f"{path} holds {shape[0]} patches, but its y file {n_patches} labels.")


def _read_meta(path, n_patches):
    """Return the columns of the metadata as text, or None where there is no such file."""
    if path is None:
        return None
    check_file_size(path, MAX_META_BYTES)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = csv.reader(stream)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} is no readable CSV file: {error}.") from error
    if "wsi" not in header:
        raise ValueError(
            f"{path}: there is no column 'wsi'; the columns are "
            f"{name_some([name[:40] for name in header])}."
        )
    if len(rows) != n_patches:
        raise ValueError(f"{path} has {len(rows)} rows for {n_patches} patches.")
    slide = header.index("wsi")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not row[slide].strip():
            raise ValueError(f"{path}, line {number}: cells are missing, or the slide is empty.")
    table = np.array(rows, dtype=object)
    return {name: table[:, place] for place, name in enumerate(header) if name}
