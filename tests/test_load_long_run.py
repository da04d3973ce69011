"""Many fits and transforms in one process: memory, descriptors and threads stay as they are.

By hand: ``python tests/test_load_long_run.py 200`` prints what the process holds as it goes.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from test_fuzz_mutations import held

WARMING_UP = 6
MAX_GROWTH_MB = 50


def check_flat(n_rounds):
    process = subprocess.run(
        [sys.executable, __file__, str(n_rounds)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert process.returncode == 0, process.stderr
    before, *_, after = map(json.loads, process.stdout.splitlines())
    assert after["round"] == n_rounds
    assert after["megabytes"] - before["megabytes"] <= MAX_GROWTH_MB
    assert after["descriptors"] == before["descriptors"]
    assert after["threads"] <= before["threads"] + 3  # TensorFlow starts some when it needs them


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_12_fits_and_transforms_leave_nothing_behind():
    check_flat(12)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_200_fits_and_transforms_leave_nothing_behind():
    check_flat(200)


def main(n_rounds):
    import numpy as np
    from PIL import Image

    from skbreast import PatchCNNClassifier, TransferFeatureExtractor
    from skbreast.datasets import make_patches

    bunch = make_patches(6, 4, patch_size=32, mpp=1.6, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        references = [f"{folder}/{number}.png" for number in range(len(bunch.data))]
        for patch, path in zip(bunch.data, references, strict=True):
            Image.fromarray(patch).save(path)
        references = np.array(references, dtype=object)
        for number in range(1, n_rounds + 1):
            memory = folder if number % 2 else None
            X = references if number % 3 else bunch.data
            model = PatchCNNClassifier(max_epochs=1, batch_size=16, random_state=number)
            model.fit(X, bunch.target, groups=bunch.groups).predict(X)
            extractor = TransferFeatureExtractor(layers="block2", input_size=32, memory=memory)
            extractor.fit(X).transform(X)
            if number in (WARMING_UP, n_rounds) or number % 50 == 0:
                tasks = len(list(Path("/proc/self/task").iterdir()))
                print(json.dumps({"round": number, **held(), "threads": tasks}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(int(sys.argv[1]))
