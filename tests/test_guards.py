"""Patients on both sides are counted, whoever made the split, and forgotten ids are found again."""

import gc
import warnings

import numpy as np
import pytest

from skbreast import PatchCNNClassifier
from skbreast._guards import warn_of_folds, warn_of_missing_groups, warn_of_shared_patients
from skbreast._loaded import _loaded, find_patients, remember_patients
from skbreast._training_data import split_off_validation
from skbreast.datasets import load_breakhis, load_idc, make_patches
from skbreast.exceptions import PatientLeakageWarning, UnknownPatientsWarning

PATIENTS = np.array(["a", "a", "b", "b", "c", "c"])


def test_shared_patients_are_counted_and_named():
    with pytest.warns(
        PatientLeakageWarning, match=r"X_val has .* 2 of the 3 held out \('a', 'b'\)"
    ):
        warn_of_shared_patients(["a", "b"], ["b", "a", "d"], what="X_val", advice="Do not.")


def test_folds_are_counted_once():
    leaking = (np.array([0, 2, 4]), np.array([1, 3]))
    clean = (np.array([0, 1, 2, 3]), np.array([4, 5]))
    with pytest.warns(PatientLeakageWarning, match=r"2 of 3 folds .* 2 of 3 \('a', 'b'\)") as told:
        warn_of_folds([leaking, clean, leaking], PATIENTS)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_folds([clean], PATIENTS)
        warn_of_shared_patients(["a"], ["b"], what="X_val", advice="")


def test_patients_of_loaded_references_are_found_in_any_part_of_them():
    data = np.array([f"{patient}/{n}.png" for n, patient in enumerate(PATIENTS)], dtype=object)
    remember_patients(data, PATIENTS)
    assert find_patients(data[[5, 0, 2]]).tolist() == ["c", "a", "b"]
    assert find_patients(list(data[:2])).tolist() == ["a", "a"]
    assert find_patients([*data, "another.png"]) is None
    assert find_patients(np.zeros((2, 3, 3, 3))) is None


def test_what_nobody_holds_any_more_is_forgotten():
    data = np.zeros((6, 2, 2, 3), dtype=np.uint8)
    n_before = len(_loaded)
    remember_patients(data, PATIENTS)
    assert find_patients(data) is PATIENTS
    assert find_patients(data[:3]) is None
    del data
    gc.collect()
    assert len(_loaded) <= n_before


def test_missing_groups_are_said_once_a_data_set():
    patches = make_patches(3, 2, patch_size=16, random_state=0)
    with pytest.warns(UnknownPatientsWarning, match="knows their 3 patients"):
        found = warn_of_missing_groups(patches.data, what="This test")
    assert found.tolist() == patches.groups.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missing_groups(patches.data, what="This test")
        warn_of_missing_groups(np.zeros((2, 16, 16, 3), dtype=np.uint8), what="This test")


def test_what_was_said_as_an_error_is_said_again():
    patches = make_patches(3, 2, patch_size=16, random_state=0)
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnknownPatientsWarning):
                warn_of_missing_groups(patches.data, what="This test")


def test_numbers_and_texts_name_the_same_patient():
    with pytest.warns(PatientLeakageWarning):
        warn_of_shared_patients([1, 2], ["1", "3"], what="X_val", advice="")


def test_an_inner_split_of_loaded_patches_counts_the_patients_on_both_sides():
    patches = make_patches(8, 10, patch_size=16, random_state=0)
    with pytest.warns(PatientLeakageWarning) as told:
        rows, others = split_off_validation(
            patches.target, None, fraction=0.25, seed=0, X=patches.data
        )
    groups = patches.groups
    n_shared = len(set(groups[rows]) & set(groups[others]))
    assert n_shared > 0
    assert f"{n_shared} of the {len(set(groups[others]))} held out" in str(told[0].message)


@pytest.mark.parametrize("given", ["groups", "loader"])
def test_validation_patches_of_training_patients_are_told(given):
    patches = make_patches(4, 6, patch_size=16, random_state=0)
    X, y, groups = patches.data, patches.target, patches.groups
    rows = np.arange(len(y)) % 3 > 0
    model = PatchCNNClassifier(max_epochs=1, random_state=0)
    options = {"groups": groups[rows], "groups_val": groups[~rows]} if given == "groups" else {}
    X_train, X_val = X[rows], X[~rows]
    if given == "loader":
        for part, of in ((X_train, groups[rows]), (X_val, groups[~rows])):
            remember_patients(part, of)
    with pytest.warns(PatientLeakageWarning, match="X_val has patients .* 4 of the 4 held out"):
        model.fit(X_train, y[rows], X_val=X_val, y_val=y[~rows], **options)


def test_validation_patches_of_other_patients_are_fine():
    patches = make_patches(4, 6, patch_size=16, random_state=0)
    X, y, groups = patches.data, patches.target, patches.groups
    rows = np.isin(groups, groups[[0, 6]])
    with warnings.catch_warnings():
        warnings.simplefilter("error", PatientLeakageWarning)
        PatchCNNClassifier(max_epochs=1, random_state=0).fit(
            X[rows],
            y[rows],
            groups=groups[rows],
            X_val=X[~rows],
            y_val=y[~rows],
            groups_val=groups[~rows],
        )
    with pytest.raises(ValueError, match="groups_val is given without X_val"):
        PatchCNNClassifier().fit(X, y, groups_val=groups)
    with pytest.raises(ValueError, match="groups_val has 24 entries for 12 patches"):
        PatchCNNClassifier().fit(X[rows], y[rows], X_val=X[rows], y_val=y[rows], groups_val=groups)


def test_published_layouts_remember_their_patients(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", max_patches=500, random_state=0)
    assert (find_patients(idc.data[::3]) == idc.groups[::3]).all()
    X, y = load_breakhis(real_data / "BreaKHis_v1", magnification=100, return_X_y=True)
    assert len(find_patients(X)) == len(y)
