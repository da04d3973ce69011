"""How a tile of a gallery is drawn: its frame, its sign, its place, and texts that have room."""

import textwrap

from skbreast.plotting._style import CLASS_COLORS, GRID, INK

__all__ = [
    "FONT_SIZE",
    "draw_frame",
    "look_at",
    "shape_of",
    "shrink",
    "text_height",
    "wrap_lines",
    "write_problem",
]

FONT_SIZE = 8
_COLORS = {"right": CLASS_COLORS[0], "wrong": CLASS_COLORS[1]}
_WIDTHS = {"right": 1.4, "wrong": 3.2}
_SIGNS = {"right": "\u2713", "wrong": "\u2717"}
_ALIKE = 4  # patches whose sizes differ by less are drawn to one scale


def draw_frame(ax, kind, height, width):
    """Return the frame around a patch, and the sign in its corner."""
    from matplotlib.patches import Rectangle

    frame = Rectangle(
        (-0.5, -0.5),
        width,
        height,
        fill=False,
        edgecolor=_COLORS[kind],
        linewidth=_WIDTHS[kind],
        clip_on=False,
    )
    ax.add_patch(frame)
    # Another font of the user's may lack the signs; this one comes with matplotlib.
    sign = ax.annotate(
        _SIGNS[kind],
        (-0.5, -0.5),
        xytext=(7, -7),
        textcoords="offset points",
        ha="center",
        va="center",
        family="DejaVu Sans",
        fontsize=9,
        fontweight="bold",
        color="white",
        bbox={"boxstyle": "circle,pad=0.15", "facecolor": _COLORS[kind], "edgecolor": "white"},
        annotation_clip=False,
    )
    return frame, sign


def write_problem(ax, problem, whole):
    """Write on a grey tile why its patch is not shown."""
    from matplotlib.patches import Rectangle

    height, width = whole
    text = textwrap.fill(problem, 22, max_lines=6, placeholder=" …")
    ax.add_patch(Rectangle((-0.5, -0.5), width, height, facecolor=GRID, linewidth=0))
    ax.text(
        width / 2 - 0.5,
        height / 2 - 0.5,
        text,
        ha="center",
        va="center",
        fontsize=FONT_SIZE - 1,
        color=INK,
        parse_math=False,
    )


def text_height(n_lines, font_size):
    return n_lines * 1.3 * font_size / 72


def wrap_lines(text, width, font_size):
    """Break lines that are wider than `width` inches; a letter is about half as wide as high."""
    n_letters = max(10, int(width * 72 / (0.58 * font_size)))
    return "\n".join(textwrap.fill(line, n_letters) for line in text.splitlines())


def shrink(text, width):
    """Make a text small enough for its tile, in pixels: some alphabets and capitals are wide."""
    needed = text.get_window_extent().width
    if needed > 0.96 * width:
        text.set_fontsize(text.get_fontsize() * 0.96 * width / needed)


def shape_of(patch):
    return (1, 1) if patch is None else patch.shape[:2]


def look_at(ax, size, whole):
    """Centre a patch in its tile, in the scale of the largest unless it would be tiny there."""
    height, width = whole if max(size) * _ALIKE >= max(whole) else size
    middle_y, middle_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    ax.set(
        xlim=(middle_x - width / 2, middle_x + width / 2),
        ylim=(middle_y + height / 2, middle_y - height / 2),
        aspect="equal",
    )
