"""What can run a frozen network, which one suits this machine, and the two that are not Keras.

An engine has one method, ``run``: an iterator of ``(tag, pixels)`` goes in, ``(tag, features)``
come out in the same order, while later patches are already under way.
"""

import functools
import importlib
import importlib.util
import os
import threading
from collections import OrderedDict, deque

import numpy as np

from skbreast._offline import import_openvino
from skbreast._validation import check_choice, import_optional
from skbreast.hardware import PRECISIONS, has_bfloat16, may_have_gpu, usable_threads

__all__ = [
    "ENGINES",
    "EngineError",
    "OnnxRuntimeEngine",
    "OpenVINOEngine",
    "resolve_engine",
]


ENGINES = ("auto", "keras", "openvino", "onnxruntime")
EXTRAS = {"openvino": "openvino", "onnxruntime": "onnx"}
REQUEST_SIZE = 16  # patches in one request: more wait for memory, fewer for the call
WAITING_REQUESTS = 2
SHAPES_KEPT = 6  # compiled a network; a size takes two, full requests and the last


class EngineError(ValueError):
    """An engine cannot run a network."""


def resolve_engine(engine, precision, *, gpu=None):
    """Return the engine and the precision that are meant.

    Parameters
    ----------
    engine : {"auto", "keras", "openvino", "onnxruntime"}
        "auto" is Keras where TensorFlow has a GPU, else OpenVINO where it is installed, else ONNX
        Runtime where it and its converter are and the precision is to be had, else Keras.
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where the engine is OpenVINO and the processor computes in it, or where
        a GPU does, else float32.
    gpu : callable, optional
        Tells "bfloat16", "float32" or None: the precision that TensorFlow's GPU suits. Asked only
        where there may be one, since asking starts TensorFlow.

    Returns
    -------
    engine : {"keras", "openvino", "onnxruntime"}
    precision : {"float32", "bfloat16"}

    Raises
    ------
    ValueError
        If there is no such engine or precision, or the engine does not compute in it.
    ImportError
        If the engine is not installed.
    """
    check_choice(engine, name="engine", choices=ENGINES)
    check_choice(precision, name="precision", choices=PRECISIONS)
    on_gpu = gpu() if gpu and engine in ("auto", "keras") and may_have_gpu() else None
    if engine == "auto":
        engine = _fastest(precision) if on_gpu is None else "keras"
    if engine == "onnxruntime" and precision == "bfloat16":
        raise ValueError(
            "precision='bfloat16' is not to be had with engine='onnxruntime', which computes in "
            "float32 on processors; take engine='openvino' or 'keras'."
        )
    if engine != "keras":
        _check_installed(engine)
    if precision == "auto":
        suits = has_bfloat16() if engine == "openvino" else on_gpu == "bfloat16"
        precision = "bfloat16" if suits else "float32"
    return engine, precision


def _fastest(precision):
    """Return the engine for processors."""
    if _works("openvino"):
        return "openvino"
    if precision != "bfloat16" and _works("onnxruntime") and _works("tf2onnx"):
        return "onnxruntime"
    return "keras"


def _works(package):
    """Tell whether a package is installed and its libraries can be loaded."""
    if importlib.util.find_spec(package) is None:
        return False
    return package == "tf2onnx" or _can_be_imported(package)  # that would start TensorFlow


@functools.cache
def _can_be_imported(package):
    try:
        import_openvino() if package == "openvino" else importlib.import_module(package)
    except (ImportError, OSError):
        return False
    return True


def _check_installed(engine):
    if importlib.util.find_spec(engine) is None:
        import_optional(engine, extra=EXTRAS[engine], purpose=f"engine={engine!r}")


class OpenVINOEngine:
    """Runs a graph with OpenVINO, a request a processor at a time.

    Parameters
    ----------
    path : path-like
        The graph, in OpenVINO's format, for ``(n, h, w, 3)`` float32 pixels.
    precision : {"float32", "bfloat16"}
        What it computes in.
    """

    def __init__(self, path, precision):
        self._openvino = import_openvino()
        self._core = self._openvino.Core()
        self._graph = self._core.read_model(path)
        self._n_threads = usable_threads()
        self._options = {
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "NUM_STREAMS": self._n_threads,
            "INFERENCE_NUM_THREADS": self._n_threads,
            "ENABLE_CPU_PINNING": False,  # decoding runs beside it
        }
        self._lock = threading.Lock()
        self._compiled = OrderedDict()

    def run(self, batches):
        """Yield ``(tag, features)`` for each ``(tag, pixels)``."""
        flying = deque()
        for tag, pixels in batches:
            starts, done = range(0, len(pixels), REQUEST_SIZE), []
            for start in starts:
                if len(flying) == self._n_threads + WAITING_REQUESTS:
                    yield from _landed(flying)
                part = pixels[start : start + REQUEST_SIZE]
                # Fixed shapes are a little faster; the last patches are as many as they are.
                shape = (len(part) if len(part) == REQUEST_SIZE else -1, *part.shape[1:])
                request, idle = self._request(shape, part.dtype)
                request.start_async({0: part})
                flying.append((request, idle, done, tag, start == starts[-1]))
        while flying:
            yield from _landed(flying)

    def _request(self, shape, dtype):
        """Return a request, and where to put it when it has landed: making one takes memory."""
        with self._lock:
            if (shape, dtype) not in self._compiled:
                idle = deque(maxlen=self._n_threads + WAITING_REQUESTS)
                self._compiled[shape, dtype] = self._compile(shape, dtype), idle
                while len(self._compiled) > SHAPES_KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end((shape, dtype))
            compiled, idle = self._compiled[shape, dtype]
            return (idle.pop() if idle else compiled.create_infer_request()), idle

    def _compile(self, shape, dtype):
        graph = self._graph.clone()
        graph.reshape(list(shape))
        entry = self._openvino.preprocess.PrePostProcessor(graph)
        entry.input().tensor().set_element_type(self._openvino.Type(dtype))
        return self._core.compile_model(entry.build(), "CPU", self._options)


def _landed(flying):
    """Wait for the oldest request; yield what it completes, if it is the last of its batch."""
    request, idle, done, tag, last = flying.popleft()
    request.wait()
    done.append(request.get_output_tensor(0).data.astype(np.float32))
    idle.append(request)
    if last:
        yield tag, np.concatenate(done)


class OnnxRuntimeEngine:
    """Runs a graph with ONNX Runtime.

    Parameters
    ----------
    path : path-like
        The graph, in ONNX, for ``(n, h, w, 3)`` float32 pixels.
    """

    def __init__(self, path):
        runtime = import_optional("onnxruntime", extra="onnx", purpose="engine='onnxruntime'")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = usable_threads()
        self._session = runtime.InferenceSession(
            os.fspath(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def run(self, batches):
        """Yield ``(tag, features)`` for each ``(tag, pixels)``."""
        for tag, pixels in batches:
            (features,) = self._session.run(None, {self._input: pixels.astype(np.float32)})
            yield tag, features
