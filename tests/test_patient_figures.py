"""Figures of patients and their weights, against answers worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from skbreast.metrics import (
    patient_auc,
    patient_labels,
    patient_recognition_rate,
    patient_scores,
    patient_weights,
)

# benign "a" .1 .6 .8, benign "c" .2 .4; malignant "b" .9, malignant "d" .55 .35; rows shuffled
SCORES = [0.6, 0.2, 0.55, 0.9, 0.8, 0.4, 0.1, 0.35]
LABELS = [0, 0, 1, 1, 0, 0, 0, 1]
PATIENTS = ["a", "c", "d", "b", "a", "c", "a", "d"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 0.75),  # .5 .3 against .9 .45: three pairs of four
        ({"aggregate": "max"}, 0.75),  # .8 .4 against .9 .55
        ({"aggregate": "top_k", "top_k": 2}, 0.75),  # .7 .3 against .9 .45
        ({"aggregate": "vote"}, 0.75),  # 2/3 0 against 1 1/2
        ({"aggregate": "vote", "threshold": 0.35}, 1.0),  # 2/3 1/2 against 1 1
        ({"aggregate": "vote", "threshold": 0.2}, 0.75),  # 2/3 1 against 1 1
    ],
)
def test_auc_by_hand(parameters, expected):
    assert patient_auc(LABELS, SCORES, PATIENTS, **parameters) == expected


@pytest.mark.parametrize("aggregate", ["mean", "max", "top_k", "vote"])
def test_auc_is_that_of_scikit_learn_on_patients(aggregate):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, size=500)
    y_true, y_score = (groups % 3 == 0).astype(int), rng.random(500)
    _, labels = patient_labels(y_true, groups)
    _, scores = patient_scores(y_score, groups, aggregate=aggregate)
    assert patient_auc(y_true, y_score, groups, aggregate=aggregate) == pytest.approx(
        roc_auc_score(labels, scores), abs=1e-12
    )
    words = np.array(["benign", "malignant"])[y_true]
    both = np.column_stack([1 - y_score, y_score])
    assert patient_auc(words, both, groups) == patient_auc(y_true, y_score, groups)


def test_auc_of_three_classes():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, size=500)
    y_true, y_score = groups % 3, rng.dirichlet(np.ones(3), size=500)
    _, labels = patient_labels(y_true, groups)
    _, scores = patient_scores(y_score, groups)
    assert patient_auc(y_true, y_score, groups) == pytest.approx(
        roc_auc_score(labels, scores, multi_class="ovr")
    )


def test_equal_means_are_tied_whatever_their_sums_were_rounded_to():
    assert np.mean([0.1, 0.2, 0.3]) != np.mean([0.2, 0.2])
    assert patient_auc([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.2, 0.2], list("aaabb")) == 0.5


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1], "several labels for 1 of 2 patients"),
        ([1, 1, 1], "the same label for all patients"),
    ],
)
def test_auc_without_a_meaning_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        patient_auc(labels, [0.1, 0.2, 0.3], ["a", "a", "b"])


def test_weights_by_hand():
    # four patients of 3, 1, 2, 2 patches: 8 / (4 * n)
    weights = dict(zip(PATIENTS, patient_weights(PATIENTS).tolist(), strict=True))
    assert weights == {"a": 2 / 3, "b": 2.0, "c": 1.0, "d": 1.0}
    assert patient_weights(PATIENTS).mean() == pytest.approx(1)


def test_weights_make_figures_of_patients():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, size=400)
    (y_true, y_pred), y_prob = rng.integers(0, 2, size=(2, 400)), rng.random(400)
    weights = patient_weights(groups)
    assert accuracy_score(y_true, y_pred, sample_weight=weights) == pytest.approx(
        patient_recognition_rate(y_true, y_pred, groups)
    )
    errors = [np.mean((y_true - y_prob)[groups == each] ** 2) for each in range(30)]
    assert brier_score_loss(y_true, y_prob, sample_weight=weights) == pytest.approx(np.mean(errors))


@pytest.mark.parametrize(
    ("groups", "message"), [([], "groups is empty"), (["a", None], "groups lacks the patient")]
)
def test_weights_of_unknown_patients_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        patient_weights(groups)
