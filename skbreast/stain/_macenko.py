"""Macenko's stain normaliser as a transformer."""

from skbreast._validation import check_number
from skbreast.color import MACENKO_REFERENCE, macenko_stains
from skbreast.stain._stain_vectors import StainVectorNormalizer

__all__ = ["MacenkoNormalizer"]


class MacenkoNormalizer(StainVectorNormalizer):
    """Bring haematoxylin and eosin to those of a target, found by Macenko's method.

    Parameters
    ----------
    target : {None, "reference"}, array-like, default=None
        What patches are brought to: None learns it in `fit`, the median over patches, or over
        groups; "reference" is :data:`skbreast.color.MACENKO_REFERENCE`; or one picture
        ``(height, width, 3)``, several, or patch references, whose median is taken.
    per : {"patch", "group"} or dict, default="patch"
        What is measured in `transform`: each patch by itself; or all patches of a patient or
        slide together, which is steadier, and keeps differences between patches of one patient.
        Then `groups` are needed, or instead of "group" a dict from patch reference to id, which
        works in other processes, too.
    background : float, default=240
        Intensity of the empty slide, 1…255.
    min_density : float, default=0.01
        Optical density (log10) from which on a pixel is stained, in each channel, 0…1.
    percentile : float, default=1
        Share of the angles in percent that counts as outliers at each end, 0…49.9.
    keep_residual : bool, default=True
        Whether to keep what of a pixel's density lies outside of the plane of both stains, such
        as pigment. The paper loses it, so that pictures change even where they are the target.
    n_jobs : int, default=None
        Threads. None means 1, or what :func:`joblib.parallel_config` says. The patches are the
        same for any number.

    Attributes
    ----------
    stain_vectors_ : ndarray of shape (2, 3)
        The target's optical densities red, green, blue of haematoxylin and of eosin, of length 1.
    stain_strengths_ : ndarray of shape (2,)
        The 99th percentiles of their concentrations, in optical density (log10).
    typical_vectors_, typical_strengths_ : ndarray
        The same of the patches of `fit`, assumed where a patch cannot be measured.
    patch_size_ : tuple of (int, int)
        Height and width that most patches seen in `fit` have; references are brought to it.
    n_features_in_ : int
        Height x width x 3 of the patches seen in `fit`. Not set for references.
    n_unchanged_ : int
        Number of patches that the last `transform` passed unchanged. Not copied, not saved.

    See Also
    --------
    VahadaneNormalizer : Finds the stains by a sparse factorisation.
    ReinhardNormalizer : Knows no stains, only colours; the fastest.
    skbreast.color.macenko_stains : The stains of each patch.

    Notes
    -----
    Optical densities are taken apart into both stains by least squares, scaled by the 99th
    percentiles of their concentrations, and put together again with the target's vectors: one
    affine map of the densities a patch.

    Patches that show no stain pass unchanged, and one warning counts them: blank, black, of one
    colour, marked with ink, or of fewer than 32 pixels. Patches that show too little of it to be
    measured, such as pure stroma where two stains are looked for, are taken for typical ones, as
    `fit` saw them. Nothing is learned from either (see :func:`skbreast.color.has_stain`).

    With metadata routing, ``set_fit_request(groups=True)`` and
    ``set_transform_request(groups=True)`` bring groups into a pipeline. Without, references that a
    loader of the same process gave out are recognised; for other processes give a dict.

    References
    ----------
    Macenko et al., "A method for normalizing histology slides for quantitative analysis", IEEE
    International Symposium on Biomedical Imaging (2009).

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.stain import MacenkoNormalizer
    >>> patches = make_patches(2, 2, random_state=0)
    >>> normalizer = MacenkoNormalizer().fit(patches.data)
    >>> normalizer.transform(patches.data).shape
    (4, 64, 64, 3)
    """

    __module__ = "skbreast.stain"  # saved files name the class by its public place

    def __init__(
        self,
        target=None,
        *,
        per="patch",
        background=240.0,
        min_density=0.01,
        percentile=1.0,
        keep_residual=True,
        n_jobs=None,
    ):
        self.target = target
        self.per = per
        self.background = background
        self.min_density = min_density
        self.percentile = percentile
        self.keep_residual = keep_residual
        self.n_jobs = n_jobs

    def _check_parameters(self):
        super()._check_parameters()
        check_number(self.percentile, name="percentile", low=0, high=49.9)

    def _reference(self):
        return MACENKO_REFERENCE

    def _measure(self, patches):
        return macenko_stains(
            patches,
            background=self.background,
            min_density=self.min_density,
            percentile=self.percentile,
        )
