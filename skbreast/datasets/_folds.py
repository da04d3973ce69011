"""Folds: made by patient, or published ones mended where a patient stands on both sides."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import check_consistent_length

from skbreast._patients import check_labels, shared_patients
from skbreast._validation import check_groups, check_number

__all__ = ["find_straddlers", "make_folds", "repair_folds"]


def make_folds(X, y, groups=None, *, n_splits=5, random_state=0):
    """Return shuffled, class-balanced folds; patients stay whole where there are patient ids.

    Parameters
    ----------
    X : array-like of n_patches
        Patches; only their number counts.
    y : array-like of shape (n_patches,)
        Classes.
    groups : array-like of shape (n_patches,), optional
        Patient ids.
    n_splits : int, default=5
        Number of folds.
    random_state : int, default=0
        Seed of the shuffling.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test rows of each fold.

    Raises
    ------
    ValueError
        If there are fewer patients than folds, a training part lacks a class, lengths differ, or
        an argument is not one of those above.
    """
    check_number(n_splits, name="n_splits", low=2, integer=True)
    check_consistent_length(X, y)
    y = check_labels(y, name="y")
    if groups is not None:
        groups = check_groups(groups, n_samples=len(y))
    if groups is None:
        splitter = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
        return _check_folds(list(splitter.split(X, y)), y)
    n_patients = len(np.unique(groups))
    if n_patients < n_splits:
        raise ValueError(
            f"{n_splits} folds need at least {n_splits} patients; there are {n_patients}."
        )
    shuffled = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    folds = list(shuffled.split(X, y, groups))
    if _tell_lack(folds, y):  # scikit-learn 1.7 loses classes where it shuffles few patients
        folds = list(StratifiedGroupKFold(n_splits).split(X, y, groups))
    return _check_folds(folds, y)


def _check_folds(folds, y):
    lack = _tell_lack(folds, y)
    if lack:
        raise ValueError(f"{len(folds)} folds leave {lack}; ask for fewer folds.")
    return folds


def _tell_lack(folds, y):
    classes = np.unique(y)
    if any(len(np.unique(y[train])) < len(classes) for train, _ in folds):
        return "a training part without one of the classes, since too few patients have it"
    if any(len(test) == 0 for _, test in folds):
        return "a test part without patches, since few patients have most of them"
    return ""


def find_straddlers(folds, groups):
    """Return the sorted ids of the patients on both sides, a list for each fold.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.datasets._folds import find_straddlers
    >>> folds = [(np.array([0, 1]), np.array([2])), (np.array([0]), np.array([1]))]
    >>> find_straddlers(folds, np.array(["a", "b", "a"]))
    [['a'], []]
    """
    return [shared_patients(groups[train], groups[test]) for train, test in folds]


def repair_folds(folds, groups):
    """Take patients who are tested out of the training part of the same fold.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Training and test rows of each fold.
    groups : ndarray of shape (n_patches,)
        Patient ids.

    Returns
    -------
    repaired : list of (ndarray, ndarray)
        The same test rows, and the training rows of all other patients.
    dropped : list of dict of str to int
        For each fold, who was taken out, with how many patches.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.datasets._folds import repair_folds
    >>> repair_folds([(np.array([0, 1]), np.array([2]))], np.array(["a", "b", "a"]))
    ([(array([1]), array([2]))], [{'a': 1}])
    """
    repaired, dropped = [], []
    for train, test in folds:
        tested = np.isin(groups[train].astype(str), groups[test].astype(str))
        patients, counts = np.unique(groups[train][tested].astype(str), return_counts=True)
        repaired.append((train[~tested], test))
        dropped.append(dict(zip(patients.tolist(), counts.tolist(), strict=True)))
    return repaired, dropped
