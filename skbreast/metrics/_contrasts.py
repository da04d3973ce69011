"""Differences of two models over resamples of patients, and over exchanges of their outputs."""

import numpy as np
from sklearn.utils import check_random_state

from skbreast.metrics._called_metrics import bind_metric, defined_or_nan
from skbreast.metrics._resampled_metrics import (
    block_size,
    evaluate_by_counts,
    prepare,
    stack_models,
)
from skbreast.metrics._resampling import count_draws, draw_patients, rows_of

__all__ = ["called_contrasts", "named_contrasts"]


def named_contrasts(name, arrays, patients, folds):
    """Return the difference on the data, and two functions: of draws, and of exchanges."""
    n_patients = len(patients.ids)
    models = prepare(name, arrays[0], arrays[1:], patients, folds)
    of_first, of_second = (evaluate_by_counts(name, each) for each in models)
    block = block_size(2 * n_patients, models[0] + models[1])

    def contrast(counts):
        return of_first(counts) - of_second(counts)

    def by_draws(strata, n_resamples, random_state):
        draws = draw_patients(strata, n_resamples, random_state, block=block)
        return np.concatenate([contrast(count_draws(drawn)) for drawn in draws])

    def by_exchanges(n_resamples, random_state):
        stacked = evaluate_by_counts(name, stack_models(name, *models, n_patients))
        values = []
        for exchanged in _exchanges(n_patients, n_resamples, random_state, block=block):
            theirs = exchanged.T.astype(np.float64)
            first, second = (
                np.concatenate([1 - theirs, theirs]),
                np.concatenate([theirs, 1 - theirs]),
            )
            values.append(stacked(first) - stacked(second))
        return np.concatenate(values)

    return float(contrast(np.ones((n_patients, 1)))[0]), by_draws, by_exchanges


def called_contrasts(metric, arrays, patients, folds):
    """As :func:`named_contrasts`, for any callable: two calls a resample."""
    evaluate = bind_metric(metric)
    y_true, first, second = arrays

    def contrast(one, other, rows=slice(None), ids=patients.codes):
        of_rows = None if folds is None else folds[rows]
        return evaluate([y_true[rows], one[rows]], ids, of_rows) - evaluate(
            [y_true[rows], other[rows]], ids, of_rows
        )

    def by_draws(strata, n_resamples, random_state):
        draws = draw_patients(strata, n_resamples, random_state)
        return np.array(
            [
                defined_or_nan(contrast, first, second, *rows_of(drawn, patients))
                for [drawn] in draws
            ]
        )

    def by_exchanges(n_resamples, random_state):
        values = []
        for [exchanged] in _exchanges(len(patients.ids), n_resamples, random_state):
            theirs = exchanged[patients.codes].astype(bool)
            theirs = theirs.reshape(-1, *[1] * (first.ndim - 1))
            one, other = np.where(theirs, second, first), np.where(theirs, first, second)
            values.append(defined_or_nan(contrast, one, other))
        return np.array(values)

    return contrast(first, second), by_draws, by_exchanges


def _exchanges(n_patients, n_resamples, random_state, *, block=1):
    """Yield of whom the outputs are exchanged: 0 or 1, of shape (block or fewer, n_patients)."""
    random_state = check_random_state(random_state)
    for done in range(0, n_resamples, block):
        yield random_state.randint(0, 2, size=(min(block, n_resamples - done), n_patients))
