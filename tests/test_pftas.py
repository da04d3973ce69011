"""Threshold adjacency statistics: known answers, and the same as mahotas."""

import numpy as np
import pytest

from skbreast.datasets import load_idc, make_patches
from skbreast.reading import read_patches
from skbreast.texture import PFTASFeatures, pftas_features

mahotas_features = pytest.importorskip("mahotas.features")


def by_mahotas(patches):
    channels = np.moveaxis(patches, 3, 1)
    return np.array(
        [
            np.concatenate([mahotas_features.pftas(np.ascontiguousarray(c)) for c in patch])
            for patch in channels
        ]
    )


def assert_as_mahotas(patches):
    np.testing.assert_allclose(pftas_features(patches), by_mahotas(patches), atol=1e-6)


def named(patches):
    features = PFTASFeatures().fit(patches)
    return dict(zip(features.get_feature_names_out(), features.transform(patches)[0], strict=True))


def test_a_square_by_hand():
    """A bright square of 2x2 in 6x6: its corners touch 4 pixels outside once, its sides 8 twice."""
    patch = np.zeros((1, 6, 6, 1), dtype=np.uint8)
    patch[0, 2:4, 2:4] = 100
    found = named(patch)
    outside = [found[f"pftas_channel0_above_low_{count}of8"] * 32 for count in range(9)]
    np.testing.assert_allclose(outside, [20, 4, 8, 0, 0, 0, 0, 0, 0], atol=1e-5)
    inside = [found[f"pftas_channel0_not_above_low_{count}of8"] for count in range(9)]
    np.testing.assert_allclose(inside, [0, 0, 0, 0, 0, 1, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("n_levels", [2, 3, 16, 256])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1), (2, 2), (3, 3), (7, 12), (31, 20)])
def test_random_patches_as_mahotas(shape, n_levels):
    random = np.random.default_rng(n_levels)
    patches = random.integers(0, n_levels, size=(20, *shape, 3), dtype=np.uint8)
    assert_as_mahotas(patches * np.uint8(255 // (n_levels - 1)))


def test_plain_patches_as_mahotas():
    patches = np.arange(256, dtype=np.uint8)[:, None, None, None] * np.ones((5, 4, 1), np.uint8)
    assert np.isfinite(pftas_features(patches)).all()
    assert_as_mahotas(patches)


def test_synthetic_patches_as_mahotas():
    assert_as_mahotas(make_patches(4, 4, patch_size=40, random_state=0).data)


def test_real_patches_as_mahotas(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    assert_as_mahotas(read_patches(idc.data[::50], size=(50, 50)))


def test_names():
    patches = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    features = PFTASFeatures().fit(patches)
    names = features.get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == features.transform(patches).shape[1] == 162
    assert names[0] == "pftas_red_near_mean_0of8"
    assert names[54 + 9] == "pftas_green_above_low_0of8"
    assert names[-1] == "pftas_blue_not_above_mean_8of8"
    assert features.fit(patches[..., :2]).transform(patches[..., :2]).shape == (1, 108)


def test_other_scales_and_shapes_are_refused():
    patches = np.array([0, 255] * 8, dtype=np.uint8).reshape(1, 4, 4, 1)
    with pytest.raises(ValueError, match="multiply what was scaled to 0…1 by 255"):
        pftas_features(patches / 255)
    with pytest.raises(ValueError, match="at least one pixel and channel"):
        pftas_features(patches[0])
