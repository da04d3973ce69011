"""The table of networks: complete, consistent, immutable. What Keras makes of it: test_keras_*."""

import dataclasses

import numpy as np
import pytest

from skbreast.registry import (
    BACKBONES,
    PREPROCESSING,
    Backbone,
    check_side,
    check_weights,
    get_backbone,
    list_backbones,
)

PROMISED = {
    "efficientnet_lite0",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_v2_b0",
    "densenet121",
    "densenet169",
    "densenet201",
    "resnet50",
    "resnet50_v2",
    "convnext_tiny",
    "xception",
    "vgg16",
}


def test_promised_backbones_are_there():
    assert set(list_backbones()) >= PROMISED
    assert list_backbones()[0] == "efficientnet_lite0"


@pytest.mark.parametrize("row", BACKBONES.values(), ids=str)
def test_rows_are_consistent(row):
    assert get_backbone(row.name) is row
    assert row.preprocessing in PREPROCESSING
    assert row.licence
    assert row.min_size <= row.input_size
    assert row.n_features > 0
    assert len(set(row.blocks)) == len(row.blocks) >= 3
    assert row.block_names[0] == "block1"
    assert row.block_names[-1] == "last"
    assert len(row.block_names) == len(row.blocks) + 1
    assert row.middle_blocks
    assert set(row.middle_blocks) < set(row.block_names)
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.name = "other"


def test_middle_blocks_by_hand():
    eight = Backbone("x", "X", tuple("abcdefg"), "raw", 1, "MIT")
    assert eight.middle_blocks == ("block3", "block4", "block5", "block6")
    four = Backbone("x", "X", tuple("abc"), "raw", 1, "MIT")
    assert four.middle_blocks == ("block2", "block3")


def test_only_the_default_is_packaged():
    assert [name for name, row in BACKBONES.items() if row.packaged] == ["efficientnet_lite0"]


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("raw", [0, 127.5, 255]),
        ("tf", [-1, 0, 1]),
        ("lite", [-127 / 128, 0.5 / 128, 1]),
        ("torch", [-2.117904, 0.196429, 2.64]),
        ("caffe", [255 - 103.939, 127.5 - 116.779, -123.68]),
    ],
)
def test_preprocessing_by_hand(convention, expected):
    row = PREPROCESSING[convention]
    pixel = np.array([0, 127.5, 255])[:: -1 if row.reverse_channels else 1]
    np.testing.assert_allclose((pixel - row.mean) * row.scale, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "", None, 3, "DenseNet121"])
def test_unknown_backbone(name):
    with pytest.raises(ValueError, match=r"net must be one of 'efficientnet_lite0'.*; got"):
        get_backbone(name, argument="net")


def test_weights_are_a_name_or_a_path(tmp_path):
    for weights in (None, "imagenet", "a.weights.h5", tmp_path):
        assert check_weights(weights, words=("imagenet",)) is weights
    for weights in (5, "auto"):
        with pytest.raises(ValueError, match=r"weights must be 'imagenet', None, .*; got ['a5]"):
            check_weights(weights, words=("imagenet",))


def test_sides_below_the_smallest_are_refused():
    check_side(BACKBONES["xception"], (71, 200))
    with pytest.raises(ValueError, match=r"input_size: xception takes .* at least 71 .* 200 x 70"):
        check_side(BACKBONES["xception"], (200, 70))
