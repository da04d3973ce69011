"""What networks there are, as a table: sizes, pre-processing, blocks, weights. No Keras here."""

import os
from dataclasses import dataclass

from skbreast._validation import check_choice

__all__ = [
    "ARCHITECTURES",
    "BACKBONES",
    "PREPROCESSING",
    "Backbone",
    "Preprocessing",
    "check_side",
    "check_weights",
    "get_backbone",
    "list_backbones",
]

ARCHITECTURES = ("small", "resnet")
"""Networks of our own, trained from scratch."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How raw pixels 0…255 become what a network was trained on.

    Attributes
    ----------
    mean : float or tuple of float
        Subtracted from the pixels, per channel.
    scale : float or tuple of float
        Multiplied afterwards, per channel.
    reverse_channels : bool
        Whether RGB becomes BGR first.
    """

    mean: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0
    reverse_channels: bool = False


_IMAGENET_MEAN = (123.675, 116.28, 103.53)
_IMAGENET_SCALE = (1 / 58.395, 1 / 57.12, 1 / 57.375)

PREPROCESSING = {
    "raw": Preprocessing(),  # the network scales by itself
    "tf": Preprocessing(mean=127.5, scale=1 / 127.5),
    "torch": Preprocessing(mean=_IMAGENET_MEAN, scale=_IMAGENET_SCALE),
    "caffe": Preprocessing(mean=(103.939, 116.779, 123.68), reverse_channels=True),
    "lite": Preprocessing(mean=127.0, scale=1 / 128),
}
"""The conventions in use, by the names that keras.applications gives them."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """One pretrained network.

    Attributes
    ----------
    name : str
        What users write.
    builder : str
        The function of :mod:`keras.applications` that builds it, or our own.
    blocks : tuple of str
        The layer where each block ends, in order; the last block is the network's output and
        is not listed. ``"<layer>.input"`` means what flows into the layer.
    preprocessing : str
        Key of :data:`PREPROCESSING`.
    n_features : int
        Width of the last block.
    licence : str
        Licence of the ImageNet weights.
    input_size : int
        Side in pixels of the pictures that it was trained on.
    min_size : int
        The smallest side it takes.
    options : tuple of (str, object)
        Further arguments of the builder.
    packaged : bool
        Whether the ImageNet weights come with an installed package, so that they work offline.
    """

    name: str
    builder: str
    blocks: tuple[str, ...]
    preprocessing: str
    n_features: int
    licence: str
    input_size: int = 224
    min_size: int = 32
    options: tuple[tuple[str, object], ...] = ()
    packaged: bool = False

    @property
    def block_names(self):
        """Names of the blocks that `layers=` takes: ``("block1", …, "last")``."""
        return (*(f"block{number}" for number in range(1, len(self.blocks) + 1)), "last")

    @property
    def middle_blocks(self):
        """Names of the blocks that end between a third and three quarters of the depth."""
        depth = len(self.block_names)
        return tuple(
            name
            for number, name in enumerate(self.block_names, start=1)
            if depth / 3 < number <= 3 * depth / 4
        )


def _densenet(depth, third_block, fourth_block_features):
    ends = ("conv2_block6_concat", "conv3_block12_concat", f"conv4_block{third_block}_concat")
    return Backbone(
        f"densenet{depth}", f"DenseNet{depth}", ends, "torch", fourth_block_features, "BSD-3-Clause"
    )


def _resnet50(name, builder, preprocessing):
    ends = ("conv2_block3_out", "conv3_block4_out", "conv4_block6_out")
    return Backbone(name, builder, ends, preprocessing, 2048, "MIT")


def _mobilenet(name, alpha):
    ends = ("conv_pw_1_relu", "conv_pw_3_relu", "conv_pw_5_relu", "conv_pw_11_relu")
    width = round(1024 * alpha)
    options = (("alpha", alpha),)
    return Backbone(name, "MobileNet", ends, "tf", width, "Apache-2.0", options=options)


_ROWS = (
    Backbone(
        "efficientnet_lite0",
        "efficientnet_lite0",
        (
            "block1_0_bn2",
            "block2_1_add",
            "block3_1_add",
            "block4_2_add",
            "block5_2_add",
            "block6_3_add",
            "block7_0_bn2",
        ),
        "lite",
        1280,
        "Apache-2.0",
        packaged=True,
    ),
    _mobilenet("mobilenet", 1.0),
    _mobilenet("mobilenet_0.75", 0.75),
    Backbone(
        "mobilenet_v2",
        "MobileNetV2",
        ("expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add"),
        "tf",
        1280,
        "Apache-2.0",
    ),
    Backbone(
        "mobilenet_v3_small",
        "MobileNetV3Small",
        ("expanded_conv_project_bn", "expanded_conv_2_add", "expanded_conv_7_add"),
        "raw",
        576,
        "Apache-2.0",
    ),
    Backbone(
        "mobilenet_v3_large",
        "MobileNetV3Large",
        (
            "expanded_conv_add",
            "expanded_conv_2_add",
            "expanded_conv_5_add",
            "expanded_conv_11_add",
        ),
        "raw",
        960,
        "Apache-2.0",
    ),
    Backbone(
        "efficientnet_v2_b0",
        "EfficientNetV2B0",
        (
            "block1a_project_activation",
            "block2b_add",
            "block3b_add",
            "block4c_add",
            "block5e_add",
            "block6h_add",
        ),
        "raw",
        1280,
        "Apache-2.0",
    ),
    _densenet(121, 24, 1024),
    _densenet(169, 32, 1664),
    _densenet(201, 48, 1920),
    _resnet50("resnet50", "ResNet50", "caffe"),
    _resnet50("resnet50_v2", "ResNet50V2", "tf"),
    Backbone(
        "convnext_tiny",
        "ConvNeXtTiny",
        tuple(f"convnext_tiny_stage_{stage}_block_0_depthwise_conv.input" for stage in (1, 2, 3)),
        "raw",
        768,
        "Apache-2.0",
    ),
    Backbone(
        "xception",
        "Xception",
        tuple(f"block{number}_sepconv1_act" for number in (3, 4, 5, 13)),
        "tf",
        2048,
        "MIT",
        input_size=299,
        min_size=71,
    ),
    Backbone(
        "vgg16",
        "VGG16",
        tuple(f"block{number}_pool" for number in (1, 2, 3, 4)),
        "caffe",
        512,
        "CC-BY-4.0",
    ),
)

BACKBONES = {row.name: row for row in _ROWS}
"""The pretrained networks by name."""


def list_backbones():
    """Return the names of the pretrained networks.

    Returns
    -------
    list of str
        The names, in the order of the table.

    Examples
    --------
    >>> from skbreast.registry import list_backbones
    >>> list_backbones()[0]
    'efficientnet_lite0'
    """
    return list(BACKBONES)


def get_backbone(name, *, argument="backbone"):
    """Return the row of a pretrained network.

    Parameters
    ----------
    name : str
        One of :func:`list_backbones`.
    argument : str
        What the user's argument is called, for the error.

    Returns
    -------
    Backbone
        The row.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    return BACKBONES[check_choice(name, name=argument, choices=tuple(BACKBONES))]


def check_weights(weights, *, words):
    """Return a `weights` parameter if it is None, one of the known words, or a path.

    Parameters
    ----------
    weights : object
        What the user gave.
    words : tuple of str
        The words that are allowed.

    Returns
    -------
    None, str or path-like

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if weights is None or isinstance(weights, os.PathLike):
        return weights
    if isinstance(weights, str) and (weights in words or weights.endswith((".h5", ".keras"))):
        return weights
    allowed = ", ".join(map(repr, words))
    raise ValueError(
        f"weights must be {allowed}, None, or the path of a Keras weights file (.weights.h5, .h5); "
        f"got {weights!r}."
    )


def check_side(row, size):
    """Refuse a ``(height, width)`` in pixels that is too small for the backbone of a row."""
    if min(size) < row.min_size:
        raise ValueError(
            f"input_size: {row.name} takes patches of at least {row.min_size} pixels a side; got "
            f"{size[0]} x {size[1]}. Set input_size={row.min_size} or more."
        )
