"""Metadata of a patch, its weight and its patient, on their way through scikit-learn."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_validate
from sklearn.pipeline import Pipeline

from skbreast import PatchCNNClassifier, classifier
from skbreast.datasets import make_patches


class Darker(TransformerMixin, BaseEstimator):
    """Halves pixels, as a normaliser of stains would."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X // 2

    def __sklearn_is_fitted__(self):
        return True


@pytest.fixture(scope="module")
def bunch():
    return make_patches(8, 3, patch_size=16, mpp=1.6, random_state=0)


@pytest.fixture
def seen(monkeypatch):
    """Note what each fit is given, on the way to the real one."""
    noted, fit = [], PatchCNNClassifier._fit

    def note(self, X, y, sample_weight, groups, validation):
        noted.append({"X": X, "sample_weight": sample_weight, "groups": groups, "val": validation})
        return fit(self, X, y, sample_weight, groups, validation)

    monkeypatch.setattr(classifier.PatchCNNClassifier, "_fit", note)
    return noted


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def network(**parameters):
    defaults = {"max_epochs": 1, "batch_size": 8, "random_state": 0}
    return PatchCNNClassifier(**(defaults | parameters))


@pytest.mark.works("Metadata routing off: groups split, weights are fit parameters")
def test_without_routing(bunch, seen):
    weights = np.arange(1, 25)
    pipeline = Pipeline([("darker", Darker()), ("network", network())])
    pipeline.fit(bunch.data, bunch.target, network__sample_weight=weights)
    np.testing.assert_array_equal(seen[0]["sample_weight"], weights)
    search = GridSearchCV(network(), {"batch_size": [8, 12]}, cv=StratifiedGroupKFold(2))
    search.fit(bunch.data, bunch.target, groups=bunch.groups, sample_weight=weights)
    assert all(each["groups"] is None for each in seen)
    assert len(seen) == 1 + 5
    for each in seen[1:]:
        rows = np.flatnonzero(np.isin(weights, each["sample_weight"]))
        np.testing.assert_array_equal(each["X"], bunch.data[rows])
        others = np.setdiff1d(np.arange(24), rows)
        assert not set(bunch.groups[rows]) & set(bunch.groups[others])
    scores = cross_validate(
        network(),
        bunch.data,
        bunch.target,
        groups=bunch.groups,
        cv=StratifiedGroupKFold(2),
        params={"sample_weight": weights},
    )
    assert np.isfinite(scores["test_score"]).all()


@pytest.mark.works("Metadata routing on: groups, weights, validation patches")
@pytest.mark.usefixtures("routing")
def test_groups_reach_splitter_and_network(bunch, seen):
    weights = np.arange(1, 25)
    model = network(early_stopping=True, validation_fraction=0.34)
    model.set_fit_request(groups=True, sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(model, {"batch_size": [8, 12]}, cv=StratifiedGroupKFold(2))
    search.fit(bunch.data, bunch.target, groups=bunch.groups, sample_weight=weights)
    assert len(seen) == 5
    for each in seen:
        rows = np.flatnonzero(np.isin(weights, each["sample_weight"]))
        np.testing.assert_array_equal(each["groups"], bunch.groups[rows])
        np.testing.assert_array_equal(each["X"], bunch.data[rows])


@pytest.mark.works("Metadata routing on: groups, weights, validation patches")
@pytest.mark.usefixtures("routing")
def test_validation_patches_are_transformed_on_their_way(bunch, seen):
    train, val = slice(0, 18), slice(18, 24)
    asked = {"X_val": True, "y_val": True, "sample_weight_val": True, "groups_val": True}
    model = network().set_fit_request(**asked)
    pipeline = Pipeline([("darker", Darker()), ("network", model)], transform_input=["X_val"])
    pipeline.fit(
        bunch.data[train],
        bunch.target[train],
        X_val=bunch.data[val],
        y_val=bunch.target[val],
        sample_weight_val=np.ones(6),
        groups_val=bunch.groups[val],
    )
    X_val, y_val, weights, groups_val = seen[0]["val"]
    np.testing.assert_array_equal(groups_val, bunch.groups[val])
    np.testing.assert_array_equal(X_val, bunch.data[val] // 2)
    np.testing.assert_array_equal(y_val, bunch.target[val])
    np.testing.assert_array_equal(weights, np.ones(6))
    assert len(pipeline[-1].history_["val_loss"]) == 1


@pytest.mark.usefixtures("routing")
def test_what_was_not_asked_for_is_refused(bunch):
    search = GridSearchCV(network(), {"batch_size": [8]}, cv=StratifiedGroupKFold(2))
    with pytest.raises(UnsetMetadataPassedError, match="groups"):
        search.fit(bunch.data, bunch.target, groups=bunch.groups)
