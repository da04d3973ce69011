"""Splits as users have them, brought to one form: folds, each of named parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from skbreast._validation import find_missing

__all__ = ["Fold", "read_split"]

SIDES = ("train", "test")


@dataclass(frozen=True)
class Fold:
    """Parts of one split.

    Attributes
    ----------
    name : str
        "" for the only one, else "fold 1" and so on.
    parts : dict of str to ndarray of int
        Rows of each part.
    """

    name: str
    parts: dict

    def pairs(self):
        """Yield ``(title, rows of one part, rows of another)``, the training part first."""
        for one, other in combinations(self.parts, 2):
            yield self.title(one, other), self.parts[one], self.parts[other]

    def title(self, one, other):
        """Name two parts, such as "fold 2, train/test"."""
        return f"{self.name}, {one}/{other}" if self.name else f"{one}/{other}"


def read_split(split, *, n_patches, y=None, groups=None):
    """Bring a split to a list of folds.

    Parameters
    ----------
    split : None, array-like, mapping, iterable or splitter
        As :func:`skbreast.model_selection.audit_patches` takes it.
    n_patches : int
        Rows are counted from 0 to below it.
    y, groups : array-like, optional
        For a splitter.

    Returns
    -------
    list of Fold

    Raises
    ------
    ValueError
        If it is none of these, a row does not exist, or a part is empty.
    """
    if split is None:
        return []
    if isinstance(split, Mapping):
        return [_make_fold("", split.items(), n_patches)]
    if callable(getattr(split, "split", None)) and not isinstance(split, str):
        split = split.split(np.zeros(n_patches), y, groups)
    split = _as_list(split)
    names = _part_names(split, n_patches)
    if names is not None:
        return [_make_fold("", names.items(), n_patches)]
    if _is_pair(split):
        return [_make_fold("", zip(SIDES, split, strict=True), n_patches)]
    folds = []
    for number, fold in enumerate(split, start=1):
        if not _is_pair(fold):
            raise ValueError(f"split: entry {number} of {len(split)} is no pair {_EXPECTED}.")
        folds.append(_make_fold(f"fold {number}", zip(SIDES, fold, strict=True), n_patches))
    return folds


_EXPECTED = "of training and test rows; give (train, test), a list of such pairs, or part names"


def _as_list(split):
    if isinstance(split, str | bytes) or not hasattr(split, "__iter__"):
        raise ValueError(f"split must be rows {_EXPECTED}; got {split!r}.")
    entries = list(split)
    if not entries:
        raise ValueError(f"split is empty; it must be rows {_EXPECTED}.")
    return entries


def _part_names(entries, n_patches):
    """Map part names to rows if there is a name a patch, else return None."""
    if not all(isinstance(each, str | bool | np.bool_ | int | np.integer) or _no_name(each)
               for each in entries):  # fmt: skip
        return None
    if len(entries) != n_patches:
        raise ValueError(f"split names the part of {len(entries)} patches; X has {n_patches}.")
    parts = {}
    for row, name in enumerate(entries):
        if not _no_name(name) and name != "":
            parts.setdefault(str(name), []).append(row)
    if len(parts) < 2:
        raise ValueError(f"split names {len(parts)} part(s), {list(parts)}; at least 2 are needed.")
    return dict(sorted(parts.items(), key=lambda part: _part_order(part[0])))


def _part_order(name):
    starts = ("train", "val", "test")
    known = [number for number, start in enumerate(starts) if name.lower().startswith(start)]
    return (*known, len(starts))[0]


def _no_name(value):
    scalar = value is None or not hasattr(value, "__len__")
    return scalar and len(find_missing([value])) == 1


def _is_pair(fold):
    if not isinstance(fold, tuple | list | np.ndarray) or len(fold) != 2:
        return False
    return all(hasattr(side, "__len__") and not isinstance(side, str) and _is_flat(side)
               for side in fold)  # fmt: skip


def _is_flat(side):
    return not any(hasattr(each, "__len__") for each in side)


def _make_fold(name, parts, n_patches):
    title = f" of {name}" if name else ""
    rows = {
        str(part): _check_rows(rows, f"split: part {part!r}{title}", n_patches)
        for part, rows in parts
    }
    if len(rows) < 2:
        raise ValueError(f"split has {len(rows)} part(s), {list(rows)}; at least 2 are needed.")
    return Fold(name, rows)


def _check_rows(rows, name, n_patches):
    rows = np.asarray(rows)
    if rows.ndim != 1 or len(rows) == 0:
        raise ValueError(f"{name} must be row numbers, at least one; got shape {rows.shape}.")
    if rows.dtype.kind == "b" and len(rows) == n_patches:
        if not rows.any():
            raise ValueError(f"{name} has no patch.")
        return np.flatnonzero(rows)
    if rows.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers or a mask of {n_patches}; got {rows.dtype}.")
    if rows.min() < 0 or rows.max() >= n_patches:
        wrong = rows[(rows < 0) | (rows >= n_patches)][0]
        raise ValueError(f"{name} names row {wrong}; rows go from 0 to {n_patches - 1}.")
    return np.unique(rows).astype(int)
