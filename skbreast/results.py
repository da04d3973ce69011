"""Figures as tables: for the terminal, as JSON and as Markdown."""

import json
from dataclasses import asdict
from pathlib import Path

from skbreast._files import write_text

__all__ = ["FIGURE_TITLES", "RARE", "RARE_LEGEND", "results_table", "write_json", "write_results"]

RARELY_UNDEFINED = 0.05
RARE = "(!)"
RARE_LEGEND = f"{RARE}: undefined in more than {100 * RARELY_UNDEFINED:g} % of the resamples."
FIGURE_TITLES = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "accuracy": "accuracy",
    "patient_recognition_rate": "patient recognition rate",
    "patient_auc": "patient AUC",
}
"""Figures in the order in which they are shown."""


def results_table(results):
    """Return figures as rows of text: a header, then a row a model.

    Parameters
    ----------
    results : dict of str to dict of str to BootstrapInterval
        Figures by model.

    Returns
    -------
    list of list of str
    """
    names = [name for name in FIGURE_TITLES if any(name in each for each in results.values())]
    rows = [["model", *(FIGURE_TITLES[name] for name in names)]]
    for model, figures in results.items():
        rows.append([model, *(_cell(figures.get(name)) for name in names)])
    return rows


def _cell(interval):
    if interval is None:
        return "—"
    cell = f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
    rare = interval.n_undefined <= RARELY_UNDEFINED * interval.n_resamples
    return cell if rare else f"{cell} {RARE}"


def write_results(folder, results, *, note=""):
    """Write figures as ``results.json`` and ``results.md``.

    Parameters
    ----------
    folder : path-like
        Where to.
    results : dict of str to dict of str to BootstrapInterval
        Figures by model.
    note : str
        A sentence that says how they were obtained.
    """
    folder = Path(folder)
    figures = {
        model: {name: asdict(value) for name, value in figures.items()}
        for model, figures in results.items()
    }
    write_json(folder / "results.json", {"protocol": note, "figures": figures})
    header, *rows = results_table(results)
    lines = [header, ["---"] * len(header), *rows]
    if any(RARE in cell for row in rows for cell in row):
        note += f" {RARE_LEGEND} results.json has the counts."
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    write_text(folder / "results.md", f"{note}\n\n{table}\n")


def write_json(path, content):
    """Write a JSON file whole, in UTF-8 and indented."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
