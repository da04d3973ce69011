"""What is installed and what the machine can do, for `skbreast doctor`."""

import importlib.metadata
import os
import platform

from skbreast._engines import resolve_engine
from skbreast._files import check_writable
from skbreast._graphs import get_cache_home
from skbreast.hardware import has_bfloat16, may_have_gpu, resolve_precision, usable_threads
from skbreast.registry import BACKBONES

__all__ = ["diagnose"]

CORE = (
    "skbreast", "numpy", "scipy", "scikit-learn", "scikit-image", "pillow", "joblib", "keras",
    "tensorflow", "skops",
)  # fmt: skip
# extra: (package, what it gives)
OPTIONAL = {
    "plot": (("matplotlib", "pictures"), ("pandas", "data frames")),
    "report": (("jinja2", "reports as a page"),),
    "pcam": (("h5py", "patches in HDF5 files"),),
    "png": (("imagecodecs", "PNG files decoded 1.5 to 3 times as fast"),),
    "openvino": (("openvino", "features several times faster on processors"),),
    "onnx": (
        ("onnxruntime", "an engine for features"),
        ("tf2onnx", "converts networks for it"),
        ("onnx", "models exported to one file"),
    ),
    "zarr": (("zarr", "features of many patches, in zarr"),),
    "parquet": (("pyarrow", "features of many patches, in parquet"),),
    "slides": (("openslide-python", "not used yet: whole slides"),),
    "dask": (("dask", "features and searches on many machines"),),
    "scikeras": (("scikeras", "not used yet: its wrapper"),),
}


def diagnose():
    """Collect versions, devices, precision, and what is missing.

    Opens TensorFlow to ask it for its devices, which takes a few seconds.

    Returns
    -------
    dict of str to list of (str, str)
        Rows of name and finding, by section.

    Examples
    --------
    >>> from skbreast.diagnostics import diagnose
    >>> list(diagnose())
    ['machine', 'speed', 'packages', 'extras', 'weights']
    """
    return {
        "machine": _machine(),
        "speed": _speed(),
        "packages": [(name, _version(name) or "missing") for name in CORE],
        "extras": [row for extra in OPTIONAL for row in _extra(extra)],
        "weights": _weights(),
    }


def _machine():
    from skbreast._keras.devices import list_devices

    native = "the processor computes in it" if has_bfloat16() else "not native here"
    return [
        ("python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("cores", str(os.cpu_count())),
        ("devices", ", ".join(list_devices())),
        ("bfloat16", native),
    ]


def _speed():
    from skbreast._keras.devices import gpu_precision

    engine, precision = resolve_engine("auto", "auto", gpu=gpu_precision)
    brakes = _brakes(engine, gpu_precision() is not None)
    rows = [
        ("features", f"{engine} in {precision} (engine='auto', precision='auto')"),
        ("training", f"keras in {resolve_precision('auto', gpu=gpu_precision)} (precision='auto')"),
        ("networks kept in", str(get_cache_home())),
    ]
    return rows + [("slow:", reason) for reason in brakes]


def _brakes(engine, on_gpu):
    """Say what slows this machine down, and what to do about it."""
    if engine != "openvino" and not on_gpu:
        yield f'features run in {engine}; several times faster: pip install "skbreast[openvino]"'
    try:
        check_writable(get_cache_home())
    except OSError as error:
        yield f"each process converts networks anew: {error} Set SKBREAST_CACHE."
    if not has_bfloat16():
        yield "the processor does not compute in bfloat16; float32 takes two to three times as long"
    if usable_threads() < (os.cpu_count() or 1):
        n_cores = f"{usable_threads()} of {os.cpu_count()} cores"
        yield f"{n_cores} may be used (OMP_NUM_THREADS, or processors this process may run on)"
    if may_have_gpu() and not on_gpu:
        yield 'TensorFlow does not see the graphics card: pip install "tensorflow[and-cuda]"'


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extra(extra):
    for package, purpose in OPTIONAL[extra]:
        missing = f'missing ({purpose}): pip install "skbreast[{extra}]"'
        yield package, _version(package) or missing


def _weights():
    offline = [name for name, row in BACKBONES.items() if row.packaged]
    others = [name for name in BACKBONES if name not in offline]
    return [
        ("work offline", ", ".join(offline)),
        ("downloaded at first use", ", ".join(others)),
    ]
