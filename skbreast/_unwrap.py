"""What stands inside searches, thresholds and pipelines once they are fitted."""

from typing import NamedTuple

from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline

from skbreast.model_selection import SensitivityThresholdClassifierCV

__all__ = [
    "DecisionThreshold",
    "decision_threshold",
    "last_step",
    "take_to_last_step",
    "unwrapped",
]

THRESHOLDS = (
    SensitivityThresholdClassifierCV,
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)


def unwrapped(estimator):
    """Return the fitted estimator inside searches and thresholds, which may be itself.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    estimator
        Often a pipeline.
    """
    if hasattr(estimator, "best_estimator_"):
        return unwrapped(estimator.best_estimator_)
    # Not whatever has an `estimator_`: that of bagging, for one, is never fitted.
    if isinstance(estimator, THRESHOLDS) and hasattr(estimator, "estimator_"):
        return unwrapped(estimator.estimator_)
    return estimator


def last_step(estimator):
    """Return what decides in the end: the last step of what :func:`unwrapped` returns.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    estimator
        No pipeline, search or threshold.
    """
    estimator = unwrapped(estimator)
    return last_step(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator


def take_to_last_step(estimator, X):
    """Run the steps of pipelines and searches once, for all that is asked of the last one.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like of n_patches
        What it takes.

    Returns
    -------
    estimator
        What answers; itself where it is neither.
    X : array-like of n_patches
        What reaches it.
    """
    if type(estimator) is Pipeline and len(estimator) > 1:
        return take_to_last_step(estimator[-1], estimator[:-1].transform(X))
    if isinstance(estimator, GridSearchCV):
        return take_to_last_step(estimator.best_estimator_, X)
    return estimator, X


class DecisionThreshold(NamedTuple):
    """From which score on a model of two classes decides for one of them.

    Attributes
    ----------
    threshold : float
        The least score.
    pos_label : object
        The class; None is the second one.
    method : {"predict_proba", "decision_function"}
        What gives the scores.
    """

    threshold: float
    pos_label: object
    method: str


def decision_threshold(estimator):
    """Return the threshold of a model that has one of its own.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    DecisionThreshold or None
    """
    if hasattr(estimator, "best_estimator_"):
        return decision_threshold(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        return decision_threshold(estimator.steps[-1][1])
    if not isinstance(estimator, THRESHOLDS):
        return None
    if isinstance(estimator, SensitivityThresholdClassifierCV):
        estimator = estimator._fixed()
    if isinstance(estimator, TunedThresholdClassifierCV):
        positive = estimator._curve_scorer._get_pos_label()
        method = _method(estimator, estimator.estimator_)
        return DecisionThreshold(estimator.best_threshold_, positive, method)
    method = _method(estimator, getattr(estimator, "estimator_", estimator.estimator))
    usual = 0.5 if method == "predict_proba" else 0.0
    threshold = usual if estimator.threshold == "auto" else estimator.threshold
    return DecisionThreshold(threshold, estimator.pos_label, method)


def _method(model, estimator):
    if model.response_method != "auto":
        return model.response_method
    has = hasattr(estimator, "predict_proba")
    return "predict_proba" if has else "decision_function"
