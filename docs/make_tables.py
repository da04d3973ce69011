"""Write the tables of the documentation from the code, so that they cannot go stale."""

import ast
import json
import sys
import tomllib
from functools import partial
from pathlib import Path

from skbreast.registry import BACKBONES, PREPROCESSING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from findings_tables import findings_tables  # noqa: E402 (it stands beside this file)
from result_tables import results_tables  # noqa: E402 (it stands beside this file)
from stain_tables import stain_tables  # noqa: E402 (it stands beside this file)

from benchmarks.tables import table, where  # noqa: E402 (it stands at the root)


def list_table(header, rows):
    """Return rows of text as a reStructuredText ``list-table``."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        lines += [f"   {'*' if not n else ' '} - {cell}" for n, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def backbones_table():
    """Return the pretrained networks of the registry."""
    header = (
        "name", "function", "side (least)", "blocks before ``last``", "middle", "features",
        "pre-processing", "licence of the weights", "weights",
    )  # fmt: skip
    rows = [
        (
            f"``{row.name}``",
            "our own" if row.packaged else f"``{row.builder}``",
            f"{row.input_size} ({row.min_size})",
            str(len(row.blocks)),
            _span(row.middle_blocks),
            f"{row.n_features:,}",
            f"``{row.preprocessing}``",
            row.licence,
            "installed" if row.packaged else "download or file",
        )
        for row in BACKBONES.values()
    ]
    return list_table(header, rows)


def _span(blocks):
    numbers = [name.removeprefix("block") for name in blocks]
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def preprocessing_table():
    """Return the conventions by which pixels 0…255 become a network's input."""
    rows = []
    for name, row in PREPROCESSING.items():
        users = ", ".join(b.name for b in BACKBONES.values() if b.preprocessing == name)
        order = "BGR" if row.reverse_channels else "RGB"
        rows.append((f"``{name}``", order, _numbers(row.mean), _numbers(row.scale), users))
    return list_table(("key", "channels", "minus", "times", "backbones"), rows)


def _numbers(value):
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"{each:g}" if each >= 1 else f"1/{1 / each:g}" if each else "0"
                     for each in values)  # fmt: skip


def floors_table():
    """Return the floors of the import contract, with the first line of each module."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    rows = []
    for floor, layer in enumerate(reversed(layers)):
        for module in layer.split(" | "):
            name = module.removeprefix("skbreast.")
            rows.insert(0, (str(floor), f"``{name}``", _first_line(module)))
    return list_table(("floor", "module", "its one job"), rows)


def _first_line(module):
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    first_line = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
    return first_line.replace("``", "`").replace("`", "``")


def benchmarks_tables(*, only=None, without=()):
    """Return what was measured last, a table a contest, by how the titles begin."""
    text = (ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8")
    content = json.loads(text)
    parts = [where(content)]
    for title, contest in content["contests"].items():
        if title.startswith(without) or (only and not title.startswith(only)):
            continue
        header, *rows = table(contest)
        drawn = list_table(header, rows)
        parts += [f"**{title[0].upper()}{title[1:]}**", drawn, contest["note"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def simulations_table(part, titles):
    """Return what benchmarks/simulations.py found: a row a setting, shares with two decimals."""
    text = (ROOT / "benchmarks" / "simulations.json").read_text(encoding="utf-8")
    rows = [
        [f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()]
        for row in json.loads(text)[part]
    ]
    return list_table(titles, rows)


INTERVALS = ("true AUC", "patients", "positive ones", "by patch", "percentile", "logit")
TESTS = ("patients", "by patch", "bootstrap", "permutation")
STAIN = ("Reinhard", "Macenko", "Vahadane")
TEXTURE = ("Texture", "PFTAS")
TABLES = {
    "benchmarks": partial(benchmarks_tables, without=(*STAIN, *TEXTURE)),
    "stain": partial(benchmarks_tables, only=STAIN),
    "texture": partial(benchmarks_tables, only=TEXTURE),
    "stain_helps": partial(stain_tables, list_table),
    **findings_tables(list_table),
    "results": partial(results_tables, list_table),
    "backbones": backbones_table,
    "preprocessing": preprocessing_table,
    "floors": floors_table,
    "intervals": partial(simulations_table, "intervals", INTERVALS),
    "tests": partial(simulations_table, "tests", TESTS),
}


def write_all(folder):
    """Write every table as ``<name>.rst`` into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in TABLES.items():
        (folder / f"{name}.rst").write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    write_all(sys.argv[1])
