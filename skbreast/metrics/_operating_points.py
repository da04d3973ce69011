"""What a test gains at a wanted sensitivity or specificity, and the threshold that reaches it."""

import math

import numpy as np
from sklearn.metrics import roc_curve
from sklearn.utils import check_consistent_length

from skbreast._validation import check_number
from skbreast.metrics._class_numbers import is_positive
from skbreast.metrics._limits import check_floats, check_weights
from skbreast.metrics._patient_figures import ranks_of
from skbreast.metrics._patient_scores import labels_of_patients, patient_scores

__all__ = [
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "threshold_at_sensitivity",
]

_ROUNDING = 1e-9  # 1 - 0.8 is a little less than 0.2


def sensitivity_at_specificity(y_true, y_score, *, specificity=0.9, sample_weight=None):
    """Return the highest sensitivity among thresholds that reach a specificity.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one.
    y_score : array-like of shape (n_patches,)
        Finite scores of the positive class.
    specificity : float, default=0.9
        The wanted share of negative patches below the threshold, in [0, 1].
    sample_weight : array-like of shape (n_patches,), default=None
        Weights; with :func:`patient_weights` patients count the same.

    Returns
    -------
    float
        In [0, 1]; 0 where only a threshold above all scores reaches the specificity. It is a
        step of the ROC curve, which some threshold really gives: nothing is interpolated.

    Raises
    ------
    ValueError
        If there are not two classes, a score isn't finite, weights are negative, not finite or 0
        for a class, or `specificity` is out of range.

    Examples
    --------
    >>> from skbreast.metrics import sensitivity_at_specificity
    >>> y_true, y_score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    >>> sensitivity_at_specificity(y_true, y_score, specificity=0.9)
    0.5
    >>> sensitivity_at_specificity(y_true, y_score, specificity=0.75)
    1.0
    """
    check_number(specificity, name="specificity", low=0, high=1)
    false_positive, true_positive = _steps(y_true, y_score, sample_weight)
    return float(true_positive[1 - false_positive >= specificity - _ROUNDING].max())


def specificity_at_sensitivity(y_true, y_score, *, sensitivity=0.95, sample_weight=None):
    """Return the highest specificity among thresholds that reach a sensitivity.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one.
    y_score : array-like of shape (n_patches,)
        Finite scores of the positive class.
    sensitivity : float, default=0.95
        The wanted share of positive patches at or above the threshold, in [0, 1].
    sample_weight : array-like of shape (n_patches,), default=None
        Weights; with :func:`patient_weights` patients count the same.

    Returns
    -------
    float
        In [0, 1]; a step of the ROC curve, as in :func:`sensitivity_at_specificity`.

    Raises
    ------
    ValueError
        If there are not two classes, a score isn't finite, weights are negative, not finite or 0
        for a class, or `sensitivity` is out of range.

    Examples
    --------
    >>> from skbreast.metrics import specificity_at_sensitivity
    >>> y_true, y_score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    >>> specificity_at_sensitivity(y_true, y_score, sensitivity=0.95)
    0.75
    """
    check_number(sensitivity, name="sensitivity", low=0, high=1)
    false_positive, true_positive = _steps(y_true, y_score, sample_weight)
    return float(1 - false_positive[true_positive >= sensitivity - _ROUNDING].min())


def threshold_at_sensitivity(y_true, y_score, *, sensitivity=0.95, groups=None, aggregate="mean"):
    """Return the highest threshold that finds a wanted share of positives.

    Choose it on scores of patients that the model was not trained on, such as out-of-fold
    predictions, and judge it on yet others.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one. With `groups` all patches of a
        patient have the same.
    y_score : array-like of shape (n_patches,)
        Finite scores of the positive class.
    sensitivity : float, default=0.95
        The wanted share of positives whose score is at least the threshold, in (0, 1].
    groups : array-like of shape (n_patches,), default=None
        Patient ids. The threshold is then one for the scores of patients, and the share is one
        of patients.
    aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
        How patches' scores become the patient's, as in :func:`patient_scores`. Where that needs
        other parameters, call it first and give its scores without `groups`.

    Returns
    -------
    float
        The score of one of the positives. The rule ``score >= threshold`` reaches the
        sensitivity here, and that of no higher threshold does.

    Raises
    ------
    ValueError
        If there are not two classes, a score isn't finite, `sensitivity` is out of range, or a
        patient has several labels.

    Examples
    --------
    >>> from skbreast.metrics import threshold_at_sensitivity
    >>> y_true, y_score = [0, 0, 1, 1, 1, 1], [0.1, 0.6, 0.4, 0.5, 0.8, 0.9]
    >>> threshold_at_sensitivity(y_true, y_score, sensitivity=0.75)
    0.5
    >>> threshold_at_sensitivity(y_true, y_score, groups=["a", "a", "b", "b", "c", "c"])
    0.45
    """
    check_number(sensitivity, name="sensitivity", low=0, high=1, open_low=True)
    if groups is not None:
        _, y_true = labels_of_patients(y_true, groups, name="y_true")
        _, y_score = patient_scores(y_score, groups, aggregate=aggregate)
    positive, y_score = _check_scored(y_true, y_score)
    descending = np.sort(y_score[positive])[::-1]
    n_wanted = math.ceil(sensitivity * len(descending) - _ROUNDING)
    return float(descending[max(n_wanted, 1) - 1])


def _steps(y_true, y_score, sample_weight):
    positive, y_score = _check_scored(y_true, y_score)
    if sample_weight is not None:
        sample_weight = check_weights(sample_weight, n_samples=len(positive))
        if not (sample_weight[positive].any() and sample_weight[~positive].any()):
            raise ValueError("sample_weight adds up to 0 for a class; give some patches a weight.")
    false_positive, true_positive, _ = roc_curve(
        positive, ranks_of(y_score), sample_weight=sample_weight, drop_intermediate=False
    )
    return false_positive, true_positive


def _check_scored(y_true, y_score):
    y_score = check_floats(y_score, name="y_score")
    if y_score.ndim != 1:
        raise ValueError(
            "y_score must be one-dimensional, scores of the positive class; got shape "
            f"{y_score.shape}."
        )
    positive = is_positive(y_true)
    check_consistent_length(positive, y_score)
    return positive, y_score
