"""A benchmark as JSON and as Markdown."""

import platform
from dataclasses import asdict

import numpy as np

import skbreast
from skbreast._files import write_text
from skbreast._notice import RESEARCH_ONLY
from skbreast._versions import versions
from skbreast.results import FIGURE_TITLES, RARE, RARE_LEGEND, results_table, write_json

__all__ = ["benchmark_tables", "choose_reference", "write_benchmark"]

BRACKETS = "Figures, in brackets 95 % intervals over patients"


def write_benchmark(out, benchmark):
    """Write ``results.json`` and ``results.md``.

    Parameters
    ----------
    out : pathlib.Path
        The folder.
    benchmark : Benchmark
        What was found, perhaps of some models only.
    """
    write_json(out / "results.json", as_json(benchmark))
    figures, differences = benchmark_tables(benchmark)
    parts = [benchmark.protocol, *benchmark.notes, f"{BRACKETS}:", _markdown(figures)]
    if len(differences) > 1:
        parts += [f"{differences_title(benchmark)}:", _markdown(differences)]
    if any(RARE in cell for row in figures for cell in row):
        parts.append(f"{RARE_LEGEND} results.json has the counts.")
    parts.append(f"skbreast {skbreast.__version__}. {RESEARCH_ONLY}")
    write_text(out / "results.md", "\n\n".join(parts) + "\n")


def as_json(benchmark):
    """Return a benchmark as lists, dicts and numbers; NaN becomes null."""
    models = {
        name: {
            "figures": {figure: asdict(value) for figure, value in result.figures.items()},
            "folds": result.folds,
            "error": result.error,
        }
        for name, result in benchmark.models.items()
    }
    differences = [
        {"first": first, "second": second, "figures": {k: asdict(v) for k, v in figures.items()}}
        for (first, second), figures in benchmark.differences.items()
    ]
    return _without_nan(
        {
            "protocol": benchmark.protocol,
            "notes": benchmark.notes,
            "models": models,
            "differences": differences,
            "python": platform.python_version(),
            "versions": versions(),
        }
    )


def _without_nan(value):
    if isinstance(value, dict):
        return {str(key): _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def benchmark_tables(benchmark):
    """Return two tables of text: figures with intervals, and differences to a reference.

    Parameters
    ----------
    benchmark : Benchmark
        What was found.

    Returns
    -------
    figures, differences : list of list of str
        Rows; the first is the header. There is a row for each model, also for one that failed.
    """
    figures = {name: result.figures for name, result in benchmark.models.items()}
    header, *rows = results_table(figures)
    table = [[*header, "seconds a fold"]]
    for row, result in zip(rows, benchmark.models.values(), strict=True):
        table.append([*row, _seconds(result)] if result.error is None else _failed(row, result))
    return table, _differences_table(benchmark)


def _failed(row, result):
    model, *cells = row
    return [model, f"failed in {result.error}", *["—"] * max(len(cells), 1)]


def _seconds(result):
    seconds = [fold["fit_seconds"] + fold["predict_seconds"] for fold in result.folds]
    return f"{np.mean(seconds):.3g}"


def choose_reference(models):
    """Return the model that the others are compared with: colour alone, else the first."""
    names = [name for name, result in models.items() if result.error is None]
    return "colour" if "colour" in names else next(iter(names), None)


def differences_title(benchmark):
    """Return the sentence that stands above the differences."""
    return (
        f"Differences to {choose_reference(benchmark.models)} on the same test patches, in "
        "brackets 95 % bootstrap intervals over patients; p of permutation tests, which hold their "
        "level where patients are few and may then disagree with the interval"
    )


def _differences_table(benchmark):
    reference = choose_reference(benchmark.models)
    pairs = benchmark.differences
    found = {model: pairs[model, reference] for model, other in pairs if other == reference}
    names = [name for name in FIGURE_TITLES if any(name in each for each in found.values())]
    rows = [["model", *(FIGURE_TITLES[name] for name in names)]]
    for model, figures in found.items():
        rows.append([model, *(_difference(figures.get(name)) for name in names)])
    return rows


def _difference(found):
    if found is None:
        return "—"
    interval = f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    return f"{interval}, p = {found.p_value:.2g}"


def _markdown(rows):
    header, *rows = rows
    lines = [header, ["---"] * len(header), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
