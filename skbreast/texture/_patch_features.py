"""What all transformers of patches into named features share: all but the measuring itself."""

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skbreast._rgb_patches import check_raw_pixels
from skbreast._validation import check_n_jobs, check_patches, keep_feature_count
from skbreast.texture._tasks import measure_in_tasks

__all__ = ["PatchFeatures", "channel_names"]


class PatchFeatures(TransformerMixin, BaseEstimator):
    """Patches of any size go in, all with as many channels as those seen in `fit`.

    A class that inherits says how patches are measured, what the features are called, and
    whether pixels have to be raw.
    """

    _prefer = "processes"

    @abstractmethod
    def _measurer(self):
        """Check the parameters and return what measures pixels; it can be pickled."""

    @abstractmethod
    def _feature_names(self):
        """Return the names of the features as a list."""

    def _wants_raw_pixels(self):
        return True

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
        PatchFeatures
            Itself.

        Raises
        ------
        ValueError
            If X is no collection of patches such as the class's notes say, or a parameter is out
            of its range.
        """
        check_n_jobs(self.n_jobs)
        self.n_channels_ = _count_channels(self._check(X, reset=True))
        self._measurer()
        return self

    def transform(self, X):
        """Measure the patches.

        Parameters
        ----------
        X : array-like
            Patches, references or rows, as in the class's notes.

        Returns
        -------
        ndarray of shape (n_patches, n_features), float32
            A row a patch; `get_feature_names_out` says what is in the columns.

        Raises
        ------
        ValueError
            If X is no collection of patches such as the class's notes say, or has another number
            of channels than in `fit`.
        PatchReadError
            If a reference cannot be read.
        """
        check_is_fitted(self)
        patches = self._check(X, reset=False)
        n_channels = _count_channels(patches)
        if n_channels != self.n_channels_:
            raise ValueError(
                f"X has patches of {n_channels} channels, but {type(self).__name__} was fitted "
                f"on patches of {self.n_channels_}."
            )
        return measure_in_tasks(patches, self._measurer(), n_jobs=self.n_jobs, prefer=self._prefer)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Ignored: the names follow from the parameters and the number of channels.

        Returns
        -------
        ndarray of shape (n_features,), object
            The names, as the class's notes explain them.
        """
        check_is_fitted(self)
        return np.array(self._feature_names(), dtype=object)

    def _check(self, X, *, reset):
        with np.errstate(over="ignore", invalid="ignore"):  # of a sum that looks for NaN
            patches = check_patches(X)
        keep_feature_count(self, X, patches, reset=reset)
        if patches.ndim == 1 or not self._wants_raw_pixels():
            return patches
        is_rows = np.asarray(X).ndim == 2
        return np.clip(patches, 0, 255) if is_rows else check_raw_pixels(patches)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def channel_names(n_channels):
    """Return "red", "green" and "blue" where there are three channels, else "channel0", …."""
    if n_channels == 3:
        return ["red", "green", "blue"]
    return [f"channel{number}" for number in range(n_channels)]


def _count_channels(patches):
    return 3 if patches.ndim == 1 else patches.shape[3]
