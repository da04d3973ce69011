"""What all Displays share: colours that colour-blind people tell apart, and axes to draw on."""

from skbreast._validation import import_optional

__all__ = ["CLASS_COLORS", "FAINT", "GRID", "INK", "as_written", "class_color", "get_axes", "tidy"]

# Okabe and Ito's, in an order in which neighbours also differ in lightness.
CLASS_COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8A7A00",
    "#000000",
)
INK = "#333333"
FAINT = "#8C8C8C"
GRID = "#E3E3E3"


def class_color(number):
    """Return the colour of a class, a fold or a run; they repeat after eight."""
    return CLASS_COLORS[number % len(CLASS_COLORS)]


def get_axes(ax=None, *, n_rows=1, n_columns=1, size=(5.2, 4.0), hint="", **options):
    """Return a figure and its axes: those that were given, or new ones.

    Parameters
    ----------
    ax : matplotlib Axes or array of them, optional
        Where to draw.
    n_rows, n_columns : int
        How many new axes there are if none are given.
    size : tuple of (float, float)
        Width and height of each new one in inches.
    hint : str, default=""
        What to do where another number of axes is given.
    **options
        For :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Laid out without overlap where it is new.
    axes : ndarray of matplotlib Axes, shape (n_rows, n_columns)
        Those that were given are counted and brought into this shape.

    Raises
    ------
    ValueError
        If another number of axes is given than needed.
    """
    import_optional("matplotlib", extra="plot", purpose="A picture")
    import matplotlib.pyplot as plt
    import numpy as np

    if ax is None:
        width, height = size[0] * n_columns, size[1] * n_rows
        options = {"layout": "constrained", **options}
        return plt.subplots(n_rows, n_columns, figsize=(width, height), squeeze=False, **options)
    axes = np.asarray(ax, dtype=object)
    if axes.size != n_rows * n_columns:
        what = f"ax must hold {n_rows * n_columns} Axes ({n_rows} x {n_columns}); got {axes.size}"
        raise ValueError(f"{what}: {hint}." if hint else f"{what}.")
    axes = axes.reshape(n_rows, n_columns)
    return axes[0, 0].figure, axes


def tidy(ax, *, grid="both"):
    """Take away what a reader doesn't need: two spines and loud grid lines."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=GRID, linewidth=0.8)
    return ax


def as_written(axes):
    """Show names as they are: two dollars in one would otherwise be read as mathematics.

    Parameters
    ----------
    axes : iterable of matplotlib Axes
        Finished; numbers beside their axes stay as matplotlib writes them.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for ax in axes:
        kept = set()
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter):
                axis.get_ticklabels()  # makes them, if nothing has yet
            else:
                kept |= set(axis.findobj(Text)) - {axis.label}
        for text in set(ax.findobj(Text)) - kept:
            text.set_parse_math(False)
