"""What is installed and what the machine can do, for `skbreast doctor`."""

import importlib.metadata
import os
import platform

from skbreast.hardware import has_bfloat16, resolve_precision
from skbreast.registry import BACKBONES

__all__ = ["diagnose"]

CORE = (
    "skbreast", "numpy", "scipy", "scikit-learn", "scikit-image", "pillow", "joblib", "keras",
    "tensorflow", "skops",
)  # fmt: skip
# extra: (package, what it gives)
OPTIONAL = {
    "plot": (("matplotlib", "pictures"), ("pandas", "data frames")),
    "pcam": (("h5py", "patches in HDF5 files"),),
    "openvino": (("openvino", "not used yet: a faster engine to come"),),
    "onnx": (("onnxruntime", "not used yet: an engine to come"),),
    "slides": (("openslide-python", "not used yet: whole slides"),),
    "dask": (("dask", "not used yet: many machines"),),
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
    ['machine', 'packages', 'extras', 'weights']
    """
    return {
        "machine": _machine(),
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
        ("precision='auto'", resolve_precision("auto")),
        ("engines", "keras, the only one in this version"),
    ]


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
