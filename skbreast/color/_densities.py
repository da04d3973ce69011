"""Optical densities of a batch, channel by channel, and which of its pixels are stained."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skbreast._rgb_patches import check_rgb_batch, pixel_rows
from skbreast._validation import check_number

__all__ = [
    "check_background_and_density",
    "density_planes",
    "has_stain",
    "is_foreign",
    "judge_stain",
    "masked_percentiles",
    "row_percentiles",
    "sample_places",
    "second_moments",
    "stained_pixels",
    "thin_pixels",
]

N_MEASURED = 2**14
N_LOOKED_AT = 512
MIN_PIXELS = 32
MIN_SHARE = 0.02  # of the pixels; below, a few dozen would speak for a whole patch
MOST_ALIKE = 0.01  # standard deviation of the densities; a single colour has none
HE_DIRECTION = np.array([0.42, 0.79, 0.45]) / np.linalg.norm([0.42, 0.79, 0.45])
MOST_ASKEW = np.cos(np.radians(24))  # tissue of IDC and BreakHis is nearer, green ink farther
BLACK = 80  # grey levels: nuclei are blue even where they are dark, a black pen isn't
MOST_BLACK = 0.5


def density_planes(patches, background):
    """Return the optical densities (log10) of patches, channels before pixels.

    Sums and products then run along contiguous memory, several times faster than along an axis
    of three.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches.
    background : float
        Intensity of the empty slide.

    Returns
    -------
    ndarray of shape (n_patches, 3, height * width), float32
        Densities.
    """
    planes = np.ascontiguousarray(pixel_rows(patches).swapaxes(1, 2))
    levels = np.maximum(np.arange(256), 1)
    return np.log10(background / levels).astype(np.float32).take(planes)


def stained_pixels(patches, background, min_density):
    """Tell which pixels hold stain: those that all channels see darker than the empty slide.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches.
    background : float
        Intensity of the empty slide.
    min_density : float
        The least density, in each channel.

    Returns
    -------
    ndarray of shape (n_patches, height * width), bool
        True where there is stain.
    """
    pixels = pixel_rows(patches)
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return brightest <= background * 10**-min_density


@lru_cache(maxsize=32)
def sample_places(n_pixels, n_wanted):
    """Return which pixels to look at: nearly even, since a stride could follow a column.

    Parameters
    ----------
    n_pixels, n_wanted : int
        How many there are, and how many are enough.

    Returns
    -------
    ndarray of int or slice
        Sorted places, the same for the same numbers; a slice of all where they are few.
    """
    if n_pixels <= n_wanted:
        return slice(None)
    within = np.random.default_rng(n_pixels).random(n_wanted)
    return ((np.arange(n_wanted) + within) * (n_pixels / n_wanted)).astype(np.intp)


def thin_pixels(patches, n_wanted=N_MEASURED):
    """Return some pixels of large patches, ``(n_patches, n_pixels, 1, 3)``.

    Of more than 16,384 pixels so many say as much: a percentile of theirs is that of all within
    0.1 of a percentile, and sorting is most of the work.
    """
    pixels = pixel_rows(patches)
    return pixels[:, sample_places(pixels.shape[1], n_wanted), None]


def has_stain(patches, *, background=240.0, min_density=0.01):
    """Tell which patches hold enough of what looks like haematoxylin and eosin to be measured.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches; of large ones some hundreds of pixels are looked at.
    background : float, default=240
        Intensity of the empty slide.
    min_density : float, default=0.01
        The least optical density (log10) of a stained pixel, in each channel.

    Returns
    -------
    ndarray of shape (n_patches,), bool
        False where fewer than 32 pixels or a fiftieth of the patch are stained, where they are of
        one colour, where most are black, and where the mean density points away from that of the
        two stains, as ink of pens does.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB, or a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.color import has_stain
    >>> from skbreast.datasets import make_patches
    >>> patch = make_patches(1, 1, random_state=0).data[:1]
    >>> has_stain(np.concatenate([patch, np.full_like(patch, 243), 0 * patch])).tolist()
    [True, False, False]
    """
    check_rgb_batch(patches)
    check_background_and_density(background, min_density)
    return _judge_patches(patches, background, min_density).measurable


def is_foreign(patches, background, min_density):
    """Tell which patches show nothing that stain could be exchanged in.

    Those are blank, black, of one colour, coloured by a pen, or of fewer than 32 pixels.
    """
    return _judge_patches(patches, background, min_density).foreign


def _judge_patches(patches, background, min_density):
    pixels = thin_pixels(patches)
    pixels = pixels[:, sample_places(pixels.shape[1], N_LOOKED_AT)]
    density = density_planes(pixels, background)
    stained = stained_pixels(pixels, background, min_density)
    return _judge(density, stained, background, patches.shape[1] * patches.shape[2])


class StainVerdict(NamedTuple):
    """What patches hold, ``(n_patches,)`` of bool: stain to be measured; what is none at all."""

    measurable: np.ndarray
    foreign: np.ndarray


def judge_stain(density, stained, background):
    """Judge patches by some of their pixels, see :func:`has_stain`."""
    places = sample_places(stained.shape[1], N_LOOKED_AT)
    return _judge(density[:, :, places], stained[:, places], background, stained.shape[1])


def _judge(density, stained, background, n_pixels):
    weights = stained.astype(np.float32)
    n_stained = weights.sum(axis=1)
    n_seen = weights.shape[1]
    is_enough = n_stained >= max(MIN_PIXELS * n_seen / n_pixels, MIN_SHARE * n_seen)
    sums = (density @ weights[:, :, None])[:, :, 0]
    askew = sums @ HE_DIRECTION < MOST_ASKEW * np.linalg.norm(sums, axis=1)
    black = (density.min(axis=1) > np.log10(background / BLACK)).mean(axis=1) > MOST_BLACK
    stain = density.mean(axis=1) * weights
    means = stain.sum(axis=1) / np.maximum(n_stained, 1)
    squares = np.square(stain).sum(axis=1) / np.maximum(n_stained, 1)
    even = squares - means**2 < MOST_ALIKE**2
    foreign = black | (n_stained == 0) | (is_enough & (askew | even))
    foreign |= n_pixels < MIN_PIXELS
    return StainVerdict(is_enough & ~foreign, foreign)


def check_background_and_density(background, min_density=0.0):
    """Raise a ValueError if the empty slide or the least density is out of its range."""
    check_number(background, name="background", low=1, high=255)
    check_number(min_density, name="min_density", low=0, high=1)


def masked_percentiles(values, mask, percentiles):
    """Return percentiles of each row, of the values that count.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values), float32
        Values.
    mask : ndarray of shape (n_rows, n_values), bool
        Which of them count; at least one a row, or the result means nothing.
    percentiles : sequence of float
        0…100; between two values they are interpolated linearly, as :func:`numpy.percentile` does.

    Returns
    -------
    ndarray of shape (n_rows, n_percentiles), float64
        Percentiles.
    """
    ordered = np.sort(np.where(mask, values, np.float32(np.inf)), axis=1)
    last = np.maximum(mask.sum(axis=1, keepdims=True) - 1, 0)
    places = last * (np.asarray(percentiles, dtype=np.float64) / 100)
    below = places.astype(np.intp)
    above = np.minimum(below + 1, last)
    low, high = (np.take_along_axis(ordered, each, axis=1) for each in (below, above))
    with np.errstate(invalid="ignore"):  # a row in which nothing counts
        return low + (places - below) * (high.astype(np.float64) - low)


def row_percentiles(values, percentile):
    """Return :func:`numpy.percentile` along the last axis, for a high percentile a third faster."""
    place = (values.shape[-1] - 1) * percentile / 100
    below = int(place)
    ordered = np.partition(values, below, axis=-1)
    low = ordered[..., below].astype(np.float64)
    high = ordered[..., below + 1 :].min(axis=-1, initial=np.inf)
    return low if place == below else low + (place - below) * (high - low)


def second_moments(planes):
    """Return the sums of products of channels, ``(n_patches, 3, 3)``.

    Faster than a product of matrices as flat as these.
    """
    moments = np.empty((len(planes), 3, 3), dtype=planes.dtype)
    for first in range(3):
        for second in range(first, 3):
            sums = np.einsum("np,np->n", planes[:, first], planes[:, second])
            moments[:, first, second] = moments[:, second, first] = sums
    return moments
