"""A training and a test part that share no patient."""

import warnings

import numpy as np
from sklearn.model_selection import ShuffleSplit
from sklearn.utils import (
    _safe_indexing,
    check_consistent_length,
    check_random_state,
    indexable,
)

from skbreast._patients import by_patient, check_labels
from skbreast._validation import check_groups

__all__ = ["patient_train_test_split"]

_N_CANDIDATES = 1000  # a twentieth of a second for 200 patients; more candidates gain little


def patient_train_test_split(*arrays, groups, test_size=0.25, stratify=None, random_state=None):
    """Split arrays in a training and a test part so that no patient stands on both sides.

    The counterpart of :func:`sklearn.model_selection.train_test_split`.

    Parameters
    ----------
    *arrays : indexables of length n_patches
        Lists, arrays of any number of dimensions, patch references, or DataFrames.
    groups : array-like of shape (n_patches,)
        Patient ids. To have them split as well, pass them among `arrays` too.
    test_size : float or int, default=0.25
        The share of the patients that is tested on, between 0 and 1, or their number. (Shares of
        patches differ from it as patients have more or fewer patches.)
    stratify : array-like of shape (n_patches,), default=None
        Labels of the patches. Of 1,000 random splits of the patients the one is taken that gives
        the test part the same share of each class's patches, as far as whole patients allow;
        splits that leave every class on both sides come first.
    random_state : int, RandomState instance or None, default=None
        Seed of the split. Without `stratify` it is the split that
        :class:`sklearn.model_selection.GroupShuffleSplit` makes of the same seed.

    Returns
    -------
    list, length=2 * len(arrays)
        Training and test part of each array, as ``a_train, a_test, b_train, b_test``, in the
        order of the input.

    Raises
    ------
    ValueError
        If no arrays or no groups are given, lengths differ, a patient id or a label is missing,
        there are fewer than two patients, or `test_size` leaves a side without patients.

    Warns
    -----
    UserWarning
        If with `stratify` one side still lacks a class; it is named.

    See Also
    --------
    leakage_report : Audit a split that was made elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.model_selection import patient_train_test_split
    >>> X, y = np.arange(8), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> patients = np.repeat(["a", "b", "c", "d"], 2)
    >>> X_train, X_test, patients_train, patients_test = patient_train_test_split(
    ...     X, patients, groups=patients, test_size=0.5, stratify=y, random_state=0
    ... )
    >>> sorted(set(patients_train) & set(patients_test))
    []
    >>> len(X_train), len(X_test)
    (4, 4)
    """
    arrays, groups = _check_split(arrays, groups)
    patients = by_patient(groups, n_samples=len(groups))
    patient_ids, codes = patients.ids, patients.codes
    if len(patient_ids) < 2:
        raise ValueError("groups names one patient only; a split needs at least two.")
    random_state = check_random_state(random_state)
    if stratify is None:
        train, test = next(_splits(len(patient_ids), 1, test_size, random_state))
    else:
        candidates = _splits(len(patient_ids), _N_CANDIDATES, test_size, random_state)
        train, test = _most_balanced(candidates, stratify, codes)
    rows = [np.flatnonzero(np.isin(codes, side)) for side in (train, test)]
    return [_safe_indexing(array, side) for array in arrays for side in rows]


def _check_split(arrays, groups):
    if not arrays:
        raise ValueError("patient_train_test_split needs at least one array to split.")
    if groups is None:
        raise ValueError("groups is None: give the patient of each patch.")
    arrays = indexable(*arrays)
    first = arrays[0]
    n_samples = first.shape[0] if hasattr(first, "shape") else len(first)
    return arrays, check_groups(groups, n_samples=n_samples)


def _splits(n_patients, n_splits, test_size, random_state):
    splitter = ShuffleSplit(n_splits, test_size=test_size, random_state=random_state)
    try:
        yield from splitter.split(np.empty(n_patients))
    except ValueError as error:
        raise ValueError(
            f"test_size={test_size!r} cannot split {n_patients} patients: give a share between 0 "
            f"and 1, or a number of patients from 1 to {n_patients - 1}, that leaves both sides "
            "a patient."
        ) from error


def _most_balanced(candidates, stratify, codes):
    """Return the candidate whose test part has the most even share of all classes."""
    classes, class_counts = _class_counts(stratify, codes)
    n_of_class = class_counts.sum(axis=0)

    def cost(split):
        train, test = split
        share = class_counts[test].sum(axis=0) / n_of_class
        n_lacking = np.count_nonzero(share == 0) + np.count_nonzero(share == 1)
        target = len(test) / (len(train) + len(test))
        return n_lacking, np.abs(share - target).max()

    train, test = min(candidates, key=cost)
    for name, side in (("training", train), ("test", test)):
        lacking = classes[class_counts[side].sum(axis=0) == 0]
        if len(lacking):
            warnings.warn(
                f"The {name} part has no patch of class {', '.join(map(repr, lacking.tolist()))}: "
                "too few patients have it, or test_size is too one-sided.",
                UserWarning,
                stacklevel=3,
            )
    return train, test


def _class_counts(stratify, codes):
    """Return the classes and how many patches of each a patient has, (n_patients, n_classes)."""
    labels = check_labels(stratify, name="stratify")
    check_consistent_length(labels, codes)
    classes, label_codes = np.unique(labels, return_inverse=True)
    class_counts = np.zeros((codes.max() + 1, len(classes)))
    np.add.at(class_counts, (codes, label_codes), 1)
    return classes, class_counts
