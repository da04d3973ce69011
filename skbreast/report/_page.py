"""From sections to one HTML page that asks nothing of anybody."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from skbreast._files import write_text
from skbreast._html import plain_text
from skbreast._validation import import_optional
from skbreast.report._shrinking import smaller_versions

__all__ = ["MAX_BYTES", "write_page"]

MAX_BYTES = 5_000_000  # what may still be sent by mail


def write_page(path, *, sections, **content):
    """Render the template and write the page whole, with smaller patches where it takes that.

    Parameters
    ----------
    path : str or path-like
        The file to be.
    sections : list of skbreast.report._blocks.Section
        What the page holds. All text is escaped but that of :class:`skbreast.report._blocks.Html`.
    **content
        `title`, `lead`, `notice`, `cards` and `footer`, as the template wants them.

    Raises
    ------
    ValueError
        If the page were larger than 5 MB whatever is left out of its patches.
    """
    for each in smaller_versions(sections):
        page = _render(content | {"sections": each})
        n_bytes = len(page.encode())
        if n_bytes <= MAX_BYTES:
            write_text(path, page)
            return Path(path)
    raise ValueError(
        f"The report would have {n_bytes / 1e6:.1f} MB even with the fewest and smallest pictures "
        f"of patches, and {MAX_BYTES / 1e6:g} are allowed; give fewer models or shorter texts."
    )


def _render(content):
    jinja2 = import_optional("jinja2", extra="report", purpose="A report")
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        finalize=_finalize,
    )
    script = _read("report.js")
    return environment.get_template("report.html.j2").render(
        style=Markup(_read("report.css")),
        script=Markup(script),
        script_digest=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        **content,
    )


def _finalize(value):
    """Write out what is not printable in names; line breaks are ours, markup is finished."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return plain_text(value, kept="\n")
    return value


def _read(name):
    return (files("skbreast.report") / "templates" / name).read_text(encoding="utf-8")
