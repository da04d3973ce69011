"""What is checked of looks, of stain vectors, of arrays of numbers and of the empty slide."""

import numpy as np

__all__ = [
    "BRIGHTEST",
    "LARGEST",
    "check_light",
    "check_looks",
    "check_real",
    "check_vectors",
    "constant",
    "refuse_alike",
]

BRIGHTEST = 65_535
LARGEST = 1000  # of densities and colours, far above any there are
LEAST_DIVISOR = 1e-4
LEAST_ANGLE = 1e-10  # the square of its sine, of three stains their volume's


def check_real(values, *, name, low=-np.inf, high=np.inf):
    """Return an array of finite real numbers, or raise a ValueError that names the argument.

    Parameters
    ----------
    values : array-like
        What came.
    name : str
        The argument's name.
    low, high : float
        Smallest and largest allowed.

    Returns
    -------
    ndarray
        Of the dtype that came, where it is one of numbers; else float64.
    """
    array = as_numbers(values, name=name)
    least, most = (array.min(), array.max()) if array.size else (0, 0)
    if np.isfinite(least) and np.isfinite(most) and low <= least and most <= high:
        return array
    allowed = "" if np.isinf([low, high]).all() else f" from {low:,g} to {high:,g}"
    raise ValueError(
        f"{name} must hold finite numbers{allowed}; it reaches from {least:g} to {most:g}."
    )


def as_numbers(values, *, name):
    """Return an array of real numbers, finite or not, or raise a ValueError."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be an array of real numbers: {error}.") from error
    if array.dtype.kind not in "buif":
        raise ValueError(f"{name} must be an array of real numbers; got dtype {array.dtype}.")
    return array


def check_light(background):
    """Return the intensity of the empty slide as float64, of shape ``()`` or ``(3,)``."""
    light = as_numbers(background, name="background").astype(np.float64)
    if light.shape in ((), (3,)) and (light >= 1).all() and (light <= BRIGHTEST).all():
        return light
    raise ValueError(
        f"background must be one or three numbers from 1 to {BRIGHTEST:,}; got {background!r}."
    )


def check_vectors(vectors, *, shapes, name="vectors"):
    """Return stain vectors as float64, or raise a ValueError.

    Parameters
    ----------
    vectors : array-like of shape (..., n_stains, 3)
        What came.
    shapes : sequence of tuple of int
        What shapes are allowed.
    name : str
        The argument's name.
    """
    vectors = check_real(vectors, name=name, low=-LARGEST, high=LARGEST).astype(np.float64)
    if vectors.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise ValueError(f"{name} must have the shape {allowed}; got {vectors.shape}.")
    refuse_alike(vectors, name=name)
    return vectors


def refuse_alike(vectors, *, name):
    """Raise a ValueError if stains cannot be told apart."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = vectors / np.maximum(lengths, LEAST_DIVISOR)
    apart = np.linalg.det(unit @ np.swapaxes(unit, -1, -2)) >= LEAST_ANGLE
    if not apart.all():
        raise ValueError(f"{name} must hold stains of different colours, none without colour.")


def check_looks(looks, target, *, kind, shapes, name, n_patches):
    """Return looks and a target as float64, or raise what is wrong with them.

    Parameters
    ----------
    looks : named tuple of two arrays
        A row a patch, or one for all; a row that isn't finite has not been measured. By the
        second array is divided.
    target : named tuple of two arrays
        One row.
    kind : type
        Of both.
    shapes : tuple of two tuples of int
        Of a row of each array.
    name : str
        The argument's name of `looks`.
    n_patches : int
        How many patches there are.

    Returns
    -------
    looks : `kind`
        A row a patch.
    target : `kind`
        One row.
    measured : ndarray of shape (n_patches,), bool
        Of which patches all numbers are finite.
    """
    looks = _as_arrays(looks, kind, shapes, name)
    target = _as_arrays(target, kind, shapes, "target")
    if {len(each) for each in looks} - {1, n_patches}:
        lengths = " and ".join(str(len(each)) for each in looks)
        raise ValueError(
            f"There are {n_patches} patches, but {name} are looks of {lengths}; give 1 or all."
        )
    if any(len(each) != 1 or not np.isfinite(each).all() for each in target):
        raise ValueError("target must be one row of finite numbers; a blank patch is no target.")
    looks = kind(*(np.broadcast_to(each, (n_patches, *each.shape[1:])) for each in looks))
    finite = [np.isfinite(each).reshape(n_patches, -1).all(axis=1) for each in looks]
    measured = np.logical_and(*finite)
    _check_extremes(kind(*(each[measured] for each in looks)), name, least=LEAST_DIVISOR)
    _check_extremes(target, "target", least=0)
    return looks, target, measured


def _as_arrays(looks, kind, shapes, name):
    if not isinstance(looks, kind):
        raise TypeError(
            f"{name} must be of the class {kind.__name__}, as what measures them returns; got "
            f"{type(looks).__name__}."
        )
    arrays = kind(*(as_numbers(each, name=name).astype(np.float64) for each in looks))
    for field, each, shape in zip(kind._fields, arrays, shapes, strict=True):
        if each.ndim != 1 + len(shape) or each.shape[1:] != shape:
            sides = ", ".join(map(str, shape))
            raise ValueError(
                f"{name}.{field} must have the shape (n_patches, {sides}); got {each.shape}."
            )
    return arrays


def _check_extremes(looks, name, *, least):
    place, divisor = looks
    first, second = type(looks)._fields
    check_real(place, name=f"{name}.{first}", low=-LARGEST, high=LARGEST)
    if len(divisor):
        check_real(divisor, name=f"{name}.{second}", low=least, high=LARGEST)


def constant(looks):
    """Return looks whose arrays cannot be written to."""
    arrays = [np.array(each, dtype=np.float64) for each in looks]
    for each in arrays:
        each.setflags(write=False)
    return type(looks)(*arrays)
