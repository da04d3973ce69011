"""What a fit makes of labels, weights and patients before a network sees them."""

from dataclasses import dataclass, fields

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skbreast._guards import warn_of_shared_patients
from skbreast._loaded import find_patients
from skbreast._validation import check_sample_weight
from skbreast._warn import warn_user
from skbreast.exceptions import UnknownPatientsWarning

__all__ = ["Samples", "check_labels", "combine_weights", "split_off_validation"]


@dataclass(frozen=True)
class Samples:
    """What a fit was given, checked.

    Attributes
    ----------
    X : ndarray
        Patches or references.
    y : ndarray of shape (n_patches,)
        Labels.
    weights : ndarray of shape (n_patches,), float32
        Sample weights and class weights multiplied.
    sample_weight : ndarray of shape (n_patches,) or None
        Sample weights as they were given.
    groups : ndarray of shape (n_patches,) or None
        Patient ids.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    sample_weight: np.ndarray | None = None
    groups: np.ndarray | None = None

    def take(self, rows):
        """Return some of the patches with all that belongs to them."""
        columns = (getattr(self, field.name) for field in fields(self))
        return Samples(*(None if column is None else column[rows] for column in columns))


def check_labels(y, *, n_samples, name="y"):
    """Return class labels as a 1-D array of `n_samples`, or raise a ValueError that names them."""
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    if n_samples is not None and len(y) != n_samples:
        raise ValueError(f"{name} has {len(y)} labels for {n_samples} patches.")
    return y


def combine_weights(sample_weight, class_weight, y, *, name="sample_weight"):
    """Multiply sample weights and class weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_patches,) or None
        None is a weight of 1 each.
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    y : ndarray of shape (n_patches,)
        Labels.
    name : str
        What the user's argument is called, for the error.

    Returns
    -------
    ndarray of shape (n_patches,), float32
        Finite, none negative, at least one positive; the mean of the positive ones is 1.

    Raises
    ------
    ValueError
        If that cannot be.
    """
    weights = check_sample_weight(sample_weight, n_samples=len(y))
    if class_weight is not None:
        weights = weights * compute_sample_weight(class_weight, y)
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise ValueError(
            f"class_weight={class_weight!r} has weights that are negative or not finite."
        )
    if not (weights > 0).any():
        raise ValueError(f"{name}: at least one patch needs a weight above 0.")
    weights = weights / weights.max()  # first, since the sum of huge ones would overflow
    return (weights / weights[weights > 0].mean()).astype(np.float32)


def split_off_validation(targets, groups, *, fraction, seed, X=None):
    """Split training patches in two, every class on both sides and patients whole.

    Parameters
    ----------
    targets : ndarray of shape (n_patches,), int
        Class numbers.
    groups : ndarray of shape (n_patches,) or None
        Patient ids; without them single patches are split off.
    fraction : float
        Wanted share of the validation side.
    seed : int
        Decides the split.
    X : ndarray of shape (n_patches, ...), optional
        The patches; without `groups` their loader may know whose they are.

    Returns
    -------
    training, validation : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If there are too few patches or patients of a class.

    Warns
    -----
    UnknownPatientsWarning
        If `groups` is None.
    PatientLeakageWarning
        Instead, if the patches come from a loader that knows their patients; it counts those on
        both sides.
    """
    patients = None if X is None else find_patients(X)
    if groups is not None:
        rows, others = _split_off_patients(targets, groups, fraction, seed)
    else:
        if patients is None:
            warn_user(
                "early_stopping splits off patches without groups, so patients may stand on both "
                "sides; pass groups (patient ids), or X_val and y_val.",
                UnknownPatientsWarning,
            )
        rows, others = _split_off_patches(targets, fraction, seed)
    if patients is not None:
        what = "The part that early_stopping splits off"
        advice = "Pass the groups that the loader gave beside data."
        warn_of_shared_patients(patients[rows], patients[others], what=what, advice=advice)
    return rows, others


def _split_off_patches(targets, fraction, seed):
    splitter = StratifiedShuffleSplit(1, test_size=fraction, random_state=seed)
    try:
        return next(splitter.split(targets, targets))
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction!r}: early stopping cannot split off patches of every "
            f"class ({error}). Raise it, or give X_val and y_val."
        ) from error


def _split_off_patients(targets, groups, fraction, seed):
    """Take the largest number of folds, hence the share nearest to the wanted one, that works."""
    n_classes = len(np.unique(targets))
    n_most = min(len(np.unique(groups)), np.bincount(targets).min())
    for n_splits in range(min(round(1 / fraction), n_most), 1, -1):
        # scikit-learn 1.7 loses classes where it shuffles few patients.
        for how in ({"shuffle": True, "random_state": seed}, {}):
            splitter = StratifiedGroupKFold(n_splits, **how)
            for sides in splitter.split(targets, targets, groups):
                if all(len(np.unique(targets[side])) == n_classes for side in sides):
                    return sides
    raise ValueError(
        "groups: early stopping cannot split off whole patients with every class on both sides; "
        "that takes at least two patients a class. Give X_val and y_val."
    )
