"""scikit-learn's common checks once more, for 4-D arrays and for references.

`check_estimator` knows two dimensions only; here every idea of it meets pictures.
"""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_html_repr

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.reading import PatchReader
from skbreast.stain import MacenkoNormalizer, ReinhardNormalizer, VahadaneNormalizer
from skbreast.texture import ColorFeatures, NucleiFeatures, PFTASFeatures, TextureFeatures
from skbreast.tissue import TissueFilter

ESTIMATORS = {
    "PatchCNNClassifier": PatchCNNClassifier(max_epochs=1, batch_size=8, random_state=0),
    "TransferFeatureExtractor": TransferFeatureExtractor(layers="block1", input_size=32),
    "ColorFeatures": ColorFeatures(),
    "ColorFeaturesInAllSpaces": ColorFeatures(spaces=["rgb", "lab", "hed"], quantiles=[0.5]),
    "TextureFeatures": TextureFeatures(),
    "PFTASFeatures": PFTASFeatures(),
    "NucleiFeatures": NucleiFeatures(),
    "MacenkoNormalizer": MacenkoNormalizer(),
    "ReinhardNormalizer": ReinhardNormalizer(),
    "VahadaneNormalizer": VahadaneNormalizer(),
    "TissueFilter": TissueFilter(),
}


@pytest.fixture(params=ESTIMATORS)
def estimator(request):
    return clone(ESTIMATORS[request.param])


@pytest.fixture(scope="module")
def bunch():
    return make_patches(6, 2, patch_size=32, mpp=1.2, random_state=0)


@pytest.fixture(scope="module")
def y(bunch):
    return bunch.target


@pytest.fixture(scope="module")
def patches(bunch):
    return bunch.data


@pytest.fixture(scope="module")
def references(patches, save_patches, tmp_path_factory):
    return save_patches(patches, tmp_path_factory.mktemp("patches"))


@pytest.fixture(params=["arrays", "references"])
def X(request, patches, references):  # noqa: N802
    return {"arrays": patches, "references": references}[request.param]


def output(fitted, X):
    if isinstance(fitted, TissueFilter):  # it hands X itself on
        report = fitted.report(X)
        return np.stack([report.tissue_fraction, report.blur, report.ink_fraction], axis=1)
    method = fitted.predict_proba if is_classifier(fitted) else fitted.transform
    return method(X)


# What is taken


def as_memmap(patches, folder):
    joblib.dump(patches, folder / "patches.joblib")
    return joblib.load(folder / "patches.joblib", mmap_mode="r")


def as_dask(patches, folder):
    return pytest.importorskip("dask.array").from_array(patches, chunks=(5, -1, -1, -1))


def as_read_only(patches, folder):
    frozen = patches.copy()
    frozen.flags.writeable = False
    return frozen


FORMS = {
    "list": lambda patches, folder: patches.tolist(),
    "list of arrays": lambda patches, folder: list(patches),
    "memmap": as_memmap,
    "dask": as_dask,
    "read-only": as_read_only,
    "other strides": lambda patches, folder: np.asfortranarray(patches),
    "reversed": lambda patches, folder: patches[::-1].copy()[::-1],
    "int64": lambda patches, folder: patches.astype(np.int64),
    "float64": lambda patches, folder: patches.astype(np.float64),
    "float16": lambda patches, folder: patches.astype(np.float16),
    "big-endian": lambda patches, folder: patches.astype(">f4"),
    "objects": lambda patches, folder: patches.astype(object),
}


@pytest.mark.works("Lists, memory maps, dask arrays, read-only arrays, every dtype", kind="arrays")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:X looks scaled")
def test_every_form_of_an_array(estimator, patches, y, form, tmp_path):
    if is_classifier(estimator):
        estimator.set_params(augment="geometric")  # stain jitter exists for uint8 alone
    given = FORMS[form](patches, tmp_path)
    expected = output(clone(estimator).fit(patches, y), patches)
    fitted = estimator.fit(given, y)
    np.testing.assert_allclose(output(fitted, patches), expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(output(fitted, given), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", ["list", "tuple", "paths", "object array", "series"])
def test_every_form_of_references(estimator, references, y, form, tmp_path):
    from pathlib import Path

    def series(names):
        return pytest.importorskip("pandas").Series(names, index=range(5, 5 + len(names)))

    convert = {
        "list": list,
        "tuple": tuple,
        "paths": lambda names: [Path(name) for name in names],
        "object array": lambda names: np.array(names, dtype=object),
        "series": series,
    }[form]
    fitted = estimator.fit(convert(references), y)
    expected = clone(estimator).fit(references, y)
    np.testing.assert_array_equal(output(fitted, convert(references)), output(expected, references))


def test_one_sample_is_answered(estimator, X, y):
    fitted = estimator.fit(X, y)
    # Sums over other batches are rounded otherwise.
    np.testing.assert_allclose(output(fitted, X[:1]), output(fitted, X)[:1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["benign", "malignant"]),
        np.array(["benign", "malignant"], dtype=object),
        np.array([False, True]),
        np.array([-7, 3]),
        np.array([1.0, 2.0]),
    ],
)
def test_every_kind_of_label(X, y, labels):
    classifier = clone(ESTIMATORS["PatchCNNClassifier"]).fit(X, labels[y])
    assert classifier.classes_.tolist() == labels.tolist()
    assert set(classifier.predict(X)) <= set(labels)
    plain_labels = clone(classifier).fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), plain_labels.predict_proba(X))


# What is refused


def test_one_class_is_refused(X):
    with pytest.raises(ValueError, match="y holds one class, 1; at least 2 classes are needed"):
        clone(ESTIMATORS["PatchCNNClassifier"]).fit(X, np.ones(len(X), dtype=int))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(estimator, patches, y, value):
    broken = patches.astype(float)
    broken[3, 2, 1, 0] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        estimator.fit(broken, y)
    estimator.fit(patches, y)
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        output(estimator, broken)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[0], "X has 3 dimensions"),
        (lambda X: X[:, None], "X has 5 dimensions"),
        (lambda X: X[:, :0], "without pixels|0 feature"),
        (lambda X: X * 1j, "Complex data not supported"),
        (lambda X: np.full(X.shape, "a"), "convert|numeric"),
        (lambda X: X[0, 0, 0, 0], "Expected|dimension|scalar"),
        (lambda X: "patch.png", "put it in a list"),
    ],
)
def test_what_are_no_patches_is_refused(estimator, patches, y, change, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(change(patches), y)
    estimator.fit(patches, y)
    with pytest.raises(ValueError, match=message):
        output(estimator, change(patches))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "X is empty: it holds 0 samples"),
        (np.array([], dtype=object), "X is empty: it holds 0 samples"),
        ([None, "a.png"], r"X\[0\] is no patch reference: a string is expected, got None"),
        (["a.png", 3], r"X\[1\] is no patch reference: a string is expected, got 3"),
        ([["a.png"], ["b.png"]], r"X holds strings in two dimensions, \(2, 1\)"),
        (["no such file.png", "a.png"], "no such file.png"),
    ],
)
def test_what_are_no_references_is_refused(estimator, references, y, given, message):
    fitted = clone(estimator).fit(references, y)
    with pytest.raises((ValueError, OSError), match=message):
        output(fitted, given)
    if "no such" not in message or is_classifier(estimator):  # which reads in fit
        with pytest.raises((ValueError, OSError), match=message):
            estimator.fit(given, [0, 1][: len(given)])


def test_transformers_fit_on_one_patch(estimator, X, y):
    if is_classifier(estimator):
        with pytest.raises(ValueError, match="y holds one class"):
            estimator.fit(X[:1], y[:1])
    else:
        assert len(output(estimator.fit(X[:1]), X)) == len(X)


def test_other_channels_are_refused(patches, y):
    classifier = clone(ESTIMATORS["PatchCNNClassifier"]).fit(patches, y)
    with pytest.raises(ValueError, match="fitted on patches of 3"):
        classifier.predict(patches[..., :1])


def test_another_number_of_labels_is_refused(X, y):
    classifier = clone(ESTIMATORS["PatchCNNClassifier"])
    with pytest.raises(ValueError, match="y has 11 labels for 12 patches"):
        classifier.fit(X, y[:-1])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        classifier.fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier.fit(X, y + 0.5)


def test_unfitted_is_told(X):
    classifier = clone(ESTIMATORS["PatchCNNClassifier"])
    for method in (classifier.predict, classifier.predict_proba, classifier.decision_function):
        with pytest.raises(NotFittedError, match="PatchCNNClassifier"):
            method(X)
    for transformer in (
        clone(ESTIMATORS["TransferFeatureExtractor"]),
        clone(ESTIMATORS["ColorFeatures"]),
        PatchReader(),
    ):
        with pytest.raises(NotFittedError, match=type(transformer).__name__):
            transformer.transform(X)
    with pytest.raises(NotFittedError, match="TransferFeatureExtractor"):
        clone(ESTIMATORS["TransferFeatureExtractor"]).get_feature_names_out()


# What stays the same


def test_fit_twice_is_fit_once(estimator, X, y):
    once = output(clone(estimator).fit(X, y), X)
    np.testing.assert_array_equal(output(estimator.fit(X, y).fit(X, y), X), once)


def test_input_and_parameters_are_unchanged(estimator, X, y):
    X_before, y_before, parameters = X.copy(), y.copy(), estimator.get_params()
    output(estimator.fit(X, y), X)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    assert estimator.get_params() == parameters


def test_predicting_changes_nothing(estimator, X, y):
    estimator.fit(X, y)
    before = pickle.dumps(vars(estimator))
    output(estimator, X)
    assert pickle.dumps(vars(estimator)) == before


@pytest.mark.works("pickle, joblib, cloudpickle")
@pytest.mark.parametrize("kind", ["arrays", "references"])
@pytest.mark.parametrize("library", ["pickle", "joblib", "cloudpickle"])
def test_it_comes_back_from_a_pickle(estimator, patches, references, y, kind, library):
    module = pytest.importorskip(library)
    X = {"arrays": patches, "references": references}[kind]
    expected = output(estimator.fit(X, y), X)
    file = io.BytesIO()
    module.dump(estimator, file)
    file.seek(0)
    restored = (pickle if library == "cloudpickle" else module).load(file)
    np.testing.assert_array_equal(output(restored, X), expected)


def test_clone_set_params_and_representations(estimator, patches, y):
    estimator.fit(patches, y)
    copy = clone(estimator)
    assert not [name for name in vars(copy) if name.endswith("_") and not name.startswith("_")]
    assert repr(copy) == repr(estimator)
    assert repr(copy).startswith(type(estimator).__name__)
    assert type(estimator).__name__ in estimator_html_repr(estimator)
    for name, value in copy.get_params().items():
        assert copy.set_params(**{name: value}) is copy
    with pytest.raises(ValueError, match="Invalid parameter 'nothing'"):
        copy.set_params(nothing=1)


def test_features_in(patches, references, y, estimator):
    assert estimator.fit(patches, y).n_features_in_ == 32 * 32 * 3
    estimator.fit(references, y)
    counted = {"n_features_in_"} & set(vars(estimator))
    assert bool(counted) == is_classifier(estimator)  # which reads the references


# The reader takes references only


def test_reader(references, patches):
    reader = PatchReader()
    np.testing.assert_array_equal(reader.fit_transform(references), patches)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).transform(references), patches)
    assert repr(clone(reader)) == repr(reader)
