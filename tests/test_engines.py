"""Engines: which one is taken, and that all give the features that Keras gives."""

import errno
import os
import sys

import joblib
import numpy as np
import pytest
from test_imports import run_python

from skbreast import TransferFeatureExtractor, _engines, _open_engines, hardware
from skbreast._engines import SHAPES_KEPT, resolve_engine
from skbreast.datasets import make_patches
from skbreast.hardware import usable_threads
from skbreast.registry import get_backbone, list_backbones

ENGINES = ("openvino", "onnxruntime")
EVERY_TIME = ("efficientnet_lite0", "mobilenet_v3_small", "vgg16")


@pytest.fixture
def installed(monkeypatch):
    """Give a function that decides what is installed."""

    def decide(*packages):
        monkeypatch.setattr(_engines, "_works", lambda name: name in packages)

    return decide


@pytest.mark.parametrize("native", [False, True])
def test_auto_takes_what_is_fastest(installed, monkeypatch, native):
    monkeypatch.setattr(_engines, "has_bfloat16", lambda: native)
    monkeypatch.setattr(_engines, "may_have_gpu", lambda: False)
    installed("openvino", "onnxruntime")
    assert resolve_engine("auto", "auto") == ("openvino", "bfloat16" if native else "float32")
    installed("onnxruntime", "tf2onnx")
    assert resolve_engine("auto", "auto") == ("onnxruntime", "float32")
    assert resolve_engine("auto", "bfloat16") == ("keras", "bfloat16")
    installed("onnxruntime")
    assert resolve_engine("auto", "auto") == ("keras", "float32")


def test_auto_passes_over_what_cannot_be_loaded(monkeypatch):
    monkeypatch.setattr(_engines, "may_have_gpu", lambda: False)
    monkeypatch.setattr(_engines, "_can_be_imported", _engines._can_be_imported.__wrapped__)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert resolve_engine("auto", "auto") == ("keras", "float32")


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        ("bfloat16", ("keras", "bfloat16")),
        ("float32", ("keras", "float32")),
        (None, ("openvino", "float32")),
    ],
)
def test_a_gpu_goes_first(installed, monkeypatch, gpu, expected):
    monkeypatch.setattr(_engines, "has_bfloat16", lambda: False)
    monkeypatch.setattr(_engines, "may_have_gpu", lambda: True)
    installed("openvino")
    assert resolve_engine("auto", "auto", gpu=lambda: gpu) == expected


def test_tensorflow_is_not_asked_where_no_gpu_can_be(installed, monkeypatch):
    monkeypatch.setattr(hardware, "GPU_DRIVERS", ())
    installed("openvino")
    assert resolve_engine("auto", "float32", gpu=pytest.fail) == ("openvino", "float32")


@pytest.mark.parametrize(("engine", "extra"), [("openvino", "openvino"), ("onnxruntime", "onnx")])
def test_a_missing_engine_is_told(installed, monkeypatch, engine, extra):
    installed()
    monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(ImportError, match=rf"engine='{engine}'.*skbreast\[{extra}\]"):
        TransferFeatureExtractor(engine=engine).fit(np.zeros((2, 40, 40, 3), np.uint8))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"engine": "tensorrt"}, "engine must be"),
        ({"precision": "int8"}, "precision must be"),
        ({"engine": "onnxruntime", "precision": "bfloat16"}, "precision='bfloat16' is not"),
        ({"memory": 1}, "memory must be None"),
        ({"n_jobs": "two"}, "n_jobs must be None or an integer other than 0; got 'two'"),
        ({"n_jobs": 0}, "n_jobs must be None or an integer other than 0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TransferFeatureExtractor(**parameters).fit(np.zeros((2, 40, 40, 3), np.uint8))


def test_threads_of_a_worker(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert usable_threads() == joblib.cpu_count()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert usable_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1000")
    assert usable_threads() == joblib.cpu_count()


@pytest.fixture(scope="module")
def patches():
    return make_patches(2, 11, patch_size=40, random_state=0).data  # 22: a request and a rest


def features(patches, engine, precision="float32", **parameters):
    extractor = TransferFeatureExtractor(
        **{"engine": engine, "precision": precision, "random_state": 0} | parameters
    ).fit(patches)
    assert (extractor.engine_, extractor.precision_) == (engine, precision)
    return extractor.transform(patches)


def relative_error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(
    "backbone",
    [
        pytest.param(name, marks=() if name in EVERY_TIME else pytest.mark.long)
        for name in list_backbones()
    ],
)
def test_engines_agree_with_keras(patches, backbone):
    weights = "imagenet" if backbone == "efficientnet_lite0" else None
    parameters = {"backbone": backbone, "weights": weights, "layers": ("block2", "last")}
    parameters["input_size"] = 72
    expected = features(patches, "keras", **parameters)
    assert relative_error(features(patches, "openvino", **parameters), expected) < 1e-4


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "mobilenet_v3_small"])
def test_onnxruntime_agrees_with_keras(patches, backbone):
    weights = "imagenet" if backbone == "efficientnet_lite0" else None
    parameters = {"backbone": backbone, "weights": weights, "input_size": 64}
    expected = features(patches, "keras", **parameters)
    assert relative_error(features(patches, "onnxruntime", **parameters), expected) < 1e-4


@pytest.mark.parametrize("engine", ["keras", "openvino"])
def test_bfloat16_is_near(patches, engine):
    expected = features(patches, "keras")
    found = features(patches, engine, "bfloat16")
    cosines = (found * expected).sum(axis=1)
    cosines /= np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert cosines.min() > 0.99
    assert cosines.min() < 0.999999 or not hardware.has_bfloat16()  # else OpenVINO may not round


@pytest.mark.parametrize(
    "backbone",
    [
        pytest.param(name, marks=() if name in EVERY_TIME else pytest.mark.long)
        for name in list_backbones()
    ],
)
def test_keras_computes_every_backbone_in_bfloat16(patches, backbone):
    parameters = {"backbone": backbone, "weights": None, "layers": "block2", "input_size": 72}
    expected = features(patches[:2], "keras", **parameters)
    found = features(patches[:2], "keras", "bfloat16", **parameters)
    assert 0 < relative_error(found, expected) < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_kinds_of_pixels(patches, dtype, channels):
    patches = patches[..., :channels].astype(dtype)
    expected = features(patches, "keras")
    for engine in ENGINES:
        assert relative_error(features(patches, engine), expected) < 1e-4


def test_features_do_not_depend_on_the_other_patches(patches):
    whole = features(patches, "openvino", "bfloat16")
    extractor = TransferFeatureExtractor(engine="openvino", precision="bfloat16", batch_size=5)
    parts = [extractor.fit_transform(patches[rows]) for rows in (slice(3), slice(3, 22))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_many_sizes_do_not_pile_up(patches):
    parameters = {"weights": None, "layers": "block1"}
    sides = (32, 36, 40, 44, 48)
    first = [features(patches, "openvino", input_size=side, **parameters) for side in sides]
    again = [features(patches, "openvino", input_size=side, **parameters) for side in sides]
    for once, twice in zip(first, again, strict=True):
        np.testing.assert_array_equal(once, twice)
    engine = next(reversed(_open_engines._open.values()))
    assert 2 * len(sides) > SHAPES_KEPT == len(engine._compiled)


def test_a_network_of_the_users_that_learns_on(patches):
    import keras

    inputs = keras.Input((40, 40, 3))
    own = keras.Model(inputs, keras.layers.Conv2D(4, 3, name="maps")(inputs))
    extractor = TransferFeatureExtractor(own, engine="openvino", precision="float32").fit(patches)
    before = extractor.transform(patches)
    own.set_weights([2 * array for array in own.get_weights()])
    np.testing.assert_allclose(extractor.transform(patches), 2 * before, rtol=1e-4, atol=1e-3)


def own_layer(number):
    """Build a network with a layer of one name whose code is another for each number."""
    import keras

    class Times(keras.layers.Layer):
        if number == 2:

            def call(self, x):
                return 2 * x
        else:

            def call(self, x):
                return 3 * x

    inputs = keras.Input((40, 40, 3))
    return keras.Model(inputs, Times(name="times")(inputs))


def test_a_layer_that_was_defined_anew(patches):
    twice, thrice = (features(patches, "openvino", backbone=own_layer(n)) for n in (2, 3))
    np.testing.assert_allclose(thrice, 1.5 * twice, rtol=1e-4)


def test_weights_that_were_replaced_in_secret(patches, tmp_path):
    from skbreast._keras.backbones import build_backbone
    from skbreast._keras.training import draw_kernels

    network = build_backbone(get_backbone("mobilenet_0.75"), weights=None)
    path, found = tmp_path / "own.weights.h5", []
    for seed in range(2):
        draw_kernels(network, np.random.default_rng(seed))
        network.save_weights(path)
        os.utime(path, (10**9, 10**9))
        parameters = {"backbone": "mobilenet_0.75", "weights": path, "input_size": 64}
        found.append(
            [features(patches[:2], engine, **parameters) for engine in ("keras", *ENGINES)]
        )
    for engine in found[1]:
        assert relative_error(engine, found[1][0]) < 1e-4
        assert relative_error(engine, found[0][0]) > 0.01


def test_a_full_disk_is_no_refusal(patches, monkeypatch):
    def full(network, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    from skbreast._keras import export

    extractor = TransferFeatureExtractor(
        weights=None, layers="block1", engine="openvino", random_state=77
    )
    with monkeypatch.context() as patch:
        patch.setitem(export.WRITERS, "openvino", full)
        with pytest.raises(OSError, match="No space"):
            extractor.fit_transform(patches)
    assert extractor.fit_transform(patches).shape == (22, 16)


def refused_network():
    """Build a network with a layer that no converter knows."""
    import keras
    import tensorflow as tf

    class Inverse(keras.layers.Layer):
        def call(self, x):
            inverse = tf.numpy_function(lambda pixels: 255 - pixels, [x], tf.float32)
            inverse.set_shape(x.shape)
            return inverse

        def compute_output_shape(self, shape):
            return shape

        def get_config(self):
            return super().get_config()

    inputs = keras.Input((40, 40, 3))
    return keras.Model(inputs, keras.layers.Conv2D(4, 3)(Inverse()(inputs)))


@pytest.mark.parametrize(
    ("parameters", "engine"),
    [
        ({}, "onnxruntime"),
        ({"precision": "bfloat16"}, "keras"),
        ({"backbone": "convnext_tiny", "weights": None, "random_state": 0}, "keras"),
    ],
)
def test_auto_without_openvino(patches, monkeypatch, parameters, engine):
    works = _engines._works
    monkeypatch.setattr(_engines, "_works", lambda name: name != "openvino" and works(name))
    extractor = TransferFeatureExtractor(layers="block1", **parameters).fit(patches)
    assert extractor.engine_ == engine or hardware.may_have_gpu()
    assert np.isfinite(extractor.transform(patches[:2])).all()


def test_a_network_that_openvino_refuses(patches):
    own = refused_network()
    extractor = TransferFeatureExtractor(own).fit(patches)
    assert extractor.engine_ == "keras"
    assert extractor.transform(patches).shape == (22, 4)
    with pytest.raises(ValueError, match=r"engine='openvino' cannot run .*take engine='keras'"):
        extractor.set_params(engine="openvino").fit(patches).transform(patches)


def test_a_backbone_that_tf2onnx_does_not_know(patches):
    extractor = TransferFeatureExtractor(
        "convnext_tiny", weights=None, layers="block1", engine="onnxruntime", random_state=0
    )
    with pytest.raises(ValueError, match=r"engine='onnxruntime' cannot run convnext_tiny"):
        extractor.fit_transform(patches[:2])


def test_the_second_process_needs_no_tensorflow():
    program = """
        import sys
        import numpy as np
        from skbreast import TransferFeatureExtractor
        patches = np.zeros((2, 40, 40, 3), np.uint8)
        extractor = TransferFeatureExtractor(layers=("block1", "block3"), engine="{}").fit(patches)
        names = extractor.get_feature_names_out()
        print(extractor.transform(patches).shape, len(names), "tensorflow" in sys.modules)
        """
    for engine in ENGINES:
        runs = [run_python(program.format(engine)) for _ in range(2)]
        assert [run.stdout for run in runs] == ["(2, 56) 56 True\n", "(2, 56) 56 False\n"]
        assert [run.stderr for run in runs] == ["", ""]
