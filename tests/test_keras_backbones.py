"""Backbones: every row builds as written, is pre-processed as Keras does, and loads its weights."""

import importlib

import numpy as np
import pytest
import skimage.data
from skimage.transform import resize

from skbreast._keras.backbones import block_output, build_backbone, load_weights, preprocess
from skbreast.registry import BACKBONES, PREPROCESSING, get_backbone

import keras  # noqa: TID253  # isort: skip
from keras import layers  # noqa: TID253  # isort: skip

LITE = get_backbone("efficientnet_lite0")
CATS = {281, 282, 285}  # tabby, tiger cat, Egyptian cat
ESPRESSO = 967
APPLICATIONS = {
    "mobilenet": "mobilenet",
    "mobilenet_0.75": "mobilenet",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3",
    "mobilenet_v3_large": "mobilenet_v3",
    "efficientnet_v2_b0": "efficientnet_v2",
    "densenet121": "densenet",
    "densenet169": "densenet",
    "densenet201": "densenet",
    "resnet50": "resnet",
    "resnet50_v2": "resnet_v2",
    "convnext_tiny": "convnext",
    "xception": "xception",
    "vgg16": "vgg16",
}


def photograph(name, side=224):
    """A photograph's central square, as floats 0…255."""
    image = getattr(skimage.data, name)()
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = image[top : top + edge, left : left + edge]
    return resize(square, (side, side), anti_aliasing=True, preserve_range=True)[None]


def run(network, pixels, convention):
    inputs = keras.Input((None, None, 3))
    whole = keras.Model(inputs, network(preprocess(inputs, convention), training=False))
    return np.asarray(whole(pixels.astype(np.float32), training=False))


@pytest.mark.parametrize("convention", PREPROCESSING)
def test_preprocessing_in_the_graph_is_that_of_the_table(convention):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    row = PREPROCESSING[convention]
    turned = pixels[..., ::-1] if row.reverse_channels else pixels
    expected = (turned.astype(np.float64) - row.mean) * row.scale
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, preprocess(inputs, convention))
    np.testing.assert_allclose(np.asarray(model(pixels)), expected, rtol=1e-5, atol=1e-4)


def test_every_row_of_keras_is_in_the_comparison():
    assert set(APPLICATIONS) | {"efficientnet_lite0"} == set(BACKBONES)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_preprocessing_is_that_of_keras(name):
    theirs = importlib.import_module(f"keras.applications.{APPLICATIONS[name]}").preprocess_input
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 6, 5, 3)).astype(np.float32)
    inputs = keras.Input((None, None, 3))
    ours = keras.Model(inputs, preprocess(inputs, get_backbone(name).preprocessing))
    np.testing.assert_allclose(np.asarray(ours(pixels)), theirs(pixels.copy()), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("row", BACKBONES.values(), ids=lambda row: row.name)
def test_rows_build_as_they_say(row):
    network = build_backbone(row, weights=None)
    assert network.output_shape == (None, None, None, row.n_features)
    depths = [network.layers.index(network.get_layer(end.partition(".")[0])) for end in row.blocks]
    assert depths == sorted(depths)
    maps = [block_output(network, row, block) for block in row.block_names]
    assert all(len(each.shape) == 4 for each in maps)
    sides = keras.Model(network.input, maps).compute_output_shape((1, 96, 96, 3))
    heights = [shape[1] for shape in sides]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] >= 1
    smallest = network.compute_output_shape((1, row.min_size, row.min_size, 3))
    assert min(smallest[1:3]) >= 1


def test_pretrained_for_real():
    network = build_backbone(LITE, weights="imagenet", include_top=True)
    cat, espresso = (run(network, photograph(name), "lite")[0] for name in ("chelsea", "coffee"))
    assert cat.sum() == pytest.approx(1, abs=1e-4)
    assert set(np.argsort(cat)[-3:]) == CATS
    assert espresso.argmax() == ESPRESSO
    assert espresso[ESPRESSO] > 0.8


def test_wrong_preprocessing_would_be_noticed():
    network = build_backbone(LITE, weights="imagenet", include_top=True)
    right = run(network, photograph("coffee"), "lite")[0, ESPRESSO]
    assert run(network, photograph("coffee"), "caffe")[0, ESPRESSO] < right - 0.1


def test_with_and_without_top_are_one_network():
    pixels = photograph("chelsea")
    top = build_backbone(LITE, weights="imagenet", include_top=True)
    inner = keras.Model(top.input, top.get_layer("bn1_relu6").output)
    bare = build_backbone(LITE, weights="imagenet")
    np.testing.assert_allclose(run(bare, pixels, "lite"), run(inner, pixels, "lite"), atol=1e-4)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("block9", "layers: 'block9' is neither a block .*block7, last.* nor a layer of"),
        ("no_layer", "layers: 'no_layer' is neither a block"),
        ("avg_pool", "layers: 'avg_pool' of efficientnet_lite0 gives no feature map"),
    ],
)
def test_blocks_that_do_not_exist(block, message):
    network = build_backbone(LITE, weights=None, include_top=True)
    with pytest.raises(ValueError, match=message):
        block_output(network, LITE, block)


FIRST = "layers/conv2d/vars/0"  # Keras numbers the layers of a class


def tiny(filters=(4, 2)):
    inputs = x = keras.Input((None, None, 3))
    for number in filters:
        x = layers.Conv2D(number, 3)(x)
    return keras.Model(inputs, x, name="tiny")


@pytest.fixture
def saved(tmp_path):
    network, path = tiny(), tmp_path / "tiny.weights.h5"
    network.save_weights(path)
    return network, path


def test_weights_round_trip(saved):
    network, path = saved
    for given in (path, str(path)):
        loaded = load_weights(tiny(), given).get_weights()
        assert all(map(np.array_equal, loaded, network.get_weights()))


def refused(path, network=None):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load_weights(network or tiny(), path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_files_that_are_no_weights_are_refused(saved, tmp_path):
    network, path = saved
    whole = tmp_path / "whole.keras"
    network.save(whole)
    assert "can run code" in refused(whole)
    assert "does not exist" in refused(tmp_path / "missing.weights.h5")
    assert "no Keras weights file" in refused(tmp_path / "weights.npz")
    folder = tmp_path / "folder.h5"
    folder.mkdir()
    assert "is no file" in refused(folder)
    for name, content in {
        "empty.h5": b"",
        "text.weights.h5": b"not HDF5",
        "cut.weights.h5": path.read_bytes()[: path.stat().st_size // 2],
        "zip.h5": whole.read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert "no HDF5 file, or is damaged" in refused(tmp_path / name)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_network_are_refused(saved, tmp_path):
    _, path = saved
    assert "cannot be loaded into tiny" in refused(path, tiny((5, 2)))
    assert "cannot be loaded into tiny" in refused(path, tiny((4, 2, 3)))
    assert "it holds 4 arrays, tiny has 2" in refused(path, tiny((4,)))
    assert "cannot be loaded into" in refused(path, build_backbone(LITE, weights=None))


def test_hdf5_without_weights_is_refused(tmp_path):
    import h5py

    for name in ("none.weights.h5", "none.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file["other"] = np.zeros(3)
        refused(tmp_path / name)


def _external_link(file, other):
    import h5py

    del file[FIRST]
    file[FIRST] = h5py.ExternalLink(str(other), "secret")


def _soft_link(file, other):
    import h5py

    file["elsewhere"] = h5py.SoftLink(FIRST)


def _external_data(file, other):
    shape = file[FIRST].shape
    del file[FIRST]
    size = 4 * int(np.prod(shape))
    file.create_dataset(FIRST, shape=shape, dtype="f4", external=[(str(other), 0, size)])


def _virtual_data(file, other):
    import h5py

    shape = file[FIRST].shape
    del file[FIRST]
    layout = h5py.VirtualLayout(shape=shape, dtype="f4")
    layout[...] = h5py.VirtualSource(str(other), "secret", shape=shape)
    file.create_virtual_dataset(FIRST, layout)


@pytest.mark.parametrize("change", [_external_link, _soft_link, _external_data, _virtual_data])
def test_files_that_reach_into_others_are_refused(saved, tmp_path, change):
    import h5py

    _, path = saved
    other = tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros((3, 3, 3, 4), dtype="f4")
    with h5py.File(path, "r+") as file:
        change(file, other)
    refused(path)
