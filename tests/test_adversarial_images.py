"""A thousand images that nobody would take for tissue, through every transformer of images."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skbreast.datasets import make_patches
from skbreast.exceptions import PoorPatchesWarning, UnchangedPatchesWarning
from skbreast.stain import (
    MacenkoNormalizer,
    ReinhardNormalizer,
    StainJitter,
    VahadaneNormalizer,
)
from skbreast.texture import ColorFeatures, NucleiFeatures, PFTASFeatures, TextureFeatures
from skbreast.tissue import TissueFilter

N_IMAGES = 1000
NORMALIZERS = {
    "Macenko": MacenkoNormalizer(),
    "Macenko, shipped target": MacenkoNormalizer(target="reference", keep_residual=False),
    "Macenko by group": MacenkoNormalizer(per="group"),
    "Vahadane": VahadaneNormalizer(),
    "Reinhard": ReinhardNormalizer(),
    "Reinhard's space by group": ReinhardNormalizer(space="lalphabeta", per="group"),
}
FEATURES = {
    "colours": ColorFeatures(spaces=["rgb", "lab", "hed"], quantiles=[0.05, 0.5]),
    "texture": TextureFeatures(),
    "Gabor": TextureFeatures(radii=[1], distances=[1], gabor_wavelengths=[4]),
    "PFTAS": PFTASFeatures(),
    "nuclei": NucleiFeatures(),
}


def draw_image(kind, rng, height, width):
    """Draw one image of a kind, uint8 RGB."""
    shape = (height, width, 3)
    image = rng.integers(0, 256, shape)
    if kind == "constant":
        image[:] = rng.integers(0, 256, 3)
    elif kind == "extremes":
        image = rng.choice([0, 1, 254, 255], shape)
    elif kind == "one channel zero":
        image[..., rng.integers(3)] = 0
    elif kind == "two channels full":
        image[..., rng.permutation(3)[:2]] = 255
    elif kind == "white but for a pixel":
        image[:] = 255
        image[rng.integers(height), rng.integers(width)] = rng.integers(0, 256, 3)
    elif kind == "nearly constant":
        image = rng.integers(0, 254, 3) + rng.integers(0, 2, shape)
    elif kind == "grey ramp":
        image = np.broadcast_to(np.linspace(0, 255, width)[None, :, None], shape)
    elif kind == "one stain":
        image = 240 * 10 ** -(rng.random((height, width, 1)) * [0.4, 0.7, 0.3])
    elif kind == "inked tissue":
        tissue = make_patches(2, 1, patch_size=40, random_state=int(rng.integers(5))).data[0]
        repeats = (-(-height // 40), -(-width // 40), 1)
        image = np.tile(tissue, repeats)[:height, :width] * rng.random(3)
    return np.clip(image, 0, 255).astype(np.uint8)


KINDS = (
    "noise", "constant", "extremes", "one channel zero", "two channels full",
    "white but for a pixel", "nearly constant", "grey ramp", "one stain", "inked tissue",
)  # fmt: skip


SMALL = (1, 2, 3, 5, 7, 8, 12, 16, 20, 25, 31, 32, 33, 40)
LARGE = (1, 2, 17, 96, 128, 200, 225, 256, 460, 512, 700)  # measured on some pixels, done in tiles


@st.composite
def batches(draw, sides=SMALL):
    """Draw one to three images of one size."""
    height, width = draw(st.sampled_from(sides)), draw(st.sampled_from(sides))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return np.stack([draw_image(kind, rng, height, width) for kind in kinds])


on_images = settings(
    max_examples=N_IMAGES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def fitted():
    """All of them, fitted on tissue."""
    patches = make_patches(4, 3, patch_size=40, random_state=0)
    every = NORMALIZERS | FEATURES | {"tissue": TissueFilter()}
    options = {"groups": patches.groups}
    return {
        name: clone(each).fit(patches.data, **(options if name in NORMALIZERS else {}))
        for name, each in every.items()
    }


@on_images
@given(images=batches())
def test_normalized_images_are_images(fitted, images):
    check_normalized(fitted, images)


@settings(on_images, max_examples=150)
@given(images=batches(LARGE))
def test_normalized_large_images_are_images(fitted, images):
    check_normalized(fitted, images)


def check_normalized(fitted, images):
    before = images.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a division by zero, too
        warnings.simplefilter("ignore", UnchangedPatchesWarning)
        for name in NORMALIZERS:
            found = fitted[name].transform(images, groups=np.zeros(len(images)))
            assert found.dtype == np.uint8, name
            assert found.shape == images.shape, name
            same = (found == images).reshape(len(images), -1).all(axis=1)
            assert fitted[name].n_unchanged_ <= same.sum(), name
        jitter = StainJitter(stain_sigma=0.5, stain_angle=20, random_state=0)
        copies, labels = jitter.fit_resample(images, np.arange(len(images)))
        assert copies.shape == (2 * len(images), *images.shape[1:])
        assert len(labels) == len(copies)
    np.testing.assert_array_equal(images, before)


@on_images
@given(images=batches())
def test_features_of_images_are_finite(fitted, images):
    check_features(fitted, images)


@settings(on_images, max_examples=20)
@given(images=batches(LARGE))
def test_features_of_large_images_are_finite(fitted, images):
    check_features(fitted, images)


def check_features(fitted, images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PoorPatchesWarning)
        for name in FEATURES:
            found = fitted[name].transform(images)
            n_features = len(fitted[name].get_feature_names_out())
            assert found.shape == (len(images), n_features), name
            assert found.dtype == np.float32, name
            assert np.isfinite(found).all(), name
        report = fitted["tissue"].report(images)
        for values in (report.tissue_fraction, report.blur, report.ink_fraction):
            assert values.shape == (len(images),)
            assert ((values >= 0) & (values <= 1)).all()
        assert fitted["tissue"].transform(images) is images
