"""Patches as planes of 256 levels, on a scale that is the same for all patches."""

import numpy as np
from skimage.color import rgb2gray, rgb2hed

__all__ = ["DENSEST", "check_stack", "planes", "to_levels"]

LARGEST = 1e15
DENSEST = 0.1  # in the unit of rgb2hed: above 99 % of the pixels of IDC and of BreakHis


def check_stack(patches):
    """Return patches as an array of finite numbers, of four dimensions with pixels.

    Raises a ValueError where they are not, or so large that their variance has no float32.
    """
    patches = np.asarray(patches)
    if patches.dtype.kind not in "buif":
        raise ValueError(f"patches must be an array of numbers; got dtype {patches.dtype}.")
    if patches.ndim != 4 or 0 in patches.shape[1:]:
        raise ValueError(
            "patches must be (n_patches, height, width, channels) with at least one pixel and "
            f"channel; got shape {patches.shape}."
        )
    if patches.dtype.kind == "f" and len(patches):
        low, high = patches.min(), patches.max()  # NaN where there is one
        if not (low >= -LARGEST and high <= LARGEST):
            raise ValueError(
                f"patches must hold finite numbers from {-LARGEST:g} to {LARGEST:g}; they reach "
                f"from {low:g} to {high:g}."
            )
    return patches


def to_levels(values):
    """Round to uint8, cut off at 0 and 255."""
    if values.dtype == np.uint8:
        return values
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def planes(patches):
    """Yield grey and, of RGB, haematoxylin and eosin: uint8, ``(n_patches, height, width)``."""
    if patches.shape[-1] != 3:
        yield to_levels(patches.mean(axis=-1, dtype=np.float64))
        return
    patches = to_levels(patches)
    yield to_levels(rgb2gray(patches) * 255)
    stains = rgb2hed(patches)
    yield from (to_levels(stains[..., stain] * (255 / DENSEST)) for stain in (0, 1))
