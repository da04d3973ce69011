"""Two axes for features, and how much of their spread lies between patients or labels."""

import importlib
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

__all__ = ["VarianceShare", "embed_features", "variance_share"]


class VarianceShare(NamedTuple):
    """How much of the variance of points lies between groups.

    Attributes
    ----------
    share : float
        Eta squared: the sum of squares between groups over that around the mean, 0…1.
    chance : float
        The mean of `share` over all ways of dealing the group labels to the points.
    corrected : float
        ``(share - chance) / (1 - chance)``: 0 is what chance gives, 1 is all of the variance.
        Below 0 where groups differ less than by chance; NaN where nothing can exceed chance.
    """

    share: float
    chance: float
    corrected: float


def variance_share(points, groups, *, within=None):
    """Measure how much of the variance of points lies between groups.

    Parameters
    ----------
    points : array-like of shape (n_points, n_axes)
        Features, or their embedding; the axes' variances are summed.
    groups : array-like of shape (n_points,)
        A patient or a label each.
    within : array-like of shape (n_points,), optional
        Another division: what lies between its parts is taken away first, so that, say, only
        differences of patients among patches of one label are left.

    Returns
    -------
    VarianceShare
        NaN where the points (of each part of `within`) don't differ at all.

    Notes
    -----
    Eta squared grows with the number of groups alone. Its mean over permutations of the group
    labels is exactly ``(n_groups - 1) / (n_points - 1)``, whatever the points; corrected for it,
    it is Kelley's epsilon squared [1]_, less biased than omega squared [2]_. With `within`, labels
    are permuted in each of its parts.

    References
    ----------
    .. [1] T. L. Kelley, "An unbiased correlation ratio measure", Proceedings of the National
       Academy of Sciences 21 (1935) 554-559.
    .. [2] K. Okada, "Is omega squared less biased? A comparison of three major effect size indices
       in one-way ANOVA", Behaviormetrika 40 (2013) 129-147.

    Examples
    --------
    >>> from skbreast.plotting._embedding import variance_share
    >>> share = variance_share([[0.0], [2.0], [6.0], [8.0]], ["a", "a", "b", "b"])
    >>> [round(float(number), 3) for number in share]
    [0.9, 0.333, 0.85]
    """
    points = check_array(points, dtype=np.float64, input_name="points")
    groups = np.unique(groups, return_inverse=True)[1]
    parts = np.zeros_like(groups)
    if within is not None:
        parts = np.unique(within, return_inverse=True)[1]
    cells, cell_of = np.unique(parts * (groups.max() + 1) + groups, return_inverse=True)
    around_parts = _squares(points, parts)
    total = around_parts.sum()
    if total <= np.finfo(float).eps * np.square(points).sum():
        return VarianceShare(np.nan, np.nan, np.nan)
    share = 1 - _squares(points, cell_of).sum() / total
    n_groups = np.bincount(cells // (groups.max() + 1))
    by_chance = (n_groups - 1) / np.maximum(np.bincount(parts) - 1, 1)
    chance = float(by_chance @ around_parts / total)
    corrected = (share - chance) / (1 - chance) if chance < 1 - 1e-12 else np.nan
    return VarianceShare(float(share), chance, float(corrected))


def _squares(points, codes):
    """Return for each code the sum of squared distances of its points from their mean."""
    counts = np.bincount(codes)
    means = np.stack([np.bincount(codes, weights=axis) for axis in points.T], axis=1)
    means /= np.maximum(counts, 1)[:, None]
    return np.bincount(codes, weights=np.square(points - means[codes]).sum(axis=1))


def embed_features(features, *, method="pca", random_state=0):
    """Bring features onto two axes.

    Parameters
    ----------
    features : ndarray of shape (n_patches, n_features)
        Finite numbers.
    method : {"pca", "umap"} or transformer, default="pca"
        "pca" and "umap" standardise each feature first (mean 0, variance 1; constant ones become
        0), so that none counts for more because of its unit. A transformer gets the features as
        they are: a fitted one its `transform`, otherwise a clone its `fit_transform`.
    random_state : int, RandomState instance or None, default=0
        Decides what "pca" (of many features) and "umap" draw.

    Returns
    -------
    embedding : ndarray of shape (n_patches, 2), float64
        The first two axes.
    axis_names : tuple of (str, str)
        With the percentage of explained variance, where the method knows it.

    Raises
    ------
    ValueError
        If `method` is neither, or gives fewer than two axes.
    ImportError
        If `method` is "umap" and umap-learn is not installed.
    """
    transformer, name = _find_method(method, random_state)
    fitted = _is_fitted(transformer)
    if not fitted:
        transformer = clone(transformer)
    embedding = (transformer.transform if fitted else transformer.fit_transform)(features)
    embedding = np.asarray(embedding, dtype=np.float64)
    if embedding.ndim != 2 or embedding.shape[1] < 2:
        raise ValueError(
            f"method must give at least 2 axes; of features of shape {features.shape} it gave "
            f"an array of shape {embedding.shape}."
        )
    # The ratios of one fitted before are those of other features.
    ratios = [None, None] if fitted else _variance_ratios(transformer)
    names = (f"{name} {number}" + _in_percent(ratios[number - 1]) for number in (1, 2))
    return embedding[:, :2], tuple(names)


def _find_method(method, random_state):
    """Return the transformer that is meant, and the name of its axes."""
    if isinstance(method, str) and method == "pca":
        pca = PCA(n_components=2, random_state=random_state)
        return make_pipeline(StandardScaler(), pca), "Principal component"
    if isinstance(method, str) and method == "umap":
        umap = _import_umap().UMAP(n_components=2, random_state=random_state, n_jobs=1)
        return make_pipeline(StandardScaler(), umap), "UMAP"
    if isinstance(method, type) or not hasattr(method, "fit_transform"):
        raise ValueError(
            f'method must be "pca", "umap" or a transformer with fit_transform; got {method!r}.'
        )
    return method, type(_last_step(method)).__name__


def _import_umap():
    try:
        return importlib.import_module("umap")
    except ModuleNotFoundError as error:
        if error.name != "umap":
            raise
        raise ImportError(
            'method="umap" needs the package umap-learn: pip install umap-learn'
        ) from error


def _is_fitted(transformer):
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        return False
    return hasattr(transformer, "transform")


def _last_step(transformer):
    return transformer.steps[-1][1] if hasattr(transformer, "steps") else transformer


def _variance_ratios(transformer):
    return getattr(_last_step(transformer), "explained_variance_ratio_", [None, None])


def _in_percent(ratio):
    return "" if ratio is None else f" ({100 * ratio:.0f} % of the variance)"
