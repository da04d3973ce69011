"""Two models on the same patients: is one better, and by how much."""

from dataclasses import dataclass

import numpy as np

from skbreast._validation import check_choice
from skbreast.metrics._contrasts import called_contrasts, named_contrasts
from skbreast.metrics._limits import check_resampling
from skbreast.metrics._resampling import (
    UndefinedIntervalError,
    check_resampled,
    percentile_interval,
    strata_of,
)

__all__ = ["PairedDifference", "compare_models"]

_ROUNDING = 1e-12  # differences that are equal on paper may differ by so much


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference of two models on the same patients, from :func:`compare_models`.

    Attributes
    ----------
    difference : float
        The metric of the first model less that of the second.
    low, high : float or None
        The ends of its bootstrap interval; None for a permutation test, which has none.
    p_value : float
        Chance of a difference as large if the models did not differ, in (0, 1].
    n_patients : int
        How many patients were resampled, or had their outputs exchanged.
    n_resamples : int
        How many resamples or permutations there were.
    n_undefined : int
        How many of them the metric could not judge.
    method : str
        Where interval and p-value are from: "bootstrap", "permutation", or what the caller made
        of both.
    confidence_level : float
        Of the interval, in (0, 1).
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float
    n_patients: int
    n_resamples: int
    n_undefined: int
    method: str
    confidence_level: float = 0.95

    def __str__(self):
        text = f"{self.difference:+.3f}"
        if self.low is not None:
            text += f" [{self.low:+.3f}, {self.high:+.3f}]"
        text += f", p = {self.p_value:.2g} ({self.method}, {self.n_patients} patients"
        if self.n_undefined:
            text += f", {self.n_undefined} of {self.n_resamples} resamples undefined"
        return text + ")"


def compare_models(
    metric,
    y_true,
    first,
    second,
    *,
    groups,
    method="bootstrap",
    folds=None,
    stratify=None,
    n_resamples=2000,
    confidence_level=0.95,
    random_state=None,
):
    """Return by how much a metric of two models differs on the same patients.

    Models tested on the same patients find the same patients hard, so their difference is known
    far better than either figure: two intervals that overlap say little.

    Parameters
    ----------
    metric : str or callable
        As in :func:`patient_bootstrap`; a callable takes `y_true` and one model's output.
    y_true : array-like of shape (n_patches,)
        Labels.
    first, second : array-like of shape (n_patches,) or (n_patches, n_classes)
        What the two models said of the same patches: labels or scores, as the metric takes them.
    groups : array-like of shape (n_patches,)
        Patient ids.
    method : {"bootstrap", "permutation"}, default="bootstrap"
        "bootstrap" draws patients with replacement, the same for both models, and gives an
        interval and a p-value. "permutation" exchanges the two models' outputs of whole patients
        at random, and gives a p-value only.
    folds : array-like of shape (n_patches,), default=None
        The figures are then means over folds, as in :func:`patient_bootstrap`.
    stratify : array-like of shape (n_patches,), default=None
        As in :func:`patient_bootstrap`. It has no bearing on a permutation, in which every
        patient is present once.
    n_resamples : int, default=2000
        How many resamples are drawn, or permutations, up to ten million.
    confidence_level : float, default=0.95
        Of the bootstrap interval, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    PairedDifference
        The first model's figure less the second's, and how sure it is.

    Raises
    ------
    ValueError
        As in :func:`patient_bootstrap`; or there is no such method.

    Notes
    -----
    The bootstrap's p-value is that of the interval turned round: twice the share of resamples on
    the other side of 0 [1]_. The permutation's is the share of permutations whose difference is
    at least as large, of either sign. In both, the data themselves count as one resample, so no
    p-value is 0 [2]_.

    The permutation test asks whether the two outputs of a patient could stand in for each other.
    Its p-value is exact for that question, however few patients there are. Outputs that are
    exchanged must be on one scale. For "roc_auc" and "patient_auc" scores are therefore made
    ranks (within model and fold) first [3]_; for a callable that takes scores do the same where
    the models' scales differ.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
    .. [2] B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical
       Applications in Genetics and Molecular Biology 9(1), 39, 2010.
    .. [3] E. S. Venkatraman, C. B. Begg, "A distribution-free procedure for comparing receiver
       operating characteristic curves from a paired experiment", Biometrika 83(4), 835-848, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.metrics import compare_models
    >>> patients, y_true = np.repeat(np.arange(20), 5), np.tile([0, 1, 1, 0, 1], 20)
    >>> good, poor = y_true.copy(), y_true.copy()
    >>> good[::20], poor[::3] = 1, 0
    >>> print(compare_models(
    ...     "accuracy", y_true, good, poor, groups=patients, n_resamples=500, random_state=0,
    ... ))
    +0.150 [+0.060, +0.230], p = 0.004 (bootstrap, 20 patients)
    """
    check_choice(method, name="method", choices=("bootstrap", "permutation"))
    check_resampling(n_resamples, confidence_level)
    arrays, patients, folds = check_resampled([y_true, first, second], groups, folds)
    n_patients = len(patients.ids)
    contrasts = named_contrasts if isinstance(metric, str) else called_contrasts
    difference, by_draws, by_exchanges = contrasts(metric, arrays, patients, folds)
    if not np.isfinite(difference):
        raise UndefinedIntervalError(
            f"metric differs by {difference} on the data themselves; there is nothing to compare."
        )
    if method == "bootstrap":
        values = by_draws(strata_of(stratify, patients), n_resamples, random_state)
        low, high, n_undefined = percentile_interval(values, confidence_level)
        p_value = _p_of_signs(values)
    else:
        values = by_exchanges(n_resamples, random_state)
        low = high = None
        n_undefined = percentile_interval(values, confidence_level)[2]
        p_value = _p_of_sizes(values, difference)
    return PairedDifference(
        difference, low, high, p_value, n_patients, n_resamples, n_undefined, method,
        confidence_level,
    )  # fmt: skip


def _p_of_signs(values):
    values = values[np.isfinite(values)]
    least = min(np.sum(values <= _ROUNDING), np.sum(values >= -_ROUNDING))
    return float(min(1, 2 * (least + 1) / (len(values) + 1)))


def _p_of_sizes(values, difference):
    values = values[np.isfinite(values)]
    as_large = np.sum(np.abs(values) >= abs(difference) - _ROUNDING)
    return float((as_large + 1) / (len(values) + 1))
