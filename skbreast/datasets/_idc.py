"""The IDC patches (Cruz-Roa 2014; Janowczyk & Madabhushi 2016): read the published folders."""

import os
import re
from pathlib import Path

import numpy as np

from skbreast.datasets._base import (
    check_folder,
    check_max_patches,
    check_split,
    describe_folder,
    has_pandas,
    load_descr,
    make_columns,
    pack,
    read_lines,
    subfolders,
    thin_columns,
)
from skbreast.reading import patch_size

ARCHIVE_NAME = "IDC_regular_ps50_idx5"
PATCH_SIDE = 50
PARTS = ("train", "val", "test")
TARGET_NAMES = ("non-IDC", "IDC")
_COLUMNS = ("patient", "x", "y", "target", "reference")
_NAME = re.compile(
    r"(?P<patient>[^_]+)_idx5_x(?P<x>[0-9]{1,9})_y(?P<y>[0-9]{1,9})_class(?P<label>[01])\.png"
)


def load_idc(
    root, *, split=None, splits_dir=None, max_patches=None, random_state=None, return_X_y=False
):
    """Load the invasive ductal carcinoma patches of 50x50 pixels [1]_ [2]_.

    Reads ``<root>/<id>/<class>/<id>_idx5_x<X>_y<Y>_class<C>.png``. The second copy of the whole
    set that the published archive holds (``IDC_regular_ps50_idx5/`` inside the folder) is not
    read twice, and files of any other name are left out. No pixel is read.

    Parameters
    ----------
    root : str or path-like
        The folder ``IDC_regular_ps50_idx5``, or the one that contains it.
    split : {"train", "val", "test"} or tuple of them, optional
        Only the patients of these parts of the published split (84, 29 and 49 patients).
    splits_dir : str or path-like, optional
        Folder of the published case lists ``idc_cases_train.txt``, ``idc_cases_val.txt`` and
        ``idc_cases_test.txt``, a patient id a line. Listed patients that are not on disk are
        skipped and named in ``patients_absent``.
    max_patches : int, optional
        Keep at most so many patches. Every patient loses the same share, keeps at least one
        patch while there are as many patches as patients, and keeps its class proportion.
    random_state : int, RandomState instance or None, default=None
        Decides which patches `max_patches` keeps; an int for the same ones every time.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        data : ndarray of str objects, shape (n_patches,)
            Patch references, sorted by patient, x and y.
        target : ndarray of int64, shape (n_patches,)
            1 for IDC, 0 for non-IDC.
        target_names : ndarray of str, shape (2,)
            Names of the classes.
        groups : ndarray of str, shape (n_patches,)
            Patient ids.
        frame : pandas.DataFrame or None
            Columns patient, x and y (pixels, as in the file name), target, reference, height and
            width (pixels; 0 where the file's header cannot be read), odd_size (True where the
            patch is not 50x50: such patches are kept) and, with `splits_dir`, part ("" for
            patients in no list). None where pandas is not installed.
        part : ndarray of str, shape (n_patches,), or None
            With `splits_dir`, the part of the published split ("" for patients in no list).
        patients_absent : ndarray of str
            Patients of the case lists (of the parts in `split`) that are not on disk.
        patients_unlisted : ndarray of str
            Patients on disk that stand in no case list that was read; `split` leaves them out.
        DESCR : str
            The description of the data set.
    (data, target) : tuple of ndarray
        If `return_X_y`.

    Raises
    ------
    FileNotFoundError
        If `root` or a case list does not exist.
    ValueError
        If `root` holds no patch of the layout, a name contradicts its folder, a patient stands in
        two case lists, or nothing of the split is on disk.

    References
    ----------
    .. [1] Cruz-Roa et al., "Automatic detection of invasive ductal carcinoma in whole slide
       images with convolutional neural networks", SPIE Medical Imaging, 2014.
    .. [2] Janowczyk and Madabhushi, "Deep learning for digital pathology image analysis",
       Journal of Pathology Informatics 7:29, 2016.

    Examples
    --------
    >>> from skbreast.datasets import load_idc
    >>> idc = load_idc("IDC_regular_ps50_idx5", max_patches=1000)  # doctest: +SKIP
    >>> idc.data.shape, idc.groups.shape  # doctest: +SKIP
    ((1000,), (1000,))
    """
    parts = PARTS if split is None else check_split(split, PARTS)
    check_max_patches(max_patches)
    part_of = _read_parts(splits_dir, split, parts)
    columns = make_columns(_COLUMNS, _find_patches(check_folder(root)))
    absent, unlisted = set(part_of) - set(columns["patient"]), set()
    if splits_dir is not None:
        columns["part"] = np.array([part_of.get(p, "") for p in columns["patient"]], dtype=object)
        unlisted = set(columns["patient"][columns["part"] == ""])
    if split is not None:
        columns = _select(columns, split, parts, root)
        absent = {patient for patient in absent if part_of[patient] in parts}
    columns = thin_columns(
        columns, groups="patient", max_patches=max_patches, random_state=random_state
    )
    if has_pandas() and not return_X_y:
        columns |= _sizes(columns["reference"])
    return pack(
        columns,
        groups="patient",
        target_names=TARGET_NAMES,
        descr=load_descr("idc"),
        return_X_y=return_X_y,
        part=columns["part"].astype(str) if "part" in columns else None,
        patients_absent=np.array(sorted(absent), dtype=str),
        patients_unlisted=np.array(sorted(unlisted), dtype=str),
    )


def _find_patches(root):
    """Return sorted rows of ``_COLUMNS`` for `root`, or for the data set's folder inside it."""
    rows = _scan(root)
    if not rows and (root / ARCHIVE_NAME).is_dir():
        rows = _scan(root / ARCHIVE_NAME)
    if not rows:
        raise ValueError(
            f"root: no IDC patch <id>/<0 or 1>/<id>_idx5_x<X>_y<Y>_class<C>.png in {str(root)!r}, "
            f"which holds {describe_folder(root)}; give the folder {ARCHIVE_NAME}."
        )
    return sorted(rows)


def _scan(root):
    rows = []
    for patient_folder in subfolders(root):
        if patient_folder.name == ARCHIVE_NAME:
            continue
        for label in ("0", "1"):
            if (patient_folder / label).is_dir():
                rows += _scan_class(patient_folder.name, label, patient_folder / label)
    return rows


def _scan_class(patient, label, folder):
    rows = []
    with os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None or not entry.is_file():
                continue
            if (match["patient"], match["label"]) != (patient, label):
                raise ValueError(
                    f"{entry.path}: the name says patient {match['patient']}, class "
                    f"{match['label']}, the folder says patient {patient}, class {label}; move or "
                    "remove the file."
                )
            rows.append((patient, int(match["x"]), int(match["y"]), int(label), entry.path))
    return rows


def _read_parts(splits_dir, split, parts):
    """Map each patient of the case lists to its part; without `splits_dir` the map is empty."""
    if splits_dir is None:
        if split is None:
            return {}
        raise ValueError(
            f"split={split!r} needs splits_dir=, the folder of the published case lists "
            "idc_cases_train.txt, idc_cases_val.txt and idc_cases_test.txt."
        )
    folder = check_folder(splits_dir, name="splits_dir")
    part_of = {}
    for part in PARTS:
        path = folder / f"idc_cases_{part}.txt"
        if part in parts or path.is_file():
            _add_part(part_of, part, path)
    return part_of


def _add_part(part_of, part, path):
    for number, patient in read_lines(path):
        if re.fullmatch(r"[^\s_/\\]+", patient) is None:
            raise ValueError(f"{path}, line {number}: {patient!r} is no patient id.")
        if part_of.setdefault(patient, part) != part:
            raise ValueError(
                f"{path}, line {number}: patient {patient} stands in the list of "
                f"{part_of[patient]} too; a patient belongs to one part."
            )


def _select(columns, split, parts, root):
    chosen = np.isin(columns["part"].astype(str), parts)
    if not chosen.any():
        raise ValueError(
            f"split={split!r}: none of its patients is among the "
            f"{len(set(columns['patient']))} in {str(Path(root))!r}."
        )
    return {name: values[chosen] for name, values in columns.items()}


def _sizes(references):
    sizes = np.array([_size_or_zero(reference) for reference in references], dtype=np.int64)
    height, width = sizes.T
    odd_size = (height != PATCH_SIDE) | (width != PATCH_SIDE)
    return {"height": height, "width": width, "odd_size": odd_size}


def _size_or_zero(reference):
    # One broken file among 277,524 must not forbid the frame: reading that patch says why.
    try:
        return patch_size(reference)
    except (OSError, ValueError):
        return (0, 0)
