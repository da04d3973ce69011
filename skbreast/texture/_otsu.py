"""Otsu's thresholds of many planes at once."""

import numpy as np

__all__ = ["level_histograms", "otsu_thresholds"]

N_LEVELS = 256


def level_histograms(stack):
    """Count the levels of each plane.

    Parameters
    ----------
    stack : ndarray of shape (n_planes, height, width), uint8
        Levels.

    Returns
    -------
    ndarray of shape (n_planes, 256), float64
        Whole numbers.
    """
    counts = [np.bincount(plane.ravel(), minlength=N_LEVELS) for plane in stack]
    return np.array(counts, dtype=np.float64)


def otsu_thresholds(histograms):
    """Return the level above which foreground lies, the first of the best (Otsu 1979).

    Parameters
    ----------
    histograms : ndarray of shape (n_planes, 256), float64
        Counts of levels.

    Returns
    -------
    ndarray of shape (n_planes,), int
        Thresholds; 0 where there is one level only.

    Notes
    -----
    The means go on from level to level, rounded as in mahotas, so that of two thresholds that
    are equally good the same one is taken.
    """
    counts = np.ascontiguousarray(histograms.T)
    levels = np.arange(N_LEVELS, dtype=np.float64)
    below = np.cumsum(counts, axis=0)
    above = below[-1] - below
    mean_below = np.zeros_like(counts[0])
    mean_above = _ratio(levels @ counts, above[0])
    best = below[0] * above[0] * mean_above**2
    thresholds = np.zeros(len(histograms), dtype=np.intp)
    for level in range(1, N_LEVELS):
        moved = level * counts[level]
        mean_below = _ratio(mean_below * below[level - 1] + moved, below[level])
        mean_above = _ratio(mean_above * above[level - 1] - moved, above[level])
        apart = mean_below - mean_above
        between = below[level] * above[level] * apart * apart
        is_better = between > best
        thresholds[is_better] = level
        best = np.maximum(best, between)
    return thresholds


def _ratio(sums, counts):
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
