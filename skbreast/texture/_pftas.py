"""Parameter-free threshold adjacency statistics: how pixels of a mask lie beside each other."""

import numpy as np

from skbreast._rgb_patches import check_raw_pixels
from skbreast.texture._otsu import level_histograms, otsu_thresholds
from skbreast.texture._patch_features import PatchFeatures, channel_names
from skbreast.texture._planes import check_stack, to_levels
from skbreast.texture._tasks import measure_in_tasks

__all__ = ["PFTASFeatures", "pftas_features"]

MASKS = ("near_mean", "above_low", "above_mean")
_N_NEIGHBOURS = 8
_BITS = 5  # a mask takes in a number: 8 neighbours and twice 9 kinds of pixel fit
_N_KINDS = 2 * (_N_NEIGHBOURS + 1)
_N_PIXELS = 2**17  # worked on at once


def pftas_features(patches, *, n_jobs=None):
    """Return parameter-free threshold adjacency statistics, 54 for each channel.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Raw pixels, 0…255, uint8 or float (which is rounded). Any size from 1x1 on.
    n_jobs : int, default=None
        Processes. None means 1, or what :func:`joblib.parallel_config` says. The features are
        the same for any number.

    Returns
    -------
    ndarray of shape (n_patches, 54 * channels), float32
        Finite shares, 0…1; 162 for RGB. For each channel, in the order of mahotas: for three
        masks, the shares of the pixels outside with 0 to 8 neighbours inside; then the same of
        the three masks' complements.

    Raises
    ------
    ValueError
        If `patches` isn't 4-D or not raw pixels.

    See Also
    --------
    PFTASFeatures : The same as a transformer, with names, and for references.

    Notes
    -----
    Otsu's threshold splits a channel. Of the mean and the standard deviation of the pixels above
    it follow three masks: pixels within a deviation of the mean; above the mean less a deviation;
    and above the mean. A channel is mirrored at its border, so every pixel has 8 neighbours.
    Shares of a mask that covers all pixels, or none, are 0 where there are no pixels to share.
    The numbers are those of ``mahotas.features.pftas``, channel by channel.

    References
    ----------
    Hamilton, Pantelic, Hanson and Teasdale, "Fast automated cell phenotype image classification",
    BMC Bioinformatics 8 (2007). Coelho et al., "Structured literature image finder: extracting
    information from text and images in biomedical literature", LNCS 6004 (2010). Spanhol,
    Oliveira, Petitjean and Heutte, "A dataset for breast cancer histopathological image
    classification", IEEE Transactions on Biomedical Engineering 63 (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import pftas_features
    >>> patch = np.zeros((1, 5, 5, 1), dtype=np.uint8)
    >>> patch[0, 2, 2] = 200
    >>> features = pftas_features(patch)
    >>> features.shape
    (1, 54)
    >>> outside = features[0, 9:18] * 24  # the mask from the mean less a deviation: one pixel
    >>> outside.round().tolist()
    [16.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    patches = check_raw_pixels(check_stack(patches))
    return measure_in_tasks(patches, _measure, n_jobs=n_jobs)


def _measure(patches):
    channels = np.ascontiguousarray(np.moveaxis(to_levels(patches), 3, 1))
    stack = channels.reshape(-1, *channels.shape[2:])
    bounds = _mask_bounds(level_histograms(stack))
    step = max(1, _N_PIXELS // stack[0].size)
    starts = range(0, len(stack), step)
    shares = [_shares(stack[at : at + step], bounds[:, at : at + step]) for at in starts]
    return np.vstack(shares).reshape(len(patches), -1).astype(np.float32)


def _mask_bounds(histograms):
    """Return mean - deviation, mean + deviation and mean of each plane's foreground.

    In whole levels: a level is above a number where it is above its floor, and below it where it
    is below its ceiling.
    """
    levels = np.arange(histograms.shape[1], dtype=np.float64)
    counts = np.where(levels > otsu_thresholds(histograms)[:, None], histograms, 0)
    n_pixels = counts.sum(axis=1)
    sums = counts @ levels
    means = sums / np.maximum(1, n_pixels)
    squares = (counts * (levels - means[:, None]) ** 2).sum(axis=1)
    deviations = np.sqrt(squares / np.maximum(1, n_pixels))
    # mahotas keeps from dividing by 0 so, and where all pixels are equal they are above the mean
    means = sums / (n_pixels + 1e-8)
    bounds = np.stack([np.floor(means - deviations), np.ceil(means + deviations), np.floor(means)])
    return bounds.astype(np.int16)[..., None, None]


def _shares(stack, bounds):
    """Return the shares of each plane, ``(n_planes, 54)``."""
    stack = stack.astype(np.int16)
    low, high, mean = bounds
    masks = (stack > low) & (stack < high), stack > low, stack > mean
    # all three in one number, so that neighbours are added once
    packed = sum(mask.astype(np.uint16) << np.uint16(_BITS * at) for at, mask in enumerate(masks))
    # a pixel inside adds 9: its kind is 9 more than the number of its neighbours inside
    kinds = _sum_of_neighbours(packed) + packed * np.uint16(_N_NEIGHBOURS + 1)
    counts = [_count_kinds((kinds >> (_BITS * at)) & (2**_BITS - 1)) for at in range(len(masks))]
    counts = np.stack(counts, axis=1)
    outside, inside = counts[..., : _N_NEIGHBOURS + 1], counts[..., :_N_NEIGHBOURS:-1]
    both = np.stack([outside, inside], axis=1).astype(np.float64)
    return (both / np.maximum(1, both.sum(axis=-1, keepdims=True))).reshape(len(stack), -1)


def _sum_of_neighbours(values):
    mirrored = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="symmetric")
    rows = mirrored[:, :-2] + mirrored[:, 1:-1] + mirrored[:, 2:]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] - values


def _count_kinds(kinds):
    rows = np.arange(len(kinds))[:, None] * _N_KINDS
    codes = kinds.reshape(len(kinds), -1) + rows
    return np.bincount(codes.ravel(), minlength=len(kinds) * _N_KINDS).reshape(-1, _N_KINDS)


class PFTASFeatures(PatchFeatures):
    """Turn patches into parameter-free threshold adjacency statistics.

    The texture features of the paper that published BreakHis (Spanhol 2016). They see how bright
    and dark places of each colour channel lie beside each other.

    Parameters
    ----------
    n_jobs : int, default=None
        Processes that read and measure patches. None means 1, or what
        :func:`joblib.parallel_config` says. The features are the same for any number.

    Attributes
    ----------
    n_channels_ : int
        Channels of the patches seen in `fit`; 3 for references.
    n_features_in_ : int
        Height x width x channels of the patches seen in `fit`. Not set for references.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where `fit` saw 2-D rows with names.

    See Also
    --------
    pftas_features : The same as a function, which says what is measured, and the papers.
    TextureFeatures : Local binary patterns and co-occurrence.

    Notes
    -----
    `X` is a 4-D array of raw pixels 0…255, uint8 or float; a 1-D collection of patch references,
    which are read some at a time so that memory stays flat; or 2-D rows, each read as one pixel
    of that many channels, cut off at 0 and 255. Patches of another height and width than in `fit`
    are fine, another number of channels isn't; references of different sizes are each measured in
    their own size.

    A feature's name says the channel, the mask (``near_mean``, ``above_low``, ``above_mean``, or
    ``not_`` and one of these for its complement), and the number of neighbours inside of it.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.texture import PFTASFeatures
    >>> patches = make_patches(2, 2, patch_size=32, random_state=0).data
    >>> features = PFTASFeatures().fit(patches)
    >>> features.transform(patches).shape
    (4, 162)
    >>> features.get_feature_names_out()[[0, 161]].tolist()
    ['pftas_red_near_mean_0of8', 'pftas_blue_not_above_mean_8of8']
    """

    __module__ = "skbreast.texture"  # saved files name the class by its public place

    def __init__(self, *, n_jobs=None):
        self.n_jobs = n_jobs

    def _measurer(self):
        return _measure

    def _feature_names(self):
        masks = [*MASKS, *(f"not_{mask}" for mask in MASKS)]
        return [
            f"pftas_{channel}_{mask}_{count}of{_N_NEIGHBOURS}"
            for channel in channel_names(self.n_channels_)
            for mask in masks
            for count in range(_N_NEIGHBOURS + 1)
        ]
