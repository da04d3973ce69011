"""The command that computes features of any number of patches into files."""

from pathlib import Path
from typing import Annotated

import typer

from skbreast.cli._app import app
from skbreast.cli._options import DataArgument, load, with_data_options
from skbreast.cli._terminal import console, errors, escape, one_sentence_errors

HERE = "threads"


@app.command()
@with_data_options
def extract(
    data: DataArgument,
    out: Annotated[Path, typer.Option(help="Folder to write, <name>.zarr or <name>.parquet.")],
    backbone: Annotated[str, typer.Option(help="Name of a backbone.")] = "efficientnet_lite0",
    weights: Annotated[str, typer.Option(help="imagenet, or a Keras weights file.")] = "imagenet",
    layers: Annotated[
        str, typer.Option(help="last, middle, all, or names of blocks with commas between.")
    ] = "middle",
    input_size: Annotated[
        int | None, typer.Option(help="Side in pixels at which patches enter.", min=1)
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, keras, openvino or onnxruntime.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    scheduler: Annotated[
        str, typer.Option(help="threads of this machine, or a dask scheduler, tcp://host:8786.")
    ] = HERE,
    chunk: Annotated[int, typer.Option(help="Patches in a file.", min=1)] = 4096,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="NaN for patches that cannot be read.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew.")] = False,
    *,
    chosen,
):
    """Compute features with a frozen network into files; killed, it goes on where it was.

    skbreast.extraction.open_features opens them: features, labels, patients, references.
    """
    how = "the same command without --overwrite" if overwrite else "the same command"
    with one_sentence_errors(f"Interrupted; {how} goes on where it was."):
        from skbreast import TransferFeatureExtractor
        from skbreast._feature_files import find_files
        from skbreast.extraction import extract_features

        find_files(out)  # a wrong name shall not wait for the data
        names = [name.strip() for name in layers.split(",")]
        extractor = TransferFeatureExtractor(
            backbone,
            weights=weights,
            layers=names[0] if len(names) == 1 else names,
            input_size=input_size,
            engine=engine,
            precision=precision,
        ).fit(["reference"])
        bunch = load(data, chosen)
        found = extract_features(
            extractor,
            bunch.data,
            out,
            y=bunch.target,
            groups=bunch.groups,
            target_names=bunch.target_names,
            chunk_size=chunk,
            scheduler=None if scheduler == HERE else scheduler,
            on_error="nan" if skip_unreadable else "raise",
            overwrite=overwrite,
            show=True,
        )
        n_patches, n_features = found.features.shape
        console.print(
            f"{n_features} features of {n_patches} patches: {escape(out)}",
            highlight=False,
            soft_wrap=True,
        )
        n_unreadable = int((~found.readable).sum())
        if n_unreadable:
            errors.print(
                f"[yellow]{n_unreadable} patches could not be read; their features are NaN, and "
                "readable is False for them.[/]"
            )
