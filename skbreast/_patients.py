"""Rows in the order of their patients: what patient-level figures and resampling stand on."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from skbreast._validation import check_groups, find_missing

__all__ = ["Patients", "by_patient", "check_labels", "shared_patients"]


LARGEST_LABEL = 2.0**53  # of floats; beyond, whole numbers are not told apart


class Patients(NamedTuple):
    """Rows sorted by patient: patient i owns ``order[starts[i] : starts[i] + counts[i]]``."""

    ids: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    order: np.ndarray
    starts: np.ndarray


def by_patient(groups, *, n_samples):
    groups = check_groups(groups, n_samples=n_samples)
    try:
        ids, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise ValueError(
            "groups mixes kinds of ids that cannot be sorted; give all ids as str."
        ) from error
    order = np.argsort(codes, kind="stable")
    return Patients(ids, codes, counts, order, np.cumsum(counts) - counts)


def check_labels(y, *, name):
    missing = find_missing(y)
    if len(missing):
        raise ValueError(
            f"{name} lacks {len(missing)} labels (first at row {missing[0]}); give every patch one."
        )
    y = column_or_1d(np.asarray(y))
    with np.errstate(over="ignore", invalid="ignore"):  # of the sum by which it looks for NaN
        assert_all_finite(y, input_name=name)
    if y.dtype.kind == "f" and np.abs(y).max(initial=0) > LARGEST_LABEL:
        raise ValueError(f"{name} must hold labels; {np.abs(y).max():g} is too large for one.")
    return y


def shared_patients(first, second):
    """Return the sorted ids that stand on both sides, as text.

    As text, since of one patient's ids one may have been read as a number.
    """
    return sorted({*map(str, first)} & {*map(str, second)})
