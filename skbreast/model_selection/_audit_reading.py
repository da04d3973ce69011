"""One pass over the pixels of a data set: of each patch only what the audit needs is kept."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skbreast._decoding import as_rgb
from skbreast._progress import progress_bar
from skbreast._validation import check_patches, is_references
from skbreast.model_selection._duplicates import MIN_PIXELS, digest_turned
from skbreast.model_selection._near_duplicates import (
    MIN_SIDE,
    SIDE,
    hash_thumbnail,
    make_thumbnail,
)
from skbreast.model_selection._patch_quality import name_flat
from skbreast.reading import CHUNK_SIZE, PatchReadError, iterate_patches
from skbreast.texture import color_moments

__all__ = ["Reading", "check_audited", "read_all"]

COLOR_SIDE = 128  # of larger patches every second, third, … pixel tells the colour as well


@dataclass(frozen=True)
class Reading:
    """What is known of every patch after one pass.

    Attributes
    ----------
    sizes : ndarray of int, shape (n_patches, 2)
        Height and width in pixels; 0 where the patch could not be read.
    moments : ndarray of float32, shape (n_patches, 6)
        Mean and deviation of each colour.
    thumbnails : ndarray of uint8, shape (n_patches, SIDE, SIDE)
        Grey.
    turned : ndarray of int
        See :func:`~skbreast.model_selection._duplicates.digest_turned`.
    digests : list of bytes or None
        None for what is no one's copy: unreadable, without structure, or of a few pixels.
    hashes : list of list of (int, int)
        Perceptual hashes, empty where near duplicates are not looked for.
    flats : list of str
        What patches without structure show.
    errors : dict of int to str
        Why patches could not be read.
    """

    sizes: np.ndarray
    moments: np.ndarray
    thumbnails: np.ndarray
    turned: np.ndarray
    digests: list
    hashes: list
    flats: list
    errors: dict


def check_audited(X):
    """Return references or a uint8 array of patches, else raise a ValueError."""
    if not is_references(X) and len(np.shape(X)) not in (0, 4) and np.size(X):
        raise ValueError(
            f"X must be patch references or (n_patches, height, width, channels); got shape "
            f"{np.shape(X)}."
        )
    patches = check_patches(X)
    if patches.ndim == 4 and (patches.dtype != np.uint8 or not 1 <= patches.shape[3] <= 4):
        raise ValueError(
            "X must be patch references or uint8 patches of 1 to 4 channels, as they were "
            f"stored; got {patches.dtype} of shape {patches.shape}."
        )
    return patches


def read_all(patches, *, near, n_jobs, show):
    """Read all patches once, some at a time.

    Parameters
    ----------
    patches : ndarray
        From :func:`check_audited`.
    near : bool
        Whether perceptual hashes are made.
    n_jobs : int or None
        Threads.
    show : bool
        Whether progress is shown.

    Returns
    -------
    Reading
    """
    n = len(patches)
    found = Reading(
        sizes=np.zeros((n, 2), dtype=int),
        moments=np.zeros((n, 6), dtype=np.float32),
        thumbnails=np.zeros((n, SIDE, SIDE), dtype=np.uint8),
        turned=np.zeros(n, dtype=int),
        digests=[None] * n,
        hashes=[[]] * n,
        flats=[""] * n,
        errors={},
    )
    starts = range(0, n, CHUNK_SIZE)
    work = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator_unordered")
    with progress_bar("Reading patches", n, show=show) as advance:
        chunks = (delayed(_read_chunk)(patches, start, found, near) for start in starts)
        for n_read in work(chunks):
            advance(n_read)
    return found


def _read_chunk(patches, start, found, near):
    chunk = patches[start : start + CHUNK_SIZE]
    pixels = enumerate(map(as_rgb, chunk)) if chunk.ndim == 4 else iterate_patches(chunk)
    for position, patch in pixels:
        _note(patch, start + position, found, near)
    return len(chunk)


def _note(patch, row, found, near):
    if isinstance(patch, PatchReadError):
        found.errors[row] = str(patch)
        return
    found.sizes[row] = patch.shape[:2]
    step = max(1, min(patch.shape[:2]) // COLOR_SIDE)
    found.moments[row] = color_moments(patch[None, ::step, ::step])[0]
    found.thumbnails[row] = make_thumbnail(patch)
    found.flats[row] = name_flat(found.thumbnails[row])
    if found.flats[row] or patch.shape[0] * patch.shape[1] < MIN_PIXELS:
        return
    found.digests[row], found.turned[row] = digest_turned(patch)
    if near and min(patch.shape[:2]) >= MIN_SIDE:
        found.hashes[row] = hash_thumbnail(found.thumbnails[row])
