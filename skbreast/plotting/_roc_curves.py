"""The curves of a :class:`PatientRocDisplay`: one by patch and, where it exists, one by patient."""

from dataclasses import dataclass

import numpy as np

from skbreast.metrics import BootstrapInterval, patient_bootstrap
from skbreast.metrics._resampling import UndefinedIntervalError
from skbreast.plotting._bands import FALSE_POSITIVE_RATES, roc_band
from skbreast.plotting._predictions_input import of_patients, why_no_patients

__all__ = ["RocCurve", "compute_curve", "try_patients"]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """One panel of a :class:`PatientRocDisplay`.

    Attributes
    ----------
    fpr, tpr : ndarray of shape (n_points,), float64
        The curve; of several folds the mean at equal false positive rates.
    low, high : ndarray of shape (n_points,), float64
        Band of `tpr`, each point for itself.
    auc : BootstrapInterval
        Mean area under the curves of the folds, as :func:`skbreast.evaluation.summarise` has it.
    sensitivity, specificity : BootstrapInterval or None
        At the threshold; means over folds too.
    n_rows : tuple of int
        How many patches, or patients, there are of each class.
    n_folds : int
        How many models' curves are averaged.
    """

    fpr: np.ndarray
    tpr: np.ndarray
    low: np.ndarray
    high: np.ndarray
    auc: BootstrapInterval
    sensitivity: BootstrapInterval | None
    specificity: BootstrapInterval | None
    n_rows: tuple
    n_folds: int


def try_patients(judged, aggregate, options):
    """Return the curve by patient, or None and the reason why there is none."""
    reason = why_no_patients(judged)
    if reason:
        return None, reason
    patients = of_patients(judged, aggregate=aggregate)
    try:
        return compute_curve(patients, **options), ""
    except UndefinedIntervalError:
        return None, "too few patients of a class"


def compute_curve(judged, *, threshold, **options):
    """Return the curve of patches or of patients, with its band and its intervals.

    Raises UndefinedIntervalError where no fold has two classes, or resamples of patients have not.
    """
    if not _count_folds(judged):
        present = [judged.class_names[each] for each in np.unique(judged.y_true)]
        only = f"all are {present[0]}" if len(present) == 1 else "no fold has more than one"
        raise UndefinedIntervalError(f"A ROC curve needs patches of two classes; here {only}.")
    where = {"groups": judged.groups, "folds": judged.folds, **options}

    def estimate(metric, output):
        return patient_bootstrap(
            metric, judged.y_true, output, stratify=judged.y_true, interval="logit", **where
        )

    auc = estimate("roc_auc", judged.y_score)
    mean, low, high = roc_band(judged.y_true, judged.y_score, **where)
    found = [None, None]
    if threshold is not None:
        positive = (judged.y_score >= threshold).astype(np.intp)
        found = [estimate(each, positive) for each in ("sensitivity", "specificity")]
    n_rows = np.bincount(judged.y_true, minlength=len(judged.class_names))
    return RocCurve(
        fpr=FALSE_POSITIVE_RATES,
        tpr=mean,
        low=low,
        high=high,
        auc=auc,
        sensitivity=found[0],
        specificity=found[1],
        n_rows=tuple(n_rows.tolist()),
        n_folds=_count_folds(judged),
    )


def _count_folds(judged):
    """Count the folds that have a curve: those of a single class have none."""
    folds = np.unique(judged.folds)
    return sum(len(np.unique(judged.y_true[judged.folds == fold])) > 1 for fold in folds)
