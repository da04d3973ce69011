"""What two models differ by on the same patients."""

import contextlib
from dataclasses import replace
from functools import partial

import numpy as np

from skbreast._figures import choose_figures
from skbreast.metrics import compare_models
from skbreast.metrics._resampling import UndefinedIntervalError

__all__ = ["compare_predictions"]


def compare_predictions(first, second, *, n_resamples=2000, random_state=0):
    """Return by how much one model is better than another, with intervals over patients.

    Parameters
    ----------
    first, second : Predictions
        Of the same patches in the same order.
    n_resamples : int, default=2000
        Bootstrap resamples of patients, the same for both.
    random_state : int, default=0
        Seed of the resampling.

    Returns
    -------
    dict of str to PairedDifference
        By figure, those of :func:`skbreast.evaluation.summarise`; positive where `first` is
        better. Intervals are from the bootstrap, p values from permutations, which hold their
        level where patients are few. What is undefined is left out.

    Raises
    ------
    ValueError
        If the predictions are not of the same patches.
    """
    for name in ("y_true", "rows", "folds"):
        if not np.array_equal(getattr(first, name), getattr(second, name)):
            raise ValueError("first and second must be predictions of the same patches and folds.")
    others = choose_figures(second)
    differences = {}
    for figure, (metric, output, folds) in choose_figures(first).items():
        with contextlib.suppress(UndefinedIntervalError):
            compare = partial(
                compare_models,
                metric,
                first.y_true,
                output,
                others[figure][1],
                groups=first.groups,
                folds=folds,
                n_resamples=n_resamples,
                random_state=random_state,
            )
            found = compare(method="bootstrap", stratify=first.y_true)
            p_value = compare(method="permutation").p_value
            method = "bootstrap interval, permutation test"
            differences[figure] = replace(found, p_value=p_value, method=method)
    return differences
