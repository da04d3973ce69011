"""One patch: its size from the header, its pixels, and its fit to a wanted size."""

import io
import os
import stat
import struct
from contextlib import contextmanager

import numpy as np
from PIL import Image

from skbreast._decoding import DECODER_ERRORS, MAX_PIXELS, decode_image
from skbreast._headers import read_header
from skbreast._stacks import HDF5_ERRORS, read_rows, row_size
from skbreast._validation import check_choice
from skbreast.references import parse_reference

__all__ = [
    "READ_ERRORS",
    "WHITE",
    "PatchReadError",
    "check_size",
    "existing_file",
    "fit_patch",
    "patch_size",
    "read_patch",
]

WHITE = 255
SMALL_FILE_BYTES = 2**20
READ_ERRORS = tuple({*DECODER_ERRORS, *HDF5_ERRORS})
_PLAIN_CAUSES = (
    (FileNotFoundError, "there is no such file"),
    (IsADirectoryError, "it is a directory, a patch is a file"),
    (PermissionError, "permission is denied"),
    (MemoryError, "there is not enough memory"),
    (Image.DecompressionBombError, "it is too large"),
    (struct.error, "its header is broken"),
)


class PatchReadError(ValueError):
    """A patch cannot be read; the message names the file and the cause."""


def patch_size(reference):
    """Size of one patch, from its file's header alone.

    Parameters
    ----------
    reference : str or path-like
        A patch reference.

    Returns
    -------
    tuple of (int, int)
        ``(height, width)`` in pixels, as :func:`read_patch` returns it: an EXIF orientation that
        turns the picture on its side swaps the two.

    Raises
    ------
    PatchReadError
        If the header cannot be read.
    """
    place = parse_reference(reference)
    with _naming_the_patch(place):
        path = existing_file(place.path)
        if place.row is not None:
            return row_size(place.path)
        with open(path, "rb") as stream:  # noqa: PTH123
            return read_header(stream).size


def read_patch(reference):
    """Read one patch as 8-bit RGB.

    Parameters
    ----------
    reference : str or path-like
        A PNG, JPEG, TIFF or BMP file, or a row of an HDF5 file (``"cohort.h5#12"``) whose patches
        are the array ``x`` or its only four-dimensional array, channels last.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        Values from 0 to 255.

    Raises
    ------
    PatchReadError
        If the file is missing, broken, truncated, none of these formats, animated, of several
        pages, or claims more than 2**26 pixels (checked before any is decoded). Its message names
        the file and the cause.
    ImportError
        If an HDF5 file is named and h5py is not installed.

    Notes
    -----
    What is not 8-bit RGB is converted: grey and black-and-white pictures get three equal
    channels; palettes are looked up; alpha is laid over white, a slide's background; of 16 bits a
    channel the upper 8 are kept (``value // 256``, as scikit-image does); CMYK becomes RGB by
    Pillow's plain formula. Colour profiles are ignored. The EXIF orientation is applied.
    Floating-point and 32-bit pixels are refused, for their range is unknown. Of a JPEG that carries
    several pictures (MPO) the first is read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from skbreast.reading import read_patch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     imsave(f"{folder}/pink.png", np.full((50, 40), 200, np.uint8), check_contrast=False)
    ...     patch = read_patch(f"{folder}/pink.png")
    >>> patch.shape, patch.dtype, patch[0, 0].tolist()
    ((50, 40, 3), dtype('uint8'), [200, 200, 200])
    """
    place = parse_reference(reference)
    with _naming_the_patch(place):
        path = existing_file(place.path)
        if place.row is not None:
            return next(read_rows(place.path, [place.row]))
        with _opened(path) as stream:
            return decode_image(stream)


def _opened(path):
    """Open a file; a small one is read at once, since threads wait for each other at each call."""
    stream = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 - for the caller to close
    if os.fstat(stream.fileno()).st_size > SMALL_FILE_BYTES:
        return io.BufferedReader(stream)
    with stream:
        return io.BytesIO(stream.read())


def existing_file(path):
    """Return a path if there is a regular file."""
    # Opening a pipe would wait for ever, reading a device would never end.
    mode = os.stat(path).st_mode  # noqa: PTH116 - a Path costs more than the call
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise ValueError("it is no regular file")
    return path


@contextmanager
def _naming_the_patch(place):
    try:
        yield
    except READ_ERRORS as error:
        raise PatchReadError(f"Cannot read patch {str(place)!r}: {_cause(error)}.") from error


def _cause(error):
    for kind, cause in _PLAIN_CAUSES:
        if isinstance(error, kind):
            return cause
    text = getattr(error, "strerror", None) or (error.args[0] if error.args else "")
    text = " ".join(str(text).split())
    return text.rstrip(".") or f"its contents are broken ({type(error).__name__})"


def fit_patch(patch, size, fit="resize"):
    """Bring one patch to a size.

    Parameters
    ----------
    patch : ndarray of shape (height, width, 3), dtype uint8
        The patch; it is returned itself where its size is right.
    size : tuple of (int, int)
        Wanted ``(height, width)`` in pixels.
    fit : {"resize", "pad"}, default="resize"
        "resize" stretches both sides. "pad" keeps the scale of the tissue: the patch is centred on
        white; one that is too large is first shrunk, with its aspect ratio kept, until it fits.

    Returns
    -------
    ndarray of shape (*size, 3), dtype uint8

    Raises
    ------
    ValueError
        If an argument is not one of those above.

    Notes
    -----
    Bilinear interpolation; when shrinking, its triangle kernel is widened by the scale, which
    averages over all pixels and so prevents aliasing.
    """
    check_choice(fit, name="fit", choices=("resize", "pad"))
    size = check_size(size)
    if getattr(patch, "dtype", None) != np.uint8 or patch.ndim != 3 or patch.shape[2] != 3:
        found = f"{patch.dtype} of shape {patch.shape}" if hasattr(patch, "dtype") else type(patch)
        raise ValueError(f"patch must be uint8 of shape (height, width, 3); got {found}.")
    if min(patch.shape) == 0:
        raise ValueError(f"patch has no pixels: its shape is {patch.shape}.")
    if patch.shape[:2] == size:
        return patch
    if fit == "resize":
        return _resize(patch, size)
    scale = min(1.0, size[0] / patch.shape[0], size[1] / patch.shape[1])
    inner = tuple(max(1, round(side * scale)) for side in patch.shape[:2])
    if inner != patch.shape[:2]:
        patch = _resize(patch, inner)
    top, left = ((outer - side) // 2 for outer, side in zip(size, inner, strict=True))
    padded = np.full((*size, 3), WHITE, dtype=np.uint8)
    padded[top : top + inner[0], left : left + inner[1]] = patch
    return padded


def check_size(size, *, allowed="(height, width)"):
    """Return ``(height, width)`` as a tuple of int, or raise a ValueError."""
    sides = size if isinstance(size, tuple | list | np.ndarray) and np.ndim(size) == 1 else ()
    whole = all(isinstance(side, int | np.integer) and side >= 1 for side in sides)
    if len(sides) != 2 or not whole or int(sides[0]) * int(sides[1]) > MAX_PIXELS:
        raise ValueError(
            f"size must be {allowed}, two integers from 1 with a product of at most "
            f"{MAX_PIXELS:,}; got {size!r}."
        )
    return tuple(int(side) for side in sides)


def _resize(patch, size):
    image = Image.fromarray(np.ascontiguousarray(patch))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))
