"""Features in many files: a file a chunk, in zarr's format or in parquet's.

Both classes have the same few methods. A chunk is written whole or not at all, so those that are
there are what is done; what all chunks have in common, `about`, is written before the first.
"""

import contextlib
import json
import math
import re
import time
from functools import cached_property
from pathlib import Path

import numpy as np

from skbreast._files import write_text, written_whole
from skbreast._validation import import_optional

__all__ = ["FILES", "KINDS", "find_files", "forget_parts", "n_chunks"]

ABANDONED_SECONDS = 60  # far longer than a file is being written
KINDS = {"integer": np.int64, "number": np.float64, "flag": np.bool_, "text": object}


class ZarrFiles:
    """A zarr group of an array a column; `about` stands in its attributes.

    Parameters
    ----------
    path : path-like
        The folder.
    """

    ATTRIBUTE = "skbreast"

    def __init__(self, path):
        self.path = Path(path)

    def read_about(self):
        """Return what :meth:`begin` wrote, None if there is no such folder."""
        with contextlib.suppress(FileNotFoundError):
            card = json.loads((self.path / "zarr.json").read_text(encoding="utf-8"))
            return card.get("attributes", {}).get(self.ATTRIBUTE)
        return None

    def begin(self, about):
        """Write what all chunks have in common; nothing happens where it is there already."""
        zarr, store = self._zarr, self._store
        if self.read_about() is None:
            zarr.create_group(store, attributes={self.ATTRIBUTE: about})
        group = zarr.open_group(store, mode="r+")
        for name, kind in {"features": None, **about["columns"]}.items():
            if name not in group:
                width = () if kind else (len(about["feature_names"]),)
                group.create_array(
                    name,
                    shape=(about["n_patches"], *width),
                    chunks=(min(about["chunk_size"], about["n_patches"]), *width),
                    dtype=_zarr_dtype(kind),
                    chunk_key_encoding={"name": "default", "separator": "."},
                    config={"write_empty_chunks": True},
                )

    def done(self):
        """Return the numbers of the chunks that are there."""
        return _numbers(self.path / "features", r"c\.([0-9]+)\.0")

    def has(self, number):
        """Tell whether a chunk is there."""
        return (self.path / "features" / f"c.{number}.0").is_file()

    def write(self, number, columns):
        """Write a chunk, its features last, as they tell that it is there."""
        group = self._zarr.open_group(self._store, mode="r+")
        size = group["features"].chunks[0]
        for name in sorted(columns, key="features".__eq__):
            values = columns[name]
            rows = slice(number * size, number * size + len(values))
            group[name][rows] = values

    def read(self, number, name):
        """Return a column of a chunk."""
        array = self._open[name]
        size = array.chunks[0]
        values = array[number * size : (number + 1) * size]
        return np.asarray(values, dtype=object if values.dtype.kind == "T" else None)

    @cached_property
    def _open(self):
        return self._zarr.open_group(self._store, mode="r")

    @cached_property
    def _zarr(self):
        return import_optional("zarr", extra="zarr", purpose=f"{self.path}")

    @cached_property
    def _store(self):
        zarr = self._zarr

        class WholeFiles(zarr.storage.LocalStore):
            """zarr's folder, whose files are on the disk before they bear their name."""

            async def set(self, key, value):
                with written_whole(self.root / key) as part:
                    part.write_bytes(value.to_bytes())

        return WholeFiles(self.path)

    def __getstate__(self):
        return {"path": self.path}


class ParquetFiles:
    """A folder of parquet files; `about` is a file beside them.

    Parameters
    ----------
    path : path-like
        The folder.
    """

    ABOUT = "_skbreast.json"  # readers of such folders skip names that begin so

    def __init__(self, path):
        self.path = Path(path)

    def read_about(self):
        """Return what :meth:`begin` wrote, None if there is no such folder."""
        with contextlib.suppress(FileNotFoundError):
            return json.loads((self.path / self.ABOUT).read_text(encoding="utf-8"))
        return None

    def begin(self, about):
        """Write what all chunks have in common; nothing happens where it is there already."""
        _ = self._parquet  # or it would be missed when there is something to write
        if self.read_about() is None:
            write_text(self.path / self.ABOUT, json.dumps(about))

    def done(self):
        """Return the numbers of the chunks that are there."""
        return _numbers(self.path, r"chunk-([0-9]+)\.parquet")

    def has(self, number):
        """Tell whether a chunk is there."""
        return self._file(number).is_file()

    def write(self, number, columns):
        """Write a chunk."""
        arrow = import_optional("pyarrow", extra="parquet", purpose=f"{self.path}")
        features = columns["features"]
        values = arrow.array(np.ascontiguousarray(features).ravel())
        table = {name: arrow.array(each) for name, each in columns.items() if name != "features"}
        table["features"] = arrow.FixedSizeListArray.from_arrays(values, features.shape[1])
        with written_whole(self._file(number)) as part:
            self._parquet.write_table(arrow.table(table), part, compression="zstd")

    def read(self, number, name):
        """Return a column of a chunk."""
        table = self._parquet.read_table(self._file(number), columns=[name], partitioning=None)
        column = table[name].combine_chunks()
        if name != "features":
            return column.to_numpy(zero_copy_only=False)
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)

    def _file(self, number):
        return self.path / f"chunk-{number:06d}.parquet"

    @cached_property
    def _parquet(self):
        return import_optional("pyarrow.parquet", extra="parquet", purpose=f"{self.path}")

    def __getstate__(self):
        return {"path": self.path}


FILES = {".zarr": ZarrFiles, ".parquet": ParquetFiles}


def find_files(path):
    """Return the files that a path names by its ending.

    Raises
    ------
    ValueError
        If it ends otherwise.
    """
    kind = FILES.get(Path(path).suffix.lower())
    if kind is None:
        raise ValueError(
            f"{path} must end in {' or '.join(FILES)}, which says how features are kept."
        )
    return kind(Path(path).expanduser().absolute())


def forget_parts(folder):
    """Delete what writers that were killed left behind."""
    for part in Path(folder).rglob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                part.unlink()


def n_chunks(about):
    """Return the number of chunks of a whole extraction."""
    return math.ceil(about["n_patches"] / about["chunk_size"])


def _numbers(folder, pattern):
    try:
        names = [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return set()
    return {int(match[1]) for match in map(re.compile(pattern).fullmatch, names) if match}


def _zarr_dtype(kind):
    return {None: "float32", "text": str}.get(kind) or KINDS[kind]
