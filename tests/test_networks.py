"""Our networks under scikeras, where scikeras works at all."""

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

from skbreast.datasets import make_patches
from skbreast.networks import build_network

NEWEST = "1.6"  # scikeras 0.13 uses what scikit-learn 1.7 took away


@pytest.mark.skipif(
    parse_version(sklearn.__version__) >= parse_version("1.7"),
    reason=f"scikeras works up to scikit-learn {NEWEST}",
)
def test_scikeras_trains_our_networks():
    wrappers = pytest.importorskip("scikeras.wrappers")
    bunch = make_patches(6, 4, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)
    model = wrappers.KerasClassifier(
        model=build_network,
        model__architecture="small",
        model__input_shape=(16, 16, 3),
        model__n_classes=2,
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        epochs=2,
        random_state=0,
        verbose=0,
    )
    model.fit(bunch.data, bunch.target)
    np.testing.assert_allclose(model.predict_proba(bunch.data).sum(axis=1), 1, rtol=1e-5)


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
