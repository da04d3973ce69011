"""Gabor energies: a grating answers at its own wavelength; the same as scikit-image's filters."""

import numpy as np
import pytest
from skimage.filters import gabor

from skbreast.datasets import make_patches
from skbreast.texture import TextureFeatures, texture_features
from skbreast.texture._gabor import gabor_energies

WAVELENGTHS = [3, 4, 6, 8, 12, 16]


def grating(wavelength, angle, size=64):
    down, right = np.mgrid[:size, :size]
    along = right * np.cos(angle) + down * np.sin(angle)
    return np.rint(127 + 100 * np.sin(2 * np.pi * along / wavelength)).astype(np.uint8)


def energies_by_scikit_image(image, wavelength):
    # mirrored by hand: scipy.ndimage.convolve errs where a kernel is many times the image
    margin = 3 * int(np.ceil(wavelength))
    mirrored = np.pad(image - image.mean(), margin, mode="symmetric")
    inside = (slice(margin, -margin),) * 2
    moments = []
    for angle in np.arange(4) * np.pi / 4:
        real, imaginary = gabor(mirrored, 1 / wavelength, theta=angle)
        magnitudes = np.hypot(real, imaginary)[inside]
        moments.append([magnitudes.mean(), magnitudes.std()])
    return np.mean(moments, axis=0)


@pytest.mark.parametrize("wavelength", WAVELENGTHS)
@pytest.mark.parametrize("angle", [0, np.pi / 4, np.pi / 2])
def test_a_grating_answers_most_at_its_own_wavelength(wavelength, angle):
    patch = grating(wavelength, angle)[None]
    answers = [gabor_energies(patch, each)[0, 0] for each in WAVELENGTHS]
    assert WAVELENGTHS[int(np.argmax(answers))] == wavelength


def test_a_plane_wave_answers_with_half_its_amplitude_in_one_of_four_directions():
    """Of 100 levels: 50 along the wave, next to nothing in other directions."""
    mean, deviation = gabor_energies(grating(8, 0, size=320)[None], 8)[0]
    assert mean == pytest.approx(50 / 4, rel=0.05)
    assert deviation < 2  # at the border


@pytest.mark.parametrize("shape", [(50, 50), (20, 33), (3, 2), (1, 5), (1, 1)])
@pytest.mark.parametrize("wavelength", [2, 3.5, 8])
def test_the_same_as_scikit_image(shape, wavelength):
    images = np.random.default_rng(0).integers(0, 256, size=(3, *shape), dtype=np.uint8)
    expected = [energies_by_scikit_image(image.astype(float), wavelength) for image in images]
    np.testing.assert_allclose(gabor_energies(images, wavelength), expected, rtol=1e-5, atol=1e-4)


def test_features_are_those_of_the_planes():
    patches = make_patches(2, 2, patch_size=32, random_state=0).data[..., :1]
    parameters = {"gabor_wavelengths": [4, 6.5]}
    features = TextureFeatures(**parameters).fit(patches)
    plain, found = texture_features(patches), texture_features(patches, **parameters)
    np.testing.assert_array_equal(found[:, : plain.shape[1]], plain)
    expected = np.hstack([gabor_energies(patches[..., 0], wavelength) for wavelength in (4, 6.5)])
    np.testing.assert_allclose(found[:, plain.shape[1] :], expected, rtol=1e-6)
    np.testing.assert_array_equal(features.transform(patches), found)
    assert features.get_feature_names_out()[plain.shape[1] :].tolist() == [
        "gabor_grey_wavelength4_mean",
        "gabor_grey_wavelength4_std",
        "gabor_grey_wavelength6.5_mean",
        "gabor_grey_wavelength6.5_std",
    ]


def test_names_stand_beside_their_planes():
    patches = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    features = TextureFeatures(gabor_wavelengths=[4]).fit(patches)
    names = features.get_feature_names_out().tolist()
    assert len(names) == features.transform(patches).shape[1] == 3 * (30 + 26 + 2)
    assert names[56:58] == ["gabor_grey_wavelength4_mean", "gabor_grey_wavelength4_std"]
    assert names[58].startswith("lbp_haematoxylin")


def test_brightness_is_no_answer_and_turning_changes_nothing():
    plain = np.full((1, 20, 20), 200, dtype=np.uint8)
    np.testing.assert_array_equal(gabor_energies(plain, 4), 0)
    patch = np.random.default_rng(0).integers(0, 100, size=(24, 24), dtype=np.uint8)
    turned = np.stack([patch, patch + np.uint8(100), patch[::-1], patch.T, np.rot90(patch)])
    found = gabor_energies(turned, 5)
    np.testing.assert_allclose(found[1:], found[[0] * 4], rtol=1e-4)


@pytest.mark.parametrize(
    ("wavelengths", "message"),
    [
        ([1.5], "Each of gabor_wavelengths must be a number at least 2 and at most 64; got 1.5"),
        ([4, 4], "gabor_wavelengths must be a sequence of different numbers; got"),
        (4, "gabor_wavelengths must be a sequence of different numbers; got 4"),
    ],
)
def test_wavelengths_out_of_range_are_refused(wavelengths, message):
    patches = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=message):
        texture_features(patches, gabor_wavelengths=wavelengths)
    with pytest.raises(ValueError, match=message):
        TextureFeatures(gabor_wavelengths=wavelengths).fit(patches)
