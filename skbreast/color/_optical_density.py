"""Optical density and stains: pure functions on arrays whose last axis is red, green, blue."""

import numpy as np
from skimage.color import rgb_from_hed

from skbreast.color._checks import BRIGHTEST, check_light, check_real

__all__ = [
    "STAIN_VECTORS",
    "optical_density_to_rgb",
    "rgb_to_optical_density",
]

DENSEST = 30  # in float32 nothing overflows, and whatever is denser is black too

STAIN_VECTORS = np.array(rgb_from_hed, dtype=np.float64)
"""Ruifrok and Johnston's stains: rows haematoxylin, eosin, DAB; columns red, green, blue."""
STAIN_VECTORS.setflags(write=False)


def rgb_to_optical_density(rgb, background=255.0):
    """Turn intensities into optical densities, ``log10(background / rgb)``.

    Stains add up in optical density, not in intensity (law of Beer and Lambert).

    Parameters
    ----------
    rgb : array-like of shape (..., 3)
        Intensities 0…255, uint8 or float, and up to 65,535. What is below 1 counts as 1, so that
        black stays finite.
    background : float or array-like of shape (3,), default=255
        Intensity of the empty slide, from 1 to 65,535.

    Returns
    -------
    ndarray of shape (..., 3), float32
        Optical densities; 0 is the empty slide, negative is brighter than that.

    Raises
    ------
    ValueError
        If the last axis isn't 3 long, or an argument doesn't hold finite numbers of its range.

    References
    ----------
    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution",
    Analytical and Quantitative Cytology and Histology 23 (2001).

    Examples
    --------
    >>> from skbreast.color import rgb_to_optical_density
    >>> rgb_to_optical_density([[250, 25, 2.5]], background=250).round(3)
    array([[0., 1., 2.]], dtype=float32)
    """
    rgb, background = check_real(rgb, name="rgb", high=BRIGHTEST), check_light(background)
    _check_channels(rgb, "rgb")
    if rgb.dtype == np.uint8 and background.ndim == 0:
        levels = np.maximum(np.arange(256), 1)
        return np.log10(background / levels).astype(np.float32)[rgb]
    return np.log10(background.astype(np.float32) / np.maximum(rgb, 1).astype(np.float32))


def optical_density_to_rgb(optical_density, background=255.0):
    """Turn optical densities into intensities; the inverse of :func:`rgb_to_optical_density`.

    Parameters
    ----------
    optical_density : array-like of shape (..., 3)
        Optical densities.
    background : float or array-like of shape (3,), default=255
        Intensity of the empty slide, from 1 to 65,535.

    Returns
    -------
    ndarray of shape (..., 3), uint8
        Rounded intensities, clipped to 0…255.

    Raises
    ------
    ValueError
        If the last axis isn't 3 long, or an argument doesn't hold finite numbers of its range.

    Examples
    --------
    >>> from skbreast.color import optical_density_to_rgb
    >>> optical_density_to_rgb([[0.0, 1.0, 2.0]], background=250)
    array([[250,  25,   2]], dtype=uint8)
    """
    density = check_real(optical_density, name="optical_density")
    _check_channels(density, "optical_density")
    density = np.clip(density, -DENSEST, DENSEST).astype(np.float32)
    rgb = check_light(background).astype(np.float32) * np.float32(10) ** -density
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _check_channels(array, name):
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ValueError(f"{name} must have 3 channels as its last axis; got shape {array.shape}.")
