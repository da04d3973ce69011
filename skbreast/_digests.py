"""What tells models and functions apart, so that no result is taken for another's."""

import inspect
import marshal
import os
from functools import partial
from pathlib import Path

import joblib

from skbreast._fingerprints import digest_file, digest_text
from skbreast._versions import versions

__all__ = ["describe", "digest_estimator"]

UNIMPORTANT = {"verbose", "memory", "n_jobs", "checkpoint"}  # parameters that change no prediction
OTHERS = ("sklearn", "skbreast", "numpy", "scipy", "builtins")  # told apart by their versions


def digest_estimator(estimator):
    """Digest of an unfitted estimator, as 40 hexadecimal digits.

    It changes with its classes, their code where they are the user's own, its parameters, files
    that these name, functions that these are, and with the versions of the packages.
    """
    params = estimator.get_params(deep=True)
    names = sorted(name for name in params if name.rpartition("__")[2] not in UNIMPORTANT)
    described = [versions(), _kind(type(estimator))]
    described += [(name, describe(params[name])) for name in names]
    return digest_text("\n".join(map(repr, described)))


def describe(value):
    """Return what tells a parameter from others: lists of texts, with the code of functions."""
    if hasattr(value, "get_params") and not inspect.isclass(value):
        return _kind(type(value))  # its parameters are listed by themselves
    if isinstance(value, list | tuple):
        return [describe(each) for each in value]
    if isinstance(value, partial):
        return [
            "partial",
            describe(value.func),
            describe(value.args),
            sorted(value.keywords.items()),
        ]
    if callable(value):
        return _code(value)
    if isinstance(value, str | Path) and os.path.isfile(value):  # noqa: PTH113 - of any text
        return f"{value!r} {digest_file(value)}"
    return repr(value) if isinstance(value, str | int | float | None) else joblib.hash(value)


def _kind(kind):
    own = [base for base in kind.__mro__ if base.__module__.partition(".")[0] not in OTHERS]
    methods = [value for base in own for _, value in sorted(vars(base).items())]
    return [_name(kind), *(_code(each) for each in methods if hasattr(each, "__code__"))]


def _code(value):
    code = getattr(value, "__code__", None)
    # Version 2 of the format does not depend on who else holds a reference.
    texts = [] if code is None else [marshal.dumps(code, 2).hex(), *_plain_values(value)]
    return " ".join([_name(value), *texts])


def _plain_values(function):
    """Return numbers and texts that a function has as defaults or from the function around it."""
    values = [_content(cell) for cell in getattr(function, "__closure__", None) or ()]
    values += getattr(function, "__defaults__", None) or ()
    values += (getattr(function, "__kwdefaults__", None) or {}).values()
    return [repr(each) for each in values if isinstance(each, str | int | float)]


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


def _name(value):
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
