"""Mutated HDF5 files, tables, lists, archives and databases: data or a documented error.

By hand: ``python tests/test_fuzz_files.py 500`` sums up what comes of 500 files.
"""

import csv
import gzip
import io
import os
import shutil
import sys
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from test_fuzz_mutations import guard, mutate, run_guarded, show

from skbreast._stacks import count_rows
from skbreast.datasets import load_breakhis, load_idc, load_pcam
from skbreast.datasets._unpack import gunzip, unpack
from skbreast.feature_store import FeatureStore
from skbreast.reading import PatchReadError, patch_size, read_patch, read_patches

h5py = pytest.importorskip("h5py")
SEED = int(os.environ.get("SKBREAST_FUZZ_SEED", "1"))
N_LONG = 3500  # 500 of each kind
N_SHORT = 350
STEM = "camelyonpatch_level_2_split_train_"
BREAKHIS = [
    f"SOB_{letter}_{kind}-14-{100 + case}AB-100-00{number}.png"
    for case, (letter, kind) in enumerate([("B", "A"), ("B", "F"), ("M", "DC"), ("M", "LC")])
    for number in range(3)
]
IDC = [
    f"{patient}_idx5_x1_y{y}_class{y % 2}.png" for patient in range(10001, 10010) for y in (1, 2)
]


# The files that are mutated.


def make_stacks(patches):
    """Return HDF5 files of patches in many a way of storing, ``{name: bytes}``."""
    ways = {
        "contiguous": {},
        "gzip": {"chunks": True, "compression": "gzip"},
        "all checks": {
            "chunks": (2, 8, 8, 3), "compression": "gzip", "shuffle": True, "fletcher32": True,
        },
        "lzf": {"chunks": True, "compression": "lzf"},
        "szip": {"chunks": (1, 16, 16, 3), "compression": "szip"},
        "scaled": {"chunks": True, "scaleoffset": 0},
        "growing": {"chunks": (1, 16, 16, 3), "maxshape": (None, 16, 16, 3)},
        "filled": {"chunks": (1, 16, 16, 3), "fillvalue": 7},
    }  # fmt: skip
    stacks = {}
    for name, options in ways.items():
        for version in ("earliest", "latest"):
            if name == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
                continue
            stacks[f"{name}, {version}"] = _stack(patches, version, options)
    return stacks


def _stack(patches, version, options):
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=version) as file:
        file.attrs["scanner"] = "invented"
        file.create_dataset("more/x" if "fillvalue" in options else "x", data=patches, **options)
        file["labels"] = np.arange(len(patches))
        file["again"] = h5py.SoftLink("/labels")
        file["text"] = ["a", "bc"]
    return stream.getvalue()


def make_pcam(patches):
    """Return the files of a part of PatchCamelyon, ``{ending: bytes}``."""
    files = {}
    for name, array in (("x", np.resize(patches, (6, 96, 96, 3))), ("y", np.eye(6)[0])):
        array = array if name == "x" else array.astype(np.uint8).reshape(6, 1, 1, 1)
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            file.create_dataset(name, data=array, chunks=True, compression="gzip")
        files[f"{name}.h5"] = stream.getvalue()
    text = io.StringIO()
    rows = [["", "coord_y", "wsi"], *([n, 7 * n, f"camelyon16_{n // 2}"] for n in range(6))]
    csv.writer(text).writerows(rows)
    return files | {"meta.csv": text.getvalue().encode()}


def make_lists():
    """Return IDC's case lists and BreakHis' fold lists, ``{name: bytes}``."""
    patients = sorted({name.partition("_")[0] for name in IDC})
    lists = {
        f"idc_cases_{part}.txt": "\n".join(patients[place::3])
        for place, part in enumerate(("train", "val", "test"))
    }
    for fold in range(1, 6):
        lines = (
            f"{name}|100|{fold}|{'test' if number % 5 == fold - 1 else 'train'}"
            for number, name in enumerate(BREAKHIS)
        )
        lists[f"dsfold{fold}.txt"] = "\n".join(lines)
    return {name: text.encode() for name, text in lists.items()}


def make_archives():
    """Return archives as data sets are published in, ``{name: bytes}``."""
    content = {f"data/{patient}/{n}.png": bytes(range(200)) * 5 for patient in "ab" for n in "01"}
    archives = {}
    for name, mode in (("data.tar", "w:"), ("data.tar.gz", "w:gz")):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as tar:
            for path, data in content.items():
                info = tarfile.TarInfo(path + "a" * 90 * ("b" in path))  # some in pax headers
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        archives[name] = stream.getvalue()
    for name, method in (("stored.zip", zipfile.ZIP_STORED), ("data.zip", zipfile.ZIP_DEFLATED)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as zipped:
            for path, data in content.items():
                zipped.writestr(path, data)
        archives[name] = stream.getvalue()
    return archives | {"data.gz": gzip.compress(bytes(range(200)) * 50)}


def make_store(folder):
    """Return a feature store's database, bytes."""
    store = FeatureStore(folder)
    rng = np.random.default_rng(0)
    store.put("net", digests(), rng.standard_normal((30, 16)), description="invented")
    store.put_files({f"{n}.png": "1:2" for n in range(30)}, digests())
    return store.path.read_bytes()


def digests():
    return [bytes([number] * 20) for number in range(30)]


# Opening them: each returns what came of it; what is not documented is raised.


def change_table(data, rng):
    """Put what tables may hold by mistake or malice into a text."""
    parts = [
        b"\0", b"\xff\xfe", b'"', b"\n", b"\r", b",", b"|", b"\t", b"=cmd()", b"../../etc/passwd",
        b"<script>", b"\xe2\x80\xae", b"9" * 400, b"a" * 200_000, b"nan", b"-1", b"\xef\xbb\xbf",
        b"SOB_M_DC-14-999999999999999999999999-100-001.png|100|1|train\n", b"{}", b"%s", b"\x1b[2J",
    ]  # fmt: skip
    for _ in range(rng.integers(1, 4)):
        place, part = int(rng.integers(len(data) + 1)), parts[int(rng.integers(len(parts)))]
        data = data[:place] + part + data[place:]
    return data


def swap_lines(data, rng):
    """Reorder, repeat and drop the lines of a text."""
    lines = data.splitlines(keepends=True)
    return b"".join(lines[int(n)] for n in rng.integers(0, len(lines), len(lines)))


class Opener:
    """The files, mutated one at a time, and how each is opened."""

    def __init__(self, folder):
        self.folder = Path(folder)
        patches = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
        self.stacks, self.pcam, self.lists = make_stacks(patches), make_pcam(patches), make_lists()
        self.store = make_store(self.folder / "first store")
        for name in BREAKHIS:
            self._touch("breakhis", name)
        for name in IDC:
            self._touch("idc", name.partition("_")[0], name[-5], name)
        self.kinds = {
            "HDF5 of patches": (self.stacks, (), self.open_stack),
            "PatchCamelyon": (self.pcam, (), self.open_pcam),
            "metadata": ({"meta.csv": self.pcam["meta.csv"]}, TEXT, self.open_pcam),
            "case lists": (self._lists("idc"), TEXT, self.open_idc),
            "fold lists": (self._lists("dsf"), TEXT, self.open_breakhis),
            "archives": (make_archives(), (), self.open_archive),
            "feature store": ({"features.sqlite": self.store}, (), self.open_store),
        }

    def _touch(self, *parts):
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def _lists(self, start):
        return {name: data for name, data in self.lists.items() if name.startswith(start)}

    def open_case(self, number):
        rng = np.random.default_rng([SEED, number])
        kind = sorted(self.kinds)[number % len(self.kinds)]
        files, extra, opener = self.kinds[kind]
        name = sorted(files)[int(rng.integers(len(files)))]
        mutation, data = mutate(files[name], rng, list(files.values()), extra)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                outcome = opener(name, data)
            except (PatchReadError, ValueError, OSError) as error:
                check_message(error, kind)
                outcome = "refused"
        return {"kind": kind, "mutation": f"{name}: {mutation}", "outcome": outcome}

    def open_stack(self, name, data):
        path = self.folder / "stack.h5"
        path.write_bytes(data)
        patches = read_patches([f"{path}#{row}" for row in (0, 3, 1)], size=(16, 16))
        assert patches.shape == (3, 16, 16, 3)
        patch = read_patch(f"{path}#3")
        assert patch.dtype == np.uint8
        assert patch.shape == (*patch_size(f"{path}#3"), 3)
        assert count_rows(path) > 3
        return "read"

    def open_pcam(self, name, data):
        folder = self.folder / "pcam"
        folder.mkdir(exist_ok=True)
        for ending, content in (self.pcam | {name: data}).items():
            (folder / f"{STEM}{ending}").write_bytes(content)
        bunch = load_pcam(folder)
        assert bunch.data.shape == bunch.target.shape == bunch.groups.shape
        assert set(bunch.target) <= {0, 1}
        return "read"

    def open_idc(self, name, data):
        bunch = load_idc(self.folder / "idc", split="test", splits_dir=self._split(name, data))
        assert set(bunch.groups) < {name.partition("_")[0] for name in IDC}
        return "read"

    def open_breakhis(self, name, data):
        bunch = load_breakhis(self.folder / "breakhis", folds_dir=self._split(name, data))
        for train, test in bunch.folds:
            assert not set(bunch.groups[train]) & set(bunch.groups[test])
        return "read"

    def _split(self, name, data):
        folder = self.folder / "lists"
        folder.mkdir(exist_ok=True)
        for other, content in (self.lists | {name: data}).items():
            (folder / other).write_bytes(content)
        return folder

    def open_archive(self, name, data):
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        (home / "inner").mkdir(parents=True)
        (home / name).write_bytes(data)
        limit = {"max_bytes": 100_000, "progress": False}
        try:
            if name == "data.gz":
                gunzip(home / name, home / "inner" / "data", **limit)
            else:
                unpack(home / name, home / "inner" / "data", **limit)
        except (ValueError, OSError):
            assert not any((home / "inner").iterdir())
            raise
        finally:
            assert sorted(path.name for path in home.iterdir()) == sorted([name, "inner"])
        files = (path for path in home.rglob("*") if path.is_file() and path.parent != home)
        assert sum(path.stat().st_size for path in files) <= 100_000
        return "read"

    def open_store(self, name, data):
        folder = self.folder / "store"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / name).write_bytes(data)
        store = FeatureStore(folder)
        found = store.get("net", digests())
        assert len({len(vector) for vector in found.values()}) <= 1
        store.get_files({f"{n}.png": "1:2" for n in range(30)})
        store.put("other", digests(), np.ones((30, 4)))
        store.info()
        store.prune(20_000)
        return "read"


TEXT = (change_table, change_table, swap_lines)


def check_message(error, kind):
    """The documented errors of each kind, in a sentence that can be printed."""
    documented = {"HDF5 of patches": PatchReadError, "feature store": OSError}
    documented |= {"archives": (ValueError, OSError)}
    assert isinstance(error, documented.get(kind, (ValueError, FileNotFoundError))), repr(error)
    message = str(error)
    assert message.replace("\n", "").isprintable(), repr(message)
    assert len(message) < 2000, len(message)


def check_run(cases, crashes, totals, n_cases):
    assert crashes == []
    assert len(cases) == n_cases
    assert {each["said"] for each in cases.values()} == {""}
    kinds = {each["kind"] for each in cases.values()}
    found = {(each["kind"], each["outcome"]) for each in cases.values()}
    assert found == {(kind, outcome) for kind in kinds for outcome in ("read", "refused")}
    (total,) = totals
    assert total["after"]["descriptors"] == total["before"]["descriptors"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_a_mutated_file_is_data_or_a_documented_error():
    check_run(*run_guarded(__file__, N_SHORT), N_SHORT)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_3500_mutated_files_are_data_or_documented_errors():
    check_run(*run_guarded(__file__, N_LONG), N_LONG)


def main(start, stop):
    with tempfile.TemporaryDirectory() as folder:
        guard(range(int(start), int(stop)), Opener(folder).open_case)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        show(*run_guarded(__file__, int(sys.argv[1]), crashes_allowed=50))
    else:
        main(*sys.argv[1:])
