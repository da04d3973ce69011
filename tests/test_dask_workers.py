"""Searches and features on a real dask cluster of two processes, and on ray where it is."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._feature_files import find_files
from skbreast.datasets import load_idc, make_patches
from skbreast.extraction import extract_features, open_features
from skbreast.feature_store import FeatureStore
from skbreast.reading import PatchReadError

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
db = pytest.importorskip("dask.bag")


@pytest.fixture(scope="module")
def client():
    cluster = distributed.LocalCluster(
        n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0"
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        yield client


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 4, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def references(bunch, save_patches, tmp_path_factory):
    return save_patches(bunch.data, tmp_path_factory.mktemp("patches"))


def make_extractor(**parameters):
    defaults = {"layers": "block2", "input_size": 32}
    return TransferFeatureExtractor(**(defaults | parameters))


# Searches and cross-validation


def check_scores_of_workers(workers, folder, model, X, y, groups):
    """Hold the scores of two processes against the serial ones."""

    def meet(estimator, X, y):  # a process waits for the other, or one might do it all
        (folder / str(os.getpid())).touch()
        for _ in range(6000):
            if len(list(folder.iterdir())) == 2:
                break
            time.sleep(0.01)
        return os.getpid()

    how = {"groups": groups, "cv": StratifiedGroupKFold(3)}
    serial = cross_validate(model, X, y, **how, scoring="roc_auc")["test_score"]
    assert np.isfinite(serial).all()
    with workers():
        scoring = {"auc": "roc_auc", "process": meet}
        parallel = cross_validate(model, X, y, **how, scoring=scoring, n_jobs=2)
    np.testing.assert_array_equal(parallel["test_auc"], serial)
    processes = set(parallel["test_process"])
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.works("dask.distributed: searches, cross-validation, lazy features", kind="references")
def test_cross_validation_of_features_is_the_serial_one(client, bunch, references, tmp_path):
    model = make_pipeline(make_extractor(), LogisticRegression(max_iter=1000))
    # Without `scatter` tasks follow the data to the worker that happened to get it first.
    workers = partial(joblib.parallel_config, "dask", client=client, scatter=[references])
    check_scores_of_workers(workers, tmp_path, model, references, bunch.target, bunch.groups)


def test_one_store_is_filled_by_all_workers_at_once(client, bunch, references, tmp_path):
    model = make_pipeline(make_extractor(memory=tmp_path / "one"), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0]}
    search = GridSearchCV(model, grid, cv=2, scoring="roc_auc", error_score="raise")
    with joblib.parallel_config("dask", client=client):
        found = clone(search).set_params(n_jobs=2).fit(references, bunch.target)
    assert FeatureStore(tmp_path / "one").info()["n_features"] == len(references)
    search.set_params(estimator__transferfeatureextractor__memory=None)
    expected = search.fit(references, bunch.target)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found.cv_results_[name], expected.cv_results_[name])


@pytest.mark.parametrize("form", ["arrays", "references"])
def test_a_search_of_networks_is_the_serial_one(client, bunch, references, form):
    X = bunch.data if form == "arrays" else references
    model = PatchCNNClassifier(max_epochs=2, batch_size=8, random_state=0)
    grid = {"learning_rate": [1e-2, 1e-3]}
    search = GridSearchCV(model, grid, cv=StratifiedGroupKFold(2), scoring="roc_auc")
    serial = clone(search).fit(X, bunch.target, groups=bunch.groups)
    with joblib.parallel_config("dask", client=client):
        parallel = clone(search).set_params(n_jobs=2)
        parallel.fit(X, bunch.target, groups=bunch.groups)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(parallel.cv_results_[name], serial.cv_results_[name])
    for mine, theirs in zip(
        parallel.best_estimator_.weights_, serial.best_estimator_.weights_, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_folds_of_real_patients_are_the_serial_ones(client, real_data, tmp_path):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", max_patches=200, random_state=0)
    model = make_pipeline(make_extractor(), LogisticRegression(max_iter=1000))
    workers = partial(joblib.parallel_config, "dask", client=client, scatter=[idc.data])
    check_scores_of_workers(workers, tmp_path, model, idc.data, idc.target, idc.groups)


@pytest.mark.long
def test_ray_gives_the_serial_scores(bunch, references, tmp_path):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        model = make_pipeline(make_extractor(), LogisticRegression(max_iter=1000))
        workers = partial(joblib.parallel_config, "ray", n_jobs=2)
        check_scores_of_workers(workers, tmp_path, model, references, bunch.target, bunch.groups)
    finally:
        ray.shutdown()


# Lazy features


def lazy_forms(bunch, references):
    rows = bunch.data.reshape(len(bunch.data), -1)
    return {
        "patches": da.from_array(bunch.data, chunks=(10, 16, -1, -1)),
        "references": da.from_array(references, chunks=10),
        "reference objects": da.from_array(references.astype(object), chunks=10),
        "rows": da.from_array(rows, chunks=(10, 1000)),
        "bag": db.from_sequence(list(references), partition_size=10),
    }


FORMS = ("patches", "references", "reference objects", "rows", "bag")


@pytest.mark.parametrize("form", FORMS)
def test_features_of_a_collection_are_lazy_and_the_same(bunch, references, form):
    X = lazy_forms(bunch, references)[form]
    extractor = make_extractor(image_shape=(32, 32, 3) if form == "rows" else None)
    expected = make_extractor().fit_transform(bunch.data)
    features = extractor.fit_transform(X)
    assert isinstance(features, da.Array)
    assert features.dtype == np.float32
    assert features.shape[1] == expected.shape[1] == len(extractor.get_feature_names_out())
    assert features.numblocks == (3, 1)
    if form != "bag":
        assert features.chunks == ((10, 10, 4), (24,))
    np.testing.assert_array_equal(features.compute(), expected)
    assert hasattr(extractor, "n_features_in_") == (form in ("patches", "rows"))


def test_nothing_is_read_before_it_is_asked_for(references, tmp_path):
    names = [str(tmp_path / "no such file.png"), *references]
    features = make_extractor().fit_transform(da.from_array(np.array(names), chunks=5))
    assert features[5:].compute().shape == (len(references) - 4, 24)
    with pytest.raises(PatchReadError, match="no such file"):
        features[:5].compute()


def test_blocks_of_unknown_length_and_empty_ones(bunch):
    X = da.from_array(bunch.data, chunks=(4, -1, -1, -1))
    chosen = X[da.from_array(np.arange(len(bunch.data)) >= 8, chunks=4)]
    extractor = make_extractor().fit(bunch.data)
    features = extractor.transform(chosen)
    assert np.isnan(features.shape[0])
    np.testing.assert_array_equal(features.compute(), extractor.transform(bunch.data[8:]))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (da.ones(3), "2D array"),
        (da.ones((3, 4, 5)), "X has 3 dimensions"),
        (da.ones((3, 8, 8, 2)), "2 channels"),
        (da.ones((3, 0, 8, 3)), "without pixels"),
    ],
)
def test_what_are_no_patches_is_refused_at_once(X, message):
    with pytest.raises(ValueError, match=message):
        make_extractor().fit(X)


def test_rows_of_another_length_are_refused_at_once(bunch):
    extractor = make_extractor().fit(bunch.data.reshape(len(bunch.data), -1))
    with pytest.raises(ValueError, match="expecting 3072 features"):
        extractor.transform(da.ones((4, 30)))


def test_workers_compute_what_this_process_does(client, bunch, references, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the workers are not
    extractor = make_extractor(memory="store", n_jobs=2, verbose=1)
    features = extractor.fit_transform(da.from_array(references, chunks=4))
    found = client.compute(features).result()
    np.testing.assert_array_equal(found, make_extractor().fit_transform(references))
    assert FeatureStore(tmp_path / "store").info()["n_features"] == len(references)


def test_tasks_are_small(references):
    features = make_extractor().fit_transform(da.from_array(references, chunks=1))
    sizes = [len(pickle.dumps(task)) for task in dict(features.dask).values()]
    assert len(sizes) > len(references)
    assert max(sizes) < 2_000  # docs/scaling.rst says so; a network has millions of bytes


@pytest.fixture
def two_folders(bunch, save_patches, tmp_path):
    """Give two folders with other patches of the same names."""
    folders = tmp_path / "one", tmp_path / "other"
    for folder, patches in zip(folders, (bunch.data[:6], bunch.data[6:12]), strict=True):
        folder.mkdir()
        save_patches(patches, folder)
    return folders


@pytest.mark.parametrize("form", ["array", "bag"])
def test_relative_names_are_those_of_the_folder_of_the_call(two_folders, bunch, monkeypatch, form):
    names = [f"{number}.png" for number in range(6)]
    lazy = db.from_sequence(names, npartitions=2) if form == "bag" else da.from_array(names)
    monkeypatch.chdir(two_folders[0])
    features = make_extractor().fit_transform(lazy)
    monkeypatch.chdir(two_folders[1])
    again = make_extractor().fit_transform(lazy)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(
        features.compute(), make_extractor().fit_transform(bunch.data[:6])
    )
    np.testing.assert_array_equal(again.compute(), make_extractor().fit_transform(bunch.data[6:12]))


def test_weights_are_those_of_the_folder_of_the_call(client, references, tmp_path, monkeypatch):
    from skbreast._keras.backbones import build_backbone
    from skbreast.registry import get_backbone

    network = build_backbone(get_backbone("efficientnet_lite0"), weights=None)
    network.save_weights(tmp_path / "own.weights.h5")
    monkeypatch.chdir(tmp_path)
    extractor = make_extractor(weights="own.weights.h5").fit(references)
    expected = extractor.transform(references)
    features = extractor.transform(da.from_array(references, chunks=12))
    assert extractor.weights == "own.weights.h5"
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(client.compute(features).result(), expected)


def test_a_network_of_the_users_goes_to_a_worker_once(client, references):
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(300, 15, name="wide")(keras.layers.Rescaling(1 / 255)(inputs))
    network = keras.Model(inputs, x)  # 800 kB
    extractor = TransferFeatureExtractor(network, layers="wide").fit(references)
    features = extractor.transform(da.from_array(references, chunks=3))
    heavy = [task for task in dict(features.dask).values() if len(pickle.dumps(task)) > 100_000]
    assert len(heavy) == 1
    found = client.compute(features).result()
    np.testing.assert_allclose(found, extractor.transform(references), rtol=1e-4, atol=1e-4)


def test_a_pipeline_fits_on_lazy_patches(bunch, references):
    lazy = da.from_array(references, chunks=5)
    model = make_pipeline(make_extractor(), LogisticRegression())
    expected = clone(model).fit(references, bunch.target).predict_proba(references)
    found = model.fit(lazy, bunch.target).predict_proba(lazy)
    np.testing.assert_array_equal(found, expected)


def test_frames_are_computed(references):
    pytest.importorskip("pandas")
    extractor = make_extractor().set_output(transform="pandas")
    frame = extractor.fit_transform(da.from_array(references, chunks=5))
    assert frame.shape == (len(references), 24)
    assert frame.columns.tolist() == extractor.get_feature_names_out().tolist()


# Extraction


def contents(folder):
    """Return the bytes of all files, but for the name of the run."""
    run = find_files(folder).read_about()["run"].encode()
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(run, b"")
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.parametrize("ending", ["zarr", "parquet"])
def test_a_cluster_extracts_what_this_process_does(client, bunch, references, tmp_path, ending):
    pytest.importorskip({"zarr": "zarr", "parquet": "pyarrow"}[ending])
    given = {"y": bunch.target, "groups": bunch.groups, "chunk_size": 5}
    here, there = tmp_path / f"here.{ending}", tmp_path / f"there.{ending}"
    extract_features(make_extractor(), references, here, **given)
    found = extract_features(make_extractor(), references, there, **given, scheduler=client)
    assert contents(there) == contents(here)
    assert found.features.shape == (24, 24)


def test_an_address_and_relative_references_will_do(client, references, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    monkeypatch.chdir(Path(references[0]).parent)
    names = [Path(each).name for each in references]
    address = client.scheduler.address
    found = extract_features(
        make_extractor(), names, tmp_path / "out.zarr", chunk_size=7, scheduler=address
    )
    expected = make_extractor().fit_transform(references)
    np.testing.assert_allclose(found.features, expected, rtol=1e-4, atol=1e-5)
    assert found.references.tolist() == names


def test_a_broken_patch_on_a_worker_is_named(client, references, tmp_path):
    pytest.importorskip("zarr")
    names = [*references, str(tmp_path / "gone.png")]
    with pytest.raises(PatchReadError, match=r"gone\.png.* of 9 chunks are finished and kept"):
        extract_features(
            make_extractor(), names, tmp_path / "out.zarr", chunk_size=3, scheduler=client
        )
    assert (tmp_path / "out.zarr" / "features").is_dir()


def test_a_worker_that_dies_costs_its_chunk_alone(client, bunch, references, tmp_path):
    pytest.importorskip("zarr")
    out, names = tmp_path / "out.zarr", np.tile(references, 40)
    victim = next(iter(client.run(os.getpid).values()))
    left = []

    def kill():
        while len(find_files(out).done()) < 20:
            stopped.wait(0.01)
        os.kill(victim, signal.SIGKILL)
        left.append(480 - len(find_files(out).done()))

    stopped = threading.Event()
    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = extract_features(make_extractor(), names, out, chunk_size=2, scheduler=client)
    thread.join(timeout=10)
    assert left
    assert left[0] > 100  # the death came in the middle
    assert victim not in client.run(os.getpid).values()
    expected = make_extractor().fit_transform(references)
    np.testing.assert_allclose(found.features[-24:], expected, rtol=1e-4, atol=1e-5)
    assert not np.isnan(found.features).any()


def test_other_versions_on_workers_are_refused(client, references, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    from skbreast import _extraction_about

    def other(engine, real=_extraction_about.engine_versions):
        return real(engine) | {"pillow": "1"}

    monkeypatch.setattr(_extraction_about, "engine_versions", other)
    with pytest.raises(ValueError, match="differs in versions from the process that began"):
        extract_features(make_extractor(), references, tmp_path / "out.zarr", scheduler=client)


def test_a_cluster_without_workers_is_not_waited_for(references, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    monkeypatch.setattr("skbreast._chunk_runs.PATIENCE_SECONDS", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(OSError, match="has had no workers for"),
    ):
        extract_features(make_extractor(), references, tmp_path / "a.zarr", scheduler=client)


@pytest.mark.long
def test_a_scheduler_that_is_killed_is_told_and_what_was_finished_kept(references, tmp_path):
    pytest.importorskip("zarr")
    out, names, place = tmp_path / "a.zarr", np.tile(references, 40), tmp_path / "scheduler.json"

    def start(program, *options):
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *options]
        return subprocess.Popen([*command, "--scheduler-file", str(place)])

    def kill():
        while len(list((out / "features").glob("c.*"))) < 5:
            finished.wait(0.01)
        scheduler.kill()

    finished = threading.Event()
    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
    worker = start("dask_worker", "--nthreads", "1", "--no-nanny")
    try:
        while not place.exists():
            finished.wait(0.05)
        address = json.loads(place.read_text())["address"]
        threading.Thread(target=kill, daemon=True).start()
        with pytest.raises(OSError, match="The scheduler ended or was restarted"):
            extract_features(make_extractor(), names, out, chunk_size=2, scheduler=address)
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    assert 5 <= len(find_files(out).done()) < 480
    assert len(extract_features(make_extractor(), names, out, chunk_size=2)) == 960


def test_a_folder_that_is_not_shared_is_told(client, references, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    monkeypatch.setattr("skbreast._feature_files.ZarrFiles.has", lambda *_: False)
    with pytest.raises(OSError, match="give a folder on a file system that all workers"):
        extract_features(make_extractor(), references, tmp_path / "a.zarr", scheduler=client)


def test_the_command_takes_a_scheduler(client, real_data, tmp_path):
    pytest.importorskip("zarr")
    from typer.testing import CliRunner

    from skbreast.cli import app

    out, data = tmp_path / "out.zarr", real_data / "pcam"
    call = ["extract", data, "--out", out, "--layers", "block2", "--input-size", 32]
    call += ["--chunk", 30, "--scheduler", client.scheduler.address]
    result = CliRunner().invoke(app, [str(each) for each in call])
    assert result.exit_code == 0, result.output
    found = open_features(out)
    expected = make_extractor().fit_transform(found.references)
    np.testing.assert_allclose(found.features, expected, rtol=0.05, atol=0.05)
    assert found.features.shape == (200, 24)
