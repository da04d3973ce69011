"""Shared fixtures: where the real patches lie, and small synthetic ones."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DEFAULT_TEST_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data():
    """Folder of real patches, in the layouts in which their data sets are published."""
    folder = Path(os.environ.get("SKBREAST_TEST_DATA", DEFAULT_TEST_DATA))
    if not folder.is_dir():
        pytest.skip("no real patches here: set SKBREAST_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def save_patches():
    """Give a function that saves patches as 0.png, 1.png, … in a folder and returns the paths."""

    def save(patches, folder):
        paths = [str(folder / f"{number}.png") for number in range(len(patches))]
        for patch, path in zip(patches, paths, strict=True):
            Image.fromarray(patch).save(path)
        return np.array(paths)

    return save


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep graphs of networks away from the user's own, in the processes of tests too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKBREAST_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _noted_for_the_docs(request):
    """Write what works with what into the results, for docs/make_compatibility.py."""
    marker = request.node.get_closest_marker("works")
    if marker is not None:
        record_property = request.getfixturevalue("record_property")
        record_property("works", marker.args[0])
        parameters = getattr(request.node, "callspec", None)
        kind = parameters.params.get("kind", "arrays") if parameters else "arrays"
        record_property("kind", marker.kwargs.get("kind", kind))
