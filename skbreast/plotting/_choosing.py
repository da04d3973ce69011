"""Which patches a gallery shows: from labels, probabilities and patients to rows."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skbreast._patients import by_patient
from skbreast._validation import check_choice, check_number, name_some
from skbreast.metrics._class_numbers import check_share, number_scored

__all__ = [
    "SHOW",
    "Decisions",
    "choose_patches",
    "decide",
    "describe_choice",
    "interleave",
    "spread",
]

# What each choice is called over a picture.
_FEW = 2
SHOW = {
    "any": "Drawn at random",
    "right": "Right, drawn at random",
    "wrong": "Wrong, drawn at random",
    "false_positive": "False positives, drawn at random",
    "false_negative": "False negatives, drawn at random",
    "sure": "Surest of each predicted class",
    "unsure": "Least sure",
    "sure_wrong": "Surest mistakes",
    "threshold": "Nearest to the threshold {threshold:.3g}, from either side",
    "patient": "Patient {patient}, from the lowest score to the highest",
}
_OF_TWO_CLASSES = ("false_positive", "false_negative", "threshold")


class Decisions(NamedTuple):
    """What a model said of patches, as class numbers and probabilities.

    `y_true` and `y_pred` have the shape (n_patches,), `y_proba` (n_patches, n_classes).
    `threshold` is the probability of class 1 that parts two classes.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    y_proba: np.ndarray
    threshold: float

    @property
    def score(self):
        """Of two classes the probability of class 1; of more, that of the predicted class."""
        if self.y_proba.shape[1] == 2:
            return self.y_proba[:, 1]
        return np.take_along_axis(self.y_proba, self.y_pred[:, None], axis=1)[:, 0]


def decide(y_true, y_score, *, y_pred=None, threshold=None):
    """Put labels and probabilities into class numbers, and decide.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels; the greater of two is class 1.
    y_score : array-like of shape (n_patches,) or (n_patches, n_classes)
        Probabilities of class 1, or of each class in the order of the sorted labels.
    y_pred : ndarray of shape (n_patches,), int, optional
        Class numbers that were decided on. By default the most probable class; of two classes,
        class 1 from the threshold on.
    threshold : float, optional
        0…1, for two classes: decides in place of `y_pred`. Where none is given it is 0.5.

    Returns
    -------
    Decisions
        All of the patches.

    Raises
    ------
    ValueError
        If labels and probabilities do not fit together, probabilities lie outside 0…1, or a
        threshold is given for more than two classes.
    """
    y_true, y_score, n_classes = number_scored(y_true, y_score)
    check_share(y_score, name="y_score")
    y_proba = y_score if y_score.ndim == 2 else np.column_stack([1 - y_score, y_score])
    if threshold is not None:
        check_number(threshold, name="threshold", low=0, high=1)
        if n_classes != 2:
            raise ValueError(
                f"threshold parts two classes, and here are {n_classes}; leave it out."
            )
    limit = 0.5 if threshold is None else float(threshold)
    if y_pred is None or threshold is not None:
        two = n_classes == 2
        y_pred = (y_proba[:, 1] >= limit).astype(np.intp) if two else y_proba.argmax(axis=1)
    return Decisions(y_true, np.asarray(y_pred, dtype=np.intp), y_proba, limit)


def choose_patches(
    decided,
    groups=None,
    *,
    show="wrong",
    patient=None,
    n_patches=12,
    per_patient="auto",
    rows=None,
    random_state=0,
):
    """Choose the patches of a gallery.

    Parameters
    ----------
    decided : Decisions
        What was said of all patches.
    groups : array-like of shape (n_patches,), optional
        Patient ids.
    show : str
        One of `SHOW`.
    patient : str or int, optional
        Only patches of this patient.
    n_patches : int, default=12
        How many at most.
    per_patient : int, None or "auto", default="auto"
        How many of one patient, while there are others; None means any number. "auto" is None
        for what is drawn at random, so that it stands for all such patches, and else 2.
    rows : ndarray of shape (n_patches,), int, optional
        Which patch each entry is about; of those about the same patch one is shown.
    random_state : int or RandomState, default=0
        For what is drawn, and for ties.

    Returns
    -------
    chosen : ndarray of int
        Positions, in the order in which they are shown.
    n_candidates : int
        How many there were to choose from.

    Raises
    ------
    ValueError
        If an argument is out of its range, `show` is not for so many classes, or the patient is
        unknown.

    Examples
    --------
    >>> from skbreast.plotting._choosing import choose_patches, decide
    >>> decided = decide([0, 0, 1, 1], [0.1, 0.7, 0.2, 0.9])
    >>> choose_patches(decided, show="sure_wrong")
    (array([2, 1]), 2)
    """
    _check_choice(decided, show, patient, n_patches, per_patient)
    if isinstance(per_patient, str):
        per_patient = None if "random" in SHOW[show] else _FEW
    ties = check_random_state(random_state).permutation(len(decided.y_true))
    order = _ORDERS[show](decided, ties)
    if patient is not None:
        order = order[_of_patient(groups, patient, len(ties))[order]]
    if rows is not None:
        order = order[np.sort(np.unique(rows[order], return_index=True)[1])]
    if show == "patient":
        return _evenly(order, n_patches), len(order)
    codes = None if groups is None else by_patient(groups, n_samples=len(ties)).codes
    if codes is None or per_patient is None:
        return order[:n_patches], len(order)
    return spread(order, codes, n_patches, per_patient), len(order)


def describe_choice(decided, n_shown, n_candidates, *, show, patient=None):
    """Say in a line what is shown, and of how many."""
    text = SHOW[show].format(threshold=decided.threshold, patient=patient)
    if patient is not None and show != "patient":
        text += f", of patient {patient}"
    return f"{text}: {n_shown} of {n_candidates:,}"


def spread(order, patients, n_patches, per_patient):
    """Take the first of an order, but few of each patient while there are others.

    Parameters
    ----------
    order : ndarray of int
        Positions, the best first.
    patients : ndarray of int
        Patient of each position.
    n_patches : int
        How many to take.
    per_patient : int
        How many of a patient; beyond it come the next one of each patient, and so on.

    Returns
    -------
    ndarray of int
        Those taken, in their order.
    """
    extra = np.maximum(_count_before(patients[order]) - per_patient + 1, 0)
    return order[np.sort(np.argsort(extra, kind="stable")[:n_patches])]


def interleave(order, classes):
    """Let classes take turns: the first of each, then the second of each, and so on."""
    return order[np.argsort(_count_before(classes[order]), kind="stable")]


def _count_before(values):
    """Count for each value how often it stood there before."""
    by_value = np.argsort(values, kind="stable")
    counts = np.unique(values, return_counts=True)[1]
    before = np.empty(len(values), dtype=np.intp)
    before[by_value] = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    return before


def _evenly(order, n_patches):
    if len(order) <= n_patches:
        return order
    return order[np.linspace(0, len(order) - 1, n_patches).round().astype(int)]


def _drawn(wanted, ties):
    return ties[wanted[ties]]


def _ranked(key, ties):
    return ties[np.argsort(key[ties], kind="stable")]


def _share_of_truth(decided):
    return np.take_along_axis(decided.y_proba, decided.y_true[:, None], axis=1)[:, 0]


def _surest(decided, ties):
    return interleave(_ranked(-decided.y_proba.max(axis=1), ties), decided.y_pred)


def _least_sure(decided, ties):
    two_best = np.partition(decided.y_proba, -2, axis=1)[:, -2:]
    return _ranked(two_best[:, 1] - two_best[:, 0], ties)


def _surest_mistakes(decided, ties):
    order = _ranked(_share_of_truth(decided), ties)
    return order[(decided.y_true != decided.y_pred)[order]]


def _near_threshold(decided, ties):
    distance = decided.score - decided.threshold
    return interleave(_ranked(np.abs(distance), ties), distance >= 0)


def _mistaken_for(label):
    """Return the order of patches that were wrongly called `label`."""

    def order(decided, ties):
        return _drawn((decided.y_pred == label) & (decided.y_true != label), ties)

    return order


def _by_score(decided, ties):
    two = decided.y_proba.shape[1] == 2
    return _ranked(decided.score if two else _share_of_truth(decided), ties)


_ORDERS = {
    "any": lambda decided, ties: ties,
    "right": lambda decided, ties: _drawn(decided.y_true == decided.y_pred, ties),
    "wrong": lambda decided, ties: _drawn(decided.y_true != decided.y_pred, ties),
    "false_positive": _mistaken_for(1),
    "false_negative": _mistaken_for(0),
    "sure": _surest,
    "unsure": _least_sure,
    "sure_wrong": _surest_mistakes,
    "threshold": _near_threshold,
    "patient": _by_score,
}


def _check_choice(decided, show, patient, n_patches, per_patient):
    check_choice(show, name="show", choices=SHOW)
    check_number(n_patches, name="n_patches", low=1, high=1000, integer=True)
    if per_patient is not None and per_patient != "auto":
        check_number(per_patient, name="per_patient", low=1, integer=True)
    n_classes = decided.y_proba.shape[1]
    if show in _OF_TWO_CLASSES and n_classes != 2:
        raise ValueError(f"show={show!r} is for two classes, and here are {n_classes}.")
    if show == "patient" and patient is None:
        raise ValueError("show='patient' needs patient=, the id of the patient to show.")


def _of_patient(groups, patient, n_patches):
    if groups is None:
        raise ValueError(f"patient={patient!r} needs groups, the patient id of each patch.")
    patients = by_patient(groups, n_samples=n_patches)
    # As text, since an id may have been read as a number here and as text there.
    names = [str(each) for each in patients.ids]
    if str(patient) not in names:
        known = name_some(names, limit=3)
        raise ValueError(
            f"patient={patient!r} is not among the {len(names)} patients in groups: {known}."
        )
    return patients.codes == names.index(str(patient))
