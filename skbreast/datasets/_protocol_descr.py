"""Say in one sentence how a data set was divided, and what to know beside its figures."""

from pathlib import Path

import numpy as np

from skbreast.datasets._breakhis import mark_copies, parse_name
from skbreast.datasets._folds import find_straddlers

__all__ = ["describe_protocol"]

_PUBLISHED = {"idc": 277_524, "breakhis": 7_909, "pcam": 327_680}
_PUBLISHED_BREAKHIS = {40: 1_995, 100: 2_081, 200: 2_013, 400: 1_820}
_OFFICIAL = {
    "idc": "Published IDC split",
    "breakhis": "Official BreakHis folds",
    "pcam": "Official PatchCamelyon parts",
    "folder": "Parts of the folder",
}


def describe_protocol(bunch, *, random_state, max_patches, split):
    """Return the sentence on a data set with its folds.

    Parameters
    ----------
    bunch : Bunch
        With `kind`, `protocol`, `folds` and `dropped_from_train`.
    random_state : int
        Seed of grouped folds.
    max_patches : int or None
        To how many patches the data were thinned.
    split : str, tuple of str or None
        To which parts grouped folds are confined.

    Returns
    -------
    str
        How the folds were made; patients and patches of either side; caveats.
    """
    names = [Path(each).name for each in bunch.data] if bunch.kind == "breakhis" else []
    magnifications = sorted({parse_name(name)[3] for name in names})
    official = bunch.protocol == "official"
    how = _tell_official(bunch) if official else _tell_grouped(bunch, random_state, split)
    if magnifications:
        how += f", {_tell_magnifications(magnifications)}"
    caveats = [
        *_tell_leaks(bunch),
        *_tell_retests(bunch.folds),
        *_tell_copies(names),
        *_tell_subset(bunch, magnifications, max_patches, split),
    ]
    return "; ".join([f"{how}: {_tell_sides(bunch)}", *caveats]) + "."


def _tell_official(bunch):
    name, n_folds = _OFFICIAL[bunch.kind], len(bunch.folds)
    if n_folds > 1:
        return f"{name} ({n_folds})"
    return f"{name} ({_tell_parts(bunch, 0)} against {_tell_parts(bunch, 1)})"


def _tell_parts(bunch, side):
    order = ("train", "val", "valid", "validation", "test")
    return " and ".join(sorted(set(bunch.part[bunch.folds[0][side]].tolist()), key=order.index))


def _tell_grouped(bunch, random_state, split):
    unit = "patch" if bunch.groups is None else _unit(bunch)
    parts = () if split is None else (split,) if isinstance(split, str) else split
    within = f" within {' and '.join(parts)}" if parts else ""
    of = _tell_side(bunch, [np.arange(len(bunch.data))])
    kind = f"{len(bunch.folds)} class-balanced, shuffled folds by {unit}"
    return f"{kind}{within} of {of}, seed {random_state}"


def _unit(bunch):
    return "slide" if bunch.kind == "pcam" else "patient"


def _tell_magnifications(magnifications):
    if len(magnifications) == 1:
        return f"magnification {magnifications[0]}"
    return f"magnifications {', '.join(map(str, magnifications))} pooled"


def _tell_sides(bunch):
    trained, tested = zip(*bunch.folds, strict=True)
    return f"trained on {_tell_side(bunch, trained)}, tested on {_tell_side(bunch, tested)}"


def _tell_side(bunch, sides):
    patches = _span([len(rows) for rows in sides], "patch", "patches")
    if bunch.groups is None:
        return patches
    n_patients = [len(np.unique(bunch.groups[rows])) for rows in sides]
    return f"{_span(n_patients, _unit(bunch), _unit(bunch) + 's')} ({patches})"


def _span(counts, one, several):
    low, high = min(counts), max(counts)
    numbers = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{numbers} {one if high == 1 else several}"


def _tell_leaks(bunch):
    """Say whether patients stand on both sides, or stood there, or may."""
    if bunch.groups is None:
        checked = "slide" if bunch.kind == "pcam" else "patient"
        if (bunch.kind, bunch.protocol) == ("pcam", "official"):
            return ["no slide ids to check it by, but its authors say the parts share no slide"]
        return [f"no {checked} ids, so figures may be inflated"]
    unit, dropped = _unit(bunch), _by_fold(bunch.dropped_from_train, _tell_dropped)
    straddlers = _by_fold(find_straddlers(bunch.folds, bunch.groups), ", ".join)
    if straddlers:
        return [f"{unit}s on both sides, so figures are too good ({straddlers})"]
    return [
        f"no {unit} on both sides",
        *([f"taken out of training because they are tested: {dropped}"] if dropped else []),
    ]


def _tell_dropped(dropped):
    return ", ".join(
        f"{patient} ({_span([count], 'patch', 'patches')})" for patient, count in dropped.items()
    )


def _by_fold(values, write):
    if len(values) == 1:
        return write(values[0]) if values[0] else ""
    told = (f"{write(each)} in fold {fold}" for fold, each in enumerate(values, start=1) if each)
    return ", ".join(told)


def _tell_retests(folds):
    tested = np.unique(np.concatenate([test for _, test in folds]), return_counts=True)[1]
    return [f"some are tested in up to {tested.max()} folds"] if tested.max() > 1 else []


def _tell_copies(names):
    n_copies = int(mark_copies(names).sum()) if names else 0
    if not n_copies:
        return []
    return [f"{n_copies} pictures stand there twice, under two types, and count twice"]


def _tell_subset(bunch, magnifications, max_patches, split):
    """Say how far what was loaded falls short of what was published."""
    absent = len(bunch.get("patients_absent", ()))
    n_patches, n_published = len(bunch.data), _PUBLISHED.get(bunch.kind, 0)
    if len(magnifications) == 1:
        n_published = _PUBLISHED_BREAKHIS[magnifications[0]]
    whole = split is None and (bunch.kind, bunch.protocol) != ("idc", "official")
    told = [f"{absent} of the listed patients are not on disk"] if absent else []
    unlisted = len(bunch.get("patients_unlisted", ())) if bunch.protocol == "official" else 0
    told += [f"{unlisted} patients on disk are in no list and left out"] if unlisted else []
    if whole and n_patches < n_published:
        told.append(f"{n_patches:,} of the {n_published:,} published patches")
    elif max_patches is not None and n_patches == max_patches:
        told.append(f"thinned to {n_patches:,} patches")
    return told
