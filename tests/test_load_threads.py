"""Eight threads ask one estimator at once, the first time too, and get the right answers."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.reading import read_patches
from skbreast.texture import ColorFeatures

N_THREADS = 8
N_ROUNDS = 4


@pytest.fixture(scope="module")
def bunch():
    return make_patches(8, 6, patch_size=32, mpp=1.6, random_state=0)


def make_network(memory):
    return PatchCNNClassifier(max_epochs=1, batch_size=16, random_state=0)


def make_frozen(memory):
    extractor = TransferFeatureExtractor(layers="block2", input_size=32, memory=memory)
    return make_pipeline(extractor, LogisticRegression(max_iter=200))


def make_remembering(memory):
    return make_frozen(memory)


def make_colours(memory):
    features = ColorFeatures(n_jobs=2)
    return make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=200))


@pytest.mark.parametrize("make", [make_network, make_frozen, make_remembering, make_colours])
def test_threads_get_the_answers_that_one_gets(bunch, tmp_path, make):
    memory = tmp_path / "store" if make is make_remembering else None
    model = make(memory).fit(bunch.data, bunch.target)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(bunch.data))[:20] for _ in range(N_THREADS * N_ROUNDS)]
    expected = [model.predict_proba(bunch.data[rows]) for rows in orders]
    model = pickle.loads(pickle.dumps(model))  # which has no network yet
    barrier = threading.Barrier(N_THREADS)

    def ask(thread):
        barrier.wait(60)
        mine = range(thread, len(orders), N_THREADS)
        return [(number, model.predict_proba(bunch.data[orders[number]])) for number in mine]

    with ThreadPoolExecutor(N_THREADS) as pool:
        answers = [answer for each in pool.map(ask, range(N_THREADS)) for answer in each]
    assert len(answers) == len(orders)
    for number, answer in answers:
        np.testing.assert_allclose(answer, expected[number], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(answer.argmax(axis=1), expected[number].argmax(axis=1))


def test_threads_read_one_hdf5_file_at_once(bunch, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=bunch.data, chunks=(1, 32, 32, 3), compression="gzip")

    def read(seed):
        rows = np.random.default_rng(seed).integers(0, len(bunch.data), 30)
        patches = read_patches([f"{tmp_path}/a.h5#{row}" for row in rows], n_jobs=2)
        return np.array_equal(patches, bunch.data[rows])

    with ThreadPoolExecutor(N_THREADS) as pool:
        assert all(pool.map(read, range(40)))
