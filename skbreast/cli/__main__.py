"""``python -m skbreast.cli``."""

from skbreast.cli import app

app()
