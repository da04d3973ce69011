"""Is a model worth using: its net benefit against treating everybody, or nobody."""

from dataclasses import dataclass

import numpy as np

from skbreast.metrics._calibration import check_probabilities
from skbreast.metrics._limits import check_floats, check_weights

__all__ = ["DecisionCurve", "decision_curve"]


@dataclass(frozen=True, slots=True, eq=False)
class DecisionCurve:
    """Net benefits against the threshold probability, from :func:`decision_curve`.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,), float64
        Probabilities from which one would act.
    model : ndarray of shape (n_thresholds,), float64
        Net benefit of acting where the model's probability reaches the threshold.
    treat_all, treat_none : ndarray of shape (n_thresholds,), float64
        Net benefit of always acting, and of never (0).
    """

    thresholds: np.ndarray
    model: np.ndarray
    treat_all: np.ndarray
    treat_none: np.ndarray


def decision_curve(y_true, y_score, *, thresholds=None, sample_weight=None):
    """Return the net benefit of acting on a model, on all, and on none.

    Who acts from a probability of t on takes (1 - t) / t false alarms for one hit. The net
    benefit is the share of true positives less that of false positives times t / (1 - t) [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one.
    y_score : array-like of shape (n_patches,) or (n_patches, 2)
        Probabilities of the positive class, in [0, 1], or of both; calibrated, since a threshold
        is taken at its word.
    thresholds : array-like of shape (n_thresholds,), default=None
        Probabilities in [0, 1); by default .01, .02, …, .99.
    sample_weight : array-like of shape (n_patches,), default=None
        Weights; with :func:`patient_weights` patients count the same.

    Returns
    -------
    DecisionCurve
        Net benefits, at most the share of positives.

    Raises
    ------
    ValueError
        If there are more than two classes, a probability is out of [0, 1], weights add up to 0,
        or a threshold is out of range.

    References
    ----------
    .. [1] A. J. Vickers, E. B. Elkin, "Decision curve analysis: a novel method for evaluating
       prediction models", Medical Decision Making 26(6), 565-574, 2006.

    Examples
    --------
    >>> from skbreast.metrics import decision_curve
    >>> curve = decision_curve([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], thresholds=[0.2, 0.5])
    >>> curve.model.tolist(), curve.treat_all.tolist()
    ([0.4375, 0.0], [0.375, 0.0])
    """
    y_true, y_prob = check_probabilities(y_true, y_score, name="y_score")
    weights = check_weights(sample_weight, n_samples=len(y_true))
    thresholds = _check_thresholds(thresholds)
    weights = weights / weights.sum()
    odds = thresholds / (1 - thresholds)
    hits = _share_reaching(y_prob, weights * y_true, thresholds)
    false_alarms = _share_reaching(y_prob, weights * (1 - y_true), thresholds)
    prevalence = np.sum(weights * y_true)
    return DecisionCurve(
        thresholds, hits - odds * false_alarms, prevalence - odds * (1 - prevalence), 0 * thresholds
    )


def _share_reaching(y_prob, weights, thresholds):
    order = np.argsort(y_prob)
    below = np.concatenate([[0], np.cumsum(weights[order])])
    return below[-1] - below[np.searchsorted(y_prob[order], thresholds)]


def _check_thresholds(thresholds):
    if thresholds is None:
        return np.arange(1, 100) / 100
    thresholds = check_floats(thresholds, name="thresholds")
    if thresholds.ndim != 1 or thresholds.min() < 0 or thresholds.max() >= 1:
        raise ValueError("thresholds must be one-dimensional, from 0 to below 1.")
    return thresholds
