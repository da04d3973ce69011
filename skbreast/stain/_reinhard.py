"""Reinhard's colour normaliser as a transformer."""

from skbreast._validation import check_choice
from skbreast.color import (
    REINHARD_REFERENCES,
    ColorStatistics,
    color_statistics,
    exchange_colors,
)
from skbreast.stain._normalizer import StainNormalizer

__all__ = ["ReinhardNormalizer"]


class ReinhardNormalizer(StainNormalizer):
    """Give patches the mean and deviation of a target's colours, Reinhard's colour transfer.

    Parameters
    ----------
    target : {None, "reference"}, array-like, default=None
        What patches are brought to: None learns it in `fit`, the median over patches, or over
        groups; "reference" is in :data:`skbreast.color.REINHARD_REFERENCES`; or one picture
        ``(height, width, 3)``, several, or patch references, whose median is taken.
    per : {"patch", "group"} or dict, default="patch"
        What is measured in `transform`: each patch by itself; or all patches of a patient or
        slide together, which is steadier, and keeps differences between patches of one patient.
        Then `groups` are needed, or instead of "group" a dict from patch reference to id, which
        works in other processes, too.
    space : {"lab", "lalphabeta"}, default="lab"
        CIELAB, as most implementations for histology; or Ruderman's space of logarithms of cone
        responses, as the paper.
    background : float, default=240
        Intensity of the empty slide, 1…255.
    min_density : float, default=0.01
        Optical density (log10) from which on a pixel is stained, in each channel, 0…1.
    n_jobs : int, default=None
        Threads. None means 1, or what :func:`joblib.parallel_config` says. The patches are the
        same for any number.

    Attributes
    ----------
    means_ : ndarray of shape (3,)
        The target's mean along the axes of the space: L* 0…100, a*, b*; or l, alpha, beta.
    deviations_ : ndarray of shape (3,)
        Its standard deviations.
    typical_means_, typical_deviations_ : ndarray of shape (3,)
        The same of the patches of `fit`, assumed where a patch cannot be measured.
    patch_size_ : tuple of (int, int)
        Height and width that most patches seen in `fit` have; references are brought to it.
    n_features_in_ : int
        Height x width x 3 of the patches seen in `fit`. Not set for references.
    n_unchanged_ : int
        Number of patches that the last `transform` passed unchanged. Not copied, not saved.

    See Also
    --------
    MacenkoNormalizer : Knows two stains, and keeps how much of each a pixel holds.
    skbreast.color.color_statistics : The colours of each patch.

    Notes
    -----
    Mean and deviation are over all pixels of a patch, the empty ones too: a patch that is half
    empty gets darker. ``per="group"`` makes that small.

    Patches that show no stain pass unchanged, and one warning counts them: blank, black, of one
    colour, marked with ink, or of fewer than 32 pixels. Patches that show too little of it to be
    measured, such as pure stroma where two stains are looked for, are taken for typical ones, as
    `fit` saw them. Nothing is learned from either (see :func:`skbreast.color.has_stain`).

    With metadata routing, ``set_fit_request(groups=True)`` and
    ``set_transform_request(groups=True)`` bring groups into a pipeline. Without, references that a
    loader of the same process gave out are recognised; for other processes give a dict.

    References
    ----------
    Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", IEEE Computer
    Graphics and Applications 21 (2001).

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.stain import ReinhardNormalizer
    >>> patches = make_patches(2, 2, random_state=0)
    >>> normalizer = ReinhardNormalizer().fit(patches.data)
    >>> normalizer.transform(patches.data).shape
    (4, 64, 64, 3)
    """

    __module__ = "skbreast.stain"  # saved files name the class by its public place

    def __init__(
        self,
        target=None,
        *,
        per="patch",
        space="lab",
        background=240.0,
        min_density=0.01,
        n_jobs=None,
    ):
        self.target = target
        self.per = per
        self.space = space
        self.background = background
        self.min_density = min_density
        self.n_jobs = n_jobs

    def _check_parameters(self):
        super()._check_parameters()
        check_choice(self.space, name="space", choices=tuple(REINHARD_REFERENCES))

    def _reference(self):
        return REINHARD_REFERENCES[self.space]

    def _keep_target(self, target):
        self.means_, self.deviations_ = target.means[0], target.deviations[0]

    def _measure(self, patches):
        return color_statistics(
            patches,
            space=self.space,
            background=self.background,
            min_density=self.min_density,
        )

    def _keep_typical(self, look):
        self.typical_means_, self.typical_deviations_ = look.means[0], look.deviations[0]

    def _typical(self):
        return ColorStatistics(self.typical_means_[None], self.typical_deviations_[None])

    def _target(self):
        return ColorStatistics(self.means_[None], self.deviations_[None])

    def _exchange(self, patches, looks):
        return exchange_colors(patches, looks, self._target(), space=self.space)
