"""How patches look: named tuples of arrays, a row a patch or group, NaN where not known."""

import numpy as np

from skbreast.color import Stains
from skbreast.color._densities import N_MEASURED, sample_places

__all__ = ["joined", "measured_rows", "pool_pixels", "replaced", "robust_mean", "taken"]


def measured_rows(looks):
    """Tell which rows are known, ``(n_rows,)``."""
    return np.isfinite(looks[0]).reshape(len(looks[0]), -1).all(axis=1)


def taken(looks, rows):
    """Return the looks of some rows."""
    return type(looks)(*(values[rows] for values in looks))


def replaced(looks, rows, other):
    """Return looks of which some rows are another look, of one row."""
    changed = type(looks)(*(values.copy() for values in looks))
    for values, value in zip(changed, other, strict=True):
        values[rows] = value
    return changed


def joined(several):
    """Return looks one below the other."""
    return type(several[0])(*(np.concatenate(each) for each in zip(*several, strict=True)))


def robust_mean(looks, owners=None):
    """Return the median look, of one row.

    Parameters
    ----------
    looks : Stains or ColorStatistics
        One row a patch or group; at least one is known.
    owners : ndarray of shape (n_rows,), optional
        Whose each row is. The median is then that of each owner's medians.

    Returns
    -------
    Stains or ColorStatistics
        One row.
    """
    known = measured_rows(looks)
    looks = taken(looks, known)
    if owners is not None:
        owners = np.asarray(owners)[known]
        looks = joined([robust_mean(taken(looks, owners == each)) for each in np.unique(owners)])
    medians = [np.median(values, axis=0, keepdims=True) for values in looks]
    if isinstance(looks, Stains):
        medians[0] /= np.linalg.norm(medians[0], axis=2, keepdims=True)
    return type(looks)(*medians)


def pool_pixels(patches):
    """Return pixels of many patches as one, drawn from all of them.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        At least one.

    Returns
    -------
    ndarray of shape (1, n_pixels, 1, 3), uint8
        16,384 pixels, or all where there are fewer.
    """
    pixels = patches.reshape(-1, 3)
    return pixels[sample_places(len(pixels), N_MEASURED)][None, :, None]
