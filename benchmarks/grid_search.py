"""Time and memory of a grid search of 37 fits, ours beside a network that each fit builds anew.

python benchmarks/grid_search.py [--rounds 3]

Each side runs in a process of its own, in turn; what is printed are medians and their ratio.
"""

import argparse
import json
import statistics
import subprocess
import sys

COMMON = """
import json, os, time
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.networks import build_network

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20

class Rebuilding(ClassifierMixin, BaseEstimator):
    "What wrappers do: build, compile and trace a network in every fit."

    def __init__(self, learning_rate=1e-3, batch_size=32):
        self.learning_rate = learning_rate
        self.batch_size = batch_size

    def fit(self, X, y):
        import keras, numpy as np
        self.classes_ = np.unique(y)
        self.network_ = build_network("small", X.shape[1:], 2)
        self.network_.compile(
            keras.optimizers.AdamW(self.learning_rate), "sparse_categorical_crossentropy"
        )
        self.network_.fit(X, y, epochs=1, batch_size=self.batch_size, verbose=0)
        return self

    def predict(self, X):
        return self.network_.predict(X, verbose=0).argmax(axis=1)

bunch = make_patches(16, 8, patch_size=24, mpp=1.0, random_state=0)
grid = {"learning_rate": [10**-n for n in range(1, 7)], "batch_size": [16, 32]}
model = MODEL
model.fit(bunch.data, bunch.target).predict(bunch.data)
before, start = resident(), time.perf_counter()
GridSearchCV(model, grid, cv=3).fit(bunch.data, bunch.target)  # 36 fits and a last one
print(json.dumps({"seconds": time.perf_counter() - start, "mebibytes": resident() - before}))
"""
SIDES = {
    "skbreast": "PatchCNNClassifier(max_epochs=1, augment=None, random_state=0)",
    "a network built in every fit": "Rebuilding()",
}


def measure(model):
    """Run one side and return its seconds and the growth of its memory."""
    process = subprocess.run(
        [sys.executable, "-c", COMMON.replace("MODEL", model)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


def main(rounds):
    """Print the table."""
    results = {name: [] for name in SIDES}
    for _ in range(rounds):
        for name, model in SIDES.items():
            results[name].append(measure(model))
    medians = {
        name: {key: statistics.median(each[key] for each in runs) for key in runs[0]}
        for name, runs in results.items()
    }
    for name, each in medians.items():
        print(f"{name:30} {each['seconds']:6.1f} s  {each['mebibytes']:+7.1f} MiB")
    ours, theirs = medians.values()
    print(f"{'ratio':30} {theirs['seconds'] / ours['seconds']:6.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args().rounds)
