"""Texture of patches: local binary patterns, co-occurrence and Gabor energies, no learning."""

from functools import partial

import numpy as np

from skbreast._rgb_patches import check_raw_pixels
from skbreast._validation import check_number
from skbreast.texture._cooccurrence import PROPERTIES, cooccurrence_properties
from skbreast.texture._gabor import gabor_energies
from skbreast.texture._parameters import check_numbers
from skbreast.texture._patch_features import PatchFeatures
from skbreast.texture._patterns import N_POINTS, pattern_histograms
from skbreast.texture._planes import check_stack, planes
from skbreast.texture._tasks import measure_in_tasks

__all__ = ["TextureFeatures", "texture_features"]

PLANES = ("grey", "haematoxylin", "eosin")
_LARGEST = 64  # pixels: radii, distances and wavelengths


def texture_features(
    patches, *, radii=(1, 2, 3), distances=(1, 3), n_levels=32, gabor_wavelengths=(), n_jobs=None
):
    """Describe the texture of patches: patterns, co-occurrence, and Gabor energies if wanted.

    Patches of three channels are read as RGB and described on three planes: grey, and the
    densities of haematoxylin and eosin. Patches of any other number of channels are described on
    one, the mean of the channels, called grey. Each plane is brought to 256 levels on a scale
    that is the same for all patches, so that patches can be compared.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Raw pixels, 0…255, uint8 or float (which is rounded). Any size from 1x1 on.
    radii : sequence of float, default=(1, 2, 3)
        Radii in pixels, above 0, of the circles of 8 neighbours that make a local binary pattern.
    distances : sequence of int, default=(1, 3)
        Distances in pixels, from 1, of the pairs that co-occur.
    n_levels : int, default=32
        Grey levels that co-occurrence tells apart, 2…256.
    gabor_wavelengths : sequence of float, default=()
        Wavelengths in pixels, from 2, of the Gabor filters; none by default.
    n_jobs : int, default=None
        Processes. None means 1, or what :func:`joblib.parallel_config` says. The features are
        the same for any number.

    Returns
    -------
    ndarray of shape (n_patches, n_features), float32
        Finite. For each plane, for each radius: the shares of pixels with the uniform patterns of
        0 to 8 brighter neighbours, and of those with any other pattern; then, for each distance:
        contrast, dissimilarity, homogeneity, energy, correlation, entropy, variance, variance of
        sums, entropy of sums, variance and entropy of differences, and both measures of information
        (entropies in nats); then, for each wavelength: the mean and the standard deviation of the
        response's magnitude (in levels).

    Raises
    ------
    ValueError
        If `patches` isn't 4-D or not raw pixels, or a parameter is out of its range.

    See Also
    --------
    TextureFeatures : The same as a transformer, with names, and for references.

    Notes
    -----
    Patterns are uniform and rotation-invariant (Ojala 2002). A patch is mirrored at its border,
    so every pixel has neighbours. Co-occurrence is symmetric; properties (Haralick 1973) are
    averaged over the angles 0, 45, 90 and 135° as far as pairs exist. Where there is no pair at
    all, in a patch narrower than the distance, they are those of a patch of one colour: contrast
    0, homogeneity, energy and correlation 1, the others 0. Stains are separated by
    :func:`skimage.color.rgb2hed`; its densities 0…0.1 become the levels 0…255.

    Gabor filters are those of :func:`skimage.filters.gabor` with its defaults, on planes less
    their means, and averaged over the same four angles. On patches of IDC, split by patient, they
    add .001 to .003 to the area under the curve; so there are none by default.

    References
    ----------
    Bovik, Clark and Geisler, "Multichannel texture analysis using localized spatial filters",
    IEEE Transactions on Pattern Analysis and Machine Intelligence 12 (1990). Haralick,
    Shanmugam and Dinstein, "Textural features for image classification", IEEE Transactions on
    Systems, Man, and Cybernetics 3 (1973). Ojala, Pietikäinen and Mäenpää, "Multiresolution
    gray-scale and rotation invariant texture classification with local binary patterns", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 24 (2002).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import texture_features
    >>> stripes = np.zeros((1, 16, 16, 1), dtype=np.uint8)
    >>> stripes[:, :, ::2] = 255
    >>> features = texture_features(stripes, radii=[1], distances=[1])
    >>> features.shape
    (1, 23)
    >>> contrast, correlation = features[0, [10, 14]]  # three of four directions cross stripes
    >>> float(contrast) == 31**2 * 3 / 4, round(float(correlation), 6)
    (True, -0.5)
    """
    measure = _measurer(radii, distances, n_levels, gabor_wavelengths)
    patches = check_raw_pixels(check_stack(patches))
    return measure_in_tasks(patches, measure, n_jobs=n_jobs)


def _measurer(radii, distances, n_levels, gabor_wavelengths):
    """Check the parameters and return what measures raw pixels with them."""
    return partial(
        _measure,
        radii=check_numbers(radii, name="radii", low=0, open_low=True, high=_LARGEST),
        distances=check_numbers(distances, name="distances", low=1, high=_LARGEST, integer=True),
        n_levels=check_number(n_levels, name="n_levels", low=2, high=256, integer=True),
        wavelengths=check_numbers(
            gabor_wavelengths, name="gabor_wavelengths", low=2, high=_LARGEST, may_be_empty=True
        ),
    )


def _measure(patches, *, radii, distances, n_levels, wavelengths):
    columns = []
    for plane in planes(patches):
        columns += [pattern_histograms(plane, radius) for radius in radii]
        columns.append(cooccurrence_properties(plane, distances, n_levels))
        columns += [gabor_energies(plane, wavelength) for wavelength in wavelengths]
    return np.hstack(columns).astype(np.float32)


class TextureFeatures(PatchFeatures):
    """Turn patches into local binary patterns and co-occurrence properties of grey and stains.

    A baseline that knows texture and nothing else, and needs no network. Gradient boosting makes
    the most of it, with :class:`ColorFeatures` beside it as in the example.

    Parameters
    ----------
    radii : sequence of float, default=(1, 2, 3)
        Radii of the local binary patterns in pixels, above 0.
    distances : sequence of int, default=(1, 3)
        Distances in pixels of the pairs that co-occur, from 1.
    n_levels : int, default=32
        Grey levels that co-occurrence tells apart, 2…256.
    gabor_wavelengths : sequence of float, default=()
        Wavelengths in pixels, from 2, of the Gabor filters; none by default.
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
    texture_features : The same as a function, which says what is measured, and the papers.
    ColorFeatures : Colour, without any texture.

    Notes
    -----
    `X` is a 4-D array of raw pixels 0…255, uint8 or float; a 1-D collection of patch references,
    which are read some at a time so that memory stays flat; or 2-D rows, each read as one pixel
    of that many channels, cut off at 0 and 255. Patches of another height and width than in `fit`
    are fine, another number of channels isn't; references of different sizes are each measured in
    their own size.

    A feature's name says its kind, plane, and radius, distance or wavelength in pixels; then the
    number of brighter neighbours of a uniform pattern, "other" for any other pattern, the
    property of co-occurrence, or the mean or standard deviation of the Gabor response.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline, make_union
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.texture import ColorFeatures, TextureFeatures
    >>> patches = make_patches(6, 4, patch_size=32, random_state=0)
    >>> baseline = make_pipeline(
    ...     make_union(ColorFeatures(), TextureFeatures()),
    ...     HistGradientBoostingClassifier(min_samples_leaf=2, random_state=0),
    ... )
    >>> baseline.fit(patches.data, patches.target).predict(patches.data).shape
    (24,)
    >>> TextureFeatures(radii=[1]).fit(patches.data).get_feature_names_out()[[3, 9, 10]].tolist()
    ['lbp_grey_radius1_3of8', 'lbp_grey_radius1_other', 'glcm_grey_distance1_contrast']
    """

    __module__ = "skbreast.texture"  # saved files name the class by its public place

    def __init__(
        self,
        *,
        radii=(1, 2, 3),
        distances=(1, 3),
        n_levels=32,
        gabor_wavelengths=(),
        n_jobs=None,
    ):
        self.radii = radii
        self.distances = distances
        self.n_levels = n_levels
        self.gabor_wavelengths = gabor_wavelengths
        self.n_jobs = n_jobs

    def _measurer(self):
        return _measurer(self.radii, self.distances, self.n_levels, self.gabor_wavelengths)

    def _feature_names(self):
        patterns = [*(f"{count}of{N_POINTS}" for count in range(N_POINTS + 1)), "other"]
        names = []
        for plane in PLANES if self.n_channels_ == 3 else PLANES[:1]:
            names += [f"lbp_{plane}_radius{r:g}_{each}" for r in self.radii for each in patterns]
            names += [f"glcm_{plane}_distance{d}_{p}" for d in self.distances for p in PROPERTIES]
            names += [
                f"gabor_{plane}_wavelength{w:g}_{moment}"
                for w in self.gabor_wavelengths
                for moment in ("mean", "std")
            ]
        return names
