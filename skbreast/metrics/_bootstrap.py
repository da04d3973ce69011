"""Bootstrap intervals that resample patients, each with all its patches."""

from dataclasses import dataclass

import numpy as np

from skbreast._validation import check_choice
from skbreast.metrics._called_metrics import bind_metric, defined_or_nan
from skbreast.metrics._limits import check_resampling
from skbreast.metrics._resampled_metrics import block_size, evaluate_by_counts, prepare
from skbreast.metrics._resampling import (
    UndefinedIntervalError,
    check_resampled,
    count_draws,
    draw_patients,
    least_patients,
    logit_interval,
    percentile_interval,
    rows_of,
    strata_of,
)

__all__ = ["BootstrapInterval", "UndefinedIntervalError", "patient_bootstrap"]


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """A figure with its bootstrap interval, from :func:`patient_bootstrap`.

    Attributes
    ----------
    estimate : float
        The metric on the data as they are.
    low, high : float
        The ends of the interval.
    confidence_level : float
        The share of resamples within the interval, in (0, 1).
    n_patients : int
        How many patients were resampled.
    n_resamples : int
        How many resamples were drawn.
    n_undefined : int
        How many of them the metric could not judge; the interval rests on the others.
    """

    estimate: float
    low: float
    high: float
    confidence_level: float
    n_patients: int
    n_resamples: int
    n_undefined: int

    def __str__(self):
        text = f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"
        if self.n_undefined:
            text += f" ({self.n_undefined} of {self.n_resamples} resamples undefined)"
        return text


def patient_bootstrap(
    metric,
    *arrays,
    groups,
    folds=None,
    n_resamples=2000,
    confidence_level=0.95,
    stratify=None,
    interval="percentile",
    random_state=None,
):
    """Return a metric on patches with an interval that counts patients, not patches.

    Patches of one patient resemble each other, so an interval that takes them as independent is
    too narrow. Here patients are drawn with replacement, each with all its patches [2]_, and the
    interval follows from the metric over such resamples [1]_.

    Parameters
    ----------
    metric : str or callable
        "roc_auc", "accuracy", "balanced_accuracy", "f1", "f1_macro", "sensitivity",
        "specificity", "brier_score", "patient_recognition_rate" or "patient_auc": all resamples
        are then computed together. See the notes for what each takes and means.

        A callable is called as ``metric(*arrays)`` for each resample and returns one number; for
        instance :func:`sklearn.metrics.average_precision_score`. If it has a parameter named
        ``groups`` it is called as ``metric(*arrays, groups=ids)``, where a patient drawn twice
        has two ids: so :func:`patient_recognition_rate` works as it is.
    *arrays : array-likes of length n_patches
        What the metric takes, such as ``y_true, y_score``; each of one or more dimensions.
    groups : array-like of shape (n_patches,)
        Patient ids. ``numpy.arange(n_patches)`` says that every patch is its own patient.
    folds : array-like of shape (n_patches,), default=None
        Which of several models judged the patch, as in cross-validation. The figure is then the
        mean over folds of the metric within the fold, without folds in which it is undefined:
        scores of different models are never compared.
    n_resamples : int, default=2000
        How many resamples are drawn, up to ten million.
    confidence_level : float, default=0.95
        Between 0 and 1.
    stratify : array-like of shape (n_patches,), default=None
        Labels of the patches. Patients are then drawn within strata: the patients of one label
        or, where a patient has several, of the same set of labels. Every resample so holds as
        many patients of each kind as the data; a stratum of one patient never varies.
    interval : {"percentile", "logit"}, default="percentile"
        "percentile" takes the ends from the resamples themselves. "logit" is for metrics in
        [0, 1]: Student's t on the scale of log odds with the resamples' standard deviation; it
        holds its level better where patients of a class are few or the figure is near 0 or 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    BootstrapInterval
        The estimate, the interval's ends, and the counts behind them.

    Raises
    ------
    ValueError
        If there are no `groups` or fewer than two patients, lengths differ, the metric is not a
        finite number on the data themselves, or is undefined in more than half of the resamples.

    Notes
    -----
    A resample is undefined where a callable raises a ValueError, warns with scikit-learn's
    UndefinedMetricWarning, or returns NaN or infinity, as AUC does where only one class was
    drawn. Such resamples are left out, not drawn anew (that would hide how many there are), and
    counted in ``n_undefined``. Where that count isn't small the interval describes the lucky
    resamples only: use `stratify`.

    The metrics by name take ``y_true`` and labels, or (the AUCs, the Brier score) scores: of the
    positive class, which is the greater label of two, or a column a class. With more than two
    classes the AUCs are means over the classes present of each against the rest, balanced
    accuracy is a mean over classes present, "f1" a mean over classes ("f1_macro" is so with two
    as well), and the Brier score a sum over classes; sensitivity and specificity don't exist.
    AUC, balanced accuracy and the mean F1 are undefined where `y_true` has one class only, the
    F1 of two classes and sensitivity where it has no positive patch, specificity where it has no
    negative one. A named metric gives what a callable of the same meaning gives for the same
    `random_state`, from how often each patient was drawn, in blocks of 64 MiB.

    Percentile intervals are too short where patients of a class are few, and the more so the
    better the model: in simulations with an AUC near .96, nominal 95 % intervals held the truth
    in 77 % of the cases for 20 patients of whom 5 are positive, in 90 % for 80 of whom 20 are;
    those of "logit" in 86 and 91 %.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
    .. [2] C. A. Field, A. H. Welsh, "Bootstrapping clustered data", Journal of the Royal
       Statistical Society B 69(3), 369-390, 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.metrics import patient_bootstrap
    >>> y_true, y_pred = np.zeros(40, int), np.repeat([0, 1, 0, 0], 10)
    >>> interval = patient_bootstrap(
    ...     "accuracy", y_true, y_pred, groups=np.repeat(["a", "b", "c", "d"], 10),
    ...     n_resamples=200, random_state=0,
    ... )
    >>> print(interval)
    0.750 [0.250, 1.000]
    """
    check_resampling(n_resamples, confidence_level)
    check_choice(interval, name="interval", choices=("percentile", "logit"))
    arrays, patients, folds = check_resampled(arrays, groups, folds)
    resample = _resample_named if isinstance(metric, str) else _resample_called
    estimate, resampled = resample(metric, arrays, patients, folds)
    if not np.isfinite(estimate):
        raise UndefinedIntervalError(
            f"metric is {estimate} on the data themselves; there is nothing to bound."
        )
    strata = strata_of(stratify, patients)
    values = resampled(strata, n_resamples, random_state)
    if interval == "logit":
        ends = logit_interval(
            values,
            confidence_level,
            estimate=estimate,
            n_degrees=len(patients.ids) - len(np.unique(strata)),
            n_least=least_patients(stratify, patients),
        )
    else:
        ends = percentile_interval(values, confidence_level)
    low, high, n_undefined = ends
    return BootstrapInterval(
        estimate, low, high, confidence_level, len(patients.ids), n_resamples, n_undefined
    )


def _resample_named(name, arrays, patients, folds):
    """Return a metric on the data, and the function that takes it of resamples."""
    if len(arrays) != 2:
        raise ValueError(f"metric {name!r} takes two arrays, y_true and the output of a model.")
    [prepared] = prepare(name, arrays[0], arrays[1:], patients, folds)
    evaluate = evaluate_by_counts(name, prepared)
    n_patients = len(patients.ids)

    def resampled(strata, n_resamples, random_state):
        block = block_size(n_patients, prepared)
        draws = draw_patients(strata, n_resamples, random_state, block=block)
        return np.concatenate([evaluate(count_draws(drawn)) for drawn in draws])

    return float(evaluate(np.ones((n_patients, 1)))[0]), resampled


def _resample_called(metric, arrays, patients, folds):
    """As :func:`_resample_named`, for any callable: one call a resample."""
    evaluate = bind_metric(metric)

    def of_drawn(drawn):
        rows, copies = rows_of(drawn, patients)
        drawn_folds = None if folds is None else folds[rows]
        return defined_or_nan(evaluate, [each[rows] for each in arrays], copies, drawn_folds)

    def resampled(strata, n_resamples, random_state):
        draws = draw_patients(strata, n_resamples, random_state)
        return np.array([of_drawn(drawn) for [drawn] in draws])

    return evaluate(arrays, patients.codes, folds), resampled
