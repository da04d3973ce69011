"""What a new file is asked, and how its answers are compared with those of its estimator."""

from typing import NamedTuple

import numpy as np

__all__ = ["Answers", "clear_rows", "difference", "invented_patches"]

N_CHECKED = 8


class Answers(NamedTuple):
    """What a classifier, or its file, says of some patches.

    Attributes
    ----------
    numbers : ndarray of shape (n,) or (n, n_classes)
        Probabilities, or the decision function.
    labels : ndarray of shape (n,)
        What is predicted.
    """

    numbers: np.ndarray
    labels: np.ndarray


def invented_patches(shape, n_patches=N_CHECKED):
    """Return noise over a colour each, in the colours of stained tissue and beside.

    Parameters
    ----------
    shape : tuple of (int, int, int)
        Height, width and channels.
    n_patches : int, default=8
        How many.

    Returns
    -------
    ndarray of shape (n_patches, *shape), uint8
    """
    rng = np.random.default_rng(0)
    patches = np.empty((n_patches, *shape), dtype=np.uint8)
    for patch in patches:  # one by one: the noise takes four times the room of the pixels
        color, spread = rng.uniform(60, 230, size=shape[2]), rng.uniform(5, 60)
        noise = rng.standard_normal(shape, dtype=np.float32)
        noise *= np.float32(spread)
        noise += color.astype(np.float32)
        patch[:] = np.clip(noise, 0, 255, out=noise)
    return patches


def clear_rows(scores, threshold, *, tolerance):
    """Tell where a label does not hang on the last digits of the scores that it comes from.

    Parameters
    ----------
    scores : ndarray of shape (n,) or (n, n_classes)
        A decision function, or probabilities.
    threshold : Threshold or None
        Which class is taken from which score on; None takes the class of the highest score.
    tolerance : float
        How far scores may be off, where the largest is 1 or less, else in shares of it.

    Returns
    -------
    ndarray of shape (n,), bool
        False where a score is within tolerance of the threshold, or half the difference of the
        two highest is.
    """
    if threshold is not None:
        away = np.abs(threshold.scores(scores) - threshold.value)
    elif scores.ndim == 1:
        away = np.abs(scores)
    else:
        with np.errstate(invalid="ignore"):  # infinite scores: no row that is clear
            away = np.diff(np.sort(scores, axis=1)[:, -2:], axis=1)[:, 0] / 2
    return away > tolerance * _largest(scores)


def difference(found, expected, clear, *, tolerance):
    """Say what is wrong with the answers of a file, or return None.

    Parameters
    ----------
    found, expected : Answers
        Of the file, and of its estimator.
    clear : ndarray of shape (n,), bool
        Where the labels have to be the same; see :func:`clear_rows`.
    tolerance : float
        How far the numbers may be apart, where the largest is 1 or less, else in shares of it.

    Returns
    -------
    str or None
    """
    n_patches = len(expected.numbers)
    finite = np.isfinite(expected.numbers).reshape(n_patches, -1).all(axis=1)
    if 2 * finite.sum() < n_patches:  # scikit-learn's float32 can run over where a file does not
        return (
            f"for {n_patches - finite.sum()} of {n_patches} invented patches the estimator's own "
            "numbers are not finite, so it cannot be checked"
        )
    allowed = tolerance * _largest(expected.numbers[finite])
    far = np.abs(found.numbers[finite] - expected.numbers[finite]).max()
    if not far <= allowed:
        return (
            f"on invented patches its answers differ from the estimator's by up to {far:.2g}, "
            f"more than {allowed:.2g}"
        )
    wrong = finite & clear & (found.labels != expected.labels)
    if wrong.any():
        return f"its label is not what predict answers for {wrong.sum()} of {n_patches} patches"
    return None


def _largest(numbers):
    """Return the largest size among finite numbers, at least 1."""
    return np.abs(numbers[np.isfinite(numbers)]).max(initial=1)
