"""The corrected interval by hand, and in a simulation where the naive one is too short."""

import numpy as np
import pytest
from scipy.stats import t as student

from skbreast.metrics import corrected_fold_interval

SCORES = [0.8, 0.9, 0.85, 0.9, 0.8]  # mean .85, variance .0025


def test_by_hand():
    # (1/5 + 20/80) * .0025 = .001125; t of 4 degrees at 97.5 % is 2.776445
    interval = corrected_fold_interval(SCORES, n_train=80, n_test=20)
    assert interval.mean == pytest.approx(0.85)
    assert interval.standard_error == pytest.approx(np.sqrt(0.001125))
    half_width = 2.776445 * np.sqrt(0.001125)
    assert (interval.low, interval.high) == pytest.approx((0.85 - half_width, 0.85 + half_width))
    assert interval.n_folds == 5
    assert str(interval) == "0.850 [0.757, 0.943] (5 folds)"


def test_a_p_value_by_hand():
    # two folds: t of 1 degree is Cauchy's. Mean .1, variance .02, error sqrt((1/2 + 1/2) * .02)
    interval = corrected_fold_interval([0, 0.2], n_train=20, n_test=10)
    assert interval.standard_error == pytest.approx(np.sqrt(0.02))
    assert interval.p_value == pytest.approx(1 - 2 / np.pi * np.arctan(0.1 / np.sqrt(0.02)))


def test_the_interval_excludes_0_where_p_is_below_its_level():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(50):
        interval = corrected_fold_interval(rng.normal(0.1, 0.1, 10), n_train=90, n_test=10)
        assert (interval.low > 0 or interval.high < 0) == (interval.p_value < 0.05)
        found += interval.p_value < 0.05
    assert 5 < found < 45


def test_folds_of_different_sizes_count_by_their_means():
    several = corrected_fold_interval(
        SCORES, n_train=[79, 80, 80, 80, 81], n_test=[21, 20, 20, 20, 19]
    )
    assert several == corrected_fold_interval(SCORES, n_train=80, n_test=20)


@pytest.mark.parametrize(("score", "p_value"), [(0.0, 1.0), (0.2, 0.0)])
def test_scores_that_never_vary(score, p_value):
    interval = corrected_fold_interval([score] * 3, n_train=2, n_test=1)
    assert (interval.low, interval.high, interval.p_value) == (score, score, p_value)


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        ([0.5], {}, "two or more in one dimension"),
        ([[0.5, 0.6]], {}, "two or more in one dimension"),
        ([0.5, np.nan], {}, "scores contains NaN"),
        ([0.5, 0.6], {"n_test": 0}, "n_test must be positive"),
        ([0.5, 0.6], {"n_train": [3, -1]}, "n_train must be positive"),
        ([0.5, 0.6], {"confidence_level": 0}, "confidence_level"),
    ],
)
def test_bad_scores_are_refused(scores, options, message):
    with pytest.raises(ValueError, match=message):
        corrected_fold_interval(scores, **({"n_train": 8, "n_test": 2} | options))


def _repeated_accuracies(rng, *, n_patients=60, n_repeats=6, n_splits=5):
    """Accuracies of a threshold learned on one noisy number, over repeated cross-validation."""
    y = np.arange(n_patients) % 2
    x = y + rng.normal(size=n_patients)
    accuracies = []
    for _ in range(n_repeats):
        for test in np.array_split(rng.permutation(n_patients), n_splits):
            train = np.setdiff1d(np.arange(n_patients), test)
            threshold = (x[train][y[train] == 0].mean() + x[train][y[train] == 1].mean()) / 2
            accuracies.append(np.mean((x[test] > threshold) == y[test]))
    return np.array(accuracies)


def test_repeats_do_not_make_patients():
    # 30 scores of the same 60 patients; the truth is that of very many patients, Phi(1/2)
    truth, naive, corrected, n_simulations = 0.6915, 0, 0, 300
    for seed in range(n_simulations):
        scores = _repeated_accuracies(np.random.default_rng(seed))
        interval = corrected_fold_interval(scores, n_train=48, n_test=12)
        corrected += interval.low <= truth <= interval.high
        error = scores.std(ddof=1) / np.sqrt(len(scores)) * student.ppf(0.975, len(scores) - 1)
        naive += abs(scores.mean() - truth) <= error
    assert corrected / n_simulations > 0.9
    assert naive / n_simulations < 0.7
