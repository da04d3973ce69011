"""Time and memory of a grid search of 37 fits, beside scikeras with the same network.

python benchmarks/grid_search.py [--rounds 3] [--write]    # the latter: docs/grid_search.rst

Each side runs in a process of its own, in turn; what is shown are medians and their ratio.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from make_tables import list_table  # noqa: E402

PAGE = ROOT / "docs" / "grid_search.rst"
COMMON = """
import json, os, time
from functools import partial
from sklearn.model_selection import GridSearchCV
from sklearn.utils import ClassifierTags
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.networks import build_network

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20

def from_scikeras():
    from scikeras.wrappers import KerasClassifier

    class TaggedKerasClassifier(KerasClassifier):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags()
            return tags

    return TaggedKerasClassifier(
        build_network,
        model__architecture="small",
        model__input_shape=(24, 24, 3),
        model__n_classes=2,
        loss="sparse_categorical_crossentropy",
        optimizer="adamw",
        optimizer__learning_rate=1e-3,
        batch_size=16,
        epochs=1,
        verbose=0,
    )

def ours(architecture):
    return PatchCNNClassifier(architecture, max_epochs=1, augment=None, precision="float32")

bunch = make_patches(16, 8, patch_size=24, mpp=1.0, random_state=0)
model, rate = MODEL
grid = {rate: [10**-n for n in range(1, 7)], "batch_size": [16, 32]}
model.fit(bunch.data, bunch.target).predict(bunch.data)
before, start = resident(), time.perf_counter()
GridSearchCV(model, grid, cv=3).fit(bunch.data, bunch.target)  # 36 fits and a last one
print(json.dumps({"seconds": time.perf_counter() - start, "mebibytes": resident() - before}))
"""
SIDES = {
    '`PatchCNNClassifier("small")`': '(ours("small"), "learning_rate")',
    "`PatchCNNClassifier` with a function that builds the same": (
        '(ours(partial(build_network, "small")), "learning_rate")'
    ),
    "scikeras 0.13 with that function": '(from_scikeras(), "optimizer__learning_rate")',
}


def measure(model):
    """Run one side and return its seconds and the growth of its memory."""
    process = subprocess.run(
        [sys.executable, "-c", COMMON.replace("MODEL", model)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        sys.exit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def medians(rounds):
    """Return ``{side: {quantity: median}}`` of so many alternating runs."""
    results = {name: [] for name in SIDES}
    for _ in range(rounds):
        for name, model in SIDES.items():
            results[name].append(measure(model))
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }


def table(measured):
    """Return the table as reStructuredText."""
    slowest = max(each["seconds"] for each in measured.values())
    rows = [
        (
            name,
            f"{each['seconds']:.1f}",
            f"{slowest / each['seconds']:.1f}",
            f"{each['mebibytes']:+.0f}",
        )
        for name, each in measured.items()
    ]
    return list_table(("37 fits", "seconds", "times as fast", "memory in MiB"), rows)


def main(rounds, write):
    """Measure, print, and write the page if asked to."""
    made = table(medians(rounds))
    print(made)
    if write:
        note = f"Medians of {rounds} alternating runs on {os.cpu_count()} cores."
        PAGE.write_text(f"{made}\n{note}\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    main(arguments.rounds, arguments.write)
