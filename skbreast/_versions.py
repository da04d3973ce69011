"""Versions of this package and of those that predictions hang on."""

from importlib.metadata import version

import skbreast

__all__ = ["PACKAGES", "versions"]

PACKAGES = ("scikit-learn", "keras", "tensorflow", "numpy")


def versions():
    """Return the version of this package and of those that predictions hang on."""
    return {"skbreast": skbreast.__version__, **{name: version(name) for name in PACKAGES}}
