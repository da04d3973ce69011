"""Legends below their axes, where they cover nothing, in lines as long as there is room for."""

import re
import textwrap

__all__ = ["grow_for_legends", "legend_below"]

FONT_SIZE = 8.5
_OWN = "skbreast-figure-that-grows"
_WIDER = 1.1  # than the axes: there is room below the labels beside them
_LOWEST = 0.15  # height to which axes are lowered for their legend, as a share of the figure
_KEPT = "\u00a0"  # a space at which no line is broken
_TOGETHER = re.compile(r"\w+ [\d.]+ \[[\d.]+, [\d.]+\]|\w+ [\d.]+\b|over [\d,]+ patients")


def legend_below(ax, *, title="", handles=None, max_columns=1, font_size=FONT_SIZE):
    """Put a legend below the axes and their label, in place of one that is there.

    Parameters
    ----------
    ax : matplotlib Axes
        Labelled already. Where its figure has no layout engine, it is made lower if the legend
        would otherwise be cut off.
    title : str, default=""
        Of the legend.
    handles : list of matplotlib Artist, optional
        What it explains; by default all that have a label.
    max_columns : int, default=1
        How many columns it has at most; fewer, where names are long.
    font_size : float, default=8.5
        In points.

    Returns
    -------
    matplotlib Legend
        Its texts are broken into lines.
    """
    room = _room(ax)
    for n_columns in range(max_columns, 0, -1):
        legend = _make_legend(ax, handles, title, n_columns, font_size)
        if legend.get_window_extent().width <= room:
            break
    else:
        _break_lines(legend, room, font_size * ax.figure.dpi / 72)
    if ax.figure.get_layout_engine() is None:
        _make_room(ax, legend)
    else:  # of axes with equal scales it measures the room below right if they stand on it
        ax.set_anchor("S")
    return legend


def grow_for_legends(figure, axes, height, *, new):
    """Give a figure the height that its axes have without legends, and that of the legends.

    Parameters
    ----------
    figure : matplotlib Figure
        Left as it is unless it is new, or was new to this function before.
    axes : iterable of matplotlib Axes
        Beside each other, or above each other with one legend.
    height : float
        In inches, without legends.
    new : bool
        Whether the figure was made for these axes.
    """
    if new:
        figure.set_gid(_OWN)
    if figure.get_gid() == _OWN:
        legends = [ax.get_legend() for ax in axes]
        heights = [each.get_window_extent().height for each in legends if each is not None]
        figure.set_figheight(height + max(heights, default=0) / figure.dpi)


def _room(ax):
    """Return how many pixels wide a legend may be, whatever a layout has made of the axes."""
    place = ax.get_subplotspec()
    position = ax.get_position(original=True) if place is None else place.get_position(ax.figure)
    return _WIDER * position.width * ax.figure.bbox.width


def _make_legend(ax, handles, title, n_columns, font_size):
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -_label_height(ax) / 72, ax.figure.dpi_scale_trans)
    legend = ax.legend(
        **({} if handles is None else {"handles": handles}),
        title=title,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=ax.transAxes + below,
        ncols=n_columns,
        borderaxespad=0,
        frameon=False,
        fontsize=font_size,
        title_fontsize=font_size,
        alignment="left",
        handletextpad=0.5,
        columnspacing=1,
    )
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)  # names may hold dollars
    return legend


def _label_height(ax):
    """Return the points that tick labels and the label below the axes take."""
    tick = ax.xaxis.get_major_ticks(1)[0]
    height = tick.get_tick_padding()
    if tick.label1.get_visible():
        height += tick.get_pad() + 1.2 * tick.label1.get_size()
    if ax.get_xlabel():
        n_lines = ax.get_xlabel().count("\n") + 1
        height += ax.xaxis.labelpad + 1.3 * n_lines * ax.xaxis.label.get_size()
    return height


def _break_lines(legend, room, em):
    """Break the lines of a legend of one column; `em` is the size of its letters in pixels."""
    padding = 2 * legend.borderpad * em
    handle = (legend.handlelength + legend.handletextpad) * em
    _fit(legend.get_title(), room - padding)
    for text in legend.get_texts():
        _fit(text, room - padding - handle)


def _fit(text, room):
    whole = _TOGETHER.sub(lambda found: found[0].replace(" ", _KEPT), text.get_text())
    n_letters = max(map(len, whole.split("\n")), default=0)
    width = text.get_window_extent().width
    while width > room and n_letters > 12:
        n_letters = max(12, min(n_letters - 1, int(n_letters * room / width)))
        lines = [textwrap.fill(line, n_letters) for line in whole.split("\n")]
        text.set_text("\n".join(lines).replace(_KEPT, " "))
        width = text.get_window_extent().width


def _make_room(ax, legend):
    """Raise the lower end of axes that no layout engine moves until their legend is visible."""
    figure, place = ax.figure, ax.get_position(original=True)
    ax.set_anchor("N")  # axes of equal scales keep to the top of their place
    for _ in range(4):
        ax.apply_aspect()
        missing = _end_of_room(ax) - legend.get_window_extent().y0
        height = place.height - missing / figure.bbox.height
        if missing <= 0 or height < _LOWEST:
            return
        place = place.from_extents(place.x0, place.y1 - height, place.x1, place.y1)
        ax.set_position(place)


def _end_of_room(ax):
    """Return where the room below axes ends: at the title of others, or with the figure."""
    others = [each.get_position(original=True).y1 for each in ax.figure.axes if each is not ax]
    own = ax.get_position(original=True).y0
    bottom, height = ax.figure.bbox.y0, ax.figure.bbox.height
    title = 1.5 * ax.title.get_size() * ax.figure.dpi / 72
    return max([bottom, *(bottom + top * height + title for top in others if top <= own)])
