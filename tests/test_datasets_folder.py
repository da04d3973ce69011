"""load_patch_folder on real pictures and on small trees."""

import re
import warnings

import numpy as np
import pytest

from skbreast.datasets import load_patch_folder
from skbreast.exceptions import PatientLeakageWarning

ARRAY_ID = r"([^/]+)_(?:benign|malignant)\d"


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def flat(tmp_path):
    return touch(
        tmp_path,
        *(f"malignant/p{p}/{n}.png" for p in (1, 2) for n in range(3)),
        *(f"benign/p{p}/{n}.JPG" for p in (3, 4) for n in range(3)),
    )


def test_real_pictures(real_data):
    root = real_data / "ucsb_folders"
    patches = load_patch_folder(root, groups_pattern=ARRAY_ID)
    on_disk = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.jpg"))
    assert patches.frame["path"].tolist() == on_disk
    assert len(on_disk) == 30
    assert patches.target_names.tolist() == ["benign", "malignant"]
    assert patches.target.tolist() == [int("/malignant/" in path) for path in on_disk]
    assert patches.target.dtype == np.int64
    assert sorted(set(patches.groups)) == [
        "ytma12_010804",
        "ytma23_022103",
        "ytma49_042403",
        "ytma49_111003",
        "ytma49_111303",
    ]


@pytest.mark.parametrize(
    ("split", "part", "n"), [("train", "train", 18), ("val", "validation", 12)]
)
def test_parts_of_real_pictures(real_data, split, part, n):
    patches = load_patch_folder(real_data / "ucsb_folders", split=split)
    assert set(patches.frame["part"]) == {part}
    assert len(patches.data) == n
    assert all(f"/{part}/" in reference for reference in patches.data)


def test_classes_directly_below(flat):
    touch(flat, "benign/.hidden.png", "benign/notes.txt", "cover.png", ".git/x.png", "empty/a.txt")
    patches = load_patch_folder(flat)
    assert patches.target_names.tolist() == ["benign", "malignant"]
    assert patches.target.tolist() == [0] * 6 + [1] * 6
    assert patches.frame["path"].tolist()[:2] == ["benign/p3/0.JPG", "benign/p3/1.JPG"]
    assert set(patches.frame["part"]) == {""}
    assert patches.groups is None
    assert "groups_pattern" in patches.DESCR[-300:]


def test_each_suffix_and_each_part_name(tmp_path):
    parts = ("train", "Training", "validation", "val", "VALID", "test")
    suffixes = ("png", "jpg", "JPEG", "tif", "tiff", "bmp")
    for part, suffix in zip(parts, suffixes, strict=True):
        touch(tmp_path, f"{part}/in situ #1/a.{suffix}", f"{part}/normal/b.{suffix}")
    patches = load_patch_folder(tmp_path)
    counts = patches.frame["part"].value_counts().to_dict()
    assert counts == {"train": 4, "validation": 6, "test": 2}
    assert patches.target_names.tolist() == ["in situ #1", "normal"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"/(p\d)/",
        r"p\d",
        re.compile(r"/(?P<patient>p\d)/"),
        lambda path: path.split("/")[1],
    ],
)
def test_patients_from_pattern_or_callable(flat, pattern):
    patches = load_patch_folder(flat, groups_pattern=pattern)
    assert patches.groups.tolist() == [p for p in ("p3", "p4", "p1", "p2") for _ in range(3)]
    assert patches.frame["patient"].tolist() == patches.groups.tolist()


@pytest.mark.parametrize(
    "pattern", [r"/(p[124])/", r"/p[124]/|/(x)", {}.get, lambda path: float("nan"), lambda path: ""]
)
def test_picture_without_patient_is_named(flat, pattern):
    with pytest.raises(ValueError, match=r"no patient id for 'benign/p3/0\.JPG'"):
        load_patch_folder(flat, groups_pattern=pattern)


@pytest.mark.parametrize("pattern", ["(", 3])
def test_pattern_must_be_a_pattern(flat, pattern):
    with pytest.raises(ValueError, match="groups_pattern must be a regular expression"):
        load_patch_folder(flat, groups_pattern=pattern)


def test_patient_in_two_parts_is_said(tmp_path):
    touch(tmp_path, "train/a/p1_0.png", "train/b/p2_0.png", "test/a/p1_1.png", "test/b/p3_0.png")
    message = r"1 of 3 patients stand in more than one part \(p1\)"
    with pytest.warns(PatientLeakageWarning, match=message) as caught:
        load_patch_folder(tmp_path, split="test", groups_pattern=r"p\d")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_patch_folder(tmp_path, groups_pattern=r"p\d_\d")


def test_codes_are_the_same_in_every_part(tmp_path):
    touch(tmp_path, "train/a/1.png", "train/b/2.png", "test/b/3.png")
    test = load_patch_folder(tmp_path, split="test")
    assert test.target.tolist() == [1]
    assert test.target_names.tolist() == ["a", "b"]


def test_several_parts(tmp_path):
    touch(tmp_path, *(f"{part}/{c}/1.png" for part in ("train", "val", "test") for c in "ab"))
    patches = load_patch_folder(tmp_path, split=("val", "train"))
    assert patches.part.tolist() == ["train", "train", "validation", "validation"]
    assert set(load_patch_folder(tmp_path / "train").part) == {""}


def test_split_that_is_not_there(flat, real_data):
    with pytest.raises(ValueError, match=r"split='train': .* class folders directly below it"):
        load_patch_folder(flat, split="train")
    with pytest.raises(ValueError, match=r"split='test': .* it has train, validation"):
        load_patch_folder(real_data / "ucsb_folders", split="test")
    with pytest.raises(ValueError, match="split must be one of 'train', 'training'"):
        load_patch_folder(flat, split="dev")


def test_one_class_is_refused(tmp_path):
    touch(tmp_path, "benign/1.png", "benign/2.png", "malignant/readme.txt", "x.png")
    with pytest.raises(
        ValueError,
        match=r"one class only, 'benign' \(2\); it holds benign/, malignant/, x\.png",
    ):
        load_patch_folder(tmp_path)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ValueError, match="has none; it holds nothing"):
        load_patch_folder(tmp_path / "nothing")


def test_mixed_layouts_and_twin_names_are_refused(tmp_path):
    touch(tmp_path / "mixed", "train/a/1.png", "train/b/1.png", "extra/a/2.png", "logs/x.txt")
    with pytest.raises(
        ValueError, match=r"beside the part folder 'train', .* pictures in 'extra';"
    ):
        load_patch_folder(tmp_path / "mixed")
    touch(tmp_path / "twins", "train/benign/1.png", "test/Benign/1.png")
    with pytest.raises(ValueError, match="'Benign', 'benign' differ in upper and lower case"):
        load_patch_folder(tmp_path / "twins")


def test_thinning(flat):
    few = load_patch_folder(flat, groups_pattern=r"p\d", max_patches=4, random_state=0)
    assert sorted(few.groups) == ["p1", "p2", "p3", "p4"]
    data, target = load_patch_folder(flat, max_patches=6, random_state=0, return_X_y=True)
    assert len(data) == 6
    assert np.bincount(target).tolist() == [3, 3]
