"""Networks as ONNX models, and what TensorFlow makes of the same patches in full float32."""

import contextlib

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from skbreast._keras import held_back
from skbreast._keras.export import ONNX_OPSET, REPORTS, _silent
from skbreast._keras.frozen import get_frozen
from skbreast._keras.programs import get_program
from skbreast._keras.training import plain_settings
from skbreast._validation import import_optional

__all__ = ["classifier_model", "frozen_model", "full_float32"]


def frozen_model(recipe, size):
    """Return a frozen network as an ONNX model.

    Parameters
    ----------
    recipe : skbreast._recipes.Recipe
        What it is.
    size : tuple of (int, int)
        Height and width at which patches enter.

    Returns
    -------
    onnx.ModelProto
        From ``(n, height, width, 3)`` raw pixels, float32, to ``(n, n_features)``.
    """
    return _converted(get_frozen(recipe).trace, (*size, 3))


def classifier_model(architecture, shape, n_classes, weights):
    """Return the network of a `PatchCNNClassifier` as an ONNX model.

    Parameters
    ----------
    architecture, shape, n_classes
        As for :func:`skbreast._keras.networks.build_network`.
    weights : list of ndarray
        Its weights.

    Returns
    -------
    model : onnx.ModelProto
        From ``(n, *shape)`` raw pixels, float32, to ``(n, n_classes)``.
    makes_probabilities : bool
        Whether they are probabilities already, not raw scores.
    """
    program = get_program(architecture, shape, n_classes, "float32")
    settings = contextlib.nullcontext if callable(architecture) else plain_settings

    def trace(patches):
        with settings():
            return program.network(patches, training=False)

    with program.kept():
        program.set_weights(weights)
        return _converted(trace, shape), program._makes_probabilities


def _converted(trace, shape):
    onnx, tf2onnx = (
        import_optional(name, extra="onnx", purpose="to_onnx") for name in ("onnx", "tf2onnx")
    )
    try:
        model = _convert(tf2onnx, trace, shape)
        onnx.checker.check_model(model)  # what the converter does not know it leaves as it is
    except (OSError, MemoryError, ImportError):
        raise  # for a reason that may pass
    except Exception as error:
        # The converter raises many kinds; whichever it is, it does not know the network's parts.
        reason = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"The network cannot be exported: {reason}.") from error
    return model


def _convert(tf2onnx, trace, shape):
    with held_back(REPORTS), _silent("tensorflow", "tf2onnx"):
        function = convert_variables_to_constants_v2(
            tf.function(trace).get_concrete_function(tf.TensorSpec((None, *shape), tf.float32))
        )
        model, _ = tf2onnx.convert.from_graph_def(
            _in_one_piece(function.graph.as_graph_def()),
            input_names=[function.inputs[0].name],
            output_names=[function.outputs[0].name],
            opset=ONNX_OPSET,
            custom_op_handlers={"Erfc": (_erfc, [])},
        )
    return model


def _in_one_piece(graph):
    """Let the converter see into functions that Keras marks for XLA: convolutions in groups."""
    for part in (*graph.node, *graph.library.function):
        for mark in ("_XlaMustCompile", "_noinline"):
            part.attr.pop(mark, None)
    return graph


def _erfc(graph, node, name, _):
    """Write 1 - erf(x), which the converter knows, for erfc(x), which it does not."""
    node.type = "Erf"
    one = graph.make_const(f"{name}_one", np.ones((), dtype=np.float32)).output[0]
    rest = graph.make_node("Sub", [one, node.output[0]], name=f"{name}_rest")
    graph.insert_node_on_output(rest, node.output[0])


@contextlib.contextmanager
def full_float32():
    """Compute in float32 throughout: graphics cards otherwise round factors to 10 bits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
