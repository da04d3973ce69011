"""A network whose batches are shared by several devices or processes, to one result."""

import contextlib
import functools
import threading

import keras
import numpy as np
import tensorflow as tf

from skbreast._keras.normalisation import FusedBatchNormalization
from skbreast._keras.training import Program, apply_adamw, compiled, plain_settings
from skbreast._teams import part_of

__all__ = ["SharedProgram", "drop_by_row", "normalise_together"]

_replica = threading.local()  # strategies trace each replica in a thread of its own


class SharedProgram(Program):
    """A program whose steps are computed by a team, each part of a batch by another replica.

    Losses, gradients and batch statistics are summed over all replicas before they are used, so
    every replica takes the same step, which is that of one device with the whole batch.

    Parameters
    ----------
    architecture, input_shape, n_classes, precision
        As for :class:`skbreast._keras.training.Program`.
    network : keras.Model, optional
        What `build_network` made of them, where that is known.
    team : skbreast._keras.team.Team
        Who takes part; in whose scope this is called.
    """

    def __init__(self, architecture, input_shape, n_classes, precision, network=None, *, team):
        self.team = team
        super().__init__(architecture, input_shape, n_classes, precision, network)
        self._described = super().describe()
        for layer in self.network._flatten_layers(include_self=False):
            _share(layer)

    def describe(self):
        """Return what an ordinary program of the same network returns."""
        return self._described

    def _compile(self, variables):
        with self.team.strategy.scope():
            optimizer = keras.optimizers.Adam()
            optimizer.build(variables)

        def learn(*batch):
            own = not callable(self.architecture)
            with plain_settings() if own else contextlib.nullcontext():
                replica = functools.partial(self._learn, optimizer, variables)
                results = self.team.strategy.run(replica, args=batch)
            return self.team.strategy.experimental_local_results(results)[0]

        traced = compiled(learn, [*self._batch_signature, tf.TensorSpec((), tf.int32)])

        def step(patches, targets, weights, learning_rate, n_whole):
            optimizer.learning_rate = learning_rate
            batch = zip((patches, targets, weights), self._batch_signature, strict=True)
            arrays = [tf.cast(array, spec.dtype) for array, spec in batch]
            with self.team.contact():
                return traced(*arrays, np.int32(n_whole)).numpy()

        return optimizer, step

    def _learn(self, optimizer, variables, patches, targets, weights, n_whole):
        """Take one step in one replica, given the rows of its process; return loss and accuracy."""
        context = tf.distribute.get_replica_context()
        patches, targets, weights = self._own_rows(context, n_whole, patches, targets, weights)
        with tf.GradientTape() as tape:
            scores = tf.cast(self.network(patches, training=True), tf.float32)
            losses = weights * self._losses(targets, scores)
            penalties = [tf.cast(each, tf.float32) for each in self.network.losses]
            shares = [each / context.num_replicas_in_sync for each in penalties]
            objective = tf.add_n([tf.reduce_sum(losses) / tf.cast(n_whole, tf.float32), *shares])
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        hits = tf.cast(tf.argmax(scores, axis=1, output_type=tf.int32) == targets, tf.float32)
        sums = tf.stack([tf.reduce_sum(each) for each in (losses, weights * hits, weights)])
        pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
        *gradients, sums = context.all_reduce("SUM", [*(gradient for gradient, _ in pairs), sums])
        apply_adamw(optimizer, gradients, [variable for _, variable in pairs])
        return sums[:2] / sums[2]

    def _own_rows(self, context, n_whole, *arrays):
        number, n_replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
        rows = part_of(n_whole, n_replicas, number)
        here = self.team.rows(n_whole)
        _replica.rows, _replica.n_whole = rows, n_whole
        with tf.device("CPU:0"):  # else each device would get the rows of all
            return [array[rows.start - here.start : rows.stop - here.start] for array in arrays]


def _share(layer):
    """Let a layer compute over the whole batch what it would compute over the rows it sees.

    It is told in place: a user's own network may be put together in any way.
    """
    if isinstance(layer, FusedBatchNormalization):
        layer.call = functools.partial(normalise_together, layer)
    elif isinstance(layer, keras.layers.BatchNormalization):
        layer.synchronized = True
    elif type(layer) is keras.layers.Dropout:
        layer.call = functools.partial(drop_by_row, layer)


def normalise_together(layer, inputs, training=None, mask=None):
    """Normalise by mean and variance of the whole batch, as `layer` does where it is alone.

    Parameters
    ----------
    layer : FusedBatchNormalization
        The layer.
    inputs : tensor of shape (n, height, width, d)
        The rows of this replica.
    training, mask
        As for the layer; without training they are all that counts.

    Returns
    -------
    tensor
        Of the shape and dtype of `inputs`.
    """
    if not (training and layer.trainable) or mask is not None:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    # From the moving mean on, for a variance that rounding leaves alone.
    around = tf.stop_gradient(tf.convert_to_tensor(layer.moving_mean))
    shifted = tf.cast(inputs, tf.float32) - around
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
    sums = [tf.reduce_sum(each, axis=(0, 1, 2)) for each in (shifted, tf.square(shifted))]
    totals = tf.distribute.get_replica_context().all_reduce("SUM", tf.concat([*sums, [count]], 0))
    (mean, square), count = tf.split(totals[:-1] / totals[-1], 2), totals[-1]
    variance = tf.maximum(square - tf.square(mean), 0.0)
    outputs = tf.nn.batch_normalization(
        shifted, mean, variance, layer.beta, layer.gamma, layer.epsilon
    )
    unbiased = variance * count / tf.maximum(count - 1, 1)
    for moving, value in ((layer.moving_mean, mean + around), (layer.moving_variance, unbiased)):
        moving.assign(moving * layer.momentum + value * (1 - layer.momentum))
    return tf.cast(outputs, inputs.dtype)


def drop_by_row(layer, inputs, training=False):
    """Drop what a Keras dropout drops of these rows where it sees the whole batch.

    Parameters
    ----------
    layer : keras.layers.Dropout
        The layer.
    inputs : tensor
        The rows of this replica.
    training : bool, default=False
        Whether anything is dropped.

    Returns
    -------
    tensor
        Of the shape and dtype of `inputs`.
    """
    if not training or layer.rate == 0 or layer.noise_shape is not None:
        return type(layer).call(layer, inputs, training=training)
    whole = tf.ones(tf.concat([[_replica.n_whole], tf.shape(inputs)[1:]], 0), inputs.dtype)
    return inputs * type(layer).call(layer, whole, training=True)[_replica.rows]
