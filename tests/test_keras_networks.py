"""Our own networks and the compiled program around them."""

import random
from functools import partial

import numpy as np
import pytest

from skbreast._keras import networks  # first: it starts TensorFlow quietly
from skbreast._keras.training import Program, seeded_layers
from skbreast.registry import ARCHITECTURES

import keras  # noqa: TID253  # isort: skip
from keras import layers  # noqa: TID253  # isort: skip

SHAPE = (16, 16, 3)


@pytest.fixture(scope="module")
def patches():
    return np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def program():
    return Program("small", SHAPE, 3, "float32")


def batch(patches, n_classes=3):
    targets = (np.arange(len(patches)) % n_classes).astype(np.int32)
    return patches, targets, np.ones(len(patches), dtype=np.float32)


def weights_after(program, patches, *, seed=0, steps=3):
    program.reset(np.random.default_rng(seed))
    program.standardise([120.0, 110.0, 130.0], [900.0, 800.0, 700.0])
    step = program.start("all")
    for _ in range(steps):
        loss, accuracy = step(*batch(patches), 1e-2)
        assert np.isfinite(float(loss))
        assert 0 <= float(accuracy) <= 1
    return program.get_weights()


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("shape", [(32, 20, 3), (1, 1, 7), (5, 3, 1)])
def test_networks_give_one_score_a_class(architecture, shape):
    network = networks.build_network(architecture, shape, 4)
    assert network.output_shape == (None, 4)
    assert network.layers[-1].activation is keras.activations.linear
    scores = network(np.full((2, *shape), 128.0, dtype=np.float32), training=False)
    assert np.isfinite(np.asarray(scores)).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bfloat16_keeps_variables_and_scores_in_float32(architecture):
    network = networks.build_network(architecture, SHAPE, 2, precision="bfloat16")
    assert {variable.dtype for variable in network.weights} == {"float32"}
    assert network.output.dtype == "float32"
    computed = {layer.compute_dtype for layer in network.layers if "conv" in layer.name}
    assert computed == {"bfloat16"}


def test_global_policy_is_left_alone():
    before = keras.config.dtype_policy().name, keras.config.floatx()
    networks.build_network("small", SHAPE, 2, precision="bfloat16")
    assert (keras.config.dtype_policy().name, keras.config.floatx()) == before


def test_standardising_by_hand(program, patches):
    mean, variance = np.array([10.0, 20.0, 30.0]), np.array([4.0, 9.0, 16.0])
    program.reset(np.random.default_rng(0))
    program.standardise(mean, variance)
    layer = program.network.get_layer(networks.STANDARDISE_LAYER)
    expected = (patches - mean) / np.sqrt(variance + layer.epsilon)
    np.testing.assert_allclose(np.asarray(layer(patches.astype("f4"))), expected, rtol=1e-4)
    assert layer.trainable_variables == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_networks_also_see_each_patch_without_its_own_stain(architecture, patches):
    program = Program(architecture, SHAPE, 2, "float32")
    program.standardise([120.0, 110.0, 130.0], [900.0, 800.0, 700.0])
    seen = keras.Model(
        program.network.input, program.network.get_layer(networks.CONTRAST_LAYER).output
    )
    darker = patches * np.array([0.5, 0.8, 0.9]) + np.array([10.0, 3.0, 0.0])

    plain, stained = (np.asarray(seen(p.astype("f4"))) for p in (patches, darker))

    centred = plain[..., :3] - plain[..., :3].mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(plain[..., :3].var(axis=(1, 2), keepdims=True) + networks.CONTRAST_FLOOR)
    np.testing.assert_allclose(plain[..., 3:], centred / deviation, atol=1e-4)
    assert np.abs(plain[..., :3] - stained[..., :3]).max() > 1
    np.testing.assert_allclose(plain[..., 3:], stained[..., 3:], atol=0.02)


def test_noise_on_blank_glass_stays_small():
    program = Program("small", SHAPE, 2, "float32")
    program.standardise([200.0] * 3, [900.0] * 3)
    glass = np.full((1, *SHAPE), 240.0, dtype=np.float32)
    glass[0, ::2, ::2] += 1
    own = program.network.get_layer(networks.CONTRAST_LAYER).output[..., 3:]
    seen = np.asarray(keras.Model(program.network.input, own)(glass))
    assert 0 < np.abs(seen).max() < 0.5


def test_training_leaves_the_standardising_alone(program, patches):
    weights_after(program, patches)
    layer = program.network.get_layer(networks.STANDARDISE_LAYER)
    np.testing.assert_array_equal(np.asarray(layer.moving_mean), [120, 110, 130])
    np.testing.assert_array_equal(np.asarray(layer.moving_variance), [900, 800, 700])


def test_reset_forgets_everything(program, patches):
    first = weights_after(program, patches)
    weights_after(program, patches, seed=1, steps=7)
    assert same(weights_after(program, patches), first)
    assert not same(weights_after(program, patches, seed=1), first)
    fresh = Program("small", SHAPE, 3, "float32")
    assert same(weights_after(fresh, patches), first)


def test_kernels_are_drawn_as_he_did():
    program = Program("small", (16, 16, 3), 2, "float32")
    program.reset(np.random.default_rng(0))
    kernels = [v for v in program.network.weights if v.name == "kernel" and len(v.shape) == 4]
    for variable in kernels[1:]:
        kernel = np.asarray(variable)
        assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[:-1])), rel=0.1)
        assert abs(kernel.mean()) < 0.1 * kernel.std()


def build_plain(input_shape, n_classes):
    """Build a network without batch normalisation, whose loss is a sum over patches."""
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(n_classes)(x))


def test_loss_and_accuracy_of_a_step_by_hand(patches):
    program = Program(build_plain, SHAPE, 3, "float32")
    program.reset(np.random.default_rng(0))
    scores = program.scores(patches).astype(np.float64)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    _, targets, _ = batch(patches)
    weights = np.array([1, 2, 0.5, 1, 3, 1], dtype=np.float32)
    loss, accuracy = program.start("all")(patches, targets, weights, 1e-2)
    expected = -np.average(logs[np.arange(6), targets], weights=weights)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    hits = scores.argmax(axis=1) == targets
    assert float(accuracy) == pytest.approx(np.average(hits, weights=weights), rel=1e-6)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2"])
def test_grey_patches_enter_a_backbone_as_rgb(name, patches):
    grey, rgb = (Program(name, (32, 32, channels), 2, "float32") for channels in (1, 3))
    grey.reset(np.random.default_rng(0))
    rgb.set_weights(grey.get_weights())
    pixels = np.kron(patches[..., :1], np.ones((1, 2, 2, 1), dtype=np.uint8))
    expected = rgb.scores(pixels.repeat(3, axis=3))
    np.testing.assert_allclose(grey.scores(pixels), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "finish",
    [
        layers.Softmax(),
        layers.Activation("softmax"),
        keras.ops.softmax,
        keras.Sequential([layers.Softmax()]),
    ],
)
def test_every_softmax_at_the_end_is_noticed(finish, patches):
    def build(input_shape, n_classes):
        plain = build_plain(input_shape, n_classes)
        return keras.Model(plain.input, finish(plain.output))

    program = Program(build, SHAPE, 3, "float32")
    small = patches.astype(np.float32) / 255
    expected = np.log(np.asarray(program.network(small)))
    np.testing.assert_allclose(program.scores(small), expected, rtol=1e-4, atol=1e-5)


def test_weights_round_trip(program, patches):
    kept = weights_after(program, patches)
    scores = program.scores(patches)
    weights_after(program, patches, seed=5)
    assert not np.array_equal(program.scores(patches), scores)
    program.set_weights(kept)
    np.testing.assert_array_equal(program.scores(patches), scores)
    kept[0][...] = -1  # copies: what is done to them does not reach the network
    np.testing.assert_array_equal(program.scores(patches), scores)


def test_scores_do_not_depend_on_neighbours(program, patches):
    weights_after(program, patches)
    alone = np.concatenate([program.scores(patch[None]) for patch in patches])
    np.testing.assert_allclose(program.scores(patches), alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(program.scores(patches.astype("f4")), program.scores(patches))


def tail(*last):
    def build(shape, n_classes):
        inputs = keras.Input(shape)
        x = layers.GlobalAveragePooling2D()(inputs)
        for layer in last:
            x = layer(n_classes)(x)
        return keras.Model(inputs, x)

    return build


@pytest.mark.parametrize(
    ("architecture", "ends_in_softmax"),
    [
        (tail(layers.Dense), False),
        (tail(lambda n: layers.Dense(n, activation="softmax")), True),
        (tail(layers.Dense, lambda n: layers.Softmax()), True),
        (tail(layers.Dense, lambda n: layers.Activation("softmax")), True),
        (tail(lambda n: keras.Sequential([layers.Dense(n, activation="softmax")])), True),
        (tail(lambda n: keras.Sequential([layers.Dense(n)])), False),
        (tail(lambda n: layers.Dense(n, activation=lambda x: keras.ops.softmax(x))), True),
        (
            tail(layers.Dense, lambda n: layers.Softmax(), lambda n: layers.Activation("linear")),
            True,
        ),
    ],
    ids=[
        "logits",
        "dense",
        "layer",
        "activation",
        "nested softmax",
        "nested logits",
        "of TensorFlow",
        "not last",
    ],
)
def test_softmax_is_recognised(architecture, ends_in_softmax, patches):
    program = Program(architecture, SHAPE, 3, "float32")
    scores = program.scores(patches)
    raw = np.asarray(program.network(patches.astype("f4")))
    np.testing.assert_allclose(
        np.exp(scores) if ends_in_softmax else scores, raw, rtol=1e-4, atol=1e-30
    )


def test_regularisers_of_a_users_network_work(patches):
    norms = []
    for regularizer in (None, keras.regularizers.L2(1e6)):
        build = tail(partial(layers.Dense, kernel_regularizer=regularizer))
        program = Program(build, SHAPE, 3, "float32")
        program.reset(np.random.default_rng(0))
        program.set_weights([np.full((3, 3), 0.5), np.zeros(3)])
        step = program.start("all")
        for _ in range(20):
            step(*batch(patches), 1e-2)
        norms.append(np.abs(program.get_weights()[0]).mean())
    assert norms[1] < 0.75 * norms[0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda shape, n: "no network", r"architecture: the callable returned str; a keras\.Model"),
        (tail(lambda n: layers.Dense(1)), r"shape \(None, 1\); \(None, 3\) is expected"),
    ],
)
def test_callables_that_return_something_else(build, message):
    with pytest.raises(ValueError, match=message):
        networks.build_network(build, SHAPE, 3)


def test_seeds_of_layers_are_ours_and_the_users_generator_is_left_alone():
    def kernel(seed):
        with seeded_layers(seed):
            return np.asarray(layers.Dense(4)(np.ones((1, 3), dtype="f4")))

    random.seed(5)
    expected = random.random()
    random.seed(5)
    first, again, other = kernel(0), kernel(0), kernel(1)
    assert random.random() == expected
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
