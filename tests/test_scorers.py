"""Metrics inside scikit-learn's cross-validation: of patches, and of patients by routing."""

import copy

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.svm import LinearSVC

from skbreast.metrics import (
    SCORERS,
    expected_calibration_error,
    patient_auc,
    patient_recognition_rate,
    patient_weights,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(20), rng.integers(3, 9, size=20)))
    y = groups % 2
    X = rng.normal(size=(len(y), 3)) + y[:, None] + rng.normal(size=(20, 3))[groups]
    return X, np.array(["benign", "malignant"])[y], groups


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_scorers_give_the_metrics(data):
    X, y, _ = data
    model = LogisticRegression().fit(X, y)
    proba = model.predict_proba(X)[:, 1]
    assert SCORERS["sensitivity_at_90_specificity"](model, X, y) == sensitivity_at_specificity(
        y, proba, specificity=0.9
    )
    assert SCORERS["specificity_at_95_sensitivity"](model, X, y) == specificity_at_sensitivity(
        y, proba, sensitivity=0.95
    )
    error = expected_calibration_error(y, proba)
    assert SCORERS["neg_expected_calibration_error"](model, X, y) == pytest.approx(-error)


def test_a_decision_function_is_enough_for_operating_points(data):
    X, y, _ = data
    model = LinearSVC().fit(X, y)
    expected = sensitivity_at_specificity(y, model.decision_function(X))
    assert SCORERS["sensitivity_at_90_specificity"](model, X, y) == expected


def test_all_together_in_cross_validation_and_one_in_a_search(data):
    X, y, groups = data
    scores = cross_validate(
        LogisticRegression(), X, y, groups=groups, cv=GroupKFold(4), scoring=SCORERS
    )
    assert {f"test_{name}" for name in SCORERS} < set(scores)
    assert np.isfinite(scores["test_neg_expected_calibration_error"]).all()
    search = GridSearchCV(
        LogisticRegression(), {"C": [0.01, 1]}, cv=GroupKFold(4),
        scoring=SCORERS["specificity_at_95_sensitivity"],
    )  # fmt: skip
    assert 0 < search.fit(X, y, groups=groups).best_score_ <= 1


def test_asking_a_scorer_for_weights_leaves_the_others_alone(data, routing):
    X, y, groups = data
    name = "neg_expected_calibration_error"
    weighted = copy.deepcopy(SCORERS[name]).set_score_request(sample_weight=True)
    assert "True" not in str(SCORERS[name].get_metadata_routing())
    model = LogisticRegression().fit(X, y)
    weights = patient_weights(groups)
    assert weighted(model, X, y, sample_weight=weights) == pytest.approx(
        -expected_calibration_error(y, model.predict_proba(X)[:, 1], sample_weight=weights)
    )


def test_patient_metrics_are_scorers_by_routing(data, routing):
    X, y, groups = data
    scoring = {
        "rate": make_scorer(patient_recognition_rate).set_score_request(groups=True),
        "auc": make_scorer(patient_auc, response_method="predict_proba").set_score_request(
            groups=True
        ),
    }
    scores = cross_validate(
        LogisticRegression(), X, y, cv=GroupKFold(4), scoring=scoring, params={"groups": groups},
        return_estimator=True, return_indices=True,
    )  # fmt: skip
    for fold, (model, test) in enumerate(
        zip(scores["estimator"], scores["indices"]["test"], strict=True)
    ):
        predicted, proba = model.predict(X[test]), model.predict_proba(X[test])[:, 1]
        assert scores["test_rate"][fold] == patient_recognition_rate(
            y[test], predicted, groups[test]
        )
        assert scores["test_auc"][fold] == patient_auc(y[test], proba, groups[test])
        assert not set(groups[test]) & set(groups[scores["indices"]["train"][fold]])
