"""Optical density and stains: pure functions on arrays whose last axis is red, green, blue."""

import numpy as np
from skimage.color import rgb_from_hed

__all__ = [
    "STAIN_VECTORS",
    "jitter_stain",
    "optical_density_to_rgb",
    "rgb_to_optical_density",
]

STAIN_VECTORS = np.array(rgb_from_hed, dtype=np.float64)
"""Ruifrok and Johnston's stains: rows haematoxylin, eosin, DAB; columns red, green, blue."""
STAIN_VECTORS.setflags(write=False)

_CHUNK_BYTES = 1 << 20  # a chunk of float32 pixels that stays in the second-level cache


def rgb_to_optical_density(rgb, background=255.0):
    """Turn intensities into optical densities, ``log10(background / rgb)``.

    Stains add up in optical density, not in intensity (law of Beer and Lambert).

    Parameters
    ----------
    rgb : array-like of shape (..., 3)
        Intensities 0…255, uint8 or float. What is below 1 counts as 1, so that black stays finite.
    background : float or array-like of shape (3,), default=255
        Intensity of the empty slide, above 0.

    Returns
    -------
    ndarray of shape (..., 3), float32
        Optical densities; 0 is the empty slide, negative is brighter than that.

    Raises
    ------
    ValueError
        If the last axis isn't 3 long or `background` isn't above 0.

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
    rgb, background = np.asarray(rgb), _check_background(background)
    _check_channels(rgb, "rgb")
    if rgb.dtype == np.uint8 and background.ndim == 0:
        levels = np.maximum(np.arange(256), 1)
        return np.log10(background / levels).astype(np.float32)[rgb]
    return np.log10(background.astype(np.float32) / np.maximum(rgb.astype(np.float32), 1))


def optical_density_to_rgb(optical_density, background=255.0):
    """Turn optical densities into intensities; the inverse of :func:`rgb_to_optical_density`.

    Parameters
    ----------
    optical_density : array-like of shape (..., 3)
        Optical densities.
    background : float or array-like of shape (3,), default=255
        Intensity of the empty slide, above 0.

    Returns
    -------
    ndarray of shape (..., 3), uint8
        Rounded intensities, clipped to 0…255.

    Raises
    ------
    ValueError
        If the last axis isn't 3 long or `background` isn't above 0.

    Examples
    --------
    >>> from skbreast.color import optical_density_to_rgb
    >>> optical_density_to_rgb([[0.0, 1.0, 2.0]], background=250)
    array([[250,  25,   2]], dtype=uint8)
    """
    density = np.asarray(optical_density, dtype=np.float32)
    _check_channels(density, "optical_density")
    with np.errstate(over="ignore"):
        rgb = _check_background(background).astype(np.float32) * np.float32(10) ** -density
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def jitter_stain(
    patches, rng, *, stain_sigma=0.05, stain_shift=0.01, brightness=0.025, contrast=0.05
):
    """Vary stain and light of patches at random, each patch on its own.

    The amount of each stain (haematoxylin, eosin, residual) is multiplied by a random number
    close to 1 and shifted; then the light is made brighter or darker, and the contrast, a power
    of the transmitted light, higher or lower. All numbers are drawn evenly around "no change".
    All four are one affine map of the optical densities, so a batch costs one small matrix
    product a patch.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255. They are not changed.
    rng : numpy.random.Generator
        Where all random numbers come from.
    stain_sigma : float, default=0.05
        Each stain is multiplied by ``1 ± stain_sigma``.
    stain_shift : float, default=0.01
        Each stain is shifted by ``± stain_shift``, in optical density (log10).
    brightness : float, default=0.025
        The light is multiplied by ``1 ± brightness``, below 1.
    contrast : float, default=0.05
        The optical densities are multiplied by ``1 ± contrast``.

    Returns
    -------
    ndarray of shape (n_patches, height, width, 3), uint8
        New patches.

    Raises
    ------
    TypeError
        If `patches` aren't uint8 or `rng` isn't a Generator.
    ValueError
        If `patches` aren't four-dimensional RGB, or a strength isn't in [0, 1).

    References
    ----------
    Tellez et al., "Whole-slide mitosis detection in H&E breast histology using PHH3 as a
    reference to train distilled stain-invariant convolutional networks", IEEE Transactions on
    Medical Imaging 37 (2018). There the light is varied in RGB; here in optical density.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.color import jitter_stain
    >>> patches = np.full((2, 8, 8, 3), [200, 120, 180], dtype=np.uint8)
    >>> jittered = jitter_stain(patches, np.random.default_rng(0))
    >>> jittered.shape, bool((jittered[0] != jittered[1]).any())
    ((2, 8, 8, 3), True)
    """
    _check_jitter(patches, rng, (stain_sigma, stain_shift, brightness, contrast))
    slopes, offsets = _draw_density_maps(
        len(patches), rng, stain_sigma, stain_shift, brightness, contrast
    )
    jittered = np.empty(patches.shape, dtype=np.uint8)
    step = max(1, _CHUNK_BYTES // max(1, 4 * patches[:1].size))
    for start in range(0, len(patches), step):
        part = slice(start, start + step)
        _map_densities(patches[part], slopes[part], offsets[part], out=jittered[part])
    return jittered


def _draw_density_maps(n, rng, stain_sigma, stain_shift, brightness, contrast):
    """Draw the affine map of each patch: ``(n, 3, 3)`` slopes and ``(n, 1, 3)`` offsets."""
    draws = rng.uniform(-1, 1, size=(n, 8))
    scale = (1 + stain_sigma * draws[:, :3]) * (1 + contrast * draws[:, 7:])
    to_stains = np.linalg.inv(STAIN_VECTORS)
    slopes = np.einsum("ij,nj,jk->nik", to_stains, scale, STAIN_VECTORS)
    offsets = stain_shift * draws[:, 3:6] @ STAIN_VECTORS
    offsets -= np.log10(1 + brightness * draws[:, 6:7])
    return slopes, offsets[:, None, :]


def _map_densities(patches, slopes, offsets, *, out):
    """Write the patches with mapped optical densities to `out`.

    Works with the binary logarithm of the intensity instead of the density: the map is the same
    up to constants, and ``exp2`` is the fastest way back.
    """
    logs = np.log2(np.maximum(np.arange(256), 1) / 255).astype(np.float32)
    shifts = np.log2(255) - offsets * np.log2(10)
    pixels = logs.take(patches).reshape(len(patches), -1, 3) @ slopes.astype(np.float32)
    # Whole pixel rows instead of pixels: adding along an axis of 3 is four times slower.
    pixels = pixels.reshape(*patches.shape[:2], -1)
    pixels += np.tile(shifts.astype(np.float32), patches.shape[2])
    np.minimum(pixels, np.float32(np.log2(255)), out=pixels)
    np.exp2(pixels, out=pixels)
    pixels += np.float32(0.5)  # the cast cuts off: together they round
    out[...] = pixels.reshape(patches.shape)


def _check_jitter(patches, rng, strengths):
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator, got {type(rng).__name__}: "
            "numpy.random.default_rng(seed) makes one."
        )
    if getattr(patches, "dtype", None) != np.uint8:
        got = getattr(patches, "dtype", type(patches).__name__)
        raise TypeError(f"patches must be an array of uint8, got {got}.")
    if patches.ndim != 4 or patches.shape[-1] != 3:
        raise ValueError(
            f"patches must have the shape (n_patches, height, width, 3); got {patches.shape}."
        )
    names = ("stain_sigma", "stain_shift", "brightness", "contrast")
    for name, strength in zip(names, strengths, strict=True):
        if not 0 <= strength < 1:
            raise ValueError(f"{name} must be at least 0 and below 1; got {strength!r}.")


def _check_channels(array, name):
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ValueError(f"{name} must have 3 channels as its last axis; got shape {array.shape}.")


def _check_background(background):
    background = np.asarray(background, dtype=np.float64)
    if background.shape not in ((), (3,)) or not (background > 0).all():
        raise ValueError(f"background must be one or three numbers above 0; got {background!r}.")
    return background
