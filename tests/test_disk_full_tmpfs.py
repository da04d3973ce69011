"""A disk that is full: what was finished stays, and one sentence says what is the matter.

Each case runs in a process of its own, on a file system of a few megabytes that is really full
(user namespaces and tmpfs, Linux), and everywhere but on Windows once more with a limit on the
size of files, under which writing fails as it does on a full disk. Where nobody may mount, the
second way is what is left, and pytest names the reason with which the first was skipped.
"""

import contextlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skbreast import PatchCNNClassifier, TransferFeatureExtractor, load, save
from skbreast.datasets import make_patches
from skbreast.feature_store import FeatureStore
from skbreast.texture import ColorFeatures

N_BYTES = 8 * 2**20
MOUNT = f'mount -t tmpfs -o size={N_BYTES} skbreast "$0" && exec "$@"'
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT)


def cannot_mount():
    """Say why no small disk can be had here; an empty text where it can."""
    try:
        command = [*NAMESPACE, str(Path(__file__).parent), "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no disk can be mounted: {error}"
    return "" if done.returncode == 0 else f"no disk can be mounted: {done.stderr.strip()}"


@contextlib.contextmanager
def full(way, folder, n_left):
    """Leave that many bytes on the disk, or to each file."""
    if way == "limit":
        import resource

        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_left, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return
    ballast, room = folder / "ballast", os.statvfs(folder)
    n_ballast = room.f_bavail * room.f_frsize - n_left
    assert 0 < n_ballast < N_BYTES  # the small disk, not the machine's
    ballast.write_bytes(b"\1" * n_ballast)
    try:
        yield
    finally:
        ballast.unlink()


def sentence_of(work, kind=OSError):
    try:
        work()
    except kind as error:
        message = str(error)
        assert message.isprintable(), message
        # The last is what SQLite says of a limit on files.
        known = ("No space left", "too large", "is full", "disk I/O error")
        assert any(each in message for each in known), message
        return message
    raise AssertionError("it was written")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "ballast"
    }


# The cases: a way to fill the disk, and the disk.


def save_a_model(way, disk):
    bunch = make_patches(6, 4, patch_size=24, random_state=0)
    model = make_pipeline(ColorFeatures(), LogisticRegression()).fit(bunch.data, bunch.target)
    path = save(model, disk / "model.skops")
    before = contents(disk)
    with full(way, disk, 500):
        message = sentence_of(lambda: save(model.set_params(), path))
    assert str(path) in message
    assert "an earlier file stays as it was" in message
    assert contents(disk) == before
    assert (load(path).predict(bunch.data) == model.predict(bunch.data)).all()


def keep_features(way, disk):
    store, rng = FeatureStore(disk / "store"), np.random.default_rng(0)
    digests = [bytes([n // 256, n % 256] * 10) for n in range(2000)]
    features = rng.standard_normal((2000, 256), dtype=np.float32)
    store.put("net", digests[:100], features[:100])
    with full(way, disk, 200_000):
        message = sentence_of(lambda: store.put("net", digests, features))
    assert str(store.path) in message
    found = FeatureStore(disk / "store").get("net", digests)
    assert set(digests[:100]) <= set(found)
    for number, digest in enumerate(digests):
        if digest in found:
            np.testing.assert_array_equal(found[digest], features[number])
    store.put("net", digests, features)
    assert len(store.get("net", digests)) == 2000


def extract_chunks(way, disk, ending):
    from skbreast.extraction import extract_features, open_features

    references = np.tile(sorted(map(str, Path(os.environ["SKBREAST_PATCHES"]).rglob("*.png"))), 6)
    extractor = TransferFeatureExtractor(layers="block2", input_size=32, precision="float32")
    out, whole = disk / f"a.{ending}", disk / f"whole.{ending}"
    work = {"chunk_size": 10, "on_error": "raise"}
    extract_features(extractor, references[:40], disk / f"first.{ending}", **work)
    before = contents(disk / f"first.{ending}")
    with full(way, disk, 60_000 if way == "tmpfs" else 600):
        message = sentence_of(lambda: extract_features(extractor, references, out, **work))
    assert str(out) in message
    assert contents(disk / f"first.{ending}") == before
    assert not [name for name in contents(out) if name.endswith(".part")]
    kept = contents(out)
    found = extract_features(extractor, references, out, **work)
    assert {name: contents(out)[name] for name in kept} == kept
    extract_features(extractor, references, whole, **work)
    np.testing.assert_array_equal(found.features, open_features(whole).features)


def extract_zarr(way, disk):
    extract_chunks(way, disk, "zarr")


def extract_parquet(way, disk):
    extract_chunks(way, disk, "parquet")


def fit_with_checkpoint(way, disk):
    from skbreast.exceptions import CheckpointWarning

    bunch = make_patches(6, 4, patch_size=32, random_state=0)
    options = {"max_epochs": 3, "batch_size": 8, "random_state": 0, "verbose": 0}
    expected = PatchCNNClassifier(**options).fit(bunch.data, bunch.target)
    n_bytes = sum(array.nbytes for array in expected.weights_)
    model = PatchCNNClassifier(checkpoint=disk / "checkpoint", **options)
    with full(way, disk, 2 * n_bytes), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(bunch.data, bunch.target)
    told = [each for each in told if issubclass(each.category, CheckpointWarning)]
    assert len(told) == 1, told
    assert "The training goes on" in str(told[0].message)
    for one, other in zip(model.weights_, expected.weights_, strict=True):
        np.testing.assert_array_equal(one, other)
    with full(way, disk, 1000):
        message = sentence_of(lambda: model.fit(bunch.data, bunch.target))
    assert "cannot be written" in message


def train_again(way, disk):
    from skbreast.cli import app

    data = Path(os.environ["SKBREAST_PATCHES"])
    run = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    command = ["train", str(data), "--out", str(disk / "out"), "--model", "pftas-svm"]
    command += ["--resamples", "50"]
    first = run.invoke(app, command)
    assert first.exit_code == 0, first.output
    before = contents(disk / "out")
    assert any(name.endswith(".json") for name in before)
    with full(way, disk, 0):
        second = run.invoke(app, [*command, "--overwrite"])
    assert second.exit_code == 1, second.output
    assert "Traceback" not in second.output
    said = [line for line in second.stderr.splitlines() if line.startswith("Error:")]
    assert len(said) == 1, second.stderr
    assert str(disk) in second.stderr, second.stderr
    assert contents(disk / "out") == before
    assert load(disk / "out" / "model.skops") is not None


CASES = (
    save_a_model,
    keep_features,
    extract_zarr,
    extract_parquet,
    fit_with_checkpoint,
    train_again,
)


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    """A folder of classes, for the command."""
    folder, bunch = tmp_path_factory.mktemp("patches"), make_patches(8, 4, random_state=0)
    for number, (patch, label) in enumerate(zip(bunch.data, bunch.target, strict=True)):
        path = folder / str(label) / f"{bunch.groups[number]}_{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(patch).save(path)
    return folder


def run_case(case, way, disk, patches):
    command = [sys.executable, __file__, case.__name__, way, str(disk)]
    if way == "tmpfs":
        command = [*NAMESPACE, str(disk), *command]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"SKBREAST_PATCHES": str(patches)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == "whole"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
@each_case
def test_a_limit_on_files_loses_nothing(case, tmp_path, patches):
    run_case(case, "limit", tmp_path, patches)


@pytest.mark.skipif(bool(cannot_mount()), reason=cannot_mount())
@each_case
def test_a_really_full_disk_loses_nothing(case, tmp_path, patches):
    run_case(case, "tmpfs", tmp_path, patches)
    assert not list(tmp_path.iterdir())  # it was another disk


if __name__ == "__main__":
    {each.__name__: each for each in CASES}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
    print(json.dumps("whole"))
