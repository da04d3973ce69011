"""The figures of a model, with intervals over patients."""

import contextlib
from functools import partial

import numpy as np

from skbreast import _fast_metrics
from skbreast._bootstrap import UndefinedIntervalError, patient_bootstrap
from skbreast.metrics import patient_labels

__all__ = ["summarise"]


def summarise(predictions, *, n_resamples=1000, random_state=0):
    """Return the figures of a model, with patient bootstrap intervals.

    AUC, balanced accuracy and F1 are means over folds, taken on patches, folds without a second
    class (F1: without a positive patch) left out; the patient recognition
    rate is that of BreakHis (Spanhol 2016); the patient AUC, a mean over folds too, ranks patients
    by the mean probability of their patches, and exists where a patient has one label and classes
    are two.

    Parameters
    ----------
    predictions : Predictions
        From :func:`cross_validate_models` or :func:`predict_patches`.
    n_resamples : int, default=1000
        Bootstrap resamples of patients.
    random_state : int, default=0
        Seed of the resampling.

    Returns
    -------
    dict of str to BootstrapInterval
        "auc", "balanced_accuracy", "f1", "patient_recognition_rate" and perhaps "patient_auc";
        for more than two classes AUC (each against the rest) and F1 are means over classes. Where
        every patch is its own patient, "accuracy" stands in place of the recognition rate. What
        cannot be computed is left out: folds of one class, and figures that most resamples lack.
    """
    figures = {}
    for name, (metric, *arrays) in _choose_figures(predictions).items():
        with contextlib.suppress(UndefinedIntervalError):
            figures[name] = patient_bootstrap(
                metric,
                *arrays,
                groups=predictions.groups,
                stratify=predictions.y_true,
                n_resamples=n_resamples,
                random_state=random_state,
            )
    return figures


def _choose_figures(predictions):
    """Return the metrics that have a meaning for these predictions, each with its arrays."""
    binary = predictions.y_proba.shape[1] == 2
    score = predictions.y_proba[:, 1] if binary else predictions.y_proba
    y_true, y_pred, folds = predictions.y_true, predictions.y_pred, predictions.folds
    figures = {}
    if any(len(np.unique(y_true[folds == fold])) > 1 for fold in np.unique(folds)):
        figures["auc"] = (_over_folds(_fast_metrics.auc), y_true, score, folds)
        balanced_accuracy = _over_folds(_fast_metrics.balanced_accuracy)
        figures["balanced_accuracy"] = (balanced_accuracy, y_true, y_pred, folds)
        f1 = partial(_fast_metrics.f1, binary=binary)
        f1 = _over_folds(f1, has_meaning=_has_positives if binary else _has_two_classes)
        figures["f1"] = (f1, y_true, y_pred, folds)
    if len(np.unique(predictions.groups)) == len(predictions.groups):
        return {**figures, "accuracy": (_accuracy, y_true, y_pred)}
    figures["patient_recognition_rate"] = (_recognition_rate, y_true, y_pred)
    if binary and _has_patient_labels(predictions):
        figures["patient_auc"] = (_patient_auc, y_true, score, folds)
    return figures


def _has_two_classes(y_true):
    return len(np.unique(y_true)) > 1


def _has_positives(y_true):
    """Tell whether F1 has a meaning. Without negatives it has, and counts those folds as well.

    Left out of a resample, they would leave it the folds with most negatives and so a lower F1.
    """
    return (y_true == 1).any()


def _over_folds(metric, has_meaning=_has_two_classes):
    def mean_over_folds(y_true, y_other, folds):
        values = [
            metric(y_true[folds == fold], y_other[folds == fold])
            for fold in np.unique(folds)
            if has_meaning(y_true[folds == fold])
        ]
        return np.mean(values) if values else np.nan

    return mean_over_folds


def _accuracy(y_true, y_pred):
    return np.mean(y_true == y_pred)


def _recognition_rate(y_true, y_pred, *, groups):
    """As in `metrics`, for the whole numbers that the bootstrap names patients by."""
    hits = np.bincount(groups, weights=y_true == y_pred)
    return (hits / np.bincount(groups)).mean()


def _has_patient_labels(predictions):
    """Tell whether each patient has one label, and some fold has patients of both."""
    try:
        patient_labels(predictions.y_true, predictions.groups)
    except ValueError:
        return False
    folds, y_true = predictions.folds, predictions.y_true
    return any(len(np.unique(y_true[folds == fold])) > 1 for fold in np.unique(folds))


def _patient_auc(y_true, score, folds, *, groups):
    """Rank patients within their fold, since another fold's model has another scale."""
    n_patches = np.bincount(groups)
    means = [np.bincount(groups, weights=each) / n_patches for each in (y_true, score, folds)]
    means[1] = means[1].round(12)  # equal scores must stay ties, whatever their sum was rounded to
    return _over_folds(_fast_metrics.auc)(*means)
