"""Features with a store: what goes through the network, and what does not."""

import os
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skbreast import TransferFeatureExtractor, _engines, _fingerprints
from skbreast.datasets import make_patches
from skbreast.feature_store import FeatureStore

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def bunch():
    return make_patches(4, 10, patch_size=40, random_state=0)


@pytest.fixture
def references(bunch, save_patches, tmp_path, monkeypatch):
    # Files that were written this very second are read anew, since they might change unnoticed.
    monkeypatch.setattr(_fingerprints, "SETTLED_NS", -1)
    return save_patches(bunch.data, tmp_path)


@pytest.fixture
def counted(monkeypatch):
    """Count the patches that go through OpenVINO."""
    seen = []
    run = _engines.OpenVINOEngine.run

    def counting(self, batches):
        for tag, features in run(self, batches):
            seen.append(len(features))
            yield tag, features

    monkeypatch.setattr(_engines.OpenVINOEngine, "run", counting)
    return seen


def make_extractor(memory, **parameters):
    defaults = {"layers": "block2", "input_size": 32, "engine": "openvino", "precision": "float32"}
    return TransferFeatureExtractor(memory=memory, **(defaults | parameters))


def test_grid_search_runs_each_patch_once(bunch, counted, tmp_path):
    pipe = make_pipeline(make_extractor(tmp_path), LogisticRegression())
    grid = {"logisticregression__C": np.logspace(-4, 4, 10)}
    search = GridSearchCV(pipe, grid, cv=StratifiedKFold(5), error_score="raise")
    search.fit(bunch.data, bunch.target)
    assert sum(counted) == len(bunch.data)
    bare = clone(search).set_params(estimator__transferfeatureextractor__memory=None)
    bare.fit(bunch.data, bunch.target)
    assert sum(counted) == 52 * len(bunch.data)  # 51 more: 10 x 5 folds twice, less what is tested
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], bare.cv_results_["mean_test_score"]
    )


def test_arrays_and_references_share(bunch, references, counted, tmp_path):
    extractor = make_extractor(tmp_path / "store")
    first = extractor.fit_transform(bunch.data)
    np.testing.assert_array_equal(extractor.fit_transform(references), first)
    assert sum(counted) == 40
    shuffled = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(extractor.transform(references[shuffled]), first[shuffled])
    assert sum(counted) == 40
    assert extractor.memory == tmp_path / "store"
    assert FeatureStore(tmp_path / "store").info()["n_features"] == 40


def test_known_files_are_not_opened(references, counted, tmp_path, monkeypatch):
    extractor = make_extractor(tmp_path / "store")
    first = extractor.fit_transform(references)
    monkeypatch.setattr("skbreast._single_patch.decode_image", pytest.fail)
    np.testing.assert_array_equal(extractor.transform(references), first)


def test_a_changed_file_is_noticed(bunch, references, counted, tmp_path):
    extractor = make_extractor(tmp_path / "store")
    first = extractor.fit_transform(references)
    times = Path(references[3]).stat()
    Image.fromarray(255 - bunch.data[3]).save(references[3])
    os.utime(references[3], ns=(times.st_atime_ns, times.st_mtime_ns))  # as archives do
    second = extractor.transform(references)
    assert sum(counted) == 41
    changed = np.abs(second - first).max(axis=1) > 0
    assert np.flatnonzero(changed).tolist() == [3]


def test_a_file_that_changed_just_now_is_read_again(bunch, save_patches, counted, tmp_path):
    (path,) = save_patches(bunch.data[:1], tmp_path)
    extractor = make_extractor(tmp_path / "store").fit([path])
    seen = []
    for patch in bunch.data[:5]:
        Image.fromarray(patch).save(path)
        seen.append(extractor.transform([path]))
    expected = make_extractor(None).fit_transform(bunch.data[:5])
    np.testing.assert_array_equal(np.concatenate(seen), expected)


def test_rows_of_a_file(bunch, references, counted, tmp_path):
    with h5py.File(tmp_path / "cohort.h5", "w") as file:
        file["x"] = bunch.data
    rows = np.array([f"{tmp_path}/cohort.h5#{row}" for row in range(40)])
    extractor = make_extractor(tmp_path / "store")
    first = extractor.fit_transform(references)
    np.testing.assert_array_equal(extractor.transform(rows[::-1]), first[::-1])
    assert sum(counted) == 40


def test_everything_that_decides_features_tells_them_apart(bunch, counted, tmp_path):
    patches = bunch.data[:4]
    variants = [
        {},
        {"layers": "block1"},
        {"pooling": "max"},
        {"input_size": 40},
        {"precision": "bfloat16"},
        {"preprocessing": "torch"},
        {"weights": None, "random_state": 0},
        {"weights": None, "random_state": 1},
        {"backbone": "mobilenet_v3_small", "weights": None, "random_state": 0},
    ]
    for parameters in variants * 2:
        extractor = make_extractor(tmp_path, **parameters)
        expected = make_extractor(None, **parameters).fit_transform(patches)
        np.testing.assert_array_equal(extractor.fit_transform(patches), expected)
    assert FeatureStore(tmp_path).info()["n_features"] == 4 * len(variants)
    assert len(FeatureStore(tmp_path).info()["networks"]) == len(variants)


def test_engines_share_within_a_precision(bunch, counted, tmp_path):
    first = make_extractor(tmp_path).fit_transform(bunch.data)
    again = make_extractor(tmp_path, engine="keras").fit_transform(bunch.data)
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("second", ["keras", "openvino"])
def test_engines_do_not_share_what_they_round(bunch, tmp_path, second):
    first = {"keras": "openvino", "openvino": "keras"}[second]
    make_extractor(tmp_path, precision="bfloat16", engine=first).fit_transform(bunch.data)
    found = make_extractor(tmp_path, precision="bfloat16", engine=second).fit_transform(bunch.data)
    alone = make_extractor(None, precision="bfloat16", engine=second).fit_transform(bunch.data)
    np.testing.assert_array_equal(found, alone)


def test_a_file_that_changes_while_it_is_looked_up(bunch, references, tmp_path, monkeypatch):
    make_extractor(tmp_path / "store").fit_transform(references)
    known = FeatureStore.get_files

    def changes_then(self, states):
        found = known(self, states)
        Image.fromarray(bunch.data[1]).save(references[0])
        return found

    monkeypatch.setattr(FeatureStore, "get_files", changes_then)
    other = {"layers": "block3"}  # knows the files, not their features
    make_extractor(tmp_path / "store", **other).fit_transform(references)
    monkeypatch.undo()
    found = make_extractor(tmp_path / "store", **other).fit_transform(bunch.data)
    np.testing.assert_array_equal(found, make_extractor(None, **other).fit_transform(bunch.data))


def test_same_pixels_of_another_kind_are_other_patches(bunch, tmp_path):
    make_extractor(tmp_path).fit_transform(bunch.data[:4])
    make_extractor(tmp_path).fit_transform(bunch.data[:4].astype(np.float32))
    assert FeatureStore(tmp_path).info()["n_features"] == 8


def test_twice_the_same_patch(bunch, tmp_path):
    patches = bunch.data[[0, 0, 1, 0]]
    found = make_extractor(tmp_path).fit_transform(patches)
    np.testing.assert_array_equal(found[0], found[3])
    assert FeatureStore(tmp_path).info()["n_features"] == 2


def test_finished_work_is_kept_when_a_patch_is_broken(references, counted, tmp_path):
    broken = np.append(references, str(tmp_path / "broken.png"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    extractor = make_extractor(tmp_path / "store", batch_size=4).fit(broken)
    with pytest.raises(ValueError, match=r"broken\.png"):
        extractor.transform(broken)
    assert FeatureStore(tmp_path / "store").info()["n_features"] == 40
    extractor.transform(references)
    assert sum(counted) == 40


def test_a_store_that_cannot_be_made_is_told_first(bunch, counted, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file is a file; a folder is expected"):
        make_extractor(tmp_path / "file" / "store").fit_transform(bunch.data)
    assert not counted


def test_a_full_disk_costs_no_features(bunch, counted, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("database or disk is full")

    monkeypatch.setattr(FeatureStore, "put", full)
    extractor = make_extractor(tmp_path)
    with pytest.warns(UserWarning, match=r"Features are not kept: .* full") as told:
        found = extractor.fit_transform(bunch.data)
    assert len(told) == 1
    assert told[0].filename == __file__  # the user's line, not one of a thread
    np.testing.assert_array_equal(found, make_extractor(None).fit_transform(bunch.data))


def test_joblib_memory_names_the_folder(bunch, tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    make_extractor(memory).fit_transform(bunch.data)
    assert FeatureStore(memory.location).info()["n_features"] == 40


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_jobs_give_the_same_features(bunch, references, tmp_path, backend):
    extractor = make_extractor(FeatureStore(tmp_path / "store"))
    expected = make_extractor(None).fit_transform(references)
    with joblib.parallel_config(backend):
        extractor.set_params(n_jobs=2)
        np.testing.assert_array_equal(extractor.fit_transform(references), expected)
        np.testing.assert_array_equal(extractor.fit_transform(bunch.data), expected)
    assert extractor.memory.info()["n_features"] == 40


def test_use_is_noted(bunch, tmp_path):
    store = FeatureStore(tmp_path)
    make_extractor(store).fit_transform(bunch.data)
    used = store.info()["networks"][0]["used"]
    time.sleep(0.01)
    make_extractor(store).fit_transform(bunch.data)
    assert store.info()["networks"][0]["used"] > used


def test_verbose_says_what_runs(bunch, tmp_path, capsys):
    make_extractor(tmp_path, verbose=1).fit_transform(bunch.data)
    assert "openvino, float32" in " ".join(capsys.readouterr().err.split())
