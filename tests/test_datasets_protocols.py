"""Every protocol keeps patients apart, or says that it does not."""

import warnings

import numpy as np
import pytest
from PIL import Image

from skbreast.datasets import load_breakhis, load_idc, load_protocol
from skbreast.datasets._folds import find_straddlers, make_folds, repair_folds
from skbreast.exceptions import PatientLeakageWarning

ARRAY_ID = r"([^/]+)_(?:benign|malignant)\d"


def assert_patients_apart(bunch):
    assert bunch.folds
    for train, test in bunch.folds:
        assert len(train)
        assert len(test)
        assert not set(train) & set(test)
        assert not set(bunch.groups[train]) & set(bunch.groups[test])


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 5)).save(root / name)
    return root


def write_folds(folder, parts):
    """Write five fold files; `parts` gives the part of each name, in all or in a fold."""
    folder.mkdir(exist_ok=True)
    for fold in range(1, 6):
        lines = [
            f"{name}|{name.split('-')[3]}|{fold}|{part[fold] if isinstance(part, dict) else part}"
            for name, part in parts.items()
        ]
        (folder / f"dsfold{fold}.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture
def breakhis(tmp_path):
    """Six cases at two magnifications, the slide of two names among them, and official folds."""
    slides = ("B_A-14-1AB", "B_A-14-1CD", "B_F-14-2", "B_F-14-3", "M_MC-14-5", "M_DC-14-6")
    slides += ("M_DC-14-13412", "M_LC-14-13412")
    names = [f"SOB_{s}-{mag}-{i:03}.png" for s in slides for mag in (100, 200) for i in (1, 2)]
    touch(tmp_path / "BreaKHis_v1", *names)
    tested = ("14-2", "14-5", "LC-14-13412")
    parts = {name: "test" if any(f"{t}-" in name for t in tested) else "train" for name in names}
    for name in names:
        if "DC-14-13412" in name:  # fold 1 alone parts the slide of two names
            parts[name] = {1: "train", **dict.fromkeys(range(2, 6), "test")}
    return tmp_path / "BreaKHis_v1", write_folds(tmp_path / "mkfold", parts)


def test_official_idc_tests_on_the_published_test_patients(real_data):
    root, splits = real_data / "IDC_regular_ps50_idx5", real_data.parent / "splits"
    idc = load_protocol(root, splits_dir=splits)
    assert (idc.kind, idc.protocol, len(idc.folds)) == ("idc", "official", 1)
    assert_patients_apart(idc)
    ((train, test),) = idc.folds
    lists = {p: {*(splits / f"idc_cases_{p}.txt").read_text().split()} for p in ("train", "val")}
    lists["test"] = {*(splits / "idc_cases_test.txt").read_text().split()}
    on_disk = {folder.name for folder in root.iterdir()}
    assert set(idc.groups[test]) == lists["test"] & on_disk
    assert set(idc.groups[train]) == (lists["train"] | lists["val"]) & on_disk
    assert set(idc.groups[idc.part == "val"]) == lists["val"] & on_disk
    assert sorted([*train, *test]) == list(range(len(idc.data)))
    n_test = len(load_idc(root, split="test", splits_dir=splits).data)
    assert idc.protocol_descr.startswith(
        "Published IDC split (train and val against test): trained on 75 patients ("
    )
    assert f"tested on 37 patients ({n_test:,} patches)" in idc.protocol_descr
    assert "no patient on both sides; 50 of the listed patients" in idc.protocol_descr
    n_unlisted = len(on_disk - lists["train"] - lists["val"] - lists["test"])
    assert f"{n_unlisted} patients on disk are in no list and left out" in idc.protocol_descr


def test_official_idc_thins_listed_patients_only(real_data):
    root, splits = real_data / "IDC_regular_ps50_idx5", real_data.parent / "splits"
    few = load_protocol(root, splits_dir=splits, max_patches=300)
    assert_patients_apart(few)
    assert len(few.data) == sum(map(len, few.folds[0])) == 300
    again = load_protocol(root, splits_dir=splits, max_patches=300)
    assert few.data.tolist() == again.data.tolist()
    assert "thinned to 300 patches" in few.protocol_descr


@pytest.mark.parametrize(
    ("folder", "options", "n_patients", "n_published"),
    [
        ("IDC_regular_ps50_idx5", {"max_patches": 1000}, 194, "1,000 of the 277,524"),
        ("BreaKHis_v1", {"magnification": 200}, 27, "342 of the 2,013"),
        ("BreaKHis_v1", {}, 31, "570 of the 7,909"),
        ("ucsb_folders", {"groups_pattern": ARRAY_ID, "protocol": "grouped"}, 5, None),
    ],
)
def test_grouped_folds_test_every_patient_once(real_data, folder, options, n_patients, n_published):
    bunch = load_protocol(real_data / folder, **options)
    assert bunch.protocol == "grouped"
    assert_patients_apart(bunch)
    assert sorted(np.concatenate([test for _, test in bunch.folds])) == [*range(len(bunch.data))]
    tested = [patient for _, test in bunch.folds for patient in set(bunch.groups[test])]
    assert sorted(tested) == sorted(set(bunch.groups))
    assert len(tested) == n_patients
    assert f"5 class-balanced, shuffled folds by patient of {n_patients} " in bunch.protocol_descr
    assert "no patient on both sides" in bunch.protocol_descr
    assert n_published is None or n_published in bunch.protocol_descr


def test_seed_and_number_of_grouped_folds(real_data):
    root = real_data / "BreaKHis_v1"
    first, second, other = (
        load_protocol(root, n_splits=3, random_state=seed) for seed in (1, 1, 2)
    )
    assert len(first.folds) == 3
    assert [test.tolist() for _, test in first.folds] == [test.tolist() for _, test in second.folds]
    assert [test.tolist() for _, test in first.folds] != [test.tolist() for _, test in other.folds]
    assert ", seed 1, magnifications 100, 200 pooled" in first.protocol_descr


@pytest.mark.parametrize("magnification", [None, 100, 200])
def test_official_breakhis_is_repaired(breakhis, magnification):
    root, folds_dir = breakhis
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_protocol(root, folds_dir=folds_dir, magnification=magnification)
    assert (bunch.protocol, len(bunch.folds)) == ("official", 5)
    assert_patients_apart(bunch)
    n = 4 if magnification is None else 2
    assert bunch.dropped_from_train == [{"14-13412": n}, {}, {}, {}, {}]
    assert f"14-13412 ({n} patches) in fold 1;" in bunch.protocol_descr
    assert f"{n} pictures stand there twice" in bunch.protocol_descr
    assert "tested in up to 5 folds" in bunch.protocol_descr
    told = "magnifications 100, 200 pooled" if n == 4 else f"magnification {magnification}:"
    assert told in bunch.protocol_descr


def test_official_breakhis_as_published_warns_and_says_so(breakhis):
    root, folds_dir = breakhis
    with pytest.warns(PatientLeakageWarning, match="fold 1: 14-13412") as caught:
        bunch = load_protocol(root, folds_dir=folds_dir, repair_aliases=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert find_straddlers(bunch.folds, bunch.groups) == [["14-13412"], [], [], [], []]
    assert "figures are too good (14-13412 in fold 1)" in bunch.protocol_descr
    direct = load_breakhis(root, folds_dir=folds_dir)
    for published, repaired in zip(bunch.folds, direct.folds, strict=True):
        assert published[1].tolist() == repaired[1].tolist()


def test_a_patient_never_straddles_across_magnifications(tmp_path):
    names = [
        f"SOB_{'BM'[case % 2]}_{('F', 'DC')[case % 2]}-14-{case}-{magnification}-001.png"
        for case in range(12)
        for magnification in (40, 100, 200, 400)
    ]
    root = touch(tmp_path / "images", *names)
    pooled = load_protocol(root, n_splits=4)
    assert_patients_apart(pooled)
    for _, test in pooled.folds:
        assert np.unique(pooled.groups[test], return_counts=True)[1].tolist() == [4] * 3
    # Published folds that do it: a case is trained on at 40X and tested at 400X.
    parts = {n: "test" if "-400-" in n and int(n.split("-")[2]) < 4 else "train" for n in names}
    official = load_protocol(root, folds_dir=write_folds(tmp_path / "mkfold", parts))
    assert_patients_apart(official)
    assert official.dropped_from_train[0] == {f"14-{case}": 3 for case in range(4)}


def test_pcam_parts_without_and_with_slides(real_data, tmp_path):
    h5py = pytest.importorskip("h5py")
    pcam = load_protocol(real_data / "pcam")
    assert (pcam.protocol, pcam.groups) == ("official", None)
    ((train, test),) = pcam.folds
    assert (train.tolist(), test.tolist()) == ([*range(250)], [*range(250, 300)])
    assert "train and valid against test" in pcam.protocol_descr
    assert "no slide ids to check it by" in pcam.protocol_descr
    mixed = load_protocol(real_data / "pcam", "grouped")
    assert len(mixed.data) == 300
    assert "folds by patch of 300 patches" in mixed.protocol_descr
    assert "no slide ids, so figures may be inflated" in mixed.protocol_descr

    for part, slides in {"train": "aabb", "valid": "cd", "test": "eea"}.items():
        stem = tmp_path / f"camelyonpatch_level_2_split_{part}"
        for name, values in {"x": np.zeros((len(slides), 96, 96, 3), np.uint8), "y": None}.items():
            with h5py.File(f"{stem}_{name}.h5", "w") as file:
                file[name] = np.arange(len(slides)) % 2 if values is None else values
        stem.with_name(f"{stem.name}_meta.csv").write_text("\n".join(["wsi", *slides]))
    known = load_protocol(tmp_path)
    assert_patients_apart(known)
    assert known.dropped_from_train == [{"a": 2}]
    assert "trained on 3 slides (4 patches)" in known.protocol_descr
    assert "because they are tested: a (2 patches)" in known.protocol_descr
    assert_patients_apart(load_protocol(tmp_path, "grouped", n_splits=2))
    one_part = load_protocol(tmp_path, n_splits=2, split="train")
    assert (one_part.protocol, len(one_part.data)) == ("grouped", 4)
    assert "by slide within train of 2 slides" in one_part.protocol_descr


def test_parts_of_a_folder(real_data, tmp_path):
    arrays = load_protocol(real_data / "ucsb_folders", groups_pattern=ARRAY_ID)
    assert_patients_apart(arrays)
    assert (arrays.kind, arrays.protocol) == ("folder", "official")
    assert "Parts of the folder (train against validation)" in arrays.protocol_descr
    bare = load_protocol(real_data / "ucsb_folders")
    assert "no patient ids, so figures may be inflated" in bare.protocol_descr

    touch(tmp_path, *(f"{part}/{c}/{c}{part}_1.png" for part in ("train", "val") for c in "ab"))
    touch(tmp_path, "train/a/p1_1.png", "test/a/p1_2.png", "test/b/p2_1.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mended = load_protocol(tmp_path, groups_pattern=r"(\w+)_\d")
    assert_patients_apart(mended)
    assert mended.dropped_from_train == [{"p1": 1}]
    assert "train and validation against test" in mended.protocol_descr
    with pytest.warns(PatientLeakageWarning, match=r"1 of the 2 patients .* \(p1\)") as caught:
        load_protocol(tmp_path, groups_pattern=r"(\w+)_\d", repair_aliases=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("folder", "options", "message"),
    [
        ("BreaKHis_v1", {"protocol": "best"}, "protocol must be one of 'auto', 'official', 'group"),
        ("BreaKHis_v1", {"protocol": "official"}, "needs folds_dir=, the folder of the official"),
        ("idc_whole_slides", {"protocol": "official"}, "needs splits_dir=, the folder of the publ"),
        ("BreaKHis_v1", {"splits_dir": "x"}, "splits_dir is for data of the kind 'idc'; these are"),
        ("pcam", {"magnification": 40}, "magnification is for data of the kind 'breakhis'"),
        ("pcam", {"protocol": "official", "split": "train"}, "split='train' is for protocol='grou"),
        ("BreaKHis_v1", {"protocol": "grouped", "folds_dir": "x"}, "folds_dir is for protocol='of"),
        ("BreaKHis_v1", {"n_splits": 1}, "n_splits must be an integer at least 2; got 1"),
        ("BreaKHis_v1", {"n_splits": 99}, "99 folds need at least 99 patients; there are 31"),
        ("BreaKHis_v1", {"repair_aliases": None}, "repair_aliases must be True or False"),
        ("BreaKHis_v1", {"kind": "cats"}, "kind must be one of 'auto', 'idc'"),
        ("BreaKHis_v1", {"magnification": 50}, "magnification must be one of None, 40"),
    ],
)
def test_what_cannot_be_is_one_sentence(real_data, folder, options, message):
    with pytest.raises(ValueError, match=message) as error:
        load_protocol(real_data / folder, **options)
    assert "\n" not in str(error.value)


def test_folders_and_options_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="root: there is no folder"):
        load_protocol(tmp_path / "nowhere")
    touch(tmp_path, "a/1.png", "b/2.png")
    with pytest.raises(ValueError, match="needs folders train and test, or train and validation"):
        load_protocol(tmp_path, "official")
    with pytest.raises(TypeError, match="unexpected keyword argument 'classes'"):
        load_protocol(tmp_path, classes="binary")
    with pytest.raises(TypeError, match="takes no return_X_y"):
        load_protocol(tmp_path, return_X_y=True)


def test_an_official_side_without_a_class_or_without_patches_is_said(tmp_path):
    touch(tmp_path / "one", "train/a/1.png", "train/a/2.png", "test/a/3.png", "test/b/4.png")
    with pytest.raises(ValueError, match="fold 1 has not every class to train on; load more"):
        load_protocol(tmp_path / "one")
    touch(tmp_path / "two", "train/a/p1.png", "train/b/p2.png", "test/a/p1x.png", "test/b/p2x.png")
    with pytest.raises(ValueError, match="fold 1 has no patches to train on; load more"):
        load_protocol(tmp_path / "two", groups_pattern=r"p\d")


def test_a_published_part_that_is_not_on_disk_is_said(tmp_path):
    root = touch(tmp_path / "idc", *(f"7/{c}/7_idx5_x1_y1_class{c}.png" for c in (0, 1)))
    for part, patient in {"train": 7, "val": 8, "test": 9}.items():
        (tmp_path / f"idc_cases_{part}.txt").write_text(f"{patient}\n")
    with pytest.raises(ValueError, match="fold 1 has no patches to test on; load more"):
        load_protocol(root, splits_dir=tmp_path)


def test_folds_are_repaired_by_hand_computed_rows():
    groups = np.array(["a", "a", "b", "c", "c", "d"])
    folds = [(np.array([0, 2, 3, 5]), np.array([1, 4])), (np.array([0, 1]), np.array([3, 4]))]
    assert find_straddlers(folds, groups) == [["a", "c"], []]
    repaired, dropped = repair_folds(folds, groups)
    assert [side.tolist() for fold in repaired for side in fold] == [[2, 5], [1, 4], [0, 1], [3, 4]]
    assert dropped == [{"a": 1, "c": 1}, {}]


def test_make_folds_without_patients_takes_patches():
    y = np.arange(20) % 2
    folds = make_folds(y, y, n_splits=4)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(20))
    assert all(y[test].mean() == 0.5 for _, test in folds if len(test) % 2 == 0)
