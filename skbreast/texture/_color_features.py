"""Colour features of patches: how far colour alone carries, before anything is learned."""

from functools import partial

import numpy as np
from skimage.color import rgb2hed, rgb2lab

from skbreast._rgb_patches import check_raw_pixels
from skbreast._validation import check_choice
from skbreast.texture._color_moments import color_moments
from skbreast.texture._parameters import check_numbers
from skbreast.texture._patch_features import PatchFeatures, channel_names
from skbreast.texture._planes import check_stack
from skbreast.texture._tasks import measure_in_tasks

__all__ = ["ColorFeatures", "color_features"]

SPACES = ("rgb", "lab", "hed")
CHANNELS = {"lab": ["lab_l", "lab_a", "lab_b"], "hed": ["haematoxylin", "eosin", "dab"]}
_CONVERTERS = {"lab": rgb2lab, "hed": rgb2hed}


def color_features(patches, *, spaces=("rgb",), quantiles=(), n_jobs=None):
    """Return moments, and quantiles if wanted, of every channel in one or more colour spaces.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Finite numbers within ±1e15 for "rgb"; raw pixels 0…255, uint8 or float, for the others.
    spaces : sequence of {"rgb", "lab", "hed"}, default=("rgb",)
        Colour spaces: the pixels as they are, any number of channels; CIELAB (D65), and the
        densities of haematoxylin, eosin and DAB, of three channels.
    quantiles : sequence of float, default=()
        Quantiles, 0…1.
    n_jobs : int, default=None
        Threads. None means 1, or what :func:`joblib.parallel_config` says.

    Returns
    -------
    ndarray of shape (n_patches, n_spaces * (2 + n_quantiles) * channels), float32
        For each space the means of all channels, their (population) standard deviations, and
        each quantile. In the unit of `patches` for "rgb", else in those of
        :func:`skimage.color.rgb2lab` and :func:`skimage.color.rgb2hed`.

    Raises
    ------
    ValueError
        If `patches` isn't 4-D, hasn't the channels or the range that a space wants, or a
        parameter is out of its range.

    See Also
    --------
    ColorFeatures : The same as a transformer, with names, and for references.

    References
    ----------
    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution",
    Analytical and Quantitative Cytology and Histology 23 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import color_features
    >>> blue = np.full((1, 4, 4, 3), [0, 0, 255], dtype=np.uint8)
    >>> color_features(blue, spaces=["lab"]).round().tolist()
    [[32.0, 79.0, -108.0, 0.0, 0.0, 0.0]]
    """
    patches = check_stack(patches)
    measure = _measurer(spaces, quantiles, patches.shape[3])
    if set(spaces) != {"rgb"}:
        check_raw_pixels(patches)
    return measure_in_tasks(patches, measure, n_jobs=n_jobs, prefer="threads")


def _measurer(spaces, quantiles, n_channels):
    """Check the parameters and return what measures pixels with them."""
    spaces = _check_spaces(spaces)
    quantiles = check_numbers(quantiles, name="quantiles", low=0, high=1, may_be_empty=True)
    if n_channels != 3 and set(spaces) != {"rgb"}:
        raise ValueError(
            f"spaces={spaces!r} wants patches of three channels, red, green and blue; got "
            f'{n_channels}: only spaces=["rgb"] takes them.'
        )
    return partial(_measure, spaces=spaces, quantiles=quantiles)


def _check_spaces(spaces):
    is_list = isinstance(spaces, list | tuple) and len(spaces) > 0
    if not is_list or len(set(map(str, spaces))) < len(spaces):
        raise ValueError(
            'spaces must be a list or tuple of "rgb", "lab" and "hed", at least one and none '
            f"twice; got {spaces!r}."
        )
    return [check_choice(each, name="Each of spaces", choices=SPACES) for each in spaces]


def _measure(patches, *, spaces, quantiles):
    columns = []
    for space in spaces:
        values = patches if space == "rgb" else _CONVERTERS[space](patches / np.float32(255))
        columns.append(color_moments(values))
        if quantiles:
            pixels = values.reshape(len(values), -1, values.shape[3])
            found = np.quantile(pixels, np.asarray(quantiles, dtype=np.float64), axis=1)
            columns.append(np.moveaxis(found, 0, 1).reshape(len(values), -1))
    return np.hstack(columns).astype(np.float32)


class ColorFeatures(PatchFeatures):
    """Turn patches into moments, and quantiles if wanted, of their colour channels.

    A baseline without any shape or texture. Stain and scanner differ between hospitals, so a
    network can look good by colour alone; what it gains over a classifier on these six numbers
    is what it has seen beyond colour.

    Parameters
    ----------
    spaces : sequence of {"rgb", "lab", "hed"}, default=("rgb",)
        Colour spaces: the pixels as they are, CIELAB, and the densities of haematoxylin, eosin
        and DAB. All but "rgb" want three channels of raw pixels, 0…255.
    quantiles : sequence of float, default=()
        Quantiles of each channel beside its moments, 0…1.
    n_jobs : int, default=None
        Threads that read and measure patches. None means 1, or what
        :func:`joblib.parallel_config` says.

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
    color_features : The same as a function.
    color_moments : What it computes by default.

    Notes
    -----
    `X` is a 4-D array of patches, a 1-D collection of patch references, which are read some at a
    time so that memory stays flat, or 2-D rows, each read as one pixel of that many channels.
    Patches of another height and width than in `fit` are fine, another number of channels isn't;
    references of different sizes are each measured in their own size. Where `spaces` wants raw
    pixels, rows are cut off at 0 and 255.

    A feature's name says the moment or quantile, then the channel: red, green and blue, or
    channel0, channel1, … where there aren't three; lab_l, lab_a and lab_b; haematoxylin, eosin
    and dab.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import ColorFeatures
    >>> pink, violet = np.full((8, 8, 3), [230, 160, 200]), np.full((8, 8, 3), [110, 70, 150])
    >>> features = ColorFeatures().fit(np.stack([pink, violet]))
    >>> features.transform(np.stack([pink, violet])).shape
    (2, 6)
    >>> features.get_feature_names_out().tolist()
    ['mean_red', 'mean_green', 'mean_blue', 'std_red', 'std_green', 'std_blue']
    """

    __module__ = "skbreast.texture"  # saved files name the class by its public place

    _prefer = "threads"  # numpy and decoders don't hold Python's lock

    def __init__(self, *, spaces=("rgb",), quantiles=(), n_jobs=None):
        self.spaces = spaces
        self.quantiles = quantiles
        self.n_jobs = n_jobs

    def _measurer(self):
        return _measurer(self.spaces, self.quantiles, self.n_channels_)

    def _wants_raw_pixels(self):
        return set(_check_spaces(self.spaces)) != {"rgb"}

    def _feature_names(self):
        statistics = ["mean", "std", *(f"quantile{quantile:g}" for quantile in self.quantiles)]
        channels_of = {"rgb": channel_names(self.n_channels_), **CHANNELS}
        return [
            f"{statistic}_{channel}"
            for space in self.spaces
            for statistic in statistics
            for channel in channels_of[space]
        ]
