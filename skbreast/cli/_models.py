"""Commands that train, judge and use models."""

from pathlib import Path
from typing import Annotated

import typer

from skbreast.cli._app import app
from skbreast.cli._options import (
    DataArgument,
    OverwriteOption,
    ReportOption,
    ResamplesOption,
    SeedOption,
    describe,
    load,
    with_data_options,
)
from skbreast.cli._report import check_report, report_run
from skbreast.cli._terminal import (
    caution,
    console,
    errors,
    escape,
    one_sentence_errors,
    print_results,
    say_research_only,
)

DEMO_FOLDER = Path("skbreast-demo")
GOES_ON = (
    "Interrupted. The same command goes on from the last epoch of the fold that was under way; "
    "folds that had ended are trained again."
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the model and the results go.")] = DEMO_FOLDER,
    overwrite: OverwriteOption = False,
    seed: SeedOption = 0,
    report: ReportOption = None,
):
    """Show the main job on invented patients, in about two minutes, offline."""
    with one_sentence_errors():
        from skbreast.datasets import make_patches
        from skbreast.evaluation import make_model
        from skbreast.runs import train_into

        _keep_model(out, overwrite or out == DEMO_FOLDER)
        check_report(report)
        bunch = make_patches(32, 16, patch_size=48, random_state=seed)
        bunch.kind = "invented"
        describe(bunch)
        models = {
            "transfer": make_model("transfer", verbose=1),
            "cnn": make_model("cnn", max_epochs=15, random_state=seed, verbose=1),
        }
        found = train_into(
            out, bunch, models, n_splits=4, n_resamples=500, random_state=seed, show=True
        )
        print_results(found.figures, found.protocol)
        _say_saved(out, "transfer")
        report_run(report, found, bunch, seed=seed, n_resamples=500)


@app.command()
@with_data_options
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
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Keep epochs and ended folds here, so that a killed command goes on with them."
        ),
    ] = None,
    resamples: ResamplesOption = 1000,
    report: ReportOption = None,
    *,
    chosen,
):
    """Cross-validate a model by patient beside the baselines, then fit it to all and save it."""
    with one_sentence_errors("Interrupted." if checkpoint is None else GOES_ON):
        from skbreast.evaluation import make_model
        from skbreast.runs import train_into

        _keep_model(out, overwrite)
        check_report(report)
        estimator = make_model(
            model,
            max_epochs=epochs,
            random_state=chosen["seed"],
            verbose=1,
            checkpoint=checkpoint,
        )
        bunch = load(data, chosen)
        found = train_into(
            out,
            bunch,
            {model: estimator},
            n_splits=folds,
            holdout=holdout,
            checkpoint=checkpoint,
            n_resamples=resamples,
            random_state=chosen["seed"],
            show=True,
        )
        print_results(found.figures, found.protocol)
        caution(found.figures)
        _say_saved(out, model)
        report_run(report, found, bunch, data=data, seed=chosen["seed"], n_resamples=resamples)


@app.command()
@with_data_options
def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder from train.", show_default=False)],
    data: DataArgument,
    resamples: ResamplesOption = 1000,
    report: ReportOption = None,
    *,
    chosen,
):
    """Evaluate a saved model, beside the baselines, on patients that it was not trained on."""
    with one_sentence_errors():
        from skbreast.runs import evaluate_folder

        check_report(report)
        if (data / "model.skops").exists() and not (model / "model.skops").exists():
            raise ValueError(f"{data} holds a model; the model comes first, then the data.")
        bunch = load(data, chosen)
        found = evaluate_folder(
            model, bunch, n_resamples=resamples, random_state=chosen["seed"], show=True
        )
        counts = found.counts
        if counts["known_patches"]:
            known = _count(counts["known_patches"], counts["known_patients"], bunch)
            errors.print(f"Left out: {known} that the model was trained on.")
        title = f"{_count(counts['patches'], counts['patients'], bunch)} [95 % intervals]"
        print_results(found.figures, title)
        caution(found.figures)
        say_research_only()
        report_run(report, found, bunch, data=data, seed=chosen["seed"], n_resamples=resamples)


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
    with one_sentence_errors():
        from skbreast.batch_prediction import find_references, predict_to_csv
        from skbreast.runs import open_model

        references = find_references(paths)
        failed = predict_to_csv(*open_model(model), references, out, show=True)
        console.print(
            f"{len(references) - failed} predictions in {escape(out)}",
            highlight=False,
            soft_wrap=True,
        )
        if failed:
            raise ValueError(
                f"{failed} of {len(references)} patches could not be read; the column 'error' of "
                f"{out} says why."
            )


def _keep_model(out, overwrite):
    if (out / "model.skops").exists() and not overwrite:
        raise ValueError(f"{out} holds a model; give another --out, or --overwrite.")


def _count(n_patches, n_patients, bunch):
    whose = "" if bunch.groups is None else f" of {n_patients} patients"
    return f"{n_patches} patches{whose}"


def _say_saved(out, model):
    console.print(
        f"Model ({escape(model)}) and results: {escape(out)}", highlight=False, soft_wrap=True
    )
    say_research_only()
