"""Work on many patches a part at a time: arrays in blocks, references as they are read."""

import numpy as np
from joblib import Parallel, delayed

from skbreast._same_size import read_same_size

__all__ = ["in_blocks", "map_patches"]

_BLOCK_PIXELS = 1 << 17  # what is computed of a block stays in the second-level cache
_TASK_PIXELS = 1 << 21
_TASK_REFERENCES = 64


def in_blocks(function, patches):
    """Return what `function` makes of patches, computed for a few of them at a time."""
    step = max(1, _BLOCK_PIXELS // (patches.shape[1] * patches.shape[2]))
    starts = range(0, max(1, len(patches)), step)
    return np.concatenate([function(patches[start : start + step]) for start in starts])


def map_patches(function, patches, *, n_jobs=None):
    """Apply a function to patches in threads, in little memory.

    Parameters
    ----------
    function : callable
        Takes a uint8 array ``(n, height, width, 3)``.
    patches : ndarray
        uint8 patches ``(n_patches, height, width, 3)``, or ``(n_patches,)`` references.
    n_jobs : int, optional
        Number of threads.

    Yields
    ------
    tuple of (slice or list of int, object)
        Rows of `patches`, and what the function made of them. References are read some at a time,
        and those of one size are handed over together.
    """
    task, step = _apply_to_references, _TASK_REFERENCES
    if patches.ndim == 4:
        task, step = _apply, max(1, _TASK_PIXELS // (patches.shape[1] * patches.shape[2]))
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    for done in parallel(
        delayed(task)(function, patches[start : start + step], start)
        for start in range(0, len(patches), step)
    ):
        yield from done


def _apply(function, patches, start):
    return [(slice(start, start + len(patches)), function(patches))]


def _apply_to_references(function, references, start):
    return [
        ([start + row for row in rows], function(patches))
        for rows, patches in read_same_size(references)
    ]
