"""What a network computes, as a text that two networks of one structure share."""

import json
from types import FunctionType

import keras

__all__ = ["blueprint"]

HISTORIES = ("keras_history", "input_layers", "output_layers")
# Layers whose configuration says all that they compute, and that hold no other layers.
KNOWN = {
    *("InputLayer", "Functional", "Sequential", "Rescaling", "Resizing", "CenterCrop"),
    *("Conv1D", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "Dense"),
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "UnitNormalization"),
    *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
    *("Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D"),
    *("AveragePooling2D", "MaxPooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"),
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("Cropping2D", "Flatten", "Permute", "RepeatVector", "Reshape"),
    *("UpSampling2D", "ZeroPadding2D"),
}


def blueprint(network):
    """Return a text that is equal for networks that compute the same with the same weights.

    Names of layers are left out, since Keras numbers them. Only what consists of known layers can
    be told: code of the user's may do otherwise the next time it runs.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    str or None
        None where the configuration does not say all.
    """
    layers = list(_all_layers(network))
    # A layer that stands in two places is one with shared weights; a configuration shows two.
    if len({id(layer) for layer in layers}) < len(layers) or not all(map(_is_known, layers)):
        return None
    serialized = keras.saving.serialize_keras_object(network)
    if not _is_plain(serialized):
        return None
    variables = [(each.name, *each.shape, each.dtype, each.trainable) for each in network.weights]
    return json.dumps([_anonymous(serialized, {}), variables], sort_keys=True)


def _all_layers(layer):
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _all_layers(inner)


def _is_known(layer):
    """Tell whether a layer is of a known class and was given no function but Keras' own."""
    if type(layer).__name__ not in KNOWN or not _is_of_keras(type(layer)):
        return False
    return all(map(_is_of_keras, filter(_is_function, vars(layer).values())))


def _is_function(value):
    return isinstance(value, FunctionType)


def _is_of_keras(thing):
    return (thing.__module__ or "").partition(".")[0] == "keras"


def _is_plain(node):
    """Tell whether a serialized object, with all that it holds, is Keras' own."""
    if isinstance(node, list | tuple):
        return all(map(_is_plain, node))
    if not isinstance(node, dict):
        return node is None or isinstance(node, str | bool | int | float)
    module = node.get("module")
    own = module is None or module.partition(".")[0] == "keras"
    return own and node.get("class_name") != "__lambda__" and all(map(_is_plain, node.values()))


def _anonymous(layer, numbers):
    """Return a serialized layer without its name, nor that of any layer in it."""
    around = {key: value for key, value in layer.items() if key not in ("name", "config")}
    config = {key: value for key, value in layer["config"].items() if key != "name"}
    if "layers" in config:
        layers = config.pop("layers")
        inner = {each["config"]["name"]: number for number, each in enumerate(layers)}
        config = _renumbered(config, inner)
        config["layers"] = [_anonymous(each, inner) for each in layers]
    return _renumbered(around, numbers) | {"config": config}


def _renumbered(node, numbers, *, in_history=False):
    if isinstance(node, dict):
        return {
            key: _renumbered(value, numbers, in_history=in_history or key in HISTORIES)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_renumbered(each, numbers, in_history=in_history) for each in node]
    return numbers.get(node, node) if in_history and isinstance(node, str) else node
