"""Co-occurrence of grey levels in many patches at once, and its properties."""

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.special import xlogy
from skimage.feature import graycomatrix

__all__ = ["PROPERTIES", "cooccurrence_properties"]

PROPERTIES = (
    "contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy", "variance",
    "sum_variance", "sum_entropy", "difference_variance", "difference_entropy",
    "information1", "information2",
)  # fmt: skip
_ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
_N_CELLS = 2**16  # of co-occurrence matrices, worked on at once: half a MiB
_PLAIN = (0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)  # the properties of a patch of one colour
_MOST_REPEATED = 2**16  # a table of logarithms pays while counts are small


def cooccurrence_properties(plane, distances, n_levels):
    """Return the properties at each distance, averaged over the angles that have pairs.

    Parameters
    ----------
    plane : ndarray of shape (n_patches, height, width), uint8
        Levels 0…255.
    distances : sequence of int
        Distances in pixels.
    n_levels : int
        Levels that are told apart.

    Returns
    -------
    ndarray of shape (n_patches, n_distances * 13), float64
        :data:`PROPERTIES` for each distance. Those of a patch of one colour where a patch has no
        pair.
    """
    levels = (plane.astype(np.uint16) * n_levels // 256).astype(np.uint8)
    step = max(1, _N_CELLS // (n_levels**2 * len(distances) * len(_ANGLES)))
    starts = range(0, len(levels), step)
    return np.vstack(
        [_properties_of_few(levels[at : at + step], distances, n_levels) for at in starts]
    )


def _properties_of_few(levels, distances, n_levels):
    counts = [graycomatrix(each, distances, _ANGLES, n_levels) for each in levels]
    has_pairs = counts[0].any(axis=(0, 1))  # of each distance and angle; all are of one size
    properties = _properties(np.stack(counts, axis=2))
    shares = has_pairs / np.maximum(1, has_pairs.sum(axis=1, keepdims=True))
    averages = np.einsum("ndap,da->ndp", properties, shares)
    averages[:, ~has_pairs.any(axis=1)] = _PLAIN
    return averages.reshape(len(levels), -1)


def _properties(counts):
    """Return the properties of pairs taken both ways around.

    Parameters
    ----------
    counts : ndarray of shape (n_levels, n_levels, ...), int
        Pairs taken one way.

    Returns
    -------
    ndarray of shape (..., n_properties), float64
        What scikit-image's graycoprops gives, many times faster, since it goes over each matrix
        once a property; and what is left of Haralick's. Of no meaning, but finite, where there
        are no pairs.
    """
    n_levels, shape = len(counts), counts.shape[2:]
    both = (counts + counts.swapaxes(0, 1)).reshape(n_levels**2, -1)
    n_pairs = np.maximum(1, both.sum(axis=0, dtype=np.float64))
    sums = _weights(n_levels) @ both.astype(np.float64)
    contrast, dissimilarity, homogeneity, level, square, product = sums
    # of whole numbers, so that it is 0 where all levels are one, and nowhere else
    spread = n_pairs * square - level**2
    covariance = n_pairs * product - level**2
    correlation = np.divide(covariance, spread, out=np.ones_like(spread), where=spread > 0)
    energy = np.sqrt(np.einsum("cm,cm->m", both, both, dtype=np.float64))
    marginal = both.reshape(n_levels, n_levels, -1).sum(axis=0)
    sums, differences = (fold @ both for fold in _folds(n_levels))
    entropies = [_entropy(each, n_pairs) for each in (both, marginal, sums, differences)]
    shares = np.stack([contrast, dissimilarity, homogeneity, energy]) / n_pairs
    variance, shared = spread / n_pairs**2, covariance / n_pairs**2
    rest = [variance, 2 * (variance + shared), entropies[2]]
    rest += [np.maximum(0, shares[0] - shares[1] ** 2), entropies[3], *_information(*entropies[:2])]
    return np.vstack([shares, correlation, entropies[0], rest]).T.reshape(*shape, -1)


def _entropy(counts, n_pairs):
    """Return the entropy in nats of each column of counts that add up to `n_pairs`."""
    if counts.max() < _MOST_REPEATED:
        table = xlogy(*[np.arange(counts.max() + 1)] * 2)
        return np.maximum(0, np.log(n_pairs) - table[counts].sum(axis=0) / n_pairs)
    return np.maximum(0, np.log(n_pairs) - xlogy(counts, counts).sum(axis=0) / n_pairs)


def _information(entropy, marginal_entropy):
    """Return Haralick's two measures of information; of symmetric pairs both margins are one."""
    shared = np.maximum(0, 2 * marginal_entropy - entropy)
    some = marginal_entropy > 0
    first = -np.divide(shared, marginal_entropy, out=np.zeros_like(shared), where=some)
    return first, np.sqrt(1 - np.exp(-2 * shared))


@lru_cache(maxsize=8)
def _folds(n_levels):
    """Return what adds up pairs of one sum, and those of one absolute difference, of levels."""
    first, second = np.indices((n_levels, n_levels)).reshape(2, -1)
    pairs, ones = np.arange(n_levels**2), np.ones(n_levels**2, dtype=np.int64)
    return tuple(
        csr_array((ones, (rows, pairs))) for rows in (first + second, np.abs(first - second))
    )


def _weights(n_levels):
    """Return what each pair adds to the sums, ``(6, n_levels**2)``."""
    first, second = np.indices((n_levels, n_levels), dtype=np.float64).reshape(2, -1)
    apart = (first - second) ** 2
    return np.stack([apart, np.sqrt(apart), 1 / (1 + apart), first, first**2, first * second])
