"""The command that writes a model as an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from skbreast.cli._app import app
from skbreast.cli._terminal import console, escape, one_sentence_errors, say_research_only


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="Folder from train.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("model.onnx"),
    patch_size: Annotated[
        str | None,
        typer.Option(help="Side of the patches in pixels, or HEIGHTxWIDTH; where not known."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
):
    """Write a saved model as an ONNX file, which serves without Python and TensorFlow."""
    with one_sentence_errors():
        if out.is_dir():
            raise ValueError(f"--out {out} is a folder; the name of a file is expected.")
        if out.exists() and not overwrite:
            raise ValueError(f"{out} exists; give another --out, or --overwrite.")
        from skbreast._files import check_writable

        check_writable(out.parent)  # before the model is opened
        size = None if patch_size is None else _sides(patch_size)
        from skbreast.export import to_onnx
        from skbreast.runs import open_model

        estimator, classes = open_model(model)
        path = to_onnx(estimator, out, patch_size=size, class_names=classes)
        console.print(f"Model as ONNX: {escape(path)}", highlight=False, soft_wrap=True)
        say_research_only()


def _sides(text):
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() for side in sides):
        raise ValueError(f"--patch-size is a number of pixels, or HEIGHTxWIDTH; got {text!r}.")
    return tuple(map(int, sides * 2 if len(sides) == 1 else sides))
