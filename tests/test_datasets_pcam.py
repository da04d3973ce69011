"""load_pcam on the real files and on small HDF5 files in the published layout."""

import sys

import numpy as np
import pytest

from skbreast.datasets import load_pcam
from skbreast.references import parse_reference

h5py = pytest.importorskip("h5py")

STEM = "camelyonpatch_level_2_split_train"
TEST_STEM = "camelyonpatch_level_2_split_test"


def write(root, *, x=None, y=None):
    x = np.zeros((6, 96, 96, 3), np.uint8) if x is None else x
    y = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1) % 2 if y is None else y
    for name, array in (("x", x), ("y", y)):
        with h5py.File(root / f"{STEM}_{name}.h5", "w") as file:
            file[name] = array
    return root


def write_meta(root, text):
    (root / f"{STEM}_meta.csv").write_text(text)


META = ",coord_y,coord_x,wsi\n" + "".join(f"{i},{i}0,5,slide_{i // 3}\n" for i in range(6))


@pytest.mark.parametrize(("split", "n_patches"), [("train", 200), ("valid", 50), ("test", 50)])
def test_real_labels_and_references(real_data, split, n_patches):
    pcam = load_pcam(real_data / "pcam", split=split)
    stem = real_data / "pcam" / f"camelyonpatch_level_2_split_{split}"
    with h5py.File(f"{stem}_y.h5") as file:
        labels = file["y"][:].ravel()
    assert pcam.target.tolist() == labels.tolist()
    assert pcam.target.dtype == np.int64
    assert len(pcam.data) == n_patches
    parsed = [parse_reference(reference) for reference in pcam.data]
    assert {place.path for place in parsed} == {f"{stem}_x.h5"}
    assert [place.row for place in parsed] == list(range(n_patches)) == pcam.frame["row"].tolist()


def test_without_metadata_the_description_ends_with_the_warning(real_data, tmp_path):
    pcam = load_pcam(real_data / "pcam")
    assert pcam.groups is None
    assert "patient is impossible" in pcam.DESCR.replace("\n", " ")[-300:]
    write_meta(write(tmp_path), META)
    assert "impossible" not in load_pcam(tmp_path).DESCR


def test_slides_of_the_metadata_are_groups(tmp_path, monkeypatch):
    write_meta(write(tmp_path), META)
    pcam = load_pcam(tmp_path)
    assert pcam.groups.tolist() == ["slide_0"] * 3 + ["slide_1"] * 3
    assert pcam.frame.columns.tolist() == [
        "coord_y",
        "coord_x",
        "wsi",
        "reference",
        "row",
        "part",
        "target",
    ]
    monkeypatch.setitem(sys.modules, "pandas", None)
    bare = load_pcam(tmp_path)
    assert bare.frame is None
    assert bare.groups.tolist() == pcam.groups.tolist()


def test_thinning_balances_slides_or_classes(tmp_path, real_data):
    write_meta(write(tmp_path), META)
    few = load_pcam(tmp_path, max_patches=2, random_state=0)
    assert sorted(few.groups) == ["slide_0", "slide_1"]
    data, target = load_pcam(real_data / "pcam", max_patches=20, random_state=0, return_X_y=True)
    assert len(data) == 20
    assert np.bincount(target).tolist() == [10, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("coord_x,coord_y\n" + "1,2\n" * 6, "no column 'wsi'"),
        ("wsi\n" + "a\n" * 5, "has 5 rows for 6 patches"),
        ("wsi,x\n" + "a,1\n" * 5 + " ,1\n", "line 7: cells are missing"),
        ("wsi,x\n" + "a,1\n" * 5 + "a\n", "line 7: cells are missing"),
        ("", "no readable CSV"),
    ],
)
def test_bad_metadata(tmp_path, text, message):
    write_meta(write(tmp_path), text)
    with pytest.raises(ValueError, match=message):
        load_pcam(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((5, 96, 96, 3), np.uint8)}, "holds 5 patches, but its y file 6 labels"),
        ({"x": np.zeros((6, 32, 32, 3), np.uint8)}, r"must be uint8 of the shape \(n, 96, 96, 3\)"),
        ({"x": np.zeros((6, 96, 96, 3), np.float32)}, "it is float32"),
        ({"y": np.zeros((6, 2, 1, 1), np.uint8)}, r"y must have the shape \(n, 1, 1, 1\)"),
        ({"y": np.zeros((0, 1, 1, 1), np.uint8)}, r"y must have the shape \(n, 1, 1, 1\)"),
        ({"y": np.full((6, 1, 1, 1), 2, np.uint8)}, "y must hold 0 and 1 only"),
    ],
)
def test_arrays_other_than_published(tmp_path, arrays, message):
    write(tmp_path, **arrays)
    with pytest.raises(ValueError, match=message):
        load_pcam(tmp_path)


def test_file_under_a_wrong_name(tmp_path):
    write(tmp_path)
    (tmp_path / f"{STEM}_y.h5").unlink()
    (tmp_path / f"{STEM}_x.h5").rename(tmp_path / f"{STEM}_y.h5")
    with pytest.raises(FileNotFoundError, match=rf"{STEM}_x\.h5 is missing .* holds {STEM}_y\.h5"):
        load_pcam(tmp_path)
    (tmp_path / f"{STEM}_x.h5").touch()
    with pytest.raises(ValueError, match=r"has no array 'y'; it holds \['x'\]"):
        load_pcam(tmp_path)


def test_broken_and_packed_files(tmp_path):
    write(tmp_path)
    x_file = tmp_path / f"{STEM}_x.h5"
    x_file.write_bytes(x_file.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"_x\.h5 is no readable HDF5 file, or is cut off"):
        load_pcam(tmp_path)
    x_file.rename(tmp_path / f"{STEM}_x.h5.gz")
    with pytest.raises(FileNotFoundError, match="still packed; unpack it: gunzip"):
        load_pcam(tmp_path)


def test_several_parts_follow_one_another(real_data):
    parts = ("train", "valid", "test")
    single = [load_pcam(real_data / "pcam", split=part) for part in parts]
    pcam = load_pcam(real_data / "pcam", split=parts)
    assert pcam.data.tolist() == [each for part in single for each in part.data]
    assert pcam.target.tolist() == [each for part in single for each in part.target]
    assert pcam.part.tolist() == ["train"] * 200 + ["valid"] * 50 + ["test"] * 50
    assert pcam.DESCR == single[0].DESCR
    few = load_pcam(real_data / "pcam", split=parts, max_patches=60, random_state=0)
    assert [few.part.tolist().count(part) for part in parts] == [40, 10, 10]


def test_slides_are_groups_only_where_all_parts_name_them(tmp_path):
    write_meta(write(tmp_path), META)
    for name, array in (("x", np.zeros((2, 96, 96, 3), np.uint8)), ("y", np.array([0, 1]))):
        with h5py.File(tmp_path / f"{TEST_STEM}_{name}.h5", "w") as file:
            file[name] = array
    bare = load_pcam(tmp_path, split=("train", "test"))
    assert bare.groups is None
    assert "wsi" not in bare.frame
    assert f"{TEST_STEM}_meta.csv" in bare.DESCR
    (tmp_path / f"{TEST_STEM}_meta.csv").write_text("wsi\nslide_8\nslide_9\n")
    known = load_pcam(tmp_path, split=("train", "test"))
    assert known.groups.tolist() == ["slide_0"] * 3 + ["slide_1"] * 3 + ["slide_8", "slide_9"]
    assert "coord_x" not in known.frame


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="split must be one of 'train', 'valid', 'test', or a"):
        load_pcam(tmp_path, split="val")


def test_missing_h5py_says_what_to_install(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"skbreast\[pcam\]"):
        load_pcam(tmp_path)
