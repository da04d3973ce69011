"""Layouts are told from names alone, on the real data sets."""

import pytest

from skbreast.datasets import load_patches, recognise


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("IDC_regular_ps50_idx5", "idc"),
        ("idc_whole_slides", "idc"),
        ("BreaKHis_v1", "breakhis"),
        ("breakhis_originals", "breakhis"),
        ("pcam", "pcam"),
        ("ucsb_folders", "folder"),
    ],
)
def test_real_folders_are_recognised(real_data, folder, kind):
    assert recognise(real_data / folder) == kind


def test_options_reach_the_loader(real_data):
    bunch = load_patches(real_data / "BreaKHis_v1", magnification=100)

    assert bunch.kind == "breakhis"
    assert len(bunch.target) == 228


def test_the_folder_of_several_data_sets_is_refused(real_data):
    with pytest.raises(ValueError, match=r"holds several data sets \(breakhis, idc\)"):
        recognise(real_data)


def test_a_missing_folder_and_a_wrong_kind_are_said(tmp_path):
    with pytest.raises(ValueError, match="is not a folder"):
        recognise(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="kind must be one of 'auto', 'idc'"):
        load_patches(tmp_path, kind="cats")


def test_a_pair_is_a_pair(real_data):
    X, y = load_patches(real_data / "BreaKHis_v1", magnification=100, return_X_y=True)
    assert len(X) == len(y) == 228
