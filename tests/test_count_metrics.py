"""Metrics from counts are scikit-learn's with whole patients as weights."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    recall_score,
    roc_auc_score,
)

from skbreast.metrics import _count_metrics
from skbreast.metrics._count_metrics import LABEL_METRICS, Rows, from_labels

N_PATIENTS = 15


def _auc(y_true, score, weights):
    return roc_auc_score(y_true, score, sample_weight=weights)


def _auc_of_classes(y_true, scores, weights):
    return np.mean([_auc(y_true == each, scores[:, each], weights) for each in np.unique(y_true)])


SKLEARN = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "f1": f1_score,
    "f1_macro": lambda *a, **k: f1_score(*a, average="macro", **k),
    "sensitivity": recall_score,
    "specificity": lambda *a, **k: recall_score(*a, pos_label=0, **k),
}


def _resamples(rng, patients, build, output, y_true, n_classes=2):
    """Yield, for resamples in which all classes are left, our value and the rows' weights."""
    counts = rng.integers(0, 3, size=(N_PATIENTS, 20))
    values = build(Rows(y_true, output, patients, n_classes))(counts.astype(float))
    n_yielded = 0
    for value, weights in zip(values, counts[patients].T, strict=True):
        if len(np.unique(y_true[weights > 0])) == n_classes:
            n_yielded += 1
            yield value, weights
    assert n_yielded > 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SKLEARN)
def test_labels_of_two_classes(name, seed):
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.arange(120) % N_PATIENTS)
    y_true, y_pred = rng.integers(0, 2, size=(2, 120))
    build = from_labels(LABEL_METRICS[name])
    for value, weights in _resamples(rng, patients, build, y_pred, y_true):
        assert value == pytest.approx(SKLEARN[name](y_true, y_pred, sample_weight=weights))


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_more_classes(seed):
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.arange(300) % N_PATIENTS)
    y_true, y_pred = rng.integers(0, 4, size=(2, 300))
    for name, reference in (
        ("accuracy", accuracy_score),
        ("balanced_accuracy", balanced_accuracy_score),
        ("f1", SKLEARN["f1_macro"]),
        ("f1_macro", SKLEARN["f1_macro"]),
    ):
        build = from_labels(LABEL_METRICS[name])
        for value, weights in _resamples(rng, patients, build, y_pred, y_true, 4):
            assert value == pytest.approx(reference(y_true, y_pred, sample_weight=weights))


@pytest.mark.parametrize("seed", range(5))
def test_scores_with_ties(seed):
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.arange(120) % N_PATIENTS)
    y_true, score = rng.integers(0, 2, size=120), rng.integers(0, 9, size=120) / 8
    resamples = _resamples(rng, patients, _count_metrics.area_under_curve, score, y_true)
    for value, weights in resamples:
        assert value == pytest.approx(_auc(y_true, score, weights), abs=1e-12)
    resamples = _resamples(rng, patients, _count_metrics.mean_squared_error, score, y_true)
    for value, weights in resamples:
        assert value == pytest.approx(brier_score_loss(y_true, score, sample_weight=weights))


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_more_classes(seed):
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.arange(200) % N_PATIENTS)
    y_true, proba = rng.integers(0, 3, size=200), rng.dirichlet(np.ones(3), size=200)
    resamples = _resamples(rng, patients, _count_metrics.area_under_curve, proba, y_true, 3)
    for value, weights in resamples:
        assert value == pytest.approx(_auc_of_classes(y_true, proba, weights))
    resamples = _resamples(rng, patients, _count_metrics.mean_squared_error, proba, y_true, 3)
    for value, weights in resamples:
        squares = ((proba - np.eye(3)[y_true]) ** 2).sum(axis=1)
        assert value == pytest.approx(np.average(squares, weights=weights))


def test_auc_by_hand():
    rows = Rows(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.arange(4), 2)
    evaluate = _count_metrics.area_under_curve(rows)
    # all once; the second negative twice: 4 of 6 pairs; no positive at all
    counts = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 0], [1, 1, 0]], dtype=float)
    np.testing.assert_array_equal(evaluate(counts), [0.75, 4 / 6, np.nan])


def test_recognition_rate_by_hand():
    y_true, y_pred = np.array([0, 1, 1, 0, 0]), np.array([0, 0, 1, 0, 1])
    rows = Rows(y_true, y_pred, np.array([0, 0, 1, 2, 2]), 2)  # shares .5, 1, .5
    counts = np.array([[1, 0, 2], [1, 3, 1], [1, 0, 0]], dtype=float)
    values = _count_metrics.recognition_rate(rows)(counts)
    np.testing.assert_allclose(values, [2 / 3, 1, 2 / 3])


def test_what_has_no_meaning_is_nan():
    only_negative = Rows(np.zeros(4, int), np.array([0, 0, 1, 1]), np.arange(4), 2)
    once = np.ones((4, 1))
    for name, expected in (
        ("accuracy", 0.5), ("specificity", 0.5), ("sensitivity", np.nan), ("f1", np.nan),
        ("f1_macro", np.nan), ("balanced_accuracy", np.nan),
    ):  # fmt: skip
        value = from_labels(LABEL_METRICS[name])(only_negative)(once)
        np.testing.assert_array_equal(value, [expected])
    assert np.isnan(_count_metrics.area_under_curve(only_negative)(once)[0])


def test_f1_without_negatives_has_a_meaning():
    rows = Rows(np.ones(4, int), np.array([0, 1, 1, 1]), np.arange(4), 2)
    assert from_labels(LABEL_METRICS["f1"])(rows)(np.ones((4, 1)))[0] == pytest.approx(6 / 7)
