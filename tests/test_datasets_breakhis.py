"""load_breakhis on real images and on small trees in the published layout."""

import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from skbreast.datasets import load_breakhis
from skbreast.datasets._breakhis import mark_copies, parse_name
from skbreast.exceptions import PatientLeakageWarning

NAMES = (
    "SOB_B_A-14-22549AB-100-001.png",
    "SOB_B_A-14-22549CD-100-001.png",
    "SOB_B_F-14-25197-100-001.png",
    "SOB_M_DC-14-13412-100-001.png",
    "SOB_M_LC-14-13412-100-001.png",
    "SOB_M_MC-14-16456-100-001.png",
)
# Official fold 1 has the one slide of two names on both sides.
FOLD_1 = dict(zip(NAMES, ["train", "train", "test", "train", "test", "train"], strict=True))
SAFE = dict(zip(NAMES, ["train", "train", "test", "test", "test", "train"], strict=True))


@pytest.fixture
def tree(tmp_path):
    for name in NAMES:
        folder = tmp_path / "BreaKHis_v1" / name.rpartition("-")[0]
        folder.mkdir(parents=True)
        Image.new("RGB", (7, 5)).save(folder / name)
    return tmp_path / "BreaKHis_v1"


@pytest.fixture
def folds_dir(tmp_path):
    folder = tmp_path / "mkfold"
    folder.mkdir()
    for fold in range(1, 6):
        lines = [f"{name}|100|{fold}|{part}" for name, part in SAFE.items()]
        lines.append(f"SOB_M_PC-14-15704-100-023.png|100|{fold}|train")
        (folder / f"dsfold{fold}.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_fold(folder, fold, *lines):
    (folder / f"dsfold{fold}.txt").write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (NAMES[0], ("14-22549", "14-22549AB", "A", 100, 1, "benign")),
        ("SOB_M_LC-14-12204-40-017.png", ("14-12204", "14-12204", "LC", 40, 17, "malignant")),
        ("SOB_B_TA-14-3411F-400-001.png", ("14-3411", "14-3411F", "TA", 400, 1, "benign")),
        ("SOB_B_DC-14-3411F-400-001.png", None),
        ("SOB_M_DC-14-3411F-300-001.png", None),
        ("SOB_M_DC-14-3411F-400-001.jpg", None),
        ("SOB_M_DC-14-400-001.png", None),
    ],
)
def test_parse_name(name, known):
    assert parse_name(name) == known


def test_counts_of_the_real_images(real_data):
    for magnification, n_images, n_slides in ((200, 342, 29), (100, 228, 17)):
        images = load_breakhis(real_data / "BreaKHis_v1", magnification=magnification)
        assert len(images.data) == n_images
        assert images.frame["slide"].nunique() == n_slides
        assert set(images.frame["magnification"]) == {magnification}
        malignant = np.array(["/malignant/" in path for path in images.data])
        assert (images.target == malignant).all()
    both = load_breakhis(real_data / "BreaKHis_v1" / "histology_slides")
    assert len(both.data) == 570
    assert both.target.dtype == np.int64
    assert both.groups.dtype.kind == "U"
    assert both.folds is None


def test_tree_and_name_agree_on_the_subtype_of_real_images(real_data):
    images = load_breakhis(real_data / "BreaKHis_v1", classes="subtype")
    folders = {
        "A": "adenosis",
        "F": "fibroadenoma",
        "TA": "tubular_adenoma",
        "DC": "ductal_carcinoma",
        "LC": "lobular_carcinoma",
        "MC": "mucinous_carcinoma",
        "PC": "papillary_carcinoma",
    }
    assert images.target_names.tolist() == ["A", "F", "PT", "TA", "DC", "LC", "MC", "PC"]
    for path, target in zip(images.data, images.target, strict=True):
        assert f"/{folders[images.target_names[target]]}/" in path


def test_flat_folder_of_originals(real_data):
    images = load_breakhis(real_data / "breakhis_originals")
    assert len(images.data) == 8
    assert np.bincount(images.target).tolist() == [4, 4]
    assert sorted(images.frame["magnification"]) == [40, 40, 100, 100, 200, 200, 400, 400]


def test_blocks_of_a_case_and_the_slide_of_two_names_are_one_patient(tree):
    images = load_breakhis(tree)
    assert sorted(set(images.groups)) == ["14-13412", "14-16456", "14-22549", "14-25197"]
    slides = images.frame[["slide", "subtype"]].drop_duplicates().groupby("slide").size()
    assert slides["14-13412"] == 2
    assert slides["14-22549AB"] == slides["14-22549CD"] == 1
    subtypes = load_breakhis(tree, classes="subtype")
    assert subtypes.target_names[subtypes.target].tolist() == ["DC", "LC", "MC", "A", "A", "F"]


def test_same_name_at_several_places_counts_once(tree):
    copy = tree / "copy" / "deeper" / "again"
    copy.mkdir(parents=True)
    Image.new("RGB", (7, 5)).save(copy / NAMES[0])
    (copy / "._SOB_B_A-14-22549AB-100-001.png").write_text("left by a Mac")
    (copy / "readme.png").touch()
    images = load_breakhis(tree)
    assert len(images.data) == len(NAMES)
    assert not any("copy" in path for path in images.data)


def test_arguments_out_of_range(tree, tmp_path):
    with pytest.raises(ValueError, match="magnification must be one of None, 40, 100, 200, 400"):
        load_breakhis(tree, magnification=50)
    with pytest.raises(ValueError, match="classes must be one of 'binary', 'subtype'"):
        load_breakhis(tree, classes="eight")
    with pytest.raises(ValueError, match=r"magnification=400: .* only images of 100"):
        load_breakhis(tree, magnification=400)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no BreakHis image SOB_\*\.png .* holds nothing"):
        load_breakhis(tmp_path / "empty")
    (tree / "SOB_X_DC-14-1-100-001.png").touch()
    with pytest.raises(ValueError, match=r"SOB_X_DC-14-1-100-001\.png: the name is not"):
        load_breakhis(tree)


def test_folds_go_to_cv_and_keep_patients_apart(tree, folds_dir):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = load_breakhis(tree, magnification=100, folds_dir=folds_dir)
    assert len(images.folds) == 5
    for train, test in images.folds:
        assert not set(images.groups[train]) & set(images.groups[test])
        names = images.frame["name"].to_numpy()
        assert set(names[train]) == {name for name, part in SAFE.items() if part == "train"}
        assert set(names[test]) == {name for name, part in SAFE.items() if part == "test"}
    pixels = np.zeros((len(images.data), 1))
    scores = cross_val_score(DummyClassifier(), pixels, images.target, cv=images.folds)
    assert len(scores) == 5


def test_shared_slide_of_fold_1_is_said_once(tree, folds_dir):
    write_fold(folds_dir, 1, *(f"{name}|100|1|{part}" for name, part in FOLD_1.items()))
    message = r"1 of 5 have 1 of 4 patients on both sides \(fold 1: 14-13412\)"
    with pytest.warns(PatientLeakageWarning, match=message) as caught:
        images = load_breakhis(tree, folds_dir=folds_dir, repair_aliases=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(images.folds[0][1]) == 2
    assert len(images.folds[0][0]) == 4
    assert images.dropped_from_train == [{}, {}, {}, {}, {}]


@pytest.mark.parametrize("classes", ["binary", "subtype"])
def test_repaired_slide_leaves_training_and_stays_tested(tree, folds_dir, classes):
    write_fold(folds_dir, 1, *(f"{name}|100|1|{part}" for name, part in FOLD_1.items()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = load_breakhis(tree, folds_dir=folds_dir, classes=classes)
    names = images.frame["name"].to_numpy()
    train, test = (names[rows].tolist() for rows in images.folds[0])
    assert sorted(test) == sorted(name for name, part in FOLD_1.items() if part == "test")
    assert sorted(train) == [NAMES[0], NAMES[1], NAMES[5]]
    assert images.dropped_from_train == [{"14-13412": 1}, {}, {}, {}, {}]
    for train, test in images.folds:
        assert not set(images.groups[train]) & set(images.groups[test])


def test_blocks_of_a_case_and_magnifications_are_repaired_too(tree, folds_dir):
    more = [NAMES[5].replace("-100-", "-400-"), NAMES[2].replace("-100-", "-40-")]
    for name in more:
        Image.new("RGB", (7, 5)).save(tree / name)
    parts = SAFE | {NAMES[1]: "test", more[0]: "test", more[1]: "train"}
    lines = (f"{name}|{name.split('-')[3]}|2|{part}" for name, part in parts.items())
    write_fold(folds_dir, 2, *lines, f"{more[1].replace('25197', '1')}|40|2|train")
    with pytest.raises(ValueError, match=r"training images of fold 2 are of cases .*14-16456"):
        load_breakhis(tree, folds_dir=folds_dir)
    other = more[1].replace("25197", "1")
    Image.new("RGB", (7, 5)).save(tree / other)
    images = load_breakhis(tree, folds_dir=folds_dir)
    assert images.dropped_from_train[1] == {"14-16456": 1, "14-22549": 1, "14-25197": 1}
    assert images.frame["name"].to_numpy()[images.folds[1][0]].tolist() == [other]
    # Of one magnification alone only the two blocks of 14-22549 straddle.
    fold_2 = load_breakhis(tree, magnification=100, folds_dir=folds_dir).dropped_from_train[1]
    assert fold_2 == {"14-22549": 1}


def test_nothing_is_repaired_without_folds(tree):
    images = load_breakhis(tree)
    assert images.folds is images.dropped_from_train is None
    with pytest.raises(ValueError, match="repair_aliases must be True or False; got 'yes'"):
        load_breakhis(tree, repair_aliases="yes")


def test_copies_of_the_slide_of_two_names_are_marked_and_kept(tree, real_data):
    images = load_breakhis(tree)
    assert images.frame.loc[images.frame["is_copy"], "name"].tolist() == [NAMES[4]]
    assert len(images.data) == 6
    assert mark_copies([NAMES[4], NAMES[3], NAMES[4].replace("001", "002")]).tolist() == [
        False,
        True,
        False,
    ]
    assert not load_breakhis(real_data / "BreaKHis_v1").frame["is_copy"].any()


@pytest.mark.parametrize(
    "line",
    [
        f"{NAMES[0]}|100|2",
        f"{NAMES[0]}|100|2|training",
        f"{NAMES[0]}|100|3|train",
        f"{NAMES[0]}|200|2|train",
        f"{NAMES[0]}|100|2|train|more",
        "SOB_M_DC.png|100|2|train",
        "../../etc/passwd",
    ],
)
def test_malformed_line_names_file_and_line(tree, folds_dir, line):
    write_fold(folds_dir, 2, f"{NAMES[2]}|100|2|train", "", line)
    with pytest.raises(ValueError, match=r"dsfold2\.txt, line 3: .* is not <image name>"):
        load_breakhis(tree, folds_dir=folds_dir)


def test_folds_that_cannot_be_used(tree, folds_dir):
    write_fold(folds_dir, 4, f"{NAMES[0]}|100|4|train", f"{NAMES[0]}|100|4|test")
    with pytest.raises(ValueError, match=r"dsfold4\.txt, line 2: .* in train and in test"):
        load_breakhis(tree, folds_dir=folds_dir)
    write_fold(folds_dir, 4, f"{NAMES[0]}|100|4|train")
    with pytest.raises(
        ValueError, match="none of the 6 loaded images is in the test part of fold 4"
    ):
        load_breakhis(tree, folds_dir=folds_dir)
    (folds_dir / "dsfold3.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"dsfold3\.txt"):
        load_breakhis(tree, folds_dir=folds_dir)
    data, target = load_breakhis(tree, folds_dir=folds_dir, return_X_y=True)
    assert len(data) == len(target) == 6


def test_folds_of_real_images_follow_the_thinning(real_data, tmp_path):
    images = load_breakhis(real_data / "BreaKHis_v1", magnification=200)
    patients = sorted(set(images.groups))
    part = {p: "test" if place % 3 == 0 else "train" for place, p in enumerate(patients)}
    for fold in range(1, 6):
        rows = zip(images.frame["name"], images.groups, strict=True)
        write_fold(tmp_path, fold, *(f"{name}|200|{fold}|{part[p]}" for name, p in rows))
    few = load_breakhis(
        real_data / "BreaKHis_v1",
        magnification=200,
        folds_dir=tmp_path,
        max_patches=80,
        random_state=0,
    )
    assert set(few.groups) == set(patients)
    assert abs(few.target.sum() - 80 * images.target.mean()) <= 2
    for train, test in few.folds:
        assert sorted([*train, *test]) == list(range(80))
        assert {part[p] for p in few.groups[test]} == {"test"}
