"""Patches with nothing on them, and patches of another size."""

import numpy as np
import pytest

from skbreast.datasets import load_idc
from skbreast.model_selection._near_duplicates import make_thumbnail
from skbreast.model_selection._patch_quality import check_expected_size, find_odd_sizes, name_flat
from skbreast.reading import read_patch


@pytest.mark.parametrize(
    ("level", "name"), [(0, "black"), (29, "black"), (120, "single_colour"), (243, "blank")]
)
def test_noise_of_a_camera_is_no_structure(level, name):
    noise = np.random.default_rng(0).normal(level, 3, size=(96, 96, 3))
    patch = np.clip(noise, 0, 255).astype(np.uint8)
    assert name_flat(make_thumbnail(patch)) == name
    assert name_flat(make_thumbnail(np.full_like(patch, level))) == name


def test_real_tissue_has_structure(real_data):
    # all patches: the palest tissue is a single one
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    assert not any(name_flat(make_thumbnail(read_patch(each))) for each in idc.data)


def test_odd_sizes():
    sizes = np.array([[50, 50], [50, 50], [50, 7], [0, 0], [7, 50]])
    expected, rows = find_odd_sizes(sizes, None)
    assert expected == (50, 50)
    assert rows.tolist() == [2, 4]
    assert find_odd_sizes(sizes, (50, 7))[1].tolist() == [0, 1, 4]
    assert find_odd_sizes(np.zeros((2, 2), dtype=int), None)[0] is None


@pytest.mark.parametrize("size", [0, -1, 2.5, "50", (50,), (50, 50, 3), True, (True, 4)])
def test_wrong_expected_sizes(size):
    with pytest.raises(ValueError, match="expected_size must be"):
        check_expected_size(size)
