"""Metrics of many resamples at once, from how often each patient was drawn.

A builder takes the :class:`Rows` of one fold, does once what all resamples share (sorting,
counting by patient), and returns ``evaluate(counts)``: from an array of shape (n_patients,
n_resamples) to one of shape (n_resamples,), NaN where a resample has no meaning for the metric.
"""

from typing import NamedTuple

import numpy as np

__all__ = [
    "LABEL_METRICS",
    "Rows",
    "area_under_curve",
    "from_labels",
    "mean_of_defined",
    "mean_squared_error",
    "recognition_rate",
]


class Rows(NamedTuple):
    """What a metric sees of one fold: class numbers, a model's output, and whose rows they are."""

    y_true: np.ndarray
    output: np.ndarray
    patients: np.ndarray
    n_classes: int


def mean_of_defined(values):
    """Mean over the first axis of what is not NaN; NaN where nothing is."""
    values = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0).sum(axis=0), defined.sum(axis=0))


def area_under_curve(rows):
    """Area under the ROC curve: pairs ranked rightly, ties half (Hanley & McNeil 1982).

    With a column a class: each class against the rest, averaged over the classes present.
    """
    if rows.output.ndim == 1:
        return _two_class_area(rows)
    classes = [
        _two_class_area(rows._replace(y_true=rows.y_true == each, output=rows.output[:, each]))
        for each in np.unique(rows.y_true)
    ]
    return lambda counts: mean_of_defined([evaluate(counts) for evaluate in classes])


def _two_class_area(rows):
    positive, negative = np.flatnonzero(rows.y_true == 1), np.flatnonzero(rows.y_true == 0)
    negative = negative[np.argsort(rows.output[negative], kind="stable")]
    scores, of_positive, of_negative = rows.output, rows.patients[positive], rows.patients[negative]
    n_below = np.searchsorted(scores[negative], scores[positive], side="left")
    n_below_or_tied = np.searchsorted(scores[negative], scores[positive], side="right")

    def evaluate(counts):
        weights = counts[of_positive]
        below = np.zeros((len(negative) + 1, counts.shape[1]))
        np.cumsum(counts[of_negative], axis=0, out=below[1:])
        won = below[n_below]
        won += below[n_below_or_tied]  # a tie is half a pair won, and this is twice the pairs
        won = np.einsum("ij,ij->j", won, weights) / 2
        return _divide(won, weights.sum(axis=0) * below[-1])

    return evaluate


def mean_squared_error(rows):
    """Brier score: of the probability of class 1, or summed over all classes (Brier 1950)."""
    if rows.output.ndim == 1:
        errors = (rows.output - rows.y_true) ** 2
    else:
        errors = ((rows.output - np.eye(rows.n_classes)[rows.y_true]) ** 2).sum(axis=1)
    of_patient = np.stack([np.bincount(rows.patients, weights=errors), np.bincount(rows.patients)])

    def evaluate(counts):
        return _divide(*(of_patient @ counts))

    return evaluate


def recognition_rate(rows):
    """Mean over patients of the share of their patches that is classified correctly."""
    hits = np.bincount(rows.patients, weights=rows.y_true == rows.output)
    shares = hits / np.bincount(rows.patients)
    return lambda counts: _divide(shares @ counts, counts.sum(axis=0))


def from_labels(formula):
    """Return the builder of a metric that needs to know only how often each class was met.

    `formula` takes three arrays of shape (n_classes, n_resamples): how many patches were
    classified correctly, how many are of the class, how many were given to it.
    """

    def build(rows):
        n_patients = rows.patients.max() + 1
        hit = rows.y_true == rows.output

        def count(classes, patients):
            cells = np.bincount(
                classes * n_patients + patients, minlength=rows.n_classes * n_patients
            )
            return cells.reshape(rows.n_classes, n_patients)

        table = np.concatenate(
            [
                count(rows.y_true[hit], rows.patients[hit]),
                count(rows.y_true, rows.patients),
                count(rows.output, rows.patients),
            ]
        ).astype(np.float64)
        return lambda counts: formula(*(table @ counts).reshape(3, rows.n_classes, -1))

    return build


def _accuracy(hits, present, given):
    return _divide(hits.sum(axis=0), present.sum(axis=0))


def _balanced_accuracy(hits, present, given):
    several = (present > 0).sum(axis=0) > 1
    return np.where(several, mean_of_defined(_divide(hits, present)), np.nan)


def _f1(hits, present, given):
    return _f1_binary(hits, present, given) if len(hits) == 2 else _f1_macro(hits, present, given)


def _f1_binary(hits, present, given):
    return np.where(present[1] > 0, _divide(2 * hits[1], present[1] + given[1]), np.nan)


def _f1_macro(hits, present, given):
    several = (present > 0).sum(axis=0) > 1
    return np.where(several, mean_of_defined(_divide(2 * hits, present + given)), np.nan)


def _sensitivity(hits, present, given):
    return _divide(hits[1], present[1])


def _specificity(hits, present, given):
    return _divide(hits[0], present[0])


def _divide(numerator, denominator):
    zero = np.equal(denominator, 0)
    return np.where(zero, np.nan, numerator / np.where(zero, 1, denominator))


LABEL_METRICS = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
}
