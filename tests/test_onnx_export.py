"""Export to ONNX: ONNX Runtime answers as the estimator does, and what cannot be is told."""

import json
import tracemalloc

import numpy as np
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.utils.fixes import parse_version
from typer.testing import CliRunner

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._onnx_calibration import Threshold
from skbreast._onnx_check import Answers, clear_rows, difference, invented_patches
from skbreast._onnx_graph import OnnxGraph
from skbreast._onnx_parts import rebuilt
from skbreast._onnx_pictures import Pictures, color_features, read, resize, resize_weights
from skbreast._onnx_steps import classify, transform
from skbreast.cli import app
from skbreast.datasets import load_idc, load_patch_folder, make_patches
from skbreast.export import TOLERANCE, to_onnx
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.reading import PatchReader, fit_patch, read_patches
from skbreast.registry import BACKBONES, list_backbones
from skbreast.runs import train_into
from skbreast.stain import MacenkoNormalizer
from skbreast.texture import ColorFeatures, TextureFeatures

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
EXACT = 1e-9
METHODS = ["sigmoid", "isotonic"]
if parse_version(sklearn.__version__) >= parse_version("1.8"):
    METHODS.append("temperature")


def run_graph(graph, output, x, dtype, n_sides):
    """Run a graph whose input is x."""
    graph.output(output, "y", dtype, [None] * n_sides)
    session = onnxruntime.InferenceSession(graph.model("test").SerializeToString())
    return session.run(["y"], {"x": x})[0]


def run_file(path, patches):
    session = onnxruntime.InferenceSession(path)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, {"patches": patches}), strict=True))


def in_float32(model):
    """Return a model that computes with Keras in float32."""

    def change(step):
        if isinstance(step, TransferFeatureExtractor):
            step.set_params(engine="keras", precision="float32")
        if hasattr(step, "precision_") and isinstance(step, PatchCNNClassifier):
            step.precision_ = "float32"

    return rebuilt(model, change)


@pytest.fixture(scope="module")
def real(real_data):
    """Patches of eight patients of IDC, twelve each, of 50 x 50 pixels."""
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    rows = np.concatenate(
        [np.flatnonzero(idc.groups == patient)[:12] for patient in np.unique(idc.groups)[:8]]
    )
    patches = read_patches(idc.data[rows], size=(50, 50))
    assert len(patches) > 60
    assert len(np.unique(idc.target[rows])) == 2
    return idc.data[rows], patches, idc.target[rows], idc.groups[rows]


@pytest.fixture(scope="module")
def invented():
    return make_patches(12, 6, patch_size=32, difficulty=0.9, random_state=0)


# Pixels


def test_weights_of_a_known_resizing():
    np.testing.assert_array_equal(
        resize_weights(2, 4), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    )
    np.testing.assert_array_equal(resize_weights(3, 3), np.eye(3))
    expected = [[3 / 7, 3 / 7, 1 / 7, 0], [0, 1 / 7, 3 / 7, 3 / 7]]
    np.testing.assert_allclose(resize_weights(4, 2), expected, atol=2**-22)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((50, 50), (112, 112)),
        ((96, 96), (50, 50)),
        ((47, 24), (41, 116)),
        ((24, 47), (116, 41)),
        ((33, 20), (33, 50)),
        ((33, 20), (11, 20)),
        ((5, 7), (5, 7)),
        ((1, 1), (8, 8)),
    ],
)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_resized_pixels_are_pillows(size, wanted, n_channels):
    rng = np.random.default_rng(0)
    patches = rng.integers(256, size=(3, *size, n_channels)).astype(np.uint8)
    patches[2] = 255 * (patches[2] > 127)
    graph = OnnxGraph()
    x = graph.input("x", np.uint8, ["n", *size, n_channels])
    found = resize(graph, Pictures(x, (*size, n_channels)), wanted)
    assert found.shape == (*wanted, n_channels)
    found = run_graph(graph, found.tensor, patches, np.uint8, 4)
    for patch, one in zip(patches, found, strict=True):
        for channel in range(n_channels):
            image = Image.fromarray(patch[..., channel])
            image = image.resize(wanted[::-1], Image.Resampling.BILINEAR)
            np.testing.assert_array_equal(one[..., channel], image)


@pytest.mark.parametrize("size", [(60, 40), (90, 40)])
@pytest.mark.parametrize("fitting", ["pad", "resize"])
def test_patch_readers_pixels(size, fitting):
    patches = np.random.default_rng(0).integers(256, size=(2, *size, 3)).astype(np.uint8)
    reader = PatchReader(size=(64, 50), fitting=fitting).fit(patches)
    graph = OnnxGraph()
    x = graph.input("x", np.uint8, ["n", *size, 3])
    found = read(graph, reader, Pictures(x, (*size, 3))).tensor
    found = run_graph(graph, found, patches, np.uint8, 4)
    np.testing.assert_array_equal(found, [fit_patch(each, (64, 50), fitting) for each in patches])


def test_colour_features_of_real_patches(real):
    patches = real[1].copy()
    patches[0] = 255
    step = ColorFeatures(spaces=("hed", "rgb", "lab"), quantiles=(0, 0.05, 0.5, 1)).fit(patches)
    graph = OnnxGraph()
    x = graph.input("x", np.uint8, ["n", 50, 50, 3])
    found = color_features(graph, step, Pictures(x, (50, 50, 3)))
    found = run_graph(graph, found, patches, np.float64, 2)
    np.testing.assert_allclose(found, step.transform(patches), rtol=1e-4, atol=2e-4)


# Steps of scikit-learn, fitted and asked in float64


def features(n_classes):
    X, y = make_classification(
        300, 8, n_informative=6, n_redundant=1, n_classes=n_classes, random_state=0
    )
    return 3 * X, y


def classify_features(model, X):
    graph = OnnxGraph()
    answer = classify(graph, model, graph.input("x", np.float64, ["n", X.shape[1]]))
    tensor = answer.scores if answer.probabilities is None else answer.probabilities
    graph.output(answer.chosen, "chosen", np.int64, [None])
    graph.output(tensor, "y", np.float64, [None, None])
    session = onnxruntime.InferenceSession(graph.model("test").SerializeToString())
    return session.run(["y", "chosen"], {"x": X})


def agrees(model, X):
    found, chosen = classify_features(model, X)
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    expected = getattr(model, method)(X)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=EXACT)
    clear = np.ones(len(X), dtype=bool)
    if method == "predict_proba":  # of isotonic regression, one half may be a step
        clear = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > EXACT
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(model.classes_[chosen][clear], model.predict(X)[clear])


@pytest.mark.parametrize(
    "step",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        RobustScaler(),
        RobustScaler(with_centering=False, with_scaling=False),
        MinMaxScaler((-1, 3)),
        MinMaxScaler(clip=True),
        MaxAbsScaler(),
        Normalizer(),
        Normalizer("l1"),
        Normalizer("max"),
        PCA(3),
        PCA(3, whiten=True),
        IncrementalPCA(4),
        TruncatedSVD(3),
        SelectKBest(k=4),
        VarianceThreshold(),
        make_pipeline(StandardScaler(), PCA(2)),
        FeatureUnion([("a", PCA(2)), ("b", "passthrough"), ("c", "drop")]),
        FeatureUnion([("a", PCA(2)), ("b", Normalizer())], transformer_weights={"b": 0.5}),
    ],
    ids=str,
)
def test_steps_between_features_and_classifier(step):
    X, y = features(2)
    step.fit(X[:200], y[:200])
    X[-1] = 0
    graph = OnnxGraph()
    made = transform(graph, step, graph.input("x", np.float64, ["n", X.shape[1]]))
    found = run_graph(graph, made, X, np.float64, 2)
    np.testing.assert_allclose(found, step.transform(X), rtol=EXACT, atol=EXACT)


LINEAR = [
    LogisticRegression(max_iter=1000),
    LogisticRegressionCV(Cs=2, cv=2, max_iter=1000),
    LinearDiscriminantAnalysis(),
    SGDClassifier(loss="log_loss", alpha=1.0, random_state=0),
    SGDClassifier(random_state=0),
    RidgeClassifier(),
    LinearSVC(),
    Perceptron(),
]
NETWORKS = [
    MLPClassifier(5, activation=name, max_iter=30, random_state=0)
    for name in ("identity", "logistic", "tanh", "relu")
]


@pytest.mark.filterwarnings("ignore")  # trainings that stop early, defaults that will change
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", [*LINEAR, *NETWORKS], ids=str)
def test_classifiers(model, n_classes):
    X, y = features(n_classes)
    agrees(clone(model).fit(X[:200], y[:200]), X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(solver="liblinear"),
        SGDClassifier(loss="log_loss", random_state=0).fit(*features(2)).sparsify(),
        SVC(),
        SVC(kernel="linear"),
        SVC(kernel="poly", coef0=1.0, gamma=0.1),
        SVC(kernel="sigmoid", coef0=0.2, gamma=0.1),
        NuSVC(nu=0.1),
        FixedThresholdClassifier(LogisticRegression(), threshold=0.2),
        FixedThresholdClassifier(LogisticRegression(), threshold=0.2, pos_label=0),
        FixedThresholdClassifier(
            LinearSVC(), threshold=0.7, pos_label=0, response_method="decision_function"
        ),
        FixedThresholdClassifier(LinearSVC()),
        TunedThresholdClassifierCV(LogisticRegression(), scoring="f1", cv=2),
        SensitivityThresholdClassifierCV(LogisticRegression(), sensitivity=0.99, cv=2),
        SensitivityThresholdClassifierCV(LinearSVC(), pos_label=0, cv=2),
        GridSearchCV(LogisticRegression(), {"C": [0.01, 1]}, cv=2),
    ],
    ids=str,
)
def test_classifiers_of_two_classes(model):
    X, y = features(2)
    model = model if hasattr(model, "coef_") else model.fit(X[:200], y[:200])
    agrees(model, X)
    assert len(np.unique(model.predict(X))) == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "inner",
    [
        LinearSVC(),
        MLPClassifier(5, max_iter=30, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=str,
)
def test_calibrated_classifiers(inner, method, n_classes):
    X, y = features(n_classes)
    agrees(CalibratedClassifierCV(inner, method=method, cv=2).fit(X[:200], y[:200]), X)


def test_a_classifier_that_was_calibrated_afterwards():
    X, y = features(2)
    inner = FrozenEstimator(SVC().fit(X[:100], y[:100]))
    agrees(CalibratedClassifierCV(inner, method="isotonic").fit(X[100:], y[100:]), X)


def test_support_vector_machines_of_several_classes_are_refused():
    X, y = features(3)
    with pytest.raises(ValueError, match="SVC cannot be exported with more than two classes"):
        classify_features(SVC().fit(X, y), X)


def test_a_class_of_the_users_is_not_taken_for_its_base():
    class Own(LogisticRegression):
        pass

    X, y = features(2)
    with pytest.raises(ValueError, match="Own cannot be exported"):
        classify_features(Own().fit(X, y), X)


# Whole files


def test_a_network_on_real_patches(real, tmp_path):
    references, patches, y, groups = real
    model = PatchCNNClassifier(
        max_epochs=2, early_stopping=True, precision="float32", random_state=0
    ).fit(references, np.array(["benign", "IDC"])[y], groups=groups)
    path = to_onnx(model, tmp_path / "new" / "model.onnx")
    assert path == tmp_path / "new" / "model.onnx"
    assert [each.name for each in path.parent.iterdir()] == ["model.onnx"]

    found = run_file(path, patches)
    expected = model.predict_proba(references)
    assert np.ptp(expected[:, 0]) > 0.05
    np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=TOLERANCE)
    assert found["probabilities"].dtype == np.float32
    np.testing.assert_array_equal(found["label"], model.predict(references))
    one = run_file(path, patches[:1])
    np.testing.assert_allclose(one["probabilities"], expected[:1], rtol=0, atol=TOLERANCE)

    facts = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(facts["class_names"]) == ["IDC", "benign"]
    assert json.loads(facts["patch_size"]) == [50, 50]
    assert facts["skbreast_version"]
    assert "research only" in facts["intended_use"]
    with pytest.raises(Exception, match="Got invalid dimensions"):
        run_file(path, patches[:, :40])


def test_a_finetuned_backbone_resizes_and_computes_in_float32(real, tmp_path):
    _, patches, y, _ = real
    model = PatchCNNClassifier(
        "efficientnet_lite0", input_size=64, max_epochs=1, precision="bfloat16", random_state=0
    ).fit(patches[:32], y[:32])
    found = run_file(to_onnx(model, tmp_path / "model.onnx", patch_size=50), patches)
    expected = in_float32(model).predict_proba(patches)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=TOLERANCE)
    assert model.precision_ == "bfloat16"


def test_a_calibrated_pipeline_behind_a_threshold(real, tmp_path):
    references, patches, y, groups = real
    pipeline = make_pipeline(
        TransferFeatureExtractor(memory=tmp_path / "memory"),
        StandardScaler(),
        PCA(20, random_state=0),
        LogisticRegression(C=0.01),
    )
    calibrated = CalibratedClassifierCV(pipeline, cv=2)
    model = SensitivityThresholdClassifierCV(calibrated, cv=2, sensitivity=0.9, random_state=0)
    model.fit(references, y, groups=groups)
    with pytest.raises(ValueError, match="patch_size must be given"):
        to_onnx(model, tmp_path / "model.onnx")
    path = to_onnx(model, tmp_path / "model.onnx", patch_size=(50, 50), class_names=["no", "yes"])

    found, exact = run_file(path, patches), in_float32(model)
    expected = exact.predict_proba(patches)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=TOLERANCE)
    clear = np.abs(expected[:, 1] - model.threshold_) > TOLERANCE
    np.testing.assert_array_equal(found["label"][clear], exact.predict(patches)[clear])
    assert clear.mean() > 0.9

    written = onnx.load(path)
    facts = {each.key: each.value for each in written.metadata_props}
    assert float(facts["decision_threshold"]) == model.threshold_
    assert json.loads(facts["class_names"]) == ["no", "yes"]
    n_convolutions = sum(node.op_type == "Conv" for node in written.graph.node)
    assert n_convolutions < 60, "each of two pipelines has its own copy of the network"


def _with_softmax(input_shape, n_classes):
    import keras

    pixels = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 255)(pixels)
    x = keras.layers.Conv2D(6, 3, activation="gelu")(x)
    x = keras.layers.Conv2D(6, 3, groups=3)(x)  # Keras compiles these, which hides them
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, keras.layers.Dense(n_classes, activation="softmax")(x))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_network_of_the_users_that_ends_in_a_softmax(invented, tmp_path, n_classes):
    y = np.arange(len(invented.target)) % n_classes
    model = PatchCNNClassifier(_with_softmax, max_epochs=1, random_state=0).fit(invented.data, y)
    found = run_file(to_onnx(model, tmp_path / "model.onnx"), invented.data)
    expected = model.predict_proba(invented.data)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=TOLERANCE)


def test_a_frozen_network_of_the_users(invented, tmp_path):
    import keras

    pixels = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(6, 3, activation="relu")(pixels)
    network = keras.Model(pixels, maps, name="own")
    extractor = TransferFeatureExtractor(network, preprocessing="tf", engine="keras")
    model = make_pipeline(extractor, LogisticRegression()).fit(invented.data, invented.target)
    found = run_file(to_onnx(model, tmp_path / "model.onnx", patch_size=32), invented.data)
    expected = model.predict_proba(invented.data)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=TOLERANCE)


def test_patches_that_are_not_square(tmp_path):
    bunch = make_patches(6, 4, patch_size=48, random_state=0)
    X = bunch.data[:, :, :27]
    model = make_pipeline(ColorFeatures(), StandardScaler(), LinearSVC()).fit(X, bunch.target)
    with pytest.raises(ValueError, match="patch_size must be given"):
        to_onnx(model, tmp_path / "model.onnx")
    found = run_file(to_onnx(model, tmp_path / "model.onnx", patch_size=(48, 27)), X)
    assert set(found) == {"scores", "label"}
    np.testing.assert_allclose(found["scores"], model.decision_function(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(found["label"], model.predict(X))


def _searched(model):
    return GridSearchCV(model, {"batch_size": [16]}, cv=2)


@pytest.mark.parametrize(
    "around",
    [
        _searched,
        lambda model: FixedThresholdClassifier(model, threshold=0.4),
        lambda model: CalibratedClassifierCV(model, cv=2),
        lambda model: CalibratedClassifierCV(FixedThresholdClassifier(_searched(model)), cv=2),
    ],
    ids=["search", "threshold", "calibration", "all"],
)
def test_the_size_is_not_that_of_a_template_that_was_fitted_before(invented, tmp_path, around):
    template = PatchCNNClassifier(max_epochs=1, precision="float32", random_state=0)
    template.fit(invented.data, invented.target)
    larger = make_patches(6, 6, patch_size=48, random_state=0)
    model = around(template).fit(larger.data, larger.target)
    path = to_onnx(model, tmp_path / "model.onnx")
    facts = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(facts["patch_size"]) == [48, 48]
    found = run_file(path, larger.data)["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(larger.data), rtol=0, atol=TOLERANCE)


def test_the_size_is_that_of_a_frozen_classifier(invented, tmp_path):
    inner = PatchCNNClassifier(max_epochs=1, random_state=0).fit(invented.data, invented.target)
    model = FixedThresholdClassifier(FrozenEstimator(inner)).fit(invented.data, invented.target)
    facts = onnx.load(to_onnx(model, tmp_path / "model.onnx")).metadata_props
    assert json.loads({each.key: each.value for each in facts}["patch_size"]) == [32, 32]


def test_a_threshold_that_labels_do_not_follow_is_no_fact_of_the_file(invented, tmp_path):
    inner = FixedThresholdClassifier(LogisticRegression(max_iter=1000), threshold=0.1)
    model = make_pipeline(ColorFeatures(), StandardScaler(), CalibratedClassifierCV(inner, cv=2))
    model.fit(invented.data, invented.target)
    path = to_onnx(model, tmp_path / "model.onnx", patch_size=32)
    assert "decision_threshold" not in {each.key for each in onnx.load(path).metadata_props}
    found = run_file(path, invented.data)["label"]
    np.testing.assert_array_equal(found, model.predict(invented.data))


# What cannot be


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (make_pipeline(TextureFeatures(), LogisticRegression()), "TextureFeatures cannot be"),
        (make_pipeline(MacenkoNormalizer(), ColorFeatures(), LinearSVC()), "MacenkoNormalizer"),
        (make_pipeline(ColorFeatures(), RandomForestClassifier(2)), "RandomForestClassifier"),
    ],
    ids=["texture", "stain", "forest"],
)
def test_what_cannot_be_exported_is_told(invented, tmp_path, model, sentence):
    model.fit(invented.data, invented.target)
    with pytest.raises(ValueError, match=sentence) as caught:
        to_onnx(model, tmp_path / "model.onnx", patch_size=32)
    message = str(caught.value)
    assert "what can be: PatchCNNClassifier; pipelines of TransferFeatureExtractor" in message
    assert message.count(". ") == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda X: X / np.float32(255), "fitted on scaled pixels"),
        (lambda X: X.reshape(len(X), -1)[:, :30] * 1.0, "fitted on rows of numbers"),
    ],
)
def test_networks_for_other_than_raw_pixels_are_refused(invented, tmp_path, change, sentence):
    model = PatchCNNClassifier(max_epochs=1, random_state=0)
    model.fit(change(invented.data), invented.target)
    with pytest.raises(ValueError, match=sentence):
        to_onnx(model, tmp_path / "model.onnx")


def test_bad_arguments(invented, tmp_path):
    path, model = tmp_path / "model.onnx", make_pipeline(ColorFeatures(), LogisticRegression())
    with pytest.raises(NotFittedError):
        to_onnx(model, path)
    model.fit(invented.data, invented.target)
    with pytest.raises(ValueError, match="class_names has 3 entries; the estimator knows 2"):
        to_onnx(model, path, class_names=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"patch_size must be an integer .* got 0\."):
        to_onnx(model, path, patch_size=0)
    with pytest.raises(ValueError, match="patch_size must be given"):
        to_onnx(model, path)
    regressor = make_pipeline(ColorFeatures(), LinearRegression())
    with pytest.raises(ValueError, match="estimator must be a classifier"):
        to_onnx(regressor.fit(invented.data, invented.target), path)
    rows = invented.data.reshape(len(invented.data), -1)
    with pytest.raises(ValueError, match="StandardScaler cannot be exported where it takes pixels"):
        to_onnx(
            make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, invented.target),
            path,
            patch_size=32,
        )
    with pytest.raises(IsADirectoryError):
        to_onnx(model, tmp_path, patch_size=32)


@pytest.mark.parametrize("names", ["ab", b"ab", 2])
def test_names_that_are_no_sequence_of_names(invented, tmp_path, names):
    model = make_pipeline(ColorFeatures(), LogisticRegression(max_iter=1000))
    model.fit(invented.data, invented.target)
    with pytest.raises(ValueError, match="class_names must be a sequence of 2 names"):
        to_onnx(model, tmp_path / "model.onnx", patch_size=32, class_names=names)


def test_where_nothing_can_be_written_is_told_before_any_work(invented, tmp_path):
    (tmp_path / "file").touch()
    model = make_pipeline(TextureFeatures(), LogisticRegression())
    with pytest.raises(NotADirectoryError, match="file is a file; a folder is expected"):
        to_onnx(model, tmp_path / "file" / "model.onnx", patch_size=32)
    with pytest.raises(IsADirectoryError, match="is a folder; the name of a file is expected"):
        to_onnx(model, tmp_path, patch_size=32)


def test_a_file_that_would_answer_otherwise_is_not_kept(invented, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"older")
    model = make_pipeline(ColorFeatures(), StandardScaler(), MLPClassifier(4, max_iter=500))
    model.fit(invented.data, invented.target)
    model[-1].intercepts_[0] = model[-1].intercepts_[0].astype(np.float64)
    answer = model[-1].predict_proba
    model[-1].predict_proba = lambda X: answer(X)[:, ::-1]
    with pytest.raises(ValueError, match="is not kept: on invented patches its answers differ"):
        to_onnx(model, path, patch_size=32)
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize(
    ("last", "operation", "inverse"),
    [
        (LogisticRegression(max_iter=1000), "Greater", "LessOrEqual"),
        (LinearSVC(), "Greater", "LessOrEqual"),
        (MLPClassifier(4, max_iter=3000, random_state=0), "ArgMax", "ArgMin"),
        (FixedThresholdClassifier(LinearSVC(), threshold=0.3), "GreaterOrEqual", "Less"),
        (
            FixedThresholdClassifier(
                LogisticRegression(), threshold=0.3, pos_label=0, response_method="predict_proba"
            ),
            "GreaterOrEqual",
            "Less",
        ),
        (
            FixedThresholdClassifier(
                LogisticRegression(), threshold=-1.0, response_method="decision_function"
            ),
            "GreaterOrEqual",
            "Less",
        ),
    ],
    ids=["logistic", "svm", "network", "threshold-svm", "threshold-first", "threshold-score"],
)
def test_a_file_that_would_choose_otherwise_is_not_kept(
    invented, tmp_path, monkeypatch, last, operation, inverse
):
    model = make_pipeline(ColorFeatures(spaces=("rgb",)), StandardScaler(), last)
    model.fit(invented.data, invented.target)
    to_onnx(model, tmp_path / "right.onnx", patch_size=32)

    def inverted(graph, name, *inputs, **others):
        return add(graph, inverse if name == operation else name, *inputs, **others)

    add = OnnxGraph.add
    monkeypatch.setattr(OnnxGraph, "add", inverted)
    with pytest.raises(ValueError, match="is not kept: its label is not what predict answers"):
        to_onnx(model, tmp_path / "wrong.onnx", patch_size=32)
    assert [each.name for each in tmp_path.iterdir()] == ["right.onnx"]


def test_a_file_that_cannot_be_checked_is_not_kept(invented, tmp_path):
    model = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression())
    model.fit(invented.data, invented.target)
    model.predict_proba = lambda X: np.full((len(X), 2), np.nan)
    with pytest.raises(ValueError, match=r"for 8 of 8 invented patches .* are not finite"):
        to_onnx(model, tmp_path / "model.onnx", patch_size=32)
    assert not list(tmp_path.iterdir())


def test_differences_of_known_answers():
    numbers = np.array([[0.2, 0.8], [0.7, 0.3], [np.nan, np.nan]])
    expected, clear = Answers(numbers, np.array(["b", "a", "a"])), np.array([True, False, True])

    def wrong(numbers, labels):
        return difference(Answers(numbers, np.array(labels)), expected, clear, tolerance=1e-4)

    assert wrong(numbers + 0.9e-4, ["b", "b", "b"]) is None  # the second not clear, no third
    assert "by up to 0.1, more than 0.0001" in wrong(numbers + 0.1, ["b", "a", "a"])
    assert "for 1 of 3 patches" in wrong(numbers, ["a", "a", "a"])
    assert "differ" in wrong(np.full((3, 2), np.nan), ["b", "a", "a"])
    expected = Answers(np.where([[1], [0], [1]], np.inf, numbers), expected.labels)
    assert "for 2 of 3 invented patches" in wrong(numbers, ["b", "a", "a"])


@pytest.mark.parametrize(
    ("scores", "threshold", "clear"),
    [
        ([-0.2, 0.005, -0.02, np.nan], None, [1, 0, 1, 0]),
        ([-200, 1.5, 2.5], None, [1, 0, 1]),
        ([[0.4, 0.6], [0.505, 0.495], [np.nan, 0.5]], None, [1, 0, 0]),
        ([[0.4, 0.35, 0.25], [0.41, 0.42, 0.17], [np.inf, np.inf, 0]], None, [1, 0, 0]),
        ([[0.4, 0.6], [0.695, 0.305]], Threshold(0.3, 1, "predict_proba"), [1, 0]),
        ([[0.4, 0.6], [0.295, 0.705]], Threshold(0.3, 0, "predict_proba"), [1, 0]),
        ([0.3, -0.3], Threshold(0.3, 1, "decision_function"), [0, 1]),
        ([0.3, -0.3], Threshold(0.3, 0, "decision_function"), [1, 0]),
    ],
)
def test_labels_that_hang_on_the_last_digits(scores, threshold, clear):
    found = clear_rows(np.array(scores), threshold, tolerance=0.01)
    np.testing.assert_array_equal(found, np.array(clear, dtype=bool))


def test_invented_patches_take_little_memory():
    tracemalloc.start()
    patches = invented_patches((512, 384, 3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert patches.shape == (8, 512, 384, 3)
    assert patches.dtype == np.uint8
    assert peak < 2.5 * patches.nbytes
    colors = patches.mean(axis=(1, 2))
    assert np.ptp(colors) > 50
    assert (patches.std(axis=(1, 2)) > 4).all()


# The command line


def _invoke(*arguments):
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, [str(each) for each in arguments])


def test_the_command_writes_a_file_once(real_data, tmp_path):
    folder, out = tmp_path / "model", tmp_path / "model.onnx"
    bunch = load_patch_folder(real_data / "ucsb_folders", groups_pattern=r"([^/]+)_(?:benign|mal)")
    model = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression())
    found = train_into(folder, bunch, {"colours": model}, n_splits=2, n_resamples=10)

    result = _invoke("export", folder, "--out", out)
    assert result.exit_code == 1
    assert "Error: patch_size must be given" in result.stderr
    result = _invoke("export", folder, "--out", out, "--patch-size", "large")
    assert "--patch-size is a number of pixels, or HEIGHTxWIDTH; got 'large'" in result.stderr

    result = _invoke("export", folder, "--out", out, "--patch-size", "384x448")
    assert result.exit_code == 0, result.output
    assert "not for diagnosis" in result.stdout
    patches = read_patches(bunch.data, size=(384, 448))
    expected = found.model.predict_proba(patches)
    answers = run_file(out, patches)
    np.testing.assert_allclose(answers["probabilities"], expected, rtol=0, atol=TOLERANCE)
    facts = {each.key: each.value for each in onnx.load(out).metadata_props}
    assert json.loads(facts["class_names"]) == ["benign", "malignant"]

    result = _invoke("export", folder, "--out", out, "--patch-size", "384x448")
    assert result.exit_code == 1
    assert "exists; give another --out, or --overwrite." in result.stderr


def test_the_command_tells_a_bad_name_before_it_opens_the_model(tmp_path):
    (tmp_path / "file").touch()
    result = _invoke("export", tmp_path / "none", "--out", tmp_path / "file" / "model.onnx")
    assert result.exit_code == 1
    assert "file is a file; a folder is expected." in " ".join(result.stderr.split())
    result = _invoke("export", tmp_path / "none", "--out", tmp_path, "--overwrite")
    assert result.exit_code == 1
    assert "is a folder; the name of a file is expected." in " ".join(result.stderr.split())


@pytest.mark.long
@pytest.mark.parametrize("name", list_backbones())
def test_every_backbone_of_the_registry(invented, tmp_path, name):
    """Answers lie as near to those of exact sums as they have to lie to the estimator's.

    Random weights let roundings grow: those of Keras' own float32 in Xception come to 1e-4.
    """
    row = BACKBONES[name]
    extractor = TransferFeatureExtractor(
        name,
        weights="imagenet" if row.packaged else None,
        layers="all",
        input_size=max(64, row.min_size),
        engine="keras",
        precision="float32",
        random_state=0,
    )
    model = make_pipeline(extractor, StandardScaler(), LogisticRegression(C=0.01))
    model.fit(invented.data, invented.target)
    path = to_onnx(model, tmp_path / "model.onnx", patch_size=32)
    found = run_file(path, invented.data)["probabilities"]
    features = features_in_float64(model[0], invented.data)
    np.testing.assert_allclose(model[0].transform(invented.data), features, rtol=0.05, atol=1e-3)
    np.testing.assert_allclose(found, model[1:].predict_proba(features), rtol=0, atol=TOLERANCE)


def features_in_float64(extractor, patches):
    """Return what Keras makes of patches where every layer of the network computes in float64."""
    import keras

    from skbreast._keras.frozen import get_frozen

    network = get_frozen(extractor._recipe()).model
    exact = keras.Model.from_config(of_float64(network.get_config()))
    exact.set_weights(network.get_weights())
    side = extractor.input_size
    pixels = np.stack([fit_patch(patch, (side, side)) for patch in patches])
    return exact.predict(pixels.astype(np.float64), verbose=0)


def of_float64(config):
    """Return the configuration of a network, or a part of it, with the dtype of all layers."""
    if isinstance(config, dict):
        return {
            name: "float64" if name == "dtype" else of_float64(part)
            for name, part in config.items()
        }
    return [of_float64(part) for part in config] if isinstance(config, list | tuple) else config


@pytest.mark.long
@pytest.mark.parametrize("name", ["resnet", "mobilenet_v3_small"])
def test_other_trained_networks(invented, tmp_path, name):
    model = PatchCNNClassifier(
        name,
        weights=None,
        input_size=64,
        max_epochs=1,
        precision="float32",
        random_state=0,
    ).fit(invented.data, invented.target)
    path = to_onnx(model, tmp_path / "model.onnx", patch_size=32)
    found = run_file(path, invented.data)["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(invented.data), rtol=0, atol=TOLERANCE)
