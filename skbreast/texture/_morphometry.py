"""Simple morphometry of nuclei: how many dark blue spots there are, how large, how round."""

from functools import partial

import numpy as np
from scipy import ndimage
from skimage.color import rgb2hed

from skbreast._rgb_patches import check_raw_pixels
from skbreast._validation import check_number
from skbreast.texture._objects import find_objects, group_moments, group_quantiles
from skbreast.texture._otsu import level_histograms, otsu_thresholds
from skbreast.texture._patch_features import PatchFeatures
from skbreast.texture._planes import DENSEST, check_stack, to_levels
from skbreast.texture._tasks import measure_in_tasks

__all__ = ["NucleiFeatures", "nuclei_features"]

NAMES = (
    "nuclei_per_10000_pixels",
    "nuclei_area_fraction",
    "nuclei_area_mean",
    "nuclei_area_std",
    "nuclei_area_median",
    "nuclei_area_quantile0.9",
    "nuclei_eccentricity_mean",
    "nuclei_eccentricity_std",
    "nuclei_density_mean",
    "nuclei_density_std",
)


def nuclei_features(patches, *, min_area=4, min_contrast=0.01, smoothing=0.5, n_jobs=None):
    """Count and measure the nuclei of patches, taken as what has much haematoxylin.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Raw pixels, 0…255, uint8 or float (which is rounded). Any size from 1x1 on. Three
        channels are read as RGB; of any other number, darkness stands for haematoxylin.
    min_area : int, default=4
        Pixels that a nucleus has at least. The default suits patches of a few µm a pixel; at
        0.5 µm a pixel 50 is nearer.
    min_contrast : float, default=0.01
        How much denser the nuclei of a patch are than the rest, at least, in the unit of
        :func:`skimage.color.rgb2hed`; a patch of less contrast has no nuclei. Noise of 8 grey
        levels on stroma stays below the default.
    smoothing : float, default=0.5
        Standard deviation in pixels of the Gaussian that smooths the density first; 0 for none.
    n_jobs : int, default=None
        Processes. None means 1, or what :func:`joblib.parallel_config` says. The features are
        the same for any number.

    Returns
    -------
    ndarray of shape (n_patches, 10), float32
        Finite. Nuclei per 10,000 pixels; the share of pixels in nuclei; mean, standard deviation,
        median and 0.9-quantile of their areas in pixels; mean and standard deviation of their
        eccentricity, 0…1; mean and standard deviation of the haematoxylin density of the pixels
        inside. All 0 where there are no nuclei.

    Raises
    ------
    ValueError
        If `patches` isn't 4-D or not raw pixels, or a parameter is out of its range.

    See Also
    --------
    NucleiFeatures : The same as a transformer, with names, and for references.

    Notes
    -----
    Haematoxylin is separated after Ruifrok (2001), smoothed, and split by Otsu's threshold
    (1979), patch by patch. What lies above and touches, corners too, is one nucleus: nuclei that
    touch each other count as one, and those that the border cuts count as they are. This finds
    no single nucleus for sure; it says whether a patch has many or few, large or small ones.

    References
    ----------
    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution",
    Analytical and Quantitative Cytology and Histology 23 (2001). Otsu, "A threshold selection
    method from gray-level histograms", IEEE Transactions on Systems, Man, and Cybernetics 9
    (1979).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import nuclei_features
    >>> patches = np.full((2, 50, 50, 3), [230, 160, 200], dtype=np.uint8)
    >>> patches[1, 10:16, 10:16] = patches[1, 30:36, 20:26] = [90, 60, 140]
    >>> nuclei_features(patches)[:, [0, 2]].tolist()  # how many, and their mean area
    [[0.0, 0.0], [8.0, 36.0]]
    """
    measure = _measurer(min_area, min_contrast, smoothing)
    patches = check_raw_pixels(check_stack(patches))
    return measure_in_tasks(patches, measure, n_jobs=n_jobs)


def _measurer(min_area, min_contrast, smoothing):
    """Check the parameters and return what measures raw pixels with them."""
    return partial(
        _measure,
        min_area=check_number(min_area, name="min_area", low=1, integer=True),
        min_contrast=check_number(min_contrast, name="min_contrast", low=0, high=1000),
        smoothing=check_number(smoothing, name="smoothing", low=0, high=64),
    )


def _measure(patches, *, min_area, min_contrast, smoothing):
    density = _haematoxylin(to_levels(patches))
    smooth = density
    if smoothing:
        smooth = ndimage.gaussian_filter(density, (0, smoothing, smoothing), mode="reflect")
    masks = _masks(to_levels(smooth * (255 / DENSEST)), min_contrast * 255 / DENSEST)
    n_patches, n_pixels = len(patches), density[0].size
    patch, area, eccentricity, inside = find_objects(masks, min_area=min_area)
    counts, mean_area, area_deviation = group_moments(area, patch, n_patches)
    columns = [
        counts * 10_000 / n_pixels,
        counts * mean_area / n_pixels,
        mean_area,
        area_deviation,
        *(group_quantiles(area, patch, n_patches, quantile) for quantile in (0.5, 0.9)),
        *group_moments(eccentricity, patch, n_patches)[1:],
        *group_moments(density[inside], np.nonzero(inside)[0], n_patches)[1:],
    ]
    return np.column_stack(columns).astype(np.float32)


def _haematoxylin(patches):
    """Return densities in the unit of rgb2hed, ``(n_patches, height, width)``, float32."""
    if patches.shape[-1] == 3:
        return rgb2hed(patches)[..., 0].astype(np.float32)
    # the scale of rgb2hed, where a density of 1 lets a millionth of the light through
    brightness = patches.mean(axis=-1, dtype=np.float32) / 255
    return np.log(np.maximum(brightness, np.float32(1e-6))) / np.float32(np.log(1e-6))


def _masks(levels, min_contrast):
    """Return what is above Otsu's threshold where the two parts differ enough."""
    histograms = level_histograms(levels)
    thresholds = otsu_thresholds(histograms)[:, None]
    scale = np.arange(histograms.shape[1])
    nuclei, rest = histograms * (scale > thresholds), histograms * (scale <= thresholds)
    contrasts = _means(nuclei, scale) - _means(rest, scale)
    # a patch of one colour is all above its threshold, 0
    has_nuclei = (contrasts >= max(1, min_contrast)) & rest.any(axis=1)
    return (levels > thresholds[..., None]) & has_nuclei[:, None, None]


def _means(histograms, scale):
    return histograms @ scale / np.maximum(1, histograms.sum(axis=1))


class NucleiFeatures(PatchFeatures):
    """Turn patches into the number, sizes and shapes of their nuclei.

    Ten numbers that a pathologist would name, found without learning and without much care for
    the single nucleus.

    Parameters
    ----------
    min_area : int, default=4
        Pixels that a nucleus has at least. The default suits patches of a few µm a pixel; at
        0.5 µm a pixel 50 is nearer.
    min_contrast : float, default=0.01
        How much denser the nuclei of a patch are than the rest, at least, in the unit of
        :func:`skimage.color.rgb2hed`; a patch of less contrast has no nuclei.
    smoothing : float, default=0.5
        Standard deviation in pixels of the Gaussian that smooths the density first; 0 for none.
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
    nuclei_features : The same as a function, which says how nuclei are found and measured.

    Notes
    -----
    `X` is a 4-D array of raw pixels 0…255, uint8 or float; a 1-D collection of patch references,
    which are read some at a time so that memory stays flat; or 2-D rows, each read as one pixel
    of that many channels, cut off at 0 and 255. Patches of another height and width than in `fit`
    are fine, another number of channels isn't; references of different sizes are each measured in
    their own size. Patches without nuclei get zeros.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.texture import NucleiFeatures
    >>> patches = make_patches(2, 2, patch_size=64, random_state=0).data
    >>> features = NucleiFeatures(min_area=20).fit(patches)
    >>> features.transform(patches).shape
    (4, 10)
    >>> features.get_feature_names_out()[:3].tolist()
    ['nuclei_per_10000_pixels', 'nuclei_area_fraction', 'nuclei_area_mean']
    """

    __module__ = "skbreast.texture"  # saved files name the class by its public place

    def __init__(self, *, min_area=4, min_contrast=0.01, smoothing=0.5, n_jobs=None):
        self.min_area = min_area
        self.min_contrast = min_contrast
        self.smoothing = smoothing
        self.n_jobs = n_jobs

    def _measurer(self):
        return _measurer(self.min_area, self.min_contrast, self.smoothing)

    def _feature_names(self):
        return list(NAMES)
