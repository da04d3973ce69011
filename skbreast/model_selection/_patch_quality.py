"""What is wrong with a patch by itself: nothing on it, black, of one colour, of another size."""

import numpy as np

__all__ = ["check_expected_size", "find_odd_sizes", "name_flat"]

FLAT = 3.0  # grey levels; the palest tissue of 7,102 IDC patches has 3.7
BLACK_ENDS = 30
WHITE_STARTS = 200


def name_flat(thumbnail):
    """Name what a patch without structure shows.

    Parameters
    ----------
    thumbnail : ndarray of shape (height, width), dtype uint8
        The patch in grey and small, so that the noise of camera and compression is averaged out.

    Returns
    -------
    str
        "" where there is structure: a standard deviation of at least 3 grey levels. Else by the
        mean "black" (below 30), "blank" (from 200, a slide's background) or "single_colour".

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.model_selection._patch_quality import name_flat
    >>> name_flat(np.full((32, 32), 243, np.uint8)), name_flat(np.zeros((32, 32), np.uint8))
    ('blank', 'black')
    """
    if thumbnail.std() >= FLAT:
        return ""
    mean = thumbnail.mean()
    if mean < BLACK_ENDS:
        return "black"
    return "blank" if mean >= WHITE_STARTS else "single_colour"


def check_expected_size(size):
    """Return ``(height, width)`` or None; one number is the side of a square."""
    if size is None:
        return None
    sides = size if isinstance(size, tuple | list | np.ndarray) else (size, size)
    whole = all(isinstance(each, int | np.integer) and not isinstance(each, bool) for each in sides)
    if len(sides) != 2 or not whole or min(sides) < 1:
        raise ValueError(
            "expected_size must be None, a number of pixels or (height, width), integers from 1; "
            f"got {size!r}."
        )
    return tuple(int(each) for each in sides)


def find_odd_sizes(sizes, expected):
    """Return the wanted size and the rows of another one.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_patches, 2)
        Height and width in pixels; 0 for a patch that could not be read.
    expected : tuple of (int, int) or None
        None takes the size that most patches have.

    Returns
    -------
    tuple of (int, int) or None
        None where no patch could be read.
    ndarray of int
        Rows.
    """
    readable = np.flatnonzero(sizes.min(axis=1) > 0)
    if len(readable) == 0:
        return expected, readable
    if expected is None:
        found, counts = np.unique(sizes[readable], axis=0, return_counts=True)
        expected = tuple(found[counts.argmax()].tolist())
    return expected, readable[(sizes[readable] != expected).any(axis=1)]
