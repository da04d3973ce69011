"""What all transformers of patches into named features share: their input, and their tags."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skbreast._validation import check_patches, keep_feature_count

__all__ = ["PatchFeatures"]


class PatchFeatures(TransformerMixin, BaseEstimator):
    """Patches of any size go in, all with as many channels as those seen in `fit`."""

    def _see_patches(self, X):
        self.n_channels_ = _count_channels(self._check(X, reset=True))

    def _check_like_seen(self, X):
        check_is_fitted(self)
        patches = self._check(X, reset=False)
        n_channels = _count_channels(patches)
        if n_channels != self.n_channels_:
            raise ValueError(
                f"X has patches of {n_channels} channels, but {type(self).__name__} was fitted "
                f"on patches of {self.n_channels_}."
            )
        return patches

    def _check(self, X, *, reset):
        patches = check_patches(X)
        keep_feature_count(self, X, patches, reset=reset)
        return patches

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _count_channels(patches):
    return 3 if patches.ndim == 1 else patches.shape[3]
