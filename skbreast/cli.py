"""The command line: a few lines a command over the public API."""

import contextlib
import json
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import skbreast
from skbreast.exceptions import TrainingInterruptedWarning

__all__ = ["app"]

app = typer.Typer(
    help="Classify breast-biopsy patches, honestly: figures are counted by patient.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)
FEW_PATIENTS = 10
DEMO_FOLDER = Path("skbreast-demo")

# Options by the layout of the data; written down here, since loaders import scikit-learn, for which
# --help should not wait.
KINDS = {
    "idc": {"split", "splits_dir"},
    "breakhis": {"magnification", "classes"},
    "pcam": {"split"},
    "folder": {"split", "groups_pattern"},
}
Kind = StrEnum("Kind", {name: name for name in ("auto", *KINDS)})
Classes = StrEnum("Classes", {name: name for name in ("binary", "subtype")})

DataArgument = Annotated[Path, typer.Argument(help="Folder of a data set.", show_default=False)]
KindOption = Annotated[Kind, typer.Option(help="Layout of the folder; recognised by default.")]
SplitOption = Annotated[str | None, typer.Option(help="Part of the data: train, val, test, …")]
SplitsDirOption = Annotated[Path | None, typer.Option(help="IDC: folder of the case lists.")]
MagnificationOption = Annotated[int | None, typer.Option(help="BreakHis: 40, 100, 200 or 400.")]
ClassesOption = Annotated[Classes | None, typer.Option(help="BreakHis: two classes or eight.")]
GroupsOption = Annotated[
    str | None,
    typer.Option(help="Folder: regular expression on the path whose first group is the patient."),
]
MaxPatchesOption = Annotated[int | None, typer.Option(help="Thin the data to so many patches.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a model.")]
SeedOption = Annotated[int, typer.Option(help="Seed of folds, networks and resampling.")]
ResamplesOption = Annotated[int, typer.Option(help="Bootstrap resamples of patients.", min=10)]


@contextlib.contextmanager
def _one_sentence_errors():
    """Turn what users can mend into one sentence and exit status 1; anything else is our bug."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            # Half a training is something to keep in a notebook, but no result of a command.
            warnings.simplefilter("error", TrainingInterruptedWarning)
            yield
    except (ValueError, OSError, ImportError, MemoryError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        errors.print(f"[bold red]Error:[/] {_escape(message)}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, TrainingInterruptedWarning):
        errors.print("Interrupted.")
        raise typer.Exit(130) from None


def _show_warning(message, *_):
    errors.print(f"[yellow]Warning:[/] {_escape(message)}", soft_wrap=True, highlight=False)


def _escape(text):
    from rich.markup import escape

    return escape(str(text))


def _load(data, **options):
    from skbreast.datasets import load_patches, recognise

    kind = options.pop("kind")
    kind = recognise(data) if kind == Kind.auto else str(kind)
    given = {name: value for name, value in options.items() if value is not None}
    split = given.get("split")
    for name in given.keys() - KINDS[kind] - {"max_patches", "random_state"}:
        raise ValueError(f"--{name.replace('_', '-')} is not for data of the kind {kind!r}.")
    with errors.status(f"Listing {_escape(data)}"):
        bunch = load_patches(data, kind=kind, **given)
    _describe(bunch)
    if kind == "pcam" and split is None:
        errors.print("This is the part train; --split takes valid or test.")
    return bunch


def _describe(bunch):
    import numpy as np

    counts = np.bincount(bunch.target, minlength=len(bunch.target_names))
    classes = ", ".join(
        f"{count} {name}" for name, count in zip(bunch.target_names, counts, strict=True)
    )
    who = "no patient ids" if bunch.groups is None else f"{len(set(bunch.groups))} patients"
    errors.print(f"{bunch.kind}: {len(bunch.target)} patches ({_escape(classes)}), {who}")
    frame = bunch.get("frame")
    mixed = frame is not None and "magnification" in frame
    magnifications = sorted(set(frame["magnification"])) if mixed else ()
    if len(magnifications) > 1:
        errors.print(
            f"[yellow]Magnifications {', '.join(map(str, magnifications))} are mixed; choose one "
            "with --magnification.[/]"
        )
    if bunch.groups is None:
        errors.print(
            "[yellow]Without patient ids, patches of one patient can stand on both sides of a "
            "split: figures may be inflated and intervals too narrow.[/]"
            + (
                " Say where the patient stands in the path with --groups-pattern."
                if bunch.kind == "folder"
                else ""
            )
        )


def _print_results(results, title):
    from skbreast.results import RARE, RARE_LEGEND, results_table

    header, *rows = results_table(results)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        # The interval stands below its figure, so that five figures fit into 80 columns.
        table.add_row(*(_escape(_two_lines(cell)) for cell in row), end_section=True)
    console.print(table)
    if any(RARE in cell for row in rows for cell in row):
        console.print(RARE_LEGEND, highlight=False, markup=False)


def _two_lines(cell):
    estimate, bracket, interval = cell.partition(" [")
    return f"{estimate}\n{interval.replace(', ', '–').replace(']', '')}" if bracket else cell


def _caution(results):
    counts = [each.n_patients for figures in results.values() for each in figures.values()]
    n_patients = min(counts, default=FEW_PATIENTS)  # no figure, no interval to doubt
    if n_patients < FEW_PATIENTS:
        errors.print(f"[yellow]Only {n_patients} patients: the intervals are rough guesses.[/]")


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False,
):
    if version:
        console.print(f"skbreast {skbreast.__version__}", highlight=False)
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the model and the results go.")] = DEMO_FOLDER,
    overwrite: OverwriteOption = False,
    seed: SeedOption = 0,
):
    """Show the main job on invented patients, in about two minutes, offline."""
    with _one_sentence_errors():
        from skbreast.datasets import make_patches
        from skbreast.evaluation import make_model
        from skbreast.runs import train_into

        _keep_model(out, overwrite or out == DEMO_FOLDER)
        bunch = make_patches(32, 16, patch_size=48, random_state=seed)
        bunch.kind = "invented"
        _describe(bunch)
        models = {
            "transfer": make_model("transfer", verbose=1),
            "cnn": make_model("cnn", max_epochs=15, random_state=seed, verbose=1),
        }
        results = train_into(
            out, bunch, models, n_splits=4, n_resamples=500, random_state=seed, show=True
        )
        _print_results(results, _protocol(out))
        _say_saved(out, "transfer")


@app.command()
def train(
    data: DataArgument,
    out: Annotated[Path, typer.Option(help="Where the model and the results go.")],
    model: Annotated[
        str, typer.Option(help="transfer, cnn, resnet, or a backbone's name to fine-tune.")
    ] = "transfer",
    folds: Annotated[int, typer.Option(help="Folds of the cross-validation.", min=2)] = 5,
    holdout: Annotated[
        float, typer.Option(help="Share of the patients kept out for evaluate.", min=0, max=0.9)
    ] = 0.0,
    overwrite: OverwriteOption = False,
    epochs: Annotated[int | None, typer.Option(help="Epochs of a network.", min=1)] = None,
    kind: KindOption = Kind.auto,
    split: SplitOption = None,
    splits_dir: SplitsDirOption = None,
    magnification: MagnificationOption = None,
    classes: ClassesOption = None,
    groups_pattern: GroupsOption = None,
    max_patches: MaxPatchesOption = None,
    resamples: ResamplesOption = 1000,
    seed: SeedOption = 0,
):
    """Cross-validate a model by patient beside the baselines, then fit it to all and save it."""
    with _one_sentence_errors():
        from skbreast.evaluation import make_model
        from skbreast.runs import train_into

        _keep_model(out, overwrite)
        estimator = make_model(model, max_epochs=epochs, random_state=seed, verbose=1)
        bunch = _load(
            data,
            kind=kind,
            split=split,
            splits_dir=splits_dir,
            magnification=magnification,
            classes=classes and str(classes),
            groups_pattern=groups_pattern,
            max_patches=max_patches,
            random_state=seed,
        )
        results = train_into(
            out,
            bunch,
            {model: estimator},
            n_splits=folds,
            holdout=holdout,
            n_resamples=resamples,
            random_state=seed,
            show=True,
        )
        _print_results(results, _protocol(out))
        _caution(results)
        _say_saved(out, model)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder from train.", show_default=False)],
    data: DataArgument,
    kind: KindOption = Kind.auto,
    split: SplitOption = None,
    splits_dir: SplitsDirOption = None,
    magnification: MagnificationOption = None,
    classes: ClassesOption = None,
    groups_pattern: GroupsOption = None,
    max_patches: MaxPatchesOption = None,
    resamples: ResamplesOption = 1000,
    seed: SeedOption = 0,
):
    """Evaluate a saved model, beside the baselines, on patients that it was not trained on."""
    with _one_sentence_errors():
        from skbreast.runs import evaluate_folder

        bunch = _load(
            data,
            kind=kind,
            split=split,
            splits_dir=splits_dir,
            magnification=magnification,
            classes=classes and str(classes),
            groups_pattern=groups_pattern,
            max_patches=max_patches,
            random_state=seed,
        )
        results, counts = evaluate_folder(
            model, bunch, n_resamples=resamples, random_state=seed, show=True
        )
        if counts["known_patches"]:
            known = _count(counts["known_patches"], counts["known_patients"], bunch)
            errors.print(f"Left out: {known} that the model was trained on.")
        title = f"{_count(counts['patches'], counts['patients'], bunch)} [95 % intervals]"
        _print_results(results, title)
        _caution(results)
        _say_research_only()


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Folder from train.", show_default=False)],
    paths: Annotated[
        list[str],
        typer.Argument(help="Images, folders, HDF5 files, or references like cohort.h5#12."),
    ],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("predictions.csv"),
):
    """Write the class and the probabilities of each patch to a CSV file."""
    with _one_sentence_errors():
        from skbreast.batch_prediction import find_references, predict_to_csv
        from skbreast.runs import open_model

        references = find_references(paths)
        failed = predict_to_csv(*open_model(model), references, out, show=True)
        console.print(f"{len(references) - failed} predictions in {_escape(out)}", highlight=False)
        if failed:
            raise ValueError(
                f"{failed} of {len(references)} patches could not be read; the column 'error' of "
                f"{out} says why."
            )


@app.command()
def doctor():
    """Tell versions, devices, precision, and what is missing."""
    with _one_sentence_errors():
        from skbreast.diagnostics import diagnose

        for section, rows in diagnose().items():
            table = Table(title=section, title_justify="left", show_header=False, box=None)
            for row in rows:
                table.add_row(*map(_escape, row))
            console.print(table)


def _protocol(out):
    """Return how the figures were obtained, in the words of the folder they stand in."""
    return json.loads((out / "results.json").read_text(encoding="utf-8"))["protocol"]


def _keep_model(out, overwrite):
    if (out / "model.skops").exists() and not overwrite:
        raise ValueError(f"{out} holds a model; give another --out, or --overwrite.")


def _count(n_patches, n_patients, bunch):
    whose = "" if bunch.groups is None else f" of {n_patients} patients"
    return f"{n_patches} patches{whose}"


def _say_saved(out, model):
    console.print(f"Model ({_escape(model)}) and results: {_escape(out)}", highlight=False)
    _say_research_only()


def _say_research_only():
    console.print(
        "For research only; not a medical device, not for diagnosis.", style="dim", highlight=False
    )


if __name__ == "__main__":
    sys.exit(app())
