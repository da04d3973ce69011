"""Pictures that stand in a data set more than once: digests of pixels, and groups of copies."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Copies", "digest_turned", "first_of_each", "group_copies", "turn"]

MIN_PIXELS = 256  # a few pixels may be equal by chance


def turn(pixels, number):
    """Turn and mirror a patch in one of the eight ways in which it stays a rectangle.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, ...)
        The patch.
    number : int
        0…7: quarter turns, from 4 on mirrored first.

    Returns
    -------
    ndarray
        A view.
    """
    rows = pixels[:, ::-1] if number >= 4 else pixels
    return np.rot90(rows, number % 4)


def digest_turned(pixels):
    """Digest of the pixels of a patch that is the same however it is turned or mirrored.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, channels), dtype uint8
        The patch.

    Returns
    -------
    digest : bytes
        16 of them.
    turned : int
        Which of the eight ways was digested, see :func:`turn`. Patches of one digest are equal
        pixel by pixel where this is the same too.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.model_selection._duplicates import digest_turned
    >>> patch = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> digest_turned(patch)[0] == digest_turned(patch[::-1].swapaxes(0, 1))[0]
    True
    """
    views = [turn(pixels, number) for number in range(8)]
    # Edges settle nearly always which way comes first, so that one is digested, not eight.
    edges = [(view.shape, view[0].tobytes()) for view in views]
    first = min(edges)
    candidates = [number for number, edge in enumerate(edges) if edge == first]
    digests = [(_digest(views[number]), number) for number in candidates]
    return min(digests)


def _digest(view):
    digest = hashlib.blake2b(repr(view.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(view))
    return digest.digest()


@dataclass(frozen=True)
class Copies:
    """Which patches show the same picture.

    Attributes
    ----------
    pictures : ndarray of int, shape (n_patches,)
        Number of the picture, from 0; -1 where there is no copy.
    matches : list of str
        Of each picture how its patches agree: "identical", "turned" (mirrored or turned, else
        identical) or "near" (recompressed, resized, brighter, slightly cropped).
    """

    pictures: np.ndarray
    matches: list

    def members(self):
        """Return the rows of each picture, as a list of arrays."""
        order = np.argsort(self.pictures, kind="stable")
        starts = np.searchsorted(self.pictures[order], np.arange(len(self.matches) + 1))
        return [order[a:b] for a, b in pairwise(starts)]


def group_copies(digests, turned, near_pairs):
    """Join patches of one digest, and pairs that are near, to groups of copies.

    Parameters
    ----------
    digests : list of bytes or None, length n_patches
        From :func:`digest_turned`; None for patches that are no one's copy, such as blank ones.
    turned : ndarray of int, shape (n_patches,)
        From :func:`digest_turned`.
    near_pairs : ndarray of int, shape (n_pairs, 2)
        Rows that show the same picture though their pixels differ.

    Returns
    -------
    Copies
    """
    first = first_of_each(digests)
    links = np.vstack([np.column_stack([np.arange(len(first)), first]), near_pairs]).astype(int)
    graph = coo_array((np.ones(len(links)), links.T), shape=(len(first), len(first)))
    components = connected_components(graph, directed=False)[1]
    several = np.bincount(components) > 1
    pictures = np.where(several[components], (np.cumsum(several) - 1)[components], -1)
    copies = Copies(pictures, [""] * int(several.sum()))
    copies.matches[:] = [_match(rows, first, turned) for rows in copies.members()]
    return copies


def first_of_each(digests):
    """Return for each row the first row of the same digest, itself where there is none."""
    seen = {}
    return np.array(
        [row if key is None else seen.setdefault(key, row) for row, key in enumerate(digests)],
        dtype=int,
    )


def _match(rows, first, turned):
    if len(set(first[rows].tolist())) > 1:
        return "near"
    return "identical" if len(set(turned[rows].tolist())) == 1 else "turned"
