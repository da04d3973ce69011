"""A store of features on disk: a patch goes through a frozen network once, whoever asks for it.

Features are found by the pixels of the patch and by everything that decides what a network makes
of them. The file is an SQLite database, so many processes may read and write it at once, and one
that is killed loses no more than what it had not handed over.
"""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import numpy as np

from skbreast._files import check_writable
from skbreast._validation import check_number

__all__ = ["FeatureStore", "as_absolute", "check_memory"]

FILE_NAME = "features.sqlite"
APPLICATION_ID = 0x736B6272  # tells our databases from others
SCHEMA_VERSION = 1
WAIT_SECONDS = 120  # for other processes that are writing
ASKED_AT_ONCE = 500
# Which rows of a table are the oldest, and about how many bytes a row takes.
OLDEST = {
    "features": (
        "SELECT features.rowid FROM features JOIN networks ON network = id "
        "ORDER BY used, features.rowid",
        2000,
    ),
    "files": ("SELECT rowid FROM files ORDER BY rowid", 200),
}
SCHEMA = f"""
    CREATE TABLE networks (
        id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, description TEXT, used REAL);
    CREATE TABLE features (
        network INTEGER NOT NULL, patch BLOB NOT NULL, vector BLOB NOT NULL,
        UNIQUE (network, patch));
    CREATE TABLE files (
        reference TEXT PRIMARY KEY, state TEXT NOT NULL, patch BLOB NOT NULL);
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {SCHEMA_VERSION};
"""


class FeatureStore:
    """Features of patches, kept on disk between calls, fits and processes.

    Parameters
    ----------
    location : path-like
        A folder; it is made when something is first stored.
    max_bytes : int, optional
        The features of the networks that were used longest ago give way when the store would grow
        beyond it. By default there is no limit.

    Notes
    -----
    A reference is known by its path and by the file's size and times, so that a file that did not
    change is not decoded; one that changed is read again. SQLite's locks hold between the
    hosts of a network file system that has locks, as NFS 4 has.

    Examples
    --------
    >>> import tempfile
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.feature_store import FeatureStore
    >>> patches = make_patches(2, 2, patch_size=32, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     extractor = TransferFeatureExtractor(layers="block4", memory=FeatureStore(folder))
    ...     features = extractor.fit_transform(patches.data)
    ...     FeatureStore(folder).info()["n_features"]
    4
    """

    def __init__(self, location, *, max_bytes=None):
        if not isinstance(location, str | os.PathLike):
            raise TypeError(f"location must be a folder's path; got {type(location).__name__}.")
        self.location = os.fspath(location)
        if max_bytes is not None:
            check_number(max_bytes, name="max_bytes", low=1, integer=True)
        self.max_bytes = max_bytes

    def __repr__(self):
        limit = "" if self.max_bytes is None else f", max_bytes={self.max_bytes}"
        return f"{type(self).__name__}({self.location!r}{limit})"

    def __eq__(self, other):
        return isinstance(other, FeatureStore) and vars(self) == vars(other)

    def __hash__(self):
        return hash((self.location, self.max_bytes))

    @property
    def path(self):
        """Where the database is."""
        return Path(self.location).expanduser() / FILE_NAME

    def info(self):
        """Say what is in the store.

        Returns
        -------
        dict
            ``path``, ``n_bytes`` (on disk), ``n_features`` (patches, over all networks),
            ``n_files`` (references whose pixels are known) and ``networks``: for each network, the
            one used last first, ``description``, ``n_features`` and ``used`` (seconds since 1970).
        """
        empty = {"path": str(self.path), "n_bytes": 0, "n_features": 0, "n_files": 0}
        if not self.path.exists():
            return empty | {"networks": []}
        with self._connected() as database:
            (n_files,) = database.execute("SELECT count(*) FROM files").fetchone()
            rows = database.execute(
                "SELECT description, count(patch), used FROM networks LEFT JOIN features "
                "ON network = id GROUP BY id ORDER BY used DESC"
            ).fetchall()
        networks = [
            dict(zip(("description", "n_features", "used"), row, strict=True)) for row in rows
        ]
        return {
            "path": str(self.path),
            "n_bytes": self.path.stat().st_size,
            "n_features": sum(each["n_features"] for each in networks),
            "n_files": n_files,
            "networks": networks,
        }

    def clear(self):
        """Forget everything and give the space back."""
        if self.path.exists():
            with self._connected() as database, _writing(database):
                for table in ("features", "files", "networks"):
                    database.execute(f"DELETE FROM {table}")

    def prune(self, max_bytes):
        """Forget the features of the networks used longest ago, and give the space back.

        Parameters
        ----------
        max_bytes : int
            What may stay.
        """
        check_number(max_bytes, name="max_bytes", low=1, integer=True)
        if self.path.exists():
            with self._connected() as database, _writing(database):
                _shrink(database, max_bytes)

    def get(self, network, patches):
        """Look up features.

        Parameters
        ----------
        network : str
            Key of the network.
        patches : list of bytes
            Digests of the patches' pixels.

        Returns
        -------
        dict of bytes to ndarray of shape (n_features,), float32
            Those that are known.
        """
        question = (
            "SELECT patch, vector FROM features JOIN networks ON network = id "
            "WHERE key = ? AND patch IN ({})"
        )
        found = self._look_up(question, patches, network)
        widths = {len(vector) if isinstance(vector, bytes) else -1 for _, vector in found}
        if len(widths) > 1 or any(width % 4 for width in widths):
            raise OSError(f"The feature store {self.path} is broken; delete the file.")
        return {patch: np.frombuffer(vector, dtype="<f4") for patch, vector in found}

    def put(self, network, patches, vectors, *, description=""):
        """Keep features.

        Parameters
        ----------
        network : str
            Key of the network.
        patches : list of bytes
            Digests of the patches' pixels.
        vectors : ndarray of shape (n_patches, n_features)
            Their features.
        description : str
            What the network is, for people.
        """
        vectors = np.ascontiguousarray(vectors, dtype="<f4")
        with self._connected() as database, _writing(database):
            number = _network_number(database, network, description)
            rows = (
                (number, patch, row.tobytes()) for patch, row in zip(patches, vectors, strict=True)
            )
            database.executemany("INSERT OR IGNORE INTO features VALUES (?, ?, ?)", rows)
            if self.max_bytes is not None:
                _shrink(database, self.max_bytes)

    def get_files(self, states):
        """Look up which pixels files hold.

        Parameters
        ----------
        states : dict of str to str
            What tells whether a file changed, by reference.

        Returns
        -------
        dict of str to bytes
            Digests of the pixels, for references whose state is as it was.
        """
        question = "SELECT reference, state, patch FROM files WHERE reference IN ({})"
        found = self._look_up(question, list(states))
        return {name: patch for name, state, patch in found if states.get(name) == state}

    def put_files(self, states, patches):
        """Keep which pixels files hold.

        Parameters
        ----------
        states : dict of str to str
            What tells whether a file changed, by reference.
        patches : list of bytes
            Digests of their pixels.
        """
        rows = ((*item, patch) for item, patch in zip(states.items(), patches, strict=True))
        with self._connected() as database, _writing(database):
            database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
            if self.max_bytes is not None:
                _shrink(database, self.max_bytes)

    def mark_used(self, network):
        """Note that the features of a network were used now, which :meth:`prune` goes by."""
        if self.path.exists():
            with self._connected() as database, _writing(database):
                now = (time.time(), network)
                database.execute("UPDATE networks SET used = ? WHERE key = ?", now)

    def _look_up(self, question, names, *values):
        if not self.path.exists():
            return []
        found = []
        with self._connected() as database:
            for start in range(0, len(names), ASKED_AT_ONCE):
                asked = names[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(asked))
                found += database.execute(question.format(marks), (*values, *asked)).fetchall()
        return found

    @contextlib.contextmanager
    def _connected(self):
        """Open the database for one piece of work: threads and forks then share nothing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            with contextlib.closing(database):
                _check_schema(database, self.path)
                yield database
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            why = "".join(each if each.isprintable() else "?" for each in str(error))
            raise OSError(
                f"The feature store {self.path} cannot be used ({why}); give another folder in "
                "memory=, or delete the file if it is a broken store of yours."
            ) from error


def _check_schema(database, path):
    def version():
        (number,) = database.execute("PRAGMA application_id").fetchone()
        return number, database.execute("PRAGMA user_version").fetchone()[0]

    database.execute("PRAGMA trusted_schema = OFF")  # the file may be a stranger's
    if version() == (0, 0):
        database.execute("PRAGMA auto_vacuum = FULL")  # what is deleted gives its space back
        with _writing(database):
            # Another process may have been faster.
            if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in SCHEMA.split(";"):
                    database.execute(statement)
    if version() != (APPLICATION_ID, SCHEMA_VERSION):
        raise sqlite3.DatabaseError("it is another program's, or of another version")


@contextlib.contextmanager
def _writing(database):
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _network_number(database, key, description):
    database.execute(
        "INSERT INTO networks (key, description, used) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET used = excluded.used",
        (key, description, time.time()),
    )
    return database.execute("SELECT id FROM networks WHERE key = ?", (key,)).fetchone()[0]


def _shrink(database, max_bytes):
    """Delete what was used longest ago until so many bytes are in use."""
    n_deleted = 1
    while n_deleted and (excess := _n_bytes(database) - max_bytes) > 0:
        n_deleted = 0
        for table, (oldest, row_bytes) in OLDEST.items():
            n_rows = max(10, excess // 2 // row_bytes)
            n_deleted += database.execute(
                f"DELETE FROM {table} WHERE rowid IN ({oldest} LIMIT {n_rows})"
            ).rowcount


def _n_bytes(database):
    pages, free, page = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page


def check_memory(memory):
    """Return the feature store that a `memory` parameter means.

    Parameters
    ----------
    memory : None, path-like, joblib.Memory or FeatureStore
        What the user gave: a folder, or what names one.

    Returns
    -------
    FeatureStore or None
        None keeps nothing.

    Raises
    ------
    ValueError
        If it is anything else.
    OSError
        If there is no such store and none can be made.
    """
    store = memory
    if hasattr(memory, "location") and hasattr(memory, "cache"):
        store = None if memory.location is None else FeatureStore(memory.location)
    elif isinstance(memory, str | os.PathLike) and os.fspath(memory):
        store = FeatureStore(memory)
    elif memory is not None and not isinstance(memory, FeatureStore):
        raise ValueError(
            "memory must be None, a folder, a joblib.Memory or a FeatureStore; got "
            f"{type(memory).__name__} {memory!r}."
        )
    if store is not None and store.path.exists():
        with store._connected():
            pass  # else it raises
    elif store is not None:
        check_writable(store.path.parent)
    return store


def as_absolute(store):
    """Return a store that means the same file in processes that work in other folders."""
    if store is None:
        return None
    folder = Path(store.location).expanduser().absolute()
    return FeatureStore(folder, max_bytes=store.max_bytes)
