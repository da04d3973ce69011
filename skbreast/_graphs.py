"""Graphs of frozen networks on disk, so that the next process needs no TensorFlow to run them."""

import functools
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Graph", "get_cache_home", "keep_graph"]

GRAPHS_KEPT = 16
ABANDONED_SECONDS = 86400  # by a process that was killed
CARD = "graph.json"


@dataclass(frozen=True)
class Graph:
    """A graph in a file.

    Attributes
    ----------
    path : Path
        The file that an engine opens; what belongs to it lies beside it.
    widths : tuple of int
        Number of features of each block.
    """

    path: Path
    widths: tuple[int, ...]


def get_cache_home():
    """Return the folder for what can be made again.

    Returns
    -------
    Path
        The environment variable ``SKBREAST_CACHE``, else ``skbreast`` in ``XDG_CACHE_HOME``, else
        ``~/.cache/skbreast``. It need not exist.
    """
    if os.environ.get("SKBREAST_CACHE"):
        return Path(os.environ["SKBREAST_CACHE"]).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or Path("~", ".cache")
    return Path(home).expanduser() / "skbreast"


def keep_graph(key, file_name, write, *, lasting=True):
    """Return a graph from disk, and write it first where it is not there or not whole.

    Parameters
    ----------
    key : str
        All that decides the graph, as hexadecimal digits.
    file_name : str
        Name of the graph's file.
    write : callable
        ``write(path)`` writes the graph to a path and returns its widths.
    lasting : bool, default=True
        Whether later processes may use it too; where the cache cannot be written to, none can.

    Returns
    -------
    Graph
    """
    home = get_cache_home() / "graphs"
    if lasting:
        graph = _read(home / key, file_name)
        if graph is not None:
            return graph
    home = home if lasting and _is_writable(home) else Path(_scratch().name)
    with tempfile.TemporaryDirectory(dir=home, prefix=".part-") as part:
        made = Path(part, "graph")
        made.mkdir()
        widths = tuple(write(made / file_name))
        card = {"widths": widths, "files": _digests(made)}
        (made / CARD).write_text(json.dumps(card), encoding="utf-8")
        _move(made, home / key, file_name)
    _forget_old(home)
    return Graph(home / key / file_name, widths)


def _move(made, folder, file_name):
    """Put a folder in its place, unless another process was faster with the same."""
    if _read(folder, file_name) is None:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        made.rename(folder)
    except OSError:
        if _read(folder, file_name) is None:
            raise


@functools.cache
def _scratch():
    """Return a folder that goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="skbreast-")


def _is_writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _read(folder, file_name):
    """Return the graph of a folder if it is whole."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["files"] != _digests(folder):
            return None
        os.utime(folder)
        return Graph(folder / file_name, tuple(card["widths"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is made again


def _digests(folder):
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != CARD:
            with path.open("rb") as stream:
                digests[path.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return digests


def _forget_old(home):
    folders = [path for path in home.iterdir() if not path.name.startswith(".")]
    old = sorted(folders, key=_age)[GRAPHS_KEPT:]
    old += [path for path in home.glob(".part-*") if _age(path) > ABANDONED_SECONDS]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)


def _age(path):
    """Return the seconds since a folder was used; it may just have been deleted."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf
