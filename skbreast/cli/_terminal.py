"""What the command line says: results as tables, errors in one sentence."""

import contextlib
import warnings

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from skbreast._notice import RESEARCH_ONLY
from skbreast.exceptions import TrainingInterruptedWarning

__all__ = [
    "caution",
    "console",
    "errors",
    "escape",
    "one_sentence_errors",
    "print_results",
    "print_rows",
    "say_research_only",
]

console = Console()
errors = Console(stderr=True)
FEW_PATIENTS = 10


@contextlib.contextmanager
def one_sentence_errors(interrupted="Interrupted."):
    """Turn what users can mend into one sentence and exit status 1; anything else is our bug."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            # Half a training is something to keep in a notebook, but no result of a command.
            warnings.simplefilter("error", TrainingInterruptedWarning)
            yield
    except (ValueError, OSError, ImportError, MemoryError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        errors.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, TrainingInterruptedWarning):
        errors.print(interrupted)
        raise typer.Exit(130) from None


def _show_warning(message, *_):
    errors.print(f"[yellow]Warning:[/] {escape(message)}", soft_wrap=True, highlight=False)


def escape(text):
    """Return text in which nothing is markup, and nothing commands the terminal."""
    from rich.markup import escape

    from skbreast._html import plain_text  # with Pillow, for which --help does not wait

    return escape(plain_text(text, kept="\n"))


def print_results(results, title):
    """Print figures by model."""
    from skbreast.results import RARE, RARE_LEGEND, results_table

    rows = results_table(results)
    print_rows(rows, title)
    if any(RARE in cell for row in rows for cell in row):
        console.print(RARE_LEGEND, highlight=False, markup=False)


def print_rows(rows, title):
    """Print rows of text, the first of which is the header."""
    header, *rows = rows
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(header[0])
    for name in header[1:]:
        table.add_column(name, justify="right")
    for name, *cells in rows:
        # Names are broken and intervals stand below figures: so five of them fit into 80 columns.
        lines = [name.replace("-", "-\n"), *map(_lines, cells)]
        table.add_row(*map(escape, lines), end_section=True)
    console.print(table)


def _lines(cell):
    estimate, bracket, rest = cell.partition(" [")
    interval, _, rest = rest.partition("]")
    if estimate[0] in "+-":  # a difference, whose signs would take too much room
        interval = interval.replace("0.", ".").replace(", ", "…")
    lines = [estimate, interval.replace(", ", "–"), rest.removeprefix(",").strip()]
    return "\n".join(filter(None, lines)) if bracket else cell


def caution(results):
    """Say so where the patients are few."""
    counts = [each.n_patients for figures in results.values() for each in figures.values()]
    n_patients = min(counts, default=FEW_PATIENTS)  # no figure, no interval to doubt
    if n_patients < FEW_PATIENTS:
        errors.print(f"[yellow]Only {n_patients} patients: the intervals are rough guesses.[/]")


def say_research_only():
    """Print what the figures are not for."""
    console.print(RESEARCH_ONLY, style="dim", highlight=False)
