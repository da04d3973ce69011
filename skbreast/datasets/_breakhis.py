"""BreakHis (Spanhol 2016): read the published tree, its file names and its official folds."""

import re
from pathlib import Path

import numpy as np

from skbreast._validation import check_choice, check_flag, name_some
from skbreast._warn import warn_user
from skbreast.datasets._base import (
    check_folder,
    check_max_patches,
    describe_folder,
    load_descr,
    make_columns,
    pack,
    read_lines,
    thin_columns,
    walk_files,
)
from skbreast.datasets._folds import find_straddlers, repair_folds
from skbreast.exceptions import PatientLeakageWarning

MAGNIFICATIONS = (40, 100, 200, 400)
CLASSES = {"B": "benign", "M": "malignant"}
# Published abbreviation: class of the file name. Benign types first, as in the paper.
SUBTYPES = {"A": "B", "F": "B", "PT": "B", "TA": "B", "DC": "M", "LC": "M", "MC": "M", "PC": "M"}
N_FOLDS = 5
_COLUMNS = (
    "patient",
    "slide",
    "subtype",
    "magnification",
    "sequence",
    "class",
    "name",
    "reference",
)
_NAME = re.compile(
    r"SOB_(?P<letter>[BM])_(?P<subtype>[A-Z]{1,2})-(?P<year>[0-9]{2})-(?P<case>[0-9]+)"
    r"(?P<block>[A-Z]*)-(?P<magnification>40|100|200|400)-(?P<sequence>[0-9]{1,6})\.png"
)


def load_breakhis(
    root,
    *,
    magnification=None,
    classes="binary",
    folds_dir=None,
    repair_aliases=True,
    max_patches=None,
    random_state=None,
    return_X_y=False,
):
    """Load the BreakHis images of benign and malignant breast tumours [1]_.

    Reads every ``SOB_<B|M>_<type>-<year>-<slide id>-<magnification>-<sequence>.png`` below
    `root`. A name that stands at several places is counted once (the place nearest to `root`).
    No pixel is read.

    Parameters
    ----------
    root : str or path-like
        The folder ``BreaKHis_v1``, or any folder above or below it.
    magnification : {40, 100, 200, 400}, optional
        Only the images of this magnification. The published protocol takes one at a time.
    classes : {"binary", "subtype"}, default="binary"
        "binary": 0 benign, 1 malignant. "subtype": the eight types A, F, PT, TA (benign) and
        DC, LC, MC, PC (malignant), numbered in this order even where some are not on disk.
    folds_dir : str or path-like, optional
        Folder of the official folds ``dsfold1.txt`` to ``dsfold5.txt``, lines
        ``name|magnification|fold|train or test``. Listed images that were not loaded are skipped.
    repair_aliases : bool, default=True
        Whether a case that stands on both sides of an official fold leaves its training part (the
        test part stays as published); `dropped_from_train` says who did. False: the folds as
        published, with a warning.
    max_patches : int, optional
        Keep at most so many images. Every patient loses the same share, keeps at least one
        image while there are as many images as patients, and keeps its class proportion.
    random_state : int, RandomState instance or None, default=None
        Decides which images `max_patches` keeps; an int for the same ones every time.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        data : ndarray of str objects, shape (n_patches,)
            Patch references, sorted by patient, slide, type, magnification and sequence.
        target : ndarray of int64, shape (n_patches,)
            Place of the class in `target_names`.
        target_names : ndarray of str, shape (2,) or (8,)
            Names of the classes.
        groups : ndarray of str, shape (n_patches,)
            Cases, ``<year>-<digits of the slide id>``: 14-22549AB and 14-22549CD are one case,
            and so is slide 14-13412, which the data set holds both as DC and as LC.
        frame : pandas.DataFrame or None
            Columns patient, slide, subtype, magnification (nominal, times), sequence, class,
            name, reference, target and is_copy (True where a picture of the same slide,
            magnification and sequence stands there under another type already: it is kept, and
            counts twice). None where pandas is not installed.
        folds : list of (ndarray, ndarray), or None
            With `folds_dir`, the rows of train and test of the five folds, to hand to ``cv=``.
        dropped_from_train : list of dict of str to int, or None
            With `folds_dir`, for each fold the cases that `repair_aliases` took out of training,
            with their numbers of images.
        DESCR : str
            The description of the data set.
    (data, target) : tuple of ndarray
        If `return_X_y`; `folds_dir` is then not read.

    Raises
    ------
    FileNotFoundError
        If `root`, `folds_dir` or one of the five fold files does not exist.
    ValueError
        If no image of the data set or of the magnification is found, a ``SOB_*.png`` or a line of
        a fold file cannot be understood, or a fold has no image on one side (after the repair:
        none of a case that is not tested).

    Warns
    -----
    PatientLeakageWarning
        With ``repair_aliases=False``, if folds have a case on both sides: official fold 1 does
        (14-13412).

    References
    ----------
    .. [1] Spanhol, Oliveira, Petitjean and Heutte, "A dataset for breast cancer
       histopathological image classification", IEEE Transactions on Biomedical Engineering
       63(7):1455-1462, 2016.

    Examples
    --------
    >>> from skbreast.datasets import load_breakhis
    >>> breakhis = load_breakhis("BreaKHis_v1", magnification=200)  # doctest: +SKIP
    >>> breakhis.target_names  # doctest: +SKIP
    array(['benign', 'malignant'], dtype='<U9')
    """
    check_choice(magnification, name="magnification", choices=(None, *MAGNIFICATIONS))
    check_choice(classes, name="classes", choices=("binary", "subtype"))
    check_flag(repair_aliases, name="repair_aliases")
    check_max_patches(max_patches)
    columns = make_columns(_COLUMNS, _find_images(check_folder(root), magnification))
    column, target_names = {
        "binary": ("class", tuple(CLASSES.values())),
        "subtype": ("subtype", tuple(SUBTYPES)),
    }[classes]
    columns["target"] = np.array([target_names.index(name) for name in columns[column]])
    columns = thin_columns(
        columns, groups="patient", max_patches=max_patches, random_state=random_state
    )
    columns["is_copy"] = mark_copies(columns["name"])
    folds = dropped = None
    if folds_dir is not None and not return_X_y:
        folds = _read_folds(check_folder(folds_dir, name="folds_dir"), columns["name"])
        folds, dropped = _keep_apart(folds, columns["patient"], repair_aliases)
    return pack(
        columns,
        groups="patient",
        target_names=target_names,
        descr=load_descr("breakhis"),
        return_X_y=return_X_y,
        folds=folds,
        dropped_from_train=dropped,
    )


def parse_name(name):
    """Split a BreakHis file name into the values of its columns, or return None.

    Parameters
    ----------
    name : str
        File name without folders.

    Returns
    -------
    tuple or None
        Patient, slide, subtype, magnification, sequence and class; None for any other name.

    Examples
    --------
    >>> from skbreast.datasets._breakhis import parse_name
    >>> parse_name("SOB_B_A-14-22549AB-100-001.png")
    ('14-22549', '14-22549AB', 'A', 100, 1, 'benign')
    """
    match = _NAME.fullmatch(name)
    if match is None or SUBTYPES.get(match["subtype"]) != match["letter"]:
        return None
    patient = f"{match['year']}-{match['case']}"
    magnification, sequence = int(match["magnification"]), int(match["sequence"])
    slide = patient + match["block"]
    return patient, slide, match["subtype"], magnification, sequence, CLASSES[match["letter"]]


def mark_copies(names):
    """Tell which images are there already, under another type of tumour.

    Slide 14-13412 was published as DC and as LC, with the same pictures under the same numbers.

    Parameters
    ----------
    names : sequence of str
        File names of BreakHis.

    Returns
    -------
    ndarray of bool, shape (n_images,)
        False for the first of its slide, magnification and sequence.

    Examples
    --------
    >>> from skbreast.datasets._breakhis import mark_copies
    >>> mark_copies(["SOB_M_DC-14-13412-100-001.png", "SOB_M_LC-14-13412-100-001.png"])
    array([False,  True])
    """
    pictures = [
        (slide, magnification, sequence)
        for _, slide, _, magnification, sequence, _ in map(parse_name, names)
    ]
    first = {picture: row for row, picture in reversed(list(enumerate(pictures)))}
    return np.array([first[picture] != row for row, picture in enumerate(pictures)])


def _find_images(root, magnification):
    paths = [Path(file) for file in walk_files(root)]
    named = {}
    for path in sorted(paths, key=lambda path: len(path.parts)):
        if path.name.startswith("SOB_") and path.suffix.lower() == ".png":
            named.setdefault(path.name, path)
    if not named:
        raise ValueError(
            f"root: no BreakHis image SOB_*.png below {str(root)!r}, which holds "
            f"{describe_folder(root)}; give the folder BreaKHis_v1."
        )
    rows = sorted((*_parse_or_raise(path), name, str(path)) for name, path in named.items())
    found = sorted({row[3] for row in rows})
    if magnification is not None and magnification not in found:
        raise ValueError(
            f"magnification={magnification}: below {str(root)!r} there are only images of "
            f"{', '.join(map(str, found))}."
        )
    return [row for row in rows if magnification in (None, row[3])]


def _parse_or_raise(path):
    parsed = parse_name(path.name)
    if parsed is None:
        raise ValueError(
            f"{path}: the name is not SOB_<B|M>_<type>-<year>-<slide id>-<magnification>-"
            "<sequence>.png of BreakHis, so its class and patient are unknown; rename or remove "
            "the file."
        )
    return parsed


def _read_folds(folder, names):
    """Return (train rows, test rows) of the five official folds, restricted to `names`."""
    folds = []
    for fold in range(1, N_FOLDS + 1):
        path = folder / f"dsfold{fold}.txt"
        part_of = _read_fold(path, fold)
        parts = np.array([part_of.get(name, "") for name in names])
        sides = tuple(np.flatnonzero(parts == part) for part in ("train", "test"))
        for part, rows in zip(("train", "test"), sides, strict=True):
            if len(rows) == 0:
                raise ValueError(
                    f"{path}: none of the {len(names)} loaded images is in the {part} part of "
                    f"fold {fold}; load more of the data set, or leave folds_dir out."
                )
        folds.append(sides)
    return folds


def _read_fold(path, fold):
    """Map the image names of one fold file to "train" or "test"."""
    part_of = {}
    for number, line in read_lines(path):
        name, magnification, *rest = [*line.split("|"), ""]
        parsed = parse_name(name)
        well_formed = (
            parsed is not None
            and magnification == str(parsed[3])
            and rest in ([str(fold), "train", ""], [str(fold), "test", ""])
        )
        if not well_formed:
            raise ValueError(
                f"{path}, line {number}: {line!r} is not <image name>|<its magnification>|{fold}|"
                "<train or test>."
            )
        if part_of.setdefault(name, rest[1]) != rest[1]:
            raise ValueError(f"{path}, line {number}: {name} stands in train and in test.")
    return part_of


def _keep_apart(folds, patients, repair_aliases):
    """Return the folds, mended or with a warning, and who left the training part of each."""
    if not repair_aliases:
        _warn_shared(folds, patients)
        return folds, [{} for _ in folds]
    folds, dropped = repair_folds(folds, patients)
    for fold, (train, _) in enumerate(folds, start=1):
        if len(train) == 0:
            raise ValueError(
                f"folds_dir: all loaded training images of fold {fold} are of cases that are "
                f"tested in it ({name_some(list(dropped[fold - 1]), write=str)}); load more of the "
                "data set, or leave folds_dir out."
            )
    return folds, dropped


def _warn_shared(folds, patients):
    straddlers = find_straddlers(folds, patients)
    cases = sorted(set().union(*straddlers))
    if cases:
        found = "; ".join(
            f"fold {fold}: {', '.join(shared)}"
            for fold, shared in enumerate(straddlers, start=1)
            if shared
        )
        warn_user(
            f"Of the official folds, {sum(map(bool, straddlers))} of {len(folds)} have "
            f"{len(cases)} of {len(set(patients))} patients on both sides ({found}), so their test "
            "scores are too good. Leave repair_aliases=True, or split by groups, for instance "
            "with StratifiedGroupKFold.",
            PatientLeakageWarning,
        )
