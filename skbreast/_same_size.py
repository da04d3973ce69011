"""References read as they are, those of one size together."""

import numpy as np

from skbreast.reading import PatchReadError, iterate_patches

__all__ = ["read_same_size"]


def read_same_size(references):
    """Read patches each in its own size: resized, they would be measured wrongly.

    Parameters
    ----------
    references : sequence of str
        A few references; all their pixels are held at once.

    Returns
    -------
    list of (list of int, ndarray of shape (n, height, width, 3), uint8)
        For each size the rows of `references`, and their pixels.

    Raises
    ------
    PatchReadError
        If a patch cannot be read.
    """
    same_size = {}
    for row, patch in iterate_patches(references):
        if isinstance(patch, PatchReadError):
            raise patch
        same_size.setdefault(patch.shape, []).append((row, patch))
    parts = (zip(*part, strict=True) for part in same_size.values())
    return [(list(rows), np.stack(patches)) for rows, patches in parts]
