"""Markdown and YAML in which what users named stays text."""

import json
import re

__all__ = ["front_matter", "markdown_table", "plain_text", "printable"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~:@$^=])")
_MARKUP = re.compile(r"[`*\[\]()<>&!|~$@]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def printable(text):
    """Return text on one line; what cannot be printed is written as a code point in ASCII."""
    line = " ".join(str(text).split())
    return "".join(each if each.isprintable() else _escaped(each) for each in line)


def _escaped(character):
    return character.encode("unicode_escape").decode("ascii")


def plain_text(text):
    """Return Markdown that shows a text as it is: no markup, no HTML, no links.

    It goes into the middle of a line or the cell of a table; a line shall not begin with it.
    """
    quoted = _SPECIAL.sub(r"\\\1", printable(text))
    return quoted.translate(_ENTITIES).replace("www.", "www\\.")


def markdown_table(header, rows):
    """Return a table of cells that are text.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : iterable of sequences
        Cells.

    Returns
    -------
    str
    """
    lines = [header, *rows]
    written = [f"| {' | '.join(map(plain_text, line))} |" for line in lines]
    return "\n".join([written[0], f"|{' --- |' * len(header)}", *written[1:]])


def front_matter(content):
    """Return the YAML that begins a file, between lines of dashes.

    Values are written as JSON, which YAML contains, and without the characters that would be
    markup to a reader who takes the front matter for a part of the text.

    Parameters
    ----------
    content : dict
        Of texts, numbers, lists and dicts.

    Returns
    -------
    str
    """
    return "\n".join(["---", *(f"{key}: {_yaml(value)}" for key, value in content.items()), "---"])


def _yaml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(key)}: {_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
