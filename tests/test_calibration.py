"""Calibration counted by hand, against scikit-learn's curve, and intervals over patients."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from skbreast.metrics import (
    expected_calibration_error,
    patient_bootstrap,
    patient_reliability,
    patient_weights,
)

# bins of width 1/2: .2 .4 .5 with one positive; .7 .9 with one positive (an edge belongs below)
Y_TRUE = np.array([0, 1, 0, 1, 0])
Y_PROB = np.array([0.2, 0.4, 0.5, 0.7, 0.9])


def test_error_by_hand():
    # means 1.1/3 and .8 against 1/3 and 1/2, weighed 3/5 and 2/5
    expected = 3 / 5 * (1.1 - 1) / 3 + 2 / 5 * 0.3
    assert expected_calibration_error(Y_TRUE, Y_PROB, n_bins=2) == pytest.approx(expected)


def test_error_of_certain_and_of_honest_answers():
    assert expected_calibration_error([0, 1], [0, 1]) == 0
    assert expected_calibration_error([0, 1], [1, 0]) == 1
    assert expected_calibration_error([0, 0, 0, 1], [0.25] * 4) == 0


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("seed", range(5))
def test_bins_are_those_of_scikit_learn(strategy, seed):
    rng = np.random.default_rng(seed)
    y_prob = rng.random(200).round(2)
    y_true = (rng.random(200) < y_prob).astype(int)
    observed, predicted = calibration_curve(y_true, y_prob, n_bins=8, strategy=strategy)
    reliability = patient_reliability(
        y_true, y_prob, np.arange(200) % 20, n_bins=8, strategy=strategy, n_resamples=5
    )
    np.testing.assert_allclose(reliability.observed, observed)
    np.testing.assert_allclose(reliability.mean_predicted, predicted)
    shares = reliability.n_patches / 200
    assert expected_calibration_error(y_true, y_prob, n_bins=8, strategy=strategy) == pytest.approx(
        np.sum(shares * np.abs(observed - predicted))
    )


def test_weights_are_as_copies():
    rng = np.random.default_rng(0)
    y_true, y_prob, weights = rng.integers(0, 2, 60), rng.random(60), rng.integers(0, 4, 60)
    copies = np.repeat(np.arange(60), weights)
    assert expected_calibration_error(y_true, y_prob, sample_weight=weights) == pytest.approx(
        expected_calibration_error(y_true[copies], y_prob[copies])
    )


def test_weights_of_patients_count_patients():
    # of one bin, "a" is right nine times and "b" wrong once
    y_true, y_prob, groups = [1] * 9 + [0], [0.95] * 10, ["a"] * 9 + ["b"]
    assert expected_calibration_error(y_true, y_prob) == pytest.approx(0.05)
    weights = patient_weights(groups)
    assert expected_calibration_error(y_true, y_prob, sample_weight=weights) == pytest.approx(0.45)


def test_words_and_both_columns():
    words, both = np.array(["benign", "malignant"])[Y_TRUE], np.column_stack([1 - Y_PROB, Y_PROB])
    assert expected_calibration_error(words, both) == expected_calibration_error(Y_TRUE, Y_PROB)


def test_reliability_by_hand():
    groups = ["a", "a", "b", "c", "c"]
    reliability = patient_reliability(Y_TRUE, Y_PROB, groups, n_bins=4, random_state=0)
    # the first bin .2; the second .4 .5; the third .7; the fourth .9
    assert reliability.bin_low.tolist() == [0, 0.25, 0.5, 0.75]
    assert reliability.bin_high.tolist() == [0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(reliability.mean_predicted, [0.2, 0.45, 0.7, 0.9])
    assert reliability.observed.tolist() == [0, 0.5, 1, 0]
    assert reliability.n_patches.tolist() == [1, 2, 1, 1]
    assert reliability.n_patients.tolist() == [1, 2, 1, 1]
    # "a" says 1 and "b" says 0; of a single patient there is nothing to say
    np.testing.assert_array_equal(reliability.low, [np.nan, 0, np.nan, np.nan])
    np.testing.assert_array_equal(reliability.high, [np.nan, 1, np.nan, np.nan])


def test_empty_bins_are_left_out():
    reliability = patient_reliability([0, 1], [0.05, 0.95], ["a", "b"], n_resamples=10)
    assert reliability.bin_low.tolist() == [0, 0.9]


def test_an_interval_is_the_bootstrap_of_the_bin():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(25), 8)
    y_prob = rng.random(200)
    y_true = (rng.random(200) < y_prob).astype(int)
    for stratify in (None, groups % 2):
        options = {"n_resamples": 300, "random_state": 1, "stratify": stratify}
        reliability = patient_reliability(y_true, y_prob, groups, n_bins=4, **options)
        for number in range(4):
            inside = (y_prob > number / 4) & (y_prob <= (number + 1) / 4)
            interval = patient_bootstrap(
                lambda y, rows: y[rows].mean(), y_true, inside, groups=groups, **options
            )
            assert reliability.low[number] == pytest.approx(interval.low)
            assert reliability.high[number] == pytest.approx(interval.high)


def test_patients_make_intervals_wider_than_patches():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 20)
    y_true, y_prob = rng.integers(0, 2, size=40)[groups], np.full(800, 0.5)
    widths = []
    for ids in (groups, np.arange(800)):
        reliability = patient_reliability(y_true, y_prob, ids, random_state=0, n_resamples=500)
        widths.append(reliability.high[0] - reliability.low[0])
    assert widths[0] == pytest.approx(np.sqrt(20) * widths[1], rel=0.2)


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (([0, 1], [0.2, 1.2]), {}, "y_prob must lie between 0 and 1; it reaches from 0.2 to 1.2"),
        (([0, 1, 2], np.eye(3)), {}, "y_prob has 3 columns; give one class"),
        (([0, 1, 2], [0.1, 0.2, 0.3]), {}, "y_true has 3 classes"),
        (([0, 1], [0.2, 0.3]), {"n_bins": 0}, "n_bins"),
        (([0, 1], [0.2, 0.3]), {"strategy": "kmeans"}, "strategy must be one of"),
        (([0, 1], [0.2, 0.3, 0.4]), {}, "inconsistent numbers"),
    ],
)
def test_bad_input_is_refused(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(*arrays, **options)
    with pytest.raises(ValueError, match=message):
        patient_reliability(*arrays, np.arange(len(arrays[0])), **options)


def test_bad_weights_and_draws_are_refused():
    with pytest.raises(ValueError, match=r"[Ss]ample.weight"):
        expected_calibration_error(Y_TRUE, Y_PROB, sample_weight=[0] * 5)
    with pytest.raises(ValueError, match=r"[Nn]egative values"):
        expected_calibration_error(Y_TRUE, Y_PROB, sample_weight=[-1, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="n_resamples"):
        patient_reliability(Y_TRUE, Y_PROB, list("aabcc"), n_resamples=0)
    with pytest.raises(ValueError, match="one patient only"):
        patient_reliability(Y_TRUE, Y_PROB, list("aaaaa"))
