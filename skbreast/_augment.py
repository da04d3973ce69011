"""Augmentation of training batches: the eight symmetries of a square, and stain jitter."""

import numpy as np

from skbreast._validation import check_choice
from skbreast.color import jitter_stain
from skbreast.color._jitter import check_strengths
from skbreast.stain import StainJitter
from skbreast.stain._jitter import strengths_of

__all__ = ["AUGMENTATIONS", "augment_patches", "check_augment"]

AUGMENTATIONS = (None, "geometric", "stain")


def check_augment(augment):
    """Raise a ValueError if an `augment` parameter is none of those known."""
    if isinstance(augment, StainJitter):
        check_strengths(**strengths_of(augment))
    else:
        check_choice(augment, name="augment", choices=AUGMENTATIONS)


def augment_patches(patches, rng, augment):
    """Return changed copies of patches.

    Parameters
    ----------
    patches : ndarray of shape (n, height, width, channels)
        The batch.
    rng : numpy.random.Generator
        Where the randomness comes from.
    augment : {None, "geometric", "stain"} or StainJitter
        Nothing; flips and quarter turns; these and a jitter of stain, brightness and contrast
        (uint8 RGB only, others get the geometric part), as strong as the StainJitter says.

    Returns
    -------
    ndarray of shape (n, height, width, channels)
        Of the dtype of `patches`.
    """
    if augment is None or max(patches.shape[1:3]) == 1:
        return patches
    if augment != "geometric" and patches.dtype == np.uint8 and patches.shape[3] == 3:
        strengths = {} if augment == "stain" else strengths_of(augment)
        patches = jitter_stain(patches, rng, **strengths)
    return _random_symmetries(patches, rng)


def _random_symmetries(patches, rng):
    square = patches.shape[1] == patches.shape[2]
    drawn = rng.integers(8 if square else 4, size=len(patches))
    result = np.empty_like(patches)
    for symmetry in np.unique(drawn):
        chosen = drawn == symmetry
        result[chosen] = _apply_symmetry(patches[chosen], symmetry)
    return result


def _apply_symmetry(patches, symmetry):
    """Apply one of eight symmetries: bit 0 flips rows, bit 1 columns, bit 2 transposes."""
    if symmetry & 1:
        patches = patches[:, ::-1]
    if symmetry & 2:
        patches = patches[:, :, ::-1]
    return patches.swapaxes(1, 2) if symmetry & 4 else patches
