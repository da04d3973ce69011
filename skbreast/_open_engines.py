"""The engines that are open in this process, opened where they are not."""

import importlib.metadata
import threading
from collections import OrderedDict
from functools import partial

from skbreast._engines import EngineError, OnnxRuntimeEngine, OpenVINOEngine
from skbreast._fingerprints import digest_text
from skbreast._graphs import keep_graph
from skbreast.hardware import usable_threads

__all__ = ["get_engine"]

ENGINES_KEPT = 3
REFUSALS_KEPT = 100
GRAPH_FILES = {"openvino": "graph.xml", "onnxruntime": "graph.onnx"}
_open = OrderedDict()
_refused = {}
_lock = threading.RLock()


def get_engine(recipe, engine, precision, write):
    """Return the engine that runs a recipe's network, opening it where it is not open.

    Parameters
    ----------
    recipe : skbreast._recipes.Recipe
        The network.
    engine : {"openvino", "onnxruntime"}
        What runs it.
    precision : {"float32", "bfloat16"}
        What it computes in.
    write : callable
        ``write(engine, path)`` writes the network for an engine and returns the widths of its
        blocks; it raises an EngineError if the network cannot be converted.

    Returns
    -------
    OpenVINOEngine or OnnxRuntimeEngine
        With the attribute ``widths``.

    Raises
    ------
    EngineError
        If the engine cannot run the network.
    """
    key = (recipe.key, engine, precision, usable_threads())
    with _lock:
        if key[:2] in _refused:
            raise EngineError(_refused[key[:2]])
        if key not in _open:
            _open[key] = _start(recipe, engine, precision, write)
            while len(_open) > ENGINES_KEPT:
                _open.popitem(last=False)
        _open.move_to_end(key)
        return _open[key]


def _start(recipe, engine, precision, write):
    version = importlib.metadata.version(engine)
    name = digest_text(f"{recipe.key} {engine} {version}")
    writer = partial(write, engine)
    try:
        graph = keep_graph(name, GRAPH_FILES[engine], writer, lasting=recipe.lasting)
        opened = _open_graph(graph.path, engine, precision)
    except EngineError as error:
        reason = str(error).strip().partition("\n")[0][:200]
        while len(_refused) >= REFUSALS_KEPT:
            del _refused[next(iter(_refused))]
        _refused[recipe.key, engine] = message = (
            f"engine={engine!r} cannot run {recipe.description} ({reason}); take engine='keras'."
        )
        raise EngineError(message) from error
    opened.widths = graph.widths
    return opened


def _open_graph(path, engine, precision):
    try:
        if engine == "openvino":
            return OpenVINOEngine(path, precision)
        return OnnxRuntimeEngine(path)
    except (OSError, MemoryError, ImportError):
        raise  # for a reason that may pass
    except Exception as error:
        # Engines raise many kinds; whichever it is, they do not take what the converter wrote.
        raise EngineError(str(error)) from error
