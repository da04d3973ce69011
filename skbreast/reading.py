"""From patch references to pixels: sizes, single patches, and one uint8 array of many."""

import warnings
from collections import Counter
from operator import itemgetter

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skbreast._decoding import as_rgb
from skbreast._pictures import PictureTransformer
from skbreast._single_patch import (
    READ_ERRORS,
    WHITE,
    PatchReadError,
    check_size,
    existing_file,
    fit_patch,
    patch_size,
    read_patch,
)
from skbreast._stacks import read_rows
from skbreast._validation import check_choice, check_n_jobs, check_patches, is_references
from skbreast.references import parse_reference

__all__ = [
    "PatchReadError",
    "PatchReader",
    "fit_patch",
    "iterate_patches",
    "most_common_size",
    "patch_size",
    "read_patch",
    "read_patches",
]

CHUNK_SIZE = 64
MAX_SIZES_ASKED = 1000


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
    check_n_jobs(n_jobs)
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
    return None if size is None else check_size(size, allowed="None or (height, width)")


def _fill(patches, references, fit, on_error):
    """Fill `patches` from `references`; return the errors of those that stay blank."""
    failures = []
    for position, patch in iterate_patches(references):
        if not isinstance(patch, PatchReadError):
            patches[position] = fit_patch(patch, patches.shape[1:3], fit)
        elif on_error == "raise":
            raise patch
        else:
            patches[position] = WHITE
            failures.append((position, references[position], patch))
    return [failure[1:] for failure in sorted(failures, key=itemgetter(0))]


def iterate_patches(references):
    """Yield ``(position, pixels or PatchReadError)`` of references, in any order.

    Files are read one by one, the rows of a file together.
    """
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
            existing_file(path)
            for position, patch in zip(positions, read_rows(path, rows), strict=True):
                yield position, patch
                n_done += 1
        except READ_ERRORS:
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


class PatchReader(PictureTransformer):
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
        tags.input_tags.one_d_array = True
        tags.input_tags.three_d_array = False
        tags.requires_fit = True
        return tags
