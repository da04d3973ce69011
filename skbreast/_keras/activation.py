"""Feature maps of a network, and the gradients of a class' score by them."""

import contextlib
from itertools import dropwhile

import keras
import numpy as np
import tensorflow as tf

from skbreast._keras.backbones import block_output, preprocess
from skbreast._keras.frozen import get_frozen
from skbreast._keras.networks import BACKBONE_LAYER
from skbreast._keras.programs import get_program
from skbreast._keras.training import Program, plain_settings, seeded_layers
from skbreast._validation import name_some
from skbreast.registry import ARCHITECTURES, BACKBONES

__all__ = ["class_maps", "frozen_maps"]

OTHERWISE = "method='occlusion' needs no map"
# Every how many-th ReLU ends a block: one of the two in a residual block stands within it.
RELUS_A_BLOCK = {"small": 1, "resnet": 2}


def class_maps(structure, weights, batches, combine, *, layer=None):
    """Combine a network's feature maps with the gradients of a class' score, batch by batch.

    It computes in float32, whatever the network was trained in: bfloat16 has three digits. Scores
    are raw ones, for two classes their difference.

    Parameters
    ----------
    structure : tuple of (architecture, input_shape, n_classes)
        As for :func:`skbreast._keras.networks.build_network`.
    weights : list of ndarray
        Its weights.
    batches : iterable of (ndarray, ndarray)
        Raw patches ``(n, height, width, channels)``, and the number of a class for each.
    combine : callable
        ``combine(maps, gradients)``, both float32 ``(n, h, w, d)``, gives ``(n, h, w)``.
    layer : str, optional
        The block or layer whose maps are taken, by default the last one that has any.

    Returns
    -------
    ndarray of shape (n_patches, h, w), float32

    Raises
    ------
    ValueError
        If there is no such layer, or the network has no feature maps.
    """
    program = _open(structure, named=layer is not None)
    with program.kept():
        try:
            program.set_weights(weights)
        except ValueError as error:
            raise ValueError(
                f"estimator: its weights do not fit architecture={structure[0]!r}; it must be what "
                "it was in fit."
            ) from error
        tapped = _tapped(program, layer)
        return np.concatenate(
            [combine(*_gradients(program, tapped, *batch)) for batch in batches]
        ).astype(np.float32)


def frozen_maps(recipe, batches):
    """Yield ``(tag, maps)`` of a frozen network for each ``(tag, pictures)``, in float32.

    Parameters
    ----------
    recipe : skbreast._recipes.Recipe
        What it is.
    batches : iterable of (object, ndarray)
        Something to know a batch by, and raw RGB pictures ``(n, height, width, 3)``.

    Yields
    ------
    tuple of (object, list of ndarray)
        The same, and the batch's maps ``(n, h, w, d)``, one array a block of the recipe.
    """
    backbone = get_frozen(recipe).backbone
    maps = [block_output(backbone, recipe.row, block) for block in recipe.blocks]
    tapped = keras.Model(backbone.inputs, maps)
    for tag, pictures in batches:
        with plain_settings():
            pixels = preprocess(tf.cast(pictures, tf.float32), recipe.preprocessing)
            found = tapped(pixels, training=False)
        yield tag, [np.asarray(each, dtype=np.float32) for each in _as_list(found)]


def _open(structure, *, named):
    """Return the compiled network; for a named layer one built anew, which has the user's names.

    Cutting a graph open in its middle also leaves traces in it.
    """
    architecture = structure[0]
    if architecture in ARCHITECTURES or not named:
        return get_program(*structure, "float32")
    settings = contextlib.nullcontext if callable(architecture) else plain_settings
    with seeded_layers(0), settings():
        return Program(*structure, "float32")


def _tapped(program, layer):
    """Return a function from patches to ``(maps, scores)``."""
    network = program.network
    holders, tensor = _find(network, program.architecture, layer)
    return _cut(network, holders, tensor, _logits(network)[0])


def _gradients(program, tapped, patches, classes):
    own = not callable(program.architecture)
    patches = tf.cast(patches, tf.float32)
    with plain_settings() if own else contextlib.nullcontext():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(patches)  # of what does not hang on it, a tape would know nothing
            maps, outputs = tapped(patches)
            score = _class_score(_as_scores(program, outputs), classes)
        gradients = tape.gradient(score, maps)
    if gradients is None:
        raise ValueError(
            f"layer: the network's scores do not hang on this layer's maps; {OTHERWISE}."
        )
    return tuple(np.asarray(tf.cast(each, tf.float32)) for each in (maps, gradients))


def _class_score(scores, classes):
    if scores.shape[1] == 2:
        return (scores[:, 1] - scores[:, 0]) * tf.constant(2.0 * classes - 1, tf.float32)
    return tf.gather(scores, tf.constant(classes, tf.int32), axis=1, batch_dims=1)


def _as_scores(program, outputs):
    """Make raw scores of what :func:`_logits` found."""
    finish = _logits(program.network)[1]
    if finish is not None:
        return tf.cast(finish(outputs), tf.float32)
    outputs = tf.cast(outputs, tf.float32)
    if program._makes_probabilities:
        return tf.math.log(tf.maximum(outputs, np.finfo(np.float32).tiny))
    return outputs


def _logits(network):
    """Return the tensor before a softmax at the end, and what makes raw scores of it.

    What makes them is None where the tensor is the network's output.
    """
    output = network.outputs[0]
    operations = getattr(network, "operations", None) or network.layers
    last = next((each for each in reversed(operations) if _end(each, "output") is output), None)
    softmax = getattr(last, "activation", None) is keras.activations.softmax
    if type(last).__name__ == "Softmax" or (softmax and isinstance(last, keras.layers.Activation)):
        return _end(last, "input"), tf.identity
    if softmax and type(last) is keras.layers.Dense:
        bias = 0 if last.bias is None else last.bias
        finish = lambda x: tf.matmul(tf.cast(x, tf.float32), last.kernel) + bias  # noqa: E731
        return _end(last, "input"), finish
    return output, None


def _end(layer, side):
    """Return what flows into a layer, or out of it; None where that is not said.

    A network that stands in another one would name its own ends, not those in the other one.
    """
    try:
        return getattr(keras.Operation, side).fget(layer)
    except (AttributeError, ValueError):
        return None


def _cut(network, holders, tensor, scores):
    """Return a function from inputs to a tensor, which may lie in a nested network, and scores."""
    if not holders:
        model = keras.Model(network.inputs, [tensor, scores])
        return lambda x: model(x, training=False)
    holder, *inner = holders
    nested = _nested(holder)
    before = keras.Model(network.inputs, _end(holder, "input"))
    within = _cut(nested, inner, tensor, nested.outputs[0])
    after = keras.Model(_end(holder, "output"), scores)

    def run(x):
        maps, outputs = within(before(x, training=False))
        return maps, after(outputs, training=False)

    return run


def _nested(layer):
    """Return the network that a layer is, or holds; None if it is a plain one."""
    network = layer if isinstance(layer, keras.Model) else getattr(layer, "network", None)
    return network if isinstance(network, keras.Model) else None


def _find(network, architecture, layer):
    """Return the layers that hold the network with a map, outermost first, and the map."""
    if callable(architecture):
        return _find_last(network) if layer is None else _find_named(network, layer)
    if architecture in ARCHITECTURES:
        return [], _find_block(network, architecture, layer or "last")
    holder = network.get_layer(BACKBONE_LAYER)
    if layer in (None, "last"):
        return [], _end(holder, "output")
    try:
        return [holder], block_output(holder.network, BACKBONES[architecture], layer)
    except ValueError as error:
        raise ValueError(str(error).replace("layers:", "layer:", 1)) from None


def _find_block(network, architecture, layer):
    relus = [each for each in network.layers if isinstance(each, keras.layers.ReLU)]
    ends = relus[:: RELUS_A_BLOCK[architecture]]
    blocks = {f"block{number}": end for number, end in enumerate(ends, start=1)}
    blocks["last"] = ends[-1]
    if layer not in blocks:
        raise ValueError(
            f"layer must be one of {', '.join(map(repr, blocks))} for "
            f"architecture={architecture!r}; got {layer!r}."
        )
    return _end(blocks[layer], "output")


def _find_last(network):
    def convolves(layer):
        return any(len(weight.shape) == 4 for weight in layer.weights)

    # What comes before a convolution are pixels, however scaled.
    layers = dropwhile(lambda layer: not convolves(layer), getattr(network, "layers", []))
    maps = [tensor for tensor in map(_map_of, layers) if tensor is not None]
    if not maps:
        raise ValueError(
            f"architecture: the network {network.name} has no layer that gives feature maps (n, "
            f"h, w, d) of more than one pixel; {OTHERWISE}."
        )
    return [], maps[-1]


def _find_named(network, name):
    *holders, layer = _path(network, name) or [None]
    tensor = None if layer is None else _map_of(layer)
    if tensor is None:
        names = [each.name for each in _all_layers(network) if _map_of(each) is not None]
        raise ValueError(
            f"layer must name a layer of {network.name} that gives feature maps (n, h, w, d) of "
            f"more than one pixel ({name_some(names, limit=12)}); got {name!r}."
        )
    return holders, tensor


def _path(network, name):
    """Return the layers to go through to the one of a name, which comes last; None if none is."""
    for layer in network.layers:
        if layer.name == name:
            return [layer]
        inner = _nested(layer) and _path(_nested(layer), name)
        if inner:
            return [layer, *inner]
    return None


def _all_layers(network):
    for layer in network.layers:
        yield layer
        if _nested(layer) is not None:
            yield from _all_layers(_nested(layer))


def _map_of(layer):
    """Return a layer's output if it is one map of more than a pixel, else None."""
    tensor = None if isinstance(layer, keras.layers.InputLayer) else _end(layer, "output")
    if len(getattr(tensor, "shape", ())) != 4 or tensor.shape[1:3] == (1, 1):
        return None
    return tensor


def _as_list(found):
    return list(found) if isinstance(found, list | tuple) else [found]
