"""Commands that look at data before anybody trusts a figure, and that compare models."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skbreast.cli._app import app
from skbreast.cli._options import (
    DataArgument,
    ReportOption,
    ResamplesOption,
    load_as_published,
    load_folds,
    with_data_options,
)
from skbreast.cli._report import check_report, report_benchmark
from skbreast.cli._terminal import (
    console,
    errors,
    escape,
    one_sentence_errors,
    print_rows,
    say_research_only,
)

DEFAULT_MODELS = "dummy,colour,texture,pftas-svm,pftas-forest,transfer,tuned-transfer,cnn,finetune"
Protocol = StrEnum("Protocol", {name: name for name in ("auto", "official", "grouped")})

FoldsDirOption = Annotated[
    Path | None, typer.Option(help="BreakHis: folder of dsfold1.txt to dsfold5.txt.")
]


@app.command()
@with_data_options
def audit(
    data: DataArgument,
    folds_dir: FoldsDirOption = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a web page.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the findings as a table.")] = None,
    near_duplicates: Annotated[bool, typer.Option(help="Look for altered copies as well.")] = True,
    *,
    chosen,
):
    """Look for leaks: patients on both sides, copies, conflicting labels, broken patches.

    Published splits are audited as they are: IDC with --splits-dir, BreakHis
    with --folds-dir, PatchCamelyon, folders with train and test.

    The exit status is 0 without leaks, 3 with, and 1 if there was no audit.
    """
    with one_sentence_errors():
        from skbreast._files import check_writable, write_text
        from skbreast.model_selection import audit_patches

        for path in (html, csv):
            if path is not None:
                check_writable(path.parent)
        bunch, split = load_as_published(data, chosen, folds_dir=folds_dir)
        report = audit_patches(
            bunch.data,
            bunch.target,
            bunch.groups,
            split=split,
            target_names=bunch.target_names,
            near_duplicates=near_duplicates,
            show=True,
        )
        console.print(escape(str(report)), highlight=False, soft_wrap=True)
        if html is not None:
            write_text(html, report.to_html())
        if csv is not None:
            frame = report.to_frame()
            frame["detail"] = frame["detail"].map(ascii)  # names of files may hold anything
            write_text(csv, frame.to_csv(index=False))
    raise typer.Exit(report.exit_code)


@app.command()
@with_data_options
def benchmark(
    data: DataArgument,
    out: Annotated[Path, typer.Option(help="Where folds and tables go, and are found again.")],
    models: Annotated[
        str, typer.Option(help="Names with commas between; of the above or of a backbone.")
    ] = DEFAULT_MODELS,
    protocol: Annotated[
        Protocol, typer.Option(help="Published parts or folds, or folds by patient.")
    ] = Protocol.auto,
    folds: Annotated[
        int | None, typer.Option(help="Folds by patient; 5 by default.", min=2)
    ] = None,
    folds_dir: FoldsDirOption = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of the networks.", min=1)] = None,
    resamples: ResamplesOption = 2000,
    report: ReportOption = None,
    *,
    chosen,
):
    """Compare models on the same patients; killed, it goes on where it was.

    dummy: answers with the shares of the classes

    colour, texture, pftas-svm, pftas-forest: simple features, no network

    transfer: features of a frozen network and logistic regression

    tuned-transfer: the same, its C chosen within the training patients

    cnn, plain-cnn, jittered-cnn, resnet: networks from scratch; without, with more stain jitter

    finetune, or the name of a backbone: a pretrained network, trained on

    macenko-, reinhard-, vahadane- in front of any: stains normalised by patch; macenko_by_patient-
    and the like: by patient
    """
    with one_sentence_errors("Interrupted; the same command goes on where it was."):
        from skbreast.benchmarking import benchmark_tables, make_models, run_benchmark
        from skbreast.evaluation import make_model

        names = [name.strip() for name in models.split(",") if name.strip()]
        for name in names:
            make_model(name)  # a wrong name shall not wait for the data
        check_report(report)
        bunch = load_folds(
            data, chosen, protocol=str(protocol), folds_dir=folds_dir, n_splits=folds
        )
        if folds is not None and bunch.protocol == "official":
            raise ValueError("--folds is for --protocol grouped; published folds are as they are.")
        options = {"max_epochs": epochs, "random_state": chosen["seed"], "verbose": 1}
        made = make_models(names, bunch, memory=out / "features", **options)
        found = run_benchmark(
            bunch, made, out, n_resamples=resamples, random_state=chosen["seed"], show=True
        )
        figures, differences = benchmark_tables(found)
        print_rows([row[:-1] for row in figures], found.protocol)
        for note in found.notes:
            errors.print(f"[yellow]{escape(note)}[/]")
        if len(differences) > 1:
            print_rows(differences, found.differences_title)
        console.print(f"Tables and folds: {escape(out)}", highlight=False, soft_wrap=True)
        say_research_only()
        report_benchmark(
            report, found, bunch, data=data, seed=chosen["seed"], n_resamples=resamples
        )
        failed = [name for name, result in found.models.items() if result.error is not None]
        if failed:
            errors.print(f"The traces of what failed stand in {escape(out / 'errors')}.")
            raise ValueError(
                f"{len(failed)} of {len(found.models)} models failed ({', '.join(failed)}); the "
                "same command tries them again."
            )
