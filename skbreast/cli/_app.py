"""The program `skbreast`, to which modules add their commands."""

from typing import Annotated

import typer

import skbreast
from skbreast.cli._terminal import console

__all__ = ["app"]

app = typer.Typer(
    help="Classify breast-biopsy patches, honestly: figures are counted by patient.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False,
):
    if version:
        console.print(f"skbreast {skbreast.__version__}", highlight=False)
        raise typer.Exit
