"""The bootstrap's metrics agree with scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from skbreast import _fast_metrics


@pytest.mark.parametrize("seed", range(5))
def test_binary_metrics_agree_with_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, 2, size=(2, 60))
    score = rng.integers(0, 8, size=60) / 8

    assert _fast_metrics.auc(y_true, score) == pytest.approx(roc_auc_score(y_true, score))
    assert _fast_metrics.balanced_accuracy(y_true, y_pred) == pytest.approx(
        balanced_accuracy_score(y_true, y_pred)
    )
    assert _fast_metrics.f1(y_true, y_pred, binary=True) == pytest.approx(f1_score(y_true, y_pred))


@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_more_classes_agree_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, 4, size=(2, 80))
    proba = rng.dirichlet(np.ones(4), size=80)

    assert _fast_metrics.auc(y_true, proba) == pytest.approx(
        roc_auc_score(y_true, proba, multi_class="ovr")
    )
    assert _fast_metrics.balanced_accuracy(y_true, y_pred) == pytest.approx(
        balanced_accuracy_score(y_true, y_pred)
    )
    assert _fast_metrics.f1(y_true, y_pred, binary=False) == pytest.approx(
        f1_score(y_true, y_pred, average="macro")
    )


def test_f1_is_zero_where_nothing_is_positive():
    nothing = np.zeros(4, dtype=int)

    assert _fast_metrics.f1(nothing, nothing, binary=True) == 0


def test_auc_by_hand():
    assert _fast_metrics.auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
