"""Train and run a network: its steps, compiled once, and its weights, reset between fits."""

import contextlib
import functools
import random
import threading
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from skbreast._keras.backbones import build_backbone
from skbreast._keras.blueprints import blueprint
from skbreast._keras.networks import BACKBONE_LAYER, STANDARDISE_LAYER, build_network
from skbreast.registry import BACKBONES

__all__ = [
    "Program",
    "compiled",
    "draw_kernels",
    "file_state",
    "plain_settings",
    "seeded_layers",
]

WEIGHT_DECAY = 1e-4
UNDECAYED = ("bias", "gamma", "beta")
_build_lock = threading.RLock()


@contextlib.contextmanager
def seeded_layers(seed):
    """Let layers that are built without a seed draw it from here, not from the user's generator.

    Keras takes such seeds from Python's global generator, which is left as it was.
    """
    with _build_lock:
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)


@contextlib.contextmanager
def plain_settings():
    """Build a network of ours in float32 and channels last, whatever the user's session prefers."""
    with _build_lock:
        policy, data_format = keras.config.dtype_policy(), keras.config.image_data_format()
        keras.config.set_dtype_policy("float32")
        keras.config.set_image_data_format("channels_last")
        try:
            yield
        finally:
            keras.config.set_dtype_policy(policy)
            keras.config.set_image_data_format(data_format)


def compiled(function, signature):
    """Return a function that TensorFlow traces at its first call, and that can be forgotten.

    A concrete function would keep its graph forever. A `partial` stands for itself where
    TensorFlow counts traces, so that many programs with one line of code bring no warning.
    """
    return tf.function(functools.partial(function), input_signature=signature)


class Program:
    """A network with its compiled steps.

    Parameters
    ----------
    architecture, input_shape, n_classes, precision
        As for :func:`skbreast._keras.networks.build_network`.
    network : keras.Model, optional
        What `build_network` made of them, where that is known.
    """

    def __init__(self, architecture, input_shape, n_classes, precision, network=None):
        self.architecture = architecture
        self.network = network or build_network(
            architecture, input_shape, n_classes, precision=precision
        )
        self._initial = [variable.numpy() for variable in self.network.weights]
        self.in_use = False
        self._makes_probabilities = callable(architecture) and _gives_probabilities(
            self.network, input_shape
        )
        self._steps = {}
        self._batch_signature = [
            tf.TensorSpec((None, *input_shape), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None,), tf.float32),
        ]
        self._forward = compiled(
            lambda patches: self._scores(patches, training=False), self._batch_signature[:1]
        )

    @property
    def phases(self):
        """Names of the training phases, in order."""
        return ("head", "top") if self.architecture in BACKBONES else ("all",)

    def reset(self, rng, *, weights=None):
        """Give every variable the value that it has at the start of a fit.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where the random weights come from.
        weights : None, "imagenet" or path
            For a backbone: its weights; None draws them as well.
        """
        if not callable(self.architecture):
            for variable, initial in zip(self.network.weights, self._initial, strict=True):
                variable.assign(initial)
            draw_kernels(self.network, rng)
        if weights is not None:
            backbone = self.network.get_layer(BACKBONE_LAYER).network
            backbone.set_weights(_pretrained(self.architecture, *file_state(weights)))
        self.reseed(rng)

    def reseed(self, rng):
        """Draw the state of every layer that is random itself, as dropout is."""
        for state in _seed_states(self.network):
            state.assign(rng.integers(2**31, size=state.shape).astype("uint32"))

    def seed_states(self):
        """Return copies of the states of all layers that are random themselves."""
        return [np.array(state.numpy()) for state in _seed_states(self.network)]

    def set_seed_states(self, values):
        """Load what :meth:`seed_states` gave."""
        for state, value in zip(_seed_states(self.network), values, strict=True):
            state.assign(value)

    def describe(self):
        """Return a text that tells the network from others, and whether it tells all.

        Returns
        -------
        text : str
            The same in every process, however many networks were built before.
        whole : bool
            Whether networks of one text compute the same from the same weights.
        """
        if text := blueprint(self.network):
            return text, True
        variables = [(each.name, *each.shape, each.dtype) for each in self.network.weights]
        return repr(variables), False

    def standardise(self, mean, variance):
        """Set what the network's first layer subtracts and divides by, per channel."""
        for layer in [] if callable(self.architecture) else self.network.layers:
            if layer.name == STANDARDISE_LAYER:
                layer.moving_mean.assign(mean)
                layer.moving_variance.assign(variance)

    def start(self, phase, optimizer_state=None):
        """Set the optimizer's state and return the compiled step of a phase.

        Parameters
        ----------
        phase : str
            One of `phases`.
        optimizer_state : list of ndarray, optional
            From :meth:`optimizer_state`; by default all is forgotten.

        Returns
        -------
        callable
            ``step(patches, targets, weights, learning_rate)`` → ``(loss, accuracy)``, weighted
            means over the batch, after one step of the optimizer.
        """
        if phase not in self._steps:
            self._steps[phase] = self._compile(self._variables(phase))
        optimizer, step = self._steps[phase]
        values = optimizer_state or [tf.zeros_like(each.value) for each in optimizer.variables]
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
        return step

    def optimizer_state(self, phase):
        """Return copies of what the optimizer of a phase remembers of earlier steps."""
        optimizer, _ = self._steps[phase]
        return [variable.numpy() for variable in optimizer.variables]

    def _compile(self, variables):
        optimizer = keras.optimizers.Adam()
        optimizer.build(variables)

        def learn(patches, targets, weights):
            with tf.GradientTape() as tape:
                scores = tf.cast(self._scores(patches, training=True), tf.float32)
                losses = weights * self._losses(targets, scores)
                # Over the number of patches: over their weights, those of a batch would cancel out.
                # Then regularisers, which a user's own network may have.
                penalties = [tf.cast(each, tf.float32) for each in self.network.losses]
                objective = tf.add_n([tf.reduce_mean(losses), *penalties])
            gradients = tape.gradient(objective, [variable.value for variable in variables])
            apply_adamw(optimizer, gradients, variables)
            hits = tf.cast(tf.argmax(scores, axis=1, output_type=tf.int32) == targets, tf.float32)
            total = tf.reduce_sum(weights)
            return tf.reduce_sum(losses) / total, tf.reduce_sum(weights * hits) / total

        traced = compiled(learn, self._batch_signature)

        def step(patches, targets, weights, learning_rate):
            optimizer.learning_rate = learning_rate
            batch = zip((patches, targets, weights), self._batch_signature, strict=True)
            return traced(*(tf.cast(array, spec.dtype) for array, spec in batch))

        return optimizer, step

    def _scores(self, patches, *, training):
        own = not callable(self.architecture)
        with plain_settings() if own else contextlib.nullcontext():  # some layers ask when traced
            return self.network(patches, training=training)

    def _losses(self, targets, scores):
        return keras.losses.sparse_categorical_crossentropy(
            targets, scores, from_logits=not self._makes_probabilities
        )

    def _variables(self, phase):
        if phase == "all":
            return self.network.trainable_variables
        head = self.network.get_layer("scores").trainable_variables
        return head if phase == "head" else self._top_variables() + head

    def _top_variables(self):
        """Trainable variables of the upper half of the backbone's blocks."""
        backbone = self.network.get_layer(BACKBONE_LAYER).network
        blocks = BACKBONES[self.architecture].blocks
        border = backbone.get_layer(blocks[len(blocks) // 2].partition(".")[0])
        first = backbone.layers.index(border) + 1
        return [
            variable
            for layer in backbone.layers[first:]
            if not isinstance(layer, keras.layers.BatchNormalization)
            for variable in layer.trainable_variables
        ]

    def scores(self, patches):
        """Return ``(n, n_classes)`` float32 logits (log-probabilities where a softmax ends it)."""
        scores = np.asarray(self._forward(tf.cast(patches, tf.float32)), dtype=np.float32)
        if self._makes_probabilities:
            return np.log(np.maximum(scores, np.finfo(np.float32).tiny))
        return scores

    @contextlib.contextmanager
    def held(self):
        """Keep this network for one training: a callback may fit another of its structure."""
        self.in_use = True
        try:
            yield self
        finally:
            self.in_use = False

    @contextlib.contextmanager
    def kept(self):
        """Put back the weights that it has now: a training may be under way in this thread."""
        own = self.get_weights()
        try:
            yield
        finally:
            self.set_weights(own)

    def get_weights(self):
        """Return copies of all weights."""
        return [np.array(array) for array in self.network.get_weights()]

    def set_weights(self, weights):
        """Load weights that :meth:`get_weights` gave."""
        self.network.set_weights(weights)


def apply_adamw(optimizer, gradients, variables):
    """Let an Adam optimizer take one step with decoupled weight decay (Loshchilov 2019).

    `optimizer.apply` does the same, but through TensorFlow's distribution strategies, which keep
    every graph that they were traced in: 2 MB for a small network, in every fit.

    Parameters
    ----------
    optimizer : keras.optimizers.Adam
        Built for the variables.
    gradients : list of tensor or None
        None where a variable does not matter.
    variables : list of keras.Variable
        What is changed; biases and the scales of normalisation do not decay.
    """
    rate = optimizer.learning_rate
    for gradient, variable in zip(gradients, variables, strict=True):
        if gradient is None:
            continue
        if not any(name in variable.name for name in UNDECAYED):
            variable.assign_sub(WEIGHT_DECAY * rate * variable)
        optimizer.update_step(gradient, variable, rate)
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))
    optimizer.iterations.assign_add(1)


def _gives_probabilities(network, input_shape):
    """Ask a network: there are many ways to write a softmax."""
    patches = np.random.default_rng(0).integers(256, size=(4, *input_shape)).astype(np.float32)
    scores = np.asarray(network(patches, training=False), dtype=np.float64)
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=0.01))


def draw_kernels(network, rng):
    """Draw every kernel of a network anew (He 2015), in the order of its weights.

    Parameters
    ----------
    network : keras.Model
        The network; variables that are no kernels are left as they are.
    rng : numpy.random.Generator
        Where the randomness comes from.
    """
    for variable in network.weights:
        if variable.name.endswith("kernel"):
            variable.assign(_draw_kernel(tuple(variable.shape), variable.path, rng))


def _draw_kernel(shape, path, rng):
    fan_in = np.prod(shape[:2] if "depthwise" in path else shape[:-1])
    gain = 2.0 if len(shape) == 4 else 1.0  # convolutions feed a ReLU, dense layers scores
    return (np.sqrt(gain / fan_in) * rng.standard_normal(shape)).astype(np.float32)


def _seed_states(network):
    weights = {id(variable) for variable in network.weights}
    return [
        variable
        for variable in network.variables
        if id(variable) not in weights and "seed" in variable.path
    ]


def file_state(weights):
    """Key of pretrained weights that changes when their file does."""
    if weights == "imagenet":
        return weights, None
    path = Path(weights)
    if not path.is_file():
        return str(weights), None
    return str(weights), (path.stat().st_mtime_ns, path.stat().st_size)


@functools.lru_cache(maxsize=2)
def _pretrained(architecture, weights, _state):
    with seeded_layers(0), plain_settings():
        return build_backbone(BACKBONES[architecture], weights=weights).get_weights()
