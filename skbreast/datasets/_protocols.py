"""Load a data set together with the folds of its published protocol, or of an honest one."""

import numpy as np

from skbreast._validation import check_choice, check_flag, check_number, name_some
from skbreast._warn import warn_user
from skbreast.datasets import _folder, _idc, _pcam
from skbreast.datasets._base import check_folder
from skbreast.datasets._folds import find_straddlers, make_folds, repair_folds
from skbreast.datasets._protocol_descr import describe_protocol
from skbreast.datasets._recognise import LOADERS, load_patches, recognise
from skbreast.exceptions import PatientLeakageWarning

__all__ = ["PROTOCOLS", "load_protocol", "make_folds"]

PROTOCOLS = ("auto", "official", "grouped")
# What each kind's official protocol takes from the user, and how the error asks for it.
_MEANS = {
    "idc": ("splits_dir", "the folder of the published case lists idc_cases_*.txt"),
    "breakhis": ("folds_dir", "the folder of the official folds dsfold1.txt to dsfold5.txt"),
}
_OWNERS = {"splits_dir": "idc", "folds_dir": "breakhis", "magnification": "breakhis"}


def load_protocol(
    root,
    protocol="auto",
    *,
    kind="auto",
    splits_dir=None,
    folds_dir=None,
    magnification=None,
    n_splits=5,
    random_state=0,
    repair_aliases=True,
    max_patches=None,
    **options,
):
    """Load a data set of any known layout, with the folds on which to evaluate.

    Parameters
    ----------
    root : str or path-like
        The folder.
    protocol : {"auto", "official", "grouped"}, default="auto"
        "official": IDC, the published split, and class folders, their part folders: trained on
        train and validation, tested on test (class folders without test: on validation).
        BreakHis: the five official folds, of one magnification or pooled. PatchCamelyon: trained
        on train and valid, tested on test.
        "grouped": shuffled, class-balanced folds that keep patients whole, over all
        magnifications and parts; without patient ids, folds of patches.
        "auto": official where `splits_dir`, `folds_dir` or the parts are there and no `split` is
        asked for, else grouped.
    kind : {"auto", "idc", "breakhis", "pcam", "folder"}, default="auto"
        The layout; "auto" recognises it.
    splits_dir : str or path-like, optional
        IDC: folder of the published case lists.
    folds_dir : str or path-like, optional
        BreakHis: folder of the official folds.
    magnification : {40, 100, 200, 400}, optional
        BreakHis: only images of this magnification; the published protocol takes one at a time.
    n_splits : int, default=5
        Number of grouped folds.
    random_state : int, default=0
        Seed of the grouped folds and of the thinning.
    repair_aliases : bool, default=True
        Whether patients on both sides of an official fold leave its training part. False: the
        folds as published, with a warning if patients are on both sides.
    max_patches : int, optional
        Thin the data to so many patches, evenly over patients.
    **options
        For the loader, such as ``classes=`` of BreakHis, ``groups_pattern=`` of class folders, or
        ``split=`` with grouped folds.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        What the loader returns, and:

        kind : str
            The layout.
        folds : list of (ndarray, ndarray)
            Training and test rows of each fold, to hand to ``cv=``.
        protocol : {"official", "grouped"}
            Which protocol it is.
        protocol_descr : str
            One sentence on how the folds were made, with the numbers of patients and patches of
            either side, and what is to be known beside the figures.
        dropped_from_train : list of dict of str to int
            For each fold, the patients that left its training part, with their numbers of patches.

    Raises
    ------
    FileNotFoundError
        If a folder or a file of it does not exist.
    ValueError
        If the protocol's means are missing, an argument is for another layout or out of range,
        the layout is broken, or a fold has an empty side or lacks a class in its training part.
    TypeError
        If an option is not one of the loader's.

    Warns
    -----
    PatientLeakageWarning
        With ``repair_aliases=False``, if patients stand on both sides of a fold.

    Examples
    --------
    >>> from skbreast.datasets import load_protocol
    >>> idc = load_protocol("IDC_regular_ps50_idx5", splits_dir="splits")  # doctest: +SKIP
    >>> idc.protocol, len(idc.folds)  # doctest: +SKIP
    ('official', 1)
    """
    check_choice(protocol, name="protocol", choices=PROTOCOLS)
    check_choice(kind, name="kind", choices=("auto", *LOADERS))
    check_number(n_splits, name="n_splits", low=2, integer=True)
    check_flag(repair_aliases, name="repair_aliases")
    if "return_X_y" in options:
        raise TypeError("load_protocol() takes no return_X_y: folds are rows of a Bunch.")
    root = check_folder(root)
    kind = recognise(root) if kind == "auto" else kind
    means = {"splits_dir": splits_dir, "folds_dir": folds_dir, "magnification": magnification}
    means = {name: value for name, value in means.items() if value is not None}
    _check_owners(means, kind)
    protocol = _choose(protocol, kind, root, means, options)
    options |= means | {"max_patches": max_patches, "random_state": random_state}
    if protocol == "official":
        bunch = _load_official(kind, root, options, repair_aliases)
    else:
        bunch = _load_grouped(kind, root, options, n_splits)
    _check_sides(bunch.folds, bunch.target, protocol)
    bunch.protocol = protocol
    bunch.protocol_descr = describe_protocol(
        bunch,
        random_state=random_state,
        max_patches=max_patches,
        split=options.get("split"),
    )
    return bunch


def find_published_parts(root, kind, *, splits_dir=None):
    """Return the names of the parts in which a data set was published, as far as they are there.

    Parameters
    ----------
    root : path-like
        The folder.
    kind : {"idc", "breakhis", "pcam", "folder"}
        Its layout.
    splits_dir : path-like, optional
        IDC: folder of the case lists, without which it has no parts.

    Returns
    -------
    tuple of str
        For ``split=`` of the loader; empty where there are none.
    """
    if kind == "idc":
        return _idc.PARTS if splits_dir is not None else ()
    if kind == "pcam":
        return tuple(_pcam.find_parts(check_folder(root)))
    return tuple(sorted(_folder.find_parts(check_folder(root)))) if kind == "folder" else ()


def _check_owners(means, kind):
    for name in means:
        if kind != _OWNERS[name]:
            raise ValueError(
                f"{name} is for data of the kind {_OWNERS[name]!r}; these are of the kind {kind!r}."
            )


def _choose(protocol, kind, root, means, options):
    """Settle "auto", and say what an official protocol lacks."""
    split, lacks = options.get("split"), _tell_lacking(kind, root, means)
    if protocol == "auto":
        protocol = "grouped" if lacks or split is not None else "official"
    if protocol == "official" and split is not None:
        raise ValueError(
            f"split={split!r} is for protocol='grouped'; the official protocol takes its own parts."
        )
    if protocol == "official" and lacks:
        raise ValueError(
            f"protocol='official' for data of the kind {kind!r} needs {lacks}; or take "
            "protocol='grouped'."
        )
    if protocol == "grouped" and "folds_dir" in means:
        raise ValueError(
            "folds_dir is for protocol='official'; leave it out of protocol='grouped'."
        )
    return protocol


def _tell_lacking(kind, root, means):
    """Name what the official protocol of a kind still needs; nothing if all is there."""
    if kind in _MEANS:
        name, what = _MEANS[kind]
        return "" if name in means else f"{name}=, {what}"
    if kind == "pcam":
        return "" if {"train", "test"} <= {*_pcam.find_parts(root)} else "the parts train and test"
    parts = _folder.find_parts(root)
    complete = "train" in parts and parts & {"validation", "test"}
    return "" if complete else "folders train and test, or train and validation"


def _load(kind, root, options):
    if kind != "folder":
        return load_patches(root, kind=kind, **options)
    bunch = _folder.load_folder(root, warn=False, **options)
    bunch.kind = kind
    return bunch


def _load_official(kind, root, options, repair_aliases):
    if kind == "breakhis":
        return _load(kind, root, {**options, "repair_aliases": repair_aliases})
    if kind != "folder":
        parts = _idc.PARTS if kind == "idc" else _pcam.find_parts(root)
        options = {**options, "split": parts}
    bunch = _load(kind, root, options)
    tested = "test" if kind != "folder" or "test" in bunch.part else "validation"
    bunch.folds = [
        tuple(np.flatnonzero(side) for side in (bunch.part != tested, bunch.part == tested))
    ]
    bunch.dropped_from_train = [{}]
    if bunch.groups is not None and repair_aliases:
        bunch.folds, bunch.dropped_from_train = repair_folds(bunch.folds, bunch.groups)
    elif bunch.groups is not None:
        _warn_shared(bunch, tested)
    return bunch


def _warn_shared(bunch, tested):
    (shared,) = find_straddlers(bunch.folds, bunch.groups)
    if shared:
        n_tested = len(set(bunch.groups[bunch.part == tested]))
        warn_user(
            f"{len(shared)} of the {n_tested} patients of the part {tested} are trained on as well "
            f"({name_some(shared, write=str)}), so its scores are too good. Leave "
            "repair_aliases=True, or take protocol='grouped'.",
            PatientLeakageWarning,
        )


def _load_grouped(kind, root, options, n_splits):
    if kind == "pcam":
        options = {"split": _pcam.find_parts(root) or "train", **options}
    bunch = _load(kind, root, options)
    bunch.folds = make_folds(
        bunch.data,
        bunch.target,
        bunch.groups,
        n_splits=n_splits,
        random_state=options["random_state"],
    )
    bunch.dropped_from_train = [{} for _ in bunch.folds]
    return bunch


def _check_sides(folds, target, protocol):
    used = np.unique(np.concatenate([rows for fold in folds for rows in fold]))
    classes = np.unique(target[used])
    for number, (train, test) in enumerate(folds, start=1):
        lacks = "no patches to test on" if len(test) == 0 else ""
        if len(np.unique(target[train])) < len(classes):
            lacks = "not every class to train on" if len(train) else "no patches to train on"
        if lacks:
            raise ValueError(
                f"protocol={protocol!r}: fold {number} has {lacks}; load more of the data set, or "
                "take protocol='grouped'."
            )
