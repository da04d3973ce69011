"""Where a training stands comes back from the disk bit by bit, or not at all, and says why."""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from skbreast._checkpoint import (
    Checkpoint,
    DamagedCheckpointError,
    State,
    read_state,
    write_state,
)
from skbreast.exceptions import CheckpointWarning

TRAINING = {"patches": "a" * 40, "batch_size": 8, "phases": [{"phase": "all", "epochs": 3}]}
CONDITIONS = {"keras": "3.12.0", "first weights": "b" * 40}


def make_state():
    rng = np.random.default_rng(0)
    numbers = {"history": {"loss": [0.1 + 0.2, float("nan")], "rate": [float("inf")]}, "best": None}
    arrays = {
        "weights": [rng.normal(size=(3, 2)).astype(np.float32), np.float32([])],
        "seeds": [np.array([1, 2**32 - 1], dtype=np.uint32)],
        "optimizer": [np.array(7), np.asfortranarray(rng.normal(size=(4, 3)))],
        "best": [],
    }
    return State(numbers, arrays)


def same(first, second):
    assert repr(first.numbers) == repr(second.numbers)
    assert list(first.arrays) == list(second.arrays)
    for name, arrays in first.arrays.items():
        for one, other in zip(arrays, second.arrays[name], strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, strict=True)


def make_checkpoint(folder, *, conditions=None, **training):
    return Checkpoint(folder, TRAINING | training, CONDITIONS | (conditions or {}))


# The file


def test_a_state_comes_back_with_every_bit(tmp_path):
    write_state(tmp_path / "a.npz", {"training": TRAINING}, make_state())
    about, state = read_state(tmp_path / "a.npz")
    assert about == {"training": TRAINING}
    same(state, make_state())
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


def test_numbers_of_numpy_and_short_floats_come_back_in_value(tmp_path):
    short = np.array([1.5, -2.0], dtype=ml_dtypes.bfloat16)
    state = State({"loss": [np.float32(0.1)]}, {"weights": [short]})
    write_state(tmp_path / "a.npz", {}, state)
    _, state = read_state(tmp_path / "a.npz")
    assert state.numbers == {"loss": [float(np.float32(0.1))]}
    np.testing.assert_array_equal(state.arrays["weights"][0], np.float32([1.5, -2.0]), strict=True)


def test_any_flipped_bit_is_noticed_or_means_nothing(tmp_path):
    path = tmp_path / "a.npz"
    write_state(path, {}, make_state())
    content = path.read_bytes()
    rng, n_noticed = np.random.default_rng(0), 0
    for position in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[position] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        try:
            about, state = read_state(path)
        except DamagedCheckpointError:
            n_noticed += 1
        else:  # a date within the archive, or the like
            assert about == {}
            same(state, make_state())
    assert n_noticed > len(content) / 3 / 2


@pytest.mark.parametrize("n_left", [0, 1, 100, -1])
def test_a_piece_of_a_file_is_noticed(tmp_path, n_left):
    path = tmp_path / "a.npz"
    write_state(path, {}, make_state())
    path.write_bytes(path.read_bytes()[:n_left])
    with pytest.raises(DamagedCheckpointError):
        read_state(path)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_nothing_in_a_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, card=np.array([Evil()], dtype=object), digest="")
    Path("a.npz").write_bytes(buffer.getvalue())
    with pytest.raises(DamagedCheckpointError, match="allow_pickle"):
        read_state("a.npz")
    assert not Path("ran").exists()


def test_other_formats_are_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr("skbreast._checkpoint.FORMAT", 2)
        write_state(tmp_path / "a.npz", {}, make_state())
    with pytest.raises(DamagedCheckpointError, match="its format is 2, not 1"):
        read_state(tmp_path / "a.npz")


# A file among others


def test_what_is_saved_last_is_loaded_until_it_is_removed(tmp_path):
    checkpoint = make_checkpoint(tmp_path / "new" / "folder")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoint.load() is None
        checkpoint.begin(State({"epoch": 0}))
        checkpoint.save(make_state())
        same(make_checkpoint(tmp_path / "new" / "folder").load(), make_state())
        checkpoint.remove()
        checkpoint.remove()
        assert checkpoint.load() is None
    assert list(checkpoint.path.parent.iterdir()) == []


def test_a_home_folder_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert make_checkpoint("~/kept").path.parent == tmp_path / "kept"


def test_names_hang_on_values_not_on_their_order_or_type(tmp_path):
    path = make_checkpoint(tmp_path).path
    assert Checkpoint(tmp_path, dict(reversed(TRAINING.items())), CONDITIONS).path == path
    assert make_checkpoint(tmp_path, batch_size=np.int64(8)).path == path


@pytest.mark.parametrize(
    "training", [{"patches": "c" * 40}, {"batch_size": 9}, {"phases": []}, {"new": None}]
)
def test_other_trainings_do_not_meet(tmp_path, training):
    first, second = make_checkpoint(tmp_path), make_checkpoint(tmp_path, **training)
    first.save(make_state())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert second.load() is None
    second.save(State({"epoch": 9}))
    second.remove()
    same(first.load(), make_state())


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"keras": "3.15.1"}, "begun with keras 3.12.0, now 3.15.1. Delete it if nobody needs it"),
        ({"first weights": "c" * 40}, "begun with other first weights. Delete"),
        ({"code": "c" * 40}, "begun with other code. Delete"),
    ],
)
def test_other_conditions_are_told_and_left_alone(tmp_path, conditions, message):
    before = make_checkpoint(tmp_path)
    before.save(make_state())
    now = make_checkpoint(tmp_path, conditions=conditions)
    with pytest.warns(CheckpointWarning, match=message) as told:
        assert now.load() is None
    assert len(told) == 1
    assert str(told[0].message).endswith("; the training starts anew.")
    assert told[0].filename == __file__
    now.save(State({"epoch": 1}))
    assert now.load().numbers == {"epoch": 1}  # and none is told any more
    same(before.load(), make_state())


def test_a_renamed_file_is_told_and_moved_aside(tmp_path):
    other, own = make_checkpoint(tmp_path, batch_size=9), make_checkpoint(tmp_path)
    other.save(make_state())
    other.path.replace(own.path)
    aside = own.path.with_suffix(".unusable")
    message = f"since it was begun with batch_size 9, now 8. It is now {aside.name}; the training"
    with pytest.warns(CheckpointWarning, match=message):
        assert own.load() is None
    assert not own.path.exists()
    same(read_state(aside)[1], make_state())


def test_a_damaged_file_is_told_and_moved_aside(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    checkpoint.save(make_state())
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[:-1])
    with pytest.warns(CheckpointWarning, match="since it is damaged .*; the training starts anew"):
        assert checkpoint.load() is None
    assert checkpoint.path.with_suffix(".unusable").read_bytes() == content[:-1]


def test_rests_of_killed_processes_are_swept_and_those_of_live_ones_are_not(tmp_path):
    checkpoint = make_checkpoint(tmp_path)
    parts = [tmp_path / f".{checkpoint.path.name}.{n}.part" for n in range(2)]
    parts.append(tmp_path / ".other.npz.0.part")
    for part in parts:
        part.write_bytes(b"half")
    os.utime(parts[0], (0, time.time() - 3600))
    os.utime(parts[2], (0, 0))
    checkpoint.load()
    assert [part.exists() for part in parts] == [False, True, True]


# What cannot be written


def test_a_folder_that_cannot_be_stops_before_the_training(tmp_path):
    (tmp_path / "file").write_text("")
    checkpoint = make_checkpoint(tmp_path / "file")
    with pytest.raises(OSError, match=r"cannot be written .* is a file.*; give another folder"):
        checkpoint.begin(make_state())


def test_a_folder_that_vanishes_is_made_again(tmp_path):
    checkpoint = make_checkpoint(tmp_path / "folder")
    checkpoint.begin(make_state())
    checkpoint.path.unlink()
    checkpoint.path.parent.rmdir()
    checkpoint.save(State({"epoch": 1}))
    assert checkpoint.load().numbers == {"epoch": 1}


def test_what_stands_in_the_way_is_told_once_and_tried_again(tmp_path):
    checkpoint = make_checkpoint(tmp_path / "folder")
    checkpoint.begin(make_state())
    (tmp_path / "folder").rename(tmp_path / "moved")
    (tmp_path / "folder").write_text("in the way")
    with pytest.warns(CheckpointWarning, match=r"cannot be written .*The training goes on"):
        checkpoint.save(make_state())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoint.save(make_state())
    with pytest.warns(CheckpointWarning, match="cannot be deleted .*Delete it, or the next fit"):
        checkpoint.remove()
    (tmp_path / "folder").unlink()
    checkpoint.save(State({"epoch": 1}))
    assert checkpoint.load().numbers == {"epoch": 1}


SAVE = """
import json, sys, warnings
import numpy as np
from skbreast._checkpoint import Checkpoint, State

def save(size, method="save"):
    state = State({"size": size}, {"weights": [np.ones(size, np.uint8)]})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            getattr(checkpoint, method)(state)
        except OSError as error:
            return f"{type(error).__name__}: {error}"
    return [str(each.message) for each in told]

checkpoint = Checkpoint(sys.argv[1], {}, {})
"""


def run(code, folder, *command):
    process = subprocess.run(
        [*command, sys.executable, "-c", SAVE + code, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


FULL = """
answers = save(60_000, "begin"), save(300_000), save(300_000), checkpoint.load().numbers["size"]
begun = save(300_000, "begin")
import os
names = os.listdir(sys.argv[1])
smaller, size = save(50_000), checkpoint.load().numbers["size"]
print(json.dumps([*answers, begun, len(names), smaller, size]))
"""


def check_full(answers, words):
    begun, told, again, size, refused, n_files, smaller, later = answers
    assert (begun, again, smaller) == ([], [], [])
    assert (size, later, n_files) == (60_000, 50_000, 1)
    assert len(told) == 1
    assert words in told[0]
    assert "The training goes on" in told[0]
    assert words in refused
    assert "give another folder in checkpoint=, or None." in refused


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
def test_a_full_disk_loses_nothing(tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    check_full(run(limit + FULL, tmp_path), "File too large")


def _can_mount():
    command = ["unshare", "--map-root-user", "--mount", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not _can_mount(), reason="nobody may mount file systems here")
def test_a_really_full_disk_loses_nothing(tmp_path):
    mount = 'mount -t tmpfs -o size=250k skbreast "$0" && exec "$@"'
    space = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path)]
    check_full(run(FULL, tmp_path, *space), "No space left on device")


@pytest.mark.skipif(not _can_mount(), reason="nobody may mount file systems here")
def test_a_read_only_disk_keeps_what_is_there(tmp_path):
    checkpoint = Checkpoint(tmp_path, {}, {})
    checkpoint.begin(State({"size": 1}))
    content = checkpoint.path.read_bytes()
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    space = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path)]
    code = 'print(json.dumps([save(9, "begin"), save(9), checkpoint.load().numbers["size"]]))'
    refused, told, size = run(code, tmp_path, *space)
    for words in (refused, told[0]):
        assert "cannot be written" in words
        assert str(tmp_path) in words
    assert size == 1
    assert checkpoint.path.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_folder_without_permission_is_refused():
    somebody = "import os\nif os.getuid() == 0: os.setuid(65534)\n"
    code = 'print(json.dumps([save(9, "begin"), save(9)]))'
    with tempfile.TemporaryDirectory() as folder:  # above pytest's no other user may look
        Path(folder).chmod(0o555)
        refused, told = run(somebody + code, folder)
    assert refused.startswith("OSError: The checkpoint")
    assert "cannot be written to; give another folder" in refused
    assert "The training goes on" in told[0]
