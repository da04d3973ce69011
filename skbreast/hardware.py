"""What the processor is good at: precision, and how many threads."""

import os
from functools import cache
from pathlib import Path

import joblib

from skbreast._validation import check_choice

__all__ = ["PRECISIONS", "has_bfloat16", "may_have_gpu", "resolve_precision", "usable_threads"]

PRECISIONS = ("auto", "float32", "bfloat16")
CPU_INFO = Path("/proc/cpuinfo")
GPU_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}


@cache
def has_bfloat16():
    """Tell whether the processor multiplies bfloat16 matrices by itself.

    Returns
    -------
    bool
        True for x86 processors with AMX or AVX512-BF16 on Linux; False where it cannot be told.
    """
    if not CPU_INFO.is_file():
        return False
    for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return not BFLOAT16_FLAGS.isdisjoint(line.split())
    return False


def may_have_gpu():
    """Tell whether the driver of a GPU is loaded; whether TensorFlow can use it is another matter.

    Returns
    -------
    bool
        Known for NVIDIA's and AMD's on Linux, False elsewhere.
    """
    return any(driver.exists() for driver in GPU_DRIVERS)


def usable_threads():
    """Tell how many threads may compute here.

    Returns
    -------
    int
        The processors that this process may use; fewer where it is one of several workers:
        joblib's, dask's and ray's are told by OMP_NUM_THREADS how many are theirs.
    """
    cores = joblib.cpu_count()
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(told)) if told.isdecimal() and int(told) > 0 else cores


def resolve_precision(precision, *, gpu=None):
    """Return the precision to compute in.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        What the user asked for.
    gpu : callable, optional
        Returns the precision that TensorFlow's GPU is fast in, None if it has none. It is called
        only where :func:`may_have_gpu`, since asking starts TensorFlow.

    Returns
    -------
    {"float32", "bfloat16"}
        "auto" is what the GPU is fast in; without one bfloat16 where :func:`has_bfloat16`.
    """
    check_choice(precision, name="precision", choices=PRECISIONS)
    if precision != "auto":
        return precision
    on_gpu = gpu() if gpu is not None and may_have_gpu() else None
    return on_gpu or ("bfloat16" if has_bfloat16() else "float32")
