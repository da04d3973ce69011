"""A linear model, seen from the features in front of its scalers: weights and constants."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skbreast.inspection._occlusion import class_scores

__all__ = ["feature_weights"]

SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)
OTHERWISE = "method='occlusion' takes any classifier"


def feature_weights(steps, classes):
    """Return what makes the scores of classes of features: weights and constants.

    Parameters
    ----------
    steps : list of estimator
        Fitted: scalers, feature selectors and PCA, then a linear model with `coef_`.
    classes : ndarray of int, shape (n,)
        Numbers of classes. Of two, the first weighs what the second does with the other sign.

    Returns
    -------
    weights : ndarray of shape (n, n_features), float64
    constants : ndarray of shape (n,), float64
        The score of a class is its weights times the features, plus its constant, in which
        stand the intercept and the means that scalers take away.

    Raises
    ------
    ValueError
        If a step is none of these.
    """
    *transformers, model = steps or [None]
    weights = _coefficients(model)
    for step in reversed(transformers):
        weights = _through(step, weights)
    nothing = np.zeros((len(classes), weights.shape[1]))
    constants = class_scores(make_pipeline(*transformers, model), nothing, classes)
    if len(weights) == 1:
        return weights * (2.0 * classes[:, None] - 1), constants
    return weights[classes], constants


def _coefficients(model):
    coefficients = getattr(model, "coef_", None)
    if coefficients is None or not hasattr(model, "decision_function"):
        name = "nothing" if model is None else type(model).__name__
        raise ValueError(
            "estimator: class activation maps of a TransferFeatureExtractor need a linear model "
            f"with coef_ behind it, such as LogisticRegression; got {name}; {OTHERWISE}."
        )
    coefficients = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    probe = np.random.default_rng(0).normal(size=coefficients.shape[1])
    decided = model.decision_function(np.stack([np.zeros_like(probe), probe]))
    if not _alike(coefficients @ probe, np.atleast_1d(decided[1] - decided[0])):
        # As of support vector machines of several classes, which compare them in pairs.
        raise ValueError(
            f"estimator: the scores of {type(model).__name__} are not its coef_ times the features "
            f"plus a constant; {OTHERWISE}."
        )
    return coefficients


def _alike(first, second):
    return first.shape == second.shape and np.allclose(first, second, rtol=1e-4, atol=1e-6)


def _through(step, weights):
    """Return the weights of what goes into a step, from those of what comes out."""
    if isinstance(step, SCALERS) and not getattr(step, "clip", False):
        n_features = weights.shape[1]
        ends = step.transform(np.stack([np.zeros(n_features), np.ones(n_features)]))
        return weights * (ends[1] - ends[0])
    if isinstance(step, SelectorMixin):
        support = step.get_support()
        chosen = np.zeros((len(weights), len(support)))
        chosen[:, support] = weights
        return chosen
    if isinstance(step, PCA):
        scale = np.sqrt(step.explained_variance_) if step.whiten else 1.0
        return (weights / scale) @ step.components_
    raise ValueError(
        f"estimator: {type(step).__name__} between the features and the linear model is no scaler "
        f"without clipping, feature selector or PCA; {OTHERWISE}."
    )
