"""Progress on the terminal, shown only where somebody asked for it."""

import contextlib

__all__ = ["progress_bar"]


@contextlib.contextmanager
def progress_bar(description, total, *, show=True):
    """Show a progress bar on standard error while the block runs.

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
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=total, note="")

        def advance(n=1, note=""):
            progress.update(task, advance=n, note=note)

        yield advance
