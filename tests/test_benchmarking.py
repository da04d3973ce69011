"""A benchmark tells what separate evaluations tell, and goes on after any end where it was."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbreast import PatchCNNClassifier
from skbreast._digests import digest_estimator
from skbreast._fold_store import FoldStore
from skbreast._patches import PatchSource
from skbreast.benchmarking import run_benchmark
from skbreast.datasets import make_patches
from skbreast.evaluation import (
    Predictions,
    cross_validate_models,
    make_baselines,
    make_model,
    summarise,
)
from skbreast.exceptions import PatientLeakageWarning
from skbreast.texture import ColorFeatures


class Counting(ClassifierMixin, BaseEstimator):
    """Notes each fit in a file, and fails or stalls in one of them."""

    def __init__(self, notes=None, fails_at=None, stalls_at=None, level=0.5):
        self.notes = notes
        self.fails_at = fails_at
        self.stalls_at = stalls_at
        self.level = level

    def fit(self, X, y):
        with open(f"{self.notes}.txt", "a") as file:  # noqa: PTH123 - the parameter stays a string
            file.write("fit\n")
        n_fits = count(self.notes)
        if n_fits == self.fails_at:
            raise RuntimeError("no\nmemory | left")
        if n_fits == self.stalls_at:
            time.sleep(600)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile([1 - self.level, self.level], (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def count(path):
    with open(f"{path}.txt") as file:  # noqa: PTH123
        return len(file.readlines())


def make_bunch(n_splits=3):
    bunch = make_patches(9, 4, patch_size=16, random_state=0)
    parts = np.array_split(np.arange(9), n_splits)  # patients alternate between the classes
    patient = np.repeat(np.arange(9), 4)
    tests = [np.isin(patient, part) for part in parts]
    bunch.folds = [(np.flatnonzero(~test), np.flatnonzero(test)) for test in tests]
    bunch.protocol_descr = "Three folds of invented patients."
    return bunch


def test_it_tells_what_a_cross_validation_tells(tmp_path):
    bunch = make_bunch()
    found = run_benchmark(bunch, make_baselines(), tmp_path, n_resamples=100)
    expected = cross_validate_models(
        make_baselines(), bunch.data, bunch.target, bunch.groups, folds=bunch.folds
    )
    for name, result in found.models.items():
        assert result.figures == summarise(expected[name], n_resamples=100)
        np.testing.assert_array_equal(result.predictions.y_proba, expected[name].y_proba)
    [(pair, differences)] = found.differences.items()
    assert pair == ("dummy", "colour")
    colour, dummy = (found.models[name].figures["auc"].estimate for name in ("colour", "dummy"))
    assert differences["auc"].difference == pytest.approx(dummy - colour)

    written = json.loads((tmp_path / "results.json").read_text())
    assert written["models"]["colour"]["figures"]["auc"]["estimate"] == pytest.approx(colour)
    folds = written["models"]["colour"]["folds"]
    assert np.mean([fold["auc"] for fold in folds]) == pytest.approx(colour)
    assert all(fold["fit_seconds"] > 0 for fold in folds)
    text = (tmp_path / "results.md").read_text()
    assert text.startswith(bunch.protocol_descr)
    assert f"| colour | {colour:.3f} [" in text
    assert "Differences to colour" in text

    html = found._repr_html_()
    assert f"{colour:.3f} [" in html
    assert "Differences to colour" in html


def test_what_was_finished_is_not_run_again(tmp_path):
    bunch, notes = make_bunch(), tmp_path / "notes"
    models = {"counting": Counting(str(notes))}
    first = run_benchmark(bunch, models, tmp_path / "out", n_resamples=20)
    again = run_benchmark(bunch, models, tmp_path / "out", n_resamples=20)
    assert count(notes) == 3
    assert again.models["counting"].figures == first.models["counting"].figures
    assert again.models["counting"].folds == first.models["counting"].folds

    other = {"counting": Counting(str(notes), level=0.6)}
    run_benchmark(bunch, other, tmp_path / "out", n_resamples=20)
    assert count(notes) == 6


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from test_benchmarking import Counting, make_bunch
from skbreast._digests import digest_estimator
from skbreast.benchmarking import run_benchmark
run_benchmark(make_bunch(), {{"counting": Counting({notes!r}, stalls_at=2)}}, {out!r})
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    notes, out = tmp_path / "notes", tmp_path / "out"
    program = KILLED.format(tests=os.path.dirname(__file__), notes=str(notes), out=str(out))  # noqa: PTH120
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.time() + 120
    while not (notes.with_suffix(".txt").exists() and count(notes) == 2):
        assert time.time() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # The first fold is there, the second was under way.
    model = Counting(str(notes), stalls_at=2)
    result = run_benchmark(make_bunch(), {"counting": model}, out, n_resamples=20)
    assert count(notes) == 4
    assert len(result.models["counting"].folds) == 3
    assert len(result.models["counting"].predictions.rows) == 36


def test_a_model_that_fails_is_a_row_that_says_so_and_is_tried_again(tmp_path):
    bunch, notes, out = make_bunch(), tmp_path / "notes", tmp_path / "out"
    models = {"failing": Counting(str(notes), fails_at=2), **make_baselines()}
    found = run_benchmark(bunch, models, out, n_resamples=20)
    assert found.models["failing"].error == "fold 2: RuntimeError: no memory | left"
    assert found.models["colour"].error is None
    assert list(found.differences) == [("dummy", "colour")]
    text = (out / "results.md").read_text()
    assert "| failing | failed in fold 2: RuntimeError: no memory \\| left | — |" in text
    assert "Traceback" in (out / "errors" / "failing.txt").read_text()
    assert json.loads((out / "results.json").read_text())["models"]["failing"]["figures"] == {}

    again = run_benchmark(bunch, models, out, n_resamples=20)
    assert again.models["failing"].error is None
    assert count(notes) == 4  # the first fold was kept
    assert not (out / "errors" / "failing.txt").exists()


class Broken(Counting):
    """Answers with what is no probability."""

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_what_is_no_probability_fails_and_leaves_nothing_behind(tmp_path):
    models = {
        "broken": Broken(str(tmp_path / "notes")),
        "lambda": _unpicklable(),
        "dummy": _dummy(),
    }
    found = run_benchmark(make_bunch(), models, tmp_path / "out", n_resamples=20)
    assert "fold 1: ValueError: predict_proba must give finite" in found.models["broken"].error
    assert not (tmp_path / "out" / "folds" / "broken").exists()
    assert found.models["lambda"].error is None
    assert found.models["dummy"].error is None


def _dummy():
    return make_model("dummy")


def _unpicklable():
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    return make_pipeline(flat, StandardScaler(), LogisticRegression())


def test_decisions_are_the_models_own(tmp_path):
    bunch = make_bunch()
    always = FixedThresholdClassifier(make_model("colour"), threshold=0.0)
    found = run_benchmark(bunch, {"always": always}, tmp_path, n_resamples=20)
    assert (found.models["always"].predictions.y_pred == 1).all()


@pytest.mark.parametrize("ids", [range(9), None])
def test_going_on_changes_no_figure(tmp_path, ids):
    bunch = make_bunch()
    bunch.groups = None if ids is None else np.repeat(np.arange(9), 4)
    models = {"colour": make_model("colour")}
    first = run_benchmark(bunch, models, tmp_path, n_resamples=50)
    again = run_benchmark(bunch, models, tmp_path, n_resamples=50)
    assert again.models["colour"].figures == first.models["colour"].figures


def test_class_numbers_may_have_gaps(tmp_path):
    bunch, gaps = make_bunch(), make_bunch()
    gaps.target = np.array([2, 5])[gaps.target]
    plain = run_benchmark(bunch, {"colour": make_model("colour")}, tmp_path / "a", n_resamples=20)
    found = run_benchmark(gaps, {"colour": make_model("colour")}, tmp_path / "b", n_resamples=20)
    assert found.models["colour"].figures == plain.models["colour"].figures


def test_files_that_changed_are_other_patches(tmp_path):
    bunch, paths = make_bunch(), []
    for row, pixels in enumerate(bunch.data):
        paths.append(str(tmp_path / f"{row}.bmp"))
        Image.fromarray(pixels).save(paths[-1])
    bunch.data = np.array(paths, dtype=object)
    run_benchmark(bunch, {"dummy": _dummy()}, tmp_path / "out", n_resamples=20)
    size = os.path.getsize(paths[0])  # noqa: PTH202
    Image.fromarray(255 - np.asarray(Image.open(paths[0]))).save(paths[0])
    assert os.path.getsize(paths[0]) == size  # noqa: PTH202
    with pytest.raises(ValueError, match="of other patches"):
        run_benchmark(bunch, {"dummy": _dummy()}, tmp_path / "out", n_resamples=20)


def test_all_models_may_fail(tmp_path):
    notes = tmp_path / "notes"
    models = {"failing": Counting(str(notes), fails_at=1)}
    found = run_benchmark(make_bunch(), models, tmp_path / "out", n_resamples=20)
    assert found.differences == {}
    assert "failed in fold 1" in (tmp_path / "out" / "results.md").read_text()


def test_an_interrupted_training_is_no_result(tmp_path, monkeypatch):
    def interrupt(source, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(PatchSource, "take", interrupt)
    cnn = {"cnn": PatchCNNClassifier(max_epochs=1)}
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(make_bunch(), cnn, tmp_path, n_resamples=20)
    assert not (tmp_path / "folds").exists()


def test_other_data_are_not_mixed_in(tmp_path):
    run_benchmark(make_bunch(), {"dummy": make_model("dummy")}, tmp_path, n_resamples=20)
    for name, change in {
        "labels": {"target": 1 - make_bunch().target},
        "patches": {"data": 255 - make_bunch().data},
        "patients": {"groups": make_bunch().groups[::-1]},
        "folds": {"folds": make_bunch(2).folds},
    }.items():
        bunch = make_bunch()
        bunch.update(change)
        with pytest.raises(ValueError, match=f"holds a benchmark of other {name}"):
            run_benchmark(bunch, {"dummy": make_model("dummy")}, tmp_path)
    (tmp_path / "benchmark.json").write_text("{")
    with pytest.raises(ValueError, match=r"benchmark\.json is damaged"):
        run_benchmark(make_bunch(), {"dummy": make_model("dummy")}, tmp_path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a b", ".hidden", "x" * 65])
def test_names_are_names_of_folders(tmp_path, name):
    with pytest.raises(ValueError, match="is no name"):
        run_benchmark(make_bunch(), {name: make_model("dummy")}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_leaking_folds_are_told(tmp_path):
    bunch = make_bunch()
    rows = np.arange(len(bunch.target))
    bunch.folds = [(rows[::2], rows[1::2])]
    with pytest.warns(PatientLeakageWarning, match="1 of 1 folds") as told:
        run_benchmark(bunch, {"dummy": make_model("dummy")}, tmp_path, n_resamples=20)
    assert [each.filename for each in told] == [__file__]
    assert "1 of 1 folds have patients on both sides" in (tmp_path / "results.md").read_text()
    bunch.groups = np.arange(len(rows))  # what the loader knows counts, whatever is claimed
    with pytest.warns(PatientLeakageWarning, match="1 of 1 folds .* 9 of 9"):
        run_benchmark(bunch, {"dummy": _dummy()}, tmp_path / "claimed", n_resamples=20)


def test_few_patients_are_told(tmp_path):
    found = run_benchmark(make_bunch(), {"dummy": _dummy()}, tmp_path, n_resamples=20)
    [note] = found.notes
    assert re.match(r"Patients tested of a class are few \(benign [45], malignant [45]\)", note)
    assert note in (tmp_path / "results.md").read_text()
    bunch = make_bunch()
    bunch.groups = None
    found = run_benchmark(bunch, {"dummy": _dummy()}, tmp_path / "unknown", n_resamples=20)
    assert "no patient ids" in found.notes[0]


def test_folds_of_another_folder_are_not_taken(tmp_path):
    run_benchmark(make_bunch(), {"dummy": _dummy()}, tmp_path / "a", n_resamples=20)
    shutil.copytree(tmp_path / "a" / "folds", tmp_path / "b" / "folds")
    with pytest.raises(ValueError, match=r"holds files, but no benchmark\.json"):
        run_benchmark(make_bunch(2), {"dummy": _dummy()}, tmp_path / "b", n_resamples=20)
    other = make_bunch()
    other.folds = other.folds[::-1]
    (tmp_path / "c").mkdir()
    fresh = run_benchmark(other, {"dummy": _dummy()}, tmp_path / "c", n_resamples=20)
    shutil.rmtree(tmp_path / "c" / "folds")
    shutil.copytree(tmp_path / "a" / "folds", tmp_path / "c" / "folds")
    again = run_benchmark(other, {"dummy": _dummy()}, tmp_path / "c", n_resamples=20)
    first, second = (each.models["dummy"].predictions.rows for each in (fresh, again))
    np.testing.assert_array_equal(first, second)


def test_folds_are_needed(tmp_path):
    bunch = make_bunch()
    del bunch["folds"]
    with pytest.raises(ValueError, match="bunch has no folds"):
        run_benchmark(bunch, {"dummy": _dummy()}, tmp_path)


def test_digests_know_what_matters(tmp_path):
    def digest(**params):
        model = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression())
        return digest_estimator(model.set_params(**params))

    assert digest() == digest()
    assert digest(colorfeatures__n_jobs=2) == digest()
    assert digest(logisticregression__verbose=1) == digest()
    assert digest(logisticregression__C=2.0) != digest()
    assert digest(standardscaler="passthrough") != digest()
    assert digest_estimator(make_model("transfer")) != digest_estimator(
        make_model("tuned-transfer")
    )
    for name in ("tuned-transfer", "texture", "cnn"):
        assert digest_estimator(make_model(name)) == digest_estimator(make_model(name))
    constant = DummyClassifier(strategy="constant")
    assert digest_estimator(constant.set_params(constant=1)) != digest_estimator(
        clone(constant).set_params(constant="1")
    )


def times(factor):
    return lambda X: factor * X


def test_digests_know_code_and_files(tmp_path):
    def define(factor):
        namespace = {"BaseEstimator": BaseEstimator, "__name__": "notebook"}
        code = f"def double(X): return {factor} * X\n"
        code += f"class Own(BaseEstimator):\n    def fit(self, X, y): return {factor}\n"
        exec(code, namespace)
        return namespace["double"], namespace["Own"]

    (double, own), (triple, other) = define(2), define(3)
    assert digest_estimator(FunctionTransformer(double)) == digest_estimator(
        FunctionTransformer(define(2)[0])
    )
    assert digest_estimator(FunctionTransformer(double)) != digest_estimator(
        FunctionTransformer(triple)
    )
    assert digest_estimator(FunctionTransformer(lambda X: X))  # nobody can pickle it
    assert digest_estimator(FunctionTransformer(times(2))) != digest_estimator(
        FunctionTransformer(times(3))
    )
    assert digest_estimator(own()) != digest_estimator(other())
    assert digest_estimator(FunctionTransformer(double)) != digest_estimator(
        FunctionTransformer(other)
    )
    assert digest_estimator(DummyClassifier(strategy="constant", constant="x" * 5000))
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"one")
    model = PatchCNNClassifier("mobilenet", weights=str(weights))
    before = digest_estimator(model)
    weights.write_bytes(b"another")
    assert digest_estimator(model) != before


@pytest.mark.parametrize("changed", ["LIMIT", "layer", "helper", "module"])
def test_digests_know_what_functions_name(changed, tmp_path, monkeypatch):
    def define(name, factor):
        factors = {"LIMIT": 1, "layer": 1, "helper": 1, "module": 1, name: factor}
        module = ModuleType("own_module")
        exec(f"def scale(X): return X / {factors['module']}", module.__dict__)
        monkeypatch.setitem(sys.modules, "own_module", module)
        code = f"""
import own_module

LIMIT = {factors["LIMIT"]}

class Layer:
    @staticmethod
    def call(X):
        return X * {factors["layer"]}

def helper(X):
    return sum(Layer().call(x) for x in X) + {factors["helper"]}

def build(X):
    return [own_module.scale(helper(x)) for x in X][:LIMIT]
"""
        namespace = {"__name__": "notebook"}
        exec(code, namespace)
        return digest_estimator(FunctionTransformer(namespace["build"]))

    assert define(changed, 2) == define(changed, 2)
    assert define(changed, 2) != define(changed, 3)


def test_damaged_files_are_run_again(tmp_path):
    bunch, notes = make_bunch(), tmp_path / "notes"
    models = {"counting": Counting(str(notes))}
    run_benchmark(bunch, models, tmp_path, n_resamples=20)
    files = sorted((tmp_path / "folds" / "counting").iterdir())
    assert [file.name for file in files] == ["fold-1.npz", "fold-2.npz", "fold-3.npz"]
    files[0].write_bytes(files[0].read_bytes()[:100])
    files[1].write_bytes(b"")
    run_benchmark(bunch, models, tmp_path, n_resamples=20)
    assert count(notes) == 5
    whole = bytearray(files[2].read_bytes())
    store, loaded = FoldStore(tmp_path / "folds"), 0
    for place in range(0, len(whole), 7):  # whatever byte is wrong: found out, or harmless
        files[2].write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        loaded += store.load("counting", 2, digest_estimator(models["counting"])) is not None
    assert loaded < len(whole) / 7 / 2
    assert FoldStore(tmp_path / "folds").load("counting", 7, "") is None


def test_the_course_of_a_training_comes_back_from_the_disk(tmp_path):
    histories = {3: {"loss": [0.5, 0.25], "val_loss": [np.nan, 1.0]}}
    part = Predictions(*np.zeros((6, 1)), histories=histories)
    FoldStore(tmp_path).save("cnn", 3, "key", part, (1.0, 2.0))
    loaded, seconds = FoldStore(tmp_path).load("cnn", 3, "key")

    assert seconds == (1.0, 2.0)
    np.testing.assert_equal(loaded.histories, part.histories)
