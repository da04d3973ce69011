"""Two processes train one network as one process does, and end together when one is lost."""

import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest

from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches

HARD_LIMIT = 240  # seconds, on a busy machine; nothing here waits for that
COMMON = """
import json, os, pickle, signal, sys, time
import numpy as np
from skbreast import PatchCNNClassifier, _resuming
from skbreast.datasets import make_patches

index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
folder = sys.argv[1]

def network(**parameters):
    defaults = {"max_epochs": 4, "batch_size": 9, "random_state": 0, "precision": "float32"}
    return PatchCNNClassifier(**(defaults | parameters), distribute="multiworker")

def keep(name, value):
    with open(f"{folder}/{name}-{index}.pickle", "wb") as file:
        pickle.dump(value, file)

bunch = make_patches(6, 4, patch_size=16, mpp=1.6, random_state=0)
X, y = bunch.data, bunch.target
given = {"sample_weight": np.linspace(0.5, 1, len(y)), "X_val": X[:7], "y_val": y[:7]}
"""


def start(folder, code, n_processes=2, **environment):
    """Start processes that train together on this machine."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n_processes)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    processes = []
    for index in range(n_processes):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": addresses}, "task": task})
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", COMMON + code, str(folder)],
                env=os.environ | environment | {"TF_CONFIG": config},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


def ends(processes, seconds=HARD_LIMIT):
    """Wait for processes; return what each prints and how it ends. Nothing is left running."""
    try:
        printed = [process.communicate(timeout=seconds) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [
        (output.strip(), errors, process.returncode)
        for (output, errors), process in zip(printed, processes, strict=True)
    ]


def run(folder, code, **environment):
    results = ends(start(folder, code, **environment))
    for _, errors, code in results:
        assert code == 0, errors[-3000:]
    return [output for output, _, _ in results]


def kept(folder, name, index):
    return pickle.loads((folder / f"{name}-{index}.pickle").read_bytes())


def both(folder, name):
    """Return what was kept, which is the same bits in both processes."""
    first, second = (kept(folder, name, index) for index in range(2))
    assert pickle.dumps(first) == pickle.dumps(second)
    return first


def network(**parameters):
    defaults = {"max_epochs": 4, "batch_size": 9, "random_state": 0, "precision": "float32"}
    return PatchCNNClassifier(**(defaults | parameters))


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 4, patch_size=16, mpp=1.6, random_state=0)


@pytest.fixture(scope="module")
def references(bunch, save_patches, tmp_path_factory):
    return save_patches(bunch.data, tmp_path_factory.mktemp("patches"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, references):
    """Folder of what two processes kept of several fits, one after the other."""
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "references.npy", references)
    run(
        folder,
        """
model = network().fit(X, y, **given)
keep("default", (model.history_, model.best_epoch_, model.weights_, model.predict_proba(X)))

def build_own(input_shape, n_classes):
    import keras
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.BatchNormalization(momentum=0.5)(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.GaussianNoise(0.1)(x))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(x))

turned = {"X_val": X, "y_val": 1 - y}  # the more it learns, the worse it looks
own = network(architecture=build_own, random_state=None, early_stopping=True, patience=1,
              learning_rate=0.02, max_epochs=30).fit(X, y, **turned)
keep("stopped", (own.history_, own.n_iter_, own.best_epoch_, own.weights_))

try:
    network().fit(X, np.where((np.arange(len(y)) == 3) & (index == 1), 1 - y, y))
except ValueError as error:
    keep("differing", str(error))

class Broken(np.random.RandomState):
    def randint(self, *arguments, **options):
        raise OSError("no numbers left")

def failing(**changes):
    try:
        model = network(**changes.pop("parameters", {}))
        model.fit(**({"X": X, "y": y} | changes))
    except Exception as error:
        return f"{type(error).__name__}: {error}"

# One fails, none waits, and all can train again.
keep("one", failing(**({"y": y[:-1]} if index == 1 else {})))
keep("chief", failing(parameters={"random_state": Broken(0)}))
keep("few", failing(parameters={"batch_size": 1}, **({"X": X[:-1], "y": y[:-1]} if index else {})))
keep("all", failing(parameters={"batch_size": 1}))

from skbreast._patches import PatchSource
taken, take, recall = [], PatchSource.take, _resuming.Memory.recall
def noted(source, rows):
    taken.append(source.X[rows].tolist())
    return take(source, rows)
def forgetful(memory):  # of what the chief read for the means of the channels
    taken.clear()
    recall(memory)
PatchSource.take, _resuming.Memory.recall = noted, forgetful
named = np.load(f"{folder}/references.npy")
model = network(max_epochs=2).fit(named, y)
keep("taken", taken)
keep("named", (model.history_, model.weights_))
print(model.precision_)
""",
    )
    return folder


@pytest.mark.slow
def test_two_processes_do_what_one_does_with_the_whole_batch(trained, bunch):
    history, best_epoch, weights, probabilities = both(trained, "default")
    X, y = bunch.data, bunch.target
    given = {"sample_weight": np.linspace(0.5, 1, len(y)), "X_val": X[:7], "y_val": y[:7]}
    one = network().fit(X, y, **given)
    assert best_epoch == one.best_epoch_ == 4
    assert list(history) == list(one.history_)
    for name, values in one.history_.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    for number, (first, second) in enumerate(zip(one.weights_, weights, strict=True)):
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-5, err_msg=str(number))
    np.testing.assert_allclose(probabilities, one.predict_proba(X), atol=1e-5)


@pytest.mark.slow
def test_two_processes_stop_at_the_same_epoch_with_the_same_weights(trained):
    history, n_iter, best_epoch, _ = both(trained, "stopped")  # the seed was the chief's
    assert n_iter == len(history["loss"]) == best_epoch + 1 < 30


@pytest.mark.slow
def test_processes_that_were_given_different_labels_say_so(trained):
    first, second = (kept(trained, "differing", index) for index in range(2))
    assert "all processes must be given the same patches, labels and parameters" in first
    assert "in process 1, these differ: labels" in second


@pytest.mark.slow
def test_where_one_fails_nobody_waits_and_all_can_train_again(trained):
    of = {
        name: [kept(trained, name, index) for index in range(2)]
        for name in ("one", "chief", "few", "all")
    }
    assert of["one"][1].startswith("ValueError: ")
    assert of["one"][0] == (
        "ConnectionError: distribute='multiworker': another process has failed, so process 0 of 2 "
        "ends its training; what that one says tells why."
    )
    assert of["chief"] == [
        "OSError: no numbers left",
        "ConnectionError: distribute='multiworker': the first process has failed (OSError: no "
        "numbers left), so process 1 of 2 ends its training; what that one says tells why.",
    ]
    assert all("given the same patches, labels" in each for each in of["few"])
    assert all("too few to be shared by 2 devices" in each for each in of["all"])


@pytest.mark.slow
def test_each_file_is_read_by_one_process_an_epoch(trained, references, bunch):
    first, second = (kept(trained, "taken", index) for index in range(2))
    assert len(first) == len(second) == 2 * 3  # epochs of three batches
    for epoch in (slice(3), slice(3, 6)):
        mine, others = (list(chain(*taken[epoch])) for taken in (first, second))
        assert sorted(mine + others) == sorted(references)
        assert len(mine) == len(others)
    history, weights = both(trained, "named")
    one = network(max_epochs=2).fit(references, bunch.target)
    np.testing.assert_allclose(history["loss"], one.history_["loss"], rtol=1e-5)
    for first, second in zip(one.weights_, weights, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-5)


TRAIN = """
from skbreast._keras import team
team.WAIT_SECONDS = float(os.environ.get("WAIT", 60))
lost, how = int(os.environ["LOST"]), os.environ["HOW"]
after, total = _resuming.Memory.keep, team.Team.total
def counting(memory):
    after(memory)
    ending.epochs += 1
def ending(own, numbers):
    found = total(own, numbers)
    if index == lost and ending.epochs == 2:  # in the third, so that the chief has kept the second
        if how == "raise":
            raise OSError("no such file")
        if how == "SIGINT":
            signal.raise_signal(signal.SIGINT)
        os.kill(os.getpid(), getattr(signal, how))
        time.sleep(30)
    return found
ending.epochs = 0
_resuming.Memory.keep, team.Team.total = counting, ending
model = network(checkpoint=f"{folder}/checkpoints")
try:
    model.fit(X, y, **given)
except ConnectionError as error:
    print(time.time(), error)
    assert not hasattr(model, "weights_")
    print(PatchCNNClassifier(max_epochs=1, random_state=0).fit(X, y).predict(X).shape)
except (OSError, KeyboardInterrupt) as error:
    print(repr(error), flush=True)
    assert not hasattr(model, "weights_")
    time.sleep(30)
else:
    keep("default", (model.history_, model.best_epoch_, model.weights_, model.predict_proba(X)))
    print(ending.epochs)
"""


def lose(folder, lost, how, *, wait=60, seconds=45):
    """Let one of two processes end in its third epoch; return what the other prints."""
    processes = start(folder, TRAIN, LOST=str(lost), HOW=how, WAIT=str(wait))
    other = processes[1 - lost]
    try:
        output, errors = other.communicate(timeout=HARD_LIMIT)
        if how in ("raise", "SIGINT"):  # while that one lives
            assert processes[lost].poll() is None
            said = processes[lost].stdout.readline()
            assert said.startswith("OSError" if how == "raise" else "KeyboardInterrupt")
        if how.startswith("SIGK") or how == "SIGTERM":
            assert processes[lost].wait(timeout=seconds) == -getattr(signal, how)
    finally:
        for process in processes:
            process.kill()
        ends(processes)
    assert other.returncode == 0, errors[-3000:]
    (when, _, message), shape = output.splitlines()[0].partition(" "), output.splitlines()[1]
    assert shape == "(24,)"  # alone it goes on working
    checkpoint, *others = (folder / "checkpoints").iterdir()
    assert others == []
    assert float(when) - checkpoint.stat().st_mtime < seconds
    return message


@pytest.mark.slow
def test_training_goes_on_after_a_process_was_killed(trained, tmp_path):
    message = lose(tmp_path, 1, "SIGKILL")
    assert message == (
        "distribute='multiworker': another process has ended, so process 0 of 2 ends its training."
        " Start all of them again; with checkpoint= they go on after the last epoch that was "
        "written."
    )
    # Only the chief needs the folder, and its process alone has read it.
    printed = run(tmp_path, TRAIN, LOST="-1", HOW="")
    assert printed == ["2", "2"]  # of four epochs
    assert pickle.dumps(both(tmp_path, "default")) == pickle.dumps(both(trained, "default"))
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("lost", "how", "message"),
    [
        (0, "SIGKILL", "another process has ended, so process 1 of 2"),
        (1, "SIGTERM", "another process has ended, so process 0 of 2"),
        (1, "SIGSTOP", "another process has ended|did not answer for 10 seconds"),
        (0, "raise", "another process has ended, so process 1 of 2"),
        (1, "raise", "another process has ended, so process 0 of 2"),
        (0, "SIGINT", "another process has ended, so process 1 of 2"),
        (1, "SIGINT", "another process has ended, so process 0 of 2"),
    ],
)
def test_whatever_happens_to_one_the_other_ends_soon(tmp_path, lost, how, message):
    assert re.search(message, lose(tmp_path, lost, how, wait=10))
