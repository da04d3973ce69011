"""How a course of training is drawn: lines against epoch, and the scales and labels of panels."""

import numpy as np

from skbreast.plotting._history_series import RATE
from skbreast.plotting._style import tidy

__all__ = ["TRAINING", "draw_line", "drawable", "label_panel", "scale_loss"]

FOR_POINTS = 15  # epochs up to which each is a point of the line
FLATTENS = 5  # times the lowest loss: a higher one flattens the others on a linear scale
TRAINING = {"linestyle": "--", "linewidth": 1.1, "markerfacecolor": "white"}


def draw_line(ax, values, **style):
    """Draw a line against epoch, with points where a line alone would hide values."""
    values = np.asarray(values, dtype=np.float64)
    epochs = np.arange(1, len(values) + 1)
    known = np.concatenate([[False], np.isfinite(values), [False]])
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    points = (
        list(range(len(values))) if len(values) <= FOR_POINTS else np.flatnonzero(alone).tolist()
    )
    return ax.plot(epochs, values, marker="o", markersize=3.5, markevery=points, **style)[0]


def drawable(values, panel):
    """Return the values; of learning rates, those that a log axis has."""
    return np.where(np.greater(values, 0), values, np.nan) if panel == RATE else values


def label_panel(ax, panel):
    """Name the axis of a panel, and give the learning rate its scale."""
    tidy(ax)
    words = panel.replace("_", " ")
    words = words.upper() if len(words) <= 3 else words.capitalize()  # AUC, MAE
    ax.set_ylabel("Learning\nrate" if panel == RATE else words)
    if panel == RATE:
        ax.set_yscale("log")


def scale_loss(ax, scale, losses):
    """Give the panel of the loss its scale, and a logarithmic one ticks that can be read."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    known = losses[np.isfinite(losses)]
    if scale == "auto":
        wide = len(known) > 0 and known.min() > 0 and known.max() > FLATTENS * known.min()
        scale = "log" if wide else "linear"
    ax.set_yscale(scale)
    if scale == "log":
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
