"""The same bits in threads and processes, small pickles, and one network a structure."""

import hashlib
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._keras import programs, training
from skbreast.datasets import make_patches
from skbreast.persistence import load, save

COMMON = """
import hashlib, os, pickle, sys
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
bunch = make_patches(6, 2, patch_size=16, mpp=1.6, random_state=0)
"""


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 2, patch_size=16, mpp=1.6, random_state=0)


@pytest.fixture(scope="module")
def fitted(bunch):
    return network().fit(bunch.data, bunch.target)


def network(**parameters):
    defaults = {"max_epochs": 2, "batch_size": 8, "random_state": 0}
    return PatchCNNClassifier(**(defaults | parameters))


def run(code, *arguments):
    """Run Python code in a process of its own and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", COMMON + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


@pytest.mark.works("joblib: processes (loky) and threads", kind="arrays")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_in_workers_is_the_serial_one(bunch, backend):
    search = GridSearchCV(network(), {"learning_rate": [1e-2, 1e-3]}, cv=2, scoring="roc_auc")
    serial = clone(search).fit(bunch.data, bunch.target)
    with joblib.parallel_config(backend, n_jobs=2):
        parallel = clone(search).set_params(n_jobs=2).fit(bunch.data, bunch.target)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(parallel.cv_results_[name], serial.cv_results_[name])
    assert all(
        map(np.array_equal, parallel.best_estimator_.weights_, serial.best_estimator_.weights_)
    )


def test_another_process_gives_the_same_bits(bunch, fitted):
    printed = run("""
model = PatchCNNClassifier(max_epochs=2, batch_size=8, random_state=0)
model.fit(bunch.data, bunch.target)
print(hashlib.sha256(pickle.dumps(model.weights_)).hexdigest())
""")
    assert printed == hashlib.sha256(pickle.dumps(fitted.weights_)).hexdigest()


def test_the_users_session_decides_nothing_and_stays_as_it_was():
    printed = run("""
import random
import keras
import numpy as np
import tensorflow as tf
from skbreast import TransferFeatureExtractor
from skbreast._keras import frozen, programs
from tensorflow.python.framework import config as framework_config

def build(shape, n_classes):
    inputs = keras.Input(shape)
    x = keras.layers.Dropout(0.5)(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(keras.layers.Flatten()(x)))

def fit(architecture):
    model = PatchCNNClassifier(architecture, max_epochs=2, batch_size=8, random_state=0)
    return pickle.dumps(model.fit(bunch.data, bunch.target).weights_)

def extract():
    extractor = TransferFeatureExtractor(
        layers="block1", input_size=32, weights=None, random_state=0
    )
    return extractor.fit_transform(bunch.data).tobytes()

def tuned():
    model = PatchCNNClassifier("efficientnet_lite0", max_epochs=1, input_size=32, random_state=0)
    return pickle.dumps(model.set_params(precision="float32").fit(bunch.data, bunch.target))

def results():
    programs._local.__dict__.clear()  # or what was built before would come again
    frozen._networks.clear()
    return fit("small"), extract(), tuned(), fit(build)

def draws():
    drawn = keras.random.normal((2,)), tf.random.normal((2,))
    return random.random(), np.random.random(), [each.numpy().tolist() for each in drawn]

def settings():
    deterministic = framework_config.is_op_determinism_enabled()
    names = keras.config.dtype_policy().name, keras.config.floatx(), keras.config.backend()
    return deterministic, names, keras.config.image_data_format(), dict(os.environ)

expected = results()
for seed in (1, 2):
    keras.utils.set_random_seed(seed)
    drawn, before = draws(), settings()
    keras.utils.set_random_seed(seed)
    assert results() == expected
    assert draws() == drawn
    assert settings() == before

keras.config.set_dtype_policy("mixed_bfloat16")  # a network of the user's follows it, ours do not
keras.config.set_image_data_format("channels_first")
before = settings()
assert results()[:3] == expected[:3]
tf.config.experimental.enable_op_determinism()  # which takes other kernels
assert results() == results()
assert settings() == (True, *before[1:])
print("passed")
""")
    assert printed == "passed"


def test_unpickling_needs_no_keras_until_predict(bunch, fitted, tmp_path):
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    printed = run(
        """
model = pickle.load(open(sys.argv[1], "rb"))
assert not {"keras", "tensorflow"} & set(sys.modules)
print(model.predict_proba(bunch.data).tobytes().hex())
""",
        str(tmp_path / "model.pickle"),
    )
    assert bytes.fromhex(printed) == fitted.predict_proba(bunch.data).tobytes()


def test_state_is_little_more_than_the_weights(bunch, fitted, tmp_path):
    limit = 1.2 * sum(array.nbytes for array in fitted.weights_)
    assert len(pickle.dumps(fitted)) <= limit
    save(fitted, tmp_path / "model.skops")
    assert (tmp_path / "model.skops").stat().st_size <= limit
    restored = load(tmp_path / "model.skops")
    np.testing.assert_array_equal(
        restored.predict_proba(bunch.data), fitted.predict_proba(bunch.data)
    )
    extractor = TransferFeatureExtractor(layers="block1", input_size=32).fit(bunch.data)
    extractor.transform(bunch.data)
    assert len(pickle.dumps(extractor)) < 2000


def build_own(input_shape, n_classes, width):
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(width, 3)(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(keras.layers.Flatten()(x)))


@pytest.mark.parametrize("architecture", ["small", partial(build_own, width=4)])
def test_a_search_compiles_one_network_a_structure(bunch, monkeypatch, architecture):
    built = []
    build = training.Program.__init__

    def counted(program, *structure):
        built.append(structure)
        build(program, *structure)

    monkeypatch.setattr(training.Program, "__init__", counted)
    monkeypatch.setattr(programs, "_local", threading.local())
    grid = {"learning_rate": np.logspace(-4, -2, 6), "batch_size": [4, 8]}
    search = GridSearchCV(network(architecture=architecture, max_epochs=1), grid, cv=3)
    search.fit(bunch.data, bunch.target)
    assert len(built) == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("architecture", ["small", "own"])
def test_37_fits_do_not_grow_the_process(architecture):
    printed = run(
        """
import keras
from sklearn.model_selection import GridSearchCV

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20

def own(input_shape, n_classes):
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3)(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(keras.layers.Flatten()(x)))

architecture = own if sys.argv[1] == "own" else sys.argv[1]
model = PatchCNNClassifier(architecture, max_epochs=1, batch_size=8, random_state=0)
model.fit(bunch.data, bunch.target).predict(bunch.data)
before = resident()
grid = {"learning_rate": [10**-n for n in range(1, 7)], "batch_size": [4, 8]}
GridSearchCV(model, grid, cv=3).fit(bunch.data, bunch.target)  # 36 fits and a last one
print(resident() - before)
""",
        architecture,
    )
    assert float(printed) <= 30


def test_structures_in_turn_in_threads_never_mix(bunch):
    variants = [
        {"input_size": 8},
        {"input_size": 16},
        {"input_size": 8, "random_state": 1},
        {"input_size": 10, "architecture": "resnet"},
        {"input_size": 8, "architecture": partial(build_own, width=4)},
        {"input_size": 8, "architecture": partial(build_own, width=5)},
    ]
    jobs = list(islice(cycle(range(len(variants))), 18))

    def fit_and_ask(number):
        model = network(**variants[number]).fit(bunch.data, bunch.target)
        return model, model.predict_proba(bunch.data)

    expected = [fit_and_ask(number)[1] for number in range(len(variants))]
    with ThreadPoolExecutor(4) as pool:
        models, answers = zip(*pool.map(fit_and_ask, jobs), strict=True)
        again = list(pool.map(lambda model: model.predict_proba(bunch.data), models))
    for number, answer, later in zip(jobs, answers, again, strict=True):
        np.testing.assert_array_equal(answer, expected[number])
        np.testing.assert_array_equal(later, expected[number])
