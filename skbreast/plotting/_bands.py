"""Mean ROC curves over folds, with bands over patients, from how often each patient was drawn."""

import numpy as np

from skbreast.metrics._count_metrics import mean_of_defined
from skbreast.metrics._resampled_metrics import block_size, prepare
from skbreast.metrics._resampling import (
    check_resampled,
    count_draws,
    draw_patients,
    strata_of,
)

__all__ = ["FALSE_POSITIVE_RATES", "roc_band"]

FALSE_POSITIVE_RATES = np.linspace(0, 1, 201)


def roc_band(
    y_true,
    y_score,
    *,
    groups,
    folds=None,
    n_resamples=1000,
    confidence_level=0.95,
    random_state=None,
):
    """Return the mean ROC curve over folds, and a band of it over patients.

    Scores of different models are never compared: each fold has a curve of its own, and the curves
    are averaged at equal false positive rates [1]_. Of more than two classes, a fold's curve is the
    mean of those of each class present against the rest; its area is their mean area. Patients are
    drawn with all their patches, within those that have the same set of labels, as in
    :func:`skbreast.evaluation.summarise`.

    Parameters
    ----------
    y_true : ndarray of shape (n_patches,), int
        Class numbers.
    y_score : ndarray of shape (n_patches,) or (n_patches, n_classes)
        Scores of class 1, or a column a class.
    groups : ndarray of shape (n_patches,)
        Patient ids, of two patients at least.
    folds : ndarray of shape (n_patches,), int, optional
        Which of several models judged the patch.
    n_resamples : int, default=1000
        Resamples of patients.
    confidence_level : float, default=0.95
        Of the band at each false positive rate, for itself: in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    mean, low, high : ndarray of shape (201,), float64
        True positive rates at FALSE_POSITIVE_RATES; NaN where no fold has two classes.

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27(8),
       861-874, 2006.
    """
    [y_true, y_score], patients, folds = check_resampled([y_true, y_score], groups, folds)
    [prepared] = prepare("roc_auc", y_true, [y_score], patients, folds)
    evaluate = _mean_curve(prepared)
    block = block_size(len(patients.ids), prepared)
    draws = draw_patients(strata_of(y_true, patients), n_resamples, random_state, block=block)
    curves = np.concatenate([evaluate(count_draws(drawn)) for drawn in draws])
    curves = curves[~np.isnan(curves[:, 0])]
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return evaluate(np.ones((len(patients.ids), 1)))[0], low, high


def _mean_curve(folds):
    """Return ``evaluate(counts)``: from (n_patients, n_resamples) to (n_resamples, 201)."""
    parts = []
    for rows in folds:
        present, codes = np.unique(rows.patients, return_inverse=True)
        parts.append((present, _curve(rows._replace(patients=codes))))
    return lambda counts: mean_of_defined([curve(counts[present]) for present, curve in parts])


def _curve(rows):
    if rows.output.ndim == 1:
        return _two_class_curve(rows)
    classes = [
        _two_class_curve(rows._replace(y_true=rows.y_true == each, output=rows.output[:, each]))
        for each in np.unique(rows.y_true)
    ]
    return lambda counts: mean_of_defined([curve(counts) for curve in classes])


def _two_class_curve(rows):
    """Sort once; a resample's curve is then two cumulative sums of how often rows were drawn."""
    order = np.argsort(-rows.output, kind="stable")
    scores, patients = rows.output[order], rows.patients[order]
    steps = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # ties make one step
    positive = rows.y_true[order] == 1

    def evaluate(counts):
        drawn = counts.T[:, patients]
        n_all = np.cumsum(drawn, axis=1)[:, steps]
        n_hits = np.cumsum(drawn * positive, axis=1)[:, steps]
        return np.array([_at_rates(*each) for each in zip(n_hits, n_all - n_hits, strict=True)])

    return evaluate


def _at_rates(n_hits, n_false):
    """Return a curve's true positive rates; at a vertical step its upper end."""
    if not (n_hits[-1] and n_false[-1]):
        return np.full(len(FALSE_POSITIVE_RATES), np.nan)
    false_positive = np.append(0, n_false / n_false[-1])
    true_positive = np.append(0, n_hits / n_hits[-1])
    return np.interp(FALSE_POSITIVE_RATES, false_positive, true_positive)
