import numpy as np
import pytest
from skimage.color import rgb2hed

from skbreast.color import (
    STAIN_VECTORS,
    jitter_stain,
    optical_density_to_rgb,
    rgb_to_optical_density,
)

ALL_LEVELS = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)


def stains(patches):
    return rgb_to_optical_density(patches) @ np.linalg.inv(STAIN_VECTORS)


def test_known_densities():
    density = rgb_to_optical_density(np.array([255, 25.5, 2.55]))
    assert density.dtype == np.float32
    np.testing.assert_allclose(density, [0, 1, 2], atol=1e-6)


def test_black_stays_finite():
    np.testing.assert_allclose(rgb_to_optical_density(np.zeros((2, 3))), np.log10(255), rtol=1e-6)


def test_bytes_and_floats_agree():
    for background in (240.0, [250, 240, 230]):
        np.testing.assert_allclose(
            rgb_to_optical_density(ALL_LEVELS, background),
            rgb_to_optical_density(ALL_LEVELS.astype(float), background),
            atol=1e-6,
        )


@pytest.mark.parametrize("background", [255, 240.0, [250, 240, 230]])
def test_there_and_back(background):
    back = optical_density_to_rgb(rgb_to_optical_density(ALL_LEVELS, background), background)
    np.testing.assert_array_equal(back, np.maximum(ALL_LEVELS, 1))


def test_extreme_densities_are_clipped():
    assert optical_density_to_rgb([-100.0, 0.0, 100.0]).tolist() == [255, 255, 0]


def test_stain_vectors_are_ruifrok_and_johnston():
    assert STAIN_VECTORS.tolist() == [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]]
    with pytest.raises(ValueError, match="read-only"):
        STAIN_VECTORS[0, 0] = 1


def test_stains_are_those_of_scikit_image():
    # scikit-image counts in multiples of log(1e-6), and clips what is negative.
    expected = rgb2hed(ALL_LEVELS[0]) * 6
    found = np.maximum(stains(ALL_LEVELS[0]), 0)
    np.testing.assert_allclose(found[1:], expected[1:], atol=1e-5)


@pytest.mark.parametrize("bad", [np.zeros((4, 4)), np.float64(1), np.zeros((2, 4))])
def test_three_channels_are_needed(bad):
    with pytest.raises(ValueError, match="3 channels"):
        rgb_to_optical_density(bad)
    with pytest.raises(ValueError, match="3 channels"):
        optical_density_to_rgb(bad)


@pytest.mark.parametrize("background", [0, -1, [255, 255], [255, 0, 255], np.nan])
def test_background_must_be_positive(background):
    with pytest.raises(ValueError, match="background must be"):
        rgb_to_optical_density(np.ones(3), background)


# --- jitter -------------------------------------------------------------------------------------

NONE = {"stain_sigma": 0, "stain_shift": 0, "brightness": 0, "contrast": 0}


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(60, 250, (50, 12, 10, 3), dtype=np.uint8)


def test_no_strength_changes_nothing(patches):
    np.testing.assert_array_equal(jitter_stain(patches, np.random.default_rng(0), **NONE), patches)
    levels = jitter_stain(ALL_LEVELS, np.random.default_rng(0), **NONE)
    np.testing.assert_array_equal(levels, np.maximum(ALL_LEVELS, 1))


def test_same_generator_same_patches(patches):
    before = patches.copy()
    first = jitter_stain(patches, np.random.default_rng(1))
    np.testing.assert_array_equal(first, jitter_stain(patches, np.random.default_rng(1)))
    assert (first != jitter_stain(patches, np.random.default_rng(2))).any()
    assert first.dtype == np.uint8
    assert first.shape == patches.shape
    np.testing.assert_array_equal(patches, before)


def test_views_with_strides(patches):
    flipped = patches[::-1, :, ::-1]
    np.testing.assert_array_equal(
        jitter_stain(flipped, np.random.default_rng(1)),
        jitter_stain(flipped.copy(), np.random.default_rng(1)),
    )


def test_chunks_do_not_show(patches, monkeypatch):
    whole = jitter_stain(patches, np.random.default_rng(1))
    monkeypatch.setattr("skbreast.color._density_maps._CHUNK_BYTES", 1)
    np.testing.assert_array_equal(whole, jitter_stain(patches, np.random.default_rng(1)))


def test_each_patch_has_its_own_draw():
    same = np.full((200, 2, 2, 3), [180, 120, 170], dtype=np.uint8)
    jittered = jitter_stain(same, np.random.default_rng(0))
    assert (jittered == jittered[:, :1, :1]).all()
    assert len(np.unique(jittered[:, 0, 0], axis=0)) > 150
    np.testing.assert_allclose(jittered.mean(axis=(0, 1, 2)), [180, 120, 170], atol=2)


def scales_and_shifts(before, after):
    """Fit, for each patch and stain, after = scale * before + shift."""
    before, after = (stains(each).reshape(len(each), -1, 3) for each in (before, after))
    spread = before - before.mean(axis=1, keepdims=True)
    scale = (spread * after).sum(axis=1) / np.square(spread).sum(axis=1)
    return scale, after.mean(axis=1) - scale * before.mean(axis=1)


def test_stains_are_scaled_within_bounds(patches):
    after = jitter_stain(patches, np.random.default_rng(0), **{**NONE, "stain_sigma": 0.2})
    scale, shift = scales_and_shifts(patches, after)
    assert scale.min() > 0.79
    assert scale.max() < 1.21
    assert np.ptp(scale) > 0.3
    assert np.abs(np.corrcoef(scale.T)[np.triu_indices(3, 1)]).max() < 0.5
    assert np.abs(shift).max() < 0.02


def test_stains_are_shifted_within_bounds(patches):
    after = jitter_stain(patches, np.random.default_rng(0), **{**NONE, "stain_shift": 0.02})
    scale, shift = scales_and_shifts(patches, after)
    np.testing.assert_allclose(scale, 1, atol=0.02)
    assert 0.015 < np.abs(shift).max() < 0.03


def test_brightness_multiplies_the_light():
    grey = np.full((100, 4, 4, 3), 200, dtype=np.uint8)
    after = jitter_stain(grey, np.random.default_rng(0), **{**NONE, "brightness": 0.1})
    assert 180 <= after.min() < 184
    assert 216 < after.max() <= 220
    assert (after[..., 0] == after[..., 2]).all()


def test_contrast_keeps_white():
    white = np.full((100, 4, 4, 3), 255, dtype=np.uint8)
    after = jitter_stain(white, np.random.default_rng(0), **{**NONE, "contrast": 0.5})
    assert (after == 255).all()


def test_empty_batch():
    empty = np.zeros((0, 8, 8, 3), np.uint8)
    assert jitter_stain(empty, np.random.default_rng(0)).shape == (0, 8, 8, 3)


def test_bad_arguments(patches):
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator, got int"):
        jitter_stain(patches, 0)
    with pytest.raises(TypeError, match="uint8, got float64"):
        jitter_stain(patches / 255, rng)
    with pytest.raises(ValueError, match=r"\(n_patches, height, width, 3\)"):
        jitter_stain(patches[0], rng)
    with pytest.raises(ValueError, match="stain_sigma must be"):
        jitter_stain(patches, rng, stain_sigma=-0.1)
    with pytest.raises(ValueError, match="brightness must be"):
        jitter_stain(patches, rng, brightness=1)
