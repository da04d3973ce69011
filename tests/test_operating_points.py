"""Steps of a ROC curve that can be counted by hand."""

import numpy as np
import pytest
from sklearn.metrics import recall_score

from skbreast.metrics import (
    patient_scores,
    patient_weights,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    threshold_at_sensitivity,
)

# ten negatives at .0 … .9; positives between them
NEGATIVES = np.arange(10) / 10
POSITIVES = np.array([0.05, 0.45, 0.85, 0.95])
Y_TRUE = np.repeat([0, 1], [10, 4])
Y_SCORE = np.concatenate([NEGATIVES, POSITIVES])


@pytest.mark.parametrize(
    ("specificity", "expected"),
    [(1, 0.25), (0.95, 0.25), (0.9, 0.5), (0.51, 0.5), (0.5, 0.75), (0.2, 0.75), (0.1, 1), (0, 1)],
)
def test_sensitivity_by_hand(specificity, expected):
    assert sensitivity_at_specificity(Y_TRUE, Y_SCORE, specificity=specificity) == expected


@pytest.mark.parametrize(
    ("sensitivity", "expected"),
    [(0, 1), (0.25, 1), (0.26, 0.9), (0.5, 0.9), (0.75, 0.5), (0.95, 0.1), (1, 0.1)],
)
def test_specificity_by_hand(sensitivity, expected):
    value = specificity_at_sensitivity(Y_TRUE, Y_SCORE, sensitivity=sensitivity)
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("tenths", range(11))
def test_every_tenth_is_reached_though_floats_round(tenths):
    # the positive lies just above `tenths` of ten negatives
    y_score = np.append(NEGATIVES, tenths / 10 - 0.05)
    y_true = np.repeat([0, 1], [10, 1])
    assert sensitivity_at_specificity(y_true, y_score, specificity=tenths / 10) == 1
    if tenths < 10:
        assert sensitivity_at_specificity(y_true, y_score, specificity=tenths / 10 + 0.01) == 0


def test_ties_stay_together():
    # at .5 lie two positives and a negative, and no threshold parts them
    y_true, y_score = [0, 0, 1, 1, 1], [0.1, 0.5, 0.5, 0.5, 0.9]
    assert sensitivity_at_specificity(y_true, y_score, specificity=0.9) == pytest.approx(1 / 3)
    assert sensitivity_at_specificity(y_true, y_score, specificity=0.5) == 1
    assert specificity_at_sensitivity(y_true, y_score, sensitivity=0.5) == 0.5


def test_weights_are_as_copies():
    rng = np.random.default_rng(0)
    y_true, y_score = rng.integers(0, 2, size=80), rng.random(80).round(1)
    weights = rng.integers(0, 4, size=80)
    copies = np.repeat(np.arange(80), weights)
    for metric in (sensitivity_at_specificity, specificity_at_sensitivity):
        assert metric(y_true, y_score, sample_weight=weights) == pytest.approx(
            metric(y_true[copies], y_score[copies])
        )


def test_weights_of_patients_count_patients():
    # the negatives of "a" lie high, but are one patient of two
    y_true = [0] * 9 + [0] + [1]
    y_score = [0.8] * 9 + [0.2] + [0.5]
    weights = patient_weights(["a"] * 9 + ["b", "c"])
    assert specificity_at_sensitivity(y_true, y_score) == pytest.approx(0.1)
    assert specificity_at_sensitivity(y_true, y_score, sample_weight=weights) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("sensitivity", "expected"),
    [(1, 0.05), (0.95, 0.05), (0.75, 0.45), (0.74, 0.45), (0.5, 0.85), (0.25, 0.95), (0.01, 0.95)],
)
def test_threshold_by_hand(sensitivity, expected):
    assert threshold_at_sensitivity(Y_TRUE, Y_SCORE, sensitivity=sensitivity) == expected


def test_threshold_by_patient_by_hand():
    # means: "m" .6, "n" .4, "p" .3 malignant, "b" .5 benign; highest scores .9, .4, .5 and .5
    y_true, groups = [1, 1, 1, 1, 1, 0], list("mmnppb")
    y_score = [0.9, 0.3, 0.4, 0.5, 0.1, 0.5]
    options = {"groups": groups, "sensitivity": 2 / 3}
    assert threshold_at_sensitivity(y_true, y_score, **options) == 0.4
    assert threshold_at_sensitivity(y_true, y_score, aggregate="max", **options) == 0.5
    assert threshold_at_sensitivity(y_true, y_score, groups=groups) == 0.3


@pytest.mark.parametrize("seed", range(20))
def test_the_rule_reaches_the_sensitivity_and_no_higher_one_does(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 30, size=200)
    y_true, y_score = np.array(["benign", "malignant"])[groups % 2], rng.random(200).round(1)
    sensitivity = rng.uniform(0.01, 1)
    threshold = threshold_at_sensitivity(y_true, y_score, sensitivity=sensitivity, groups=groups)
    ids, scores = patient_scores(y_score, groups)
    assert recall_score(ids % 2, scores >= threshold) >= sensitivity
    assert recall_score(ids % 2, scores > threshold) < sensitivity


@pytest.mark.parametrize("metric", [sensitivity_at_specificity, specificity_at_sensitivity])
def test_the_greater_label_is_positive(metric):
    words = np.array(["benign", "malignant"])[Y_TRUE]
    assert metric(words, Y_SCORE) == metric(Y_TRUE, Y_SCORE) == metric(Y_TRUE + 1, Y_SCORE)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([0, 0], [0.1, 0.2]), "two different labels; it has 1"),
        (([0, 1, 2], [0.1, 0.2, 0.3]), "two different labels; it has 3"),
        (([0, 1], [0.1, np.nan]), "y_score contains NaN"),
        (([0, 1], [[0.1, 0.9], [0.2, 0.8]]), "one-dimensional"),
        (([0, 1], [0.1, 0.2, 0.3]), "inconsistent numbers"),
        (([0, None], [0.1, 0.2]), "y_true lacks 1 labels"),
    ],
)
@pytest.mark.parametrize(
    "metric", [sensitivity_at_specificity, specificity_at_sensitivity, threshold_at_sensitivity]
)
def test_bad_input_is_refused(metric, arrays, message):
    with pytest.raises(ValueError, match=message):
        metric(*arrays)


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="specificity must be a number at least 0 and at most 1"):
        sensitivity_at_specificity(Y_TRUE, Y_SCORE, specificity=90)
    with pytest.raises(ValueError, match="sensitivity must be a number above 0"):
        threshold_at_sensitivity(Y_TRUE, Y_SCORE, sensitivity=0)
    with pytest.raises(ValueError, match="several labels for 1 of 2 patients"):
        threshold_at_sensitivity([0, 1, 1], [0.1, 0.2, 0.3], groups=["a", "a", "b"])
