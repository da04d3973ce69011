"""What stands inside a fitted classifier that is to become a graph."""

import copy

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline

from skbreast._onnx_calibration import threshold_of
from skbreast._unwrap import THRESHOLDS

__all__ = ["deciding_threshold", "fitted_parts", "inside", "rebuilt"]


def inside(estimator):
    """Return the fitted estimators that an estimator hands patches or features to, in order.

    Never what it was given to copy and fit: that may have been fitted before, on other patches.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    list of estimators
        Empty for one that works alone, or is not known.
    """
    for kinds, parts in _INSIDE:
        if isinstance(estimator, kinds):
            return [part for part in parts(estimator) if not _is_nothing(part)]
    return []


def _is_nothing(step):
    return step is None or (isinstance(step, str) and step in ("passthrough", "drop"))


def _behind_threshold(model):
    return [getattr(model, "estimator_", model.estimator)]  # the latter was fitted before


_INSIDE = (
    (Pipeline, lambda pipeline: [step for _, step in pipeline.steps]),
    (FeatureUnion, lambda union: [step for _, step in union.transformer_list]),
    (FrozenEstimator, lambda frozen: [frozen.estimator]),
    (CalibratedClassifierCV, lambda m: [each.estimator for each in m.calibrated_classifiers_]),
    (THRESHOLDS, _behind_threshold),
    ((GridSearchCV, RandomizedSearchCV), lambda search: [search.best_estimator_]),
)


def fitted_parts(estimator):
    """Return a fitted estimator and all that works inside it, outer ones first."""
    return [estimator, *(each for part in inside(estimator) for each in fitted_parts(part))]


def deciding_threshold(estimator):
    """Return the `Threshold` that the labels of a fitted classifier follow, or None."""
    if isinstance(estimator, THRESHOLDS):
        return threshold_of(estimator)
    if isinstance(estimator, CalibratedClassifierCV):
        return None  # takes the most probable class, whatever those inside do
    parts = inside(estimator)
    return deciding_threshold(parts[-1]) if parts else None


def rebuilt(estimator, change):
    """Return a copy of a fitted estimator in which every estimator within is changed.

    Parameters
    ----------
    estimator : estimator
        Left as it is.
    change : callable
        Gets a shallow copy of each estimator, outer ones first, and may set its attributes.

    Returns
    -------
    estimator
    """
    changed = copy.copy(estimator)
    change(changed)
    for name, value in vars(changed).items():
        setattr(changed, name, _rebuilt_within(value, change))
    return changed


def _rebuilt_within(value, change):
    # What CalibratedClassifierCV keeps of each fold is no estimator by its class.
    if isinstance(value, BaseEstimator) or hasattr(value, "calibrators"):
        return rebuilt(value, change)
    if type(value) in (list, tuple):
        return type(value)(_rebuilt_within(each, change) for each in value)
    return value
