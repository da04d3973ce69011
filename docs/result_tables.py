"""The tables of the results page, from what ``skbreast benchmark`` wrote."""

import json
from pathlib import Path

from skbreast.results import FIGURE_TITLES

RESULTS = Path(__file__).resolve().parent / "results"
UNCHECKED = "[#second-hand]_"


def results_tables(list_table):
    """Return all runs as reStructuredText: protocol, figures beside published ones, differences.

    Parameters
    ----------
    list_table : callable
        ``list_table(header, rows)`` draws a table.
    """
    sets = json.loads((RESULTS / "sets.json").read_text(encoding="utf-8"))
    return "\n".join(_section(name, about, list_table) for name, about in sets.items())


def _section(name, about, list_table):
    found = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    models = found["models"].values()
    shown = [each for each in FIGURE_TITLES if any(each in model["figures"] for model in models)]
    titles = [FIGURE_TITLES[each] for each in shown]
    rows = [_ours(model, result, shown, about) for model, result in found["models"].items()]
    rows += [_published(each, shown) for each in about["published"]]
    parts = [
        about["title"],
        "-" * len(about["title"]),
        "",
        f".. code-block:: console\n\n   $ {about['command']} --out results\n",
        "\n\n".join([found["protocol"], *found["notes"]]) + "\n",
        list_table(("model", "on", *titles), rows),
    ]
    compared = [_difference(each, shown) for each in found["differences"] if _is_shown(each)]
    if compared:
        parts.append(
            "Differences to *colour* on the same patches, with intervals of the bootstrap and p of "
            "permutation tests:\n"
        )
        parts.append(list_table(("model", *titles), compared))
    return "\n".join(parts)


def _ours(model, result, shown, about):
    if result["error"] is not None:
        return (
            f"``{model}``",
            about["caveat"],
            f"failed in {result['error']}",
            *["—"] * (len(shown) - 1),
        )
    cells = [_interval(result["figures"].get(each), "estimate", ".3f") for each in shown]
    return (f"``{model}``", about["caveat"], *cells)


def _published(row, shown):
    mark = "" if row["checked"] else f" {UNCHECKED}"
    cells = [f"{row['figures'][each]:.3f}" if each in row["figures"] else "—" for each in shown]
    return (f"*{row['who']}*{mark}", row["on"], *cells)


def _is_shown(pair):
    return pair["second"] == "colour" and pair["first"] != "dummy"


def _difference(pair, shown):
    values = [pair["figures"].get(each) for each in shown]
    cells = [_interval(value, "difference", "+.3f") + _p_value(value) for value in values]
    return (f"``{pair['first']}``", *cells)


def _p_value(value):
    return "" if value is None else f", p = {value['p_value']:.2g}"


def _interval(value, name, form):
    if value is None:
        return "—"
    return f"{value[name]:{form}} [{value['low']:{form}}, {value['high']:{form}}]"
