"""Rows of the image array in an HDF5 file, such as PatchCamelyon's."""

from contextlib import contextmanager

import numpy as np

from skbreast._decoding import as_rgb, check_n_pixels
from skbreast._validation import import_optional

__all__ = ["HDF5_ERRORS", "check_stored_inside", "count_rows", "read_rows", "row_size"]

HDF5_ERRORS = (OSError, ValueError, TypeError, LookupError, RuntimeError, MemoryError)
MAX_BLOCK_BYTES = 2**26
MAX_CHUNK_BYTES = 2**30
MAX_OBJECTS = 10_000
MAX_DEPTH = 32  # a few thousand levels take minutes, and tens of thousands crash libhdf5


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
    if "x" in file and _is_stack(item := _linked(file, "x", h5py), h5py):
        return item
    stacks = {name: item for name, item in _walk(file, h5py) if _is_stack(item, h5py)}
    if len(stacks) == 1:
        return next(iter(stacks.values()))
    found = ", ".join(repr(name) for name in sorted(stacks)[:5]) or "none"
    raise ValueError(
        "it needs an array (patches, height, width, channels) named 'x', or exactly one "
        f"four-dimensional array; found {found}"
    )


def _is_stack(item, h5py):
    return isinstance(item, h5py.Dataset) and item.ndim == 4


def _walk(file, h5py):
    """Yield ``(name, item)`` of all groups and arrays in a file, each once."""
    seen, waiting = set(), [(file, 1)]
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            item = _linked(group, name, h5py)
            if item is None or hash(item) in seen:
                continue
            seen.add(hash(item))
            if len(seen) > MAX_OBJECTS or depth > MAX_DEPTH:
                raise ValueError(
                    f"it holds more than {MAX_OBJECTS:,} groups and arrays, or more than "
                    f"{MAX_DEPTH} levels of them; name the array of patches 'x'"
                )
            yield item.name.lstrip("/"), item
            if isinstance(item, h5py.Group):
                waiting.append((item, depth + 1))


def _linked(group, name, h5py):
    """Return what lies in a group under a name; None for a link, which may lead anywhere."""
    return group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None


def check_stored_inside(array):
    """Raise a ValueError if an array takes its values from other files."""
    if array.is_virtual or array.external:
        raise ValueError("its array takes its values from other files, which is not allowed")


def _check_stack(stack):
    check_stored_inside(stack)
    as_rgb(np.empty((0, stack.shape[3]), stack.dtype))
    if min(stack.shape[1:3]) < 1:
        raise ValueError("its array claims a patch size of zero")
    check_n_pixels(stack.shape[1:3])
    chunk_bytes = stack.dtype.itemsize * np.prod(stack.chunks or (1,), dtype=float)
    if chunk_bytes > MAX_CHUNK_BYTES:
        raise ValueError(f"its chunks are larger than the {MAX_CHUNK_BYTES:,} bytes allowed")
