"""Augmentation: each patch stays itself up to the symmetries of a square, and a colour jitter."""

import numpy as np
import pytest

from skbreast._augment import AUGMENTATIONS, augment_patches


def symmetries(patch):
    """The eight (square) or four symmetries, by rotation and reflection."""
    turns = range(4) if patch.shape[0] == patch.shape[1] else (0, 2)
    return [np.rot90(side, turn) for turn in turns for side in (patch, patch[:, ::-1])]


def which(changed, patch):
    return [number for number, each in enumerate(symmetries(patch)) if (each == changed).all()]


@pytest.fixture
def square():
    return np.random.default_rng(0).integers(0, 256, (400, 6, 6, 3), dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(("shape", "n_symmetries"), [((6, 6, 3), 8), ((4, 6, 2), 4)])
def test_geometric_draws_every_symmetry_equally(dtype, shape, n_symmetries):
    patches = np.random.default_rng(0).integers(0, 256, (800, *shape)).astype(dtype)
    before = patches.copy()
    changed = augment_patches(patches, np.random.default_rng(1), "geometric")
    assert changed.dtype == dtype
    assert changed.shape == patches.shape
    np.testing.assert_array_equal(patches, before)
    found = [which(*pair) for pair in zip(changed, patches, strict=True)]
    assert all(len(each) == 1 for each in found)
    counts = np.bincount(np.ravel(found), minlength=n_symmetries)
    assert counts.size == n_symmetries
    assert counts.min() > 0.6 * 800 / n_symmetries


def test_stain_jitters_colour_differently_per_patch(square):
    before = square.copy()
    grey = np.full((50, 4, 4, 3), (180, 120, 170), dtype=np.uint8)  # symmetries cannot change it
    changed = augment_patches(grey, np.random.default_rng(0), "stain")
    assert changed.dtype == np.uint8
    assert len(np.unique(changed[:, 0, 0], axis=0)) > 40
    assert np.abs(changed.astype(int) - grey).mean() < 40
    np.testing.assert_array_equal(square, before)


def test_stain_is_geometric_where_there_is_no_stain(square):
    for patches in (square.astype(np.float32), square[..., :1]):
        stained = augment_patches(patches, np.random.default_rng(3), "stain")
        turned = augment_patches(patches, np.random.default_rng(3), "geometric")
        np.testing.assert_array_equal(stained, turned)


@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_same_generator_same_bytes(square, augment):
    first, again, other = (
        augment_patches(square, np.random.default_rng(seed), augment) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (augment is None) == np.array_equal(first, other)


def test_none_changes_nothing(square):
    np.testing.assert_array_equal(augment_patches(square, np.random.default_rng(0), None), square)


@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_rows_of_numbers_are_left_alone(augment):
    rows = np.arange(12, dtype=np.float32).reshape(4, 1, 1, 3)
    np.testing.assert_array_equal(augment_patches(rows, np.random.default_rng(0), augment), rows)
