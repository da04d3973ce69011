"""Rows of the image array in an HDF5 file, such as PatchCamelyon's."""

from contextlib import contextmanager

import numpy as np

from skbreast._decoding import as_rgb, check_n_pixels
from skbreast._validation import import_optional

__all__ = ["HDF5_ERRORS", "read_rows", "row_size"]

HDF5_ERRORS = (OSError, ValueError, TypeError, LookupError, RuntimeError, MemoryError)
MAX_BLOCK_BYTES = 2**26
MAX_CHUNK_BYTES = 2**30


def count_rows(path):
    """Return the number of patches in the image array of an HDF5 file."""
    try:
        with _open_stack(path) as stack:
            return len(stack)
    except HDF5_ERRORS as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error


def row_size(path):
    """``(height, width)`` of every row of the file's image array."""
    with _open_stack(path) as stack:
        return stack.shape[1:3]


def read_rows(path, rows):
    """Read rows of an HDF5 file's image array, opening the file once.

    Parameters
    ----------
    path : str
        The file.
    rows : sequence of int
        Row numbers in any order, repeated or not.

    Yields
    ------
    ndarray of shape (height, width, 3), dtype uint8
        In the order of `rows`. At most `MAX_BLOCK_BYTES` are read at once.

    Raises
    ------
    one of HDF5_ERRORS
        If the file is broken, has no such row or no array of patches.
    """
    with _open_stack(path) as stack:
        if max(rows) >= len(stack):
            raise IndexError(f"the file has {len(stack)} rows, counted from 0")
        row_bytes = int(np.prod(stack.shape[1:])) * stack.dtype.itemsize
        n_block = max(1, MAX_BLOCK_BYTES // row_bytes)
        for start in range(0, len(rows), n_block):
            # h5py reads increasing row numbers only.
            wanted, places = np.unique(rows[start : start + n_block], return_inverse=True)
            pixels = as_rgb(stack[_as_slice(wanted)])
            yield from pixels[places.ravel()]


def _as_slice(rows):
    # A slice is read an order of magnitude faster than a list of rows.
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


@contextmanager
def _open_stack(path):
    h5py = import_optional("h5py", extra="pcam", purpose="Reading patches from an HDF5 file")
    with h5py.File(path, "r") as file:
        stack = _find_stack(file, h5py)
        _check_stack(stack)
        yield stack


def _find_stack(file, h5py):
    stacks = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset) and item.ndim == 4:
            stacks[name] = item

    file.visititems(note)
    if "x" in stacks:
        return stacks["x"]
    if len(stacks) == 1:
        return next(iter(stacks.values()))
    found = ", ".join(repr(name) for name in sorted(stacks)[:5]) or "none"
    raise ValueError(
        "it needs an array (patches, height, width, channels) named 'x', or exactly one "
        f"four-dimensional array; found {found}"
    )


def _check_stack(stack):
    if stack.is_virtual or stack.external:
        raise ValueError("its array takes its pixels from other files, which is not allowed")
    as_rgb(np.empty((0, stack.shape[3]), stack.dtype))
    if min(stack.shape[1:3]) < 1:
        raise ValueError("its array claims a patch size of zero")
    check_n_pixels(stack.shape[1:3])
    chunk_bytes = stack.dtype.itemsize * np.prod(stack.chunks or (1,), dtype=float)
    if chunk_bytes > MAX_CHUNK_BYTES:
        raise ValueError(f"its chunks are larger than the {MAX_CHUNK_BYTES:,} bytes allowed")
