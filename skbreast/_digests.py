"""What tells models and functions apart, so that no result is taken for another's."""

import inspect
import marshal
import os
import sys
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType

import joblib

from skbreast._fingerprints import digest_file, digest_text
from skbreast._versions import versions

__all__ = ["describe", "digest_estimator"]

UNIMPORTANT = {"verbose", "memory", "n_jobs", "checkpoint"}  # parameters that change no prediction
# Told apart by their versions, or as old as Python.
OTHERS = {"sklearn", "skbreast", "numpy", "scipy", "keras", "tensorflow", *sys.stdlib_module_names}
INSTALLED = ("site-packages", "dist-packages")


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
    return [_name(kind), *(_code(each) for each in _methods(kind))]


def _methods(kind):
    own = [base for base in kind.__mro__ if base.__module__.partition(".")[0] not in OTHERS]
    values = [value for base in own for _, value in sorted(vars(base).items())]
    values = [getattr(each, "__func__", getattr(each, "fget", each)) for each in values]
    return [each for each in values if hasattr(each, "__code__")]


def _code(value):
    """Return a function's code, and that of the user's functions and classes that it names."""
    waiting, texts, seen = [value], [], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        texts.append(_name(each))
        if inspect.isclass(each):
            waiting += _methods(each)
        elif isinstance(code := getattr(each, "__code__", None), CodeType):
            # Version 2 of the format does not depend on who else holds a reference.
            texts += [marshal.dumps(code, 2).hex(), *_plain_values(each)]
            named = _named_by(each, code)
            texts += [repr(value) for value in named if isinstance(value, str | int | float)]
            named += [_content(cell) for cell in each.__closure__ or ()]
            waiting += [value for value in named if _is_users(value)]
    return " ".join(texts)


def _named_by(function, code):
    """Return what a function finds under the names in its code, and in functions within it."""
    names, home = code.co_names, function.__globals__
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    found = [home[name] for name in names if name in home]
    modules = [each for each in found if isinstance(each, ModuleType) and _is_users(each)]
    found += [vars(each)[name] for each in modules for name in names if name in vars(each)]
    return found + [value for each in inner for value in _named_by(function, each)]


def _is_users(value):
    """Tell whether code is the user's own, which no version tells apart."""
    if not (inspect.isclass(value) or inspect.isfunction(value) or isinstance(value, ModuleType)):
        return False
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__ or ""
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None) or ""
    return name.partition(".")[0] not in OTHERS and not any(part in path for part in INSTALLED)


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
