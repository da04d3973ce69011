"""Read the patches that are shown, and no others; what is said where one cannot be read."""

import os

import numpy as np
from sklearn.utils import _safe_indexing

from skbreast._decoding import as_rgb
from skbreast._html import plain_text
from skbreast._validation import check_patches
from skbreast.reading import PatchReadError, iterate_patches

__all__ = ["read_shown", "shorten", "shorten_apart"]

_N_LETTERS = 20  # of a name in a caption: what a tile is wide enough for


def shorten(text, n_letters=_N_LETTERS):
    """Shorten a name in its middle; what tells names apart often stands at an end.

    Examples
    --------
    >>> from skbreast.plotting._shown import shorten
    >>> shorten("SOB_M_DC-14-13412", 11)
    'SOB_M…13412'
    """
    text = plain_text(" ".join(str(text).split()))
    if len(text) <= n_letters:
        return text
    n_last = (n_letters - 1) // 2
    return f"{text[: n_letters - 1 - n_last]}…{text[len(text) - n_last :]}"


def shorten_apart(names):
    """Shorten names, but no more than leaves them different from each other.

    Where their middle is what tells them apart, they lose what they have in common.

    Examples
    --------
    >>> from skbreast.plotting._shown import shorten_apart
    >>> shorten_apart(["TCGA-A1-A0SB-01Z-00-DX1.svs", "TCGA-A1-A0CM-01Z-00-DX1.svs"])
    ['…A0SB…', '…A0CM…']
    """
    names = [str(name) for name in names]
    n_names = len(set(names))
    for parts in (names, _without_shared(names)):
        shortened = [shorten(part) for part in parts]
        if len(set(shortened)) == n_names:
            return shortened
    return [shorten(name, max(map(len, names))) for name in names]


def _without_shared(names):
    """Put an ellipsis in place of the parts that all names begin and end with."""
    first = _count_shared(names)
    last = _count_shared([name[first:][::-1] for name in names])
    before, after = ("…" if each else "" for each in (first, last))
    return [f"{before}{name[first : len(name) - last]}{after}" for name in names]


def _count_shared(names):
    """Count the letters that all names begin with, up to the last one that ends a part of them."""
    shared = os.path.commonprefix(names)  # noqa: RUF071 - letters are meant
    return max((place + 1 for place, each in enumerate(shared) if not each.isalnum()), default=0)


def read_shown(X, rows):
    """Read some patches as 8-bit RGB, each in its own size, and no others.

    Parameters
    ----------
    X : array-like
        Patch references, or ``(n_patches, height, width, channels)`` raw pixels 0…255 or scaled
        ones 0…1.
    rows : ndarray of int
        Which.

    Returns
    -------
    patches : list of ndarray of shape (height, width, 3), dtype uint8, or None
        None where a patch cannot be read.
    problems : list of str or None
        Why it cannot be read.
    """
    if not len(rows):
        return [], []
    # Only those shown are checked: all of 200,000 would take longer than reading twelve.
    chosen = check_patches(_safe_indexing(np.asarray(X) if isinstance(X, list) else X, rows))
    if chosen.ndim == 4:
        return list(_as_uint8(chosen)), [None] * len(rows)
    patches, problems = [None] * len(rows), [None] * len(rows)
    for place, patch in iterate_patches(chosen):
        if isinstance(patch, PatchReadError):
            problems[place] = _tell_problem(chosen[place], patch)
        else:
            patches[place] = patch
    return patches, problems


def _as_uint8(patches):
    if not 1 <= patches.shape[-1] <= 4 or 1 in patches.shape[1:3]:
        raise ValueError(
            "X must be patch references, or patches (n_patches, height, width, channels) of 1 to 4 "
            f"channels; those to be shown have the shape {patches.shape}."
        )
    if patches.dtype != np.uint8:
        low, high = patches.min(), patches.max()
        if low < 0 or high > 255:
            raise ValueError(
                "X must hold raw pixels, 0…255, or scaled ones, 0…1, to be shown; it reaches from "
                f"{low:g} to {high:g}."
            )
        patches = np.rint(patches * (255 if high <= 1 else 1)).astype(np.uint8)
    return as_rgb(patches)


def _tell_problem(reference, error):
    cause = str(error).removeprefix(f"Cannot read patch {reference!r}: ")
    name = shorten(os.path.basename(reference), _N_LETTERS)  # noqa: PTH119 - may end in "#12"
    return f"{name} cannot be read: {cause}"
