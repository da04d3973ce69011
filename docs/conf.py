"""Sphinx configuration: ``sphinx-build -W docs docs/_build/html``."""

import re
import sys
from pathlib import Path

import skbreast

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import findings_tables  # noqa: E402 (it stands beside this file)
import make_pictures  # noqa: E402 (likewise)
import make_tables  # noqa: E402 (likewise)

make_tables.write_all(DOCS / "_build" / "tables")
make_pictures.write_all(DOCS / "_build" / "pictures")
rst_epilog = findings_tables.substitutions()

project = "skbreast"
author = "The skbreast developers"
copyright = f"2026, {author}"
version = release = skbreast.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["compatibility.rst", "_build"]
default_role = "code"
html_extra_path = ["_build/pictures/extra"]  # an example report
html_theme = "alabaster"
html_theme_options = {
    "description": "Breast-biopsy patches, classified the scikit-learn way",
    "page_width": "1080px",
    "fixed_sidebar": True,
}

autodoc_default_options = {
    "exclude-members": "set_fit_request, set_partial_fit_request, set_score_request, "
    "set_transform_request",
}
autosummary_generate = False
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 10**6,
    "write_computation_times": False,
}


def shapes_as_literals(app, what, name, obj, options, lines):
    """Mark up array shapes: reST would read ``n_channels_`` as a link, ``*size`` as emphasis."""
    lines[:] = [
        re.sub(r"\bshape (\((?:[^()`]|\([^()]*\))*\))", r"shape ``\1``", line) for line in lines
    ]


def setup(app):
    """Connect, to run before numpydoc does."""
    app.connect("autodoc-process-docstring", shapes_as_literals, priority=100)
