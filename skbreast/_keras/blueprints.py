"""What a network computes, as a text that two networks of one structure share."""

import json
from types import FunctionType

import keras

__all__ = ["blueprint"]

HISTORIES = ("keras_history", "input_layers", "output_layers")
# Layers that compute what their configuration does not say: code, or files, from elsewhere.
FOREIGN = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


def blueprint(network):
    """Return a text that is equal for networks that compute the same with the same weights.

    Names of layers are left out, since Keras numbers them. Only what consists of Keras' own
    layers can be told: code of the user's may do otherwise the next time it runs.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    str or None
        None where the configuration does not say all.
    """
    if any(map(_holds_code, _all_layers(network))):  # Keras would warn of lambdas
        return None
    try:
        serialized = keras.saving.serialize_keras_object(network)
    except (NotImplementedError, TypeError, ValueError):  # layers that have no configuration
        return None
    if not _is_plain(serialized):
        return None
    try:
        return json.dumps(_anonymous(serialized, {}), sort_keys=True)
    except TypeError:
        return None


def _all_layers(layer):
    yield layer
    for inner in (*getattr(layer, "layers", ()), getattr(layer, "layer", None)):
        if isinstance(inner, keras.layers.Layer):
            yield from _all_layers(inner)


def _holds_code(layer):
    """Tell whether a layer was given a function that is not Keras' own."""
    functions = (value for value in vars(layer).values() if isinstance(value, FunctionType))
    return any((each.__module__ or "").partition(".")[0] != "keras" for each in functions)


def _is_plain(node):
    """Tell whether a serialized object, with all that it holds, is Keras' own."""
    if isinstance(node, list | tuple):
        return all(map(_is_plain, node))
    if not isinstance(node, dict):
        return True
    return _is_own(node) and all(map(_is_plain, node.values()))


def _is_own(node):
    if "class_name" not in node:
        return "value" not in node  # the code of a lambda
    name, module = node["class_name"], node.get("module")
    if module is None:
        return name != "__lambda__"
    # What can be adapted to data keeps the result to itself.
    adapts = hasattr(getattr(keras.layers, name, None), "adapt")
    return module.partition(".")[0] == "keras" and name not in FOREIGN and not adapts


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
