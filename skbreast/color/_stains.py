"""Stains as vectors of optical density: take them apart, mix them, exchange them."""

from typing import NamedTuple

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast._validation import check_flag
from skbreast.color._checks import (
    LARGEST,
    check_looks,
    check_real,
    check_vectors,
    constant,
    refuse_alike,
)
from skbreast.color._densities import (
    check_background_and_density,
    density_planes,
    row_percentiles,
)
from skbreast.color._density_maps import map_densities
from skbreast.color._optical_density import optical_density_to_rgb

__all__ = [
    "MACENKO_REFERENCE",
    "VAHADANE_REFERENCE",
    "Stains",
    "exchange_stains",
    "measure_strengths",
    "mix_stains",
    "only_measured",
    "stain_concentrations",
]

STRENGTH_PERCENTILE = 99  # of the concentrations, in all publications
MOST_STAIN = 1e6  # of its vector: whatever is denser is black too
LEAST_STRENGTH = 0.03  # in optical density: a stain that is not there cannot be made stronger


class Stains(NamedTuple):
    """How haematoxylin and eosin look: in one batch, each patch for itself.

    Attributes
    ----------
    vectors : ndarray of shape (n_patches, 2, 3), float64
        Optical densities red, green, blue of haematoxylin and of eosin, of length 1. NaN where a
        patch has no stain to be measured.
    strengths : ndarray of shape (n_patches, 2), float64
        The 99th percentile of the concentrations, in optical density (log10). NaN likewise.
    """

    vectors: np.ndarray
    strengths: np.ndarray


MACENKO_REFERENCE = constant(
    Stains(
        [[[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]]],
        np.array([[1.9705, 1.0308]]) / np.log(10),
    )
)
"""The stains to which published code for Macenko's method brings pictures by default."""

VAHADANE_REFERENCE = constant(
    Stains([[[0.515, 0.739, 0.434], [0.286, 0.791, 0.542]]], [[0.99, 0.58]])
)
"""The same look as Vahadane's method sees it: medians over patients of IDC and of BreakHis, brought
to :data:`MACENKO_REFERENCE`."""


def stain_concentrations(patches, vectors, *, background=255.0):
    """Return how much of each stain every pixel holds, by least squares.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255.
    vectors : array-like of shape (n_stains, 3) or (n_patches, n_stains, 3)
        Optical densities (log10) of the stains, two or three, for all patches or for each.
    background : float, default=255
        Intensity of the empty slide.

    Returns
    -------
    ndarray of shape (n_patches, height, width, n_stains), float32
        Concentrations, in multiples of the vectors; below 0 where a pixel's colour lies outside
        of what the stains can mix.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB, `vectors` aren't finite numbers of such a shape
        or cannot be told apart, or `background` isn't from 1 to 255.

    See Also
    --------
    skimage.color.separate_stains : For one picture and three stains; clips below 0.

    References
    ----------
    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution",
    Analytical and Quantitative Cytology and Histology 23 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.color import STAIN_VECTORS, mix_stains, stain_concentrations
    >>> patch = mix_stains(np.full((1, 2, 2, 2), [0.4, 0.2]), STAIN_VECTORS[:2])
    >>> stain_concentrations(patch, STAIN_VECTORS[:2])[0, 0, 0].round(2).tolist()
    [0.4..., 0.2...]
    """
    check_rgb_batch(patches)
    check_background_and_density(background)
    shapes = [(2, 3), (3, 3), (len(patches), 2, 3), (len(patches), 3, 3)]
    apart = _apart(check_vectors(vectors, shapes=shapes)).astype(np.float32)
    density = density_planes(patches, background).swapaxes(1, 2)
    return (density @ apart).reshape(*patches.shape[:3], apart.shape[-1])


def mix_stains(concentrations, vectors, *, background=255.0):
    """Return what stains look like together; the inverse of :func:`stain_concentrations`.

    Parameters
    ----------
    concentrations : array-like of shape (..., n_stains)
        How much of each stain, in multiples of its vector, within a million.
    vectors : array-like of shape (n_stains, 3)
        Optical densities (log10) of the stains.
    background : float or array-like of shape (3,), default=255
        Intensity of the empty slide, from 1.

    Returns
    -------
    ndarray of shape (..., 3), uint8
        Intensities.

    Raises
    ------
    ValueError
        If an argument doesn't hold finite real numbers of such a shape.

    Examples
    --------
    >>> from skbreast.color import STAIN_VECTORS, mix_stains
    >>> mix_stains([[0, 0], [1, 0], [0, 1]], STAIN_VECTORS[:2])
    array([[255, 255, 255],
           [ 57,  51, 131],
           [217,  26, 198]], dtype=uint8)
    """
    vectors = check_real(vectors, name="vectors", low=-LARGEST, high=LARGEST)
    concentrations = check_real(
        concentrations, name="concentrations", low=-MOST_STAIN, high=MOST_STAIN
    )
    if vectors.ndim != 2 or vectors.shape[1] != 3 or not len(vectors):
        raise ValueError(f"vectors must have the shape (n_stains, 3); got {vectors.shape}.")
    if concentrations.ndim == 0 or concentrations.shape[-1] != len(vectors):
        raise ValueError(
            f"concentrations must have a last axis of {len(vectors)}, an entry a stain; got shape "
            f"{concentrations.shape}."
        )
    return optical_density_to_rgb(concentrations @ vectors.astype(np.float64), background)


def measure_strengths(density, vectors):
    """Return the pseudo-maximum of each stain's concentrations.

    Parameters
    ----------
    density : ndarray of shape (n_patches, 3, n_pixels), float32
        Optical densities.
    vectors : ndarray of shape (n_patches, 2, 3)
        Stain vectors.

    Returns
    -------
    ndarray of shape (n_patches, 2), float64
        The 99th percentile, NaN where a stain is so weak that it cannot be made stronger.
    """
    concentrations = _apart(vectors).swapaxes(1, 2).astype(np.float32) @ density
    strengths = row_percentiles(concentrations, STRENGTH_PERCENTILE)
    strengths[strengths.min(axis=1) < LEAST_STRENGTH] = np.nan
    return strengths


def only_measured(vectors, strengths, measured):
    """Return stains, haematoxylin (of the two the redder density) first; NaN if not `measured`."""
    swapped = vectors[:, 0, 0] < vectors[:, 1, 0]
    vectors = np.where(swapped[:, None, None], vectors[:, ::-1], vectors).astype(np.float64)
    strengths = np.where(swapped[:, None], strengths[:, ::-1], strengths)
    unsure = ~measured | ~np.isfinite(strengths).all(axis=1)
    vectors[unsure], strengths[unsure] = np.nan, np.nan
    return Stains(vectors, strengths)


def exchange_stains(patches, stains, target, *, background=240.0, keep_residual=True):
    """Give patches the stains of a target, and keep how much of each stain a pixel holds.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255. They are not changed.
    stains : Stains
        Those of each patch, or one for all. Where they are NaN, patches come back as they are.
    target : Stains
        One for all.
    background : float, default=240
        Intensity of the empty slide.
    keep_residual : bool, default=True
        Whether to keep what of a pixel's density lies outside of the plane of both stains. The
        paper loses it, so that pictures change even where stains and target are the same.

    Returns
    -------
    ndarray of shape (n_patches, height, width, 3), uint8
        New patches.

    Raises
    ------
    TypeError
        If `patches` aren't uint8, or stains and target not :class:`Stains`.
    ValueError
        If `patches` aren't four-dimensional RGB, stains and target are not as above or out of any
        range of densities, or the two stains of a patch cannot be told apart.

    References
    ----------
    Macenko et al., "A method for normalizing histology slides for quantitative analysis", IEEE
    International Symposium on Biomedical Imaging (2009).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.color import MACENKO_REFERENCE, exchange_stains, macenko_stains
    >>> from skbreast.datasets import make_patches
    >>> patches = make_patches(2, 2, random_state=0).data
    >>> normalized = exchange_stains(patches, macenko_stains(patches), MACENKO_REFERENCE)
    >>> float(np.abs(macenko_stains(normalized).vectors - MACENKO_REFERENCE.vectors).max()) < 0.05
    True
    """
    check_rgb_batch(patches)
    check_background_and_density(background)
    check_flag(keep_residual, name="keep_residual")
    stains, target, measured = check_looks(
        stains, target, kind=Stains, shapes=((2, 3), (2,)), name="stains", n_patches=len(patches)
    )
    vectors, strengths = (each[measured] for each in stains)
    refuse_alike(vectors, name="stains.vectors")
    ratios = target.strengths / strengths
    slopes = _apart(vectors) @ (ratios[:, :, None] * target.vectors)
    if keep_residual:
        slopes += np.eye(3) - _apart(vectors) @ vectors
    shift = np.log10(255 / background)
    offsets = shift - shift * slopes.sum(axis=1, keepdims=True)
    if measured.all():
        return map_densities(patches, slopes, offsets)
    exchanged = patches.copy()
    exchanged[measured] = map_densities(patches[measured], slopes, offsets)
    return exchanged


def _apart(vectors):
    """Return the matrices that take densities, as rows, apart into stains."""
    across = np.swapaxes(vectors, -1, -2)
    return across @ np.linalg.inv(vectors @ across)
