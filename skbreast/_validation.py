"""Checks of what users hand in; each returns the cleaned value or raises one clear sentence."""

import importlib
import math
import numbers
import os

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    column_or_1d,
    validate_data,
)

from skbreast._warn import warn_user

__all__ = [
    "SCALED_PIXELS_END",
    "check_choice",
    "check_feature_names_in",
    "check_flag",
    "check_groups",
    "check_n_jobs",
    "check_number",
    "check_patches",
    "check_sample_weight",
    "import_optional",
    "is_references",
    "keep_feature_count",
    "name_some",
    "warn_if_raw",
    "warn_if_scaled",
]

MOST_JOBS = 4096
SCALED_PIXELS_END = 20  # above any scaling of pixels in use, standard scores too


def import_optional(module, *, extra, purpose):
    """Import a package of one of the extras, or say how to install it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of skbreast that installs it.
    purpose : str
        What needs it, the subject of the error's sentence.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ImportError
        With the install command, if it is missing.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ImportError(
            f'{purpose} needs the package {package}: pip install "skbreast[{extra}]"'
        ) from error


def check_choice(value, *, name, choices):
    """Return the choice that `value` is, else raise a ValueError that lists them."""
    for choice in choices:
        alike = type(value) is type(choice) or (isinstance(value, str) and isinstance(choice, str))
        if value is choice or (alike and value == choice):
            return choice
    allowed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(f"{name} must be one of {allowed}; got {value!r}.")


def is_references(X):
    """Tell whether `X` is a one-dimensional collection of patch references."""
    if isinstance(X, str):
        raise ValueError(
            f"X must be a collection of patch references; got the single string {X!r}: "
            "put it in a list."
        )
    # A table iterates over its column names, which are strings too.
    if len(getattr(X, "shape", (0,))) != 1:
        return False
    several = hasattr(X, "__iter__") and hasattr(X, "__len__")
    first = next((each for each in X if each is not None), None) if several else None
    return isinstance(first, str) or hasattr(first, "__fspath__")


def check_patches(X, *, image_shape=None):
    """Return patches as one 4-D array, or as a 1-D array of references.

    Parameters
    ----------
    X : array-like
        ``(n_patches, height, width, channels)`` numbers; ``(n_patches,)`` patch references; or
        ``(n_patches, height * width * channels)`` rows.
    image_shape : tuple of (int, int, int), optional
        ``(height, width, channels)`` of a row. By default a row of d features is read as one
        pixel of d channels.

    Returns
    -------
    ndarray
        4-D (uint8 is kept, every other number becomes float32) or 1-D of str objects.

    Raises
    ------
    ValueError
        If X is empty, has another number of dimensions, holds NaN or infinity, or does not fit
        `image_shape`.
    """
    if is_references(X):
        return _check_references(X)
    if getattr(X, "shape", None) == (0,) or (isinstance(X, list | tuple) and not X):
        raise ValueError("X is empty: it holds 0 samples, and at least 1 patch is needed.")
    with np.errstate(over="ignore", invalid="ignore"):  # of the sum by which it looks for NaN
        X = check_array(X, dtype=None, allow_nd=True, input_name="X")
    if X.ndim == 2 and isinstance(X.flat[0], str):
        raise ValueError(
            f"X holds strings in two dimensions, {X.shape}; patch references are one-dimensional: "
            "give one column."
        )
    if X.dtype.kind not in "uifb":
        X = check_array(X, dtype="numeric", allow_nd=True, input_name="X")
    if X.dtype != np.uint8:
        X = _as_float32(X)
    if X.ndim == 4:
        if 0 in X.shape:
            raise ValueError(f"X has patches without pixels: its shape is {X.shape}.")
        return X
    if X.ndim != 2:
        raise ValueError(
            f"X has {X.ndim} dimensions; patches are a 4-D array (n_patches, height, width, "
            "channels), 1-D references, or 2-D rows."
        )
    return X.reshape(len(X), *_row_shape(X.shape[1], image_shape))


def _as_float32(X):
    with np.errstate(over="ignore"):
        X = X.astype(np.float32)
    if not np.isfinite(X).all():
        raise ValueError("Input X contains infinity or a value too large for dtype('float32').")
    return X


def _row_shape(n_features, image_shape):
    if image_shape is None:
        return (1, 1, n_features)
    shape = tuple(image_shape) if hasattr(image_shape, "__iter__") else ()
    whole = all(isinstance(side, numbers.Integral) and side >= 1 for side in shape)
    if len(shape) != 3 or not whole or math.prod(map(int, shape)) != n_features:
        raise ValueError(
            f"image_shape={image_shape!r} does not fit rows of {n_features} features; it must be "
            "(height, width, channels) whose product is the number of features."
        )
    return tuple(int(side) for side in shape)


def _check_references(X):
    references = np.array(X, dtype=object)  # a copy: paths become strings in place
    if references.ndim != 1:
        raise ValueError(f"Patch references must be one-dimensional; got shape {references.shape}.")
    for position, reference in enumerate(references):
        if isinstance(reference, str):
            continue
        text = os.fspath(reference) if hasattr(reference, "__fspath__") else None
        if not isinstance(text, str):
            raise ValueError(
                f"X[{position}] is no patch reference: a string is expected, got {reference!r}."
            )
        references[position] = text
    return references


def check_groups(groups, *, n_samples, name="groups"):
    """Return patient ids as a 1-D array of `n_samples`, or raise a ValueError.

    Missing ids (None, NaN, pandas.NA) are refused: a patch of an unknown patient can stand on
    both sides of a split unseen.
    """
    # Of a list numpy would make strings, and of a missing id a patient named "nan".
    as_given = np.asarray(groups, dtype=None if hasattr(groups, "dtype") else object)
    if as_given.ndim != 1 and as_given.shape != (len(as_given) if as_given.ndim else 0, 1):
        raise ValueError(f"{name} must be one-dimensional; got shape {as_given.shape}.")
    if len(as_given) != n_samples:
        raise ValueError(f"{name} has {len(as_given)} entries for {n_samples} patches.")
    missing = find_missing(as_given)
    if len(missing):
        raise ValueError(
            f"{name} lacks the patient of {len(missing)} patches (first at row {missing[0]}); "
            "give every patch an id."
        )
    return column_or_1d(np.asarray(groups))


def find_missing(values):
    """Return the positions of None, NaN and pandas.NA, flattened.

    It looks before numpy makes strings of a list, and of what is missing a label named "nan".
    """
    as_given = np.asarray(values, dtype=None if hasattr(values, "dtype") else object)
    return [row for row, value in enumerate(as_given.ravel().tolist()) if _is_missing(value)]


def _is_missing(value):
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def check_number(value, *, name, low, high=None, integer=False, open_low=False):
    """Return a number that lies in its range, or raise a ValueError that says the range.

    Parameters
    ----------
    value : number
        What came.
    name : str
        The argument's name.
    low, high : number
        Smallest and largest allowed; no `high` means no upper bound.
    integer : bool, default=False
        Whether only whole numbers are allowed.
    open_low : bool, default=False
        Whether `low` itself is excluded.
    """
    kind = numbers.Integral if integer else numbers.Real
    fits = isinstance(value, kind) and not isinstance(value, bool | np.bool_)
    fits = fits and (value > low if open_low else value >= low)
    if fits and (high is None or value <= high):
        return value
    what = "an integer" if integer else "a number"
    bounds = f"above {low}" if open_low else f"at least {low}"
    bounds += "" if high is None else f" and at most {high}"
    raise ValueError(f"{name} must be {what} {bounds}; got {value!r}.")


def check_n_jobs(n_jobs):
    """Return a number of workers, or raise a ValueError.

    There is an upper bound since joblib starts as many threads as it is told, or dies of it.
    """
    whole = isinstance(n_jobs, numbers.Integral) and not isinstance(n_jobs, bool | np.bool_)
    if whole and n_jobs > MOST_JOBS:
        raise ValueError(f"n_jobs must be at most {MOST_JOBS:,}; got {n_jobs!r}.")
    if n_jobs is None or (whole and n_jobs != 0):
        return n_jobs
    raise ValueError(f"n_jobs must be None or an integer other than 0; got {n_jobs!r}.")


def check_flag(value, *, name):
    """Return a truth value, or raise a ValueError that names the parameter."""
    if isinstance(value, bool | np.bool_):
        return value
    raise ValueError(f"{name} must be True or False; got {value!r}.")


def check_sample_weight(sample_weight, *, n_samples):
    """Return sample weights as float64 of shape ``(n_samples,)``, ones by default.

    Negative weights are refused.
    """
    patches = np.empty((n_samples, 1), dtype=np.float64)
    return _check_sample_weight(sample_weight, patches, ensure_non_negative=True)


def check_feature_names_in(estimator, input_features):
    """Check the names that `get_feature_names_out` is given, where there are names to check."""
    if hasattr(estimator, "n_features_in_"):
        _check_feature_names_in(estimator, input_features, generate_names=False)


def keep_feature_count(estimator, X, patches, *, reset):
    """Keep, or compare with, the number of features and the names that an estimator was fitted on.

    Parameters
    ----------
    estimator : estimator
        When `reset`, gets `n_features_in_` (not from references, whose pixels are not yet read),
        and `feature_names_in_` from a data frame of rows.
    X : array-like
        What the user handed in.
    patches : ndarray
        What :func:`check_patches` made of it.
    reset : bool
        True in `fit`, False afterwards.

    Raises
    ------
    ValueError
        If rows have another number of features, or patches another shape, than in `fit`.
    """
    if patches.ndim == 4 and np.asarray(X).ndim == 2:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset:
        for attribute in ("n_features_in_", "feature_names_in_"):
            estimator.__dict__.pop(attribute, None)
        if patches.ndim == 4:
            estimator.n_features_in_ = math.prod(patches.shape[1:])


def warn_if_scaled(X, patches):
    """Warn if an array of patches looks scaled to 0…1 where a pretrained network wants 0…255."""
    if np.asarray(X).ndim == 4 and patches.dtype != np.uint8 and 0 < patches.max() <= 1:
        scale = "-1…1" if patches.min() < 0 else "0…1"
        warn_user(f"X looks scaled to {scale}; patches are expected as raw pixels, 0…255.")


def warn_if_raw(X, patches):
    """Warn if patches look like raw pixels where a network learned scaled ones."""
    if np.asarray(X).ndim != 2 and (patches.ndim == 1 or patches.max() > SCALED_PIXELS_END):
        warn_user(
            "X holds raw pixels, 0…255, but the network was fitted on scaled ones; give both the "
            "same scale, best raw."
        )


def name_some(values, *, limit=5, write=repr):
    """Write the first few of a list, for an error or a report."""
    return ", ".join(map(write, values[:limit])) + (", …" if len(values) > limit else "")
