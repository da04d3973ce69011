"""Frozen networks: from raw pixels to pooled feature maps, one graph per process."""

import threading
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf
from keras import layers as keras_layers

from skbreast._keras.backbones import block_output, build_backbone, preprocess
from skbreast._keras.networks import POLICIES, with_dtype
from skbreast._keras.training import (
    compiled,
    draw_kernels,
    plain_settings,
    seeded_layers,
)

__all__ = ["FrozenNetwork", "get_frozen"]

NETWORKS_KEPT = 3
_networks = OrderedDict()
_lock = threading.RLock()


def get_frozen(recipe, precision="float32"):
    """Return the frozen network of a recipe, building it where there is none.

    Parameters
    ----------
    recipe : skbreast._recipes.Recipe
        What it is.
    precision : {"float32", "bfloat16"}
        What it computes in.

    Returns
    -------
    FrozenNetwork
    """
    key = _network_key(recipe, precision)
    with _lock:
        if key not in _networks:
            with seeded_layers(recipe.seed), plain_settings():
                network = _open_backbone(recipe)
                if precision == "bfloat16":
                    network = with_dtype(network, POLICIES[precision])
                _networks[key] = FrozenNetwork(network, recipe)
            while len(_networks) > NETWORKS_KEPT:
                _networks.popitem(last=False)
        _networks.move_to_end(key)
        return _networks[key]


def _network_key(recipe, precision):
    """Tell networks apart; the weights of a user's are used as they are and need no reading."""
    if recipe.row is not None or precision == "bfloat16":
        return recipe.key, precision
    rest = (recipe.blocks, recipe.pooling, recipe.preprocessing)
    return id(recipe.backbone), *rest, precision


def _open_backbone(recipe):
    if recipe.row is not None:
        network = build_backbone(recipe.row, weights=recipe.weights)
        if recipe.weights is None:
            draw_kernels(network, np.random.default_rng(recipe.seed))
        return network
    if not isinstance(recipe.backbone, keras.Model):
        raise ValueError(
            f"backbone must be a name or a keras.Model; got {type(recipe.backbone).__name__}."
        )
    return recipe.backbone


class FrozenNetwork:
    """A network that never learns, with its chosen maps pooled and joined: an engine.

    Parameters
    ----------
    network : keras.Model
        From pre-processed pictures to maps.
    recipe : skbreast._recipes.Recipe
        What is done before and after it.

    Attributes
    ----------
    widths : tuple of int
        Number of features of each block.
    model : keras.Model
        From raw pixels to features.
    """

    def __init__(self, network, recipe):
        self.backbone = network  # keeps a user's network alive, so that its id stays its own
        maps = [block_output(network, recipe.row, block) for block in recipe.blocks]
        pool = {
            "avg": keras_layers.GlobalAveragePooling2D,
            "max": keras_layers.GlobalMaxPooling2D,
        }[recipe.pooling]
        pooled = [pool(dtype="float32")(each) for each in maps]
        self.widths = tuple(each.shape[-1] for each in pooled)
        tapped = keras.Model(network.inputs, pooled)
        pixels = keras.Input((*network.input_shape[1:3], 3))
        outputs = tapped(preprocess(pixels, recipe.preprocessing), training=False)
        joined = outputs if len(pooled) == 1 else keras_layers.Concatenate()(outputs)
        self.model = keras.Model(pixels, joined)
        self._forward = compiled(self.trace, [tf.TensorSpec(self.model.input_shape, tf.float32)])

    def trace(self, patches):
        """Return the features of float32 patches as a tensor."""
        with plain_settings():  # some layers ask for them when traced
            return self.model(patches, training=False)

    def run(self, batches):
        """Yield ``(tag, features)`` for each ``(tag, pixels)`` of raw RGB patches."""
        for tag, pixels in batches:
            features = self._forward(tf.cast(pixels, tf.float32))
            yield tag, np.asarray(features, dtype=np.float32)
