"""A fit that was killed goes on and ends with the bits of one that was left in peace."""

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skbreast import PatchCNNClassifier, _checkpoint, _resuming
from skbreast._keras import programs, training
from skbreast.datasets import make_patches
from skbreast.exceptions import CheckpointWarning, TrainingInterruptedWarning
from skbreast.persistence import load, save


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 3, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)


@pytest.fixture
def stop(monkeypatch):
    """Give a function that lets fits fail after so many epochs, when the last is on the disk."""
    write = _checkpoint.Checkpoint.save

    def stop_after(n_epochs):
        left = [n_epochs]

        def stopping(checkpoint, state):
            write(checkpoint, state)
            left[0] -= 1
            if not left[0]:
                monkeypatch.setattr(programs, "_local", threading.local())  # forget the network
                raise Stopped

        monkeypatch.setattr(_checkpoint.Checkpoint, "save", stopping)

    yield stop_after
    monkeypatch.undo()


class Stopped(Exception):  # noqa: N818
    """Stands for the end of a process."""


def network(**parameters):
    defaults = {"max_epochs": 3, "batch_size": 8, "random_state": 0}
    return PatchCNNClassifier(**(defaults | parameters))


def build_own(input_shape, n_classes, rate=0.5):
    """Return a tiny network that is random while it learns."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Dropout(rate)(keras.layers.Dense(4, activation="relu")(x))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(x))


def state(model):
    weights = [array.tobytes() for array in model.weights_]
    return model.history_, model.best_epoch_, model.n_iter_, model.precision_, weights


def stopped_fit(model, stop, n_epochs, *data, **options):
    stop(n_epochs)
    with pytest.raises(Stopped):
        model.fit(*data, **options)
    stop(-1)


def files(folder):
    return sorted(each.name for each in folder.iterdir())


# The same bits


@pytest.mark.parametrize("n_epochs", [1, 2, 3])
@pytest.mark.parametrize(
    "parameters",
    [
        {"architecture": build_own, "class_weight": "balanced"},
        {"architecture": "small", "early_stopping": True, "patience": 2},
        {"architecture": "small", "precision": "bfloat16", "max_epochs": 4},
    ],
    ids=["own", "early stopping", "bfloat16"],
)
def test_a_stopped_fit_goes_on_with_the_same_bits(bunch, tmp_path, stop, parameters, n_epochs):
    options = {"groups": bunch.groups, "sample_weight": np.linspace(0.5, 1, len(bunch.target))}
    expected = network(**parameters).fit(bunch.data, bunch.target, **options)
    model = network(**parameters, checkpoint=tmp_path)
    stopped_fit(model, stop, n_epochs, bunch.data, bunch.target, **options)
    assert not hasattr(model, "weights_")
    assert len(files(tmp_path)) == 1
    clone(model).fit(bunch.data[::-1], bunch.target[::-1], **options)  # which is another
    assert len(files(tmp_path)) == 1
    assert state(clone(model).fit(bunch.data, bunch.target, **options)) == state(expected)
    assert files(tmp_path) == []


@pytest.mark.parametrize("n_epochs", [2, 3, 4])
def test_early_stopping_goes_on_waiting(bunch, tmp_path, stop, n_epochs):
    X, y = bunch.data, bunch.target
    parameters = {"early_stopping": True, "patience": 2, "max_epochs": 6, "learning_rate": 0.02}
    turned = {"X_val": X.copy(), "y_val": 1 - y}  # the more it learns, the worse it looks
    expected = network(architecture=build_own, **parameters).fit(X, y, **turned)
    assert expected.best_epoch_ + 2 == expected.n_iter_ == 4
    model = network(architecture=build_own, **parameters, checkpoint=tmp_path)
    stopped_fit(model, stop, n_epochs, X, y, **turned)
    assert state(model.fit(X, y, **turned)) == state(expected)


def test_a_callback_that_ends_a_fit_leaves_no_file(bunch, tmp_path):
    pytest.importorskip("sklearn.callback", reason="callbacks come with scikit-learn 1.9")

    class Ending:
        def setup(self, estimator, context):
            pass

        teardown = on_fit_task_begin = setup

        def on_fit_task_end(self, estimator, context):
            return True

    model = network(checkpoint=tmp_path).set_callbacks(Ending()).fit(bunch.data, bunch.target)
    assert model.n_iter_ == 1
    assert files(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("n_epochs", [1, 2, 3])
def test_each_phase_of_fine_tuning_goes_on(bunch, tmp_path, stop, n_epochs):
    parameters = {"architecture": "efficientnet_lite0", "weights": None, "input_size": 32}
    parameters |= {"max_epochs": 3, "early_stopping": True, "patience": 1}
    data = {"X_val": bunch.data[:6], "y_val": bunch.target[:6]}
    expected = network(**parameters).fit(bunch.data, bunch.target, **data)
    model = network(**parameters, checkpoint=tmp_path)
    n_epochs = min(n_epochs, expected.n_iter_)
    stopped_fit(model, stop, n_epochs, bunch.data, bunch.target, **data)
    assert state(model.fit(bunch.data, bunch.target, **data)) == state(expected)


def test_a_warm_start_goes_on(bunch, tmp_path, stop):
    X, y = bunch.data, bunch.target
    expected = network(warm_start=True).fit(X, y)
    model = clone(expected).set_params(checkpoint=tmp_path).fit(X, y)
    stopped_fit(model, stop, 2, X, y)
    assert model.n_iter_ == 3
    assert state(model.fit(X, y)) == state(expected.fit(X, y))
    assert model.n_iter_ == 6
    assert files(tmp_path) == []


def test_a_drawn_seed_is_found_again(bunch, tmp_path, stop):
    X, y = bunch.data, bunch.target
    expected = network(random_state=np.random.RandomState(3)).fit(X, y)
    again = {"random_state": np.random.RandomState(3), "checkpoint": str(tmp_path)}
    stopped_fit(network(**again), stop, 1, X, y)
    again["random_state"] = np.random.RandomState(3)
    assert state(network(**again).fit(X, y)) == state(expected)
    assert files(tmp_path) == []


def test_an_interrupted_fit_goes_on(bunch, tmp_path, monkeypatch):
    X, y = bunch.data, bunch.target
    expected = network().fit(X, y)
    start, n_steps = training.Program.start, [0]

    def counted(program, *arguments):
        step = start(program, *arguments)

        def stepped(*batch):
            n_steps[0] += 1
            if n_steps[0] == 5:  # of 3 an epoch
                signal.raise_signal(signal.SIGINT)
            return step(*batch)

        return stepped

    monkeypatch.setattr(training.Program, "start", counted)
    model = network(checkpoint=tmp_path)
    with pytest.warns(TrainingInterruptedWarning, match="The next fit of the same goes on there"):
        model.fit(X, y)
    assert model.n_iter_ == 1
    assert len(files(tmp_path)) == 1
    assert state(model.fit(X, y)) == state(expected)
    assert n_steps[0] == 5 + 6


def test_when_it_has_ended_the_next_fit_starts_anew(bunch, tmp_path, monkeypatch):
    begun = []
    begin = _checkpoint.Checkpoint.begin

    def noted(checkpoint, state):
        begun.append(state.numbers["course"])
        begin(checkpoint, state)

    monkeypatch.setattr(_checkpoint.Checkpoint, "begin", noted)
    model = network(checkpoint=tmp_path, max_epochs=1)
    assert state(model.fit(bunch.data, bunch.target)) == state(model.fit(bunch.data, bunch.target))
    assert begun == [[0, 0], [0, 0]]


# Fits beside each other


def test_a_search_in_processes_shares_a_folder(bunch, tmp_path):
    search = GridSearchCV(network(max_epochs=2), {"learning_rate": [1e-2, 1e-3]}, cv=2, n_jobs=2)
    expected = search.fit(bunch.data, bunch.target)
    kept = clone(search).set_params(estimator__checkpoint=tmp_path).fit(bunch.data, bunch.target)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(kept.cv_results_[name], expected.cv_results_[name])
    assert state(kept.best_estimator_) == state(expected.best_estimator_)
    assert files(tmp_path) == []


def test_fits_of_the_same_at_the_same_time_do_no_harm(bunch, tmp_path):
    expected = state(network().fit(bunch.data, bunch.target))

    def fit(_):
        return state(network(checkpoint=tmp_path).fit(bunch.data, bunch.target))

    with warnings.catch_warnings(), ThreadPoolExecutor(3) as pool:
        warnings.simplefilter("error")
        assert list(pool.map(fit, range(6))) == [expected] * 6
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 1e-3},
        {"batch_size": 4},
        {"max_epochs": 4},
        {"augment": "geometric"},
        {"random_state": 1},
        {"architecture": build_own},
        {"input_size": 12},
        {"class_weight": {0: 1, 1: 2}},
        {"early_stopping": True},
        {"precision": "bfloat16"},
        {"y": 1},
        {"X": 1},
        {"classes": 1},
    ],
    ids=" ".join,
)
def test_what_decides_the_result_decides_the_file(bunch, tmp_path, stop, changes):
    X, y = bunch.data.copy(), bunch.target.copy()
    model = network(checkpoint=tmp_path, precision="float32")
    stopped_fit(model, stop, 1, X, y)
    for name, change in changes.items():
        if name == "X":
            X[0, 0, 0, 0] ^= 1
        elif name == "y":
            y[0] = 1 - y[0]
        elif name == "classes":
            y = np.array(["no", "yes"])[y]
        else:
            model.set_params(**{name: change})
    stopped_fit(model, stop, 1, X, y, groups=bunch.groups)
    assert len(files(tmp_path)) == 2


def test_what_decides_nothing_finds_the_file(bunch, tmp_path, stop, monkeypatch, save_patches):
    stopped_fit(network(checkpoint=tmp_path), stop, 1, bunch.data, bunch.target)
    before = files(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    model = network(checkpoint=os.path.relpath(tmp_path), patience=9, validation_fraction=0.3)
    stopped_fit(model.set_params(verbose=1), stop, 1, bunch.data, bunch.target)
    stop(1)
    folder = tmp_path.parent / "patches"
    folder.mkdir()
    with pytest.raises(Stopped):  # files of the same few pixels
        model.fit(save_patches(bunch.data, folder), bunch.target)
    assert files(tmp_path) == before


# What cannot be used or kept


def test_changed_files_are_told_and_begun_anew(bunch, tmp_path, stop, save_patches, monkeypatch):
    monkeypatch.setattr("skbreast._patches.KEPT_BYTES", 0)  # as if they were very many
    (tmp_path / "patches").mkdir()
    X, kept = save_patches(bunch.data, tmp_path / "patches"), tmp_path / "kept"
    expected = network().fit(X, bunch.target)
    model = network(checkpoint=kept)
    stopped_fit(model, stop, 1, X, bunch.target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped_fit(model, stop, 1, X, bunch.target)
    os.utime(X[0], (1, 1))
    with pytest.warns(CheckpointWarning, match=r"other patch files \(size or time\)") as told:
        assert state(model.fit(X, bunch.target)) == state(expected)
    assert told[0].filename == __file__
    assert len(files(kept)) == 1  # the older one


def test_other_versions_are_told_and_begun_anew(bunch, tmp_path, stop, monkeypatch):
    versions = _resuming.versions()
    with monkeypatch.context() as earlier:
        earlier.setattr(_resuming, "versions", lambda: versions | {"keras": "3.11.0"})
        stopped_fit(network(checkpoint=tmp_path), stop, 1, bunch.data, bunch.target)
    stop(-1)
    with pytest.warns(CheckpointWarning, match=f"begun with keras 3.11.0, now {versions['keras']}"):
        network(checkpoint=tmp_path).fit(bunch.data, bunch.target)
    assert len(files(tmp_path)) == 1


def build_opaque(input_shape, n_classes, function):
    """Return a network of which Keras does not know all."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(keras.layers.Lambda(function)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, kernel_initializer="zeros")(x))


def make_opaque(factor):
    return lambda shape, n_classes: build_opaque(shape, n_classes, lambda x: factor * x)


def test_other_code_of_a_network_is_told(bunch, tmp_path, stop):
    X, y = bunch.data, bunch.target
    first = network(architecture=make_opaque(1 / 255), checkpoint=tmp_path)
    stopped_fit(first, stop, 1, X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped_fit(first, stop, 1, X, y)
    other = network(architecture=make_opaque(1 / 128), checkpoint=tmp_path)
    with pytest.warns(CheckpointWarning, match="begun with other code of architecture"):
        other.fit(X, y)


def test_a_damaged_file_is_told_and_begun_anew(bunch, tmp_path, stop):
    expected = network().fit(bunch.data, bunch.target)
    model = network(checkpoint=tmp_path)
    stopped_fit(model, stop, 2, bunch.data, bunch.target)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.warns(CheckpointWarning, match="since it is damaged"):
        assert state(model.fit(bunch.data, bunch.target)) == state(expected)
    assert files(tmp_path) == [path.with_suffix(".unusable").name]


def test_a_disk_that_fills_up_does_not_stop_the_training(bunch, tmp_path, stop):
    resource = pytest.importorskip("resource", reason="Windows has no limits of this kind")
    X, y = bunch.data, bunch.target
    expected = network().fit(X, y)
    model = network(checkpoint=tmp_path)
    stopped_fit(model, stop, 1, X, y)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    n_bytes = sum(array.nbytes for array in expected.weights_)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fit(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
        try:
            return model.fit(X, y)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    with pytest.raises(OSError, match=r"cannot be written .*File too large.*another folder in ch"):
        fit(1000)
    assert path.read_bytes() == content
    path.unlink()
    with pytest.warns(CheckpointWarning, match="The training goes on") as told:
        assert state(fit(2 * n_bytes)) == state(expected)  # the optimizer needs two more
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheckpointWarning)
        with pytest.raises(CheckpointWarning, match="The training goes on"):
            fit(2 * n_bytes)


def test_a_bad_folder_or_seed_is_told_before_the_training(bunch, tmp_path):
    (tmp_path / "file").write_text("")
    for checkpoint, error, message in [
        (tmp_path / "file", NotADirectoryError, "is a file; a folder is expected"),
        (tmp_path / "file" / "below", NotADirectoryError, "is a file; a folder is expected"),
        ("", ValueError, "checkpoint must be None or a folder.* got str ''"),
        (7, ValueError, "checkpoint must be None or a folder.* got int 7"),
    ]:
        with pytest.raises(error, match=message):
            network(checkpoint=checkpoint).fit(bunch.data, bunch.target)
    with pytest.raises(ValueError, match="checkpoint needs random_state, best an integer"):
        network(checkpoint=tmp_path, random_state=None).fit(bunch.data, bunch.target)
    with pytest.raises(ValueError, match="partial_fit keeps no checkpoints"):
        network(checkpoint=tmp_path).partial_fit(bunch.data, bunch.target, classes=[0, 1])
    assert files(tmp_path) == ["file"]


def test_a_fitted_classifier_keeps_nothing_of_it(bunch, tmp_path):
    plain = network(max_epochs=1).fit(bunch.data, bunch.target)
    model = network(max_epochs=1, checkpoint=tmp_path / "kept").fit(bunch.data, bunch.target)
    assert vars(model).keys() == vars(plain).keys()
    pickled = pickle.loads(pickle.dumps(model))
    loaded = load(save(model, tmp_path / "model.skops"))
    assert pickled.checkpoint == tmp_path / "kept"
    assert loaded.checkpoint is None  # a file names no folder to write to
    assert state(pickled) == state(loaded) == state(model)


# Killed processes

CHILD = """
import os, pickle, sys, warnings
import keras
from skbreast import PatchCNNClassifier
from skbreast._keras import programs
from skbreast.datasets import make_patches
from test_resuming import build_own

checkpoint, result = sys.argv[1:]
bunch = make_patches(6, 3, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)
model = PatchCNNClassifier(
    build_own, max_epochs=300, batch_size=8, random_state=0, early_stopping=True, patience=300,
    checkpoint=checkpoint,
)
sys.stdin.readline()
warnings.simplefilter("error")
model.fit(bunch.data, bunch.target, groups=bunch.groups)
weights = [array.tobytes() for array in model.weights_]
ended = model.history_, model.best_epoch_, model.n_iter_, model.precision_, weights
with open(result + ".part", "wb") as file:
    pickle.dump(ended, file)
os.replace(file.name, result)
"""


class Fits:
    """Processes that fit the same; the next one starts while one fits."""

    def __init__(self, checkpoint, result):
        self._command = [sys.executable, "-c", CHILD, str(checkpoint), str(result)]
        path = [os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]  # noqa: PTH120
        self._environment = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
        self._waiting = self._start()

    def _start(self):
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, env=self._environment)

    def begin(self):
        """Let a process fit that is ready to."""
        process, self._waiting = self._waiting, self._start()
        process.stdin.write(b"\n")
        process.stdin.flush()
        return process

    def close(self):
        self._waiting.kill()
        self._waiting.communicate()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
@pytest.mark.parametrize(
    "n_kills",
    [pytest.param(3, marks=pytest.mark.slow), pytest.param(25, marks=pytest.mark.long)],
)
def test_kills_at_random_moments_change_nothing(bunch, tmp_path, n_kills):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # shown where it fails
    rng, kept, result = random.Random(seed), tmp_path / "kept", tmp_path / "result"
    parameters = {"max_epochs": 300, "early_stopping": True, "patience": 300}
    model = network(architecture=build_own, **parameters)
    expected = state(model.fit(bunch.data, bunch.target, groups=bunch.groups))
    n_killed = n_resumed = n_ended = 0
    fits = Fits(kept, result)
    try:
        while n_killed < n_kills or not n_ended:
            before = content(kept)
            process = fits.begin()
            n_resumed += before is not None
            if n_killed < n_kills:
                if before is None or rng.random() < 0.7:  # else it may not yet have read it
                    wait_for_an_epoch(kept, before, process)
                time.sleep(rng.expovariate(4))
                process.send_signal(signal.SIGKILL)
            process.communicate(timeout=300)
            if not result.exists():
                assert process.returncode == -signal.SIGKILL
                n_killed += 1
                continue
            assert process.returncode in (0, -signal.SIGKILL)  # the latter when all was done
            assert pickle.loads(result.read_bytes()) == expected
            result.unlink()
            assert not list(kept.glob("fit-*"))
            n_ended += 1
    finally:
        fits.close()
    print(f"{n_killed} killed, {n_resumed} resumed, {n_ended} ended")
    assert n_resumed >= 0.8 * (n_kills - 1)  # of a kill as the last file goes nothing is left


def content(folder):
    """Return what is in the only checkpoint, None where there is none."""
    try:
        return next(folder.glob("fit-*.npz")).read_bytes()
    except (StopIteration, FileNotFoundError):
        return None


def wait_for_an_epoch(folder, before, process):
    """Wait until a fit has written what it did, or has ended."""
    while process.poll() is None and content(folder) in (None, before):
        time.sleep(0.001)
