"""Affine maps of optical densities: what changing, exchanging and varying stains comes down to."""

import numpy as np

from skbreast._rgb_patches import pixel_rows

__all__ = ["chunks_of", "map_densities", "tiles_of"]

_CHUNK_BYTES = 1 << 20  # a chunk of float32 pixels that stays in the second-level cache


def chunks_of(patches):
    """Return slices of patches whose float32 pixels stay in the second-level cache."""
    step = max(1, _CHUNK_BYTES // max(1, 4 * patches[:1].size))
    return [slice(start, start + step) for start in range(0, max(1, len(patches)), step)]


def tiles_of(patches):
    """Return pairs of slices, of patches and of their rows, as :func:`chunks_of` does.

    What is done pixel by pixel need not hold a large patch whole.
    """
    row_bytes = 4 * max(1, patches[:1, :1].size)
    n_rows = max(1, _CHUNK_BYTES // row_bytes)
    if n_rows >= patches.shape[1]:
        return [(part, slice(None)) for part in chunks_of(patches)]
    starts = range(0, patches.shape[1], n_rows)
    return [
        (slice(number, number + 1), slice(start, start + n_rows))
        for number in range(len(patches))
        for start in starts
    ]


def map_densities(patches, slopes, offsets):
    """Return patches whose optical densities went through an affine map, each through its own.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255.
    slopes : ndarray of shape (n_patches, 3, 3)
        Densities, taken as rows red, green, blue, are multiplied by them.
    offsets : ndarray of shape (n_patches, 1, 3)
        What is added then: densities, log10 of 255 over the intensity.

    Returns
    -------
    ndarray of shape (n_patches, height, width, 3), uint8
        New patches.
    """
    mapped = np.empty(patches.shape, dtype=np.uint8)
    for part, rows in tiles_of(patches):
        _map_few(patches[part, rows], slopes[part], offsets[part], out=mapped[part, rows])
    return mapped


def _map_few(patches, slopes, offsets, *, out):
    # The binary logarithm of the intensity instead of the density: the map is the same up to
    # constants, and exp2 is the fastest way back.
    logs = np.log2(np.maximum(np.arange(256), 1) / 255).astype(np.float32)
    shifts = np.log2(255) - offsets * np.log2(10)
    pixels = logs.take(pixel_rows(patches)) @ slopes.astype(np.float32)
    # Whole pixel rows instead of pixels: adding along an axis of 3 is four times slower.
    pixels = pixels.reshape(*patches.shape[:2], 3 * patches.shape[2])
    pixels += np.tile(shifts.astype(np.float32), patches.shape[2])
    np.minimum(pixels, np.float32(np.log2(255)), out=pixels)
    np.exp2(pixels, out=pixels)
    pixels += np.float32(0.5)  # the cast cuts off: together they round
    out[...] = pixels.reshape(patches.shape)
