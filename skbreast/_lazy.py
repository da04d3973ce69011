"""Features of patches in a dask collection: one task a block, and nothing is computed before."""

import math
import os
import sys
from pathlib import Path

import numpy as np

from skbreast._validation import check_patches, import_optional, is_references

__all__ = ["in_folder", "is_lazy", "map_blocks", "one_like"]


def is_lazy(X):
    """Tell whether `X` is a dask array or a dask bag; other collections of dask's are not."""
    kinds = (("dask.array", "Array"), ("dask.bag", "Bag"))
    # Where nobody has imported dask there is nothing of it.
    return any(isinstance(X, getattr(sys.modules.get(module), name, ())) for module, name in kinds)


def one_like(X):
    """Return one patch as those of a dask collection seem to be, to be checked in their place.

    Parameters
    ----------
    X : dask.array.Array or dask.bag.Bag
        Patches, rows or patch references.

    Returns
    -------
    ndarray
        Zeros of the shape and dtype of one patch or row, or a name.

    Raises
    ------
    ValueError
        If sizes other than the number of patches are not known.
    """
    if not hasattr(X, "shape") or (X.ndim == 1 and X.dtype.kind in "OUT"):
        return np.array(["reference"], dtype=object)
    if any(math.isnan(side) for side in X.shape[1:]):
        raise ValueError(
            f"X is a dask array of shape {X.shape}; only the number of patches may be unknown: "
            "call its compute_chunk_sizes()."
        )
    return np.zeros(((1, *X.shape[1:]) if X.ndim else ()), dtype=X.dtype)


def map_blocks(extractor, X, n_features):
    """Return the features of a dask collection as a dask array.

    Parameters
    ----------
    extractor : TransferFeatureExtractor
        Fitted; sent to each worker once.
    X : dask.array.Array or dask.bag.Bag
        What it takes, along the first axis in any blocks. Relative references start from the
        folder that this process works in.
    n_features : int
        Number of columns.

    Returns
    -------
    dask.array.Array of shape (n_patches, n_features), float32
        In the blocks of X; those of a bag have unknown lengths.
    """
    dask = import_optional("dask", extra="dask", purpose="A dask collection")
    array = import_optional("dask.array", extra="dask", purpose="A dask collection")
    shared = dask.delayed(extractor, pure=True)  # a key of its own, not a copy in each task
    folder = str(Path.cwd())  # workers may be in others
    options = {"dtype": np.float32, "meta": np.empty((0, 0), dtype=np.float32)}
    if hasattr(X, "shape"):
        whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        return array.map_blocks(
            _transform_block,
            whole,
            shared,
            n_features,
            folder,
            drop_axis=tuple(range(1, X.ndim)),
            new_axis=1,
            chunks=(whole.chunks[0], (n_features,)),
            name=None,
            token="features",
            **options,
        )
    transform = dask.delayed(_transform_block, pure=True)
    parts = [transform(part, shared, n_features, folder) for part in X.to_delayed()]
    shape = (np.nan, n_features)
    return array.concatenate([array.from_delayed(part, shape=shape, **options) for part in parts])


def _transform_block(block, extractor, n_features, folder):
    patches = block if isinstance(block, np.ndarray) else list(block)
    if not len(patches):
        return np.empty((0, n_features), dtype=np.float32)
    if is_references(patches):
        patches = in_folder(check_patches(patches), folder)
    return extractor.transform(patches)


def in_folder(references, folder):
    """Return references with the folder before those that are relative."""
    return np.array([os.path.join(folder, each) for each in references], dtype=object)  # noqa: PTH118
