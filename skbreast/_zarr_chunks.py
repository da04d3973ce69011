"""Whether a compressed chunk unpacks to what it should, asked before memory is taken for it."""

import math

from skbreast._features_about import MAX_CHUNK_BYTES

__all__ = ["check_chunk"]

MAGIC = b"\x28\xb5\x2f\xfd"  # of a zstd frame, RFC 8878


def check_chunk(path, array):
    """Refuse a chunk of a zarr array that unpacks to another size.

    Parameters
    ----------
    path : pathlib.Path
        The file: zstd over numbers, or over texts with their lengths before them.
    array : zarr.Array
        What it is a chunk of.

    Raises
    ------
    ValueError
        If it says to be of another size, which for texts is the number of them.
    FileNotFoundError
        If it is missing; zarr would take it for zeros.
    """
    if path.stat().st_size > MAX_CHUNK_BYTES:
        raise ValueError(f"it has more than {MAX_CHUNK_BYTES} bytes")
    packed = path.read_bytes()
    n_bytes, n_items = _unpacked_size(packed), math.prod(array.chunks)
    if array.dtype.kind in "OT":
        fits = n_bytes <= MAX_CHUNK_BYTES and _n_texts(packed) == n_items
    else:
        fits = n_bytes == n_items * array.dtype.itemsize
    if not fits:
        raise ValueError(f"it unpacks to something else than {n_items} values")


def _unpacked_size(packed):
    """Return what the header of a zstd frame says."""
    if packed[:4] != MAGIC or len(packed) < 5:
        raise ValueError("it is not packed with zstd")
    flags = packed[4]
    has_window = not flags & 0b100000
    width = (0 if has_window else 1, 2, 4, 8)[flags >> 6]
    start = 5 + has_window + (0, 1, 2, 4)[flags & 0b11]
    field = packed[start : start + width]
    if not width or len(field) < width:
        raise ValueError("it does not say its size")
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)


def _n_texts(packed):
    from numcodecs import Zstd  # which zarr brings

    return int.from_bytes(Zstd().decode(packed)[:4], "little")
