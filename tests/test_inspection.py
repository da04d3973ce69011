"""Maps of what a classifier looks at: known answers, planted squares, and random weights."""

import copy

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy.stats import spearmanr
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.feature_store import FeatureStore
from skbreast.inspection import activation_maps
from skbreast.inspection._occlusion import window_starts
from skbreast.inspection._weights import gradcam, gradcam_plus_plus, scaled
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.stain import ReinhardNormalizer
from skbreast.texture import ColorFeatures

METHODS = ("gradcam", "gradcam++", "occlusion")
CELL = 4  # pixels of a patch that a pixel of the small network's third maps stands for
TOLERANCE = 1e-3


def build_plain(shape, n_classes, *, end="raw"):
    """A network of somebody's own: maps in a network within, then scores or probabilities."""
    import keras
    from keras import layers, ops

    inner = keras.Sequential(
        [
            keras.Input(shape),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="inner_maps"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
        ]
    )
    inputs = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(inner(inputs))
    dense = layers.Dense(n_classes, activation="softmax" if end == "dense" else None)(x)
    ends = {
        "layer": lambda: layers.Softmax()(dense),
        "activation": lambda: layers.Activation("softmax")(dense),
        "operation": lambda: ops.softmax(dense),
        "custom": lambda: ops.exp(dense) / ops.sum(ops.exp(dense), axis=1, keepdims=True),
    }
    return keras.Model(inputs, ends.get(end, lambda: dense)())


def build_dense_softmax(shape, n_classes):
    return build_plain(shape, n_classes, end="dense")


def build_layer_softmax(shape, n_classes):
    return build_plain(shape, n_classes, end="layer")


def build_activation_softmax(shape, n_classes):
    return build_plain(shape, n_classes, end="activation")


def build_operation_softmax(shape, n_classes):
    return build_plain(shape, n_classes, end="operation")


def build_custom_softmax(shape, n_classes):
    return build_plain(shape, n_classes, end="custom")


def build_without_maps(shape, n_classes):
    import keras
    from keras import layers

    inputs = keras.Input(shape)
    x = layers.Dense(4)(layers.Flatten()(layers.Rescaling(1 / 255)(inputs)))
    # A map of a single pixel says nothing about places.
    x = layers.Flatten()(layers.Reshape((1, 1, 4))(x))
    return keras.Model(inputs, layers.Dense(n_classes)(x))


def plant(n_patches, side, square, *, seed):
    """Tissue; in every second patch a square of stripes, as light as what was there."""
    rng = np.random.default_rng(seed)
    tissue = make_patches(n_patches // 4, 4, patch_size=side, positive_share=0, random_state=seed)
    patches, y = tissue.data.astype(float), np.arange(n_patches) % 2
    corners = rng.integers(0, side - square + 1, size=(n_patches, 2))
    stripes = np.where(np.arange(square) // 2 % 2, 40, -40)[:, None, None]
    for patch, (top, left) in zip(patches[1::2], corners[1::2], strict=True):
        place = patch[top : top + square, left : left + square]
        place[:] = place.mean(axis=(0, 1)) + stripes
    return np.clip(patches, 0, 255).astype(np.uint8), y, corners


def share_inside(maps, corners, square, margin):
    """Mean share of the maps' sums that lies in the squares with a margin around them."""
    shares = []
    for each, (top, left) in zip(maps, corners, strict=True):
        rows = slice(max(0, top - margin), top + square + margin)
        columns = slice(max(0, left - margin), left + square + margin)
        shares.append(each[rows, columns].sum() / each.sum())
    return np.mean(shares)


@pytest.fixture(scope="module")
def planted():
    X, y, _ = plant(240, 48, 16, seed=0)
    test, _, corners = plant(40, 48, 16, seed=1)
    options = {"batch_size": 24, "augment": None, "precision": "float32", "random_state": 0}
    model = PatchCNNClassifier("small", max_epochs=8, **options).fit(X, y)
    return model, test, corners


@pytest.fixture(scope="module")
def tiny():
    """Patches whose sides are whole multiples of every map's, and three classes of them."""
    X = make_patches(6, 4, patch_size=32, random_state=0).data
    return X, np.arange(len(X)) % 2, np.arange(len(X)) % 3


@pytest.fixture(scope="module")
def features():
    """Patches, labels, and the fitted first step of pipelines that share it."""
    bunch = make_patches(4, 3, patch_size=112, random_state=0)
    extractor = TransferFeatureExtractor(layers=("block3", "block4"), engine="keras")
    extractor.set_params(precision="float32")
    return bunch.data, bunch.target, extractor


def fitted(architecture, X, y, **options):
    options = {"max_epochs": 1, "precision": "float32", "random_state": 0, **options}
    return PatchCNNClassifier(architecture, **options).fit(X, y)


# The mathematics


def test_gradcam_weights_maps_by_the_sum_of_their_gradients():
    maps = np.arange(8.0).reshape(1, 2, 2, 2)
    gradients = np.zeros((1, 2, 2, 2))
    gradients[0, 0, 0] = 1, -2
    gradients[0, 1, 1] = 2, 0
    np.testing.assert_allclose(gradcam(maps, gradients)[0], [[-2, 0], [2, 4]])


def test_gradcam_plus_plus_follows_the_paper_s_formula():
    rng = np.random.default_rng(0)
    maps, gradients = rng.random((2, 3, 4, 5)), rng.normal(size=(2, 3, 4, 5))
    total = maps.sum(axis=(1, 2), keepdims=True)
    alpha = gradients**2 / (2 * gradients**2 + total * gradients**3)
    weights = (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(gradcam_plus_plus(maps, gradients), (weights * maps).sum(axis=3))


def test_gradcam_plus_plus_has_no_poles():
    maps = np.full((1, 2, 2, 1), -1.0)
    found = gradcam_plus_plus(maps, np.full((1, 2, 2, 1), 0.5))  # 2 + total * gradient is 0
    assert np.isfinite(found).all()
    assert not gradcam_plus_plus(maps, np.zeros((1, 2, 2, 1))).any()


def test_scaled_by_patch_or_by_all():
    maps = np.array([[[1.0, -2]], [[4, 0]], [[0, 0]]])
    assert scaled(maps, None) is maps
    assert np.abs(scaled(maps, "patch")).max(axis=(1, 2)).tolist() == [1, 1, 0]
    np.testing.assert_allclose(scaled(maps, "all"), maps / 4)


def test_windows_reach_both_ends():
    assert window_starts(10, 4, 3).tolist() == [0, 3, 6]
    assert window_starts(10, 4, 4).tolist() == [0, 4, 6]
    assert window_starts(4, 4, 2).tolist() == [0]


def test_occlusion_of_a_linear_model_is_what_it_adds_up_in_the_window():
    rng = np.random.default_rng(0)
    X = rng.integers(256, size=(20, 8, 6, 3)).astype(np.uint8)
    flat = FunctionTransformer(lambda patches: patches.reshape(len(patches), -1) / 255.0)
    model = make_pipeline(flat, LogisticRegression()).fit(X, np.arange(20) % 2)
    options = {"window": (4, 3), "stride": (4, 3), "fill": 0, "signed": True, "target_class": 1}
    found = activation_maps(model, X, method="occlusion", **options)
    added = (model[-1].coef_.reshape(8, 6, 3) * X / 255.0).sum(axis=3)
    windows = added.reshape(20, 2, 4, 2, 3).sum(axis=(2, 4))
    np.testing.assert_allclose(found, windows.repeat(4, axis=1).repeat(3, axis=2), atol=1e-6)
    against = activation_maps(model, X, method="occlusion", **options | {"target_class": 0})
    np.testing.assert_allclose(against, -found, atol=1e-6)


# Networks


@pytest.mark.parametrize("architecture", ["small", "resnet", "efficientnet_lite0"])
def test_the_mean_of_a_map_is_the_score_less_the_bias(architecture, tiny):
    X, y, _ = tiny
    model = fitted(architecture, X, y)
    model.weights_[-1] = np.array([0.5, -1], dtype=np.float32)
    found = activation_maps(model, X, target_class=1, layer="last", signed=True)
    assert found.shape == X.shape[:3]
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found.mean(axis=(1, 2)) - 1.5, model.decision_function(X), atol=TOLERANCE
    )
    other = activation_maps(model, X, target_class=0, layer="last", signed=True)
    np.testing.assert_allclose(other, -found, atol=1e-5)
    for_it = activation_maps(model, X, target_class=1, layer="last")
    np.testing.assert_array_equal(for_it, np.maximum(found, 0))


def test_more_classes_have_a_raw_score_each(tiny):
    X, _, y = tiny
    model = fitted("small", X, y)
    for label in range(3):
        found = activation_maps(model, X, target_class=label, layer="last", signed=True)
        expected = model.decision_function(X)[:, label] - model.weights_[-1][label]
        np.testing.assert_allclose(found.mean(axis=(1, 2)), expected, atol=TOLERANCE)


def test_the_predicted_class_is_the_default_and_classes_go_by_their_labels(tiny):
    X, _, y = tiny
    model = fitted("small", X, np.array(["c", "a", "b"])[y])
    predicted = model.predict(X)
    by_default = activation_maps(model, X)
    np.testing.assert_array_equal(by_default, activation_maps(model, X, target_class=predicted))
    rows = predicted == predicted[0]
    alone = activation_maps(model, X[rows], target_class=predicted[0])
    np.testing.assert_allclose(by_default[rows], alone, atol=1e-5)


def test_networks_trained_in_bfloat16_are_looked_at_in_float32(tiny):
    X, y, _ = tiny
    model = fitted("small", X, y)
    coarse = copy.copy(model)
    coarse.precision_ = "bfloat16"
    assert not np.array_equal(coarse.decision_function(X), model.decision_function(X))
    found = [activation_maps(each, X, target_class=1) for each in (coarse, model)]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("architecture", ["small", "resnet", "efficientnet_lite0"])
def test_blocks_have_names(architecture, tiny):
    X, y, _ = tiny
    model = fitted(architecture, X[:8], y[:8])
    name = "block3" if architecture == "small" else "last"
    by_default = activation_maps(model, X[:2], target_class=1, signed=True)
    named = activation_maps(model, X[:2], target_class=1, layer=name, signed=True)
    np.testing.assert_allclose(named, by_default, atol=1e-5)
    earlier = activation_maps(model, X[:2], target_class=1, layer="block2", signed=True)
    assert np.isfinite(earlier).all()
    assert earlier.any()
    assert not np.allclose(earlier, by_default)
    with pytest.raises(ValueError, match=r"layer.*block1"):
        activation_maps(model, X[:2], layer="block99")


def test_patches_of_another_size_get_maps_of_their_own(tiny):
    X, y, _ = tiny
    model = fitted("small", X, y)
    assert activation_maps(model, X[:3].repeat(2, axis=1)).shape == (3, 64, 32)


def test_looking_leaves_other_classifiers_of_the_structure_alone(tiny):
    X, y, _ = tiny
    first, second = fitted("small", X, y), fitted("small", X, 1 - y, random_state=1)
    before = first.decision_function(X)
    serial = [activation_maps(each, X, target_class=1) for each in (first, second)]
    np.testing.assert_array_equal(first.decision_function(X), before)
    threads = Parallel(2, prefer="threads")(
        delayed(activation_maps)(each, X, target_class=1) for each in (first, second)
    )
    np.testing.assert_array_equal(threads, serial)


@pytest.mark.parametrize(
    "build",
    [
        build_dense_softmax,
        build_layer_softmax,
        build_activation_softmax,
        build_operation_softmax,
        build_custom_softmax,
    ],
)
def test_a_softmax_at_the_end_is_passed_over(build, tiny):
    X, y, _ = tiny
    model = fitted(build_plain, X, y)
    probable = copy.copy(model)
    probable.architecture = build
    found = [activation_maps(each, X, target_class=1, signed=True) for each in (model, probable)]
    assert np.abs(found[0]).max() > TOLERANCE
    np.testing.assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize("build", [build_dense_softmax, build_operation_softmax])
def test_a_sure_softmax_has_gradients_all_the_same(build, tiny):
    X, _, y = tiny
    model = fitted(build_plain, X, y)
    model.weights_[-2] = 500 * model.weights_[-2]
    sure = copy.copy(model)
    sure.architecture = build
    assert sure.predict_proba(X).max() == 1
    found = [activation_maps(each, X, signed=True) for each in (model, sure)]
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-2)


def test_layers_of_a_network_of_one_s_own_go_by_name(tiny):
    X, y, _ = tiny
    model = fitted(build_plain, X, y)
    inner = activation_maps(model, X, target_class=1, layer="inner_maps", signed=True)
    assert inner.any()
    assert not np.allclose(inner, activation_maps(model, X, target_class=1, signed=True))
    np.testing.assert_array_equal(
        inner, activation_maps(model, X, target_class=1, layer="inner_maps", signed=True)
    )
    with pytest.raises(ValueError, match="inner_maps"):
        activation_maps(model, X, layer="outer_maps")


def test_a_network_without_maps_is_told_of_occlusion(tiny):
    X, y, _ = tiny
    model = fitted(build_without_maps, X, y)
    with pytest.raises(ValueError, match=r"no layer that gives feature maps.*occlusion"):
        activation_maps(model, X)
    assert activation_maps(model, X[:2], method="occlusion").shape == (2, 32, 32)


def test_an_architecture_changed_since_the_fit_is_refused(tiny):
    X, y, _ = tiny
    model = fitted("small", X, y).set_params(architecture="resnet")
    with pytest.raises(ValueError, match="must be what it was in fit"):
        activation_maps(model, X, target_class=1)


# Planted squares


@pytest.mark.parametrize("method", METHODS)
def test_maps_of_a_trained_network_lie_on_the_planted_square(method, planted):
    model, X, corners = planted
    rows = slice(1, None, 2)
    assert model.score(X, np.arange(len(X)) % 2) >= 0.95
    found = activation_maps(model, X[rows], method=method)
    box = {"corners": corners[rows], "square": 16, "margin": CELL}
    assert share_inside(np.ones_like(found), **box) < 0.3
    assert share_inside(found, **box) >= 0.8
    if method != "gradcam++":  # which finds several places more evenly, and this one less sharply
        assert share_inside(found, **box | {"margin": 0}) >= 0.7


@pytest.mark.parametrize("method", ["gradcam", "gradcam++"])
def test_maps_of_a_frozen_network_lie_on_the_planted_square(method):
    X, y, _ = plant(96, 96, 32, seed=0)
    test, _, corners = plant(32, 96, 32, seed=1)
    model = make_pipeline(TransferFeatureExtractor(), StandardScaler(), LogisticRegression(C=0.1))
    model.fit(X, y)
    rows = slice(1, None, 2)
    assert model.score(test, np.arange(len(test)) % 2) >= 0.95
    found = activation_maps(model, test[rows], method=method)
    box = {"corners": corners[rows], "square": 32, "margin": 8}
    assert share_inside(np.ones_like(found), **box) < 0.3
    assert share_inside(found, **box) >= 0.7


@pytest.mark.parametrize("method", METHODS)
def test_maps_hang_on_the_weights(method, planted):
    """The sanity check of Adebayo 2018: with weights drawn anew, maps must change."""
    model, X, _ = planted
    X = X[1::4]
    options = {"method": method, "target_class": 1, "signed": True}
    found = activation_maps(model, X, **options)
    np.testing.assert_array_equal(found, activation_maps(model, X, **options))
    correlations = []
    for seed in range(3):
        random = copy.copy(model)
        rng = np.random.default_rng(seed)
        random.weights_ = [
            rng.permutation(each.ravel()).reshape(each.shape) if each.ndim > 1 else each
            for each in model.weights_
        ]
        others = activation_maps(random, X, **options)
        assert (others.std(axis=(1, 2)) > 0).all()  # else they are told apart too easily
        correlations += [
            spearmanr(*maps, axis=None).statistic for maps in zip(found, others, strict=True)
        ]
    assert np.mean(np.abs(correlations)) < 0.5


# Pipelines of a frozen network and a linear model


@pytest.mark.parametrize(
    "rest",
    [
        [LogisticRegression(max_iter=5000)],
        [StandardScaler(), LogisticRegression()],
        [StandardScaler(), LinearSVC()],
        [MinMaxScaler(), RidgeClassifier()],
        [RobustScaler(), SelectKBest(k=20), SGDClassifier(random_state=0)],
        [MaxAbsScaler(), RidgeClassifier()],
        [StandardScaler(), PCA(5, whiten=True), LogisticRegression()],
        ["passthrough", make_pipeline(StandardScaler(), LogisticRegression())],
    ],
    ids=lambda rest: "-".join(getattr(type(step), "__name__", "") for step in rest),
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_mean_of_a_class_activation_map_is_the_decision_function(rest, n_classes, features):
    X, _, extractor = features
    y = np.arange(len(X)) % n_classes
    model = make_pipeline(extractor, *rest).fit(X, y)
    decision = model.decision_function(X)
    decision = np.column_stack([-decision, decision]) if n_classes == 2 else decision
    for label in range(n_classes):
        found = activation_maps(model, X, target_class=label, signed=True)
        expected = decision[:, label]
        tolerance = 1e-4 * np.abs(decision).max()
        np.testing.assert_allclose(found.mean(axis=(1, 2)), expected, atol=tolerance)


def test_searches_and_thresholds_are_unwrapped(features):
    X, y, extractor = features
    groups = np.arange(len(X))
    plain = make_pipeline(extractor, StandardScaler(), LogisticRegression()).fit(X, y)
    expected = activation_maps(plain, X[:2], target_class=1)
    grid = {"logisticregression__C": [1.0]}
    search = GridSearchCV(plain, grid, cv=2).fit(X, y)
    for model in (
        search,
        SensitivityThresholdClassifierCV(plain, cv=2, random_state=0).fit(X, y, groups=groups),
        FixedThresholdClassifier(search, threshold=0.4).fit(X, y),
    ):
        found = activation_maps(model, X[:2], target_class=1)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_default_class_is_that_of_the_threshold(features):
    X, y, extractor = features
    plain = make_pipeline(extractor, StandardScaler(), LogisticRegression())
    strict = FixedThresholdClassifier(plain, threshold=1.1).fit(X, y)
    assert set(strict.predict(X)) == {0}
    found = activation_maps(strict, X[:2])
    np.testing.assert_array_equal(found, activation_maps(strict, X[:2], target_class=0))


@pytest.mark.parametrize("kind", ["network", "pipeline"])
def test_references_have_the_maps_of_arrays(kind, tiny, tmp_path, save_patches):
    X, y, _ = tiny
    X, y = X[:6], y[:6]
    references = save_patches(X, tmp_path)
    if kind == "network":
        model, methods = fitted("small", X, y), METHODS
    else:
        extractor = TransferFeatureExtractor(layers="block4")
        model = make_pipeline(extractor, LogisticRegression()).fit(X, y)
        methods = METHODS[:2]
    for method in methods:
        found = [activation_maps(model, each, method=method) for each in (references, X)]
        np.testing.assert_array_equal(*found)


def test_what_stands_in_front_is_applied_first(features):
    X, y, extractor = features
    model = make_pipeline(ReinhardNormalizer(), extractor, LogisticRegression()).fit(X, y)
    found = activation_maps(model, X[:3], target_class=1)
    normalized = model[0].transform(X[:3])
    expected = activation_maps(model[1:], normalized, target_class=1)
    np.testing.assert_array_equal(found, expected)
    assert not np.allclose(found, activation_maps(model[1:], X[:3], target_class=1))


def test_occlusion_takes_any_classifier(tiny):
    X, y, _ = tiny
    probable = CalibratedClassifierCV(LinearSVC(), cv=2)
    model = make_pipeline(ReinhardNormalizer(), ColorFeatures(), StandardScaler(), probable)
    found = activation_maps(model.fit(X, y), X[:2], method="occlusion", signed=True)
    assert found.shape == (2, 32, 32)
    assert 0 < np.abs(found).max() <= 1  # probabilities, since there is no decision function


def test_occlusion_keeps_no_features_of_covered_patches(tiny, tmp_path):
    X, y, _ = tiny
    extractor = TransferFeatureExtractor(layers="block2", memory=tmp_path)
    model = make_pipeline(extractor, LogisticRegression()).fit(X[:6], y[:6])
    before = FeatureStore(tmp_path).info()
    activation_maps(model, X[:1], method="occlusion", window=16, target_class=1)
    assert FeatureStore(tmp_path).info() == before
    assert extractor.memory == tmp_path


# Errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "lime"}, "method must be one of"),
        ({"normalize": "row"}, "normalize must be one of"),
        ({"signed": 1}, "signed"),
        ({"batch_size": 0}, "batch_size"),
        ({"layer": 3}, "layer must be None or the name"),
        ({"layer": "last", "method": "occlusion"}, "layer has no effect"),
        ({"window": 8}, "window has no effect"),
        ({"window": 0, "method": "occlusion"}, "window must be None"),
        ({"window": 64, "method": "occlusion"}, "larger than the patches"),
        ({"window": 4, "stride": 5, "method": "occlusion"}, "leaves pixels out"),
        ({"fill": "blur", "method": "occlusion"}, "fill must be one of"),
        ({"fill": [1, 2], "method": "occlusion"}, "3 numbers"),
        ({"target_class": 7}, "target_class must be among"),
        ({"target_class": [0, 1]}, "one for each of 3 patches"),
    ],
)
def test_arguments_are_checked(options, words, tiny):
    X, y, _ = tiny
    model = make_pipeline(ColorFeatures(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match=words):
        activation_maps(model, X[:3], **options)


def test_estimators_without_maps_are_told_of_occlusion(features):
    X, y, extractor = features
    largest = TransferFeatureExtractor(layers="block4", pooling="max")
    for model, words in (
        (make_pipeline(largest, RidgeClassifier()), "pooling='avg'"),
        (make_pipeline(extractor, Normalizer(), RidgeClassifier()), "Normalizer"),
        (make_pipeline(extractor, MinMaxScaler(clip=True), RidgeClassifier()), "clipping"),
        (make_pipeline(extractor, CalibratedClassifierCV(LinearSVC(), cv=2)), "coef_"),
        (make_pipeline(ColorFeatures(), RidgeClassifier()), "PatchCNNClassifier"),
    ):
        with pytest.raises(ValueError, match=rf"{words}.*occlusion"):
            activation_maps(model.fit(X, y), X[:1])


def test_a_model_that_compares_classes_in_pairs_has_no_weights_of_a_class(features):
    X, y, extractor = features
    model = make_pipeline(extractor, StandardScaler(), SVC(kernel="linear"))
    found = activation_maps(model.fit(X, y), X, target_class=1, signed=True)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), model.decision_function(X), atol=TOLERANCE)
    model.fit(X, np.arange(len(X)) % 3)  # as many pairs as classes
    with pytest.raises(ValueError, match=r"SVC are not its coef_.*occlusion"):
        activation_maps(model, X[:1])


def test_what_is_not_fitted_or_no_picture_is_refused(features, tiny):
    X, y, extractor = features
    with pytest.raises(NotFittedError):
        activation_maps(PatchCNNClassifier(), X)
    model = make_pipeline(extractor, LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="reshape the rows"):
        activation_maps(model, X.reshape(len(X), -1))
    with pytest.raises(ValueError, match="layers; got 'last'"):
        activation_maps(model, X[:1], layer="last")
    with pytest.raises(ValueError, match="must be a classifier"):
        activation_maps(extractor.fit(X), X[:1])
