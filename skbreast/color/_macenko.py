"""Stain vectors by Macenko's method: the extreme directions in the plane of most variance."""

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast._validation import check_number
from skbreast.color._densities import (
    check_background_and_density,
    density_planes,
    judge_stain,
    masked_percentiles,
    second_moments,
    stained_pixels,
    thin_pixels,
)
from skbreast.color._density_maps import chunks_of
from skbreast.color._stains import Stains, measure_strengths, only_measured

__all__ = ["macenko_stains"]

LEAST_ANGLE = np.cos(np.radians(10))  # between the stains; less may be one stain and noise


def macenko_stains(patches, *, background=240.0, min_density=0.01, percentile=1.0):
    """Measure haematoxylin and eosin in each patch by Macenko's method.

    Optical densities of stained pixels are laid on the plane in which they vary most; the stains
    are the directions of the lowest and the highest angle there, after leaving out outliers. Of
    patches of more than 16,384 pixels so many are measured.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255.
    background : float, default=240
        Intensity of the empty slide, above 0.
    min_density : float, default=0.01
        Pixels count whose optical density (log10) is at least that in every channel.
    percentile : float, default=1
        Share of the angles in percent that is left out at each end, 0…49.9.

    Returns
    -------
    Stains
        Vectors and strengths; NaN where a patch has no stain to be measured.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB, or a number is out of its range.

    See Also
    --------
    skbreast.stain.MacenkoNormalizer : The method as a transformer.

    Notes
    -----
    Published code leaves out densities below 0.15 in natural logarithms, 0.065 in decimal ones,
    in whichever channel. Eosin as Ruifrok measured it absorbs so little red that most of it is
    left out with them: on drawn tissue of that stain its vector is then 9° off, with 0.01 it is
    2°, and in the median patch of IDC 84 % of the pixels count instead of 23.

    References
    ----------
    Macenko et al., "A method for normalizing histology slides for quantitative analysis", IEEE
    International Symposium on Biomedical Imaging (2009).

    Examples
    --------
    >>> from skbreast.color import macenko_stains
    >>> from skbreast.datasets import make_patches
    >>> stains = macenko_stains(make_patches(2, 2, random_state=0).data)
    >>> stains.vectors.shape, stains.strengths.shape
    ((4, 2, 3), (4, 2))
    """
    check_background_and_density(background, min_density)
    check_number(percentile, name="percentile", low=0, high=49.9)
    patches = thin_pixels(check_rgb_batch(patches))
    found = [
        _stains_of_few(patches[part], background, min_density, percentile)
        for part in chunks_of(patches)
    ]
    return Stains(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _stains_of_few(patches, background, min_density, percentile):
    density = density_planes(patches, background)
    stained = stained_pixels(patches, background, min_density)
    measured = judge_stain(density, stained, background).measurable
    plane = _principal_plane(density, stained)
    across, along = (plane @ density).swapaxes(0, 1)
    angles = masked_percentiles(np.arctan2(across, along), stained, [percentile, 100 - percentile])
    measured &= np.cos(angles[:, 1] - angles[:, 0]) < LEAST_ANGLE
    angles[~measured] = [0, 1]  # any two that can be taken apart
    vectors = np.stack([np.sin(angles), np.cos(angles)], axis=2) @ plane
    return only_measured(vectors, measure_strengths(density, vectors), measured)


def _principal_plane(density, stained):
    """Return the second and the first principal axis of stained pixels, ``(n_patches, 2, 3)``."""
    weights = stained.astype(np.float32)
    n_stained = np.maximum(weights.sum(axis=1), 1)[:, None, None]
    means = density @ weights[:, :, None] / n_stained
    deviations = (density - means) * weights[:, None, :]
    covariances = second_moments(deviations) / n_stained
    axes = np.linalg.eigh(covariances.astype(np.float64))[1][:, :, 1:].swapaxes(1, 2)
    towards_stain = np.where(axes[:, 1].sum(axis=1) < 0, -1.0, 1.0)
    axes[:, 1] *= towards_stain[:, None]
    return axes.astype(np.float32)
