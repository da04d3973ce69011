"""Figures counted by patient: scores, labels, recognition rates and bootstrap intervals."""

import inspect
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    check_random_state,
    check_scalar,
)
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import column_or_1d

from skbreast._validation import check_choice, check_groups

__all__ = [
    "BootstrapInterval",
    "patient_accuracies",
    "patient_bootstrap",
    "patient_labels",
    "patient_recognition_rate",
    "patient_scores",
]

_AGGREGATES = ("mean", "max", "top_k", "vote")


class _Patients(NamedTuple):
    """Rows sorted by patient: patient i owns ``order[starts[i] : starts[i] + counts[i]]``."""

    ids: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    order: np.ndarray
    starts: np.ndarray


def _by_patient(groups, *, n_samples):
    groups = check_groups(groups, n_samples=n_samples)
    try:
        ids, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise ValueError(
            "groups mixes kinds of ids that cannot be sorted; give all ids as str."
        ) from error
    order = np.argsort(codes, kind="stable")
    return _Patients(ids, codes, counts, order, np.cumsum(counts) - counts)


def patient_scores(y_score, groups, *, aggregate="mean", top_k=5, threshold=0.5):
    """Sum up the scores of each patient's patches in one score a patient.

    Parameters
    ----------
    y_score : array-like of shape (n_patches,) or (n_patches, n_classes)
        Finite scores, usually probabilities in [0, 1]. Columns are aggregated one by one, so
        only "mean" keeps rows of probabilities summing to 1.
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.
    aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
        The patient's score: the mean of the patches' scores; their maximum; the mean of the
        `top_k` highest; or the share of patches whose score is at least `threshold`.
    top_k : int, default=5
        How many of the highest scores "top_k" takes; all of them where a patient has fewer.
    threshold : float, default=0.5
        The score from which a patch votes for the class, in the unit of `y_score`.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    scores : ndarray of shape (n_patients,) or (n_patients, n_classes), float64
        The patients' scores, in the same order.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, a patient id is missing, lengths differ, or a parameter
        is out of its range.

    Examples
    --------
    >>> from skbreast.metrics import patient_scores
    >>> ids, scores = patient_scores([0.9, 0.5, 0.1], ["b", "a", "b"])
    >>> ids.tolist(), scores.tolist()
    (['a', 'b'], [0.5, 0.5])
    >>> patient_scores([0.9, 0.5, 0.1], ["b", "a", "b"], aggregate="max")[1].tolist()
    [0.5, 0.9]
    """
    check_choice(aggregate, name="aggregate", choices=_AGGREGATES)
    check_scalar(top_k, "top_k", Integral, min_val=1)
    check_scalar(threshold, "threshold", Real)
    y_score = check_array(y_score, dtype=np.float64, ensure_2d=False, input_name="y_score")
    patients = _by_patient(groups, n_samples=len(y_score))
    columns = y_score.reshape(len(y_score), -1)
    if aggregate == "max":
        scores = np.maximum.reduceat(columns[patients.order], patients.starts, axis=0)
    elif aggregate == "top_k":
        scores = _mean_of_highest(columns, patients, k=top_k)
    else:
        votes = columns >= threshold if aggregate == "vote" else columns
        scores = _mean_by_patient(votes, patients)
    return patients.ids, scores.reshape(len(scores), *y_score.shape[1:])


def _mean_by_patient(columns, patients):
    values = columns[patients.order].astype(np.float64)
    return np.add.reduceat(values, patients.starts, axis=0) / patients.counts[:, None]


def _mean_of_highest(columns, patients, *, k):
    codes = np.broadcast_to(patients.codes[:, None], columns.shape)
    descending = np.take_along_axis(columns, np.lexsort((-columns, codes), axis=0), axis=0)
    rank = np.arange(len(columns)) - np.repeat(patients.starts, patients.counts)
    highest = np.where(rank[:, None] < k, descending, 0.0)
    taken = np.minimum(patients.counts, k)[:, None]
    return np.add.reduceat(highest, patients.starts, axis=0) / taken


def patient_labels(y, groups):
    """Return the label of each patient, where all patches of a patient share one.

    Parameters
    ----------
    y : array-like of shape (n_patches,)
        Labels of the patches.
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    labels : ndarray of shape (n_patients,)
        The patients' labels, in the same order and of the dtype of `y`.

    Raises
    ------
    ValueError
        If a patient has several labels (named in the message), as in data sets such as IDC
        whose label belongs to a patch; or a label or an id is missing.

    Examples
    --------
    >>> from skbreast.metrics import patient_labels
    >>> ids, labels = patient_labels(["M", "B", "M"], [7, 3, 7])
    >>> ids.tolist(), labels.tolist()
    ([3, 7], ['B', 'M'])
    """
    y = _check_labels(y, name="y")
    patients = _by_patient(groups, n_samples=len(y))
    labels = y[patients.order[patients.starts]]
    several = np.unique(patients.codes[labels[patients.codes] != y])
    if len(several):
        raise ValueError(
            f"y has several labels for {len(several)} of {len(patients.ids)} patients "
            f"({_name_some(patients.ids[several])}): these labels belong to patches, so no "
            "patient has a label of its own."
        )
    return patients.ids, labels


def _check_labels(y, *, name):
    y = column_or_1d(np.asarray(y))
    assert_all_finite(y, input_name=name)
    return y


def _name_some(ids, limit=5):
    names = ", ".join(repr(each) for each in ids[:limit].tolist())
    return names + (", …" if len(ids) > limit else "")


def patient_accuracies(y_true, y_pred, groups):
    """Return the share of correctly classified patches of each patient.

    This is the "patient score" of BreakHis [1]_.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_patches,)
        True and predicted labels of the patches (labels, not probabilities).
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    accuracies : ndarray of shape (n_patients,), float64
        Shares in [0, 1], in the same order.

    Raises
    ------
    ValueError
        If labels are missing, continuous, or strings on one side and numbers on the other; a
        patient id is missing; or lengths differ.

    References
    ----------
    .. [1] F. A. Spanhol, L. S. Oliveira, C. Petitjean, L. Heutte, "A dataset for breast cancer
       histopathological image classification", IEEE Transactions on Biomedical Engineering
       63(7), 1455-1462, 2016.

    Examples
    --------
    >>> from skbreast.metrics import patient_accuracies
    >>> ids, accuracies = patient_accuracies([0, 0, 1], [0, 1, 1], ["a", "a", "b"])
    >>> ids.tolist(), accuracies.tolist()
    (['a', 'b'], [0.5, 1.0])
    """
    y_true, y_pred = _check_labels(y_true, name="y_true"), _check_labels(y_pred, name="y_pred")
    check_consistent_length(y_true, y_pred)
    unique_labels(y_true, y_pred)  # refuses probabilities, and strings beside numbers
    patients = _by_patient(groups, n_samples=len(y_true))
    correct = np.bincount(patients.codes, weights=y_true == y_pred)
    return patients.ids, correct / patients.counts


def patient_recognition_rate(y_true, y_pred, groups):
    """Return the mean over patients of their shares of correctly classified patches.

    The figure that BreakHis results are published in [1]_: a patient with four patches counts as
    much as one with four hundred.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_patches,)
        True and predicted labels of the patches (labels, not probabilities).
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    float
        The rate, in [0, 1].

    Raises
    ------
    ValueError
        As in :func:`patient_accuracies`, which gives the rates one by one.

    References
    ----------
    .. [1] F. A. Spanhol, L. S. Oliveira, C. Petitjean, L. Heutte, "A dataset for breast cancer
       histopathological image classification", IEEE Transactions on Biomedical Engineering
       63(7), 1455-1462, 2016.

    Examples
    --------
    >>> from skbreast.metrics import patient_recognition_rate
    >>> patient_recognition_rate([0, 0, 1], [0, 1, 1], ["a", "a", "b"])
    0.75
    """
    _, accuracies = patient_accuracies(y_true, y_pred, groups)
    return float(accuracies.mean())


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
        raise ValueError(f"metric is {estimate} on the data themselves; there is nothing to bound.")
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
    patients = _by_patient(groups, n_samples=len(arrays[0]))
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
    labels = _check_labels(stratify, name="stratify")
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
        raise ValueError(
            f"metric is undefined in {n_undefined} of {len(values)} resamples of patients: too few "
            "patients for it, or of a class; try stratify=y."
        )
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high), n_undefined
