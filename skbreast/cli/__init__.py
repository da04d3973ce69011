"""The command line: a few lines a command over the public API."""

from skbreast.cli import (  # noqa: F401 (they add their commands)
    _doctor,
    _export,
    _extract,
    _models,
    _studies,
)
from skbreast.cli._app import app
from skbreast.cli._options import KINDS

__all__ = ["KINDS", "app"]
