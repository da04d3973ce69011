"""One score, and one label, a patient."""

import numpy as np

from skbreast._patients import by_patient
from skbreast._validation import check_choice, check_number, name_some
from skbreast.metrics._limits import check_floats, check_labels

__all__ = ["labels_of_patients", "patient_labels", "patient_scores"]

_AGGREGATES = ("mean", "max", "top_k", "vote")


def patient_scores(y_score, groups, *, aggregate="mean", top_k=5, threshold=0.5):
    """Sum up the scores of each patient's patches in one score a patient.

    Parameters
    ----------
    y_score : array-like of shape (n_patches,) or (n_patches, n_classes)
        Finite scores, usually probabilities in [0, 1]. Columns are aggregated one by one, so
        only "mean" keeps rows of probabilities summing to 1.
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.
    aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
        The patient's score: the mean of the patches' scores; their maximum; the mean of the
        `top_k` highest; or the share of patches whose score is at least `threshold`.
    top_k : int, default=5
        How many of the highest scores "top_k" takes; all of them where a patient has fewer.
    threshold : float, default=0.5
        The score from which a patch votes for the class, in the unit of `y_score`; not NaN.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    scores : ndarray of shape (n_patients,) or (n_patients, n_classes), float64
        The patients' scores, in the same order.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, a patient id is missing, lengths differ, or a parameter
        is out of its range.

    Examples
    --------
    >>> from skbreast.metrics import patient_scores
    >>> ids, scores = patient_scores([0.9, 0.5, 0.1], ["b", "a", "b"])
    >>> ids.tolist(), scores.tolist()
    (['a', 'b'], [0.5, 0.5])
    >>> patient_scores([0.9, 0.5, 0.1], ["b", "a", "b"], aggregate="max")[1].tolist()
    [0.5, 0.9]
    """
    check_choice(aggregate, name="aggregate", choices=_AGGREGATES)
    check_number(top_k, name="top_k", low=1, integer=True)
    check_number(threshold, name="threshold", low=-np.inf)
    y_score = check_floats(y_score, name="y_score")
    patients = by_patient(groups, n_samples=len(y_score))
    columns = y_score.reshape(len(y_score), -1)
    if aggregate == "max":
        scores = np.maximum.reduceat(columns[patients.order], patients.starts, axis=0)
    elif aggregate == "top_k":
        scores = _mean_of_highest(columns, patients, k=min(top_k, len(columns)))
    else:
        votes = columns >= threshold if aggregate == "vote" else columns
        scores = _mean_by_patient(votes, patients)
    return patients.ids, scores.reshape(len(scores), *y_score.shape[1:])


def _mean_by_patient(columns, patients):
    values = columns[patients.order].astype(np.float64)
    means = _mean_of_each(values, patients.starts, patients.counts)
    # A sum rounds: without this the means of equal scores would differ with the patient's size.
    low, high = (
        each.reduceat(values, patients.starts, axis=0) for each in (np.minimum, np.maximum)
    )
    return np.clip(means, low, high)


def _mean_of_each(values, starts, counts):
    """Return the sums from each start to the next over the counts, also where no sum is finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.add.reduceat(values, starts, axis=0) / counts[:, None]
    if np.isfinite(means).all():
        return means
    sizes = np.diff(starts, append=len(values))
    return np.add.reduceat(values / np.repeat(counts, sizes)[:, None], starts, axis=0)


def _mean_of_highest(columns, patients, *, k):
    codes = np.broadcast_to(patients.codes[:, None], columns.shape)
    descending = np.take_along_axis(columns, np.lexsort((-columns, codes), axis=0), axis=0)
    rank = np.arange(len(columns)) - np.repeat(patients.starts, patients.counts)
    highest = np.where(rank[:, None] < k, descending, 0.0)
    taken = np.minimum(patients.counts, k)
    means = _mean_of_each(highest, patients.starts, taken)
    first, last = patients.starts, patients.starts + taken - 1
    return np.clip(means, descending[last], descending[first])  # see _mean_by_patient


def patient_labels(y, groups):
    """Return the label of each patient, where all patches of a patient share one.

    Parameters
    ----------
    y : array-like of shape (n_patches,)
        Labels of the patches.
    groups : array-like of shape (n_patches,)
        Patient ids, in any order.

    Returns
    -------
    patient_ids : ndarray of shape (n_patients,)
        The unique ids, sorted.
    labels : ndarray of shape (n_patients,)
        The patients' labels, in the same order and of the dtype of `y`.

    Raises
    ------
    ValueError
        If a patient has several labels (named in the message), as in data sets such as IDC
        whose label belongs to a patch; or a label or an id is missing.

    Examples
    --------
    >>> from skbreast.metrics import patient_labels
    >>> ids, labels = patient_labels(["M", "B", "M"], [7, 3, 7])
    >>> ids.tolist(), labels.tolist()
    ([3, 7], ['B', 'M'])
    """
    return labels_of_patients(y, groups, name="y")


def labels_of_patients(y, groups, *, name):
    """As :func:`patient_labels`, of an argument with a name of its own."""
    y = check_labels(y, name=name)
    patients = by_patient(groups, n_samples=len(y))
    labels = y[patients.order[patients.starts]]
    several = np.unique(patients.codes[labels[patients.codes] != y])
    if len(several):
        raise ValueError(
            f"{name} has several labels for {len(several)} of {len(patients.ids)} patients "
            f"({name_some(patients.ids[several].tolist())}): these labels belong to patches, so no "
            "patient has a label of its own."
        )
    return patients.ids, labels
