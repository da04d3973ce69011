"""Headers of arrays, read and judged before numpy makes room for what they promise."""

import io
import math

import numpy as np

__all__ = ["check_array"]

KINDS = "biufcSU"  # numbers and texts of fixed width: no objects, no records, no dates
MAX_HEADER = 10_000
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def check_array(content):
    """Check that a ``.npy`` file is what its header says.

    Parameters
    ----------
    content : bytes-like
        The file.

    Returns
    -------
    dtype : str
        Such as ``"<f4"``.
    shape : list of int
        Its shape.

    Raises
    ------
    ValueError
        If the header is not one, holds objects, or promises more or fewer bytes than there are.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _READERS:
        raise ValueError(f"arrays of version {version} are not known")
    shape, _, dtype = _READERS[version](stream, max_header_size=MAX_HEADER)
    if dtype.kind not in KINDS or dtype.subdtype is not None or not dtype.itemsize:
        raise ValueError(f"an array holds {dtype}, which is neither numbers nor texts")
    if any(side < 0 for side in shape):
        raise ValueError(f"an array has the shape {shape}")
    n_promised = math.prod(shape) * dtype.itemsize
    n_there = len(content) - stream.tell()
    if n_promised != n_there or math.prod(max(side, 1) for side in shape) > 2**40:
        raise ValueError(
            f"an array of shape {shape} and type {dtype.str} takes {n_promised} bytes; there are "
            f"{n_there}"
        )
    return dtype.str, list(shape)
