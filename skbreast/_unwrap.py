"""What stands inside searches, thresholds and pipelines once they are fitted."""

from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from skbreast.model_selection import SensitivityThresholdClassifierCV

__all__ = ["last_step", "unwrapped"]

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
    return unwrapped(estimator.estimator_) if isinstance(estimator, THRESHOLDS) else estimator


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
    return last_step(estimator.steps[-1][1]) if hasattr(estimator, "steps") else estimator
