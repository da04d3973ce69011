"""Colour features of patches: how far colour alone carries, before anything is learned."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skbreast.reading import patch_size, read_patches
from skbreast.texture._patch_features import PatchFeatures

__all__ = ["ColorFeatures", "color_moments"]

_N_REFERENCES = 256  # read at once: a quarter of a gigabyte where patches are 700 x 460
_N_VALUES = 2**22  # turned into float64 at once: 32 MiB


def color_moments(patches):
    """Return the mean and the standard deviation of every channel of every patch.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Finite numbers in any range; uint8 0…255 as a rule.

    Returns
    -------
    ndarray of shape (n_patches, 2 * channels), float32
        The means of all channels, then their (population) standard deviations, in the unit of
        `patches`. Computed in float64, a few patches at a time: a batch is never copied whole.

    Raises
    ------
    ValueError
        If `patches` isn't 4-D or has no pixels or channels.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import color_moments
    >>> patch = np.array([[[0, 10, 255], [4, 10, 255]]], dtype=np.uint8)
    >>> color_moments(patch[None]).tolist()
    [[2.0, 10.0, 255.0, 2.0, 0.0, 0.0]]
    """
    patches = np.asarray(patches)
    if patches.ndim != 4 or 0 in patches.shape[1:]:
        raise ValueError(
            "patches must be (n_patches, height, width, channels) with at least one pixel and "
            f"channel; got shape {patches.shape}."
        )
    n_patches, height, width, n_channels = patches.shape
    moments = np.empty((n_patches, 2 * n_channels), dtype=np.float32)
    step = max(1, _N_VALUES // (height * width * n_channels))
    for start in range(0, n_patches, step):
        block = patches[start : start + step].reshape(-1, height * width, n_channels)
        moments[start : start + step] = _block_moments(block)
    return moments


def _block_moments(block):
    # channels before pixels: sums then run along contiguous memory, several times faster
    values = np.moveaxis(block, 2, 1).astype(np.float64, order="C")
    means = values.mean(axis=2)
    values -= means[:, :, None]
    variances = np.einsum("ncp,ncp->nc", values, values) / values.shape[2]
    return np.hstack([means, np.sqrt(variances)])


def _moments_of_references(references, n_jobs):
    # each in its own size: resized, a patch's deviation would hang on its neighbours in X
    sizes = [patch_size(each) for each in references]
    moments = np.empty((len(references), 6), dtype=np.float32)
    for size in set(sizes):
        rows = [row for row, each in enumerate(sizes) if each == size]
        moments[rows] = color_moments(read_patches(references[rows], size=size, n_jobs=n_jobs))
    return moments


class ColorFeatures(PatchFeatures):
    """Turn patches into the mean and standard deviation of their colour channels.

    A baseline without any shape or texture. Stain and scanner differ between hospitals, so a
    network can look good by colour alone; what it gains over a classifier on these six numbers
    is what it has seen beyond colour.

    Parameters
    ----------
    n_jobs : int, default=None
        Threads that read patch references; arrays don't need any.

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
    color_moments : The same as a function.

    Notes
    -----
    `X` is a 4-D array of patches, a 1-D collection of patch references, which are read some at a
    time so that memory stays flat, or 2-D rows, each read as one pixel of that many channels.
    Patches of another height and width than in `fit` are fine, another number of channels isn't;
    references of different sizes are each measured in their own size.

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

    def __init__(self, *, n_jobs=None):
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Check the patches and note their number of channels; nothing is learned from them.

        Parameters
        ----------
        X : array-like
            Patches, references or rows, as in the class's notes. References aren't read here.
        y : None
            Ignored.

        Returns
        -------
        ColorFeatures
            Itself.

        Raises
        ------
        ValueError
            If X is no collection of patches.
        """
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
        ndarray of shape (n_patches, 2 * n_channels_), float32
            Means, then standard deviations, in the unit of the pixels (0…255 for references).

        Raises
        ------
        ValueError
            If X is no collection of patches, has another number of channels than in `fit`, or
            a reference cannot be read.
        """
        patches = self._check_like_seen(X)
        if patches.ndim == 4:
            return color_moments(patches)
        starts = range(0, len(patches), _N_REFERENCES)
        chunks = (patches[start : start + _N_REFERENCES] for start in starts)
        return np.vstack([_moments_of_references(each, self.n_jobs) for each in chunks])

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features, such as "mean_red" or "std_channel3".

        Parameters
        ----------
        input_features : None
            Ignored: the names follow from the channels.

        Returns
        -------
        ndarray of shape (2 * n_channels_,), object
            The names; red, green and blue where there are three channels.
        """
        check_is_fitted(self)
        channels = [f"channel{i}" for i in range(self.n_channels_)]
        if self.n_channels_ == 3:
            channels = ["red", "green", "blue"]
        names = [f"{moment}_{channel}" for moment in ("mean", "std") for channel in channels]
        return np.array(names, dtype=object)
