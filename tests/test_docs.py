"""Tables of figures stand in the documentation as they were measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module", autouse=True)
def _with_docs():
    if not DOCS.is_dir():
        pytest.skip("there is no documentation beside these tests")


def test_the_readme_has_the_figures_of_the_results():
    command = [sys.executable, str(DOCS / "make_readme.py"), "--check"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def test_the_results_page_has_every_figure():
    code = "import sys, make_tables; print(make_tables.TABLES['results']())"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=DOCS, capture_output=True, text=True, check=True
    )
    sets = json.loads((DOCS / "results" / "sets.json").read_text(encoding="utf-8"))
    for name, about in sets.items():
        found = json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))
        assert about["title"] in process.stdout
        for model, result in found["models"].items():
            assert result["error"] is None, (name, model)
            figure = result["figures"]["auc"]
            assert f"{figure['estimate']:.3f} [{figure['low']:.3f}" in process.stdout
