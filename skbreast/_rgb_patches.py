"""Patches for methods that know uint8 RGB alone: stain and tissue."""

import numpy as np

from skbreast._validation import check_patches

__all__ = ["check_raw_pixels", "check_rgb_batch", "check_rgb_patches", "pixel_rows"]


def check_rgb_patches(X, *, name="X"):
    """Return checked references, or patches as uint8 RGB.

    Parameters
    ----------
    X : array-like
        References, or ``(n_patches, height, width, 3)`` raw pixels 0…255 of any number type.
    name : str
        What the user's argument is called, for the error.

    Returns
    -------
    ndarray
        1-D references, or 4-D uint8.

    Raises
    ------
    ValueError
        If X is neither, or holds pixels that aren't raw.
    """
    patches = check_patches(X)
    if patches.ndim == 1:
        return patches
    if np.ndim(X) == 2 or patches.shape[3] != 3:
        raise ValueError(
            f"{name} must be patch references or RGB patches (n_patches, height, width, 3), "
            f"since stain is a matter of colour; got shape {np.shape(X)}."
        )
    pixels = check_raw_pixels(patches, name=name)
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels).astype(np.uint8)


def check_rgb_batch(patches):
    """Return an array of uint8 RGB patches as it is, else raise a TypeError or ValueError."""
    if getattr(patches, "dtype", None) != np.uint8:
        got = getattr(patches, "dtype", type(patches).__name__)
        raise TypeError(f"patches must be an array of uint8, got {got}.")
    if patches.ndim != 4 or patches.shape[-1] != 3 or 0 in patches.shape[1:]:
        raise ValueError(
            "patches must have the shape (n_patches, height, width, 3) with at least one pixel; "
            f"got {patches.shape}."
        )
    return patches


def pixel_rows(patches):
    """Return a view of shape ``(n_patches, n_pixels, 3)``, also of no patches at all."""
    return patches.reshape(len(patches), patches.shape[1] * patches.shape[2], 3)


def check_raw_pixels(patches, *, name="X"):
    """Return pixels on the scale 0…255, of any number type, or refuse those on another."""
    if patches.dtype == np.uint8 or not len(patches):
        return patches
    low, high = patches.min(), patches.max()
    if low < 0 or high > 255 or 0 < high <= 1 or not np.isfinite(high):
        advice = "; multiply what was scaled to 0…1 by 255" if low >= 0 and 0 < high <= 1 else ""
        raise ValueError(
            f"{name} must hold raw pixels, 0…255, the same scale for all patches; got values of "
            f"{patches.dtype} from {low:g} to {high:g}{advice}."
        )
    return patches
