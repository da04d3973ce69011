"""From patch references to pixels: sizes, single patches, and one uint8 array of many."""

import stat
import struct
import warnings
from collections import Counter
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skbreast._decoding import DECODER_ERRORS, MAX_PIXELS, as_rgb, decode_image
from skbreast._headers import read_header
from skbreast._stacks import HDF5_ERRORS, read_rows, row_size
from skbreast._validation import check_choice, check_patches, is_references
from skbreast.references import parse_reference

__all__ = [
    "PatchReadError",
    "PatchReader",
    "fit_patch",
    "most_common_size",
    "patch_size",
    "read_patch",
    "read_patches",
]

WHITE = 255
CHUNK_SIZE = 64
MAX_SIZES_ASKED = 1000
_READ_ERRORS = tuple({*DECODER_ERRORS, *HDF5_ERRORS})
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
        path = _existing_file(place.path)
        if place.row is not None:
            return row_size(place.path)
        with path.open("rb") as stream:
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
        path = _existing_file(place.path)
        if place.row is not None:
            return next(read_rows(place.path, [place.row]))
        with path.open("rb") as stream:
            return decode_image(stream)


def _existing_file(path):
    # Opening a pipe would wait for ever, reading a device would never end.
    path = Path(path)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise ValueError("it is no regular file")
    return path


@contextmanager
def _naming_the_patch(place):
    try:
        yield
    except _READ_ERRORS as error:
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

    Notes
    -----
    Bilinear interpolation; when shrinking, its triangle kernel is widened by the scale, which
    averages over all pixels and so prevents aliasing.
    """
    check_choice(fit, name="fit", choices=("resize", "pad"))
    if patch.shape[:2] == tuple(size):
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


def _resize(patch, size):
    image = Image.fromarray(np.ascontiguousarray(patch))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def most_common_size(X, *, on_error="raise"):
    """Size that most patches have.

    Parameters
    ----------
    X : array-like
        Patch references, or a 4-D array of patches. Of more than 1,000 references, 1,000 evenly
        spaced ones are asked.
    on_error : {"raise", "blank"}, default="raise"
        "blank" leaves patches whose header cannot be read out of the count.

    Returns
    -------
    tuple of (int, int)
        ``(height, width)`` in pixels; of sizes equally common the one with the largest area.

    Raises
    ------
    PatchReadError
        If a header cannot be read; with "blank", if none can.
    """
    check_choice(on_error, name="on_error", choices=("raise", "blank"))
    X = check_patches(X)
    if X.ndim == 4:
        return X.shape[1:3]
    asked = X[np.linspace(0, len(X) - 1, min(len(X), MAX_SIZES_ASKED)).astype(int)]
    sizes, error = Counter(), None
    for reference in asked:
        try:
            sizes[patch_size(reference)] += 1
        except PatchReadError as unreadable:
            error = unreadable
            if on_error == "raise":
                raise
    if not sizes:
        raise error
    return max(sizes, key=lambda size: (sizes[size], size[0] * size[1], size))


def read_patches(references, *, size=None, fit="resize", on_error="raise", n_jobs=None):
    """Read many patches into one array.

    Parameters
    ----------
    references : array-like of str, shape (n_patches,)
        Patch references.
    size : tuple of (int, int), optional
        ``(height, width)`` of the array, in pixels. By default the size that most patches have,
        see :func:`most_common_size`.
    fit : {"resize", "pad"}, default="resize"
        How patches of another size are brought to it, see :func:`fit_patch`.
    on_error : {"raise", "blank"}, default="raise"
        What to do with a patch that cannot be read: raise, or put a white one in its place and
        warn once, at the end.
    n_jobs : int, optional
        Number of threads, -1 for one a processor. None means 1, or what
        :func:`joblib.parallel_config` says.

    Returns
    -------
    ndarray of shape (n_patches, height, width, 3), dtype uint8
        In the order of `references`. Little memory is needed beyond it.

    Raises
    ------
    PatchReadError
        If a patch cannot be read; the message names the file and the cause.
    ValueError
        If an argument is not one of those above.

    Warns
    -----
    UserWarning
        How many patches are blank, the first few of them, and why the first is.
    """
    check_choice(fit, name="fit", choices=("resize", "pad"))
    check_choice(on_error, name="on_error", choices=("raise", "blank"))
    if not is_references(references):
        raise ValueError("read_patches takes a 1-D collection of patch references.")
    references = check_patches(references)
    size = _check_size(size) or most_common_size(references, on_error=on_error)
    patches = np.empty((len(references), *size, 3), dtype=np.uint8)
    # Not prefer="threads": a process would fill its own copy of the array.
    failures = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(_fill)(patches[start:stop], references[start:stop], fit, on_error)
        for start, stop in _spans(len(references), CHUNK_SIZE)
    )
    _warn_of_blanks([each for chunk in failures for each in chunk], len(references))
    return patches


def _spans(n_items, n_span):
    return [(start, min(start + n_span, n_items)) for start in range(0, n_items, n_span)]


def _check_size(size):
    if size is None:
        return None
    sides = size if isinstance(size, tuple | list | np.ndarray) else ()
    whole = all(isinstance(side, int | np.integer) and side >= 1 for side in sides)
    if len(sides) != 2 or not whole or sides[0] * sides[1] > MAX_PIXELS:
        raise ValueError(
            "size must be None or (height, width), two integers from 1 with a product of at most "
            f"{MAX_PIXELS:,}; got {size!r}."
        )
    return tuple(int(side) for side in sides)


def _fill(patches, references, fit, on_error):
    """Fill `patches` from `references`; return the errors of those that stay blank."""
    failures = []
    for position, patch in _iterate(references):
        if not isinstance(patch, PatchReadError):
            patches[position] = fit_patch(patch, patches.shape[1:3], fit)
        elif on_error == "raise":
            raise patch
        else:
            patches[position] = WHITE
            failures.append((position, references[position], patch))
    return [failure[1:] for failure in sorted(failures, key=itemgetter(0))]


def _iterate(references):
    """Yield ``(position, pixels or error)``: files one by one, the rows of a file together."""
    rows_of = {}
    for position, reference in enumerate(references):
        place = parse_reference(reference)
        if place.row is None:
            yield position, _read_or_error(reference)
        else:
            rows_of.setdefault(place.path, []).append((position, place.row))
    for path, numbered in rows_of.items():
        positions, rows = zip(*numbered, strict=True)
        n_done = 0
        try:
            _existing_file(path)
            for position, patch in zip(positions, read_rows(path, rows), strict=True):
                yield position, patch
                n_done += 1
        except _READ_ERRORS:
            # One by one, to tell the broken rows from the sound ones.
            for position in positions[n_done:]:
                yield position, _read_or_error(references[position])


def _read_or_error(reference):
    try:
        return read_patch(reference)
    except PatchReadError as error:
        return error


def _warn_of_blanks(failures, n_patches):
    if not failures:
        return
    names = ", ".join(repr(str(reference)) for reference, _ in failures[:3])
    more = ", …" if len(failures) > 3 else ""
    warnings.warn(
        f"{len(failures)} of {n_patches} patches could not be read and are blank (white): "
        f"{names}{more}. The first: {failures[0][1]}",
        UserWarning,
        stacklevel=3,
    )


class PatchReader(TransformerMixin, BaseEstimator):
    """Read patch references into one uint8 array, as a step of a pipeline.

    Parameters
    ----------
    size : tuple of (int, int), optional
        ``(height, width)`` of the patches given out, in pixels. By default the size that most
        training patches have, see :func:`most_common_size`.
    fitting : {"resize", "pad"}, default="resize"
        How patches of another size are brought to it, see :func:`fit_patch`.
    on_error : {"raise", "blank"}, default="raise"
        What to do with a patch that cannot be read, see :func:`read_patches`.
    n_jobs : int, optional
        Number of threads, see :func:`read_patches`.

    Attributes
    ----------
    patch_shape_ : tuple of (int, int, int)
        ``(height, width, 3)`` of every patch given out.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.reading import PatchReader
    >>> patches = np.zeros((2, 50, 48, 3), dtype=np.uint8)
    >>> PatchReader(size=(50, 50), fitting="pad").fit_transform(patches).shape
    (2, 50, 50, 3)
    """

    def __init__(self, size=None, fitting="resize", on_error="raise", n_jobs=None):
        self.size = size
        self.fitting = fitting
        self.on_error = on_error
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Check the parameters and settle the size.

        Parameters
        ----------
        X : array-like
            Patch references, or a 4-D uint8 array ``(n_patches, height, width, channels)``.
        y : None
            Ignored.

        Returns
        -------
        PatchReader
            Itself.

        Raises
        ------
        PatchReadError
            If `size` is None and a header cannot be read.
        ValueError
            If a parameter or X is not one of those allowed.
        """
        check_choice(self.fitting, name="fitting", choices=("resize", "pad"))
        check_choice(self.on_error, name="on_error", choices=("raise", "blank"))
        X = check_patches(X)
        size = _check_size(self.size) or most_common_size(X, on_error=self.on_error)
        self.patch_shape_ = (*size, 3)
        return self

    def transform(self, X):
        """Read the patches.

        Parameters
        ----------
        X : array-like
            Patch references, or a 4-D uint8 array ``(n_patches, height, width, channels)`` of 1
            to 4 channels, which is brought to the same size and to RGB.

        Returns
        -------
        ndarray of shape (n_patches, *patch_shape_), dtype uint8
            In the order of X.

        Raises
        ------
        PatchReadError
            If a patch cannot be read and `on_error` is "raise".
        ValueError
            If X is an array of another kind.
        """
        check_is_fitted(self)
        size = self.patch_shape_[:2]
        if is_references(X):
            return read_patches(
                X, size=size, fit=self.fitting, on_error=self.on_error, n_jobs=self.n_jobs
            )
        X = check_patches(X)
        if X.dtype != np.uint8 or not 1 <= X.shape[-1] <= 4:
            raise ValueError(
                "PatchReader takes references or a uint8 array of 1 to 4 channels; got "
                f"{X.dtype} of shape {X.shape}."
            )
        patches = np.empty((len(X), *size, 3), dtype=np.uint8)
        for position, patch in enumerate(X):
            patches[position] = fit_patch(as_rgb(patch), size, self.fitting)
        return patches

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags
