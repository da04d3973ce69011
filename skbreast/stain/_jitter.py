"""`StainJitter`: training patches in stains and light that vary at random."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, indexable

from skbreast._rgb_patches import check_rgb_patches
from skbreast._validation import check_flag, check_n_jobs, check_number
from skbreast.color import jitter_stain
from skbreast.color._jitter import check_strengths
from skbreast.reading import read_patches

__all__ = ["StainJitter", "strengths_of"]


class StainJitter(BaseEstimator):
    """Add copies of training patches in which stain and light vary at random.

    What varies in a laboratory, and mustn't matter. Two uses: ``augment=StainJitter(...)`` of
    :class:`skbreast.PatchCNNClassifier`, which draws anew for each batch; and in front of
    whatever learns from features, as a resampling step of a pipeline of imbalanced-learn, which
    resamples in `fit` alone, or by hand as in the example. Patches to predict are never touched:
    there is no `transform`.

    Parameters
    ----------
    n_copies : int, default=1
        Changed copies of every patch, 1…1000. Not for ``augment=``.
    keep_original : bool, default=True
        Whether the patches themselves come first. Not for ``augment=``.
    stain_sigma : float, default=0.05
        Each stain (haematoxylin, eosin, and DAB in place of a residual, as in the paper) is
        multiplied by ``1 ± stain_sigma``.
    stain_shift : float, default=0.01
        Each stain is shifted by ``± stain_shift``, in optical density (log10).
    stain_angle : float, default=0
        The vector of each stain is turned by up to that many degrees, below 45.
    brightness : float, default=0.025
        The light is multiplied by ``1 ± brightness``.
    contrast : float, default=0.05
        The optical densities are multiplied by ``1 ± contrast``.
    random_state : int, RandomState instance or None, default=None
        Decides all draws. Not for ``augment=``, where the classifier's decides.
    n_jobs : int, default=None
        Threads that read patch references.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,), int
        Which patch each one given out comes from, to take groups and weights along.

    See Also
    --------
    skbreast.color.jitter_stain : The same as a function.

    References
    ----------
    Tellez et al., "Whole-slide mitosis detection in H&E breast histology using PHH3 as a
    reference to train distilled stain-invariant convolutional networks", IEEE Transactions on
    Medical Imaging 37 (2018).

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.stain import StainJitter
    >>> patches = make_patches(2, 2, random_state=0)
    >>> jitter = StainJitter(n_copies=3, stain_sigma=0.2, random_state=0)
    >>> X, y = jitter.fit_resample(patches.data, patches.target)
    >>> groups = patches.groups[jitter.sample_indices_]
    >>> X.shape, y.shape, groups.shape
    ((16, 64, 64, 3), (16,), (16,))
    """

    __module__ = "skbreast.stain"  # saved files name the class by its public place

    def __init__(
        self,
        n_copies=1,
        *,
        keep_original=True,
        stain_sigma=0.05,
        stain_shift=0.01,
        stain_angle=0.0,
        brightness=0.025,
        contrast=0.05,
        random_state=None,
        n_jobs=None,
    ):
        self.n_copies = n_copies
        self.keep_original = keep_original
        self.stain_sigma = stain_sigma
        self.stain_shift = stain_shift
        self.stain_angle = stain_angle
        self.brightness = brightness
        self.contrast = contrast
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Check the parameters and patches; nothing is learned from them.

        Parameters
        ----------
        X : array-like
            Patch references, or patches ``(n_patches, height, width, 3)``, raw pixels 0…255.
        y : array-like, optional
            Ignored.

        Returns
        -------
        StainJitter
            Itself.

        Raises
        ------
        ValueError
            If a parameter or X is not as documented.
        """
        check_strengths(**strengths_of(self))
        check_number(self.n_copies, name="n_copies", low=1, high=1000, integer=True)
        check_flag(self.keep_original, name="keep_original")
        check_n_jobs(self.n_jobs)
        check_rgb_patches(X)
        return self

    def fit_resample(self, X, y=None):
        """Return the patches and their changed copies, with their labels.

        Parameters
        ----------
        X : array-like
            Patch references, or patches ``(n_patches, height, width, 3)``, raw pixels 0…255.
        y : array-like of shape (n_patches,), optional
            Labels.

        Returns
        -------
        X_resampled : ndarray of shape (n_resampled, height, width, 3), uint8
            First the patches, if they are kept, then all first copies, all second ones, ….
        y_resampled : ndarray of shape (n_resampled,) or None
            Labels.

        Raises
        ------
        ValueError
            If a parameter or X is not as documented, or y is of another length.
        """
        self.fit(X)
        indexable(X, y)
        patches = check_rgb_patches(X)
        if patches.ndim == 1:
            patches = read_patches(patches, n_jobs=self.n_jobs)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        rng = np.random.default_rng(seed)
        copies = [patches] if self.keep_original else []
        copies += [jitter_stain(patches, rng, **strengths_of(self)) for _ in range(self.n_copies)]
        self.sample_indices_ = np.tile(np.arange(len(patches)), len(copies))
        labels = None if y is None else np.asarray(y)[self.sample_indices_]
        return np.concatenate(copies), labels

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags


def strengths_of(jitter):
    """Return the arguments of :func:`skbreast.color.jitter_stain` that a jitter stands for."""
    names = ("stain_sigma", "stain_shift", "stain_angle", "brightness", "contrast")
    return {name: getattr(jitter, name) for name in names}
