"""The grammar of patch references: strings that name where a patch lies.

========================  =====================================================
``path/to/patch.png``     an image file
``cohort.h5#12``          row 12 of the image array in an HDF5 file
========================  =====================================================

A ``#`` is only special when it follows the name of an HDF5 file and a row number follows it,
so folders and files with ``#`` in their names, spaces, and Windows paths need no escaping.
"""

import operator
import os
import re
from dataclasses import dataclass

__all__ = ["PatchReference", "format_reference", "parse_reference"]

_ARRAY_FILE = re.compile(
    r"(?P<path>.+\.(?:h5|hdf5))#(?P<row>[0-9]{1,18})", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class PatchReference:
    """Where one patch lies.

    Attributes
    ----------
    path : str
        The file, as it was written.
    row : int or None
        The row within an array file, counted from 0; None for an image file.
    """

    path: str
    row: int | None = None

    def __str__(self):
        return self.path if self.row is None else f"{self.path}#{self.row}"


def parse_reference(reference):
    """Split a patch reference into its parts.

    Parameters
    ----------
    reference : str or path-like
        The reference.

    Returns
    -------
    PatchReference
        The file and, for an array file, the row.

    Raises
    ------
    TypeError
        If `reference` is neither a string nor a path of text.
    ValueError
        If `reference` is empty.

    Examples
    --------
    >>> from skbreast.references import parse_reference
    >>> parse_reference("cohort.h5#12")
    PatchReference(path='cohort.h5', row=12)
    >>> parse_reference("block #7/patch #12.png")
    PatchReference(path='block #7/patch #12.png', row=None)
    """
    text = os.fspath(reference) if isinstance(reference, os.PathLike) else reference
    if not isinstance(text, str):
        raise TypeError(f"A patch reference is a string or a path, got {type(text).__name__}.")
    if not text:
        raise ValueError("A patch reference must not be empty.")
    match = _ARRAY_FILE.fullmatch(text)
    if match is None:
        return PatchReference(text)
    return PatchReference(match["path"], int(match["row"]))


def format_reference(path, row=None):
    """Write a patch reference; the inverse of :func:`parse_reference`.

    Parameters
    ----------
    path : str or path-like
        The file.
    row : int, optional
        The row within an HDF5 file, counted from 0.

    Returns
    -------
    str
        The reference.

    Raises
    ------
    TypeError
        If `path` is neither a string nor a path of text, or `row` is no whole number.
    ValueError
        If what was written would not be read back as the same parts.

    Examples
    --------
    >>> from skbreast.references import format_reference
    >>> format_reference("cohort.h5", 12)
    'cohort.h5#12'
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise TypeError(f"path must be a string or a path, got {type(text).__name__}.")
    wanted = PatchReference(text, _whole_row(row))
    if parse_reference(str(wanted)) != wanted:
        raise ValueError(
            f"Path {wanted.path!r} with row {wanted.row} cannot be written as a patch reference: "
            "rows are for files that end in .h5 or .hdf5, and '<file>.h5#<digits>' always is one."
        )
    return str(wanted)


def _whole_row(row):
    try:
        return None if row is None else operator.index(row)
    except TypeError:
        raise TypeError(f"row must be None or a whole number, got {type(row).__name__}.") from None
