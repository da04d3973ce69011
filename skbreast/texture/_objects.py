"""Sizes and shapes of the connected objects in many masks at once."""

import numpy as np
from scipy import ndimage

__all__ = ["find_objects", "group_moments", "group_quantiles"]

_WITHIN_A_MASK = np.zeros((3, 3, 3), dtype=bool)
_WITHIN_A_MASK[1] = True  # corners connect; masks don't


def find_objects(masks, *, min_area):
    """Find connected objects.

    Parameters
    ----------
    masks : ndarray of shape (n_masks, height, width), bool
        True inside objects.
    min_area : int
        Pixels that an object has at least; smaller ones are left out.

    Returns
    -------
    mask, area, eccentricity : ndarray of shape (n_objects,)
        The mask in which each object lies, its pixels, and the eccentricity of the ellipse of the
        same second moments: 0 for a circle, towards 1 for a line.
    inside : ndarray of shape (n_masks, height, width), bool
        True inside these objects.
    """
    labels, _ = ndimage.label(masks, structure=_WITHIN_A_MASK)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    is_large = areas >= max(1, min_area)
    inside = is_large[labels]
    mask, row, column = np.nonzero(inside)
    number = (np.cumsum(is_large) - 1)[labels[inside]]
    area = areas[is_large].astype(np.float64)
    mask_of = np.zeros(len(area), dtype=np.intp)
    mask_of[number] = mask
    return mask_of, area, _eccentricities(number, row, column, area), inside


def _eccentricities(number, row, column, area):
    def mean(values):
        return np.bincount(number, values, minlength=len(area)) / area

    down, right = row - mean(row)[number], column - mean(column)[number]
    tall, wide, slanted = mean(down * down), mean(right * right), mean(down * right)
    spread = np.hypot(tall - wide, 2 * slanted)
    longer = tall + wide + spread  # twice the larger eigenvalue; the smaller: less the spread
    return np.sqrt(np.divide(2 * spread, longer, out=np.zeros_like(area), where=longer > 0))


def group_moments(values, group, n_groups):
    """Return the number, mean and standard deviation of values in each group, 0 without any.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Numbers.
    group : ndarray of shape (n_values,), int
        The group of each.
    n_groups : int
        How many groups there are.

    Returns
    -------
    counts, means, deviations : ndarray of shape (n_groups,), float64
        Deviations are those of the population.
    """
    counts = np.bincount(group, minlength=n_groups).astype(np.float64)
    sums = np.bincount(group, values, minlength=n_groups)
    means = sums / np.maximum(1, counts)
    squares = np.bincount(group, (values - means[group]) ** 2, minlength=n_groups)
    return counts, means, np.sqrt(squares / np.maximum(1, counts))


def group_quantiles(values, group, n_groups, quantile):
    """Return a quantile of the values in each group, as numpy interpolates it; 0 without any."""
    values = values[np.lexsort([values, group])]
    counts = np.bincount(group, minlength=n_groups)
    place = quantile * np.maximum(0, counts - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(0, counts - 1))
    first, has_any = np.cumsum(counts) - counts, counts > 0
    found = np.zeros(n_groups)
    below, above = values[(first + low)[has_any]], values[(first + high)[has_any]]
    found[has_any] = below + (place - low)[has_any] * (above - below)
    return found
