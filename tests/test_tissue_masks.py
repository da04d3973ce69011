"""Masks of tissue, blur and ink: known answers, real patches, and what never must crash."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from skimage.measure import blur_effect

from skbreast.datasets import make_patches
from skbreast.reading import read_patches
from skbreast.tissue import (
    TissueFilter,
    blur_score,
    ink_fraction,
    tissue_fraction,
    tissue_mask,
    tissue_threshold,
)
from skbreast.tissue._masks import count_levels

GLASS, STROMA, NUCLEUS = (243, 241, 244), (225, 160, 200), (80, 55, 130)
INKS = {"blue": (15, 35, 135), "green": (12, 98, 54), "red": (196, 25, 34), "black": (20, 20, 25)}


def flat(*colours, side=20):
    return np.array(colours, dtype=np.uint8)[:, None, None].repeat(side, 1).repeat(side, 2)


def blurred(patches, sigma):
    return np.rint(gaussian_filter(patches.astype(np.float32), (0, sigma, sigma, 0))).astype("u1")


def idc(real_data, n):
    paths = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))
    return read_patches(np.array(paths[:: len(paths) // n], dtype=object), size=(50, 50))


def breakhis(real_data, n):
    paths = sorted((real_data / "BreaKHis_v1").rglob("200X/*.png"))
    return read_patches(np.array(paths[:: len(paths) // n], dtype=object))


@pytest.mark.parametrize("method", ["otsu", "saturation"])
def test_tissue_is_told_from_glass(method):
    patches = flat(GLASS, STROMA, NUCLEUS, GLASS)
    patches[3, :5] = STROMA
    assert tissue_fraction(patches, method=method).tolist() == [0, 1, 1, 0.25]
    mask = tissue_mask(patches, method=method)
    assert mask.dtype == bool
    assert mask.shape == (4, 20, 20)
    assert mask[3, :5].all()


@pytest.mark.parametrize("method", ["otsu", "saturation"])
@pytest.mark.parametrize(("colour", "expected"), [(GLASS, 0), (STROMA, 1), (NUCLEUS, 1)])
def test_noise_on_one_kind_is_not_cut_in_half(method, colour, expected):
    noise = np.random.default_rng(0).normal(colour, 2, size=(3, 50, 50, 3))
    fractions = tissue_fraction(np.clip(noise.round(), 0, 255).astype("u1"), method=method)
    np.testing.assert_allclose(fractions, expected, atol=0.01)


def test_black_padding_is_neither_tissue_nor_ink():
    black = flat((0, 0, 0), (10, 10, 10))
    assert tissue_fraction(black).tolist() == [0, 0]
    assert ink_fraction(black).tolist() == [0, 0]


def test_grey_shadow_has_no_saturation():
    assert tissue_fraction(flat((150, 150, 150)), method="saturation").item() == 0


def test_thresholds_are_those_of_scikit_image():
    patches = make_patches(n_patients=3, random_state=0).data
    darkness = np.minimum(255 - patches[..., 1], 64)
    single = np.array([threshold_otsu(each) for each in darkness])
    expected = darkness > np.clip(single, 26, 48)[:, None, None]
    np.testing.assert_array_equal(tissue_mask(patches), expected)
    pooled = threshold_otsu(darkness)
    assert 26 <= pooled <= 48
    assert tissue_threshold(patches) == pytest.approx(pooled / 255)


def test_one_threshold_for_all():
    patches = flat((255, 205, 255), (255, 204, 255), (255, 203, 255))
    assert tissue_fraction(patches, threshold=51 / 255).tolist() == [0, 0, 1]
    learned = tissue_threshold(flat(GLASS, NUCLEUS))
    assert tissue_fraction(flat(GLASS, NUCLEUS), threshold=learned).tolist() == [0, 1]


def test_many_patches_are_measured_as_each_alone():
    patches = make_patches(n_patients=8, random_state=0).data  # several blocks
    for function in (tissue_fraction, blur_score, ink_fraction):
        alone = np.concatenate([function(patches[row : row + 1]) for row in range(len(patches))])
        np.testing.assert_allclose(function(patches), alone, rtol=1e-5)


def test_histograms_count_every_pixel():
    counts = count_levels(flat(GLASS, NUCLEUS), "otsu")
    assert counts[0, 255 - GLASS[1]] == counts[1, 64] == 400
    assert counts.sum() == 800


def test_no_patches_give_no_results():
    none = np.zeros((0, 20, 30, 3), dtype=np.uint8)
    assert tissue_mask(none).shape == (0, 20, 30)
    assert tissue_fraction(none).shape == blur_score(none).shape == ink_fraction(none).shape == (0,)


@pytest.mark.parametrize("function", [tissue_mask, tissue_threshold, blur_score, ink_fraction])
def test_other_arrays_are_refused(function):
    with pytest.raises(TypeError, match="uint8, got float64"):
        function(np.zeros((1, 4, 4, 3)))
    with pytest.raises(TypeError, match="got list"):
        function([1])
    for shape in [(4, 4, 3), (1, 4, 4, 1), (1, 0, 4, 3)]:
        with pytest.raises(ValueError, match="must have the shape"):
            function(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("wrong", [{"method": "hsv"}, {"threshold": 2}, {"threshold": "0.1"}])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        tissue_mask(flat(GLASS), **wrong)


def test_blur_grows_with_the_filter():
    sharp = make_patches(n_patients=2, random_state=0).data
    scores = [blur_score(sharp), *(blur_score(blurred(sharp, sigma)) for sigma in (1, 2, 4))]
    assert (np.diff(scores, axis=0) > 0).all()
    assert scores[3].min() > 0.7


def test_blur_of_a_slope_a_flat_patch_and_a_tiny_one():
    slope = np.arange(0, 240, 4, dtype=np.uint8)[None, None, :, None].repeat(60, 1).repeat(3, 3)
    assert blur_score(slope).item() == pytest.approx(1, abs=0.01)
    assert blur_score(flat(STROMA)).item() == 1
    assert blur_score(flat(STROMA, side=15)).item() == 0


def test_blur_hangs_on_neither_contrast_nor_light():
    sharp = make_patches(n_patients=2, random_state=0).data
    pale = np.rint(255 - (255 - sharp.astype(float)) / 3).astype(np.uint8)
    np.testing.assert_allclose(blur_score(pale), blur_score(sharp), atol=0.02)


def test_blur_finds_what_scikit_image_finds_and_more(real_data):
    sharp = idc(real_data, 150)
    soft, grey = blurred(sharp, 2), lambda patch: patch @ np.array([0.299, 0.587, 0.114])
    crete = [[blur_effect(grey(patch)) for patch in patches] for patches in (sharp, soft)]
    ours = [blur_score(sharp), blur_score(soft)]
    missed = [np.mean(after <= np.quantile(before, 0.99)) for before, after in (ours, crete)]
    assert missed[0] <= missed[1] <= 0.1
    assert missed[0] == 0


@pytest.mark.parametrize("ink", INKS.values(), ids=INKS)
def test_ink_is_seen(ink):
    patches = flat(STROMA, NUCLEUS)
    patches[:, :5] = ink
    assert ink_fraction(patches).tolist() == [0.25, 0.25]


def test_stains_are_no_ink():
    # haematoxylin and eosin in any mixture, by Ruifrok's vectors
    amounts = np.random.default_rng(0).uniform(0, 1.2, size=(1, 60, 60, 2))
    density = amounts @ np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])
    assert ink_fraction(np.rint(255 * 10**-density).astype(np.uint8)).item() == 0


def test_real_patches_carry_no_ink(real_data):
    assert (ink_fraction(idc(real_data, 700)) > 0.1).mean() < 0.005  # some do carry ink
    assert ink_fraction(breakhis(real_data, 40)).max() < 0.02
    ucsb = sorted((real_data / "ucsb_folders").rglob("*.jpg"))
    assert ink_fraction(read_patches(ucsb)).max() < 0.1  # the bluest nuclei


def hostile_patches():
    levels = st.sampled_from([0, 1, 10, 11, 127, 254, 255])
    kinds = st.sampled_from(["noise", "constant", "extremes", "one channel 0", "one pixel", "pale"])
    sides = st.integers(1, 40)
    return st.builds(draw_patch, kinds, sides, sides, st.tuples(levels, levels, levels),
                     st.integers(0, 2**32 - 1))  # fmt: skip


def draw_patch(kind, height, width, colour, seed):
    rng = np.random.default_rng(seed)
    patch = np.empty((2, height, width, 3), dtype=np.uint8)
    patch[...] = colour
    if kind in ("noise", "one channel 0"):
        patch[...] = rng.integers(256, size=patch.shape)
    if kind == "extremes":
        patch[...] = 255 * rng.integers(2, size=patch.shape)
    if kind == "pale":
        patch[...] = rng.integers(225, 256, size=patch.shape)
    if kind == "one channel 0":
        patch[..., rng.integers(3)] = 0
    if kind == "one pixel":
        patch[0, rng.integers(height), rng.integers(width)] = rng.integers(256, size=3)
    return patch


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(hostile_patches(), st.sampled_from(["otsu", "saturation"]))
def test_nothing_crashes(patches, method):
    mask = tissue_mask(patches, method=method)
    assert mask.shape == patches.shape[:3]
    assert 0 < tissue_threshold(patches, method=method) < 0.2
    measured = np.stack(
        [tissue_fraction(patches, method=method), blur_score(patches), ink_fraction(patches)]
    )
    assert measured.shape == (3, 2)
    assert np.isfinite(measured).all()
    assert measured.min() >= 0
    assert measured.max() <= 1
    report = TissueFilter(method=method).fit(patches).report(patches)
    assert set(report.verdict) <= {"tissue", "background", "blur", "ink"}
    assert sum(report.counts.values()) == len(report) == 2
    assert np.isfinite(report.limits["max_blur"])
    assert str(report)
