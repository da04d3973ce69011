"""Graphs on disk: written once, checked, thrown away when broken or old."""

import os
import threading
import time
from pathlib import Path

import pytest

from skbreast import _graphs
from skbreast._graphs import get_cache_home, keep_graph


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("SKBREAST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "graphs"


class Writer:
    """Writes a graph and counts how often."""

    def __init__(self):
        self.n_written = 0

    def __call__(self, path):
        self.n_written += 1
        path.write_text("graph")
        path.with_suffix(".bin").write_bytes(b"weights")
        return [3, 5]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_written_once(home):
    write = Writer()
    first, second = (keep_graph("abc", "graph.xml", write) for _ in range(2))
    assert first == second
    assert first.path == home / "abc" / "graph.xml"
    assert (first.path.read_text(), first.widths, write.n_written) == ("graph", (3, 5), 1)
    assert names_in(home) == ["abc"]


@pytest.mark.parametrize("name", ["graph.xml", "graph.bin", "graph.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_what_is_broken_is_written_again(home, name, how):
    write = Writer()
    path = keep_graph("abc", "graph.xml", write).path.with_name(name)
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-2] if how == "cut" else b"[" + content[1:])
    graph = keep_graph("abc", "graph.xml", write)
    assert (graph.path.read_text(), graph.widths, write.n_written) == ("graph", (3, 5), 2)


def test_old_graphs_go(home, monkeypatch):
    monkeypatch.setattr(_graphs, "GRAPHS_KEPT", 3)
    write = Writer()
    for number in range(4):
        keep_graph(str(number), "graph.xml", write)
        os.utime(home / str(number), (number, number))
    keep_graph("1", "graph.xml", write)  # used again
    keep_graph("new", "graph.xml", write)
    assert names_in(home) == ["1", "3", "new"]


def test_what_a_killed_writer_left_goes_after_a_day(home):
    keep_graph("a", "graph.xml", Writer())
    for name, hours in ((".part-old", 25), (".part-new", 1)):
        (home / name).mkdir()
        then = time.time() - hours * 3600
        os.utime(home / name, (then, then))
    keep_graph("b", "graph.xml", Writer())
    assert names_in(home) == [".part-new", "a", "b"]


def test_what_does_not_last_is_not_in_the_home(home):
    write = Writer()
    graph = keep_graph("abc", "graph.xml", write, lasting=False)
    assert graph.path.read_text() == "graph"
    assert not home.exists()


def test_a_home_that_is_a_file(home):
    home.parent.write_text("no folder")
    graph = keep_graph("def", "graph.xml", Writer())
    assert graph.path.read_text() == "graph"


def test_a_failure_leaves_nothing(home):
    def fail(path):
        path.write_text("half a graph")
        raise RuntimeError("the converter failed")

    with pytest.raises(RuntimeError, match="the converter failed"):
        keep_graph("abc", "graph.xml", fail)
    assert names_in(home) == []


def test_several_write_at_once(home):
    write, together, found = Writer(), threading.Barrier(4), []

    def slowly(path):
        together.wait()
        return write(path)

    def keep():
        found.append(keep_graph("abc", "graph.xml", slowly))

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert found[0].path.read_text() == "graph"
    assert names_in(home) == ["abc"]


def test_home(monkeypatch):
    monkeypatch.setenv("SKBREAST_CACHE", "~/mine")
    assert get_cache_home() == Path("~/mine").expanduser()
    monkeypatch.delenv("SKBREAST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert get_cache_home() == Path("/somewhere/skbreast")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert get_cache_home() == Path("~/.cache/skbreast").expanduser()
