"""Eight processes share one feature store while one of them is killed again and again."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from skbreast.feature_store import FeatureStore

N_PROCESSES = 8
pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs fork and SIGKILL")


# The store alone. Each process asks for batches that the others ask for too, compares what is
# known with what it should be, and keeps what it had to compute.


def compute(patch):
    return np.random.default_rng(list(patch)).standard_normal(64).astype(np.float32)


def draw_batch(number):
    rng = np.random.default_rng(number)
    return [rng.bytes(20) for _ in range(25)]


def work(folder, seed, n_rounds, n_batches, done):
    store, rng = FeatureStore(folder), np.random.default_rng(seed)
    for number in range(n_rounds):
        wanted = draw_batch(int(rng.integers(n_batches)))
        found = store.get("net", wanted)
        for patch, vector in found.items():
            np.testing.assert_array_equal(vector, compute(patch))
        missing = [patch for patch in wanted if patch not in found]
        if missing:
            store.put("net", missing, [compute(patch) for patch in missing])
        store.put_files({f"{number} of {seed}.png": "1:2"}, wanted[:1])
        os.write(done, b".")


# Features of a network: real files, in an order of each process' own.


def extract(folder, seed, n_rounds, n_files, done):
    from skbreast import TransferFeatureExtractor

    references = np.array([f"{folder}/{number}.png" for number in range(n_files)], dtype=object)
    rng = np.random.default_rng(seed)
    for _ in range(n_rounds):
        rows = rng.permutation(n_files)[:40]
        extractor = TransferFeatureExtractor(layers="block2", input_size=32, memory=folder)
        features = extractor.fit_transform(references[rows])
        np.save(f"{folder}/{seed}.npy", np.column_stack([rows, features]))
        os.write(done, b".")


def lead(target, folder, n_kills, n_rounds, n_items):
    """Start seven processes, and kill an eighth as often as asked; in a process without threads."""
    fork = multiprocessing.get_context("fork")
    reading, writing = os.pipe()
    steady = [
        fork.Process(target=target, args=(folder, seed, n_rounds, n_items, writing))
        for seed in range(N_PROCESSES - 1)
    ]
    for process in steady:
        process.start()
    os.set_blocking(reading, False)
    rng = np.random.default_rng(0)
    for number in range(n_kills):
        own, its = os.pipe()
        victim = fork.Process(target=target, args=(folder, 1000 + number, 10**6, n_items, its))
        victim.start()
        os.close(its)
        assert len(os.read(own, 1 + number % 3)) > 0
        time.sleep(rng.uniform(0, 0.05))  # anywhere in its next round
        victim.kill()
        victim.join()
        os.close(own)
        assert victim.exitcode == -9
    for process in steady:
        process.join()
        assert process.exitcode == 0
    assert len(os.read(reading, 10**6)) <= (N_PROCESSES - 1) * n_rounds


def run(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    command = [sys.executable, __file__, *map(str, arguments)]
    process = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=900, env=environment
    )
    assert process.returncode == 0, process.stderr


def check_database(store):
    with sqlite3.connect(store.path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        lengths = database.execute("SELECT DISTINCT length(vector) FROM features").fetchall()
    database.close()
    assert len(lengths) == 1


def check_sharing(folder, *, n_kills, n_rounds, n_batches):
    run("work", folder, n_kills, n_rounds, n_batches)
    store = FeatureStore(folder)
    check_database(store)
    n_found = 0
    for number in range(n_batches):
        for patch, vector in store.get("net", draw_batch(number)).items():
            np.testing.assert_array_equal(vector, compute(patch))
            n_found += 1
    assert n_found == store.info()["n_features"]
    assert n_found >= 0.9 * 25 * n_batches
    assert store.info()["n_files"] >= (N_PROCESSES - 1) * n_rounds


def test_what_eight_processes_share_is_right_though_one_is_killed(tmp_path):
    check_sharing(tmp_path, n_kills=5, n_rounds=20, n_batches=30)


@pytest.mark.long
def test_what_eight_processes_share_is_right_though_one_is_killed_a_hundred_times(tmp_path):
    check_sharing(tmp_path, n_kills=100, n_rounds=200, n_batches=300)


@pytest.mark.long
def test_features_of_a_network_are_right_though_one_of_eight_is_killed(tmp_path):
    from PIL import Image

    from skbreast import TransferFeatureExtractor
    from skbreast.datasets import make_patches

    patches = make_patches(8, 15, patch_size=32, random_state=0).data
    for number, patch in enumerate(patches):
        Image.fromarray(patch).save(tmp_path / f"{number}.png")
    run("extract", tmp_path, 4, 10, len(patches))
    store = FeatureStore(tmp_path)
    check_database(store)
    alone = TransferFeatureExtractor(layers="block2", input_size=32).fit_transform(patches)
    for seed in range(N_PROCESSES - 1):
        rows, features = np.split(np.load(tmp_path / f"{seed}.npy"), [1], axis=1)
        np.testing.assert_allclose(features, alone[rows[:, 0].astype(int)], rtol=1e-5, atol=1e-6)
    assert store.info()["n_features"] == len(np.unique(patches, axis=0))


if __name__ == "__main__":
    target, folder, *numbers = sys.argv[1:]
    lead({"work": work, "extract": extract}[target], Path(folder), *map(int, numbers))
