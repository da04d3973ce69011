"""What transformers that give out pictures share: tags, and an output that stays an array."""

from sklearn.base import BaseEstimator, TransformerMixin

from skbreast._validation import check_choice

__all__ = ["PictureTransformer"]


class PictureTransformer(TransformerMixin, BaseEstimator):
    """Pictures or references in, pictures out: no rows of numbers, so no columns with names."""

    def set_output(self, *, transform=None):
        """Do nothing: pictures have no columns, so they stay what they are.

        A pipeline passes this on to each of its steps.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            Ignored.

        Returns
        -------
        estimator
            Itself.
        """
        allowed = (None, "default", "pandas", "polars")
        check_choice(transform, name="transform", choices=allowed)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags
