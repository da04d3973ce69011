"""The tables of what normalising and jittering stain does, from what the runner wrote."""

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
OF_NETWORKS = {"plain-cnn": "cnn", "jittered-cnn": "cnn"}


def stain_tables(list_table):
    """Return a table a data set: the area under the curve, and by how much stain changes it.

    Parameters
    ----------
    list_table : callable
        ``list_table(header, rows)`` draws a table.
    """
    sets = json.loads((RESULTS / "stain_sets.json").read_text(encoding="utf-8"))
    return "\n".join(_section(name, about, list_table) for name, about in sets.items())


def _section(name, about, list_table):
    found = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    differences = {
        (each["first"], each["second"]): each["figures"] for each in found["differences"]
    }
    rows = [_row(model, result, differences) for model, result in found["models"].items()]
    title = f"**{about['title']}**\n"
    return "\n".join([title, list_table(("model", "AUC", "difference to the model without"), rows)])


def _row(model, result, differences):
    auc = result["figures"]["auc"]
    cells = [f"``{model}``", f"{auc['estimate']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]"]
    without = OF_NETWORKS.get(model, model.partition("-")[2])
    for pair, sign in (((model, without), 1), ((without, model), -1)):
        if pair in differences:
            return (*cells, _difference(differences[pair]["auc"], sign))
    return (*cells, "")


def _difference(found, sign):
    low, high = sorted((sign * found["low"], sign * found["high"]))
    value = sign * found["difference"]
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}], p = {found['p_value']:.2g}"
