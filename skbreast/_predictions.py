"""What models said of patches that they were not trained on."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Predictions"]


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
    """

    y_true: np.ndarray
    y_proba: np.ndarray
    y_pred: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
