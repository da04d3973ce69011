"""Frozen networks: from raw pixels to pooled feature maps, one graph per process."""

import threading
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf
from keras import layers as keras_layers

from skbreast._keras.backbones import block_output, build_backbone, preprocess
from skbreast._keras.training import (
    compiled,
    draw_kernels,
    file_state,
    plain_settings,
    seeded_layers,
)
from skbreast.registry import get_backbone

__all__ = ["FrozenNetwork", "get_frozen"]

NETWORKS_KEPT = 3
_networks = OrderedDict()
_lock = threading.RLock()


def get_frozen(backbone, *, weights, blocks, pooling, preprocessing, seed):
    """Return the frozen network of a configuration, building it where there is none.

    Parameters
    ----------
    backbone : str or keras.Model
        A backbone of the registry, or a network for RGB pictures.
    weights : None, "imagenet" or path
        Where the weights of a named backbone come from.
    blocks : tuple of str
        Blocks or layers whose pooled maps are joined.
    pooling : {"avg", "max"}
        How a map becomes one number a channel.
    preprocessing : str
        Key of :data:`skbreast.registry.PREPROCESSING`.
    seed : int
        Decides the weights when `weights` is None.

    Returns
    -------
    FrozenNetwork
    """
    named = isinstance(backbone, str)
    source = file_state(weights) if named and weights is not None else (weights, None)
    key = (backbone if named else id(backbone), source, blocks, pooling, preprocessing, seed)
    with _lock:
        if key not in _networks:
            with seeded_layers(seed), plain_settings():
                network, row = _open_backbone(backbone, weights, seed)
                _networks[key] = FrozenNetwork(network, row, blocks, pooling, preprocessing)
            while len(_networks) > NETWORKS_KEPT:
                _networks.popitem(last=False)
        _networks.move_to_end(key)
        return _networks[key]


def _open_backbone(backbone, weights, seed):
    if isinstance(backbone, str):
        row = get_backbone(backbone)
        network = build_backbone(row, weights=weights)
        if weights is None:
            draw_kernels(network, np.random.default_rng(seed))
        return network, row
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            f"backbone must be a name or a keras.Model; got {type(backbone).__name__}."
        )
    return backbone, None


class FrozenNetwork:
    """A network that never learns, with its chosen maps pooled and joined.

    Parameters
    ----------
    network : keras.Model
        From pre-processed pictures to maps.
    row : Backbone or None
        Its row of the registry.
    blocks, pooling, preprocessing
        As for :func:`get_frozen`.

    Attributes
    ----------
    widths : tuple of int
        Number of features of each block.
    """

    def __init__(self, network, row, blocks, pooling, preprocessing):
        self.backbone = network  # keeps a user's network alive, so that its id stays its own
        maps = [block_output(network, row, block) for block in blocks]
        pool = {
            "avg": keras_layers.GlobalAveragePooling2D,
            "max": keras_layers.GlobalMaxPooling2D,
        }[pooling]
        pooled = [pool()(each) for each in maps]
        self.widths = tuple(each.shape[-1] for each in pooled)
        tapped = keras.Model(network.inputs, pooled)
        pixels = keras.Input((*network.input_shape[1:3], 3))
        outputs = tapped(preprocess(pixels, preprocessing), training=False)
        joined = outputs if len(pooled) == 1 else keras_layers.Concatenate()(outputs)
        self.model = keras.Model(pixels, joined)
        self._forward = compiled(
            self._features,
            [tf.TensorSpec(self.model.input_shape, tf.float32)],
        )

    def _features(self, patches):
        with plain_settings():  # some layers ask for them when traced
            return self.model(patches, training=False)

    def features(self, patches):
        """Return ``(n, sum(widths))`` float32 features of raw RGB patches."""
        return np.asarray(self._forward(tf.cast(patches, tf.float32)), dtype=np.float32)
