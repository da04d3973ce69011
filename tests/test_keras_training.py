"""What one step of the training does with weights."""

import numpy as np
import pytest

from skbreast._keras.training import Program  # first: it starts TensorFlow quietly
from skbreast._training_data import combine_weights

# isort: split
import keras  # noqa: TID253
from keras import layers  # noqa: TID253


def build_plain(input_shape, n_classes):
    """Build a network without batch normalisation, whose loss is a sum over patches."""
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(n_classes)(x))


@pytest.fixture(scope="module")
def program():
    program = Program(build_plain, (6, 6, 3), 2, "float32")
    rng = np.random.default_rng(0)
    program.set_weights([rng.normal(size=array.shape) for array in program.get_weights()])
    return program


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return rng.random((6, 6, 6, 3), dtype=np.float32), np.array([0, 1, 1, 0, 1, 0], np.int32)


def one_step(program, start, patches, targets, weights):
    """Return loss, accuracy, and the gradients: a tenth of them is Adam's first memory."""
    program.set_weights(start)
    loss, accuracy = program.start("all")(patches, targets, np.float32(weights), 1e-2)
    memory = [10 * array for array in program.optimizer_state("all") if array.ndim]
    return float(loss), float(accuracy), memory


def same(first, second):
    assert first[:2] == pytest.approx(second[:2], rel=1e-5)
    for one, other in zip(first[-1], second[-1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6 * np.abs(other).max())


def test_a_weight_is_a_number_of_repeats(program, batch):
    patches, targets = batch
    start, times = program.get_weights(), np.array([1, 3, 2, 1, 1, 2])
    weights = combine_weights(times, None, targets)
    weighted = one_step(program, start, patches, targets, weights)
    repeated = one_step(
        program, start, patches.repeat(times, axis=0), targets.repeat(times), np.ones(times.sum())
    )
    same(weighted, repeated)
    unweighted = one_step(program, start, patches, targets, np.ones(6))
    with pytest.raises(AssertionError):
        same(unweighted, weighted)


def test_a_class_weight_is_a_number_of_repeats(program, batch):
    patches, targets = batch
    start = program.get_weights()
    weights = combine_weights(None, {0: 1, 1: 3}, targets)
    times = np.where(targets == 1, 3, 1)
    weighted = one_step(program, start, patches, targets, weights)
    repeated = one_step(
        program, start, patches.repeat(times, axis=0), targets.repeat(times), np.ones(times.sum())
    )
    same(weighted, repeated)
