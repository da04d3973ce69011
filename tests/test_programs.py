"""One compiled network a structure and thread: what is shared, and what never is."""

import random
import threading
from functools import partial

import numpy as np
import pytest

from skbreast import PatchCNNClassifier
from skbreast._keras import programs  # first: it starts TensorFlow quietly
from skbreast._keras.blueprints import blueprint
from skbreast._keras.programs import get_program
from skbreast.datasets import make_patches

# isort: split
import keras  # noqa: TID253
from keras import layers  # noqa: TID253

SHAPE = (16, 16, 3)
FACTOR = [1.0]


def build(shape, n_classes, *, width=4, rate=0.5, middle=None, swap=False, dtype="float32"):
    inputs = keras.Input(shape)
    x = layers.Conv2D(width, 3, padding="same", dtype=dtype)(layers.Rescaling(1 / 255)(inputs))
    first, second = layers.Dropout(rate)(x), layers.ReLU()(x)
    if middle is not None:
        first = middle(first)
    x = layers.Concatenate()([second, first] if swap else [first, second])
    x = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(n_classes)])(x)
    return keras.Model(inputs, keras.ops.softmax(x))


class Doubled(layers.Layer):
    """A layer of somebody's own."""

    def call(self, x):
        return 2 * x

    def compute_output_shape(self, shape):
        return shape


def scaled(x):
    return FACTOR[0] * x


def adapted(x):
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(size=(8, *x.shape[1:])))
    return layer(x)


# Blueprints


def test_blueprints_of_one_structure_are_equal():
    first, second = build(SHAPE, 2), build(SHAPE, 2)
    assert [each.name for each in first.layers] != [each.name for each in second.layers]
    assert blueprint(first) == blueprint(second) is not None
    large = [
        keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=2)
        for _ in range(2)
    ]
    assert blueprint(large[0]) == blueprint(large[1]) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"width": 5},
        {"rate": 0.4},
        {"swap": True},
        {"dtype": "mixed_bfloat16"},
        {"middle": lambda x: layers.Activation("relu")(x)},
        {"middle": lambda x: layers.Activation("tanh")(x)},
        {"middle": lambda x: layers.Activation("tanh", name="relu")(x)},
        {"middle": lambda x: layers.Dense(4, kernel_regularizer="l2")(x)},
        {"middle": lambda x: layers.Dense(4, trainable=False)(x)},
        {"middle": lambda x: layers.Dense(4, name="Dense")(x)},
    ],
)
def test_blueprints_of_other_structures_differ(change):
    others = [build(SHAPE, 2), build((16, 17, 3), 2), build(SHAPE, 3)]
    others += [build(SHAPE, 2, middle=lambda x: layers.Activation("sigmoid")(x))]
    assert blueprint(build(SHAPE, 2, **change)) not in {blueprint(other) for other in others}


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: layers.Lambda(lambda each: FACTOR[0] * each)(x),
        lambda x: layers.Activation(lambda each: FACTOR[0] * each)(x),
        lambda x: layers.Activation(scaled)(x),
        lambda x: layers.TimeDistributed(layers.Dense(4, activation=scaled))(x),
        lambda x: Doubled()(x),
        lambda x: keras.Sequential([Doubled()])(x),
        lambda x: layers.TimeDistributed(Doubled())(x),
        lambda x: layers.Dense(4, kernel_initializer=lambda shape, dtype: np.ones(shape))(x),
        adapted,
    ],
    ids=[
        "lambda",
        "no name",
        "function",
        "function inside",
        "own",
        "own inside",
        "own wrapped",
        "initializer",
        "adapted",
    ],
)
def test_what_a_configuration_does_not_say_has_no_blueprint(middle):
    assert blueprint(build(SHAPE, 2, middle=middle)) is None


def test_layers_that_stand_in_two_places_have_no_blueprint():
    def stacked(*places):
        inner = [layers.Dense(4) for _ in range(3)]
        x = inputs = keras.Input((4,))
        for place in places:
            x = keras.Sequential([inner[place]])(x)
        return keras.Model(inputs, x)

    assert blueprint(stacked(0, 1, 2)) is not None
    assert blueprint(stacked(0, 0, 1)) is blueprint(stacked(0, 1, 1)) is None


def test_a_frozen_weight_shows():
    frozen = build(SHAPE, 2)
    frozen.layers[2].kernel.trainable = False
    assert blueprint(frozen) != blueprint(build(SHAPE, 2))


def test_recurrent_cells_and_wrappers_have_no_blueprint():
    inputs = keras.Input((4, 3))
    for layer in (layers.GRU(2), layers.Bidirectional(layers.LSTM(2))):
        assert blueprint(keras.Model(inputs, layer(inputs))) is None


# Programs


def test_programs_are_shared_within_a_thread_only():
    first = get_program("small", SHAPE, 2, "float32")
    assert get_program("small", list(SHAPE), 2, "float32") is first
    others = []
    thread = threading.Thread(
        target=lambda: others.append(get_program("small", SHAPE, 2, "float32"))
    )
    thread.start()
    thread.join()
    assert others[0] is not first


def test_few_programs_are_kept():
    for n_classes in range(2, 2 + 2 * programs.PROGRAMS_KEPT):
        get_program(build, SHAPE, n_classes, "float32")
    assert len(programs._kept()) == programs.PROGRAMS_KEPT
    for _ in range(2 * programs.CALLABLES_KNOWN):
        get_program(partial(build), SHAPE, 2, "float32")
    assert len(programs._known()) == programs.CALLABLES_KNOWN


def test_callables_that_build_the_same_share_a_program_but_no_weights():
    first = get_program(build, SHAPE, 2, "float32", fresh=True, seed=0)
    start = first.get_weights()
    first.set_weights([np.ones_like(array) for array in start])
    again = get_program(partial(build), SHAPE, 2, "float32", fresh=True, seed=0)
    assert again is first
    assert all(map(np.array_equal, again.get_weights(), start))
    other = get_program(build, SHAPE, 2, "float32", fresh=True, seed=1)
    assert not all(map(np.array_equal, other.get_weights(), start))
    assert get_program(partial(build, width=5), SHAPE, 2, "float32") is not first


@pytest.mark.parametrize("middle", [None, lambda x: layers.Lambda(lambda each: each)(x)])
def test_a_callable_is_not_called_to_predict(middle):
    calls = []

    def counted(*structure):
        calls.append(None)
        return build(*structure, middle=middle)

    program = get_program(counted, SHAPE, 2, "float32", fresh=True)
    assert get_program(counted, SHAPE, 2, "float32") is program
    assert len(calls) == 1
    get_program(counted, SHAPE, 2, "float32", fresh=True)
    assert len(calls) == 2


def test_a_callable_that_changes_its_mind_is_followed():
    bunch = make_patches(6, 2, patch_size=16, mpp=1.6, random_state=0)

    def whim(shape, n_classes):
        scale = FACTOR[0]
        return build(shape, n_classes, middle=lambda x: layers.Lambda(lambda v: scale * v)(x))

    def fit():
        model = PatchCNNClassifier(whim, max_epochs=1, batch_size=4, random_state=0)
        return model.fit(bunch.data, bunch.target).predict_proba(bunch.data)

    try:
        first = fit()
        FACTOR[0] = 50.0
        assert np.abs(fit() - first).max() > 1e-3
    finally:
        FACTOR[0] = 1.0
    np.testing.assert_array_equal(fit(), first)


def test_shared_programs_give_the_bits_of_new_ones(monkeypatch):
    bunch = make_patches(6, 2, patch_size=16, mpp=1.6, random_state=0)

    def fit():
        model = PatchCNNClassifier(partial(build), max_epochs=2, batch_size=4, random_state=0)
        return model.fit(bunch.data, bunch.target).weights_

    fit()
    shared = fit()
    monkeypatch.setattr(programs, "_local", threading.local())
    assert all(map(np.array_equal, fit(), shared))
    state = random.getstate()
    fit()
    assert random.getstate() == state


def test_a_network_that_was_given_before_is_refused():
    model = build(SHAPE, 2)
    get_program(lambda *_: model, SHAPE, 2, "float32", fresh=True)
    with pytest.raises(ValueError, match=r"returned the same keras\.Model again; it must build"):
        get_program(lambda *_: model, SHAPE, 2, "float32", fresh=True)


def test_a_program_in_use_is_left_alone():
    outer = get_program("small", SHAPE, 2, "float32", fresh=True)
    own = get_program(build, SHAPE, 2, "float32", fresh=True)
    with outer.held(), own.held():
        assert get_program("small", SHAPE, 2, "float32", fresh=True) is not outer
        assert get_program(build, SHAPE, 2, "float32", fresh=True) is not own
    assert get_program("small", SHAPE, 2, "float32", fresh=True) is outer
    assert get_program(build, SHAPE, 2, "float32", fresh=True) is own


@pytest.mark.parametrize("named", ["standardise", "scores", "dropout"])
def test_users_may_name_layers_as_they_like(named):
    def with_name(shape, n_classes):
        inputs = keras.Input(shape)
        x = layers.Rescaling(1 / 255, name=named)(inputs)
        return keras.Model(inputs, layers.Dense(n_classes)(layers.Flatten()(x)))

    bunch = make_patches(6, 2, patch_size=16, mpp=1.6, random_state=0)
    model = PatchCNNClassifier(with_name, max_epochs=1, random_state=0)
    assert model.fit(bunch.data, bunch.target).predict(bunch.data).shape == (12,)
