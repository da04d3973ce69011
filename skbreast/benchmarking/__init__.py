"""Several models judged on the same folds, with what they differ by on the same patients."""

from skbreast._differences import compare_predictions
from skbreast.benchmarking._models import make_models
from skbreast.benchmarking._report import benchmark_tables
from skbreast.benchmarking._run import Benchmark, ModelResult, run_benchmark

__all__ = [
    "Benchmark",
    "ModelResult",
    "benchmark_tables",
    "compare_predictions",
    "make_models",
    "run_benchmark",
]
