"""The store of features: what is put in comes out, whoever else writes, dies or is full."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pytest

from skbreast._recipes import Recipe
from skbreast.feature_store import FeatureStore, check_memory


def some_features(n_patches, n_features=8, seed=0):
    rng = np.random.default_rng(seed)
    patches = [rng.bytes(20) for _ in range(n_patches)]
    return patches, rng.standard_normal((n_patches, n_features)).astype(np.float32)


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "store")


def test_what_is_put_in_comes_out(store):
    patches, vectors = some_features(1200)
    assert store.get("net", patches) == {}
    store.put("net", patches, vectors)
    found = store.get("net", [*patches[::-1], b"unknown"])
    assert len(found) == 1200
    np.testing.assert_array_equal([found[patch] for patch in patches], vectors)
    assert store.get("other net", patches) == {}


def test_the_first_features_stay(store):
    patches, vectors = some_features(2)
    store.put("net", patches, vectors)
    store.put("net", patches, vectors + 1)
    np.testing.assert_array_equal(store.get("net", patches)[patches[0]], vectors[0])


def test_files_are_known_while_they_do_not_change(store):
    store.put_files({"a.png": "1", "b.png": "2"}, [b"A", b"B"])
    assert store.get_files({"a.png": "1", "b.png": "3", "c.png": "1"}) == {"a.png": b"A"}
    store.put_files({"b.png": "3"}, [b"C"])
    assert store.get_files({"b.png": "3"}) == {"b.png": b"C"}


def test_info_and_clear(store):
    assert store.info()["n_features"] == 0
    assert not store.path.exists()
    patches, vectors = some_features(3)
    store.put("first", patches, vectors, description="resnet50")
    store.put("second", patches[:2], vectors[:2], description="vgg16")
    store.put_files({"a.png": "1"}, [b"A"])
    info = store.info()
    assert (info["n_features"], info["n_files"]) == (5, 1)
    assert info["n_bytes"] == store.path.stat().st_size
    described = [(each["description"], each["n_features"]) for each in info["networks"]]
    assert described == [("vgg16", 2), ("resnet50", 3)]
    store.mark_used("first")
    assert store.info()["networks"][0]["description"] == "resnet50"
    store.clear()
    assert store.info() | {"n_bytes": 0} == FeatureStore(store.location).info() | {"n_bytes": 0}
    assert (store.info()["n_features"], store.info()["n_files"]) == (0, 0)


def test_pruning_takes_what_was_used_longest_ago(store):
    patches, vectors = some_features(2000, n_features=128)
    store.put("old", patches, vectors)
    store.put("new", patches, vectors)
    store.mark_used("old")
    before = store.info()["n_bytes"]
    store.prune(before * 6 // 10)
    assert store.info()["n_bytes"] <= before * 6 // 10
    assert len(store.get("new", patches)) < 1000
    assert len(store.get("old", patches)) == 2000


def test_a_bounded_store_does_not_grow(tmp_path):
    store = FeatureStore(tmp_path, max_bytes=2_000_000)
    for seed in range(10):
        store.put(f"net {seed}", *some_features(1000, n_features=128, seed=seed))
    assert store.info()["n_bytes"] < 3_000_000
    assert len(store.get("net 9", some_features(1000, seed=9)[0])) > 500
    assert store.get("net 0", some_features(1000, seed=0)[0]) == {}


WRITER = """
    import sys
    import numpy as np
    from skbreast.feature_store import FeatureStore
    store, number = FeatureStore(sys.argv[1]), int(sys.argv[2])
    for part in range(int(sys.argv[3])):
        rng = np.random.default_rng([number, part])
        store.put("net", [rng.bytes(20) for _ in range(20)], rng.standard_normal((20, 50)))
        print(part, flush=True)
"""


def start_writer(store, number, n_parts):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), store.location, str(number)]
    return subprocess.Popen([*command, str(n_parts)], stdout=subprocess.PIPE, text=True)


def written_by(store, number, n_parts):
    """Count the parts that are there, and check that each is whole and right."""
    n_found = 0
    for part in range(n_parts):
        rng = np.random.default_rng([number, part])
        patches = [rng.bytes(20) for _ in range(20)]
        vectors = rng.standard_normal((20, 50)).astype(np.float32)
        found = store.get("net", patches)
        assert len(found) in (0, 20)
        if found:
            np.testing.assert_array_equal([found[patch] for patch in patches], vectors)
            n_found += 1
    return n_found


def test_files_are_bounded_too_and_features_outlive_them(tmp_path):
    store = FeatureStore(tmp_path, max_bytes=300_000)
    patches, vectors = some_features(100)
    store.put("net", patches, vectors)
    for start in range(0, 5000, 500):
        names = {f"/a/folder/of/patches/{start + n}.png": "1:2:3:4" for n in range(500)}
        store.put_files(names, patches[:1] * 500)
        store.put("net", patches, vectors)
        assert store.path.stat().st_size <= 300_000
    assert store.get_files(names)
    assert store.get("net", patches)


@pytest.mark.parametrize("blob", [b"abc", bytes(4)])
def test_a_damaged_vector_is_told(store, blob):
    patches, vectors = some_features(3)
    store.put("net", patches, vectors)
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE features SET vector = ? WHERE patch = ?", (blob, patches[1]))
    database.close()
    with pytest.raises(OSError, match="is broken; delete the file"):
        store.get("net", patches)


def test_clearing_is_one_step(store, monkeypatch):
    """Whoever writes while it is cleared must not find half of it gone."""
    patches, vectors = some_features(3)
    store.put("first", patches, vectors)
    asked, connect = [], sqlite3.connect

    def statement(text):
        if text.startswith("DELETE FROM networks"):
            other = connect(store.path, timeout=0)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            asked.append(text)  # an error before this is swallowed by sqlite3

    def traced(*arguments, **options):
        database = connect(*arguments, **options)
        if options.get("timeout"):
            database.set_trace_callback(statement)
        return database

    monkeypatch.setattr(sqlite3, "connect", traced)
    store.clear()
    assert asked
    assert store.get("first", patches) == {}


def test_a_description_of_any_bytes(store):
    patches, vectors = some_features(1)
    path = os.fsdecode(b"weights-\xff.h5")
    recipe = Recipe("resnet50", path, ("last",), "avg", "bgr_mean", 0)
    store.put("net", patches, vectors, description=recipe.description)
    assert "weights-" in store.info()["networks"][0]["description"]


def test_many_processes_write_at_once(store):
    writers = [start_writer(store, number, 25) for number in range(4)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    assert [written_by(store, number, 25) for number in range(4)] == [25] * 4


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_writer_corrupts_nothing(store):
    rng = np.random.default_rng(0)
    for number in range(6):
        writer = start_writer(store, number, 10_000)
        for _ in range(3):
            writer.stdout.readline()
        time.sleep(rng.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        n_told = 3 + len(writer.stdout.read().splitlines())
        writer.wait()
        assert written_by(store, number, n_told + 2) >= n_told
    with sqlite3.connect(store.path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(500)]
)
def test_a_broken_file_is_told(store, content):
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    with pytest.raises(OSError, match=r"The feature store .*features\.sqlite cannot be used"):
        store.get("net", [b"patch"])


def test_a_database_of_others_is_left_alone(store):
    store.path.parent.mkdir()
    with sqlite3.connect(store.path) as database:
        database.execute("CREATE TABLE theirs (number INTEGER)")
    database.close()
    before = store.path.read_bytes()
    with pytest.raises(OSError, match="it is another program's, or of another version"):
        store.put("net", [b"patch"], np.zeros((1, 2)))
    assert store.path.read_bytes() == before


def test_memory_parameter(tmp_path):
    store = FeatureStore(tmp_path)
    assert check_memory(None) is None
    assert check_memory(store) is store
    assert check_memory(str(tmp_path)) == check_memory(tmp_path) == store
    assert check_memory(joblib.Memory(None)) is None
    assert check_memory(joblib.Memory(tmp_path, verbose=0)).path.parent == tmp_path
    with pytest.raises(ValueError, match="memory must be None, a folder"):
        check_memory(3)


@pytest.mark.parametrize("memory", ["", 3])
def test_what_is_no_memory(memory):
    with pytest.raises(ValueError, match="memory must be None, a folder"):
        check_memory(memory)


def test_a_broken_store_is_told_before_any_work(tmp_path):
    (tmp_path / "features.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(OSError, match="cannot be used"):
        check_memory(tmp_path)


def test_limit_is_checked(tmp_path):
    with pytest.raises(ValueError, match="max_bytes"):
        FeatureStore(tmp_path, max_bytes=0)


def test_the_home_folder_may_be_written_short(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    store = FeatureStore("~/store")
    assert store.path == tmp_path / "store" / "features.sqlite"
    assert repr(store) == "FeatureStore('~/store')"
