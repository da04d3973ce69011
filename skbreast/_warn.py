"""Warnings that point at the user's line, however deep inside they are given."""

import sys
import warnings

__all__ = ["warn_user"]

INSIDE = ("skbreast", "sklearn.callback", "sklearn.base", "sklearn.utils._set_output", "contextlib")


def warn_user(message, category=UserWarning):
    """Warn, and name the line outside of this package that led here.

    Parameters
    ----------
    message : str
        The warning.
    category : type, default=UserWarning
        Its class.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_inside(module):
    return any(module == name or module.startswith(f"{name}.") for name in INSIDE)
