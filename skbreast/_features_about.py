"""What all chunks of an extraction have in common, `about`: how it is read, and what it may be."""

import json
import math
import re

import numpy as np

__all__ = [
    "CLEARED",
    "COLUMNS",
    "FORMAT",
    "KINDS",
    "MAX_CHUNK_BYTES",
    "check_about",
    "chunk_numbers",
    "chunk_rows",
    "n_chunks",
    "read_card",
]

FORMAT = 1
CLEARED = {"format": FORMAT, "cleared": True}  # while an extraction is being deleted
KINDS = {"integer": np.int64, "number": np.float64, "flag": np.bool_, "text": object}
COLUMNS = {  # beside the features, and of which kinds
    "references": ("text",),
    "labels": tuple(KINDS),
    "patients": tuple(KINDS),
    "readable": ("flag",),
}
NEEDED = {"references", "readable"}
MAX_PATCHES = 2**40
MAX_CHUNK_BYTES = 2**31 - 1  # zarr's compressors take no more
MAX_CARD_BYTES = 2**24  # names of a hundred thousand features


def n_chunks(about):
    """Return the number of chunks of a whole extraction."""
    return math.ceil(about["n_patches"] / about["chunk_size"])


def chunk_rows(about, number):
    """Return the number of patches of a chunk."""
    size = about["chunk_size"]
    return min(size, about["n_patches"] - number * size)


def chunk_numbers(folder, pattern):
    """Return the numbers, the first group of `pattern`, that names of files in a folder have."""
    try:
        names = [each.name for each in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {int(match[1]) for match in map(re.compile(pattern).fullmatch, names) if match}


def read_card(path):
    """Return what a JSON file says, None if there is none.

    Parameters
    ----------
    path : pathlib.Path
        The file; it may be anybody's.

    Returns
    -------
    dict or None

    Raises
    ------
    ValueError
        If it is no JSON object, or far larger than one that was written here.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"it has more than {MAX_CARD_BYTES} bytes")
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("it is no object of JSON")
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); give another folder, or delete this one yourself."
        ) from error
    return card


def check_about(about, path):
    """Refuse what no extraction wrote.

    Parameters
    ----------
    about : dict
        What was read.
    path : pathlib.Path
        The folder, for the message.

    Raises
    ------
    ValueError
        If it is of another format, or an entry is missing or not as it can be.
    """
    if about == CLEARED:
        raise ValueError(
            f"{path} holds the rest of an extraction that was being overwritten; extract again."
        )
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{path} is of format {about.get('format')!r:.50}, which this version does not know."
        )
    wrong = [name for name, is_right in ENTRIES.items() if not is_right(about.get(name))]
    if not wrong and not _fits(about):
        wrong = ["n_patches, chunk_size and feature_names together"]
    if wrong:
        raise ValueError(
            f"{path} is damaged: its {wrong[0]} cannot be; extract again with overwrite, or give "
            "another folder."
        )


def _is_count(value):
    return type(value) is int and 1 <= value <= MAX_PATCHES


def _is_text(value):
    return isinstance(value, str)


def _is_text_or_none(value):
    return value is None or isinstance(value, str)


def _are_texts(values):
    return isinstance(values, list) and all(map(_is_text, values))


def _are_names(values):
    return _are_texts(values) and len(values) > 0


def _are_texts_or_none(values):
    return values is None or _are_texts(values)


def _is_table(value):
    return isinstance(value, dict)


def _is_table_of_texts(value):
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _are_columns(value):
    known = _is_table(value) and NEEDED <= value.keys() <= COLUMNS.keys()
    return known and all(kind in COLUMNS[name] for name, kind in value.items())


def _fits(about):
    n_bytes = 4 * chunk_rows(about, 0) * len(about["feature_names"])
    return n_bytes <= MAX_CHUNK_BYTES and about["data"].keys() | {"readable"} == set(
        about["columns"]
    )


ENTRIES = {
    "run": _is_text,
    "folder": _is_text_or_none,
    "first_reference": _is_text,
    "n_patches": _is_count,
    "chunk_size": _is_count,
    "columns": _are_columns,
    "data": _is_table_of_texts,
    "extractor": _is_table,
    "versions": _is_table_of_texts,
    "target_names": _are_texts_or_none,
    "feature_names": _are_names,
}
