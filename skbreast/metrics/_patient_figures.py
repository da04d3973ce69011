"""Figures in which every patient counts the same."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_consistent_length

from skbreast._patients import by_patient
from skbreast.metrics._class_numbers import find_labels, number_scored
from skbreast.metrics._limits import check_labels
from skbreast.metrics._patient_scores import labels_of_patients, patient_scores

__all__ = [
    "TIED_DECIMALS",
    "patient_accuracies",
    "patient_auc",
    "patient_recognition_rate",
    "patient_weights",
    "ranks_of",
    "tied",
]

TIED_DECIMALS = 12  # means of equal scores may differ beyond, by how their sums were rounded
_NO_DECIMALS = 2.0**14  # from here on float64 has less than 12 decimals


def tied(scores):
    """Return scores rounded so far that those equal on paper are equal.

    Large ones have no decimals of that kind, and of the largest rounding would make infinity.
    """
    small = np.abs(scores) < _NO_DECIMALS
    return np.where(small, np.where(small, scores, 0).round(TIED_DECIMALS), scores)


def ranks_of(scores):
    """Return ranks, the same for equal scores: a ROC curve needs no more.

    The difference of two large scores may be infinite, that of ranks is not.
    """
    return np.unique(scores, return_inverse=True)[1]


def patient_accuracies(y_true, y_pred, groups):
    """Return the share of correctly classified patches of each patient.

    This is the "patient score" of BreakHis [1]_.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_patches,)
        True and predicted labels of the patches (labels, not probabilities).
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    accuracies : ndarray of shape (n_patients,), float64
        Shares in [0, 1], in the same order.

    Raises
    ------
    ValueError
        If labels are missing, continuous, or strings on one side and numbers on the other; a
        patient id is missing; or lengths differ.

    References
    ----------
    .. [1] F. A. Spanhol, L. S. Oliveira, C. Petitjean, L. Heutte, "A dataset for breast cancer
       histopathological image classification", IEEE Transactions on Biomedical Engineering
       63(7), 1455-1462, 2016.

    Examples
    --------
    >>> from skbreast.metrics import patient_accuracies
    >>> ids, accuracies = patient_accuracies([0, 0, 1], [0, 1, 1], ["a", "a", "b"])
    >>> ids.tolist(), accuracies.tolist()
    (['a', 'b'], [0.5, 1.0])
    """
    y_true, y_pred = check_labels(y_true, name="y_true"), check_labels(y_pred, name="y_pred")
    check_consistent_length(y_true, y_pred)
    find_labels(y_true, y_pred)  # refuses probabilities, and strings beside numbers
    patients = by_patient(groups, n_samples=len(y_true))
    correct = np.bincount(patients.codes, weights=y_true == y_pred)
    return patients.ids, correct / patients.counts


def patient_recognition_rate(y_true, y_pred, groups):
    """Return the mean over patients of their shares of correctly classified patches.

    The figure that BreakHis results are published in [1]_: a patient with four patches counts as
    much as one with four hundred.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_patches,)
        True and predicted labels of the patches (labels, not probabilities).
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    float
        The rate, in [0, 1].

    Raises
    ------
    ValueError
        As in :func:`patient_accuracies`, which gives the rates one by one.

    References
    ----------
    .. [1] F. A. Spanhol, L. S. Oliveira, C. Petitjean, L. Heutte, "A dataset for breast cancer
       histopathological image classification", IEEE Transactions on Biomedical Engineering
       63(7), 1455-1462, 2016.

    Examples
    --------
    >>> from skbreast.metrics import patient_recognition_rate
    >>> patient_recognition_rate([0, 0, 1], [0, 1, 1], ["a", "a", "b"])
    0.75
    """
    _, accuracies = patient_accuracies(y_true, y_pred, groups)
    return float(accuracies.mean())


def patient_auc(y_true, y_score, groups, *, aggregate="mean", top_k=5, threshold=0.5):
    """Return the area under the ROC curve of patients, each with one score and one label.

    The chance that a patient with the disease has a higher score than one without it [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of the patches, the same for all patches of a patient. Of two, the greater is the
        positive one.
    y_score : array-like of shape (n_patches,) or (n_patches, n_classes)
        Finite scores of the positive class, usually probabilities; or a column a class, in the
        order of the sorted labels. For more than two classes the area is that of each class
        against the rest, averaged over the classes present.
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.
    aggregate, top_k, threshold
        How the patches' scores become the patient's, as in :func:`patient_scores`.

    Returns
    -------
    float
        The area, in [0, 1]. Patients whose scores differ by less than 1e-12 are tied.

    Raises
    ------
    ValueError
        If a patient has several labels, all patients have the same, `y_score` has another number
        of columns than there are classes, or as in :func:`patient_scores`.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating
       characteristic (ROC) curve", Radiology 143(1), 29-36, 1982.

    Examples
    --------
    >>> from skbreast.metrics import patient_auc
    >>> y_true, patients = [0, 0, 1, 1, 1], ["a", "a", "b", "b", "c"]
    >>> y_score = [0.4, 0.6, 0.3, 0.9, 0.55]
    >>> patient_auc(y_true, y_score, patients)
    1.0
    >>> patient_auc(y_true, y_score, patients, aggregate="max")
    0.5
    """
    _, labels = labels_of_patients(y_true, groups, name="y_true")
    _, scores = patient_scores(
        y_score, groups, aggregate=aggregate, top_k=top_k, threshold=threshold
    )
    labels, scores, _ = number_scored(labels, scores)
    present = np.unique(labels)
    if len(present) < 2:
        raise ValueError("y_true has the same label for all patients; an AUC needs two.")
    scores = tied(scores)
    if scores.ndim == 1:
        return float(roc_auc_score(labels, ranks_of(scores)))
    areas = [roc_auc_score(labels == each, ranks_of(scores[:, each])) for each in present]
    return float(np.mean(areas))


def patient_weights(groups):
    """Return a weight a patch, with which all patients weigh the same.

    Handed to any metric of scikit-learn as `sample_weight` it makes its figure one of patients:
    ``accuracy_score(y_true, y_pred, sample_weight=patient_weights(groups))`` is the patient
    recognition rate.

    Parameters
    ----------
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    ndarray of shape (n_patches,), float64
        Positive, with mean 1: the mean number of patches a patient over that of the patch's own.

    Raises
    ------
    ValueError
        If a patient id is missing or there are no patches.

    Examples
    --------
    >>> from skbreast.metrics import patient_weights
    >>> patient_weights(["a", "a", "a", "b"]).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    if not hasattr(groups, "__iter__") or getattr(groups, "ndim", 1) == 0:
        raise ValueError(f"groups must hold the patient of each patch; got {groups!r}.")
    groups = groups if hasattr(groups, "__len__") else list(groups)
    if len(groups) == 0:
        raise ValueError("groups is empty; give the patient of each patch.")
    patients = by_patient(groups, n_samples=len(groups))
    return len(groups) / (len(patients.ids) * patients.counts[patients.codes])
