"""Shared fixtures: where the real patches lie, and small synthetic ones."""

import os
from pathlib import Path

import pytest

DEFAULT_TEST_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data():
    """Folder of real patches, in the layouts in which their data sets are published."""
    folder = Path(os.environ.get("SKBREAST_TEST_DATA", DEFAULT_TEST_DATA))
    if not folder.is_dir():
        pytest.skip("no real patches here: set SKBREAST_TEST_DATA to the folder that holds them")
    return folder
