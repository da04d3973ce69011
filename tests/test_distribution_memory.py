"""Training reads patches when it needs them, so memory stays flat on more of them than fit in."""

import subprocess
import sys

import numpy as np
import pytest

from skbreast.datasets import make_patches

TRAIN = """
import sys
from pathlib import Path
import numpy as np
from skbreast import PatchCNNClassifier, _patches

def build_tiny(input_shape, n_classes):
    import keras
    inputs = keras.Input(input_shape)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(x))

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

def growth(train):
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = peak()
    train()
    return peak() - before

files = np.load(sys.argv[1])
X = np.tile(files, 3600 // len(files))  # 169 MiB of pixels
y = np.arange(len(X)) % 2
network = PatchCNNClassifier(build_tiny, max_epochs=1, augment=None, random_state=0)

def fit():
    network.fit(X, y).predict(X)

def stream():
    for start in range(0, len(X), 400):
        network.partial_fit(X[start : start + 400], y[start : start + 400])

network.fit(X[:200], y[:200]).partial_fit(X[:200], y[:200])
print(growth(fit), growth(stream))
_patches.KEPT_BYTES = 2**30
print(growth(fit))
"""


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read from /proc")
def test_memory_stays_flat_on_more_patches_than_are_kept(tmp_path, save_patches):
    patches = make_patches(4, 2, patch_size=128, random_state=0).data
    np.save(tmp_path / "files.npy", save_patches(patches, tmp_path))

    process = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path / "files.npy")],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    *flat, kept = map(float, process.stdout.split())  # MiB
    assert max(flat) < 100
    assert kept > 160  # so this would be seen
