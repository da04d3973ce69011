"""Metrics by name, prepared once and then taken of thousands of resamples of patients."""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from skbreast._validation import check_choice
from skbreast.metrics import _count_metrics
from skbreast.metrics._class_numbers import check_share, number_labels, number_scored
from skbreast.metrics._count_metrics import LABEL_METRICS, Rows, from_labels, mean_of_defined
from skbreast.metrics._patient_figures import tied
from skbreast.metrics._patient_scores import labels_of_patients, patient_labels, patient_scores

__all__ = ["METRIC_NAMES", "block_size", "evaluate_by_counts", "prepare", "stack_models"]

BLOCK_BYTES = 2**26
_WORKING_ARRAYS = 4  # how many numbers a row and resample a metric holds at a time


class Named(NamedTuple):
    """How a metric is built, what it takes, and which two-class limits it has."""

    build: callable
    takes: str = "labels"
    binary: bool = False
    of_patients: bool = False


_METRICS = {
    **{
        name: Named(from_labels(formula), binary=name in ("sensitivity", "specificity"))
        for name, formula in LABEL_METRICS.items()
    },
    "roc_auc": Named(_count_metrics.area_under_curve, takes="scores"),
    "brier_score": Named(_count_metrics.mean_squared_error, takes="probabilities"),
    "patient_recognition_rate": Named(_count_metrics.recognition_rate),
    "patient_auc": Named(_count_metrics.area_under_curve, takes="scores", of_patients=True),
}
METRIC_NAMES = tuple(_METRICS)


def prepare(name, y_true, outputs, patients, folds=None):
    """Return what a metric needs of each model, fold by fold.

    Parameters
    ----------
    name : str
        One of METRIC_NAMES.
    y_true : ndarray of shape (n_patches,)
        Labels.
    outputs : sequence of ndarray
        Of each model predicted labels, or scores of one or two dimensions.
    patients : Patients
        Whose patches they are.
    folds : ndarray of shape (n_patches,), int, optional
        Fold of each patch.

    Returns
    -------
    list of list of Rows
        A list a model, with an entry a fold.

    Raises
    ------
    ValueError
        If there is no such metric, or it cannot be taken of such labels and outputs.
    """
    metric = _METRICS[check_choice(name, name="metric", choices=METRIC_NAMES)]
    if metric.takes == "labels":
        (y_true, *outputs), n_classes = number_labels(y_true, *outputs)
    else:
        y_true, *outputs, n_classes = number_scored(y_true, *outputs)
    if metric.binary and n_classes > 2:
        raise ValueError(f"metric {name!r} needs two classes; there are {n_classes}.")
    if metric.takes == "probabilities":
        outputs = [check_share(output, name="y_prob") for output in outputs]
    if metric.of_patients:
        labels_of_patients(
            y_true, patients.ids[patients.codes], name="y_true"
        )  # a fold may not see that they differ
    if folds is None:
        folds = np.zeros(len(y_true), dtype=np.intp)
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    prepared = [
        [Rows(y_true[part], output[part], patients.codes[part], n_classes) for part in parts]
        for output in outputs
    ]
    if metric.of_patients:
        return [[_one_row_a_patient(rows) for rows in folds] for folds in prepared]
    return prepared


def evaluate_by_counts(name, folds):
    """Return ``evaluate(counts)``, the mean over the folds in which a metric has a meaning.

    Parameters
    ----------
    name : str
        One of METRIC_NAMES.
    folds : list of Rows
        From :func:`prepare`.

    Returns
    -------
    callable
        From counts of shape (n_patients, n_resamples) to values of shape (n_resamples,); NaN
        where no fold has a meaning.
    """
    parts = []
    for rows in folds:
        ids, codes = np.unique(rows.patients, return_inverse=True)
        parts.append((ids, _METRICS[name].build(rows._replace(patients=codes))))
    return lambda counts: mean_of_defined(
        [evaluate(counts[present]) for present, evaluate in parts]
    )


def stack_models(name, first, second, n_patients):
    """Join two models' rows, so that counts choose whose output of a patient is meant.

    Patient p stands for the first model's output, patient ``n_patients + p`` for the second's.
    Scores become ranks within their fold and model [1]_: models that speak on different scales
    could not stand in for each other otherwise, and an AUC looks at nothing but ranks.

    Parameters
    ----------
    name : str
        One of METRIC_NAMES.
    first, second : list of Rows
        Of each model, from :func:`prepare`.
    n_patients : int
        How many patients there are.

    Returns
    -------
    list of Rows

    References
    ----------
    .. [1] E. S. Venkatraman, C. B. Begg, "A distribution-free procedure for comparing receiver
       operating characteristic curves from a paired experiment", Biometrika 83(4), 835-848, 1996.
    """
    if _METRICS[name].takes == "scores":
        first, second = (
            [rows._replace(output=rankdata(rows.output, axis=0)) for rows in folds]
            for folds in (first, second)
        )
    return [
        Rows(
            np.concatenate([one.y_true, other.y_true]),
            np.concatenate([one.output, other.output]),
            np.concatenate([one.patients, other.patients + n_patients]),
            one.n_classes,
        )
        for one, other in zip(first, second, strict=True)
    ]


def block_size(n_patients, folds):
    """Return how many resamples can be evaluated at a time within 64 MiB."""
    n_rows = max(len(rows.y_true) for rows in folds)
    return max(1, BLOCK_BYTES // (8 * _WORKING_ARRAYS * (n_patients + n_rows)))


def _one_row_a_patient(rows):
    ids, y_true = patient_labels(rows.y_true, rows.patients)
    scores = tied(patient_scores(rows.output, rows.patients)[1])
    return Rows(y_true, scores, ids, rows.n_classes)
