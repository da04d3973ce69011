"""What Displays by patient draw from: predictions of any form, as one checked record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_consistent_length

from skbreast._html import plain_text
from skbreast._patients import by_patient, check_labels
from skbreast._predictions import Predictions
from skbreast._validation import check_groups
from skbreast.metrics import patient_labels, patient_scores
from skbreast.metrics._class_numbers import number_scored
from skbreast.metrics._patient_figures import TIED_DECIMALS

__all__ = [
    "DecisionValues",
    "Judged",
    "check_patients",
    "check_predictions",
    "check_two_classes",
    "n_mixed_patients",
    "of_patients",
    "why_no_patients",
]


@dataclass(frozen=True, eq=False)
class Judged:
    """What models said of rows: of patches or, from :func:`of_patients`, of patients.

    Attributes
    ----------
    y_true : ndarray of shape (n_rows,), int
        Class numbers; of two classes the positive one is 1.
    y_score : ndarray of shape (n_rows,) or (n_rows, n_classes), float64
        Scores of the positive class; or a column a class where there are more than two.
    groups : ndarray of shape (n_rows,)
        Patient ids.
    folds : ndarray of shape (n_rows,), int
        Number of the model that gave the score.
    class_names : tuple of str
        A name a class, for the reader.
    y_pred : ndarray of shape (n_rows,), int, or None
        The model's own decisions, where they are known.
    cut : float, default=0.5
        The score from which, unless a threshold is given, the positive one of two classes is
        decided on: 0.5 of probabilities, 0 of values of a decision function.
    """

    y_true: np.ndarray
    y_score: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    class_names: tuple
    y_pred: np.ndarray | None = None
    cut: float = 0.5

    @property
    def n_patients(self):
        """How many patients there are."""
        return len(np.unique(self.groups))


@dataclass(frozen=True)
class DecisionValues(Predictions):
    """What a model of two classes without probabilities said.

    In place of probabilities `y_proba` holds the values of its `decision_function`, negated for
    the first class.
    """


def check_predictions(
    y_true, y_score=None, groups=None, *, folds=None, pos_label=None, target_names=None
):
    """Return predictions as one record.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,) or Predictions
        Labels; or all predictions, in place of the arrays.
    y_score : array-like of shape (n_patches,) or (n_patches, n_classes), optional
        Scores of the positive class, or of all classes in the order of the sorted labels.
    groups : array-like of shape (n_patches,), optional
        Patient ids.
    folds : array-like of shape (n_patches,), optional
        Which of several models judged the patch.
    pos_label : int or str, optional
        The positive class; of more than two it is set against the rest.
    target_names : sequence of str, optional
        A name a class, in the order of the sorted labels.

    Returns
    -------
    Judged

    Raises
    ------
    ValueError
        If arrays are missing or given beside Predictions, lengths differ, or there is no such
        class.
    """
    _refuse_mixed_up(y_true, y_score)
    if not isinstance(y_true, Predictions):
        judged, labels = _from_arrays(y_true, y_score, groups, folds)
    elif y_score is None and groups is None and folds is None:
        judged, labels = _from_predictions(y_true)
    else:
        raise ValueError(
            "y_score, groups and folds are part of Predictions; give them with arrays only."
        )
    judged = replace(judged, class_names=_check_names(target_names, labels))
    if pos_label is not None:
        return _against_rest(judged, labels, pos_label)
    two_columns = judged.y_score.ndim == 2 and judged.y_score.shape[1] == 2
    return replace(judged, y_score=judged.y_score[:, 1]) if two_columns else judged


def check_two_classes(judged, *, what):
    """Refuse more than two classes, and say how to choose one."""
    if judged.y_score.ndim == 2:
        raise ValueError(
            f"{what} shows two classes; there are {len(judged.class_names)}. Choose one by "
            "pos_label, which is then set against the rest."
        )
    return judged


def of_patients(judged, *, aggregate="mean"):
    """Return one row a patient, or a patient and fold where several models judged a patient.

    Parameters
    ----------
    judged : Judged
        Of patches; a patient's have one label.
    aggregate : str, default="mean"
        As in :func:`skbreast.metrics.patient_scores`.

    Returns
    -------
    Judged
        Scores rounded to 12 decimals, so that equal means are tied.
    """
    patients = by_patient(judged.groups, n_samples=len(judged.groups))
    pairs = judged.folds * len(patients.ids) + patients.codes
    _, first = np.unique(pairs, return_index=True)
    _, y_true = patient_labels(judged.y_true, pairs)
    _, y_score = patient_scores(judged.y_score, pairs, aggregate=aggregate, threshold=judged.cut)
    return replace(
        judged,
        y_true=y_true,
        y_score=y_score.round(TIED_DECIMALS),
        groups=judged.groups[first],
        folds=judged.folds[first],
        y_pred=None,
        cut=0.5 if aggregate == "vote" else judged.cut,  # a vote is a share of patches
    )


def n_mixed_patients(judged):
    """Return how many patients have patches of several classes."""
    patients = by_patient(judged.groups, n_samples=len(judged.groups))
    pairs = np.unique(np.column_stack([patients.codes, judged.y_true]), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum())


def why_no_patients(judged):
    """Say why nothing can be shown by patient; an empty text if it can."""
    if judged.n_patients == len(judged.groups):
        return "every patch counts as its own patient"
    n_mixed = n_mixed_patients(judged)
    if n_mixed:
        which = "both" if len(judged.class_names) == 2 else "several"
        return f"{n_mixed} of {judged.n_patients} patients have patches of {which} classes"
    return ""


def _refuse_mixed_up(y_true, y_score):
    """Say what to give in place of several Predictions, and of Predictions in the wrong place."""
    if isinstance(y_true, Mapping | list | tuple):
        names = list(y_true) if isinstance(y_true, Mapping) else list(range(len(y_true)))
        if any(isinstance(y_true[each], Predictions) for each in names):
            raise ValueError(
                "y_true must be the Predictions of one model, and here are several: give one, as "
                f"in predictions[{names[0]!r}]; where a Display has room for others, draw them on "
                "the same axes by ax=."
            )
    if isinstance(y_score, Predictions):
        raise ValueError(
            "y_score must hold scores; Predictions take the place of y_true, y_score and groups."
        )


def _from_predictions(predictions):
    """Return a record with a column of scores a class, and the labels of the columns."""
    labels = predictions.classes
    if labels is None:
        labels = np.arange(predictions.y_proba.shape[1])
    judged = Judged(
        np.asarray(predictions.y_true),
        np.asarray(predictions.y_proba, dtype=np.float64),
        np.asarray(predictions.groups),
        _number(predictions.folds),
        (),
        np.asarray(predictions.y_pred),
        0.0 if isinstance(predictions, DecisionValues) else 0.5,
    )
    return judged, np.asarray(labels)


def _from_arrays(y_true, y_score, groups, folds):
    if y_score is None:
        raise ValueError("y_score is missing: give y_true, y_score and groups, or Predictions.")
    _refuse_wrong_order(y_true, y_score)
    numbers, _, n_classes = number_scored(y_true, y_score)
    labels = np.unique(y_true)
    labels = labels if len(labels) == n_classes else np.arange(n_classes)
    groups = check_patients(groups, n_samples=len(numbers))
    folds = np.zeros(len(numbers), int) if folds is None else check_labels(folds, name="folds")
    check_consistent_length(numbers, folds)
    y_score = np.asarray(y_score, dtype=np.float64)
    return Judged(numbers, y_score, groups, _number(folds), ()), labels


def _refuse_wrong_order(y_true, y_score):
    """Say in a line what stands in another's place, before all of it is listed by a later check."""
    y_true = np.asarray(y_true)
    known = y_true[np.isfinite(y_true)] if y_true.dtype.kind == "f" else y_true[:0]
    fractions = known[known % 1 != 0] if len(known) else ()
    if len(fractions):
        raise ValueError(
            f"y_true must hold labels, and it has {fractions[0]:g}: are y_true and y_score in "
            "each other's place?"
        )
    if np.asarray(y_score).dtype.kind in "US":
        raise ValueError(
            f"y_score must hold numbers, and it has {str(np.ravel(y_score)[0])!r}: are y_score and "
            "groups in each other's place?"
        )


def check_patients(groups, *, n_samples):
    if groups is None:
        raise ValueError(
            "groups is missing: give the patient of each patch, or numpy.arange(n_patches) to say "
            "that every patch is its own patient."
        )
    return check_groups(groups, n_samples=n_samples)


def _number(folds):
    return np.unique(folds, return_inverse=True)[1]


def _check_names(target_names, labels):
    if target_names is None:
        return tuple(
            f"class {each}" if labels.dtype.kind in "biuf" else str(each) for each in labels
        )
    if isinstance(target_names, str) or len(target_names) != len(labels):
        raise ValueError(
            f"target_names must hold {len(labels)} names, one a class; got {target_names!r}."
        )
    return tuple(map(plain_text, target_names))


def _against_rest(judged, labels, pos_label):
    """Return the record of two classes: the rest, 0, and the chosen one, 1."""
    chosen = np.flatnonzero(labels == pos_label)
    if len(chosen) != 1:
        raise ValueError(f"pos_label must be one of {labels.tolist()}; got {pos_label!r}.")
    [chosen] = chosen
    names = judged.class_names
    rest = names[1 - chosen] if len(names) == 2 else "the rest"
    return replace(
        judged,
        y_true=(judged.y_true == chosen).astype(np.intp),
        y_score=judged.y_score[:, chosen] if judged.y_score.ndim == 2 else judged.y_score,
        class_names=(rest, names[chosen]),
        y_pred=None if judged.y_pred is None else (judged.y_pred == chosen).astype(np.intp),
    )
