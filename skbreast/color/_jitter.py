"""Vary stain and light of patches at random."""

from numbers import Real

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast.color._density_maps import map_densities
from skbreast.color._optical_density import STAIN_VECTORS

__all__ = ["check_strengths", "jitter_stain"]


def jitter_stain(
    patches,
    rng,
    *,
    stain_sigma=0.05,
    stain_shift=0.01,
    stain_angle=0.0,
    brightness=0.025,
    contrast=0.05,
):
    """Vary stain and light of patches at random, each patch on its own.

    The amount of each stain (haematoxylin, eosin, residual) is multiplied by a random number
    close to 1 and shifted, and its colour may be turned by a random angle; then the light is made
    brighter or darker, and the contrast, a power of the transmitted light, higher or lower. All
    numbers are drawn evenly around "no change". All five are one affine map of the optical
    densities, so a batch costs one small matrix product a patch.

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
    stain_angle : float, default=0
        The vector of each stain is turned by up to that many degrees, below 45, in a direction of
        its own.
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
        If `patches` aren't four-dimensional RGB, or a strength is out of its range.

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
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator, got {type(rng).__name__}: "
            "numpy.random.default_rng(seed) makes one."
        )
    check_rgb_batch(patches)
    strengths = (stain_sigma, stain_shift, stain_angle, brightness, contrast)
    check_strengths(*strengths)
    slopes, offsets = _draw_density_maps(len(patches), rng, *strengths)
    return map_densities(patches, slopes, offsets)


def check_strengths(stain_sigma, stain_shift, stain_angle, brightness, contrast):
    """Raise a ValueError if a strength of the jitter is out of its range."""
    shares = {"stain_sigma": stain_sigma, "stain_shift": stain_shift}
    shares |= {"brightness": brightness, "contrast": contrast}
    for name, strength in shares.items():
        if not isinstance(strength, Real) or not 0 <= strength < 1:
            raise ValueError(f"{name} must be at least 0 and below 1; got {strength!r}.")
    if not isinstance(stain_angle, Real) or not 0 <= stain_angle < 45:
        raise ValueError(f"stain_angle must be 0 to below 45 degrees; got {stain_angle!r}.")


def _draw_density_maps(n, rng, stain_sigma, stain_shift, stain_angle, brightness, contrast):
    """Draw the affine map of each patch: ``(n, 3, 3)`` slopes and ``(n, 1, 3)`` offsets."""
    draws = rng.uniform(-1, 1, size=(n, 8))
    scale = (1 + stain_sigma * draws[:, :3]) * (1 + contrast * draws[:, 7:])
    to_stains = np.linalg.inv(STAIN_VECTORS)
    vectors = _draw_turned(n, rng, stain_angle) if stain_angle else STAIN_VECTORS[None]
    slopes = to_stains @ (scale[:, :, None] * vectors)
    offsets = (stain_shift * draws[:, None, 3:6] @ vectors)[:, 0]
    offsets -= np.log10(1 + brightness * draws[:, 6:7])
    return slopes, offsets[:, None, :]


def _draw_turned(n, rng, stain_angle):
    """Draw stain vectors turned by up to `stain_angle` degrees each, ``(n, 3, 3)``."""
    lengths = np.linalg.norm(STAIN_VECTORS, axis=1, keepdims=True)
    directions = STAIN_VECTORS / lengths
    sideways = rng.standard_normal((n, 3, 3))
    sideways -= (sideways * directions).sum(axis=2, keepdims=True) * directions
    sideways /= np.linalg.norm(sideways, axis=2, keepdims=True)
    angles = np.radians(stain_angle) * rng.uniform(size=(n, 3, 1))
    return lengths * (np.cos(angles) * directions + np.sin(angles) * sideways)
