"""Write frozen networks in the formats of other engines."""

import contextlib
import logging
import re
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from skbreast._keras import held_back
from skbreast._offline import import_openvino
from skbreast._validation import import_optional

__all__ = ["WRITERS"]

ONNX_OPSET = 18
# TensorFlow's, of every step of its optimizer, and their heading.
REPORTS = re.compile(rb"^I0000 |^WARNING: All log messages before absl::InitializeLog")


def _as_constants(network):
    """Return a network as one concrete function whose weights are constants."""
    return convert_variables_to_constants_v2(
        tf.function(network.trace).get_concrete_function(
            tf.TensorSpec(network.model.input_shape, tf.float32)
        )
    )


def write_openvino(network, path):
    """Write OpenVINO's format.

    OpenVINO reads the file of a TensorFlow graph. Its `convert_model` would do without the file,
    but reports its use over the internet, where it can.
    """
    openvino = import_openvino()
    with tempfile.TemporaryDirectory() as folder, held_back(REPORTS):
        graph = Path(folder, "graph.pb")
        graph.write_bytes(_as_constants(network).graph.as_graph_def().SerializeToString())
        openvino.save_model(openvino.Core().read_model(graph), path, compress_to_fp16=False)


def write_onnx(network, path):
    """Write ONNX."""
    tf2onnx = import_optional("tf2onnx", extra="onnx", purpose="engine='onnxruntime'")
    with held_back(REPORTS), _silent("tensorflow", "tf2onnx"):
        function = _as_constants(network)
        tf2onnx.convert.from_graph_def(
            function.graph.as_graph_def(),
            input_names=[function.inputs[0].name],
            output_names=[function.outputs[0].name],
            opset=ONNX_OPSET,
            output_path=path,
        )


@contextlib.contextmanager
def _silent(*names):
    """Silence loggers that report what they try as if it were an error."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


WRITERS = {"openvino": write_openvino, "onnxruntime": write_onnx}
"""What writes a `FrozenNetwork` for an engine: ``(network, path)``."""
