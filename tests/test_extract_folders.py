"""The folder of an extraction: what is deleted, what is not believed, who may write into it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from skbreast import TransferFeatureExtractor, _feature_files
from skbreast._chunk_runs import ChunkWork
from skbreast._feature_files import find_files
from skbreast.datasets import make_patches
from skbreast.extraction import extract_features, open_features

zarr = pytest.importorskip("zarr")
parquet = pytest.importorskip("pyarrow.parquet")

ENDINGS = ("zarr", "parquet")
CARDS = {"zarr": "zarr.json", "parquet": "_skbreast.json"}


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 2, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def references(bunch, save_patches, tmp_path_factory):
    return save_patches(bunch.data, tmp_path_factory.mktemp("patches"))


@pytest.fixture(scope="module")
def whole(bunch, references, tmp_path_factory):
    """Give a folder of finished extractions, to be copied."""
    folder = tmp_path_factory.mktemp("whole")
    for ending in ENDINGS:
        out = folder / f"a.{ending}"
        extract(references, out, y=bunch.target, groups=bunch.groups)
    return folder


@pytest.fixture(params=ENDINGS)
def out(request, whole, tmp_path):
    name = f"a.{request.param}"
    return Path(shutil.copytree(whole / name, tmp_path / name))


def make_extractor(**parameters):
    defaults = {"layers": "block2", "input_size": 32, "engine": "openvino", "precision": "float32"}
    return TransferFeatureExtractor(**(defaults | parameters))


def extract(references, out, **options):
    return extract_features(make_extractor(), references, out, **({"chunk_size": 5} | options))


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# What is deleted


def test_overwriting_begins_anew_and_leaves_nothing(references, out):
    run = open_features(out).about["run"]
    found = extract(references[:3], out, overwrite=True)
    assert len(found) == 3
    assert found.labels is None
    assert found.about["run"] != run
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert not [path for path in out.rglob("*") if "labels" in path.name]


@pytest.mark.parametrize(
    "foreign",
    ["theirs.txt", "features/notes.txt", "labels/c.0.part", "more/a.txt", "zarr.json.bak"],
)
def test_overwriting_deletes_nothing_where_others_keep_files(references, out, foreign):
    (out / foreign).parent.mkdir(exist_ok=True)
    (out / foreign).write_text("theirs")
    before = snapshot(out)
    top = foreign if out.suffix == ".zarr" and foreign[0] in "fl" else foreign.split("/")[0]
    with pytest.raises(ValueError, match=f"cannot be overwritten, since {top} in it is no part"):
        extract(references, out, overwrite=True)
    assert snapshot(out) == before
    assert len(open_features(out)) == 12


def test_overwriting_follows_no_link_within(references, out, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "c.0").touch()
    link = out / "labels" if out.suffix == ".zarr" else out / "chunk-000009.parquet"
    if link.is_dir():
        shutil.rmtree(link)
    link.symlink_to(theirs)
    with pytest.raises(ValueError, match=f"since {link.name} in it is no part of an extraction"):
        extract(references, out, overwrite=True)
    assert (theirs / "c.0").exists()


def test_a_link_to_the_folder_is_followed_and_stays(references, out, tmp_path):
    link = tmp_path / f"link{out.suffix}"
    link.symlink_to(out)
    before = snapshot(out)
    assert len(open_features(link)) == 12
    found = extract(references[:3], link, overwrite=True)
    assert link.is_symlink()
    assert found.path == link
    assert len(open_features(out)) == 3
    assert snapshot(out) != before


def test_a_link_to_nothing_is_refused(references, tmp_path):
    link = tmp_path / "a.zarr"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds something else; give another folder"):
        extract(references, link)
    assert sorted(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_extraction_is_left_alone(references, tmp_path, overwrite):
    for ending in ENDINGS:
        folder, file = tmp_path / f"a.{ending}", tmp_path / f"file.{ending}"
        folder.mkdir()
        (folder / "theirs.txt").touch()
        file.touch()
        for path in (folder, file):
            with pytest.raises(ValueError, match="holds something else; give another folder"):
                extract(references, path, overwrite=overwrite)
        assert (folder / "theirs.txt").exists()
        assert file.exists()


def test_a_zarr_group_of_others_is_left_alone(references, tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w").create_array("x", shape=(2,), dtype="i4")
    with pytest.raises(ValueError, match="holds something else"):
        extract(references, tmp_path / "a.zarr", overwrite=True)


@pytest.mark.parametrize("n_deleted", [0, 1, 3])
@pytest.mark.parametrize("overwrite", [False, True])
def test_killed_while_it_deletes(bunch, references, out, monkeypatch, n_deleted, overwrite):
    left, real = [n_deleted], Path.unlink

    def dying(self, missing_ok=False):
        if not self.name.endswith(".part"):
            left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", dying)
    with pytest.raises(KeyboardInterrupt):
        extract(references[::-1], out, overwrite=True)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="rest of an extraction that was being overwritten"):
        open_features(out)
    found = extract(references[::-1], out, overwrite=overwrite)
    assert found.references.tolist() == references[::-1].tolist()
    assert found.labels is None
    assert [path.name for path in out.parent.iterdir()] == [out.name]


# Who may write


def work_of(references, out):
    """Return what a worker of the extraction in a folder was given."""
    files = find_files(out)
    extractor = make_extractor().fit(references)._for_workers()
    return ChunkWork(extractor, files, files.read_about(), "/", "raise")


@pytest.mark.parametrize("change", ["other", "same", "deleted"])
def test_a_late_task_writes_nothing_into_what_was_begun_since(references, out, change):
    work = work_of(references, out)
    columns = {"references": references[5:10].astype(object)}
    columns["labels"] = np.full(5, 7)
    columns["patients"] = np.array(list("abcde"), dtype=object)
    if change == "deleted":
        shutil.rmtree(out)
    else:
        given = {"y": np.zeros(12, int), "groups": list("abcabcabcabc")}
        extract(references[::-1] if change == "other" else references, out, overwrite=True, **given)
    before = snapshot(out) if out.exists() else None
    with pytest.raises(OSError, match="Chunk 1 is not written, since another extraction was begun"):
        work.run(1, columns)
    assert (snapshot(out) if out.exists() else None) == before


def test_a_task_of_its_own_extraction_writes(references, out):
    work, before = work_of(references, out), snapshot(out)
    found = open_features(out)
    columns = {"references": found.references, "labels": found.labels, "patients": found.groups}
    assert work.run(1, {name: values[5:10] for name, values in columns.items()}) == 0
    assert snapshot(out) == before


def test_somebody_who_was_faster_is_noticed(references, tmp_path, monkeypatch):
    for ending in ENDINGS:
        out = tmp_path / f"a.{ending}"
        kind, real = _feature_files.FILES[f".{ending}"], _feature_files.FILES[f".{ending}"].begin

        def begin_late(self, about, out=out, real=real):
            monkeypatch.undo()
            extract(references[::-1], out)
            return real(self, about)

        monkeypatch.setattr(kind, "begin", begin_late)
        with pytest.raises(ValueError, match="holds another extraction"):
            extract(references, out)
        assert open_features(out).references.tolist() == references[::-1].tolist()


INTERRUPTED = """
import sys
import time
from skbreast import TransferFeatureExtractor, _files
from skbreast.extraction import extract_features
folder, out = sys.argv[1:]

def slowly(folder, real=_files._sync_folder):  # so that the interrupt comes while it writes
    time.sleep(0.1)
    real(folder)

_files._sync_folder = slowly
extractor = TransferFeatureExtractor(
    layers="block2", input_size=32, engine="openvino", precision="float32")
try:
    names = [f"{folder}/{n % 12}.png" for n in range(4800)]
    extract_features(extractor, names, out, chunk_size=2)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["zarr", pytest.param("parquet", marks=pytest.mark.long)])
def test_an_interrupt_lets_the_chunk_be_written(references, tmp_path, ending):
    out = tmp_path / f"a.{ending}"
    call = [sys.executable, "-c", INTERRUPTED, str(Path(references[0]).parent), str(out)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(find_files(out).done()) < 10:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate()
    assert said == "interrupted\n"
    assert "was destroyed" not in errors
    assert "Traceback" not in errors
    assert 10 <= len(find_files(out).done()) < 2400
    assert not list(out.rglob(".*.part"))


TWO = """
import sys
import time
from pathlib import Path
import numpy as np
from skbreast import TransferFeatureExtractor
from skbreast.extraction import extract_features
folder, out, mine, theirs = sys.argv[1:]
extractor = TransferFeatureExtractor(
    layers="block2", input_size=32, engine="openvino", precision="float32")
names = [f"{folder}/{n % 12}.png" for n in range(240)]
extractor.fit_transform(names[:2])

def meet(when):
    Path(mine + when).touch()
    while not Path(theirs + when).exists():
        time.sleep(0.001)

def transform(self, X, real=TransferFeatureExtractor.transform):
    meet("computes")
    return real(self, X)

TransferFeatureExtractor.transform = transform
meet("begins")
try:
    extract_features(extractor, names, out, y=np.arange(240) % 2, chunk_size=4)
finally:
    Path(mine + "computes").touch()
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["zarr", pytest.param("parquet", marks=pytest.mark.long)])
def test_two_at_once_do_no_harm(references, tmp_path, ending):
    folder, out = Path(references[0]).parent, tmp_path / f"two.{ending}"
    ready = [str(tmp_path / name) for name in ("one", "other")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(folder), str(out), *ready[:: (-1) ** turn]],
            stderr=subprocess.PIPE,
            text=True,
        )
        for turn in range(2)
    ]
    errors = [process.communicate()[1] for process in processes]
    for process, error in zip(processes, errors, strict=True):
        # Of two that begin in the very same moment one may be told of the other.
        assert process.returncode == 0 or "another extraction was begun in" in error, error
    names = [f"{folder}/{n % 12}.png" for n in range(240)]
    labels = np.arange(240) % 2
    found = extract(names, out, y=labels, chunk_size=4)  # of the ones that were told
    expected = extract(names, tmp_path / f"one.{ending}", y=labels, chunk_size=4)
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.references.tolist() == names
    assert 0 in [process.returncode for process in processes]


# What is not believed


def read_all(folder):
    """Read whatever is there."""
    found = open_features(folder)
    for name in ("labels", "groups", "references", "readable", "feature_names"):
        values = getattr(found, name)
        assert values is None or len(values) < 1000
    assert np.asarray(found.features).shape == (len(found), len(found.feature_names))


def test_nothing_to_open(tmp_path):
    for path in (tmp_path / "a.zarr", tmp_path / "b.parquet", tmp_path / "file.zarr"):
        if path.stem == "file":
            path.touch()
        elif path.stem == "b":
            path.mkdir()
        with pytest.raises(ValueError, match="holds no extracted features"):
            open_features(path)


def change_about(out, change):
    card = out / CARDS[out.suffix[1:]]
    content = json.loads(card.read_text())
    about = content["attributes"]["skbreast"] if out.suffix == ".zarr" else content
    change(about)
    card.write_text(json.dumps(content))


WRONG = [
    ("format", 99, "is of format 99, which this version does not know"),
    ("format", [2] * 100, "is of format "),
    ("n_patches", -1, "n_patches cannot be"),
    ("n_patches", 2**70, "n_patches cannot be"),
    ("n_patches", 12.0, "n_patches cannot be"),
    ("n_patches", True, "n_patches cannot be"),
    ("n_patches", 2**39, "is not (that of an extraction|finished)"),
    ("n_patches", 9, "is not that of an extraction|it has 5 rows, not 4"),
    ("chunk_size", 0, "chunk_size cannot be"),
    ("chunk_size", 2**40, "is not that of an extraction|it has 5 rows, not 12"),
    ("chunk_size", "5", "chunk_size cannot be"),
    ("columns", {}, "columns cannot be"),
    ("columns", [], "columns cannot be"),
    ("columns", {"references": "flag", "readable": "flag"}, "columns cannot be"),
    ("columns", {"references": "text", "readable": "flag"}, "together cannot be"),
    ("columns", {"references": "text", "readable": "flag", "../x": "text"}, "columns cannot be"),
    ("columns", {"references": ["text"], "readable": "flag"}, "columns cannot be"),
    ("data", {"references": 3}, "data cannot be"),
    ("extractor", None, "extractor cannot be"),
    ("versions", {"keras": 3}, "versions cannot be"),
    ("target_names", [1], "target_names cannot be"),
    ("feature_names", [], "feature_names cannot be"),
    ("feature_names", ["a"], "is not that of an extraction|it holds float32 of shape"),
    ("feature_names", ["a", 2], "feature_names cannot be"),
    ("feature_names", "abc", "feature_names cannot be"),
    ("run", None, "run cannot be"),
    ("folder", 3, "folder cannot be"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_what_it_says_of_itself_is_not_believed(references, out, name, value, message):
    change_about(out, lambda about: about.update({name: value}))
    with pytest.raises(ValueError, match=message) as told:
        read_all(out)
    assert str(told.value).count("\n") == 0
    assert len(str(told.value)) < 500
    with pytest.raises(ValueError, match=r"damaged|is of format|another extraction"):
        extract(references, out)
    extract(references[:2], out, overwrite=True)
    read_all(out)


def test_huge_chunks_are_not_made_room_for(tmp_path, out):
    def grow(about):
        about.update(n_patches=2**39, chunk_size=2**39)

    change_about(out, grow)
    if out.suffix == ".zarr":
        for path in out.glob("*/zarr.json"):
            card = json.loads(path.read_text())
            card["shape"][0] = card["chunk_grid"]["configuration"]["chunk_shape"][0] = 2**39
            path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match="n_patches, chunk_size and feature_names together"):
        open_features(out)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
    ids=["empty", "half", "list", "null", "no text", "deep", "long number"],
)
def test_cards_that_are_none(references, out, content):
    card = out / CARDS[out.suffix[1:]]
    card.write_bytes(content)
    for call in (open_features, lambda folder: extract(references, folder, overwrite=True)):
        with pytest.raises(ValueError, match=r"is damaged \(.*give another folder, or delete"):
            call(out)
    assert card.read_bytes() == content


def test_cards_that_are_no_files(out):
    card = out / CARDS[out.suffix[1:]]
    card.unlink()
    os.mkfifo(card)  # waits for somebody to write
    with pytest.raises(ValueError, match="holds no extracted features"):
        open_features(out)
    card.unlink()
    with card.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="it has more than 16777216 bytes"):
        open_features(out)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shape", [12]),
        ("shape", [2**60, 24]),
        ("data_type", "float64"),
        ("chunk_grid", {"name": "regular", "configuration": {"chunk_shape": [2**60, 24]}}),
        ("chunk_key_encoding", {"name": "v2"}),
        ("codecs", [{"name": "sharding_indexed"}]),
        ("codecs", ["bytes"]),
        ("codecs", [{"name": "bytes"}]),
        ("node_type", "group"),
    ],
)
def test_arrays_of_other_shapes_are_refused(whole, tmp_path, name, value):
    out = Path(shutil.copytree(whole / "a.zarr", tmp_path / "a.zarr"))
    card = out / "features" / "zarr.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {name: value}))
    with pytest.raises(ValueError, match=f"its {name} is not that of an extraction"):
        open_features(out)


COLUMNS = ("features", "labels", "patients", "references", "readable")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_chunk_of_a_column_is_noticed_and_computed(bunch, references, out, column):
    before, file = snapshot(out), find_files(out).file(1, column)
    file.unlink()
    with pytest.raises(ValueError, match="is not finished: 1 of 3 chunks are missing"):
        open_features(out)
    extract(references, out, y=bunch.target, groups=bunch.groups)
    assert snapshot(out) == before


@pytest.mark.parametrize("column", COLUMNS)
def test_a_chunk_that_goes_later_is_noticed(out, column):
    found = open_features(out)
    find_files(out).file(1, column).unlink()
    with pytest.raises(ValueError, match=f"{column} of chunk 1 .* cannot be read"):
        {
            "features": lambda: found.features[:],
            "patients": lambda: found.groups,
        }.get(column, lambda: getattr(found, column))()


@pytest.mark.parametrize("column", ["labels", "references"])
def test_chunks_that_unpack_to_more_are_not_unpacked(whole, tmp_path, column):
    numcodecs = pytest.importorskip("numcodecs")
    out = Path(shutil.copytree(whole / "a.zarr", tmp_path / "a.zarr"))
    file = find_files(out).file(0, column)
    count = (2**30).to_bytes(4, "little")  # of texts, which would be made room for
    bombs = [numcodecs.Zstd().encode(count + bytes(100)), numcodecs.Zstd().encode(bytes(2**27))]
    for bomb in bombs:
        file.write_bytes(bomb)
        with pytest.raises(ValueError, match="it unpacks to something else than 5 values"):
            read_all(out)
    sizes = {"": "not packed with zstd", "28b52ffd": "not packed", "28b52ffd0000": "say its size"}
    sizes |= {"28b52ffd20": "say its size", "28b52ffde0" + "ff" * 8: "unpacks to something else"}
    for start, message in sizes.items():
        file.write_bytes(bytes.fromhex(start))
        with pytest.raises(ValueError, match=message):
            read_all(out)


def test_tables_of_others_are_refused(whole, tmp_path):
    out = Path(shutil.copytree(whole / "a.parquet", tmp_path / "a.parquet"))
    file = find_files(out).file(0)
    table = parquet.read_table(file)
    for change, message in (
        (table.drop_columns("labels"), "labels of chunk 0"),
        (table.slice(0, 3), "it has 3 rows, not 5"),
        (table.set_column(0, "references", [[None, "a", "b", "c", "d"]]), "some are missing"),
        (table.set_column(1, "labels", [["a", "b", "c", "d", "e"]]), "labels of chunk 0"),
    ):
        parquet.write_table(change, file)
        with pytest.raises(ValueError, match=message):
            read_all(out)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_told_in_one_sentence(out, whole, seed):
    rng = np.random.default_rng(seed)
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    cards = [path for path in files if path.suffix == ".json"]
    told = []
    for turn in range(25):
        path = rng.choice(cards if turn % 2 else files)
        sound = path.read_bytes()
        mutated = bytearray(sound)
        for place in rng.integers(0, len(mutated), 1 + turn % 4):
            mutated[place] = rng.integers(0, 256)
        if turn % 5 == 0:
            del mutated[rng.integers(0, len(mutated)) :]
        path.write_bytes(mutated)
        try:
            read_all(out)  # which it may be, after a change of a name
        except ValueError as error:
            told.append(str(error))
        path.write_bytes(sound)
    assert len(told) > 5
    assert not [each for each in told if "\n" in each]
    read_all(out)
