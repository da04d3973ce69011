"""Labels of any kind as class numbers 0, 1, …, so that metrics can count and index by them."""

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import unique_labels

from skbreast.metrics._limits import check_floats, check_labels

__all__ = ["check_share", "find_labels", "is_positive", "number_labels", "number_scored"]


def number_labels(y_true, *predicted):
    """Give true and predicted labels the same numbers.

    Parameters
    ----------
    y_true, *predicted : array-likes of shape (n_patches,)
        Labels, not probabilities.

    Returns
    -------
    numbers : list of ndarray of shape (n_patches,), int
        Labels 0 and 1 as they are, others in sorted order: of two, the greater is class 1.
    n_classes : int
        How many classes there are, at least two.
    """
    arrays = [check_labels(y_true, name="y_true")]
    arrays += [check_labels(each, name="y_pred") for each in predicted]
    check_consistent_length(*arrays)
    for each in arrays[1:]:
        scores = each[each % 1 != 0] if each.dtype.kind == "f" else []
        if len(scores):
            raise ValueError(f"y_pred must hold labels, not scores; it has {scores[0]:g}.")
    labels = find_labels(*arrays)  # refuses probabilities, and strings beside numbers
    return [_number(each, labels) for each in arrays], max(2, len(labels))


def number_scored(y_true, *scores, name="y_score"):
    """Give true labels the numbers of the columns of scores.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels.
    *scores : array-likes of shape (n_patches,) or (n_patches, n_classes)
        Scores of the positive class, or of all classes in the order of the sorted labels. Where
        `y_true` lacks a class, its labels have to be numbers 0 … n_classes - 1.
    name : str, default="y_score"
        The argument's name of scores.

    Returns
    -------
    numbers : ndarray of shape (n_patches,), int
        Class numbers.
    *scores : ndarrays, float64
        Of two columns the second only.
    n_classes : int
        How many classes there are, at least two.
    """
    y_true = check_labels(y_true, name="y_true")
    arrays = [check_floats(each, name=name) for each in scores]
    check_consistent_length(y_true, *arrays)
    widths = {each.shape[1] if each.ndim == 2 else 2 for each in arrays}
    if len(widths) > 1 or min(widths) < 2:
        raise ValueError(
            f"{name} must have one dimension, or a column for each of two or more classes; got "
            f"shapes {', '.join(str(each.shape) for each in arrays)}."
        )
    n_classes = widths.pop()
    arrays = [each[:, 1] if each.ndim == 2 and n_classes == 2 else each for each in arrays]
    return _number_columns(y_true, n_classes, name), *arrays, n_classes


def is_positive(y_true):
    """Tell which patches are of the positive class, the greater label of two.

    Raises a ValueError where there are not exactly two labels.
    """
    y_true = check_labels(y_true, name="y_true")
    labels = find_labels(y_true)
    if len(labels) != 2:
        raise ValueError(f"y_true must have two different labels; it has {len(labels)}.")
    return y_true == labels[1]


def find_labels(y_true, *y_pred):
    """Return the sorted labels, or raise a ValueError where there can be no such labels."""
    try:
        return unique_labels(y_true, *y_pred)
    except (TypeError, ValueError) as error:
        names = "y_true and y_pred" if y_pred else "y_true"
        raise ValueError(f"{names} must hold labels, all of a kind: {error}") from error


def check_share(values, *, name):
    """Return numbers that lie between 0 and 1, or raise a ValueError that says where they lie."""
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        raise ValueError(f"{name} must lie between 0 and 1; it reaches from {low:g} to {high:g}.")
    return values


def _number(y, labels):
    if _are_numbers(labels, below=2):
        return y.astype(np.intp)
    return np.searchsorted(labels, y)


def _number_columns(y_true, n_classes, name):
    labels = find_labels(y_true)
    if _are_numbers(labels, below=n_classes):
        return y_true.astype(np.intp)
    if len(labels) != n_classes:
        raise ValueError(
            f"y_true has {len(labels)} classes and {name} stands for {n_classes}; where a class "
            f"is absent, labels must be class numbers 0 to {n_classes - 1}."
        )
    return np.searchsorted(labels, y_true)


def _are_numbers(labels, *, below):
    return labels.dtype.kind in "biuf" and bool(np.isin(labels, np.arange(below)).all())
