"""Saved models come back the same; what is no data is refused, and earlier files stay."""

import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import skbreast
from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.evaluation import make_model
from skbreast.feature_store import FeatureStore
from skbreast.model_card import model_facts
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.persistence import load, save
from skbreast.persistence._allowed import TRUSTED
from skbreast.persistence._fitted import estimators_in, resnet_shapes, small_shapes
from skbreast.stain import MacenkoNormalizer, ReinhardNormalizer, StainJitter, VahadaneNormalizer
from skbreast.texture import ColorFeatures, NucleiFeatures, PFTASFeatures, TextureFeatures

GOLDEN = Path(__file__).parent / "data" / "golden"


@pytest.fixture(scope="module")
def patches():
    return make_patches(4, 4, patch_size=24, random_state=0)


def _linear():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))


def _colour(*, first=None):
    steps = [] if first is None else [first]
    return make_pipeline(*steps, ColorFeatures(), _linear())


MODELS = {
    "calibrated": lambda: make_pipeline(ColorFeatures(), CalibratedClassifierCV(SVC(), cv=2)),
    "calibrated at the end": lambda: CalibratedClassifierCV(_colour(), cv=2, ensemble=False),
    "selection": lambda: make_pipeline(ColorFeatures(), SelectKBest(k=3), _linear()),
    "neighbours": lambda: make_pipeline(ColorFeatures(), KNeighborsClassifier(algorithm="brute")),
    "ufunc": lambda: make_pipeline(ColorFeatures(), FunctionTransformer(np.log1p), _linear()),
    "union": lambda: make_pipeline(
        make_union(ColorFeatures(), TextureFeatures(), NucleiFeatures(), PFTASFeatures()), _linear()
    ),
    "perceptron": lambda: make_pipeline(
        ColorFeatures(),
        StandardScaler(),
        MLPClassifier((8,), max_iter=20, random_state=np.random.RandomState(0)),
    ),
    "macenko": lambda: _colour(first=MacenkoNormalizer()),
    "reinhard": lambda: _colour(first=ReinhardNormalizer()),
    "vahadane": lambda: _colour(first=VahadaneNormalizer()),
    "transfer": lambda: make_pipeline(
        TransferFeatureExtractor(layers="block2", random_state=0), _linear()
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_predictions_come_back_bit_for_bit(tmp_path, patches, name):
    names = patches.target_names[patches.target]
    model = MODELS[name]().fit(patches.data, names)

    loaded = load(save(model, tmp_path / "model.skops"))

    np.testing.assert_array_equal(
        loaded.predict_proba(patches.data), model.predict_proba(patches.data)
    )
    assert loaded.classes_.tolist() == ["benign", "malignant"]
    kinds = [[type(each) for each in estimators_in(m)] for m in (loaded, model)]
    assert kinds[0] == kinds[1]


def test_a_network_comes_back_with_its_course(tmp_path, patches):
    names = patches.target_names[patches.target]
    model = PatchCNNClassifier(max_epochs=1, random_state=0, augment=StainJitter())
    model.fit(patches.data, names)

    loaded = load(save(model, tmp_path / "model.skops"))

    np.testing.assert_array_equal(
        loaded.predict_proba(patches.data), model.predict_proba(patches.data)
    )
    assert loaded.history_ == model.history_
    assert loaded.classes_.tolist() == ["benign", "malignant"]
    loaded.partial_fit(patches.data, names)  # it can go on learning


def test_a_network_that_is_not_finished_comes_back(tmp_path, patches):
    model = PatchCNNClassifier(random_state=0).partial_fit(patches.data, patches.target, [0, 1])
    again = load(save(model, tmp_path / "model.skops"))
    for each in (model, again):
        each.partial_fit(patches.data, patches.target)
    np.testing.assert_array_equal(
        again.predict_proba(patches.data), model.predict_proba(patches.data)
    )


def test_the_best_of_a_search_and_a_threshold_come_back(tmp_path, patches):
    X, y, groups = patches.data, patches.target, patches.groups
    search = GridSearchCV(_colour(), {"pipeline__logisticregression__C": [0.1, 1.0]}, cv=2)
    threshold = SensitivityThresholdClassifierCV(search, cv=StratifiedGroupKFold(2))
    best = search.fit(X, y).best_estimator_
    decided = SensitivityThresholdClassifierCV(best, cv=StratifiedGroupKFold(2))
    decided.fit(X, y, groups=groups)

    loaded = load(save({"best": best, "decided": decided}, tmp_path / "models.skops"))

    np.testing.assert_array_equal(loaded["best"].predict_proba(X), best.predict_proba(X))
    np.testing.assert_array_equal(loaded["decided"].predict(X), decided.predict(X))
    assert loaded["decided"].threshold_ == decided.threshold_
    with pytest.raises(ValueError, match="best_estimator_"):
        save(threshold.fit(X, y, groups=groups), tmp_path / "searched.skops")


def test_every_estimator_of_ours_may_be_in_a_file():
    def subclasses(kind):
        return {each for sub in kind.__subclasses__() for each in {sub, *subclasses(sub)}}

    ours = {
        f"{each.__module__}.{each.__name__}"
        for each in subclasses(BaseEstimator)
        if each.__module__.startswith("skbreast.") and not each.__name__.startswith("_")
    }
    bases = {name for name in ours if "._" in name and name not in TRUSTED}
    assert {name for name in TRUSTED if name.startswith("skbreast.")} >= ours - bases
    assert all(name.endswith(("Features", "Normalizer", "Transformer")) for name in bases), bases


def test_paths_and_stores_come_back_as_they_are_on_this_system(tmp_path):
    store = FeatureStore(tmp_path / "store", max_bytes=10**8)
    extractor = TransferFeatureExtractor(weights=tmp_path / "weights.h5", memory=store)
    path = save(extractor, tmp_path / "model.skops")

    loaded = load(path)
    assert loaded.weights == tmp_path / "weights.h5"
    assert load(save({"store": store}, tmp_path / "store.skops")) == {"store": store}
    with zipfile.ZipFile(path) as archive:
        schema = archive.read("schema.json").decode()
    assert "PosixPath" not in schema
    assert "WindowsPath" not in schema


def test_a_loaded_model_writes_nowhere(tmp_path, patches):
    place = tmp_path / "place"
    extractor = TransferFeatureExtractor(weights=None, layers="block2", random_state=0)
    model = make_pipeline(extractor, _linear(), memory=str(tmp_path / "pickles"))
    model.fit(patches.data, patches.target)
    extractor = model[0].set_params(memory=place)
    network = PatchCNNClassifier(checkpoint=place)
    store = TransferFeatureExtractor(memory=FeatureStore(place))
    whole = {"model": model, "network": network, "store": store}
    shutil.rmtree(tmp_path / "pickles")

    loaded = load(save(whole, tmp_path / "models.skops"))

    loaded["model"].predict(patches.data)
    loaded["model"].fit(patches.data, patches.target)
    assert [each.name for each in tmp_path.iterdir()] == ["models.skops"]
    assert loaded["network"].checkpoint is None
    assert loaded["store"].memory is None
    assert extractor.memory == place  # the model itself stays as it is
    assert network.checkpoint == place


@pytest.mark.parametrize("missing", [["checkpoint"], ["checkpoint", "distribute", "warm_start"]])
def test_parameters_that_came_later_have_their_defaults(tmp_path, patches, missing):
    model = PatchCNNClassifier(max_epochs=1, random_state=0).fit(patches.data, patches.target)
    expected = model.predict_proba(patches.data)
    everything = model.get_params()
    for name in missing:
        delattr(model, name)  # as in a file from before
    threshold = SensitivityThresholdClassifierCV(make_pipeline(model))
    path = tmp_path / "model.skops"
    skops.io.dump({"network": model, "in": threshold}, path)

    loaded = load(path)

    network = loaded["network"]
    assert loaded["in"].estimator[0] is network
    assert network.get_params() == everything
    assert (
        repr(clone(network))
        == repr(network)
        == repr(PatchCNNClassifier(max_epochs=1, random_state=0))
    )
    assert model_facts(network)["model"]["parameters"]["max_epochs"] == "1"
    again = load(save(loaded, tmp_path / "again.skops"))["network"]
    np.testing.assert_array_equal(again.predict_proba(patches.data), expected)
    clone(again).fit(patches.data, patches.target)


def test_arrays_in_memory_maps_come_back_as_arrays(tmp_path, patches):
    model = _colour().fit(patches.data, patches.target)
    logistic = model[-1][-1]
    expected = model.predict_proba(patches.data)
    np.save(tmp_path / "coef.npy", logistic.coef_)
    logistic.coef_ = np.load(tmp_path / "coef.npy", mmap_mode="r")

    loaded = load(save(model, tmp_path / "model.skops"))

    assert type(loaded[-1][-1].coef_) is np.ndarray
    np.testing.assert_array_equal(loaded.predict_proba(patches.data), expected)


def test_the_same_model_makes_the_same_bytes(tmp_path, patches):
    first, second = (_colour().fit(patches.data, patches.target) for _ in range(2))
    one, two = (save(each, tmp_path / f"{n}.skops") for n, each in enumerate((first, second)))
    assert one.read_bytes() == two.read_bytes()


def test_the_manifest_says_what_is_in_the_file(tmp_path, patches):
    path = save(_colour().fit(patches.data, patches.target), tmp_path / "model.skops")
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.testzip() is None
        names = set(archive.namelist())

    assert manifest["format"] == 2
    assert manifest["versions"]["skbreast"] == skbreast.__version__
    assert manifest["holds"]["class"] == "sklearn.pipeline.Pipeline"
    assert manifest["holds"]["parameters"]["pipeline__logisticregression__C"] == 0.1
    assert "skbreast.texture.ColorFeatures" in manifest["classes"]
    assert manifest["members"].keys() == names - {"manifest.json"}
    shapes = [each["shape"] for each in manifest["members"].values() if "shape" in each]
    assert [1, 6] in shapes  # the coefficients


def test_skops_itself_reads_the_file(tmp_path, patches):
    path = save(_colour().fit(patches.data, patches.target), tmp_path / "model.skops")
    loaded = skops.io.load(path, trusted=["skbreast.texture.ColorFeatures"])
    assert loaded.predict(patches.data).shape == (16,)


def test_save_and_load_stand_at_the_top():
    assert skbreast.save is save
    assert skbreast.load is load


@pytest.mark.parametrize("stem", ["format-1", "format-2"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_files_of_every_format_stay_loadable(stem):
    X = np.load(GOLDEN / "patches.npy")
    expected = json.loads((GOLDEN / f"{stem}.json").read_text())

    models = load(GOLDEN / f"{stem}.skops")

    assert models.keys() == expected.keys()
    for name, model in models.items():
        assert model.classes_.tolist() == ["benign", "malignant"]
        np.testing.assert_allclose(model.predict_proba(X)[:, 1], expected[name], atol=2e-3)


# What cannot be saved


def _anything(X):
    return X


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (FunctionTransformer(_anything), "_anything"),
        (RandomForestClassifier(2).fit([[0], [1]], [0, 1]), "RandomForestClassifier"),
        (PatchCNNClassifier(_anything), "_anything"),
        (LogisticRegression().fit([[0], [1]], [0, 1]).sparsify(), "csr"),
        (LogisticRegression(random_state=lambda: 0), "lambda"),
        ([np.array([np.datetime64("2020-01-01")])], "datetime64"),
        ([b"bytes"], "bytes"),
    ],
)
def test_what_is_no_plain_data_is_refused_and_the_older_file_stays(tmp_path, model, what):
    path = save(ColorFeatures(), tmp_path / "model.skops")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"^{path} (?s:.)*{what}"):
        save(model, path)

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.skops"]


def test_a_fitted_state_that_fits_nothing_is_not_saved(tmp_path, patches):
    model = _colour().fit(patches.data, patches.target)
    model[-1][-1].coef_ = np.zeros((1, 7))
    with pytest.raises(ValueError, match=r"not written.* coef_ of LogisticRegression .*\(1, 7\)"):
        save(model, tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


def _run(code, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_a_full_disk_is_one_sentence_and_the_older_file_stays(tmp_path):
    path = save(ColorFeatures(), tmp_path / "model.skops")
    before = path.read_bytes()
    found = _run(f"""
        import resource
        from skbreast import save
        from skbreast.texture import ColorFeatures
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))  # as a disk that is full then
        try:
            save(ColorFeatures(), {str(path)!r})
        except OSError as error:
            print(error)
        """)
    assert "an earlier file stays as it was" in found.stdout, found.stderr
    assert str(path) in found.stdout
    assert found.stdout.count("\n") == 1
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.skops"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with tempfile.TemporaryDirectory() as folder:  # not below tmp_path, which is the user's alone
        Path(folder).chmod(0o555)
        found = _run(f"""
            import os
            from skbreast import save
            from skbreast.texture import ColorFeatures
            save(ColorFeatures(), {str(tmp_path / "model.skops")!r})
            if os.geteuid() == 0:  # who may write anywhere; others may not read all packages
                from skbreast.persistence import _manifest
                known = _manifest.versions(), _manifest.version("skops")
                _manifest.versions, _manifest.version = lambda: known[0], lambda name: known[1]
                os.setuid(65534)
            try:
                save(ColorFeatures(), {folder + "/model.skops"!r})
            except PermissionError as error:
                print(error)
            """)
    assert found.stdout == f"{folder} cannot be written to; give another folder.\n", found.stderr


# Shapes of networks


@pytest.mark.parametrize("shape", [(24, 24, 3), (17, 9, 1), (1, 1, 5)])
@pytest.mark.parametrize(
    ("architecture", "shapes"), [("small", small_shapes), ("resnet", resnet_shapes)]
)
def test_shapes_of_weights_are_those_of_the_networks(architecture, shapes, shape):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (6, *shape), dtype=np.uint8)
    y = [0, 1, 2] * 2
    model = PatchCNNClassifier(architecture, max_epochs=1, random_state=0).fit(X, y)
    assert [each.shape for each in model.weights_] == shapes(shape, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.weights_.pop(), "24 weights; here are 23"),
        (lambda m: m.weights_.__setitem__(2, np.zeros((3, 3, 7, 32))), r"weights_\[2\] of small"),
        (lambda m: setattr(m, "patch_shape_", (24, 24, 4)), r"weights_\[0\]"),
        (lambda m: setattr(m, "patch_shape_", (24, -1, 3)), "patch_shape_"),
        (lambda m: setattr(m, "classes_", np.arange(3)), "weights_"),
        (lambda m: setattr(m, "weights_", None), "weights_"),
    ],
)
def test_a_network_whose_weights_do_not_fit_is_refused(tmp_path, change, message):
    shape = (24, 24, 3)
    model = PatchCNNClassifier()
    model.classes_, model.patch_shape_ = np.arange(2), shape
    model.weights_ = [np.zeros(each, np.float32) for each in small_shapes(shape, 2)]
    save(model, tmp_path / "whole.skops")
    change(model)
    with pytest.raises(ValueError, match=message):
        save(model, tmp_path / "model.skops")


def test_a_finetuned_network_must_end_in_its_classes(tmp_path):
    model = PatchCNNClassifier("efficientnet_lite0")
    model.classes_, model.patch_shape_ = np.arange(2), (32, 32, 3)
    model.weights_ = [np.zeros((1280, 3)), np.zeros(3)]
    with pytest.raises(ValueError, match=r"efficientnet_lite0: the shape is \[\(1280, 3\)"):
        save(model, tmp_path / "model.skops")


def test_stain_vectors_must_be_two_of_three_colours(tmp_path, patches):
    model = MacenkoNormalizer().fit(patches.data)
    model.stain_vectors_ = model.stain_vectors_[:, :2]
    with pytest.raises(ValueError, match=r"stain_vectors_ of MacenkoNormalizer: .*\(2, 2\)"):
        save(model, tmp_path / "model.skops")


@pytest.mark.slow
def test_ready_models_come_back(tmp_path, patches):
    for name in ("colour", "pftas-svm"):
        model = make_model(name).fit(patches.data, patches.target)
        loaded = load(save(model, tmp_path / "model.skops"))
        np.testing.assert_array_equal(
            loaded.predict_proba(patches.data), model.predict_proba(patches.data)
        )


@pytest.mark.parametrize("name", ["model.pkl", "model.JOBLIB", "model.keras"])
def test_names_that_load_refuses_are_refused_by_save(name, tmp_path):
    with pytest.raises(ValueError, match=r"may run code; give the name model\.skops"):
        save(LogisticRegression().fit([[0], [1]], [0, 1]), tmp_path / name)
    assert not list(tmp_path.iterdir())
