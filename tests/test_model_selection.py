"""Splits that keep patients whole, and the audit that finds those that don't."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit

from skbreast.model_selection import LeakageReport, leakage_report, patient_train_test_split


@pytest.fixture
def cohort():
    """60 patients of 1 to 40 patches; labels belong to patches, as in IDC; rows are shuffled."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(60), rng.integers(1, 41, size=60))
    positive_share = rng.beta(0.5, 1.5, size=60)
    y = (rng.random(len(patients)) < positive_share[patients]).astype(int)
    order = rng.permutation(len(patients))
    return np.array([f"p{i}" for i in patients])[order], y[order]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("stratified", [False, True])
def test_no_patient_straddles_and_no_patch_is_lost(cohort, seed, stratified):
    groups, y = cohort
    rows = np.arange(len(groups))
    train, test, groups_train, groups_test = patient_train_test_split(
        rows, groups, groups=groups, stratify=y if stratified else None, random_state=seed
    )
    assert not set(groups_train) & set(groups_test)
    assert sorted([*train, *test]) == rows.tolist()
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    assert len(set(groups_test)) == 15
    assert not leakage_report(groups_train, groups_test).leaks


def test_without_strata_it_is_the_split_of_scikit_learn(cohort):
    groups, _ = cohort
    rows = np.arange(len(groups))
    expected = next(GroupShuffleSplit(1, test_size=0.3, random_state=5).split(rows, groups=groups))
    train, test = patient_train_test_split(rows, groups=groups, test_size=0.3, random_state=5)
    np.testing.assert_array_equal(train, expected[0])
    np.testing.assert_array_equal(test, expected[1])


@pytest.mark.parametrize("test_size", [0.2, 0.25, 0.3, 12])
def test_strata_give_the_test_part_its_share_of_every_class(cohort, test_size):
    groups, y = cohort
    share = test_size if test_size < 1 else test_size / 60
    for seed in range(5):
        y_train, y_test, _, groups_test = patient_train_test_split(
            y, groups, groups=groups, test_size=test_size, stratify=y, random_state=seed
        )
        for label in (0, 1):
            n_test, n_train = np.sum(y_test == label), np.sum(y_train == label)
            assert n_test / (n_test + n_train) == pytest.approx(share, abs=0.02)
        assert len(set(groups_test)) == round(share * 60)


def test_rare_classes_stand_on_both_sides():
    # eight types as in BreakHis, the rarest of three patients: one split in five has all of them
    n_patients = [4, 10, 3, 7, 38, 5, 9, 6]
    y = np.repeat(np.repeat(list("abcdefgh"), n_patients), 5)
    groups = np.repeat(np.arange(sum(n_patients)), 5)
    for seed in range(10):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y_train, y_test = patient_train_test_split(
                y, groups=groups, stratify=y, random_state=seed
            )
        assert set(y_train) == set(y_test) == set("abcdefgh")


def test_a_class_of_one_patient_is_warned_about():
    y = np.array(["common"] * 8 + ["rare"] * 2)
    groups = np.arange(10) // 2
    with pytest.warns(UserWarning, match=r"part has no patch of class 'rare'"):
        patient_train_test_split(y, groups=groups, stratify=y, random_state=0)


def test_same_seed_same_split(cohort):
    groups, y = cohort
    for stratify in (None, y):
        first, second, other = (
            patient_train_test_split(groups, groups=groups, stratify=stratify, random_state=seed)
            for seed in (3, 3, 4)
        )
        assert first[1].tolist() == second[1].tolist()
        assert first[1].tolist() != other[1].tolist()


def test_kinds_of_arrays_are_kept(cohort):
    pd = pytest.importorskip("pandas")
    groups = ["a", "a", "b", "c"]
    images = np.arange(4 * 2 * 2 * 3).reshape(4, 2, 2, 3)
    references = np.array([f"{i}.png" for i in range(4)], dtype=object)
    frame = pd.DataFrame({"patient": groups}, index=[9, 8, 7, 6])
    parts = patient_train_test_split(
        images, references, frame, groups, groups=groups, test_size=1, random_state=0
    )
    images_train, images_test, references_train, _, frame_train, frame_test, ids_train, _ = parts
    assert images_train.shape[1:] == (2, 2, 3)
    assert len(images_train) + len(images_test) == 4
    np.testing.assert_array_equal(
        images_train[:, 0, 0, 0], [12 * int(each[0]) for each in references_train]
    )
    assert isinstance(ids_train, list)
    assert frame_train["patient"].tolist() == ids_train
    assert set(frame_train.index) | set(frame_test.index) == {6, 7, 8, 9}


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ((), {"groups": [1, 2]}, "at least one array"),
        (([1, 2],), {"groups": None}, "groups is None"),
        (([1, 2],), {"groups": ["a", "a"]}, "one patient only"),
        (([1, 2],), {"groups": ["a", "b", "c"]}, "3 entries for 2 patches"),
        (([1, 2], [1]), {"groups": ["a", "b"]}, "inconsistent numbers"),
        (([1, 2],), {"groups": ["a", "b"], "test_size": 2}, "test_size=2 cannot split 2 patients"),
        (([1, 2],), {"groups": ["a", "b"], "test_size": 0.0}, "test_size=0.0 cannot split"),
        (([1, 2],), {"groups": ["a", "b"], "stratify": [0]}, "inconsistent numbers"),
        (([1, 2],), {"groups": ["a", "b"], "stratify": [0, np.nan]}, "stratify lacks 1 labels"),
    ],
)
def test_bad_splits_are_refused(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        patient_train_test_split(*arrays, **options)


def test_leakage_by_hand():
    report = leakage_report(
        ["p1", "p1", "p2", "p3", "P07 "],
        ["p2", "p1", "p4", "p4", "p2", "p7", "p2", "p8"],
        y_train=[0, 0, 1, 0, 2],
        y_test=[0, 1, 1, 1, 1, 1, 1, 3],
    )
    assert report == LeakageReport(
        n_patients_train=4,
        n_patients_test=5,
        shared_patients=("p1", "p2"),
        n_patches_train_shared=3,
        n_patches_test_shared=4,
        share_of_test_patches=0.5,
        look_alikes=(("P07 ", "p7"),),
        classes_only_in_train=(2,),
        classes_only_in_test=(3,),
    )
    assert report.leaks
    assert str(report).splitlines() == [
        "4 training patients, 5 test patients",
        "LEAK: 2 on both sides ('p1', 'p2'), with 4 test patches (50.0%)",
        "look alike, check by hand: 'P07 ' ~ 'p7'",
        "classes only in train: 2; only in test: 3",
    ]


def test_a_clean_split_is_clean():
    report = leakage_report(["a", "b"], ["c"])
    assert not report.leaks
    assert report.shared_patients == report.look_alikes == ()
    assert str(report) == "2 training patients, 1 test patients\nno patient on both sides"


@pytest.mark.parametrize(
    ("train", "test", "alike"),
    [
        ("p7", "p007", True),
        ("P 7", "p7", True),
        (7, "7", True),
        (7, "007", True),
        ("p70", "p7", False),
        ("p107", "p17", False),
        ("14-9461", "14-09461", True),
        ("0", "00", True),
        ("a0", "a", False),
    ],
)
def test_look_alikes(train, test, alike):
    report = leakage_report([train], [test])
    assert not report.leaks
    assert report.look_alikes == (((train, test),) if alike else ())


def test_numeric_ids_are_sorted_as_numbers_and_many_are_cut_short():
    report = leakage_report(np.arange(12), np.arange(12))
    assert report.shared_patients == tuple(range(12))
    assert "12 on both sides (0, 1, 2, 3, 4, …)" in str(report)


@pytest.mark.parametrize(
    ("arguments", "labels", "message"),
    [
        (([], ["a"]), {}, "groups_train is empty"),
        ((["a"], None), {}, "groups_test is empty"),
        ((["a"], np.array([None], dtype=object)), {}, "groups_test lacks the patient"),
        (
            (["a", "a"], ["b"]),
            {"y_train": ["x", np.nan], "y_test": ["x"]},
            "y_train lacks 1 labels",
        ),
        ((["a"], ["b"]), {"y_train": [0]}, "one part only"),
        ((["a"], ["b"]), {"y_train": [0], "y_test": [0, 1]}, "inconsistent numbers"),
    ],
)
def test_bad_reports_are_refused(arguments, labels, message):
    with pytest.raises(ValueError, match=message):
        leakage_report(*arguments, **labels)


def test_published_idc_split_has_no_leak(real_data):
    train, val, test = (
        (real_data.parent / "splits" / f"idc_cases_{part}.txt").read_text().split()
        for part in ("train", "val", "test")
    )
    assert (len(train), len(val), len(test)) == (84, 29, 49)
    for report in (leakage_report(train, test), leakage_report([*train, *test], val)):
        assert not report.leaks
        assert report.look_alikes == ()


def test_a_random_split_of_real_patches_leaks_and_ours_does_not(real_data):
    references = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))
    groups = np.array([each.parents[1].name for each in references])
    y = np.array([int(each.parent.name) for each in references])
    shuffled = np.random.default_rng(0).permutation(groups)
    random_split = leakage_report(shuffled[2000:], shuffled[:2000])
    assert len(random_split.shared_patients) > 150
    assert random_split.share_of_test_patches > 0.99
    y_train, y_test, groups_train, groups_test = patient_train_test_split(
        y, groups, groups=groups, stratify=y, random_state=0
    )
    assert not leakage_report(groups_train, groups_test, y_train=y_train, y_test=y_test).leaks
    assert y_test.mean() == pytest.approx(y.mean(), abs=0.01)
    assert len(y_test) / len(y) == pytest.approx(0.25, abs=0.02)
