"""Our networks as Keras models, and under scikeras."""

import numpy as np
import pytest
import sklearn
from sklearn.base import is_classifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.utils import ClassifierTags
from sklearn.utils.fixes import parse_version

from skbreast.datasets import make_patches
from skbreast.networks import build_network


def tagged(wrapper):
    """Return scikeras' classifier with the tags that it lost to scikit-learn 1.6 (its 0.13)."""

    class TaggedKerasClassifier(wrapper):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags()
            tags.target_tags.required = True
            return tags

    return TaggedKerasClassifier


@pytest.mark.slow
def test_scikeras_trains_our_networks():
    wrappers = pytest.importorskip("scikeras.wrappers", reason="needs scikeras")
    bunch = make_patches(8, 6, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)
    model = tagged(wrappers.KerasClassifier)(
        model=build_network,
        model__architecture="small",
        model__input_shape=(16, 16, 3),
        model__n_classes=2,
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        epochs=20,
        batch_size=8,
        random_state=0,
        verbose=0,
    )
    assert is_classifier(model)
    fitted = model.fit(bunch.data, bunch.target)
    assert roc_auc_score(bunch.target, fitted.predict_proba(bunch.data)[:, 1]) > 0.9
    scores = cross_val_score(
        model.set_params(epochs=2),
        bunch.data,
        bunch.target,
        groups=bunch.groups,
        cv=StratifiedGroupKFold(2),
        scoring="roc_auc",
        error_score="raise",
    )
    assert np.isfinite(scores).all()


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.7"), reason="1.6 raises an AttributeError"
)
def test_scikeras_still_needs_the_tags():
    wrappers = pytest.importorskip("scikeras.wrappers", reason="needs scikeras")
    assert not is_classifier(wrappers.KerasClassifier(build_network))


@pytest.mark.parametrize("architecture", ["small", "resnet", "efficientnet_lite0"])
def test_networks_give_probabilities_or_scores(architecture):
    network = build_network(architecture, (32, 32, 3), 3)
    patches = make_patches(2, 1, patch_size=32, random_state=0).data.astype(np.float32)
    np.testing.assert_allclose(np.asarray(network(patches)).sum(axis=1), 1, rtol=1e-5)
    scores = build_network(architecture, (32, 32, 3), 3, activation=None)
    assert scores.output_shape == network.output_shape == (None, 3)
    assert np.abs(np.asarray(scores(patches)).sum(axis=1) - 1).min() > 1e-3


def test_unknown_networks_are_named():
    with pytest.raises(ValueError, match="architecture must be one of 'small', 'resnet'"):
        build_network("large", (32, 32, 3), 2)
    with pytest.raises(ValueError, match="activation must be one of 'softmax', None"):
        build_network("small", (32, 32, 3), 2, activation="relu")
