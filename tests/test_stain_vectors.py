"""Stains are found where they are known: in pictures that were mixed from them."""

import numpy as np
import pytest
from skimage.color import hed_from_rgb, rgb2lab, separate_stains
from sklearn.decomposition import DictionaryLearning

from skbreast.color import (
    MACENKO_REFERENCE,
    STAIN_VECTORS,
    Stains,
    exchange_stains,
    has_stain,
    macenko_stains,
    mix_stains,
    rgb_to_optical_density,
    stain_concentrations,
    vahadane_stains,
)
from skbreast.color._color_spaces import COLOR_SPACES, from_response, to_response
from skbreast.color._densities import masked_percentiles, row_percentiles, second_moments
from skbreast.datasets import load_idc, make_patches
from skbreast.reading import read_patches

METHODS = {"macenko": macenko_stains, "vahadane": vahadane_stains}
PAIRS = {
    "Ruifrok": STAIN_VECTORS[:2],
    "Macenko": MACENKO_REFERENCE.vectors[0],
    "far apart": [[0.70, 0.60, 0.20], [0.05, 0.90, 0.40]],
    "close together": [[0.55, 0.72, 0.42], [0.30, 0.85, 0.43]],
}


def unit(vectors):
    vectors = np.asarray(vectors, dtype=float)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def degrees(first, second):
    return np.degrees(np.arccos(np.clip((unit(first) * unit(second)).sum(axis=-1), -1, 1)))


@pytest.fixture
def amounts():
    """Nuclei, of haematoxylin alone, on eosin; a little of both in between; a fifth empty."""
    rng = np.random.default_rng(0)
    amounts = np.zeros((6, 48, 48, 2))
    kind = rng.choice(4, size=(6, 48, 48), p=[0.3, 0.4, 0.1, 0.2])
    amounts[..., 0] = np.where(kind == 0, rng.uniform(0.4, 0.9, kind.shape), 0)
    amounts[..., 1] = np.where(kind == 1, rng.uniform(0.2, 0.5, kind.shape), 0)
    amounts[kind == 2] = rng.uniform(0.2, 0.4, (np.count_nonzero(kind == 2), 2))
    return amounts


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("background", [240, 255])
def test_known_stains_are_recovered_within_three_degrees(amounts, method, pair, background):
    patches = mix_stains(amounts, unit(PAIRS[pair]), background=background)
    found = METHODS[method](patches, background=background)
    assert degrees(found.vectors, PAIRS[pair]).max() < 3
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=2), 1, rtol=1e-6)
    expected = np.percentile(amounts.reshape(6, -1, 2), 99, axis=1)
    np.testing.assert_allclose(found.strengths, expected, rtol=0.15)


@pytest.mark.parametrize("method", METHODS)
def test_noise_and_size_hardly_matter(amounts, method):
    patches = mix_stains(amounts, unit(STAIN_VECTORS[:2]), background=240)
    noise = np.random.default_rng(1).normal(0, 3, patches.shape)
    noisy = np.clip(np.rint(patches + noise), 0, 255).astype(np.uint8)
    assert degrees(METHODS[method](noisy).vectors, STAIN_VECTORS[:2]).max() < 6
    small = METHODS[method](patches[:, ::2, ::3])
    assert degrees(small.vectors, METHODS[method](patches).vectors).max() < 3


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_each_patch_by_itself(amounts, method):
    patches = mix_stains(amounts, unit(STAIN_VECTORS[:2]))
    patches[1] = 245
    alone = [METHODS[method](patch[None]) for patch in patches]
    for all_together, by_itself in zip(
        METHODS[method](patches), zip(*alone, strict=True), strict=True
    ):
        np.testing.assert_allclose(all_together, np.concatenate(by_itself), rtol=1e-5, atol=1e-6)


def test_vahadane_is_scikit_learns_dictionary_learning(amounts):
    patches = mix_stains(amounts[:2, :24, :24], unit([[0.6, 0.7, 0.35], [0.2, 0.9, 0.3]]))
    sparsity = 0.1
    for patch, found in zip(patches, vahadane_stains(patches, background=255).vectors, strict=True):
        density = rgb_to_optical_density(patch.reshape(-1, 3)).astype(np.float64)
        density = density[density.min(axis=1) >= 0.01]
        start = unit(STAIN_VECTORS[:2])
        model = DictionaryLearning(
            2,
            alpha=sparsity / np.log(10),
            fit_algorithm="cd",
            positive_code=True,
            positive_dict=True,
            dict_init=start,
            code_init=np.maximum(density @ np.linalg.pinv(start), 0),
            max_iter=300,
            tol=1e-8,
        ).fit(density)
        assert degrees(found, model.components_).max() < 0.5


def test_concentrations_are_those_of_scikit_image():
    patches = make_patches(2, 2, random_state=0).data
    found = stain_concentrations(patches, STAIN_VECTORS)
    # scikit-image counts in multiples of log10(1e-6), clips at 0, and floors light at 1e-6.
    for patch, ours in zip(patches, found, strict=True):
        expected = separate_stains(np.maximum(patch, 1), hed_from_rgb) * 6
        np.testing.assert_allclose(np.maximum(ours, 0), expected, atol=1e-5)


@pytest.mark.parametrize("vectors", [STAIN_VECTORS, STAIN_VECTORS[:2]])
def test_mixing_and_taking_apart_are_inverse(vectors):
    rng = np.random.default_rng(0)
    amounts = rng.uniform(0, 0.4, (3, 5, 4, len(vectors)))
    back = stain_concentrations(mix_stains(amounts, vectors), vectors)
    np.testing.assert_allclose(back, amounts, atol=0.03)
    each = stain_concentrations(mix_stains(amounts, vectors), np.tile(vectors, (3, 1, 1)))
    np.testing.assert_array_equal(each, back)


# --- exchange -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_exchanged_stains_are_those_of_the_target(amounts, method):
    patches = mix_stains(amounts, unit(STAIN_VECTORS[:2]), background=240)
    target = Stains(unit([[[0.55, 0.75, 0.40], [0.20, 0.85, 0.45]]]), np.array([[0.7, 0.4]]))
    changed = exchange_stains(patches, METHODS[method](patches), target)
    after = METHODS[method](changed)
    assert degrees(after.vectors, target.vectors).max() < 2
    np.testing.assert_allclose(after.strengths, np.tile(target.strengths, (6, 1)), rtol=0.05)
    # how much of each stain a pixel holds is kept, up to the scale
    kept = stain_concentrations(changed, target.vectors[0], background=240)
    for stain in range(2):
        assert np.corrcoef(kept[..., stain].ravel(), amounts[..., stain].ravel())[0, 1] > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_brought_to_itself_stays(real_data, method):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    patches = read_patches(idc.data[::100])
    stains = METHODS[method](patches)
    for row in np.flatnonzero(np.isfinite(stains.strengths[:, 0])):
        own = Stains(stains.vectors[row : row + 1], stains.strengths[row : row + 1])
        same = exchange_stains(patches[row : row + 1], own, own)
        assert np.abs(same.astype(int) - patches[row]).mean() < 0.05


def test_the_residual_can_be_lost_as_in_the_paper(amounts):
    patches = mix_stains(amounts, unit(STAIN_VECTORS[:2]), background=240)
    stains = macenko_stains(patches)
    flat = exchange_stains(patches, stains, MACENKO_REFERENCE, keep_residual=False)
    density = rgb_to_optical_density(flat, background=240)
    normal = np.cross(*MACENKO_REFERENCE.vectors[0])
    outside = density @ (normal / np.linalg.norm(normal))
    assert np.abs(outside).max() < 0.02  # what rounding leaves of it


def test_what_cannot_be_measured_stays(amounts):
    patches = mix_stains(amounts, unit(STAIN_VECTORS[:2]))
    patches[0], patches[3] = 250, 0
    changed = exchange_stains(patches, macenko_stains(patches), MACENKO_REFERENCE)
    np.testing.assert_array_equal(changed[[0, 3]], patches[[0, 3]])
    assert (changed[1] != patches[1]).any()


# --- what can be measured -------------------------------------------------------------------------

INKS = {"green": (20, 120, 60), "blue": (30, 90, 220), "black": (30, 30, 35), "cyan": (0, 150, 180)}


@pytest.mark.parametrize("ink", INKS)
def test_ink_is_no_stain(ink):
    patches = make_patches(5, 2, random_state=0).data
    assert has_stain(patches).all()
    inked = 0.15 * patches + 0.85 * np.array(INKS[ink])  # a pen's stroke, nearly opaque
    assert not has_stain(np.rint(inked).astype(np.uint8)).any()


def test_real_patches_have_stain_but_for_background_and_fat(real_data):
    patches = read_patches(load_idc(real_data / "IDC_regular_ps50_idx5").data[::10])
    has = has_stain(patches)
    assert has.mean() > 0.95
    assert patches[~has].mean() > 200  # pale: background, or fat


def test_reinhards_space_is_the_papers():
    rgb = np.array([100, 150, 200]) / 255
    cones = [
        0.3811 * rgb[0] + 0.5783 * rgb[1] + 0.0402 * rgb[2],
        0.1967 * rgb[0] + 0.7244 * rgb[1] + 0.0782 * rgb[2],
        0.0241 * rgb[0] + 0.1288 * rgb[1] + 0.8444 * rgb[2],
    ]
    long, medium, short = np.log10(cones)
    expected = [
        (long + medium + short) / 3**0.5,
        (long + medium - 2 * short) / 6**0.5,
        (long - medium) / 2**0.5,
    ]
    space = COLOR_SPACES["lalphabeta"]
    pixel = np.full((1, 1, 1, 3), [100, 150, 200], dtype=np.uint8)
    found = space.axes @ to_response(pixel, space)[0, :, 0] + space.origin
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_cielab_is_scikit_images():
    patches = np.random.default_rng(0).integers(0, 256, (2, 9, 7, 3), dtype=np.uint8)
    space = COLOR_SPACES["lab"]
    found = space.axes @ to_response(patches, space) + space.origin[:, None]
    expected = rgb2lab(patches).reshape(2, 63, 3).swapaxes(1, 2)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    back = from_response(to_response(patches, space), space)
    np.testing.assert_array_equal(back.reshape(patches.shape), patches)


# --- the arithmetic -------------------------------------------------------------------------------


def test_percentiles_are_numpys():
    values = np.random.default_rng(0).normal(size=(7, 60)).astype(np.float32)
    mask = np.random.default_rng(1).random((7, 60)) < 0.4
    expected = [
        np.percentile(row[keep], [1, 50, 99]) for row, keep in zip(values, mask, strict=True)
    ]
    np.testing.assert_allclose(masked_percentiles(values, mask, [1, 50, 99]), expected, atol=1e-5)
    for n, percentile in ((60, 99), (51, 98), (1, 99), (2, 0), (5, 100)):
        np.testing.assert_allclose(
            row_percentiles(values[:, :n], percentile),
            np.percentile(values[:, :n], percentile, axis=1),
            atol=1e-5,
        )


def test_second_moments_are_products():
    planes = np.random.default_rng(0).normal(size=(4, 3, 50)).astype(np.float32)
    np.testing.assert_allclose(
        second_moments(planes), planes @ planes.swapaxes(1, 2), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("function", [macenko_stains, vahadane_stains, has_stain])
def test_other_than_uint8_rgb_is_refused(function):
    with pytest.raises(TypeError, match="uint8"):
        function(np.zeros((2, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"\(n_patches, height, width, 3\)"):
        function(np.zeros((2, 8, 8), dtype=np.uint8))
