"""Bootstrap intervals that resample patients, each with all its patches."""

import inspect
import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_consistent_length, check_random_state, check_scalar

from skbreast._patients import by_patient, check_labels

__all__ = ["BootstrapInterval", "UndefinedIntervalError", "patient_bootstrap"]


class UndefinedIntervalError(ValueError):
    """A metric cannot be judged on the patients, or on most resamples of them."""


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
    n_resamples=2000,
    confidence_level=0.95,
    stratify=None,
    random_state=None,
):
    """Return a metric on patches with an interval that counts patients, not patches.

    Patches of one patient resemble each other, so an interval that takes them as independent is
    too narrow. Here patients are drawn with replacement, each with all its patches [2]_, and the
    interval is the percentile interval of the metric over such resamples [1]_.

    Parameters
    ----------
    metric : callable
        Called as ``metric(*arrays)``, returns one number; for instance
        :func:`sklearn.metrics.roc_auc_score`. If it has a parameter named ``groups`` it is called
        as ``metric(*arrays, groups=ids)``, where a patient drawn twice has two ids: so
        :func:`patient_recognition_rate` works as it is.
    *arrays : array-likes of length n_patches
        What the metric takes, such as ``y_true, y_score``; each of one or more dimensions.
    groups : array-like of shape (n_patches,)
        Patient ids. ``numpy.arange(n_patches)`` says that every patch is its own patient.
    n_resamples : int, default=2000
        How many resamples are drawn.
    confidence_level : float, default=0.95
        Between 0 and 1.
    stratify : array-like of shape (n_patches,), default=None
        Labels of the patches. Patients are then drawn within strata: the patients of one label
        or, where a patient has several, of the same set of labels. Every resample so holds as
        many patients of each kind as the data; a stratum of one patient never varies.
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
    A resample is undefined where the metric raises a ValueError, warns with scikit-learn's
    UndefinedMetricWarning, or returns NaN or infinity, as AUC does where only one class was
    drawn. Such resamples are left out, not drawn anew (that would hide how many there are), and
    counted in ``n_undefined``. Where that count isn't small the interval describes the lucky
    resamples only: use `stratify`.

    Weights instead of copies (a patient drawn twice weighs twice) would save a tenth of the time,
    and only for metrics that take weights; so all metrics get copies.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
    .. [2] C. A. Field, A. H. Welsh, "Bootstrapping clustered data", Journal of the Royal
       Statistical Society B 69(3), 369-390, 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import accuracy_score
    >>> from skbreast.metrics import patient_bootstrap
    >>> y_true, y_pred = np.zeros(40, int), np.repeat([0, 1, 0, 0], 10)
    >>> interval = patient_bootstrap(
    ...     accuracy_score, y_true, y_pred, groups=np.repeat(["a", "b", "c", "d"], 10),
    ...     n_resamples=200, random_state=0,
    ... )
    >>> print(interval)
    0.750 [0.250, 1.000]
    """
    check_scalar(n_resamples, "n_resamples", Integral, min_val=1)
    check_scalar(
        confidence_level, "confidence_level", Real,
        min_val=0, max_val=1, include_boundaries="neither",
    )  # fmt: skip
    arrays, patients = _check_resampled(arrays, groups)
    wants_groups = _takes_groups(metric)
    estimate = _evaluate(metric, arrays, patients.codes if wants_groups else None)
    if not np.isfinite(estimate):
        raise UndefinedIntervalError(
            f"metric is {estimate} on the data themselves; there is nothing to bound."
        )
    values = np.full(n_resamples, np.nan)
    draws = _draw_patients(_strata(stratify, patients), n_resamples, random_state)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        for i, drawn in enumerate(draws):
            rows, copies = _rows_of(drawn, patients)
            resample = [array[rows] for array in arrays]
            try:
                values[i] = _evaluate(metric, resample, copies if wants_groups else None)
            except (ValueError, ZeroDivisionError, UndefinedMetricWarning):
                continue
    low, high, n_undefined = _percentile_interval(values, confidence_level)
    return BootstrapInterval(
        estimate, low, high, confidence_level, len(patients.ids), n_resamples, n_undefined
    )


def _check_resampled(arrays, groups):
    if not arrays:
        raise ValueError("patient_bootstrap needs at least one array for the metric.")
    if groups is None:
        raise ValueError(
            "groups is None: give the patient of each patch, or numpy.arange(n_patches) to say "
            "that every patch is its own patient."
        )
    arrays = [np.asarray(array) for array in arrays]
    check_consistent_length(*arrays)
    patients = by_patient(groups, n_samples=len(arrays[0]))
    if len(patients.ids) < 2:
        raise ValueError("groups names one patient only; an interval over patients needs two.")
    return arrays, patients


def _takes_groups(metric):
    try:
        return "groups" in inspect.signature(metric).parameters
    except (TypeError, ValueError):  # some compiled functions have no signature
        return False


def _evaluate(metric, arrays, groups):
    value = metric(*arrays) if groups is None else metric(*arrays, groups=groups)
    if np.ndim(value) != 0:
        raise TypeError(f"metric must return one number; got shape {np.shape(value)}.")
    return float(value)


def _strata(stratify, patients):
    """Return an int a patient: equal where their patches have the same set of labels."""
    if stratify is None:
        return np.zeros(len(patients.ids), dtype=np.intp)
    labels = check_labels(stratify, name="stratify")
    check_consistent_length(labels, patients.codes)
    classes, codes = np.unique(labels, return_inverse=True)
    has_class = np.zeros((len(patients.ids), len(classes)), dtype=bool)
    has_class[patients.codes, codes] = True
    return np.unique(has_class, axis=0, return_inverse=True)[1].ravel()


def _draw_patients(strata, n_resamples, random_state):
    random_state = check_random_state(random_state)
    by_stratum = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    for _ in range(n_resamples):
        yield by_stratum[first + random_state.randint(0, size)]


def _rows_of(drawn, patients):
    """Return the rows of the drawn patients, and for each row which draw it belongs to."""
    counts = patients.counts[drawn]
    copies = np.repeat(np.arange(len(drawn)), counts)
    within = np.arange(len(copies)) - np.repeat(np.cumsum(counts) - counts, counts)
    return patients.order[patients.starts[drawn][copies] + within], copies


def _percentile_interval(values, confidence_level):
    defined = values[np.isfinite(values)]
    n_undefined = len(values) - len(defined)
    if n_undefined > len(values) / 2:
        raise UndefinedIntervalError(
            f"metric is undefined in {n_undefined} of {len(values)} resamples of patients: too few "
            "patients for it, or of a class; try stratify=y."
        )
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high), n_undefined
