"""What a report is made of: sections of text, tables and pictures, ready for the template."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Cell", "Html", "Picture", "Pictures", "Section", "Table", "Text", "Tile", "Tiles"]


@dataclass(frozen=True)
class Text:
    """A paragraph (`tone` "plain", "note" or "warning"); or `kind` "heading" or "code"."""

    text: str
    tone: str = "plain"
    kind: str = "text"


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what is read, and what it is sorted by."""

    text: str
    value: float | str | None = None


@dataclass(frozen=True)
class Table:
    """Rows below a header; the first cell of a row is its heading.

    Attributes
    ----------
    header : list of str
        Titles of the columns.
    rows : list of list of (str or Cell)
        As many cells each.
    caption : str
        What the table shows.
    count : str
        How many rows there are, and of what, which stands behind the caption.
    sortable : bool
        Whether a reader may sort by a column.
    """

    header: list
    rows: list
    caption: str = ""
    count: str = ""
    sortable: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI, with what to read where it cannot be seen.

    `pixels`, of shape (height, width, 3) or (height, width), are there where it may be shrunk.
    """

    uri: str
    alt: str
    width: int
    height: int
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Pictures:
    """Drawings that stand beside each other where there is room, and one caption."""

    pictures: list
    caption: str = ""
    kind: str = "pictures"


@dataclass(frozen=True)
class Tile:
    """A patch, perhaps with its map beside it, with lines of text; wrong ones are flagged."""

    pictures: list
    lines: list
    flagged: bool = False


@dataclass(frozen=True)
class Tiles:
    """Patches in a grid, each a :class:`Tile`, and one caption."""

    tiles: list
    caption: str = ""
    paired: bool = False
    kind: str = "tiles"


@dataclass(frozen=True)
class Html:
    """A part of a page that is escaped already."""

    markup: str
    kind: str = "html"


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading, and an anchor for the table of contents."""

    title: str
    anchor: str
    blocks: list = field(default_factory=list)
