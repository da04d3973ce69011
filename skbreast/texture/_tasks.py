"""Measure arrays or references some patches at a time, so that memory stays flat."""

import numpy as np
from joblib import Parallel, delayed

from skbreast._same_size import read_same_size
from skbreast._validation import check_n_jobs

__all__ = ["measure_in_tasks"]

_N_PATCHES = 128  # a task: a tenth of a second where patches are 50 x 50
_N_PIXELS = 2**19  # a task, at most: 4 MiB a plane in float64


def measure_in_tasks(patches, measure, *, n_jobs=None, prefer="processes"):
    """Measure patches, or the patches that references name.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels) or (n_patches,)
        Pixels, or references.
    measure : callable
        Takes pixels of four dimensions and returns rows; a patch's row must not hang on the
        others. It is sent to other processes.
    n_jobs : int, optional
        Workers.
    prefer : {"processes", "threads"}, default="processes"
        What workers are. Processes where `measure` holds Python's lock: scikit-image does.

    Returns
    -------
    ndarray of shape (n_patches, n_features)
        The rows. References of different sizes are each measured in their own size: resized, a
        patch's texture would be another.
    """
    if not len(patches):
        return measure(np.zeros((1, *patches.shape[1:]), dtype=np.uint8))[:0]
    work, step = _measure_references, _N_PATCHES
    if patches.ndim == 4:
        work, step = _measure, max(1, min(_N_PATCHES, _N_PIXELS // patches[0, ..., 0].size))
    starts = range(0, len(patches), step)
    return np.vstack(
        Parallel(n_jobs=check_n_jobs(n_jobs), prefer=prefer)(
            delayed(work)(patches[start : start + step], measure) for start in starts
        )
    )


def _measure(patches, measure):
    return measure(patches)


def _measure_references(references, measure):
    features = [None] * len(references)
    for rows, patches in read_same_size(references):
        for row, each in zip(rows, measure(patches), strict=True):
            features[row] = each
    return np.stack(features)
