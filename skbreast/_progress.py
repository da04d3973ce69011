"""Progress on the terminal, shown only where somebody asked for it."""

import contextlib
from contextvars import ContextVar

__all__ = ["progress_bar"]

_shown = ContextVar("skbreast_progress", default=None)


@contextlib.contextmanager
def progress_bar(description, total, *, show=True):
    """Show a progress bar on standard error while the block runs.

    A bar that is asked for while another is shown stands below it until its block ends.

    Parameters
    ----------
    description : str
        What is being done.
    total : int
        Number of steps.
    show : bool, default=True
        Whether anything is shown.

    Yields
    ------
    callable
        ``advance(n=1, note="")``: so many more steps are done; the note stands beside the bar.
    """
    if not show:
        yield lambda n=1, note="": None
        return
    outer = _shown.get()
    with contextlib.nullcontext(outer) if outer else _new_progress() as progress:
        token = _shown.set(progress)
        task = progress.add_task(description, total=total, note="")

        def advance(n=1, note=""):
            progress.update(task, advance=n, note=note)

        try:
            yield advance
        finally:
            _shown.reset(token)
            if outer:
                progress.remove_task(task)


def _new_progress():
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    # Numbers keep their width; in a narrow terminal the note gives way.
    def whole():
        return Column(no_wrap=True)

    return Progress(
        TextColumn("{task.description}", table_column=whole()),
        BarColumn(bar_width=20, table_column=whole()),
        MofNCompleteColumn(table_column=whole()),
        TimeElapsedColumn(table_column=whole()),
        TimeRemainingColumn(table_column=whole()),
        TextColumn(
            "{task.fields[note]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        console=Console(stderr=True),
        expand=True,
    )
