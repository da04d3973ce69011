"""Who trains together, what each is given, and that several devices do what one does."""

import json
import re
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from skbreast import PatchCNNClassifier, _meeting
from skbreast._augment import augment_patches
from skbreast._fitting import TrainingSet, train, validate
from skbreast._meeting import meet
from skbreast._patches import PatchSource
from skbreast._teams import ALONE, Alone, RowsOfBatch, part_of
from skbreast.datasets import make_patches
from skbreast.stain import StainJitter


def free_addresses(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


class Part(Alone):
    """One of three processes, with whatever the others would add to a sum."""

    n_replicas = n_processes = 3

    def __init__(self, index, others=0):
        self.index, self.others = index, others

    def total(self, numbers):
        return numbers + self.others


# What each is given


def test_parts_by_hand():
    assert [part_of(10, 3, number) for number in range(3)] == [
        slice(0, 3),
        slice(3, 6),
        slice(6, 10),
    ]
    assert part_of(10, 4, 2, 4) == slice(5, 10)


@pytest.mark.parametrize("n_parts", [1, 2, 3, 7])
def test_parts_overlap_nowhere_and_leave_nothing_out(n_parts):
    for n in range(20):
        rows = [np.arange(n)[part_of(n, n_parts, number)] for number in range(n_parts)]
        np.testing.assert_array_equal(np.concatenate(rows), np.arange(n))
        assert np.ptp([len(each) for each in rows]) <= 1


def test_processes_with_several_devices_take_rows_side_by_side():
    class Two(Alone):
        n_replicas, n_processes = 6, 2

    teams = [Two(), Two()]
    teams[1].index = 1
    assert [team.rows(10) for team in teams] == [slice(0, 5), slice(5, 10)]
    assert ALONE.rows(10) == slice(0, 10)


@pytest.mark.parametrize(
    "augment",
    ["geometric", "stain", StainJitter(stain_angle=10.0)],
    ids=["geometric", "stain", "own"],
)
def test_patches_change_as_in_the_whole_batch(augment):
    patches = make_patches(5, 2, patch_size=16, random_state=0).data
    whole = augment_patches(patches, np.random.default_rng(7), augment)
    rng = RowsOfBatch(np.random.default_rng(7), len(patches), slice(4, 9))
    np.testing.assert_array_equal(augment_patches(patches[4:9], rng, augment), whole[4:9])
    assert (whole[4:9] != patches[4:9]).any()


def seen(team, batch_size):
    """Return patches, targets and weights of each batch, and what is said of its size."""
    patches = make_patches(5, 2, patch_size=16, random_state=0).data
    given = np.arange(len(patches), dtype=np.int32)
    training_set = TrainingSet(PatchSource(patches), given, given.astype(np.float32) + 1)
    batches = []

    class Keeper:
        def start(self, phase, optimizer_state=None):
            def step(*batch, **whole):
                batches.append((*batch[:3], whole))
                return 0.0, 0.0

            return step

    options = {"phase": "all", "epochs": 2, "learning_rate": 1.0, "augment": "stain", "seed": (0,)}
    list(train(Keeper(), training_set, batch_size=batch_size, team=team, **options))
    return batches


@pytest.mark.parametrize("batch_size", [4, 7])
def test_every_batch_is_shared_without_overlap(batch_size):
    whole = seen(ALONE, batch_size)
    parts = [seen(Part(index), batch_size) for index in range(3)]
    for together, *batches in zip(whole, *parts, strict=True):
        assert {each[3]["n_whole"] for each in batches} == {len(together[1])}
        for number in range(3):
            shared = np.concatenate([each[number] for each in batches])
            np.testing.assert_array_equal(shared, together[number], strict=True)


def test_every_process_finds_the_same_validation_loss():
    class Scores:
        def scores(self, patches):
            value = patches[:, 0, 0, 0].astype(np.float32)
            return np.stack([np.zeros_like(value), value - 4], axis=1)

    patches = np.arange(10, dtype=np.uint8).repeat(4).reshape(10, 2, 2, 1)
    weights = np.linspace(0.5, 2, 10).astype(np.float32)
    whole = TrainingSet(PatchSource(patches), np.arange(10, dtype=np.int32) % 2, weights)
    sums = []

    class Summing(Part):
        def total(self, numbers):
            sums.append(numbers)
            return numbers

    for index in range(3):
        validate(Scores(), whole, 2, Summing(index))
    expected = validate(Scores(), whole, 4)
    for index in range(3):
        values = validate(Scores(), whole, 2, Part(index, sum(sums) - sums[index]))
        assert values == pytest.approx(expected, rel=1e-12)
    few = TrainingSet(PatchSource(patches[:2]), whole.targets[:2], weights[:2])
    assert validate(Scores(), few, 2, Part(0, np.ones(3))) == {"val_loss": 1, "val_accuracy": 1}


# Coming together


def test_processes_wait_for_one_another():
    addresses, servers = free_addresses(3), []

    def come(index):
        meet(addresses, index, seconds=30)
        port = int(addresses[index].rpartition(":")[2])
        servers.append(socket.create_server(("", port)))  # as TensorFlow does

    threads = [threading.Thread(target=come, args=(index,)) for index in range(3)]
    for thread in threads[:2]:
        thread.start()
    time.sleep(0.5)
    assert servers == []
    threads[2].start()
    for thread in threads:
        thread.join(30)
    assert len(servers) == 3
    for server in servers:
        server.close()


@pytest.mark.parametrize("index", [0, 1])
def test_one_that_does_not_come_is_named(index):
    addresses = free_addresses(2)
    with pytest.raises(ConnectionError, match=f"at {addresses[1 - index]}, after 0.5 seconds"):
        meet(addresses, index, seconds=0.5)


@pytest.mark.parametrize(
    ("host", "listens"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1|::1"),
        ("192.0.2.1", "0.0.0.0"),  # for documentation: nobody has it
        ("no.such.name.invalid", "0.0.0.0"),
    ],
)
def test_it_listens_where_it_was_told_if_it_can(host, listens):
    port = free_addresses(1)[0].rpartition(":")[2]
    with _meeting._listener(f"{host}:{port}", backlog=1) as door:
        assert re.fullmatch(listens, door.getsockname()[0])
        assert door.getsockname()[1] == int(port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6")
def test_processes_meet_over_ipv6():
    met, addresses = [], [each.replace("127.0.0.1", "[::1]") for each in free_addresses(2)]
    thread = threading.Thread(target=lambda: met.append(meet(addresses, 0, seconds=30)))
    thread.start()
    meet(addresses, 1, seconds=30)
    thread.join(30)
    assert met == [None]


def test_one_that_leaves_is_not_counted():
    addresses, ended = free_addresses(3), []

    def come():
        with pytest.raises(ConnectionError, match=f"at {addresses[2]}, after 4 seconds"):
            meet(addresses, 0, seconds=4)
        ended.append(True)

    thread = threading.Thread(target=come)
    thread.start()
    with pytest.raises(ConnectionError, match=addresses[0]):
        meet(addresses, 2, seconds=1)
    with pytest.raises(ConnectionError, match=addresses[0]):
        meet(addresses, 1, seconds=5)
    thread.join(30)
    assert ended


def test_strangers_who_knock_are_ignored():
    addresses, met = free_addresses(2), []
    thread = threading.Thread(target=lambda: met.append(meet(addresses, 0, seconds=30)))
    thread.start()
    host, port = addresses[0].split(":")
    for words in (b"", b"GET / HTTP/1.1", b"7", b"0", b"-1"):
        for _ in range(100):
            try:
                stranger = socket.create_connection((host, int(port)))
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                break
        stranger.sendall(words)
        stranger.close()
    meet(addresses, 1, seconds=30)
    thread.join(30)
    assert met == [None]


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RuntimeError, match=f"cannot listen at {address}"):
            meet([address, *free_addresses(1)], 0, seconds=1)


CLUSTER = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}


@pytest.mark.parametrize(
    "config",
    [
        None,
        "",
        "two",
        "[]",
        json.dumps(CLUSTER | {"task": {"type": "worker", "index": 2}}),
        json.dumps(CLUSTER | {"task": {"type": "worker", "index": -1}}),
        json.dumps(CLUSTER | {"task": {"type": "ps", "index": 0}}),
        json.dumps(CLUSTER | {"cluster": {"worker": ["a:1", "a:1"]}}),
        json.dumps(CLUSTER | {"cluster": {"worker": ["a", "b"]}}),
        json.dumps(CLUSTER | {"cluster": {"worker": ["a:1", "b:2"], "ps": ["c:3"]}}),
    ],
)
def test_bad_clusters_are_refused(config, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    bunch = make_patches(2, 1, patch_size=16, random_state=0)
    model = PatchCNNClassifier(distribute="multiworker")
    with pytest.raises(ValueError, match=r"needs the environment variable TF_CONFIG.*; "):
        model.fit(bunch.data, bunch.target)
    assert not hasattr(model, "classes_")


def test_the_chief_comes_first():
    from skbreast._keras.distribution import _read_cluster

    assert _read_cluster(json.dumps(CLUSTER)) == (["a:1", "b:2"], 1)
    cluster = {"cluster": {"worker": ["a:1", "b:2"], "chief": ["c:3"]}}
    assert _read_cluster(json.dumps(CLUSTER | cluster)) == (["c:3", "a:1", "b:2"], 2)


def test_late_comers_are_told(monkeypatch):
    import tensorflow as tf

    assert float(tf.ones(1)[0]) == 1
    cluster = {"cluster": {"worker": free_addresses(2)}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    bunch = make_patches(2, 1, patch_size=16, random_state=0)
    with pytest.raises(RuntimeError, match="must come before all else that TensorFlow computes"):
        PatchCNNClassifier(distribute="multiworker").fit(bunch.data, bunch.target)


def test_one_network_is_trained_at_a_time():
    import tensorflow as tf

    from skbreast._keras.team import Team

    first, second = (Team(tf.distribute.get_strategy(), n_processes=2) for _ in range(2))
    errors = []

    def train():
        with (
            pytest.raises(RuntimeError, match="one network at a time") as caught,
            second.training(),
        ):
            pass
        errors.append(caught.value)

    thread = threading.Thread(target=train)
    with first.training(), first.training():  # a callback's
        thread.start()
        thread.join(30)
    assert len(errors) == 1
    with second.training():
        pass


def test_bad_parameters_are_refused():
    bunch = make_patches(2, 1, patch_size=16, random_state=0)
    with pytest.raises(ValueError, match="distribute must be"):
        PatchCNNClassifier(distribute="two").fit(bunch.data, bunch.target)
    with pytest.raises(ValueError, match="distribute must be None"):
        PatchCNNClassifier(distribute="mirrored").partial_fit(bunch.data, bunch.target, [0, 1])


# Devices of one process

MIRRORED = """
import sys, warnings
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import pickle
import keras
import numpy as np
from sklearn.base import clone
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast._keras.distribution import find_team

def build_own(input_shape, n_classes):
    inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(4, 3, use_bias=False, kernel_regularizer="l2")(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

bunch = make_patches(6, 4, patch_size=16, mpp=1.6, random_state=0)
X, y = bunch.data, bunch.target
assert find_team("mirrored").n_replicas == 2
cases = {
    "small": {},
    "own": {"architecture": build_own, "augment": None},
    "stopping": {"architecture": build_own, "early_stopping": True, "patience": 1},
    "backbone": {"architecture": "efficientnet_lite0", "weights": None, "input_size": 32,
                 "max_epochs": 2},
    "resnet": {"architecture": "resnet", "max_epochs": 2},
    "bfloat16": {"precision": "bfloat16", "max_epochs": 2},
}
for name in sys.argv[1:]:
    parameters = cases[name]
    near = {"bfloat16": 0.05, "resnet": 1e-3}.get(name, 1e-5)
    defaults = {"max_epochs": 3, "batch_size": 9, "random_state": 0, "precision": "float32"}
    model = PatchCNNClassifier(**(defaults | parameters))
    options = {"sample_weight": np.linspace(0.5, 1, len(y)), "groups": bunch.groups}
    one = clone(model).fit(X, y, **options)
    two = clone(model).set_params(distribute="mirrored").fit(X, y, **options)
    assert one.n_iter_ == two.n_iter_ and one.best_epoch_ == two.best_epoch_, name
    for series, values in one.history_.items():
        np.testing.assert_allclose(two.history_[series], values, rtol=near, err_msg=name)
    for number, (first, second) in enumerate(zip(one.weights_, two.weights_, strict=True)):
        assert type(second) is np.ndarray
        if near == 1e-5:
            what = f"{name} {number}"
            np.testing.assert_allclose(second, first, rtol=near, atol=near, err_msg=what)
    first, second = (np.concatenate([a.ravel() for a in m.weights_]) for m in (one, two))
    assert np.linalg.norm(second - first) < near * np.linalg.norm(first), name
    again = pickle.loads(pickle.dumps(two))
    np.testing.assert_allclose(again.predict_proba(X), one.predict_proba(X), atol=near)
    print(name)
try:
    PatchCNNClassifier(distribute="mirrored", batch_size=5).fit(X[::4], y[::4])
    PatchCNNClassifier(distribute="mirrored", batch_size=2).fit(X[::5], y[::5])
except ValueError as error:
    print(error)
"""


CASES = [["small", "own", "stopping"], ["backbone", "resnet", "bfloat16"]]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(CASES[0], marks=pytest.mark.slow),
        pytest.param(CASES[1], marks=pytest.mark.long),
    ],
    ids="-".join,
)
def test_two_devices_do_what_one_does(names):
    process = subprocess.run(
        [sys.executable, "-c", MIRRORED, *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    *printed, error = process.stdout.strip().splitlines()
    assert printed == names
    assert error == (
        "batch_size=2: with 5 patches the smallest batch has 1, too few to be shared by 2 devices "
        "(distribute='mirrored'); raise it."
    )
