"""Figures as rows, JSON and Markdown."""

import json

from skbreast.metrics import BootstrapInterval
from skbreast.results import results_table, write_results


def _interval(estimate, n_undefined=0):
    return BootstrapInterval(estimate, 0.25, 0.75, 0.95, 10, 100, n_undefined)


RESULTS = {
    "dummy": {"auc": _interval(0.5)},
    "cnn": {"patient_auc": _interval(0.625, n_undefined=6), "auc": _interval(2 / 3, n_undefined=5)},
}


def test_rows_have_the_figures_in_order_and_dashes_where_there_is_none():
    assert results_table(RESULTS) == [
        ["model", "AUC", "patient AUC"],
        ["dummy", "0.500 [0.250, 0.750]", "—"],
        ["cnn", "0.667 [0.250, 0.750]", "0.625 [0.250, 0.750] (!)"],
    ]


def test_files_hold_the_same_figures_and_what_was_undefined(tmp_path):
    write_results(tmp_path, RESULTS, note="Two folds.")

    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert written["protocol"].startswith("Two folds.")
    assert written["figures"]["cnn"]["patient_auc"]["n_undefined"] == 6
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| dummy | 0.500 [0.250, 0.750] | — |" in text
    assert "(!): undefined in more than 5 %" in text
