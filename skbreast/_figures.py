"""The figures of a model, with intervals over patients."""

import contextlib

import numpy as np

from skbreast._patients import by_patient
from skbreast.metrics._bootstrap import UndefinedIntervalError, patient_bootstrap
from skbreast.metrics._patient_scores import patient_labels
from skbreast.metrics._resampled_metrics import evaluate_by_counts, prepare

__all__ = ["choose_figures", "estimate_figures", "summarise"]


def summarise(predictions, *, n_resamples=1000, random_state=0):
    """Return the figures of a model, with patient bootstrap intervals.

    AUC, balanced accuracy and F1 are means over folds, taken on patches, folds without a second
    class (F1 of two classes: without a positive patch) left out; the patient recognition
    rate is that of BreakHis (Spanhol 2016), over all patients or, where some are tested in several
    folds, the mean over folds; the patient AUC, a mean over folds too, ranks patients
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

    Notes
    -----
    Intervals are those on the scale of log odds: where patients of a class are few, or a model is
    nearly perfect, percentile intervals are too short, as simulations show.
    """
    figures = {}
    for name, (metric, output, folds) in choose_figures(predictions).items():
        with contextlib.suppress(UndefinedIntervalError):
            figures[name] = patient_bootstrap(
                metric,
                predictions.y_true,
                output,
                groups=predictions.groups,
                folds=folds,
                stratify=predictions.y_true,
                n_resamples=n_resamples,
                interval="logit",
                random_state=random_state,
            )
    return figures


def choose_figures(predictions):
    """Return the metrics that have a meaning for these predictions: name, output, folds or not."""
    binary = predictions.y_proba.shape[1] == 2
    score = predictions.y_proba[:, 1] if binary else predictions.y_proba
    y_pred, folds = predictions.y_pred, predictions.folds
    figures = {}
    if _has_fold_of_two_classes(predictions):
        figures["auc"] = ("roc_auc", score, folds)
        figures["balanced_accuracy"] = ("balanced_accuracy", y_pred, folds)
        figures["f1"] = ("f1" if binary else "f1_macro", y_pred, folds)
    if len(np.unique(predictions.groups)) == len(predictions.groups):
        return {**figures, "accuracy": ("accuracy", y_pred, None)}
    rate_folds = folds if _has_retested_patients(predictions) else None
    figures["patient_recognition_rate"] = ("patient_recognition_rate", y_pred, rate_folds)
    if binary and _has_fold_of_two_classes(predictions) and _has_patient_labels(predictions):
        figures["patient_auc"] = ("patient_auc", score, folds)
    return figures


def estimate_figures(predictions):
    """Return the figures of :func:`summarise` without intervals.

    Parameters
    ----------
    predictions : Predictions
        Of one fold or of several.

    Returns
    -------
    dict of str to float
        NaN where a figure is undefined.
    """
    patients = by_patient(predictions.groups, n_samples=len(predictions.groups))
    everyone = np.ones((len(patients.ids), 1))
    figures = {}
    for name, (metric, output, folds) in choose_figures(predictions).items():
        [prepared] = prepare(metric, predictions.y_true, [output], patients, folds)
        figures[name] = float(evaluate_by_counts(metric, prepared)(everyone)[0])
    return figures


def _has_fold_of_two_classes(predictions):
    folds, y_true = predictions.folds, predictions.y_true
    return any(len(np.unique(y_true[folds == fold])) > 1 for fold in np.unique(folds))


def _has_retested_patients(predictions):
    """Tell whether folds overlap, as the published ones of BreakHis do; then they are averaged."""
    pairs = {*zip(map(str, predictions.groups), predictions.folds.tolist(), strict=True)}
    return len(pairs) > len({patient for patient, _ in pairs})


def _has_patient_labels(predictions):
    try:
        patient_labels(predictions.y_true, predictions.groups)
    except ValueError:
        return False
    return True
