"""Features as a folder of parquet files, one a chunk."""

import json
import re
from functools import cached_property
from pathlib import Path

import numpy as np

from skbreast._features_about import chunk_numbers, read_card
from skbreast._files import write_text, written_whole
from skbreast._validation import import_optional

__all__ = ["ParquetFiles"]

CARD = "_skbreast.json"  # readers of such folders skip names that begin so


class ParquetFiles:
    """A folder of parquet files; `about` is a file beside them.

    Parameters
    ----------
    path : path-like
        The folder.
    """

    FOLDERS = frozenset()
    OWN = re.compile(rf"{CARD}|chunk-[0-9]{{6,}}\.parquet")
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
        return read_card(self.path / CARD)

    def write_about(self, about):
        """Write what all chunks have in common."""
        write_text(self.path / CARD, json.dumps(about))

    def begin(self, about):
        """Write what all chunks have in common, where it is missing, and return what is there."""
        self.check(about)
        if self.read_about() is None:
            self.write_about(about)
        return self.read_about()

    def check(self, about):
        """Look for the package; what the files hold is checked as they are read.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        _ = self._parquet

    def done(self, about=None):
        """Return the numbers of the chunks that are there."""
        return chunk_numbers(self.path, r"chunk-([0-9]{6,15})\.parquet")

    def has(self, number):
        """Tell whether a chunk is there."""
        return self.file(number).is_file()

    def file(self, number, name=None):
        """Return the file of a chunk, in which all columns are."""
        return self.path / f"chunk-{number:06d}.parquet"

    def forget(self, number):
        """Delete a chunk."""
        self.file(number).unlink(missing_ok=True)

    def write(self, number, columns):
        """Write a chunk."""
        arrow = import_optional("pyarrow", extra="parquet", purpose=f"{self.path}")
        features = columns["features"]
        values = arrow.array(np.ascontiguousarray(features).ravel())
        table = {name: arrow.array(each) for name, each in columns.items() if name != "features"}
        table["features"] = arrow.FixedSizeListArray.from_arrays(values, features.shape[1])
        with written_whole(self.file(number)) as part:
            self._parquet.write_table(arrow.table(table), part, compression="zstd")

    def read(self, number, name, n_rows):
        """Return a column of a chunk; whatever it holds, an error may come of it."""
        with self._parquet.ParquetFile(self.file(number)) as file:
            if file.metadata.num_rows != n_rows:
                raise ValueError(f"it has {file.metadata.num_rows} rows, not {n_rows}")
            column = file.read(columns=[name])[name].combine_chunks()
        if column.null_count:
            raise ValueError(f"of its {name} some are missing")
        if name != "features":
            return column.to_numpy(zero_copy_only=False)
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)

    @cached_property
    def _parquet(self):
        return import_optional("pyarrow.parquet", extra="parquet", purpose=f"{self.path}")

    def __getstate__(self):
        return {"path": self.path}
