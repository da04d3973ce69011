"""EfficientNet-Lite0 (Tan & Le 2019; Lite variant 2020) as a Keras network, with pip's weights.

The Lite networks leave out squeeze-and-excitation and use ReLU6, so they quantise and convert
well. Padding, batch-norm epsilon and input scaling follow the TensorFlow original.
"""

import keras
from keras import layers

__all__ = ["efficientnet_lite0", "load_torch_weights"]

STEM_FILTERS = 32
HEAD_FILTERS = 1280
# kernel size, stride, expansion, filters, repeats
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def _normalise(x, name, activate=True):
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=name)(x)
    return layers.ReLU(max_value=6, name=f"{name}_relu6")(x) if activate else x


def _pointwise(x, filters, name):
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)


def _inverted_residual(x, name, *, kernel_size, stride, expansion, filters):
    inputs = x
    if expansion != 1:
        x = _pointwise(x, expansion * x.shape[-1], f"{name}_expand_conv")
        x = _normalise(x, f"{name}_bn0")
    x = layers.DepthwiseConv2D(
        kernel_size, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalise(x, f"{name}_bn1")
    x = _pointwise(x, filters, f"{name}_project_conv")
    x = _normalise(x, f"{name}_bn2", activate=False)
    if stride == 1 and inputs.shape[-1] == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def efficientnet_lite0(*, include_top=False, input_shape=(None, None, 3), weights=None):
    """Build EfficientNet-Lite0.

    Parameters
    ----------
    include_top : bool, default=False
        Whether the ImageNet classifier (1,000 classes, softmax) stands on top.
    input_shape : tuple, default=(None, None, 3)
        Height, width and channels; pixels are expected as ``(x - 127) / 128``.
    weights : None
        Random; :func:`load_torch_weights` fills in the pretrained ones.

    Returns
    -------
    keras.Model
        The network; without top its output is the ``(n, h / 32, w / 32, 1280)`` feature map.
    """
    if weights is not None:
        raise ValueError("efficientnet_lite0 is built with weights=None.")
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="conv_stem")(
        inputs
    )
    x = _normalise(x, "bn0")
    for stage, (kernel_size, stride, expansion, filters, repeats) in enumerate(STAGES, start=1):
        for repeat in range(repeats):
            x = _inverted_residual(
                x,
                f"block{stage}_{repeat}",
                kernel_size=kernel_size,
                stride=stride if repeat == 0 else 1,
                expansion=expansion,
                filters=filters,
            )
    x = _normalise(_pointwise(x, HEAD_FILTERS, "conv_head"), "bn1")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(1000, activation="softmax", name="fc")(x)
    return keras.Model(inputs, x, name="efficientnet_lite0")


def load_torch_weights(network, tensors):
    """Fill the network with the tensors of the published checkpoint.

    Parameters
    ----------
    network : keras.Model
        From :func:`efficientnet_lite0`.
    tensors : dict of str to ndarray
        From :func:`skbreast._torch_weights.read_torch_weights`.
    """
    block_names = [
        f"block{stage}_{repeat}" for stage, row in enumerate(STAGES, 1) for repeat in range(row[-1])
    ]
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_layer_arrays(layer.name, tensors, block_names))


def _layer_arrays(name, tensors, block_names):
    block, _, part = name.partition("_") if name.startswith("block") else ("", "", name)
    if block:
        repeat, _, part = part.partition("_")
        prefix = f"_blocks.{block_names.index(f'{block}_{repeat}')}._{part}"
    else:
        prefix = f"_{part}"
    kernel = tensors[f"{prefix}.weight"]
    if kernel.ndim == 4:
        # torch keeps (out, in, h, w); Keras (h, w, in, out), or (h, w, in, 1) when depthwise.
        axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
        return [kernel.transpose(axes)]
    if kernel.ndim == 2:
        return [kernel.T, tensors[f"{prefix}.bias"]]
    names = ("weight", "bias", "running_mean", "running_var")
    return [tensors[f"{prefix}.{part}"] for part in names]
