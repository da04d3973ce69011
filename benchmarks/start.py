"""How long a process takes to be of use."""

import subprocess
import sys
from functools import partial

from benchmarks.contest import Contest

PROGRAMS = {
    "import skbreast": "import skbreast",
    "skbreast --help": "import sys; from skbreast.cli import app; app(['--help'])",
    "import numpy": "import numpy",
    "import sklearn.pipeline": "import sklearn.pipeline",
    "import tensorflow": "import tensorflow",
    "python": "pass",
}
FEATURES = """
import numpy as np
from skbreast import TransferFeatureExtractor
patches = np.zeros((16, 50, 50, 3), np.uint8)
TransferFeatureExtractor(engine={engine!r}).fit_transform(patches)
"""


def run(program):
    """Run a program in a fresh process."""
    return partial(subprocess.run, [sys.executable, "-c", program], check=True, capture_output=True)


def contests(quick):
    """Yield what is imported, and what it takes to the first features."""
    yield Contest("starting a process", _sides(PROGRAMS), 1)
    if not quick:
        features = {
            f'TransferFeatureExtractor(engine="{engine}")': FEATURES.format(engine=engine)
            for engine in ("openvino", "keras")
        }
        yield Contest("starting a process: the features of 16 patches", _sides(features), 1)


def _sides(programs):
    return {name: ("benchmarks.start:run", {"program": code}) for name, code in programs.items()}
