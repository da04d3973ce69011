"""Stain vectors by Vahadane's method: a sparse, non-negative factorisation of the densities."""

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast._validation import check_number
from skbreast.color._densities import (
    check_background_and_density,
    density_planes,
    judge_stain,
    stained_pixels,
    thin_pixels,
)
from skbreast.color._density_maps import chunks_of
from skbreast.color._optical_density import STAIN_VECTORS
from skbreast.color._stains import Stains, measure_strengths, only_measured

__all__ = ["vahadane_stains"]

N_PIXELS = 1024  # of a patch, evenly spaced among those that are stained
MAX_ROUNDS = 100
SMALLEST_STEP = 1e-4  # of a vector of length 1
MOST_ALIKE = np.cos(np.radians(6))  # one stain and noise is split by less


def vahadane_stains(patches, *, background=240.0, min_density=0.01, sparsity=0.1):
    """Measure haematoxylin and eosin in each patch by Vahadane's method.

    Optical densities of stained pixels are factorised into two non-negative stain vectors and
    non-negative concentrations, of which few are to be above 0: a pixel holds mostly one stain.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255.
    background : float, default=240
        Intensity of the empty slide, above 0.
    min_density : float, default=0.01
        Pixels count whose optical density (log10) is at least that in every channel.
    sparsity : float, default=0.1
        Weight of the sum of concentrations beside half the squared error, both for densities in
        natural logarithms, as in the paper; at least 0.

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
    skbreast.stain.VahadaneNormalizer : The method as a transformer.
    sklearn.decomposition.DictionaryLearning : Any number of atoms, of one matrix.

    Notes
    -----
    Two atoms in three dimensions: the best concentrations stand in closed form, so all patches are
    solved at once, alternating between concentrations and vectors (Mairal et al. 2010), from
    Ruifrok's stains on, on up to 1,024 pixels of each patch. Nothing is random.

    References
    ----------
    Vahadane et al., "Structure-preserving color normalization and sparse stain separation for
    histological images", IEEE Transactions on Medical Imaging 35 (2016).

    Examples
    --------
    >>> from skbreast.color import vahadane_stains
    >>> from skbreast.datasets import make_patches
    >>> stains = vahadane_stains(make_patches(2, 2, random_state=0).data)
    >>> stains.vectors.shape, bool((stains.vectors >= 0).all())
    ((4, 2, 3), True)
    """
    check_background_and_density(background, min_density)
    check_number(sparsity, name="sparsity", low=0, high=1)
    patches = thin_pixels(check_rgb_batch(patches))
    found = [
        _stains_of_few(patches[part], background, min_density, sparsity)
        for part in chunks_of(patches)
    ]
    return Stains(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _stains_of_few(patches, background, min_density, sparsity):
    density = density_planes(patches, background)
    stained = stained_pixels(patches, background, min_density)
    measured = judge_stain(density, stained, background).measurable
    vectors = np.tile(_RUIFROK, (len(patches), 1, 1))
    if measured.any():
        samples = _sample(density[measured], stained[measured])
        vectors[measured] = _factorise(samples, np.float32(sparsity / np.log(10)))
    likeness = np.einsum("nc,nc->n", vectors[:, 0], vectors[:, 1])
    measured &= (likeness < MOST_ALIKE) & np.isfinite(likeness)
    vectors[~measured] = _RUIFROK
    return only_measured(vectors, measure_strengths(density, vectors), measured)


_RUIFROK = STAIN_VECTORS[:2] / np.linalg.norm(STAIN_VECTORS[:2], axis=1, keepdims=True)


def _sample(density, stained):
    """Return the densities of as many stained pixels of every patch, ``(n_patches, 3, n)``."""
    share = np.linspace(0, 1, min(N_PIXELS, density.shape[2]))
    rows = [np.flatnonzero(each) for each in stained]
    places = np.stack([each[np.rint(share * (len(each) - 1)).astype(np.intp)] for each in rows])
    return np.take_along_axis(density, places[:, None, :], axis=2)


def _factorise(samples, sparsity):
    """Return the stain vectors ``(n_patches, 2, 3)`` of densities ``(n_patches, 3, n_pixels)``."""
    vectors = np.tile(_RUIFROK.astype(np.float32), (len(samples), 1, 1))
    going = np.arange(len(samples))
    for _ in range(MAX_ROUNDS):
        before = vectors[going]
        concentrations = _concentrations(samples[going], before, sparsity)
        vectors[going] = _improved(before, samples[going], concentrations)
        moved = np.abs(vectors[going] - before).max(axis=(1, 2)) >= SMALLEST_STEP
        going = going[moved]
        if len(going) == 0:
            break
    return vectors


def _concentrations(samples, vectors, sparsity):
    """Return the best non-negative sparse concentrations, ``(n_patches, 2, n_pixels)``.

    With unit vectors either both stains are there, where the solution of the two linear equations
    is positive, or only one: the other concentration is then what is left of its own equation.
    """
    scores = vectors @ samples - sparsity
    likeness = np.einsum("nc,nc->n", vectors[:, 0], vectors[:, 1])[:, None, None]
    both = (scores - likeness * scores[:, ::-1]) / np.maximum(1 - likeness**2, 1e-6)
    alone = np.maximum(scores, 0)
    alone[:, 0][both[:, 0] <= 0] = 0
    alone[:, 1][both[:, 1] <= 0] = 0
    return np.where((both > 0).all(axis=1, keepdims=True), both, alone)


def _improved(vectors, samples, concentrations):
    """Return vectors that explain the samples better: one step a stain, kept to length 1."""
    overlaps = concentrations @ concentrations.swapaxes(1, 2)
    wanted = concentrations @ samples.swapaxes(1, 2)
    vectors = vectors.copy()
    for stain in (0, 1):
        weight = overlaps[:, stain, stain, None]
        error = wanted[:, stain] - (overlaps[:, stain, None] @ vectors)[:, 0]
        better = np.maximum(vectors[:, stain] * weight + error, 0)
        length = np.linalg.norm(better, axis=1, keepdims=True)
        there = (weight > 0) & (length > 0)
        vectors[:, stain] = np.where(there, better / np.where(there, length, 1), vectors[:, stain])
    return vectors
