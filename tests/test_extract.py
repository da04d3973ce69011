"""Features in files: what is written, what is gone on with, what is refused, the command."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from typer.testing import CliRunner

from skbreast import TransferFeatureExtractor, _parquet_files, _zarr_files
from skbreast._feature_files import find_files
from skbreast.cli import app
from skbreast.datasets import make_patches
from skbreast.extraction import extract_features, open_features
from skbreast.feature_store import FeatureStore
from skbreast.reading import PatchReadError

zarr = pytest.importorskip("zarr")
parquet = pytest.importorskip("pyarrow.parquet")

N_FEATURES = 24
ENDINGS = ("zarr", "parquet")


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 4, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def references(bunch, save_patches, tmp_path_factory):
    return save_patches(bunch.data, tmp_path_factory.mktemp("patches"))


@pytest.fixture(scope="module")
def expected(bunch):
    return make_extractor().fit_transform(bunch.data)


@pytest.fixture(params=ENDINGS)
def out(request, tmp_path):
    return tmp_path / f"features.{request.param}"


@pytest.fixture
def computed(monkeypatch):
    """List how many patches went through the extractor, call by call."""
    seen, real = [], TransferFeatureExtractor.transform

    def counted(self, X):
        seen.append(len(X))
        return real(self, X)

    monkeypatch.setattr(TransferFeatureExtractor, "transform", counted)
    return seen


def make_extractor(**parameters):
    defaults = {"layers": "block2", "input_size": 32, "engine": "openvino", "precision": "float32"}
    return TransferFeatureExtractor(**(defaults | parameters))


def extract(bunch, references, out, **options):
    given = {"y": bunch.target, "groups": bunch.groups, "target_names": bunch.target_names}
    return extract_features(
        make_extractor(), references, out, **(given | {"chunk_size": 5} | options)
    )


def contents(folder):
    """Return the bytes of all files, but for the name of the run."""
    run = find_files(folder).read_about()["run"].encode()
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(run, b"")
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


# What is written and read


def test_everything_is_found_again(bunch, references, expected, out):
    found = extract(bunch, references, out)
    np.testing.assert_allclose(found.features, expected, rtol=1e-4, atol=1e-5)
    assert found.features.shape == expected.shape == (24, N_FEATURES)
    np.testing.assert_array_equal(found.labels, bunch.target)
    np.testing.assert_array_equal(found.groups, np.asarray(bunch.groups).astype(str))
    np.testing.assert_array_equal(found.references, references)
    assert found.readable.all()
    assert found.target_names == list(bunch.target_names)
    assert found.feature_names[0] == "efficientnet_lite0_block2_0"
    assert found.about["extractor"]["engine"] == "openvino"
    assert len(found) == 24
    assert [(each.start, each.stop) for each in found.chunks()][-1] == (20, 24)


def test_labels_and_patients_may_be_missing(references, out):
    found = extract_features(make_extractor(), references, out)
    assert found.labels is None
    assert found.groups is None
    assert found.target_names is None


@pytest.mark.parametrize("dtype", [None, object])
@pytest.mark.parametrize("labels", [["b", "m"], [0.5, 1.5], [False, True], [7, 2**40], [0, 0]])
def test_every_kind_of_label(references, tmp_path, labels, dtype):
    y = np.array(labels, dtype=dtype)[np.arange(len(references)) % 2]
    for ending in ENDINGS:
        found = extract_features(make_extractor(), references, tmp_path / f"a.{ending}", y=y)
        assert found.labels.tolist() == y.tolist()
        assert set(map(type, found.labels.tolist())) == {type(labels[0])}


@pytest.mark.parametrize(
    ("labels", "types"),
    [
        ([0, "benign"], "int, str"),
        ([True, 2], "bool, int"),
        ([None, "benign"], "NoneType, str"),
        ([2**63, 0], "int"),
        ([2**53 + 1, 0.5], "float, int"),
        (np.array([2**64 - 1, 0], dtype=np.uint64), "uint64"),
        (np.array([b"benign", b""]), "bytes_"),
        (np.array(["2020", "2021"], dtype="datetime64[Y]"), "datetime64"),
        ([{"grade": 1}, {}], "dict"),
    ],
)
@pytest.mark.parametrize("name", ["y", "groups"])
def test_labels_that_would_come_back_as_others_are_refused(tmp_path, labels, types, name):
    if any(each is None for each in labels) and name == "groups":
        types = "lacks the patient"
    with pytest.raises(ValueError, match=f"{name} (holds values of type )?{types}"):
        extract_features(make_extractor(), ["a", "b"], tmp_path / "a.zarr", **{name: labels})
    assert not list(tmp_path.iterdir())


def test_others_read_the_files(bunch, references, tmp_path):
    array = zarr.open_group(extract(bunch, references, tmp_path / "a.zarr").path, mode="r")
    table = parquet.read_table(extract(bunch, references, tmp_path / "a.parquet").path)
    rows = np.array(table["features"].to_pylist(), dtype=np.float32)
    np.testing.assert_array_equal(array["features"][:], rows)
    assert table["references"].to_pylist() == array["references"][:].tolist()
    assert set(table.column_names) == set(array) - {"zarr.json"}


def test_bits_are_those_of_transform_by_chunk(references, tmp_path):
    found = extract_features(make_extractor(), references, tmp_path / "a.zarr", chunk_size=10)
    extractor = make_extractor().fit(references)
    for rows in found.chunks():
        np.testing.assert_array_equal(found.features[rows], extractor.transform(references[rows]))


KEYS = (
    slice(None),
    slice(3, 17, 2),
    slice(None, None, -1),
    slice(30, 40),
    [5, 0, 23, 5, -1],
    np.array([], dtype=int),
    np.arange(24) % 3 == 0,
    4,
    -1,
    (slice(2, 9), slice(1, 4)),
    ([3, 22], 7),
    ([3, 22], ...),
    (7, 2),
    ...,
)


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_rows_are_indexed_as_an_array_is(bunch, references, out, key):
    rows = extract(bunch, references, out).features
    whole = np.asarray(rows)
    np.testing.assert_array_equal(rows[key], whole[key])


@pytest.mark.parametrize("key", [24, -25, [0, 24], np.ones(3, bool), [0.5], (0, 0, 0), [[0]]])
def test_rows_that_are_not_there(bunch, references, tmp_path, key):
    rows = extract(bunch, references, tmp_path / "a.zarr").features
    with pytest.raises(IndexError):
        rows[key]


def test_folds_read_their_rows_from_the_files(bunch, references, expected, out):
    found = extract(bunch, references, out)
    model, cv = LogisticRegression(max_iter=1000), StratifiedGroupKFold(3)
    how = {"groups": found.groups, "cv": cv, "scoring": "roc_auc"}
    n_jobs = 2 if out.suffix == ".zarr" else 1  # processes take a while to start
    scores = cross_val_score(model, found.features, found.labels, **how, n_jobs=n_jobs)
    loaded = cross_val_score(model, np.asarray(found.features), bunch.target, **how)
    np.testing.assert_array_equal(scores, loaded)
    assert len(pickle.dumps(found.features)) < 1000
    online = SGDClassifier(random_state=0)
    for rows in found.chunks():
        online.partial_fit(found.features[rows], found.labels[rows], classes=[0, 1])
    assert online.predict(found.features).shape == (24,)


def test_dask_gets_the_same_chunks(bunch, references, out):
    pytest.importorskip("dask.array")
    found = extract(bunch, references, out)
    lazy = found.to_dask()
    assert lazy.chunks == ((5, 5, 5, 5, 4), (N_FEATURES,))
    np.testing.assert_array_equal(lazy.compute(), found.features)


def test_names_that_are_no_text(bunch, save_patches, tmp_path, out):
    name = os.fsdecode(str(tmp_path).encode() + b"/\xff.png")
    save_patches(bunch.data[:1], tmp_path)
    (tmp_path / "0.png").rename(name)
    found = extract_features(make_extractor(), [name], out)
    assert found.references[0].endswith("\\udcff.png")


# Going on


def test_a_finished_extraction_is_opened(bunch, references, out, monkeypatch):
    extract(bunch, references, out)
    before = contents(out)
    monkeypatch.setattr(TransferFeatureExtractor, "transform", pytest.fail)
    extract(bunch, references, out)
    assert contents(out) == before


def test_missing_chunks_alone_are_computed(bunch, references, out, computed):
    extract(bunch, references, out)
    before = contents(out)
    for number in (1, 4):
        _file(out, number).unlink()
    with pytest.raises(ValueError, match="is not finished: 2 of 5 chunks are missing"):
        open_features(out)
    computed.clear()
    extract(bunch, references, out)
    assert computed == [5, 4]
    assert contents(out) == before


def _file(out, number):
    name = f"features/c.{number}.0" if out.suffix == ".zarr" else f"chunk-{number:06d}.parquet"
    assert (out / name).is_file()
    return out / name


KILLED = """
import sys
import numpy as np
from skbreast import TransferFeatureExtractor
from skbreast.extraction import extract_features
folder, out = sys.argv[1:]
references = [f"{folder}/{n % 24}.png" for n in range(240)]
extractor = TransferFeatureExtractor(
    layers="block2", input_size=32, engine="openvino", precision="float32")
extract_features(extractor, references, out, y=np.arange(240), chunk_size=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "kills"),
    [
        ("zarr", (1, 30)),
        ("parquet", (9,)),
        pytest.param("zarr", (1, 17, 8, 30), marks=pytest.mark.long),
        pytest.param("parquet", (1, 17, 8, 30), marks=pytest.mark.long),
    ],
)
def test_killed_runs_go_on_and_end_with_the_same_bytes(references, tmp_path, ending, kills):
    folder, out = Path(references[0]).parent, tmp_path / f"killed.{ending}"
    call = [sys.executable, "-c", KILLED, str(folder), str(out)]
    n_killed, counts = 0, [0]
    for more in kills:
        process = subprocess.Popen(call)
        while process.poll() is None and len(find_files(out).done()) < counts[-1] + more:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        n_killed += process.wait() == -signal.SIGKILL
        counts.append(len(find_files(out).done()))
    assert n_killed == len(kills)
    assert sorted(set(counts)) == counts  # each went on a while
    assert counts[-1] < 120
    assert subprocess.run(call, check=False).returncode == 0
    whole = tmp_path / f"whole.{ending}"
    names = [f"{folder}/{n % 24}.png" for n in range(240)]
    extract_features(make_extractor(), names, whole, y=np.arange(240), chunk_size=2)
    assert contents(out) == contents(whole)
    assert open_features(out).labels.tolist() == list(range(240))


# Which folder relative names start from


@pytest.fixture
def two_folders(bunch, save_patches, tmp_path):
    """Give two folders with other patches of the same names."""
    folders = tmp_path / "one", tmp_path / "other"
    for folder, patches in zip(folders, (bunch.data[:6], bunch.data[6:12]), strict=True):
        folder.mkdir()
        save_patches(patches, folder)
    return folders


def test_relative_names_of_another_folder_are_refused(two_folders, out, monkeypatch):
    one, other = two_folders
    names = [f"{number}.png" for number in range(6)]
    monkeypatch.chdir(one)
    found = extract_features(make_extractor(), names, out, chunk_size=2)
    assert found.references.tolist() == names
    assert found.about["folder"] == str(one)
    before = contents(out)
    _file(out, 1).unlink()
    monkeypatch.chdir(other)
    with pytest.raises(ValueError, match=f"references start from '{one}' there, '{other}' here"):
        extract_features(make_extractor(), names, out, chunk_size=2)
    monkeypatch.chdir(one)
    extract_features(make_extractor(), names, out, chunk_size=2)
    assert contents(out) == before


def test_absolute_names_hold_in_any_folder(references, out, tmp_path, monkeypatch):
    found = extract_features(make_extractor(), references, out, chunk_size=5)
    assert found.about["folder"] is None
    before = contents(out)
    _file(out, 1).unlink()
    monkeypatch.chdir(tmp_path)
    extract_features(make_extractor(), references, out, chunk_size=5)
    assert contents(out) == before


def test_patches_that_moved_are_told(two_folders, tmp_path):
    one, other = two_folders
    extract_features(make_extractor(), [f"{one}/0.png"], tmp_path / "a.zarr")
    said = f"other references; the first reference is '{one}/0.png' there, '{other}/0.png' here"
    with pytest.raises(ValueError, match=said):
        extract_features(make_extractor(), [f"{other}/0.png"], tmp_path / "a.zarr")


@pytest.mark.parametrize("ending", ENDINGS)
def test_leftovers_of_killed_writers_go(bunch, references, tmp_path, monkeypatch, ending):
    out = tmp_path / f"a.{ending}"
    extract(bunch, references, out)
    names = (".c.0.0.0a.part", ".c.0.0.1f.part", ".theirs.part")
    old, new, foreign = (_file(out, 0).with_name(name) for name in names)
    for part in (old, new, foreign):
        part.touch()
    for part in (old, foreign):
        os.utime(part, (0, 0))
    extract(bunch, references, out)
    assert not old.exists()
    assert new.exists()  # somebody may be writing it
    assert foreign.exists()
    np.testing.assert_array_equal(open_features(out).labels, bunch.target)


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros(24, int)}, "other labels"),
        ({"groups": None}, "other patients"),
        ({"groups": range(24)}, "other patients"),
        ({"chunk_size": 6}, "chunk_size 5 there, 6 here"),
        ({"target_names": ["a", "b"]}, "target_names"),
    ],
)
def test_other_data_are_refused(bunch, references, out, change, message):
    extract(bunch, references, out)
    before = contents(out)
    with pytest.raises(ValueError, match=f"holds another extraction .*{message}"):
        extract(bunch, references, out, **change)
    with pytest.raises(ValueError, match="other references"):
        extract(bunch, references[::-1], out)
    assert contents(out) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": "block3"}, "network 'efficientnet_lite0 .*block2; avg' there"),
        ({"pooling": "max"}, "block2; max' here"),
        ({"input_size": 64}, r"input_size \[32, 32\] there, \[64, 64\] here"),
        ({"engine": "keras"}, "engine 'openvino' there, 'keras' here"),
        ({"batch_size": 8}, "batch_size 64 there, 8 here"),
    ],
)
def test_another_extractor_is_refused(references, tmp_path, parameters, message):
    out = tmp_path / "a.zarr"
    extract_features(make_extractor(), references, out)
    with pytest.raises(ValueError, match=message):
        extract_features(make_extractor(**parameters), references, out)


def test_other_weights_are_refused(references, tmp_path):
    random = {"weights": None, "engine": "keras"}
    extract_features(make_extractor(**random, random_state=0), references, tmp_path / "a.zarr")
    with pytest.raises(ValueError, match=r"\(other weights\)"):
        extract_features(make_extractor(**random, random_state=1), references, tmp_path / "a.zarr")


def test_other_versions_are_refused(references, out, monkeypatch):
    extract_features(make_extractor(), references, out)
    monkeypatch.setattr(
        "skbreast._extraction_about.engine_versions", lambda _: {"openvino": "2099.1"}
    )
    with pytest.raises(ValueError, match=r"openvino '20.*' there, '2099.1' here"):
        extract_features(make_extractor(), references, out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extractor": LogisticRegression()}, "must be a TransferFeatureExtractor"),
        ({"X": np.zeros((2, 8, 8, 3))}, "X must be patch references"),
        ({"extractor": make_extractor(weights=None)}, "no random_state, so no other call could"),
        ({"out": "features.csv"}, r"must end in \.zarr or \.parquet"),
        ({"y": [0]}, "y has 1 labels for 2 patches"),
        ({"groups": [0, None]}, "groups lacks the patient of 1 patches"),
        ({"chunk_size": 0}, "chunk_size must be an integer"),
        ({"on_error": "blank"}, "on_error must be one of"),
        ({"scheduler": 8786}, "scheduler must be None, an address"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path, change, message):
    given = {"extractor": make_extractor(), "X": ["a.png", "b.png"], "out": tmp_path / "a.zarr"}
    with pytest.raises(ValueError, match=message):
        extract_features(**(given | change))
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(references, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r'pip install "skbreast\[zarr\]"'):
        extract_features(make_extractor(), references, tmp_path / "a.zarr")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r'pip install "skbreast\[parquet\]"'):
        extract_features(make_extractor(), references, tmp_path / "a.parquet")


# What breaks on the way


@pytest.fixture
def broken(references, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(Path(references[0]).read_bytes()[:200])
    return np.array([*references[:12], str(path), *references[12:]])


def test_a_broken_patch_is_named_and_the_rest_kept(references, broken, out, save_patches):
    with pytest.raises(PatchReadError, match=r"broken\.png.* 2 of 5 chunks are finished and kept"):
        extract_features(make_extractor(), broken, out, chunk_size=5)
    assert find_files(out).done() == {0, 1}
    found = extract_features(make_extractor(), broken, out, chunk_size=5, on_error="nan")
    assert np.flatnonzero(~found.readable).tolist() == [12]
    assert np.flatnonzero(np.isnan(found.features).any(axis=1)).tolist() == [12]
    whole = extract_features(make_extractor(), references, out.with_stem("whole"))
    sound = found.features[found.readable]
    np.testing.assert_allclose(sound, whole.features, rtol=1e-4, atol=1e-5)


def test_patches_that_got_nan_are_tried_again_by_raise(references, broken, out, computed):
    extract_features(make_extractor(), broken, out, chunk_size=5, on_error="nan")
    _file(out, 4).unlink()
    before = contents(out)
    computed.clear()
    said = r"broken\.png.* 4 of 5 chunks are finished and kept.*with on_error='nan' such patches"
    with pytest.raises(PatchReadError, match=said):
        extract_features(make_extractor(), broken, out, chunk_size=5)
    assert contents(out) == before
    Path(broken[12]).write_bytes(Path(references[0]).read_bytes())
    found = extract_features(make_extractor(), broken, out, chunk_size=5)
    assert computed == [5, 5]  # the third chunk and the last alone
    assert found.readable.all()
    np.testing.assert_allclose(found.features[12], found.features[0], rtol=1e-4, atol=1e-5)


def test_nan_goes_on_with_what_nan_left(broken, out, monkeypatch):
    extract_features(make_extractor(), broken, out, chunk_size=5, on_error="nan")
    monkeypatch.setattr(TransferFeatureExtractor, "transform", pytest.fail)
    found = extract_features(make_extractor(), broken, out, chunk_size=5, on_error="nan")
    assert np.flatnonzero(~found.readable).tolist() == [12]


def test_a_store_of_features_is_not_asked(references, out, tmp_path):
    store = FeatureStore(tmp_path / "store")
    with pytest.MonkeyPatch.context() as patch:  # as of another version
        patch.setattr("skbreast.feature_store.FeatureStore.put", _put_zeros)
        patch.setattr("skbreast._fingerprints.SETTLED_NS", -1)
        make_extractor(memory=store).fit_transform(references)
        poisoned = make_extractor(memory=store).fit_transform(references)
        assert (poisoned == 0).all()
        found = extract_features(make_extractor(memory=store), references, out)
    assert (np.asarray(found.features) != 0).any(axis=1).all()


def _put_zeros(self, network, patches, vectors, *, description="", real=FeatureStore.put):
    real(self, network, patches, np.zeros_like(vectors), description=description)


def test_chunks_that_are_too_large_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("skbreast._extraction_about.MAX_CHUNK_BYTES", 4 * N_FEATURES * 3)
    given = make_extractor(), list("abcdef"), tmp_path / "a.zarr"
    with pytest.raises(ValueError, match=r"chunk_size: 4 patches .* give 3 or fewer"):
        extract_features(*given, chunk_size=4)
    assert not list(tmp_path.iterdir())


def test_a_chunk_of_nothing_readable(out):
    found = extract_features(make_extractor(), ["gone.png", "lost.png"], out, on_error="nan")
    assert np.isnan(found.features).all()
    assert found.features.shape == (2, N_FEATURES)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_costs_nothing_that_was_finished(references, tmp_path, ending):
    resource = pytest.importorskip("resource")
    out = tmp_path / f"a.{ending}"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    module = {"zarr": _zarr_files, "parquet": _parquet_files}[ending]
    written, real = [], module.written_whole

    def filling(path):
        if len(written) > 25:  # with zarr.json and five files a chunk
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        written.append(path)
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "written_whole", filling)
        try:
            with pytest.raises(OSError, match=r"Chunk [0-9]+ cannot be written to .*kept"):
                extract_features(make_extractor(), np.tile(references, 3), out, chunk_size=2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    n_done = len(find_files(out).done())
    assert 0 < n_done < 36
    assert not list(out.rglob("*.part"))
    found = extract_features(make_extractor(), np.tile(references, 3), out, chunk_size=2)
    whole = tmp_path / f"whole.{ending}"
    extract_features(make_extractor(), np.tile(references, 3), whole, chunk_size=2)
    assert contents(out) == contents(whole)
    assert len(found) == 72


# The command

run = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
LIGHT = ("--layers", "block2", "--input-size", 32)


def _invoke(*arguments):
    result = run.invoke(app, ["extract", *(str(each) for each in arguments)])
    return result, " ".join(result.output.split())


@pytest.mark.parametrize("folder", ["IDC_regular_ps50_idx5", "pcam"])
def test_the_command_extracts_real_patches(real_data, out, folder):
    call = (real_data / folder, "--out", out, *LIGHT, "--chunk", 50, "--max-patches", 120)
    result, said = _invoke(*call)
    assert result.exit_code == 0, said
    assert f"{N_FEATURES} features of 120 patches: {out}" in said
    found = open_features(out)
    extractor = TransferFeatureExtractor(layers="block2", input_size=32)
    expected = extractor.fit_transform(found.references)
    tolerance = 1e-4 if extractor.precision_ == "float32" else 0.05
    np.testing.assert_allclose(found.features, expected, rtol=tolerance, atol=tolerance)
    assert set(found.labels) == {0, 1}
    assert (found.groups is None) == (folder == "pcam")
    result, said = _invoke(*call, "--layers", "block3")
    assert result.exit_code == 1
    assert "holds another extraction (network" in said
    result, said = _invoke(*call, "--layers", "block2,block3", "--overwrite")
    assert result.exit_code == 0, said
    assert f"{N_FEATURES + 40} features" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", "--out", "a.zarr"), "Error: nowhere is not a folder."),
        (("nowhere", "--out", "a.npy"), "Error: a.npy must end in .zarr or .parquet"),
        (("nowhere", "--out", "a.zarr", "--backbone", "resnet51"), "Error: backbone"),
    ],
)
def test_mistakes_are_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result, said = _invoke(*arguments)
    assert result.exit_code == 1
    assert sentence in said
    assert not list(tmp_path.iterdir())


def test_the_command_names_what_it_cannot_read(bunch, save_patches, tmp_path, out):
    for name in ("benign", "malignant"):
        (tmp_path / "data" / name).mkdir(parents=True)
        save_patches(bunch.data[:6], tmp_path / "data" / name)
    (tmp_path / "data" / "malignant" / "3.png").write_bytes(b"junk")
    call = (tmp_path / "data", "--out", out, *LIGHT, "--chunk", 4)
    result, said = _invoke(*call)
    assert result.exit_code == 1
    assert "malignant/3.png" in said
    assert "2 of 3 chunks are finished and kept" in said
    result, said = _invoke(*call, "--skip-unreadable")
    assert result.exit_code == 0, said
    assert "1 patches could not be read; their features are NaN" in said
