"""Where a patch shows tissue: Otsu's threshold of darkness or saturation, kept within limits."""

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast._validation import check_choice, check_number
from skbreast.tissue._blocks import in_blocks

__all__ = [
    "METHODS",
    "count_levels",
    "pooled_threshold",
    "tissue_fraction",
    "tissue_mask",
    "tissue_threshold",
]

METHODS = ("otsu", "saturation")
_NO_LIGHT = 10  # a scanner's padding, also after JPEG
# Whatever is darker is tissue for certain. Left as it is, its spread would pull the threshold up
# between stroma and nuclei: to 0.33 on IDC, where 0.16 separates tissue from glass.
_CERTAIN = 64
# The glass of slides is at 0.03 to 0.18 (BreakHis' microscope, tinted), the palest stroma of IDC
# at 0.19. A patch of one kind only has no threshold of its own and comes to lie at a limit.
_LIMITS = {"otsu": (26, 48), "saturation": (15, 38)}


def tissue_mask(patches, *, method="otsu", threshold=None):
    """Tell tissue from glass, pixel by pixel.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        RGB patches.
    method : {"otsu", "saturation"}, default="otsu"
        What tissue has more of than glass: "otsu" takes the share of green light that is
        absorbed, since haematoxylin and eosin both absorb green most; "saturation" that of HSV,
        which leaves out grey shadows and black ink, but takes tinted light for tissue.
    threshold : float, optional
        One for all patches, 0…1, rounded to 1/255; tissue lies above. By default each patch's
        own, see Notes; :func:`tissue_threshold` learns one from many patches.

    Returns
    -------
    ndarray of shape (n_patches, height, width), bool
        True where there is tissue. Ink and dirt count as tissue; pixels without any light (all
        channels at most 10: padding) do not.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB or an argument is out of its range.

    Notes
    -----
    Otsu's threshold is taken over a fixed scale that ends at 0.25, and kept within 0.10…0.19 of
    the light ("otsu") or 0.06…0.15 ("saturation"). So a patch of nothing but glass has no tissue
    and a patch of nothing but tissue is all tissue. Only the palest stroma, close to the upper
    limit, gets holes.

    References
    ----------
    Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.tissue import tissue_mask
    >>> patches = np.full((1, 2, 2, 3), 243, dtype=np.uint8)
    >>> patches[0, 0] = 200, 120, 180
    >>> tissue_mask(patches)[0]
    array([[ True,  True],
           [False, False]])
    """
    check_rgb_batch(patches)
    check_choice(method, name="method", choices=METHODS)
    limit = None if threshold is None else _to_level(threshold)
    return in_blocks(lambda block: _mask(block, method, limit), patches)


def tissue_fraction(patches, *, method="otsu", threshold=None):
    """Return the share of each patch that is tissue.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        RGB patches.
    method, threshold
        As in :func:`tissue_mask`.

    Returns
    -------
    ndarray of shape (n_patches,), float64
        0…1. Of 7,042 patches of IDC, 24 have less than 0.1: empty but for a corner.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB or an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.tissue import tissue_fraction
    >>> patches = np.full((2, 4, 4, 3), 243, dtype=np.uint8)
    >>> patches[0, 0] = 200, 120, 180
    >>> tissue_fraction(patches)
    array([0.25, 0.  ])
    """
    return tissue_mask(patches, method=method, threshold=threshold).mean(axis=(1, 2))


def tissue_threshold(patches, *, method="otsu"):
    """Learn one threshold from many patches, of a slide or of a study.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        RGB patches.
    method : {"otsu", "saturation"}, default="otsu"
        As in :func:`tissue_mask`.

    Returns
    -------
    float
        Otsu's threshold of all pixels together, within the limits of :func:`tissue_mask`.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB or `method` is none of those allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.tissue import tissue_threshold
    >>> patches = np.random.default_rng(0).integers(80, 256, size=(4, 32, 32, 3), dtype=np.uint8)
    >>> round(tissue_threshold(patches), 2)
    0.16
    """
    check_rgb_batch(patches)
    check_choice(method, name="method", choices=METHODS)
    counts = in_blocks(lambda block: count_levels(block, method).sum(axis=0)[None], patches)
    return pooled_threshold(counts.sum(axis=0), method)


def count_levels(patches, method):
    """Count each patch's levels, shape ``(n_patches, 65)``; the last holds all above, too."""
    starts = np.arange(len(patches)) * (_CERTAIN + 1)
    bins = np.minimum(_levels(patches, method), _CERTAIN) + starts[:, None, None]
    counts = np.bincount(bins.ravel(), minlength=len(patches) * (_CERTAIN + 1))
    return counts.reshape(len(patches), _CERTAIN + 1)


def pooled_threshold(counts, method):
    """Return the threshold, 0…1, of one histogram of :func:`count_levels`."""
    return float(_otsu_levels(counts[None], method)[0]) / 255


def _otsu_levels(counts, method):
    """Return Otsu's threshold of each histogram, within the method's limits."""
    levels = np.arange(counts.shape[1])
    sums, below = np.cumsum(counts * levels, axis=1), np.cumsum(counts, axis=1)
    above = below[:, -1:] - below
    mean_below = sums / np.maximum(below, 1)
    mean_above = (sums[:, -1:] - sums) / np.maximum(above, 1)
    between = below * above.astype(np.float64) * (mean_above - mean_below) ** 2
    return np.clip(between.argmax(axis=1), *_LIMITS[method])


def _levels(patches, method):
    """Return how much of 255 the pixels have of what tissue has more of."""
    if method == "otsu":
        return 255 - patches[..., 1]
    most, least = _extremes(patches)
    saturation = (most - least) * np.float32(255) / np.maximum(most, 1)
    return np.rint(saturation).astype(np.uint8)


def _extremes(patches):
    red, green, blue = np.moveaxis(patches, -1, 0)  # twice as fast as along an axis of 3
    most, least = np.maximum(red, green), np.minimum(red, green)
    return np.maximum(most, blue, out=most), np.minimum(least, blue, out=least)


def _mask(patches, method, limit):
    if limit is None:
        limits = _otsu_levels(count_levels(patches, method), method)
        limit = limits.astype(np.uint8)[:, None, None]
    return (_levels(patches, method) > limit) & (_extremes(patches)[0] > _NO_LIGHT)


def _to_level(threshold):
    return np.uint8(round(255 * check_number(threshold, name="threshold", low=0, high=1)))
