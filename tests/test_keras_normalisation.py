"""Fused batch normalisation gives what Keras' own gives: results, gradients, statistics."""

import numpy as np
import pytest

import skbreast._keras  # noqa: F401 - starts Keras quietly
from skbreast._keras.normalisation import FusedBatchNormalization

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")


def make_pair(dtype="float32"):
    """Return Keras' layer and ours with the same random weights."""
    rng = np.random.default_rng(0)
    layers = [
        cls(momentum=0.9, dtype=dtype)
        for cls in (keras.layers.BatchNormalization, FusedBatchNormalization)
    ]
    weights = [rng.uniform(0.5, 2, size=5).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build((None, 6, 7, 5))
        layer.set_weights(weights)
    return layers


def maps(n=8):
    rng = np.random.default_rng(1)
    return (rng.standard_normal((n, 6, 7, 5)) * [1, 5, 0.1, 30, 1] + 3).astype(np.float32)


def learn(layer, inputs):
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 3)
    gamma, beta = (variable.value for variable in layer.trainable_variables)
    return outputs, *tape.gradient(loss, [inputs, gamma, beta])


def test_a_step_is_that_of_keras():
    expected, found = (learn(layer, maps()) for layer in make_pair())
    for theirs, ours in zip(expected, found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_moving_statistics_are_those_of_keras():
    theirs, ours = make_pair()
    for layer in (theirs, ours):
        learn(layer, maps())
    _, _, mean, variance = theirs.get_weights()
    np.testing.assert_allclose(ours.get_weights()[2], mean, rtol=1e-5)
    n = 8 * 6 * 7
    correction = 0.1 * maps().reshape(-1, 5).var(axis=0) / (n - 1)
    np.testing.assert_allclose(ours.get_weights()[3], variance + correction, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_inference_is_that_of_keras(dtype):
    theirs, ours = make_pair(dtype)
    np.testing.assert_array_equal(ours(maps(), training=False), theirs(maps(), training=False))
    ours.trainable = theirs.trainable = False
    np.testing.assert_array_equal(ours(maps(), training=True), theirs(maps(), training=True))


def test_bfloat16_keeps_its_statistics_in_float32():
    exact, rounded = make_pair()[1], make_pair("mixed_bfloat16")[1]
    outputs = [layer(maps(), training=True) for layer in (exact, rounded)]
    assert outputs[1].dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs[1], tf.float32), outputs[0], rtol=0.02, atol=0.1)
    for first, second in zip(exact.get_weights(), rounded.get_weights(), strict=True):
        assert second.dtype == np.float32
        np.testing.assert_allclose(second, first, rtol=0.02, atol=1e-3)


def test_one_pixel_of_one_patch():
    layer = FusedBatchNormalization(momentum=0.9)
    layer.build((None, 1, 1, 5))
    outputs = layer(maps(1)[:, :1, :1], training=True)
    np.testing.assert_allclose(outputs, 0, atol=1e-6)
    assert all(np.isfinite(array).all() for array in layer.get_weights())


def test_public_networks_hold_keras_own_layers():
    from skbreast.networks import build_network

    for name in ("small", "resnet"):
        modules = {type(layer).__module__ for layer in build_network(name, (24, 24, 3), 2).layers}
        assert {module.partition(".")[0] for module in modules} == {"keras"}
