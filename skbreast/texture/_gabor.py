"""Gabor energies of many patches at once: how much of a wavelength there is, in any direction."""

import math

import numpy as np

__all__ = ["gabor_energies"]

_ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
# of the Gaussian, in wavelengths: a bandwidth of one octave, as in scikit-image
_SIGMA = math.sqrt(math.log(2) / 2) * 3 / math.pi
_N_SIGMAS = 3  # where the kernel is cut off
_N_PIXELS = 2**14  # worked on at once


def gabor_energies(plane, wavelength):
    """Return the mean and the standard deviation of the response's magnitude.

    Parameters
    ----------
    plane : ndarray of shape (n_patches, height, width), uint8
        Levels. Mirrored at the border; the mean of each patch is taken off before, so that
        brightness is no answer.
    wavelength : float
        Wavelength in pixels.

    Returns
    -------
    ndarray of shape (n_patches, 2), float64
        In levels, over all pixels; each averaged over the angles 0, 45, 90 and 135°.
    """
    filters = [_filters(plane.shape[1:], wavelength, angle) for angle in _ANGLES]
    energies = np.empty((len(plane), 2))
    step = max(1, _N_PIXELS // plane[0].size)
    for start in range(0, len(plane), step):
        levels = plane[start : start + step].astype(np.float32)
        levels -= levels.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
        moments = [_moments(levels, down, right) for down, right in filters]
        energies[start : start + step] = np.mean(moments, axis=0)
    return energies


def _moments(levels, down, right):
    response = down @ levels @ right.T
    magnitudes = np.sqrt(response.real**2 + response.imag**2).reshape(len(levels), -1)
    means = magnitudes.mean(axis=1, keepdims=True)
    magnitudes -= means
    variances = np.einsum("np,np->n", magnitudes, magnitudes) / magnitudes.shape[1]
    return np.column_stack([means, np.sqrt(variances)])


def _filters(shape, wavelength, angle):
    """Return the matrices that filter along columns and rows; a Gabor kernel is separable.

    Two matrix products take the time of a few additions a pixel, where a convolution multiplies
    each pixel with the whole kernel.
    """
    waves = math.sin(angle), math.cos(angle)
    sigma = _SIGMA * wavelength
    # as far as scikit-image's kernel goes, which is narrower where it is slanted
    reach = max(1, math.ceil(max(_N_SIGMAS * sigma * abs(each) for each in waves)))
    steps = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (steps / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
    return [
        _as_matrix(bell * np.exp(2j * math.pi / wavelength * wave * steps), size)
        for wave, size in zip(waves, shape, strict=True)
    ]


def _as_matrix(kernel, size):
    """Return the matrix of a convolution with mirrored borders, ``(size, size)``, complex64."""
    matrix = np.zeros((size, size), dtype=np.complex128)
    rows = np.arange(size)
    reach = len(kernel) // 2
    for step, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        places = (rows - step) % (2 * size)
        np.add.at(matrix, (rows, np.minimum(places, 2 * size - 1 - places)), weight)
    return matrix.astype(np.complex64)
