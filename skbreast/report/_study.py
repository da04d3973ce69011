"""What a report is about: predictions of models, and what is known of the patches."""

from dataclasses import dataclass

import numpy as np

from skbreast._split_digest import has_patients, split_digest

__all__ = ["REFERENCES", "Study"]

REFERENCES = ("colour", "dummy")  # what has to be beaten, the harder one first


@dataclass(frozen=True)
class Study:
    """Predictions of several models of the same patches, and what is known of these.

    Attributes
    ----------
    predictions : dict of str to Predictions
        By model; of two classes the positive one is number 1.
    figures : dict of str to dict of str to BootstrapInterval
        Likewise.
    chosen : str
        The model that the report is about.
    X : ndarray or None
        Patches or references that `rows` of the predictions count.
    target_names : list of str
        Names of the classes.
    source, about, protocol : str
        Sentences.
    given_threshold : float, optional
        As the user wants it.
    class_order : tuple of int
        Which entry of a fitted model's `classes_` each class number stands for.
    """

    predictions: dict
    figures: dict
    chosen: str
    X: np.ndarray | None
    target_names: list
    source: str
    about: str
    protocol: str
    given_threshold: float | None = None
    class_order: tuple = ()

    @property
    def first(self):
        """Predictions of the chosen model."""
        return self.predictions[self.chosen]

    @property
    def rows(self):
        """Which row of `X` each prediction speaks of."""
        found = self.first
        return np.arange(len(found.y_true)) if found.rows is None else found.rows

    @property
    def has_patients(self):
        """Whether patients are known; where they are not, each patch stands for one by its row."""
        return has_patients(self.first)

    @property
    def units(self):
        """What intervals resample: "patients", or "patches" where no patient is known."""
        return "patients" if self.has_patients else "patches"

    @property
    def n_units(self):
        """How many of them there are."""
        return len(np.unique(self.first.groups))

    @property
    def threshold(self):
        """The score of the positive class from which the chosen model decides for it, if known."""
        found = self.first
        if self.given_threshold is not None or not self.is_binary:
            return self.given_threshold
        at_half = np.array_equal(found.y_pred == 1, found.y_proba[:, 1] >= 0.5)
        return 0.5 if at_half else None

    @property
    def is_binary(self):
        """Whether there are two classes."""
        return self.first.y_proba.shape[1] == 2

    @property
    def reference(self):
        """The model that the others are compared with, None if there is none."""
        others = [name for name in REFERENCES if name in self.predictions and name != self.chosen]
        return others[0] if others else None

    @property
    def digest(self):
        """Which patch of which patient was tested in which fold, as 16 hexadecimal digits."""
        return split_digest(self.first)
