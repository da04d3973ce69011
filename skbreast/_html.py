"""Small pieces of HTML for notebooks: escaped tables and inlined thumbnails.

Colours are those of the notebook: text inherits its own, lines and bars are part of it, so light
and dark ones read alike. Nothing is loaded from outside, and there is no script.
"""

import io
from base64 import b64encode
from html import escape

from PIL import Image

__all__ = [
    "bar",
    "block",
    "data_uri",
    "escape_text",
    "file_uri",
    "plain_text",
    "table",
    "thumbnail",
]

_THUMBNAIL_SIDE = 128  # shown at 96, sharp on a finer screen too
_STYLE = """
.skbreast-block{color:inherit;font-size:.93em;line-height:1.45;max-width:60em}
.skbreast-block p{margin:.2em 0 .6em;overflow-wrap:anywhere}
.skbreast-block .title{font-weight:600}
.skbreast-block .faint{opacity:.75}
.skbreast-block .row{display:flex;flex-wrap:wrap;gap:.4em 1.6em;align-items:flex-start}
.skbreast-block .wide{overflow-x:auto;max-width:100%}
.skbreast-block table{border-collapse:collapse;margin:0 0 .7em;font-size:inherit;color:inherit}
.skbreast-block table caption{text-align:left;caption-side:top;padding:0 0 .2em;color:inherit;
opacity:.75}
.skbreast-block table th,.skbreast-block table td{padding:.15em .9em .15em 0;text-align:right;
vertical-align:middle;color:inherit;background:none;border:0;max-width:22em;overflow-wrap:break-word;
border-bottom:1px solid rgba(128,128,128,.4);font-variant-numeric:tabular-nums}
.skbreast-block table th:first-child,.skbreast-block table td:first-child{text-align:left}
.skbreast-block .bar{display:inline-block;width:6em;height:.7em;vertical-align:middle;
border:1px solid rgba(128,128,128,.7)}
.skbreast-block .bar i{display:block;height:100%;background:currentColor;opacity:.6}
@media (max-width:480px){.skbreast-block .bar{width:3em}}
.skbreast-block figure{margin:0;width:98px;font-size:.85em}
.skbreast-block figure .tile{width:96px;height:96px;display:flex;align-items:center;
justify-content:center;text-align:center;border:1px solid rgba(128,128,128,.4);overflow:hidden}
.skbreast-block figure img{width:100%;height:100%;max-width:none;margin:0;object-fit:contain}
.skbreast-block figcaption{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
"""


def escape_text(text):
    """Escape what came from names of files and labels.

    Control characters, and those that hide or reorder what stands beside them, are written out.

    Examples
    --------
    >>> from skbreast._html import escape_text
    >>> escape_text("<2 mm")
    '&lt;2 mm'
    """
    return escape(plain_text(text))


def plain_text(text, *, kept=""):
    """Write out what is not printable, except the characters that are kept."""
    return "".join(
        each if each.isprintable() or each in kept else ascii(each)[1:-1] for each in str(text)
    )


def block(title, *parts):
    """Put pieces of HTML under a title, with their style.

    Parameters
    ----------
    title : str
        Plain text; it is escaped.
    *parts : str
        HTML.

    Returns
    -------
    str
        HTML in ASCII, which reads alike whatever a page takes its encoding to be.
    """
    html = (
        f'<div class="skbreast-block"><style>{_STYLE}</style>'
        f'<p class="title">{escape_text(title)}</p>{"".join(parts)}</div>'
    )
    return html.encode("ascii", "xmlcharrefreplace").decode("ascii")


def table(header, rows, *, caption=None):
    """Write a table; cells are escaped, except those that are :class:`Markup`.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : iterable of sequences
        Cells; the first of each row is its title.
    caption : str, optional
        Plain text over the table.

    Returns
    -------
    str
    """
    over = "" if caption is None else f"<caption>{escape_text(caption)}</caption>"
    head = "".join(f'<th scope="col">{_cell(each)}</th>' for each in header)
    body = "".join(_row(*row) for row in rows)
    html = f"<table>{over}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{html}</div>'


class Markup(str):
    """HTML that is not escaped again."""

    __slots__ = ()


def bar(share):
    """Draw a share from 0 to 1 as a bar; the number should stand beside it."""
    width = round(100 * min(max(share, 0), 1))
    return Markup(f'<span class="bar" aria-hidden="true"><i style="width:{width}%"></i></span>')


def _row(title, *cells):
    others = "".join(f"<td>{_cell(each)}</td>" for each in cells)
    return f'<tr><th scope="row">{_cell(title)}</th>{others}</tr>'


def _cell(value):
    return value if isinstance(value, Markup) else escape_text(value)


def file_uri(content, kind):
    """Write a file of a kind such as "image/png" within an address, for pages that load nothing.

    Examples
    --------
    >>> from skbreast._html import file_uri
    >>> file_uri(b"<2 mm", "text/plain")
    'data:text/plain;base64,PDIgbW0='
    """
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def data_uri(pixels, *, max_side=None, quality=90):
    """Write a picture as a JPEG within an address, for pages that load nothing.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3) or (height, width), dtype uint8
        RGB or grey, 0…255.
    max_side : int, optional
        The picture is shrunk until neither side is longer, in pixels.
    quality : int, default=90
        1…95. Colour keeps the resolution of brightness: stain is a matter of colour.

    Returns
    -------
    str
        ``"data:image/jpeg;base64,…"``; a patch of 96 pixels takes about 8 kB.
    """
    image = Image.fromarray(pixels)
    if max_side is not None:
        image.thumbnail((max_side, max_side))
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=quality, subsampling=0)
    return file_uri(stream.getvalue(), "image/jpeg")


def thumbnail(pixels, *lines, problem=None):
    """Write a small picture with lines below it.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), dtype uint8, or None
        The picture; None where there is none.
    *lines : str
        Plain text.
    problem : str, optional
        Why there is no picture.

    Returns
    -------
    str
    """
    texts = [escape_text(line) for line in lines]
    if pixels is None:
        tile = f'<span title="{escape_text(problem)}">cannot be read</span>'
    else:
        address = data_uri(pixels, max_side=_THUMBNAIL_SIDE)
        tile = f'<img src="{address}" alt="Patch: {", ".join(texts)}">'
    below = "".join(f'<figcaption title="{text}">{text}</figcaption>' for text in texts)
    return f'<figure><div class="tile">{tile}</div>{below}</figure>'
