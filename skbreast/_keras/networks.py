"""Build the networks behind `PatchCNNClassifier`; each ends in one raw score (logit) a class."""

from typing import NamedTuple

import keras
from keras import layers

from skbreast._keras.backbones import build_backbone, preprocess
from skbreast._keras.normalisation import FusedBatchNormalization
from skbreast.registry import ARCHITECTURES, BACKBONES

__all__ = [
    "BACKBONE_LAYER",
    "CONTRAST_LAYER",
    "STANDARDISE_LAYER",
    "build_network",
    "build_resnet",
    "build_small",
    "keras_normalisation",
    "with_dtype",
    "with_softmax",
]

STANDARDISE_LAYER = "standardise"
CONTRAST_LAYER = "own_contrast"
BACKBONE_LAYER = "backbone"
SMALL_FILTERS = (32, 64, 128, 256)
CONTRAST_FLOOR = 0.01  # of the training patches' variance: noise on blank glass stays small
keras_normalisation = layers.BatchNormalization  # for networks that others train and save
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class Style(NamedTuple):
    """How the layers of a network are made.

    Attributes
    ----------
    dtype : str
        Their Keras dtype policy.
    normalisation : type
        The class for batch normalisation: :class:`FusedBatchNormalization`, or Keras' own.
    """

    dtype: str = "float32"
    normalisation: type = FusedBatchNormalization


def _standardise(x):
    """Centre and scale each channel by what the training patches have; see `training`."""
    return layers.BatchNormalization(
        center=False, scale=False, trainable=False, dtype="float32", name=STANDARDISE_LAYER
    )(x, training=False)


def _join_own_contrast(x):
    """Show each patch twice: as it is, and centred and scaled by its own mean and deviation.

    Stains differ between patients, yet colour tells fat from stroma and stroma from nuclei: a
    network that sees both can learn which to trust where (IBN-Net, Pan 2018, joins them by layer).
    """
    if x.shape[1] * x.shape[2] == 1:  # a single pixel has no contrast
        return x
    own = layers.GroupNormalization(
        groups=-1, epsilon=CONTRAST_FLOOR, center=False, scale=False, dtype="float32"
    )(x)
    return layers.Concatenate(dtype="float32", name=CONTRAST_LAYER)([x, own])


def _convolution(x, filters, style, *, kernel_size=3, strides=1, activate=True):
    dtype = style.dtype
    x = layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, dtype=dtype
    )(x)
    x = style.normalisation(momentum=0.9, dtype=dtype)(x)
    return layers.ReLU(dtype=dtype)(x) if activate else x


def _scores(x, n_classes, dtype, dropout):
    x = layers.GlobalAveragePooling2D(dtype=dtype)(x)
    x = layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
    return layers.Dense(n_classes, dtype="float32", name="scores")(x)


def build_small(input_shape, n_classes, style):
    """Build the small convolutional network: four convolutions with pooling between, then scores.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        Height, width and channels.
    n_classes : int
        Number of classes.
    style : Style
        How its layers are made.

    Returns
    -------
    keras.Model
        From ``(n, height, width, channels)`` pixels to ``(n, n_classes)`` logits.
    """
    inputs = keras.Input(input_shape)
    x = _convolution(_join_own_contrast(_standardise(inputs)), SMALL_FILTERS[0], style)
    for filters in SMALL_FILTERS[1:]:
        x = layers.MaxPooling2D(padding="same", dtype=style.dtype)(x)
        x = _convolution(x, filters, style)
    return keras.Model(inputs, _scores(x, n_classes, style.dtype, dropout=0.25), name="small")


def build_resnet(input_shape, n_classes, style):
    """Build the small residual network (He 2016): a stem and three stages of two blocks.

    Parameters and return value are those of :func:`build_small`.
    """
    inputs = keras.Input(input_shape)
    x = _convolution(_join_own_contrast(_standardise(inputs)), 32, style)
    for stage, filters in enumerate((32, 64, 128)):
        for block in range(2):
            strides = 2 if stage and not block else 1
            x = _residual_block(x, filters, style, strides=strides)
    return keras.Model(inputs, _scores(x, n_classes, style.dtype, dropout=0.25), name="resnet")


def _residual_block(x, filters, style, *, strides):
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, style, kernel_size=1, strides=strides, activate=False)
    x = _convolution(x, filters, style, strides=strides)
    x = _convolution(x, filters, style, activate=False)
    return layers.ReLU(dtype=style.dtype)(layers.Add(dtype=style.dtype)([x, shortcut]))


class _Inference(layers.Layer):
    """A network in inference mode, whatever the network around it is called with.

    Keras passes `training` on to nested networks, over what they were called with.
    """

    def __init__(self, network, **options):
        super().__init__(**options)
        self.network = network

    def call(self, x):
        return self.network(x, training=False)


def build_finetuned(row, input_shape, n_classes, *, dtype="float32"):
    """Build a backbone, its weights not yet filled in, with a dense layer on its pooled last block.

    The backbone always runs in inference mode: its batch statistics stay those of its pretraining,
    which is what keeps small data sets from wrecking them. Grey patches enter as RGB.
    """
    inputs = keras.Input(input_shape)
    rgb = layers.Concatenate(dtype="float32")([inputs] * 3) if input_shape[2] == 1 else inputs
    backbone = with_dtype(build_backbone(row, weights=None), dtype)
    x = _Inference(backbone, name=BACKBONE_LAYER)(preprocess(rgb, row.preprocessing))
    return keras.Model(inputs, _scores(x, n_classes, dtype, dropout=0.25), name=row.name)


def with_dtype(network, dtype):
    """Return the network with another dtype policy on every layer and the same weights."""
    if dtype == "float32":
        return network

    def with_policy(layer):
        # Some, as an addition of two tensors, are operations only and compute in what comes.
        policy = {"dtype": dtype} if isinstance(layer, layers.Layer) else {}
        return layer.__class__.from_config({**layer.get_config(), **policy})

    changed = keras.models.clone_model(network, clone_function=with_policy)
    changed.set_weights(network.get_weights())
    return changed


def build_network(
    architecture,
    input_shape,
    n_classes,
    *,
    precision="float32",
    normalisation=FusedBatchNormalization,
):
    """Build the network that an `architecture` parameter names.

    Parameters
    ----------
    architecture : str or callable
        ``"small"``, ``"resnet"``, a backbone of the registry, or
        ``build(input_shape, n_classes) -> keras.Model``.
    input_shape : tuple of (int, int, int)
        Height, width and channels of the raw patches.
    n_classes : int
        Number of classes.
    precision : {"float32", "bfloat16"}
        What the layers compute in; variables and scores are float32 always.
    normalisation : type
        The class for batch normalisation in the networks of our own.

    Returns
    -------
    keras.Model
        From raw patches to ``(n, n_classes)`` scores.

    Raises
    ------
    ValueError
        If a callable's network has another output than one score a class.
    """
    dtype = POLICIES[precision]
    if callable(architecture):
        return _check_own(architecture(input_shape, n_classes), input_shape, n_classes)
    if architecture in ARCHITECTURES:
        build = {"small": build_small, "resnet": build_resnet}[architecture]
        return build(input_shape, n_classes, Style(dtype, normalisation))
    return build_finetuned(BACKBONES[architecture], input_shape, n_classes, dtype=dtype)


def with_softmax(network):
    """Return a network whose outputs are probabilities in place of raw scores."""
    return keras.Model(
        network.inputs, layers.Softmax(name="probabilities")(network.outputs[0]), name=network.name
    )


def _check_own(network, input_shape, n_classes):
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"architecture: the callable returned {type(network).__name__}; a keras.Model is "
            "expected."
        )
    shapes = {  # a network that is not built has none
        "input": (getattr(network, "input_shape", None), tuple(input_shape)),
        "output": (getattr(network, "output_shape", None), (n_classes,)),
    }
    for side, (shape, expected) in shapes.items():
        if not isinstance(shape, tuple) or not _fits(shape, expected):
            raise ValueError(
                f"architecture: the network's {side} has shape {shape}; {(None, *expected)} is "
                "expected (n_classes scores, also for two classes; begin with keras.Input)."
            )
    return network


def _fits(shape, expected):
    return len(shape) == len(expected) + 1 and all(
        side in (None, wanted) for side, wanted in zip(shape[1:], expected, strict=True)
    )
