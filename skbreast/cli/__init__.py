"""The command line: a few lines a command over the public API."""

from skbreast.cli import _doctor, _models, _studies  # noqa: F401 (they add their commands)
from skbreast.cli._app import app
from skbreast.cli._options import KINDS

__all__ = ["KINDS", "app"]
