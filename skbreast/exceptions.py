"""Warnings of our own, for those who want to filter them."""

__all__ = [
    "CheckpointWarning",
    "PatientLeakageWarning",
    "PoorPatchesWarning",
    "TrainingInterruptedWarning",
    "UnchangedPatchesWarning",
    "UnknownPatientsWarning",
]


class CheckpointWarning(UserWarning):
    """A training's file on disk could not be used, written or deleted; the training goes on.

    The message says which, why, and what to do.

    Examples
    --------
    Let a training end instead, once where it stands cannot be written any more:

    >>> import warnings
    >>> from skbreast.exceptions import CheckpointWarning
    >>> warnings.simplefilter("error", CheckpointWarning)  # doctest: +SKIP
    """


class PatientLeakageWarning(UserWarning):
    """Patients stand on both sides of a split, so what is measured there is too good.

    The message counts them.

    Examples
    --------
    Make it an error, as a study or its tests may want:

    >>> import warnings
    >>> from skbreast.exceptions import PatientLeakageWarning
    >>> warnings.simplefilter("error", PatientLeakageWarning)  # doctest: +SKIP
    """


class PoorPatchesWarning(UserWarning):
    """Patches show no sharp tissue: they are background, out of focus or inked.

    They are handed on all the same; the message counts them.

    Examples
    --------
    Make it an error, where patches were chosen before:

    >>> import warnings
    >>> from skbreast.exceptions import PoorPatchesWarning
    >>> warnings.simplefilter("error", PoorPatchesWarning)  # doctest: +SKIP
    """


class TrainingInterruptedWarning(UserWarning):
    """Training was interrupted from the keyboard; the classifier keeps what it learned.

    Examples
    --------
    Let an interruption end everything instead, as without a classifier that is fitted:

    >>> import warnings
    >>> from skbreast.exceptions import TrainingInterruptedWarning
    >>> warnings.simplefilter("error", TrainingInterruptedWarning)  # doctest: +SKIP
    """


class UnchangedPatchesWarning(UserWarning):
    """Patches went through a stain normaliser as they were, for want of stain to be measured.

    They are blank, black, of one colour, marked with ink, or too small. The message counts them;
    ``n_unchanged_`` of the normaliser does, too.
    """


class UnknownPatientsWarning(UserWarning):
    """Patches were split without knowing whose they are.

    Patches of one patient may then stand on both sides. Where early stopping splits, the validation
    loss looks too good and falls for too long; where a model is judged, its figures are too good.
    Patches that are independent of each other say so by ``groups=range(len(X))``.
    """
