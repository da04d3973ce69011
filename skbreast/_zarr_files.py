"""Features as a zarr group of an array a column, whose chunks are files."""

import contextlib
import json
import re
from functools import cached_property
from pathlib import Path

import numpy as np

from skbreast._features_about import COLUMNS, KINDS, chunk_numbers, chunk_rows, read_card
from skbreast._files import write_text, written_whole
from skbreast._validation import import_optional
from skbreast._zarr_chunks import check_chunk

__all__ = ["ZarrFiles"]

ALL_COLUMNS = ("features", *COLUMNS)
CARD = "zarr.json"  # zarr's own name
TYPES = {"integer": "int64", "number": "float64", "flag": "bool", "text": "string"}
CODECS = (["bytes", "zstd"], ["vlen-utf8", "zstd"])


class ZarrFiles:
    """A zarr group of an array a column; `about` stands in its attributes.

    Parameters
    ----------
    path : path-like
        The folder.
    """

    ATTRIBUTE = "skbreast"
    FOLDERS = frozenset(ALL_COLUMNS)
    OWN = re.compile(rf"{CARD}|({'|'.join(ALL_COLUMNS)})/({CARD}|c\.[0-9]+(\.0)?)")
    card_name = CARD

    def __init__(self, path):
        self.path = Path(path)

    def read_about(self):
        """Return what :meth:`begin` wrote, None if there is no such folder.

        Raises
        ------
        ValueError
            If it is not to be read.
        """
        card = read_card(self.path / CARD) or {}
        attributes = card.get("attributes")
        about = attributes.get(self.ATTRIBUTE) if isinstance(attributes, dict) else None
        return about if isinstance(about, dict) else None

    def write_about(self, about):
        """Write what all chunks have in common."""
        group = {"attributes": {self.ATTRIBUTE: about}, "zarr_format": 3, "node_type": "group"}
        write_text(self.path / CARD, json.dumps(group, indent=2))

    def begin(self, about):
        """Write what all chunks have in common, where it is missing, and return what is there."""
        zarr = self._zarr
        if self.read_about() is None:
            self.write_about(about)
        about = self.read_about()
        group = zarr.open_group(self._store, mode="r+", use_consolidated=False)
        for name in ("features", *about["columns"]):
            if not (self.path / name / CARD).is_file():
                # Another process may have been faster.
                with contextlib.suppress(zarr.errors.ContainsArrayError):
                    self._create(group, name, about)
        return about
        self.check(about)
        return about

    def _create(self, group, name, about):
        width = (len(about["feature_names"]),) if name == "features" else ()
        kind = about["columns"].get(name)
        group.create_array(
            name,
            shape=(about["n_patches"], *width),
            chunks=(chunk_rows(about, 0), *width),
            dtype={None: "float32", "text": str}.get(kind) or KINDS[kind],
            chunk_key_encoding={"name": "default", "separator": "."},
        )

    def check(self, about):
        """Refuse arrays that are not those that :meth:`begin` makes.

        Raises
        ------
        ValueError
            If one is not.
        ImportError
            If zarr is not installed.
        """
        _ = self._zarr
        for name in ("features", *about["columns"]):
            path = self.path / name / CARD
            card = read_card(path) or {}
            wrong = [each for each, wanted in _expected(name, about) if card.get(each) != wanted]
            if _codecs(card) not in CODECS:
                wrong.append("codecs")
            if wrong:
                raise ValueError(
                    f"{path} is damaged: its {wrong[0]} is not that of an extraction; extract "
                    "again with overwrite, or give another folder."
                )

    def done(self, about=None):
        """Return the numbers of the chunks that are there, with `about` whole: all columns are."""
        found = (
            chunk_numbers(self.path / name, rf"c\.([0-9]{{1,15}}){re.escape(_end(name))}")
            for name in ("features", *(about["columns"] if about else ()))
        )
        return set.intersection(*found)

    def has(self, number):
        """Tell whether the features of a chunk are there, which are written last."""
        return self.file(number, "features").is_file()

    def file(self, number, name):
        """Return the file of a column of a chunk."""
        return self.path / name / f"c.{number}{_end(name)}"

    def forget(self, number):
        """Delete what makes a chunk one that is done."""
        self.file(number, "features").unlink(missing_ok=True)

    def write(self, number, columns):
        """Write a chunk, its features last, as they tell that it is there."""
        group = self._zarr.open_group(self._store, mode="r+", use_consolidated=False)
        for name in sorted(columns, key="features".__eq__):
            array = self._with_zeros(group[name])
            start = number * array.chunks[0]
            array[start : start + len(columns[name])] = columns[name]

    def _with_zeros(self, array):
        """Return an array that writes chunks of zeros too: a missing one was lost."""
        zarr, how = self._zarr, {"write_empty_chunks": True}
        return zarr.Array(zarr.AsyncArray(array.metadata, array.store_path, config=how))

    def read(self, number, name, n_rows):
        """Return a column of a chunk; whatever it holds, an error may come of it."""
        array = self._open[name]
        check_chunk(self.file(number, name), array)
        start = number * array.chunks[0]
        values = array[start : start + n_rows]
        return np.asarray(values, dtype=object if values.dtype.kind == "T" else None)

    @cached_property
    def _open(self):
        return self._zarr.open_group(self._store, mode="r", use_consolidated=False)

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


def _end(name):
    """Return how the names of chunks end, which have a number an axis."""
    return ".0" if name == "features" else ""


def _expected(name, about):
    """Return the entries of an array's card that matter, as zarr writes them."""
    width = [len(about["feature_names"])] if name == "features" else []
    chunk = {"chunk_shape": [chunk_rows(about, 0), *width]}
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [about["n_patches"], *width],
        "data_type": "float32" if name == "features" else TYPES[about["columns"][name]],
        "chunk_grid": {"name": "regular", "configuration": chunk},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
    }.items()


def _codecs(card):
    codecs = card.get("codecs")
    several = isinstance(codecs, list) and all(isinstance(each, dict) for each in codecs)
    return [each.get("name") for each in codecs] if several else None
