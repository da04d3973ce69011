"""On real patches, with patients held out: what a default has to reach."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skbreast import PatchCNNClassifier
from skbreast.datasets import load_idc
from skbreast.evaluation import make_model


@pytest.fixture(scope="module")
def idc(real_data):
    return load_idc(real_data / "IDC_regular_ps50_idx5")


def _folds(idc):
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    return list(splitter.split(idc.data, idc.target, idc.groups))


@pytest.mark.slow
def test_frozen_features_reach_an_auc_of_090_over_five_folds_of_patients(idc):
    extractor, *rest = make_model("transfer")
    features = extractor.fit_transform(idc.data)  # frozen: the same in every fold
    model = make_pipeline(*rest)
    folds = _folds(idc)
    probabilities = cross_val_predict(
        model, features, idc.target, cv=folds, method="predict_proba"
    )[:, 1]

    auc = [roc_auc_score(idc.target[test], probabilities[test]) for _, test in folds]
    assert np.mean(auc) >= 0.90


@pytest.mark.slow
@pytest.mark.long
def test_the_default_network_reaches_an_auc_of_092_on_a_fold_of_patients_held_out(idc):
    # One of the five folds whose mean the README gives: all of them take a quarter of an hour.
    train, test = _folds(idc)[0]
    assert not set(idc.groups[train]) & set(idc.groups[test])

    model = PatchCNNClassifier(random_state=0).fit(idc.data[train], idc.target[train])

    auc = roc_auc_score(idc.target[test], model.predict_proba(idc.data[test])[:, 1])
    assert auc >= 0.92
