"""`PatchCNNClassifier`: what goes in, what is learned, what is kept, what is refused."""

import io
import os
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import PredefinedSplit, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast import PatchCNNClassifier, _classifier_fit
from skbreast._training_data import split_off_validation
from skbreast.datasets import make_patches
from skbreast.reading import PatchReadError
from skbreast.texture import ColorFeatures


def make_classifier(architecture="small", **parameters):
    defaults = {"max_epochs": 2, "batch_size": 8, "random_state": 0}
    return PatchCNNClassifier(architecture, **(defaults | parameters))


@pytest.fixture(scope="module")
def bunch():
    """Sixteen patches of eight patients."""
    return make_patches(8, 2, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)


@pytest.fixture(scope="module")
def X(bunch):  # noqa: N802
    return bunch.data


@pytest.fixture(scope="module")
def y(bunch):
    return bunch.target


@pytest.fixture(scope="module")
def references(X, save_patches, tmp_path_factory):
    return save_patches(X, tmp_path_factory.mktemp("patches"))


@pytest.fixture(scope="module")
def fitted(X, y):
    return make_classifier().fit(X, y)


def same_weights(first, second):
    return all(map(np.array_equal, first.weights_, second.weights_))


# What is predicted


def test_scaled_patches_are_noticed_by_a_network_that_learned_raw_ones(fitted, X, y, recwarn):
    fitted.predict(X.astype(float))
    scaled = make_classifier(max_epochs=1).fit(X / 255, y)
    scaled.predict(X / 255)
    assert not [warning for warning in recwarn if "scaled" in str(warning.message)]
    with pytest.warns(UserWarning, match="X holds raw pixels, 0…255, but the network was fitted"):
        scaled.predict(X)
    with pytest.warns(UserWarning, match="X looks scaled to -1…1; patches are expected as raw"):
        fitted.predict(X / 127.5 - 1)
    with pytest.warns(UserWarning, match="scaled to 0…1"):
        fitted.predict(X / 255)


def test_predictions_agree_for_two_classes(fitted, X, y):
    probabilities, scores = fitted.predict_proba(X), fitted.decision_function(X)
    assert probabilities.shape == (16, 2)
    assert scores.shape == (16,)
    assert probabilities.dtype == scores.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(probabilities[:, 1], expit(scores))
    predicted = fitted.predict(X)
    np.testing.assert_array_equal(predicted, fitted.classes_[probabilities.argmax(axis=1)])
    np.testing.assert_array_equal(predicted, fitted.classes_[(scores > 0).astype(int)])
    assert fitted.score(X, y) == np.mean(predicted == y)


def test_more_classes_and_their_names(X):
    names = np.array(["lobular", "ductal", "other"])[np.arange(16) % 3]
    model = make_classifier().fit(X, names)
    assert model.classes_.tolist() == ["ductal", "lobular", "other"]
    probabilities, scores = model.predict_proba(X), model.decision_function(X)
    assert probabilities.shape == scores.shape == (16, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponents / exponents.sum(axis=1, keepdims=True))
    assert model.predict(X).tolist() == model.classes_[scores.argmax(axis=1)].tolist()


def test_names_of_classes_change_nothing_else(fitted, X, y):
    named = make_classifier().fit(X, np.array(["benign", "malignant"], dtype=object)[y])
    assert same_weights(named, fitted)
    assert named.predict(X).tolist() == [["benign", "malignant"][k] for k in fitted.predict(X)]


def test_predictions_depend_on_the_patch_alone(fitted, X):
    whole = fitted.decision_function(X)
    alone = np.concatenate([fitted.decision_function(patch[None]) for patch in X[:3]])
    np.testing.assert_allclose(whole[:3], alone, rtol=0.02, atol=1e-3)  # bfloat16
    other = pickle.loads(pickle.dumps(fitted)).set_params(batch_size=3)
    np.testing.assert_allclose(other.decision_function(X), whole, rtol=0.02, atol=1e-3)


def test_attributes(fitted, X):
    assert is_classifier(fitted)
    assert fitted.patch_shape_ == (16, 16, 3)
    assert fitted.n_features_in_ == 16 * 16 * 3
    assert fitted.n_iter_ == fitted.best_epoch_ == 2
    assert fitted.precision_ in ("float32", "bfloat16")
    assert set(fitted.history_) == {"loss", "accuracy", "learning_rate"}
    assert all(len(values) == 2 for values in fitted.history_.values())
    assert all(type(value) is float for values in fitted.history_.values() for value in values)
    assert all(isinstance(array, np.ndarray) for array in fitted.weights_)
    assert {array.dtype for array in fitted.weights_} == {np.dtype(np.float32)}


# What goes in


def test_references_are_their_pixels(fitted, X, y, references):
    model = make_classifier().fit(references, y)
    assert same_weights(model, fitted)
    assert model.n_features_in_ == 768
    np.testing.assert_array_equal(model.predict_proba(references), fitted.predict_proba(X))
    np.testing.assert_array_equal(fitted.predict_proba(references), fitted.predict_proba(X))


def test_streamed_references_are_the_same(fitted, y, references, monkeypatch):
    monkeypatch.setattr("skbreast._patches.KEPT_BYTES", 0)
    assert same_weights(make_classifier().fit(references, y), fitted)


def test_missing_reference_is_named(fitted, y, references):
    broken = references.copy()
    broken[3] = "no/such patch.png"
    for use in (fitted.predict, lambda X: make_classifier().fit(X, y)):
        with pytest.raises(PatchReadError, match=r"no/such patch\.png"):
            use(broken)


def test_float_patches_on_the_same_scale(X, y, fitted):
    without = make_classifier(augment="geometric").fit(X, y)
    for given in (X.astype(float), X.astype(np.int64)):
        assert same_weights(make_classifier(augment="geometric").fit(given, y), without)
    np.testing.assert_array_equal(fitted.predict_proba(X.astype(float)), fitted.predict_proba(X))


def test_rows(X, y):
    rows = X.reshape(16, -1)
    shaped = make_classifier(image_shape=(16, 16, 3)).fit(rows, y)
    assert same_weights(shaped, make_classifier().fit(X, y))
    assert shaped.patch_shape_ == (16, 16, 3)
    with pytest.raises(ValueError, match="767 features"):
        shaped.predict(rows[:, 1:])
    plain = make_classifier().fit(rows[:, :12], y)
    assert plain.patch_shape_ == (1, 1, 12)
    assert plain.n_features_in_ == 12
    assert plain.predict(rows[:, :12]).shape == (16,)


@pytest.mark.parametrize(("n_channels", "size"), [(1, (16, 16)), (3, (9, 13)), (5, (7, 4))])
def test_odd_sizes_and_channels(X, y, n_channels, size):
    given = X[:, : size[0], : size[1], [0, 1, 2, 0, 1][:n_channels]]
    model = make_classifier(max_epochs=1).fit(given, y)
    assert model.patch_shape_ == (*size, n_channels)
    assert model.predict_proba(given).shape == (16, 2)


def test_input_size(X, y, references):
    model = make_classifier(max_epochs=1, input_size=(12, 20)).fit(X, y)
    assert model.patch_shape_ == (12, 20, 3)
    assert model.n_features_in_ == 768
    streamed = make_classifier(max_epochs=1, input_size=(12, 20)).fit(references, y)
    assert same_weights(model, streamed)
    assert make_classifier(max_epochs=1, input_size=12).fit(X, y).patch_shape_ == (12, 12, 3)


def test_references_of_odd_sizes_take_the_commonest(X, y, references, fitted, tmp_path):
    mixed = references.astype(object)
    for number, size in ((0, (9, 16)), (5, (16, 3))):
        mixed[number] = str(tmp_path / f"{number}.png")
        Image.fromarray(X[number, : size[0], : size[1]]).save(mixed[number])
    model = make_classifier(max_epochs=1).fit(mixed, y)
    assert model.patch_shape_ == (16, 16, 3)
    assert model.predict(mixed).shape == (16,)
    assert fitted.predict_proba(X[:, :9, :11]).shape == (16, 2)


# Weights of patches


def test_weight_zero_leaves_out(X, y):
    weight = np.ones(16)
    weight[[1, 6, 10]] = 0
    kept = weight > 0
    weighted = make_classifier().fit(X, y, sample_weight=weight)
    assert same_weights(weighted, make_classifier().fit(X[kept], y[kept]))


def test_a_class_of_weight_zero_is_no_class(X, y):
    with pytest.raises(ValueError, match="y holds one class, 0; at least 2"):
        make_classifier().fit(X, y, sample_weight=(y == 0).astype(float))
    with pytest.raises(ValueError, match=r"[Ss]ample.weight"):
        make_classifier().fit(X, y, sample_weight=np.zeros(16))


def test_weights_count_in_batches_of_one(X, y):
    plain = make_classifier(batch_size=1).fit(X, y)
    assert not same_weights(
        plain, make_classifier(batch_size=1, class_weight={0: 1, 1: 9}).fit(X, y)
    )


@pytest.mark.parametrize("scale", [1e-50, 0.25, 1e50])
def test_the_scale_of_weights_does_not_matter(X, y, scale):
    weight = 1.0 + np.arange(16) % 4
    expected = make_classifier().fit(X, y, sample_weight=weight)
    scaled = make_classifier().fit(X, y, sample_weight=scale * weight)
    for one, other in zip(scaled.weights_, expected.weights_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_class_weight_is_a_sample_weight(X, y):
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:2]]
    X, y = X[few], y[few]
    balanced = make_classifier(class_weight="balanced").fit(X, y)
    share = {0: 10 / 16, 1: 10 / 4}
    assert same_weights(balanced, make_classifier(class_weight=share).fit(X, y))
    weight = np.array([share[label] for label in y])
    assert same_weights(balanced, make_classifier().fit(X, y, sample_weight=weight))
    assert not same_weights(balanced, make_classifier().fit(X, y))


def test_weights_shift_the_decision(X, y):
    malignant = make_classifier(class_weight={0: 1, 1: 50}, max_epochs=6, learning_rate=0.01).fit(
        X, y
    )
    benign = make_classifier(class_weight={0: 50, 1: 1}, max_epochs=6, learning_rate=0.01).fit(X, y)
    difference = malignant.decision_function(X) - benign.decision_function(X)
    assert difference.mean() > 1


# Validation and early stopping


def test_inner_split_that_cannot_be(X, y, bunch):
    two = np.isin(bunch.groups, np.unique(bunch.groups)[:2])
    assert set(y[two]) == {0, 1}
    with pytest.raises(ValueError, match=r"groups: early stopping cannot .* two patients a class"):
        make_classifier(early_stopping=True).fit(X[two], y[two], groups=bunch.groups[two])


def test_early_stopping_keeps_the_best_weights(X, y):
    model = make_classifier(early_stopping=True, patience=2, max_epochs=30, learning_rate=0.05)
    model.fit(X, y, X_val=X, y_val=1 - y)  # the better it learns, the worse it is
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) < 30
    assert model.best_epoch_ == np.argmin(losses) + 1 == model.n_iter_ - 2
    probabilities = model.predict_proba(X)[np.arange(16), 1 - y]
    assert -np.log(probabilities).mean() == pytest.approx(min(losses), rel=1e-3)
    hits = np.mean(model.predict(X) == 1 - y)
    assert hits == pytest.approx(model.history_["val_accuracy"][model.best_epoch_ - 1])


def test_given_validation_is_watched_but_not_learned(fitted, X, y, references):
    model = make_classifier().fit(X, y, X_val=references[:5], y_val=y[:5])
    assert same_weights(model, fitted)
    probabilities = model.predict_proba(X[:5])[np.arange(5), y[:5]]
    assert model.history_["val_loss"][-1] == pytest.approx(-np.log(probabilities).mean(), rel=1e-3)


def test_early_stopping_with_groups_learns_from_the_others_only(X, y, bunch):
    model = make_classifier(early_stopping=True)
    model.fit(X, y, groups=bunch.groups)
    assert len(model.history_["val_loss"]) == model.n_iter_
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    rows, others = split_off_validation(y, bunch.groups, fraction=0.15, seed=seed)
    given = make_classifier(early_stopping=True)
    given.fit(X[rows], y[rows], X_val=X[others], y_val=y[others])
    assert same_weights(model, given)
    assert model.history_ == given.history_


def test_every_phase_of_fine_tuning_has_its_patience(X, y):
    model = make_classifier(
        "efficientnet_lite0",
        weights=None,
        max_epochs=8,
        early_stopping=True,
        patience=1,
        learning_rate=1.0,
        input_size=32,
    )
    model.fit(X[:4], y[:4], X_val=X[4:8], y_val=1 - y[4:8])
    assert model.best_epoch_ == np.argmin(model.history_["val_loss"]) + 1


# Seeds and state


def test_same_seed_same_bits(fitted, X, y):
    make_classifier("resnet", max_epochs=1, random_state=3).fit(X[..., :1], y)
    make_classifier(random_state=1).fit(X, y)
    again = make_classifier().fit(X, y)
    assert same_weights(again, fitted)
    assert again.history_ == fitted.history_
    assert same_weights(again.fit(X, y), fitted)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_threads_do_not_change_the_bits(fitted, X, y):
    with ThreadPoolExecutor(2) as pool:
        models = list(pool.map(lambda _: make_classifier().fit(X, y), range(2)))
    assert all(same_weights(model, fitted) for model in models)


def test_other_seeds_differ(fitted, X, y):
    assert not same_weights(make_classifier(random_state=1).fit(X, y), fitted)
    unseeded = make_classifier(random_state=None, max_epochs=1)
    assert not same_weights(clone(unseeded).fit(X, y), unseeded.fit(X, y))
    state = np.random.RandomState(0)
    assert same_weights(make_classifier(random_state=state).fit(X, y), fitted)


@pytest.mark.parametrize("architecture", ["small", "resnet"])
def test_nothing_global_changes(X, y, architecture):
    import keras

    def state():
        numpy_state = np.random.get_state()  # noqa: NPY002
        policy = keras.config.dtype_policy().name, keras.config.floatx()
        return random.getstate(), numpy_state[1].tolist(), numpy_state[2:], policy, {**os.environ}

    before = state()
    shape_not_built_before = X[:, :11, :10]
    model = make_classifier(architecture, precision="bfloat16", max_epochs=1)
    model.fit(shape_not_built_before, y).predict(shape_not_built_before)
    assert state() == before


def test_arguments_are_left_alone(X, y, references):
    X_before, y_before, names_before = X.copy(), y.copy(), references.copy()
    weight = np.linspace(0, 1, 16)
    make_classifier(max_epochs=1).fit(X, y, sample_weight=weight)
    make_classifier(max_epochs=1).fit(references, y)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(references, names_before)
    np.testing.assert_array_equal(weight, np.linspace(0, 1, 16))


def test_warm_start_goes_on(X, y):
    model = make_classifier(warm_start=True, max_epochs=3, learning_rate=1e-2).fit(X, y)
    first, history = model.weights_, model.history_
    model.set_params(max_epochs=1, learning_rate=1e-12).fit(X, y)
    assert model.n_iter_ == 4
    assert model.history_["loss"][:3] == history["loss"]
    trained = [(a, b) for a, b in zip(first, model.weights_, strict=True) if a.ndim > 1]
    for before, after in trained:
        np.testing.assert_allclose(after, before, atol=1e-6)
    cold = model.set_params(warm_start=False).fit(X, y)
    assert cold.n_iter_ == 1


def test_a_history_has_an_entry_an_epoch(X, y):
    model = make_classifier(warm_start=True, max_epochs=2).fit(X, y)
    model.fit(X, y, X_val=X, y_val=y).fit(X, y)
    assert {len(series) for series in model.history_.values()} == {6}
    known = np.isfinite(model.history_["val_loss"])
    assert known.tolist() == [False, False, True, True, False, False]
    assert np.isfinite(model.history_["loss"]).all()


def test_warm_start_refuses_another_task(X, y):
    model = make_classifier(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start: y has the classes \[0, 1, 2\]"):
        model.fit(X, np.arange(16) % 3)
    with pytest.raises(ValueError, match="warm_start: X has patches of 1 channels"):
        model.fit(X[..., :1], y)
    with pytest.raises(ValueError, match=r"warm_start: input_size=8, the last fit had \(16, 16\)"):
        clone(model).fit(X, y).set_params(input_size=8).fit(X, y)
    model.set_params(architecture="resnet")
    for method in (lambda: model.fit(X, y), lambda: model.predict(X)):
        with pytest.raises(ValueError, match=r"last fit do not fit architecture='resnet'"):
            method()


def test_an_interruption_before_the_training_leaves_the_last(X, y, monkeypatch):
    model = make_classifier(max_epochs=1).fit(X, y)
    before = dict(vars(model))

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_classifier_fit, "start_program", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[..., :1], np.array(["a", "b"])[y])
    assert vars(model) == before


def test_a_new_fit_forgets_the_last(X, y):
    model = make_classifier(max_epochs=1).fit(X, y)
    grey, names = X[:, :9, :9, :1], np.array(["x", "y", "z"])[np.arange(16) % 3]
    model.fit(grey, names, X_val=grey, y_val=names)
    assert model.patch_shape_ == (9, 9, 1)
    assert same_weights(model, make_classifier(max_epochs=1).fit(grey, names))


def test_pickle_holds_weights_and_little_else(fitted, X):
    content = pickle.dumps(fitted)
    assert len(content) <= 1.2 * sum(array.nbytes for array in fitted.weights_)

    class NoKeras(pickle.Unpickler):
        def find_class(self, module, name):
            assert module.partition(".")[0] in ("skbreast", "numpy", "builtins"), module
            return super().find_class(module, name)

    restored = NoKeras(io.BytesIO(content)).load()
    np.testing.assert_array_equal(restored.predict_proba(X), fitted.predict_proba(X))
    assert restored.history_ == fitted.history_


def test_clone_and_predicting_change_nothing(fitted, X, y):
    copy = clone(fitted)
    assert not hasattr(copy, "weights_")
    assert same_weights(copy.fit(X, y), fitted)
    state = pickle.dumps(copy)
    copy.predict(X)
    assert pickle.dumps(copy) == state


def test_estimators_of_one_structure_do_not_mix(X, y):
    first, second = (make_classifier(random_state=seed).fit(X, y) for seed in (0, 1))
    expected = first.predict_proba(X)
    second.predict(X)
    np.testing.assert_array_equal(first.predict_proba(X), expected)
    assert (second.predict_proba(X) != expected).any()


# Networks


def test_resnet(X, y):
    model = make_classifier("resnet", max_epochs=1).fit(X, y)
    assert len(model.weights_) > 50
    assert model.predict_proba(X).shape == (16, 2)


def build_logits(input_shape, n_classes):
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(x))


def build_softmax(input_shape, n_classes):
    import keras

    logits = build_logits(input_shape, n_classes)
    return keras.Model(logits.input, keras.layers.Softmax()(logits.output))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda shape, n: build_logits((9, 9, 3), n), r"input has shape \(None, 9, 9, 3\)"),
        (lambda shape, n: build_logits(shape, 1), r"output has shape \(None, 1\)"),
        (lambda shape, n: "network", "returned str; a keras.Model is expected"),
    ],
)
def test_callables_that_build_something_else(X, y, build, message):
    with pytest.raises(ValueError, match=f"architecture: the .*{message}"):
        make_classifier(build).fit(X, y)


def test_a_network_is_no_function(X, y):
    with pytest.raises(ValueError, match="architecture is a network; give a function"):
        make_classifier(build_logits((16, 16, 3), 2)).fit(X, y)


def test_callables_with_scores_or_probabilities(X, y):
    logits, softmax = (make_classifier(f).fit(X, y) for f in (build_logits, build_softmax))
    probabilities = softmax.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(logits.predict_proba(X), probabilities, atol=1e-4)
    assert softmax.history_["loss"] == pytest.approx(logits.history_["loss"], rel=1e-3)


def test_callables_are_seeded_and_pickled(X, y):
    model = make_classifier(build_logits).fit(X, y)
    assert same_weights(clone(model).fit(X, y), model)
    assert not same_weights(clone(model).set_params(random_state=1).fit(X, y), model)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))


def packaged_backbone():
    from skbreast._keras.backbones import build_backbone
    from skbreast.registry import get_backbone

    return build_backbone(get_backbone("efficientnet_lite0"), weights="imagenet")


def test_fine_tuning_starts_from_the_published_weights(X, y, tmp_path):
    tuned = make_classifier("efficientnet_lite0", max_epochs=1, input_size=32).fit(X, y)
    backbone = packaged_backbone()
    expected = backbone.get_weights()
    inner, head = tuned.weights_[: len(expected)], tuned.weights_[len(expected) :]
    assert all(map(np.array_equal, inner, expected))
    assert [array.shape for array in head] == [(1280, 2), (2,)]
    path = tmp_path / "lite.weights.h5"
    backbone.save_weights(path)
    given = clone(tuned).set_params(weights=path).fit(X, y)
    assert same_weights(given, tuned)
    blank = clone(tuned).set_params(weights=None).fit(X, y)
    assert not np.array_equal(blank.weights_[0], expected[0])


@pytest.mark.slow
def test_fine_tuning_learns_the_head_first_then_the_top(X, y):
    tuned = make_classifier(
        "efficientnet_lite0",
        max_epochs=16,
        input_size=32,
        learning_rate=0.01,
        batch_size=4,
        augment=None,
    ).fit(X, y)
    assert len(tuned.history_["loss"]) == 16
    rates = tuned.history_["learning_rate"]
    assert max(rates[:4]) > 0.003 > 0.001 > max(rates[4:])
    names, expected = zip(
        *((w.path, np.asarray(w)) for w in packaged_backbone().weights), strict=True
    )
    pairs = zip(expected, tuned.weights_, strict=False)
    changed = [not np.array_equal(before, after) for before, after in pairs]
    kernels = [number for number, name in enumerate(names) if name.endswith("kernel")]
    assert [number for number, new in enumerate(changed) if new] == kernels[-sum(changed) :]
    assert 0.25 < sum(changed) / len(kernels) < 0.75
    assert tuned.history_["loss"][-1] < 0.6 * tuned.history_["loss"][0]


@pytest.mark.slow
def test_learns_more_than_colour():
    patches = make_patches(20, 12, patch_size=32, mpp=1.2, difficulty=0.1, random_state=1)
    X, y, groups = patches.data, patches.target, patches.groups
    folds = list(StratifiedGroupKFold(3).split(X, y, groups))
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)
    colour = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression())
    by_colour = cross_val_predict(colour, X, y, cv=folds, method="decision_function")
    model = make_classifier(max_epochs=15, batch_size=32, learning_rate=3e-3)
    by_network = cross_val_predict(model, X, y, cv=folds, method="decision_function")
    assert roc_auc_score(y, by_network) > max(0.78, roc_auc_score(y, by_colour) + 0.15)


# What is refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architecture", "resnet999"),
        ("architecture", None),
        ("weights", 5),
        ("weights", "imagenet"),
        ("early_stopping", "no"),
        ("warm_start", None),
        ("verbose", "x"),
        ("input_size", 0),
        ("input_size", "large"),
        ("input_size", (1, 2, 3)),
        ("max_epochs", 0),
        ("max_epochs", 1.5),
        ("batch_size", 0),
        ("batch_size", True),
        ("learning_rate", 0),
        ("learning_rate", -1e-3),
        ("learning_rate", np.inf),
        ("learning_rate", np.nan),
        ("learning_rate", "fast"),
        ("class_weight", "even"),
        ("class_weight", {0: -1, 1: 1}),
        ("augment", "everything"),
        ("augment", True),
        ("validation_fraction", 0),
        ("validation_fraction", 0.6),
        ("patience", 0),
        ("precision", "float16"),
    ],
)
def test_bad_parameters_are_named(X, y, name, value):
    with pytest.raises(ValueError, match=name):
        make_classifier(**{"max_epochs": 1, name: value}).fit(X, y)


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 1), (0, 16, 3), 768])
def test_bad_image_shape_is_named(X, y, shape):
    with pytest.raises(ValueError, match="image_shape"):
        make_classifier(image_shape=shape).fit(X.reshape(16, -1), y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": np.zeros((16, 4, 4))}, "X has 3 dimensions"),
        ({"X": np.zeros((0, 4, 4, 3))}, "0 sample"),
        ({"X": np.full((16, 4, 4, 3), np.nan)}, "NaN"),
        ({"X": "patch.png"}, "put it in a list"),
        ({"y": np.zeros(15)}, "y has 15 labels for 16 patches"),
        ({"y": np.linspace(0, 1, 16)}, "continuous"),
        ({"y": ["benign"] * 16}, "y holds one class, 'benign'"),
        ({"sample_weight": np.ones(15)}, "sample_weight"),
        ({"sample_weight": -np.ones(16)}, "sample_weight"),
        ({"groups": ["a"] * 15}, "groups has 15 entries"),
        ({"groups": [None] * 16}, "groups lacks the patient"),
        ({"X_val": np.zeros((2, 16, 16, 3))}, "X_val and y_val"),
        ({"y_val": [0, 1]}, "X_val and y_val"),
        ({"X_val": np.zeros((2, 16, 16, 1)), "y_val": [0, 1]}, "X_val has patches of 1 channels"),
        ({"X_val": np.zeros((2, 16, 16, 3)), "y_val": [0]}, "y_val has 1 labels for 2"),
        ({"X_val": np.zeros((2, 16, 16, 3)), "y_val": [0, 7]}, r"y_val .* lacks: \[7\]"),
    ],
)
def test_bad_arguments_are_named(X, y, changes, message):
    with pytest.raises(ValueError, match=message):
        make_classifier(max_epochs=1).fit(**({"X": X, "y": y} | changes))


def test_backbones_refuse_what_they_cannot_see(X, y):
    with pytest.raises(ValueError, match=r"input_size: efficientnet_lite0 .* at least 32"):
        make_classifier("efficientnet_lite0").fit(X, y)
    with pytest.raises(ValueError, match="X has patches of 2 channels; architecture="):
        make_classifier("efficientnet_lite0", input_size=32).fit(X[..., :2], y)
    with pytest.raises(ValueError, match=r"missing\.weights\.h5' does not exist"):
        make_classifier("vgg16", weights="missing.weights.h5", input_size=32).fit(X, y)


def test_other_channels_than_fitted(fitted, X):
    with pytest.raises(ValueError, match=r"X has patches of 1 channels; .* on patches of 3"):
        fitted.predict(X[..., :1])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_unfitted(X, y, method):
    with pytest.raises(NotFittedError):
        getattr(make_classifier(), method)(X)
    failed = make_classifier()
    with pytest.raises(ValueError, match="y_val"):
        failed.fit(X, y, X_val=X, y_val=y[:3])
    with pytest.raises(NotFittedError):
        getattr(failed, method)(X)


def test_metadata_is_routed(X, y, bunch, monkeypatch):
    import sklearn
    from sklearn.model_selection import cross_val_score

    seen = []

    def note_groups(targets, groups, **options):
        seen.append(set(groups))
        return split_off_validation(targets, groups, **options)

    monkeypatch.setattr(_classifier_fit, "split_off_validation", note_groups)
    patients = list(dict.fromkeys(bunch.groups))
    halves = [patients.index(patient) // 2 % 2 for patient in bunch.groups]  # both classes in each

    with sklearn.config_context(enable_metadata_routing=True):
        model = make_classifier(max_epochs=1, early_stopping=True, validation_fraction=0.5)
        model.set_fit_request(sample_weight=True, groups=True)
        model.set_score_request(sample_weight=True)
        scores = cross_val_score(
            model,
            X,
            y,
            cv=PredefinedSplit(halves),
            params={"groups": bunch.groups, "sample_weight": np.ones(16)},
        )
    assert scores.shape == (2,)
    assert set.union(*seen) == set(bunch.groups)
    assert all(groups < set(bunch.groups) for groups in seen)
