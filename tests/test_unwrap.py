"""Fitted estimators are found inside whatever wraps them."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast._unwrap import last_step, unwrapped

X = np.random.default_rng(0).normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: FixedThresholdClassifier(model, threshold=0.3),
        lambda model: TunedThresholdClassifierCV(model, cv=2),
        lambda model: GridSearchCV(model, {"logisticregression__C": [1]}, cv=2),
        lambda model: FixedThresholdClassifier(
            GridSearchCV(model, {"logisticregression__C": [1]}, cv=2), threshold=0.3
        ),
        lambda model: make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), model)),
    ],
)
def test_the_fitted_model_is_found(wrap):
    fitted = wrap(make_pipeline(StandardScaler(), LogisticRegression())).fit(X, y)
    assert isinstance(last_step(fitted), LogisticRegression)
    assert last_step(fitted).coef_.shape == (1, 3)
    assert hasattr(unwrapped(fitted), "steps")


def test_a_template_that_is_never_fitted_is_not_taken_for_the_model():
    bagging = BaggingClassifier(DummyClassifier(), n_estimators=2).fit(X, y)
    assert unwrapped(bagging) is bagging is last_step(bagging)
