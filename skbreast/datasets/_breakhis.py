"""BreakHis (Spanhol 2016): read the published tree, its file names and its official folds."""

import re
import warnings
from pathlib import Path

import numpy as np

from skbreast._validation import check_choice
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
            name, reference and target. None where pandas is not installed.
        folds : list of (ndarray, ndarray), or None
            With `folds_dir`, the rows of train and test of the five folds, to hand to ``cv=``.
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
        a fold file cannot be understood, or a fold has no image on one side.

    Warns
    -----
    UserWarning
        If folds have a patient on both sides: official fold 1 does (14-13412).

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
    folds = None
    if folds_dir is not None and not return_X_y:
        folds = _read_folds(check_folder(folds_dir, name="folds_dir"), columns["name"])
        _warn_shared(folds, columns["patient"])
    return pack(
        columns,
        groups="patient",
        target_names=target_names,
        descr=load_descr("breakhis"),
        return_X_y=return_X_y,
        folds=folds,
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


def _warn_shared(folds, patients):
    found = []
    for fold, (train, test) in enumerate(folds, start=1):
        shared = sorted(set(patients[train]) & set(patients[test]))
        if shared:
            found.append(f"fold {fold}: {', '.join(shared)}")
    if found:
        warnings.warn(
            f"Folds have patients on both sides ({'; '.join(found)}), so their test scores are too "
            "good. Drop those rows, or split by groups, for instance with StratifiedGroupKFold.",
            UserWarning,
            stacklevel=3,
        )
