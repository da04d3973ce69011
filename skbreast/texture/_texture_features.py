"""Texture features of patches: local binary patterns and grey-level co-occurrence, no learning."""

import math

import numpy as np
from joblib import Parallel, delayed
from skimage.color import rgb2gray, rgb2hed
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from sklearn.utils.validation import check_is_fitted

from skbreast._validation import (
    check_n_jobs,
    check_number,
)
from skbreast.reading import PatchReadError, iterate_patches
from skbreast.texture._patch_features import PatchFeatures

__all__ = ["TextureFeatures", "texture_features"]

PLANES = ("grey", "haematoxylin", "eosin")
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")
DENSEST = 0.1  # in the unit of rgb2hed: above 99 % of the pixels of IDC and of BreakHis
_ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
_N_POINTS = 8  # neighbours on each circle: 16 and 24 on the wider ones cost twice the time
_LARGEST = 64  # pixels: radii and distances
_N_PATCHES = 64  # a task: a twentieth of a second where patches are 50 x 50
_N_PIXELS = 2**22  # a task, at most: 32 MiB a plane in float64
_N_CELLS = 2**16  # of co-occurrence matrices, worked on at once: half a MiB in float64


def texture_features(patches, *, radii=(1, 2, 3), distances=(1, 3), n_levels=32, n_jobs=None):
    """Describe the texture of patches: histograms of patterns, and properties of co-occurrence.

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
    n_jobs : int, default=None
        Processes. None means 1, or what :func:`joblib.parallel_config` says. The features are
        the same for any number.

    Returns
    -------
    ndarray of shape (n_patches, n_features), float32
        Finite. For each plane, for each radius: the shares of pixels with the uniform patterns of
        0 to 8 brighter neighbours, and of those with any other pattern; then, for each distance:
        contrast, dissimilarity, homogeneity, energy, correlation and entropy (in nats).

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
    0, homogeneity, energy and correlation 1, entropy 0. Stains are separated by
    :func:`skimage.color.rgb2hed`; its densities 0…0.1 become the levels 0…255.

    References
    ----------
    Haralick, Shanmugam and Dinstein, "Textural features for image classification", IEEE
    Transactions on Systems, Man, and Cybernetics 3 (1973). Ojala, Pietikäinen and Mäenpää,
    "Multiresolution gray-scale and rotation invariant texture classification with local binary
    patterns", IEEE Transactions on Pattern Analysis and Machine Intelligence 24 (2002).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import texture_features
    >>> stripes = np.zeros((1, 16, 16, 1), dtype=np.uint8)
    >>> stripes[:, :, ::2] = 255
    >>> features = texture_features(stripes, radii=[1], distances=[1])
    >>> features.shape
    (1, 16)
    >>> contrast, correlation = features[0, [10, 14]]  # three of four directions cross stripes
    >>> float(contrast) == 31**2 * 3 / 4, round(float(correlation), 6)
    (True, -0.5)
    """
    radii, distances, n_levels = _check_parameters(radii, distances, n_levels)
    patches = np.asarray(patches)
    if patches.ndim != 4 or 0 in patches.shape[1:]:
        raise ValueError(
            "patches must be (n_patches, height, width, channels) with at least one pixel and "
            f"channel; got shape {patches.shape}."
        )
    return _in_tasks(_refuse_other_scales(patches), radii, distances, n_levels, n_jobs)


def _in_tasks(patches, radii, distances, n_levels, n_jobs):
    """Compute the features of raw pixels, or of references, some patches at a time."""
    work, step = _of_references, _N_PATCHES
    if patches.ndim == 4:
        work, step = _of_patches, max(1, min(_N_PATCHES, _N_PIXELS // patches[0, ..., 0].size))
    # Processes: scikit-image holds Python's lock, and two threads take as long as one.
    parts = Parallel(n_jobs=check_n_jobs(n_jobs))(
        delayed(work)(patches[start : start + step], radii, distances, n_levels)
        for start in range(0, len(patches), step)
    )
    return np.vstack(parts)


def _of_references(references, radii, distances, n_levels):
    # each in its own size: resized, its texture would be another
    rows_of, pixels = {}, [None] * len(references)
    for row, patch in iterate_patches(references):
        if isinstance(patch, PatchReadError):
            raise patch
        pixels[row] = patch
        rows_of.setdefault(patch.shape, []).append(row)
    features = [None] * len(references)
    for rows in rows_of.values():
        stack = np.stack([pixels[row] for row in rows])
        for row, found in zip(rows, _of_patches(stack, radii, distances, n_levels), strict=True):
            features[row] = found
    return np.stack(features)


def _of_patches(patches, radii, distances, n_levels):
    columns = []
    for plane in _planes(patches):
        columns += [_pattern_histograms(plane, radius) for radius in radii]
        columns.append(_cooccurrence_properties(plane, distances, n_levels))
    return np.hstack(columns).astype(np.float32)


def _planes(patches):
    """Yield each plane as uint8, shape ``(n_patches, height, width)``."""
    if patches.shape[-1] != 3:
        yield _levels(patches.mean(axis=-1, dtype=np.float64))
        return
    patches = _levels(patches)
    yield _levels(rgb2gray(patches) * 255)
    stains = rgb2hed(patches)
    yield from (_levels(stains[..., stain] * (255 / DENSEST)) for stain in (0, 1))


def _levels(values):
    if values.dtype == np.uint8:
        return values
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _pattern_histograms(plane, radius):
    """Return the shares of each pattern, ``(n_patches, _N_POINTS + 2)``."""
    margin = math.ceil(radius)
    mirrored = np.pad(plane, ((0, 0), (margin, margin), (margin, margin)), mode="reflect")
    histograms = np.empty((len(plane), _N_POINTS + 2))
    for row, image in enumerate(mirrored):
        patterns = local_binary_pattern(image, _N_POINTS, radius, method="uniform")
        inside = patterns[margin:-margin, margin:-margin].astype(np.intp)
        histograms[row] = np.bincount(inside.ravel(), minlength=_N_POINTS + 2)
    return histograms / plane[0].size


def _cooccurrence_properties(plane, distances, n_levels):
    """Return the properties at each distance, ``(n_patches, n_distances * n_properties)``."""
    levels = (plane.astype(np.uint16) * n_levels // 256).astype(np.uint8)
    cells = n_levels**2 * len(distances) * len(_ANGLES)
    step = max(1, _N_CELLS // cells)
    starts = range(0, len(levels), step)
    return np.vstack(
        [_properties_of_few(levels[at : at + step], distances, n_levels) for at in starts]
    )


def _properties_of_few(levels, distances, n_levels):
    found = [graycomatrix(each, distances, _ANGLES, n_levels, symmetric=True) for each in levels]
    # many patches' matrices in one array, as if they were distances: graycoprops goes over them
    # at once, five times faster than one by one
    matrices = np.concatenate(found, axis=2)
    has_pairs = np.tile(found[0].any(axis=(0, 1)), (len(levels), 1))  # all are of one size
    matrices[0, 0, ~has_pairs] = 1
    weights = has_pairs | ~has_pairs.any(axis=1, keepdims=True)
    properties = [
        np.average(graycoprops(matrices, name), axis=1, weights=weights) for name in PROPERTIES
    ]
    return np.stack(properties, axis=1).reshape(len(levels), -1)


def _check_parameters(radii, distances, n_levels):
    radii = _check_lengths(radii, name="radii", low=0, open_low=True)
    distances = _check_lengths(distances, name="distances", low=1, integer=True)
    n_levels = check_number(n_levels, name="n_levels", low=2, high=256, integer=True)
    return radii, distances, n_levels


def _check_lengths(values, *, name, **bounds):
    values = list(values) if hasattr(values, "__iter__") and not isinstance(values, str) else []
    if not values or len(set(values)) < len(values):
        raise ValueError(f"{name} must be a sequence of different numbers, at least one.")
    return [check_number(each, name=f"Each of {name}", high=_LARGEST, **bounds) for each in values]


def _refuse_other_scales(patches):
    if patches.dtype == np.uint8 or not len(patches):
        return patches
    low, high = patches.min(), patches.max()
    if low < 0 or high > 255 or 0 < high <= 1 or not np.isfinite(high):
        advice = "; multiply what was scaled to 0…1 by 255" if low >= 0 and 0 < high <= 1 else ""
        raise ValueError(
            "Texture is measured on raw pixels, 0…255, the same scale for all patches; got values "
            f"of {patches.dtype} from {low:g} to {high:g}{advice}."
        )
    return patches


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

    def __init__(self, *, radii=(1, 2, 3), distances=(1, 3), n_levels=32, n_jobs=None):
        self.radii = radii
        self.distances = distances
        self.n_levels = n_levels
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Check parameters and patches; nothing is learned from them.

        Parameters
        ----------
        X : array-like
            Patches, references or rows, as in the class's notes. References aren't read here.
        y : None
            Ignored.

        Returns
        -------
        TextureFeatures
            Itself.

        Raises
        ------
        ValueError
            If X is no collection of patches of raw pixels, or a parameter is out of its range.
        """
        _check_parameters(self.radii, self.distances, self.n_levels)
        check_n_jobs(self.n_jobs)
        self._see_patches(X)
        return self

    def transform(self, X):
        """Compute the features.

        Parameters
        ----------
        X : array-like
            Patches, references or rows, as in the class's notes.

        Returns
        -------
        ndarray of shape (n_patches, n_features), float32
            As :func:`texture_features` returns them.

        Raises
        ------
        ValueError
            If X is no collection of patches of raw pixels, has another number of channels than
            in `fit`, or a reference cannot be read.
        """
        patches = self._check_like_seen(X)
        parameters = _check_parameters(self.radii, self.distances, self.n_levels)
        return _in_tasks(patches, *parameters, self.n_jobs)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features, such as "glcm_eosin_distance3_contrast".

        Parameters
        ----------
        input_features : None
            Ignored: the names follow from the parameters.

        Returns
        -------
        ndarray of shape (n_features,), object
            The names: kind, plane, radius or distance in pixels; then the number of brighter
            neighbours of a uniform pattern, "other" for any other pattern, or the property.
        """
        check_is_fitted(self)
        patterns = [*(f"{count}of{_N_POINTS}" for count in range(_N_POINTS + 1)), "other"]
        names = []
        for plane in PLANES if self.n_channels_ == 3 else PLANES[:1]:
            names += [f"lbp_{plane}_radius{r:g}_{each}" for r in self.radii for each in patterns]
            names += [f"glcm_{plane}_distance{d}_{p}" for d in self.distances for p in PROPERTIES]
        return np.array(names, dtype=object)

    def _check(self, X, *, reset):
        patches = super()._check(X, reset=reset)
        if patches.ndim == 1:
            return patches
        is_rows = np.asarray(X).ndim == 2
        return np.clip(patches, 0, 255) if is_rows else _refuse_other_scales(patches)
