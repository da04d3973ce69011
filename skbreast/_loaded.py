"""Whose patches were loaded: lets a fit without `groups` know that the loader had them."""

import weakref
from dataclasses import dataclass

import numpy as np

from skbreast._validation import is_references

__all__ = ["find_patients", "note_told", "remember_patients", "was_told"]


@dataclass
class _Loaded:
    data: weakref.ref
    groups: np.ndarray
    told: bool = False
    patients: dict | None = None

    def by_reference(self, data):
        """Return the patient of each reference; made when it is first asked for."""
        if self.patients is None:
            self.patients = dict(zip(data, self.groups, strict=True))
        return self.patients


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


def was_told(X):
    """Tell whether somebody was told of the patients of the data set that `X` comes from."""
    return _find(X)[0].told


def note_told(X):
    """Note that somebody was told of the patients of the data set that `X` comes from."""
    _find(X)[0].told = True


def _find(X):
    for entry in reversed(list(_loaded.values())):
        data = entry.data()
        if data is X:
            return entry, entry.groups
        if data is not None and data.ndim == 1 and is_references(X):
            patients = entry.by_reference(data)
            if all(each in patients for each in X):
                return entry, np.array([patients[each] for each in X])
    return None, None
