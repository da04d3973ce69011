"""Scores of held-out patches by a copy of a classifier, with what its fit takes."""

from sklearn.base import clone
from sklearn.utils import _safe_indexing

__all__ = ["fit_and_score", "positive_scores"]


def fit_and_score(estimator, X, y, params, fold, response, positive):
    """Fit a copy to the training rows of a fold, and return the scores of the others."""
    train, test = fold
    params = {name: _part(value, train, n_samples=len(y)) for name, value in params.items()}
    fitted = clone(estimator).fit(_safe_indexing(X, train), y[train], **params)
    return positive_scores(fitted, _safe_indexing(X, test), response, positive)


def _part(value, rows, *, n_samples):
    """Return the rows of what has one entry a patch; anything else as it is."""
    is_aligned = hasattr(value, "__len__") and not isinstance(value, str | bytes | dict)
    is_aligned = is_aligned and len(value) == n_samples
    return _safe_indexing(value, rows) if is_aligned else value


def positive_scores(fitted, X, response, positive):
    """Return the scores of the positive class, higher for more positive."""
    values = getattr(fitted, response)(X)
    place = fitted.classes_.tolist().index(positive)
    if response == "predict_proba":
        return values[:, place]
    return values if place == 1 else -values
