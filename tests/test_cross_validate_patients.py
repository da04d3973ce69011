"""Every patch is judged once by a model that has not seen its patient, or somebody is told."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline

from skbreast.datasets import load_idc, make_patches
from skbreast.evaluation import cross_validate_patients, fit_copy, make_model, summarise
from skbreast.exceptions import PatientLeakageWarning, UnknownPatientsWarning
from skbreast.texture import ColorFeatures


@pytest.fixture(scope="module")
def patches():
    return make_patches(8, 5, patch_size=16, random_state=0)


def test_it_is_what_scikit_learn_predicts_out_of_fold(patches):
    model = make_pipeline(ColorFeatures(), LogisticRegression(max_iter=1000))
    X, y, groups = patches.data, patches.target_names[patches.target], patches.groups
    ours = cross_validate_patients(model, X, y, groups, cv=StratifiedGroupKFold(4))
    theirs = cross_val_predict(
        model, X, y, groups=groups, cv=StratifiedGroupKFold(4), method="predict_proba"
    )
    np.testing.assert_allclose(ours.y_proba, theirs[ours.rows])
    assert sorted(ours.rows) == list(range(40))
    assert ours.classes.tolist() == ["benign", "malignant"]
    np.testing.assert_array_equal(ours.classes[ours.y_true], y[ours.rows])
    np.testing.assert_array_equal(ours.groups, groups[ours.rows])
    inside = [
        roc_auc_score(ours.y_true[ours.folds == fold], ours.y_proba[ours.folds == fold, 1])
        for fold in range(4)
    ]
    assert summarise(ours, n_resamples=20)["auc"].estimate == pytest.approx(np.mean(inside))


def test_threads_change_nothing(patches):
    model = make_model("colour")
    one, two = (
        cross_validate_patients(model, patches.data, patches.target, patches.groups, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(one.y_proba, two.y_proba)


SEEN = []


class Witness(ClassifierMixin, BaseEstimator):
    """Tells whom its copies were fitted on."""

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        SEEN.append(set(groups))
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def predict(self, X):
        return self.classes_[np.zeros(len(X), int)]


def test_no_patient_straddles_and_groups_reach_the_estimator(patches):
    SEEN.clear()
    predictions = cross_validate_patients(Witness(), patches.data, patches.target, patches.groups)
    assert len(SEEN) == 5
    for fold, seen in enumerate(SEEN):
        tested = set(predictions.groups[predictions.folds == fold])
        assert tested
        assert not seen & tested
        assert seen | tested == set(patches.groups)


def test_an_inner_search_splits_by_patient(patches):
    seen = []

    class Inner(StratifiedGroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append((set(groups[train]), set(groups[test])))
                yield train, test

    search = GridSearchCV(make_model("colour"), {"logisticregression__C": [0.1, 1]}, cv=Inner(2))
    fit_copy(search, patches.data, patches.target, patches.groups)
    assert len(seen) == 2
    for train, test in seen:
        assert train
        assert test
        assert not train & test


def test_folds_that_leak_are_counted(patches):
    X, y, groups = patches.data, patches.target, patches.groups
    shuffled = KFold(2, shuffle=True, random_state=0)
    with pytest.warns(PatientLeakageWarning, match="2 of 2 folds .* of 8"):
        cross_validate_patients(make_model("dummy"), X, y, groups, cv=shuffled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_validate_patients(make_model("dummy"), X, y, groups, cv=2)


def test_groups_that_the_loader_had_are_said_once_and_counted_still():
    fresh = make_patches(8, 5, patch_size=16, random_state=1)
    with pytest.warns(UserWarning, match="patients") as told:
        cross_validate_patients(make_model("dummy"), fresh.data, fresh.target)
    assert [each.category for each in told] == [UnknownPatientsWarning, PatientLeakageWarning]
    with pytest.warns(PatientLeakageWarning) as told:
        cross_validate_patients(make_model("dummy"), fresh.data, fresh.target)
    assert len(told) == 1


def test_real_references_without_groups_are_recognised(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", max_patches=300, random_state=0)
    with pytest.warns(PatientLeakageWarning, match="5 of 5 folds have patients on both sides"):
        cross_validate_patients(make_model("dummy"), idc.data, idc.target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.zeros(39)}, "y has 39 labels for 40 patches"),
        ({"groups": np.zeros(3)}, "groups has 3 entries for 40 patches"),
        ({"cv": 1}, "cv must be"),
        ({"cv": [(np.arange(5), np.arange(5, 40))]}, "without one of the classes"),
    ],
)
def test_what_cannot_be_is_one_sentence(patches, arguments, message):
    given = {"y": patches.target, "groups": patches.groups, "cv": 2} | arguments
    with pytest.raises(ValueError, match=message):
        cross_validate_patients(make_model("dummy"), patches.data, **given)
