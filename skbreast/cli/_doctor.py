"""The command that looks at the machine."""

from rich.table import Table

from skbreast.cli._app import app
from skbreast.cli._terminal import console, escape, one_sentence_errors


@app.command()
def doctor():
    """Tell versions, devices, precision, and what is missing."""
    with one_sentence_errors():
        from skbreast.diagnostics import diagnose

        for section, rows in diagnose().items():
            table = Table(title=section, title_justify="left", show_header=False, box=None)
            for row in rows:
                table.add_row(*map(escape, row))
            console.print(table)
