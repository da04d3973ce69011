"""What models said of patches that they were not trained on."""

from dataclasses import dataclass, fields, replace

import numpy as np

__all__ = ["COLUMNS", "Predictions"]


@dataclass(frozen=True)
class Predictions:
    """What a model said of patches that it was not trained on.

    Attributes
    ----------
    y_true : ndarray of shape (n_patches,)
        Class numbers.
    y_proba : ndarray of shape (n_patches, n_classes)
        Probabilities.
    y_pred : ndarray of shape (n_patches,)
        The most probable class.
    groups : ndarray of shape (n_patches,)
        Patient ids; where none exist, every patch counts as its own.
    folds : ndarray of shape (n_patches,), int
        Which of the trained models spoke; figures are taken within a fold.
    rows : ndarray of shape (n_patches,), int, or None
        Which patches of the data set these are.
    classes : ndarray of shape (n_classes,) or None
        The labels that the class numbers stand for.
    """

    y_true: np.ndarray
    y_proba: np.ndarray
    y_pred: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    rows: np.ndarray | None = None
    classes: np.ndarray | None = None

    def take(self, chosen):
        """Return some of the predictions, by a mask or by positions."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return replace(
            self, **{name: column[chosen] for name, column in columns.items() if column is not None}
        )

    def at_rows(self, rows):
        """Return the same predictions, of these rows of the data set."""
        return replace(self, rows=rows)

    @classmethod
    def join(cls, parts, *, classes=None):
        """Return the predictions of several folds, one after the other."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS
        }
        return cls(**columns, classes=classes)


COLUMNS = [field.name for field in fields(Predictions) if field.name != "classes"]
