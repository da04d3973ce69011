"""Warnings of our own, for those who want to filter them."""

__all__ = ["TrainingInterruptedWarning"]


class TrainingInterruptedWarning(UserWarning):
    """Training was interrupted from the keyboard; the classifier keeps what it learned.

    Examples
    --------
    Let an interruption end everything instead, as without a classifier that is fitted:

    >>> import warnings
    >>> from skbreast.exceptions import TrainingInterruptedWarning
    >>> warnings.simplefilter("error", TrainingInterruptedWarning)  # doctest: +SKIP
    """
