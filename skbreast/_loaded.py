"""Whose patches were loaded: lets a fit without `groups` know that the loader had them."""

import weakref
from dataclasses import dataclass

import numpy as np

from skbreast._validation import is_references

__all__ = ["find_patients", "remember_patients", "told_of_patients"]


@dataclass
class _Loaded:
    data: weakref.ref
    groups: np.ndarray
    told: bool = False


_loaded = {}


def remember_patients(data, groups):
    """Note the patients of a data set for as long as somebody holds its data.

    Parameters
    ----------
    data : ndarray
        Patch references or pixels, as a loader returns them.
    groups : ndarray of shape (n_patches,) or None
        Patient ids; with None nothing is noted.
    """
    if groups is not None:
        key = id(data)
        _loaded[key] = _Loaded(weakref.ref(data, lambda _: _loaded.pop(key, None)), groups)


def find_patients(X):
    """Return the patients of patches that a loader of this process gave out.

    Parameters
    ----------
    X : array-like
        Any part of loaded references in any order, or the whole of a loaded 4-D array (a part of
        it is a copy, which nobody can recognise).

    Returns
    -------
    ndarray of shape (n_patches,) or None
        Patient ids; None where they are not known, be it of a single patch.
    """
    return _find(X)[1]


def told_of_patients(X):
    """Tell whether this was asked before of the data set that `X` comes from."""
    entry, _ = _find(X)
    told, entry.told = entry.told, True
    return told


def _find(X):
    for entry in reversed(list(_loaded.values())):
        data = entry.data()
        if data is X:
            return entry, entry.groups
        if data is not None and data.ndim == 1 and is_references(X):
            patients = dict(zip(data, entry.groups, strict=True))
            if all(each in patients for each in X):
                return entry, np.array([patients[each] for each in X])
    return None, None
