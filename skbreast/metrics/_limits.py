"""What is checked of scores, weights, levels, and of numbers of resamples and of bins."""

from contextlib import contextmanager
from numbers import Number, Real

import numpy as np
from sklearn.utils import check_array

from skbreast._patients import check_labels as check_any_labels
from skbreast._validation import check_number, check_sample_weight

__all__ = [
    "MOST_CELLS",
    "check_bins",
    "check_floats",
    "check_labels",
    "check_level",
    "check_resampling",
    "check_weights",
]

MOST_RESAMPLES = 10_000_000
MOST_BINS = 10_000
LARGEST = float(np.finfo(np.float64).max)
MOST_CELLS = 2**27  # of float64 kept at a time: 1 GiB


def check_floats(values, *, name):
    """Return finite numbers as float64 of any shape, or raise a ValueError."""
    with within_float64(name):
        return check_array(values, dtype=np.float64, ensure_2d=False, input_name=name)


def check_labels(y, *, name):
    """Return labels as :func:`skbreast._patients.check_labels` does, numbers beyond float64 too."""
    with within_float64(name):
        return check_any_labels(y, name=name)


@contextmanager
def within_float64(name):
    """Silence sums that overflow in scikit-learn's checks, and name what no float64 can hold."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds a number too large for float64.") from error


def check_level(confidence_level):
    """Raise a ValueError if a level isn't between 0 and 1."""
    inside = isinstance(confidence_level, Real) and 0 < confidence_level < 1
    if not inside:
        raise ValueError(
            f"confidence_level must be a number above 0 and below 1; got {confidence_level!r}."
        )


def check_resampling(n_resamples, confidence_level):
    """Raise a ValueError if a number of resamples or a level is out of its range."""
    check_number(n_resamples, name="n_resamples", low=1, high=MOST_RESAMPLES, integer=True)
    check_level(confidence_level)


def check_bins(n_bins):
    """Raise a ValueError if a number of bins is out of its range."""
    check_number(n_bins, name="n_bins", low=1, high=MOST_BINS, integer=True)


def check_weights(sample_weight, *, n_samples):
    """Return weights relative to the largest, so that no sum of them is too large.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
        What came; one number is the weight of all.
    n_samples : int
        How many there have to be.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1], at least one of them 1.

    Raises
    ------
    ValueError
        If weights aren't finite, are negative, of another number, or all 0.
    """
    if isinstance(sample_weight, Number):
        check_number(sample_weight, name="sample_weight", low=0, high=LARGEST)
        sample_weight = np.full(n_samples, float(sample_weight))
    with within_float64("sample_weight"):
        weights = check_sample_weight(sample_weight, n_samples=n_samples).astype(np.float64)
    if not weights.any():
        raise ValueError("sample_weight adds up to 0; give some patches a weight.")
    return weights / weights.max()
