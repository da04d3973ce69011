"""Write the table of results in the README from docs/results, or check it: ``--check``."""

import json
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
BEGIN, END = "<!-- results: made by docs/make_readme.py -->\n", "<!-- end of results -->\n"
MODELS = ("dummy", "colour", "texture", "transfer", "cnn", "finetune")


def results_table():
    """Return the AUC of each model on each data set, as Markdown."""
    sets = json.loads((DOCS / "results" / "sets.json").read_text(encoding="utf-8"))
    names = [f"`{name}`" for name in MODELS]
    lines = [["patches", *names], ["---"] * (len(MODELS) + 1)]
    for name, about in sets.items():
        found = json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))
        lines.append([f"{about['title']}: {about['caveat']}", *(_cell(found, m) for m in MODELS)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(found, model):
    figure = found["models"].get(model, {}).get("figures", {}).get("auc")
    if figure is None:
        return ""
    estimate, low, high = (f"{figure[name]:.3f}" for name in ("estimate", "low", "high"))
    return estimate if low == high else f"{estimate} [{low}, {high}]"


def with_table(text):
    """Return the README with the table between its marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + results_table() + END + rest.split(END)[1]


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    made = with_table(text)
    if "--check" not in sys.argv[1:]:
        README.write_text(made, encoding="utf-8")
    elif made != text:
        sys.exit("The table of results in the README is not that of docs/results; make it anew.")
