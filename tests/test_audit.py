"""Planted leaks are found, each as what it is, and clean data stay without alarm."""

import io
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from skbreast.datasets import load_breakhis, load_idc, make_patches
from skbreast.model_selection import audit_patches, patient_train_test_split
from skbreast.model_selection._audit_findings import KINDS
from skbreast.model_selection._audit_split import read_split
from skbreast.reading import read_patch


@pytest.fixture(scope="module")
def invented():
    return make_patches(10, 6, patch_size=48, random_state=0)


def kinds(report):
    return dict(Counter(finding.kind for finding in report.findings))


def with_copies(invented, rows, *, patients=None, change=lambda patch: patch):
    X = np.concatenate([invented.data, np.stack([change(invented.data[row]) for row in rows])])
    added = invented.groups[rows] if patients is None else np.broadcast_to(patients, len(rows))
    groups = np.append(invented.groups, added)
    return X, np.append(invented.target, invented.target[rows]), groups


@pytest.mark.parametrize(("size", "seed"), [(24, 0), (48, 1), (64, 2), (96, 3)])
def test_clean_data_raise_no_alarm(size, seed):
    patches = make_patches(12, 6, patch_size=size, random_state=seed)
    folds = list(GroupKFold(3).split(patches.data, patches.target, patches.groups))
    report = audit_patches(patches.data, patches.target, patches.groups, split=folds)
    assert not report.leaks
    assert report.exit_code == 0
    assert set(kinds(report)) <= {"class_on_one_side", "colour_shortcut"}
    assert str(report).startswith("No leak found in 72 patches of 12 patients: 0 errors")


def test_counts(invented):
    report = audit_patches(
        invented.data, invented.target, invented.groups, target_names=invented.target_names
    )
    assert report.patches_per_class == {"benign": 30, "malignant": 30}
    assert report.patients_per_class == {"benign": 5, "malignant": 5}
    assert report.patches_per_patient == (6, 6.0, 6)
    assert (report.n_patches, report.n_patients, report.patch_size) == (60, 10, (48, 48))
    assert 0 <= report.colour.low <= report.colour.auc <= report.colour.high <= 1


def test_patients_and_patches_on_both_sides(invented):
    train, test = np.arange(0, 40), np.arange(39, 60)
    report = audit_patches(invented.data, invented.target, invented.groups, split=(train, test))
    shared = invented.groups[39]
    found = {finding.kind: finding for finding in report.findings}
    assert found["patient_on_both_sides"].patients == (shared,)
    assert "4/3 patches" in found["patient_on_both_sides"].detail
    assert found["patch_on_both_sides"].rows == (39,)
    assert report.sides["train/test"].shared_patients == (shared,)
    assert report.exit_code == 3


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda patch: patch, "identical pixels"),
        (lambda patch: patch[::-1], "identical but for turns"),
        (np.rot90, "identical but for turns"),
        (lambda patch: (patch * 0.95).astype(np.uint8), "nearly the same"),
    ],
)
def test_copies_across_sides(invented, change, match):
    rows = [0, 7, 14]
    X, y, groups = with_copies(invented, rows, change=change)
    parts = np.repeat(["train", "test"], [60, 3])
    report = audit_patches(X, y, groups, split=parts)
    copies = [each for each in report.findings if each.kind == "copies_across_sides"]
    assert [each.rows for each in copies] == [(0, 60), (7, 61), (14, 62)]
    assert all(each.detail.startswith(match) for each in copies)
    assert report.test_copies == {"train/test": (3, 3)}
    only_exact = audit_patches(X, y, groups, split=parts, near_duplicates=False)
    assert ("copies_across_sides" in kinds(only_exact)) == (not match.startswith("nearly"))


def test_copies_within_a_patient_are_no_leak_while_patients_stay_whole(invented):
    X, y, groups = with_copies(invented, [0, 1])
    folds = GroupKFold(5)
    report = audit_patches(X, y, groups, split=folds)
    assert kinds(report)["copies_together"] == 2
    assert not report.leaks
    assert audit_patches(X, y).exit_code == 3  # nothing keeps them together
    assert kinds(audit_patches(X, y))["copies_without_patients"] == 2
    given = np.repeat(["train", "test", "train"], [30, 30, 2])
    assert not audit_patches(X, y, split=given).leaks


def test_patients_that_are_one(invented):
    X, y, groups = with_copies(invented, range(6), patients="alias")
    report = audit_patches(X, y, groups)
    (shared,) = [each for each in report.findings if each.kind == "patients_share_pictures"]
    assert shared.patients == ("alias", invented.groups[0])
    assert shared.detail.startswith("6 pictures shared: 6 of 6 patches of")
    assert kinds(report)["copies_across_patients"] == 6


def test_aliases_of_aliases_are_one_set(invented):
    X, y, groups = with_copies(invented, [0, 0, 1], patients=["b", "c", "b"])
    report = audit_patches(X, y, groups)
    (shared,) = [each for each in report.findings if each.kind == "patients_share_pictures"]
    assert set(shared.patients) == {invented.groups[0], "b", "c"}


def test_label_conflicts(invented):
    X, y, groups = with_copies(invented, [0, 1])
    y[60] = 1 - y[60]
    report = audit_patches(X, y, groups, target_names=["benign", "malignant"])
    (conflict,) = [each for each in report.findings if each.kind == "label_conflict"]
    assert conflict.rows == (0, 60)
    assert conflict.labels == ("benign", "malignant")


def test_flat_patches_are_no_copies(invented):
    flat = np.stack([np.full((48, 48, 3), level, np.uint8) for level in (255, 255, 0, 0, 120, 120)])
    report = audit_patches(np.concatenate([invented.data, flat]))
    assert kinds(report) == {"black": 2, "single_colour": 2, "blank": 2}
    assert not report.leaks


def test_look_alike_ids(invented):
    groups = np.where(invented.groups == invented.groups[0], "P 7", invented.groups)
    groups = np.where(groups == invented.groups[-1], "p007", groups)
    report = audit_patches(invented.data, invented.target, groups)
    (alike,) = [each for each in report.findings if each.kind == "look_alike_ids"]
    assert set(alike.patients) == {"P 7", "p007"}
    assert not report.leaks


def test_colour_as_a_shortcut(invented):
    X = invented.data.copy()
    X[invented.target == 1, :, :, 0] //= 2
    report = audit_patches(X, invented.target, invented.groups)
    assert report.colour.auc > 0.99
    assert "colour_shortcut" in kinds(report)


@pytest.mark.parametrize(
    ("y", "groups", "reason"),
    [
        (None, "given", "for want of labels"),
        ("given", None, "for want of patient ids"),
        ("one", "given", "1 classes"),
        ("given", "one", "one patient only"),
    ],
)
def test_colour_is_left_out_with_a_reason(invented, y, groups, reason):
    choices = {None: None, "one": np.zeros(60, dtype=int)}
    report = audit_patches(
        invented.data,
        choices.get(y, invented.target),
        choices.get(groups, invented.groups),
    )
    assert report.colour.auc is None
    assert reason in report.colour.skipped


def test_a_class_of_one_patient(invented):
    y = np.zeros(60, dtype=int)
    y[:6] = 1
    report = audit_patches(invented.data, y, invented.groups)
    (finding,) = [each for each in report.findings if each.kind == "class_of_one_patient"]
    assert finding.patients == (invented.groups[0],)


def test_arrays_of_one_channel_and_files_agree(invented, tmp_path, save_patches):
    X, y, groups = with_copies(invented, [3], patients="other")
    from_files = audit_patches(save_patches(X, tmp_path), y, groups, n_jobs=2)
    assert kinds(from_files) == kinds(audit_patches(X, y, groups))
    assert audit_patches(X[..., :1], y, groups).leaks


def test_broken_files_are_named_and_stop_nothing(invented, tmp_path, save_patches):
    references = save_patches(invented.data, tmp_path)
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:200])
    (tmp_path / "3.png").unlink()
    report = audit_patches(references, invented.target, invented.groups)
    broken = [each for each in report.findings if each.kind == "unreadable"]
    assert [each.rows for each in broken] == [(1,), (2,), (3,)]
    assert "there is no such file" in broken[2].detail
    assert report.n_patches == 60
    assert not report.leaks


def test_nothing_readable(tmp_path):
    report = audit_patches([tmp_path / "a.png", tmp_path / "b.png"], [0, 1], ["p", "q"])
    assert kinds(report)["unreadable"] == 2
    assert report.patch_size is None
    assert "0 classes" in report.colour.skipped
    json.dumps(report.to_dict())


def test_row_of_hdf5(real_data):
    pytest.importorskip("h5py")
    parts = [("train", 200), ("valid", 50), ("test", 50)]
    name = "camelyonpatch_level_2_split_{}_x.h5"
    X = [f"{real_data / 'pcam' / name.format(part)}#{row}" for part, n in parts for row in range(n)]
    split = np.repeat(["train", "val", "test"], [200, 50, 50])
    report = audit_patches(X, split=split, n_jobs=2)
    assert not report.leaks
    assert set(kinds(report)) <= {"blank", "single_colour"}
    assert list(report.test_copies) == ["train/val", "train/test", "val/test"]


HOSTILE = "<script>alert('x')</script>\n\u202e\udcff&"


def test_hostile_names_stay_text(invented):
    X, y, groups = with_copies(invented, [0, 1], patients=HOSTILE)
    y = np.array([HOSTILE, "b"], dtype=object)[y]
    report = audit_patches(X, y, groups)
    page = report.to_html(heading_level=3)
    page.encode("ascii")
    tags = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)

    Tags().feed(page)
    assert "script" not in tags
    assert {"section", "h3", "table", "style"} <= tags
    assert page.count("<section") == page.count("</section>") == 1
    assert (
        page == report.to_html().replace("h2>", "h3>").replace("<h3>N", "<h4>N") or "<h4>" in page
    )
    assert "\n\u202e" not in str(report)
    str(report).encode()
    assert json.loads(json.dumps(report.to_dict()))["findings"][0]["patients"]


@pytest.mark.parametrize("level", [0, 6, "2"])
def test_heading_levels(invented, level):
    with pytest.raises(ValueError, match="heading_level"):
        audit_patches(invented.data[:2]).to_html(heading_level=level)


def test_frame(invented):
    pytest.importorskip("pandas")
    X, y, groups = with_copies(invented, [0, 1], patients="alias")
    report = audit_patches(X, y, groups)
    frame = report.to_frame()
    assert len(frame) == len(report.findings) == 3
    assert frame["kind"].tolist() == ["copies_across_patients"] * 2 + ["patients_share_pictures"]
    assert frame.loc[0, "patches"] == ("row 0", "row 60")
    assert len(audit_patches(invented.data).to_frame()) == 0
    assert list(audit_patches(invented.data).to_frame()) == list(frame)


def test_summary_is_short(invented):
    X, y, groups = with_copies(invented, range(30), patients=np.arange(30).astype(str))
    flat = np.stack([np.full((48, 48, 3), level, np.uint8) for level in (255, 0, 120)])
    X, y, groups = (
        np.concatenate([X, flat]),
        np.append(y, [0, 1, 2]),
        np.append(groups, ["00", "x", "y"]),
    )
    y[60:70] = 1 - y[60:70]
    split = list(StratifiedGroupKFold(2).split(X, np.minimum(y, 1), groups)) * 20
    lines = str(audit_patches(X, y, groups, split=split)).splitlines()
    assert lines[0].startswith("LEAKS in 93 patches of 43 patients: ")
    assert len(lines) <= 26
    assert max(map(len, lines)) < 260


def test_the_table_of_kinds_is_documented():
    for kind, (severity, counted) in KINDS.items():
        words = r"\s+".join(map(re.escape, counted.split()))
        assert re.search(rf"{kind} +{severity} +{words}", audit_patches.__doc__), kind


def test_split_forms_agree(invented):
    train = np.arange(40)
    test = np.arange(40, 60)
    names = np.where(np.arange(60) < 40, "train", "test")
    forms = [
        (train, test),
        [train.tolist(), test.tolist()],
        [(train, test)],
        {"train": train, "test": test},
        names,
        names.tolist(),
        (names == "train", names == "test"),
        iter([(train, test)]),
    ]
    for form in forms:
        (fold,) = read_split(form, n_patches=60)
        assert {name: rows.tolist() for name, rows in fold.parts.items()} == {
            "train": list(range(40)),
            "test": list(range(40, 60)),
        }


def test_parts_without_a_name_are_left_out(invented):
    parts = np.array(["train", "test", "", None, np.nan, "val"] * 10, dtype=object)
    report = audit_patches(invented.data, split=parts)
    (unused,) = [each for each in report.findings if each.kind == "in_no_part"]
    assert len(unused.rows) == 30


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train", "split must be rows"),
        (5, "split must be rows"),
        ([], "split is empty"),
        (["train"] * 60, "split names 1 part"),
        (["train", "test"], "split names the part of 2 patches"),
        (([0, 1], [60]), "names row 60; rows go from 0 to 59"),
        (([0, 1], [-1]), "names row -1"),
        (([0, 1], []), "at least one"),
        (([0.5], [1.5]), "must be integers or a mask"),
        ((np.zeros(60, bool), np.ones(60, bool)), "has no patch"),
        ((np.ones(3, bool), np.ones(3, bool)), "must be integers or a mask"),
        ([(range(3), range(3, 6)), range(3)], "entry 2 of 2 is no pair"),
        ([[[0], [1], [2]]], "entry 1 of 1 is no pair"),
        ({"train": [0]}, "at least 2"),
    ],
)
def test_wrong_splits(invented, split, message):
    with pytest.raises(ValueError, match=message):
        audit_patches(invented.data, split=split)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": []}, "X is empty"),
        ({"X": np.zeros((4, 12))}, "X must be patch references or"),
        ({"X": np.zeros((4, 8, 8, 3))}, "uint8"),
        ({"X": np.zeros((4, 8, 8, 5), np.uint8)}, "1 to 4 channels"),
        ({"y": [np.nan] * 60}, "y lacks 60 labels"),
        ({"y": [0, 1]}, "y has 2 entries for 60"),
        ({"groups": []}, "groups has 0 entries"),
        ({"groups": [None] * 60}, "groups lacks the patient"),
        ({"y": [0, 5] * 30, "target_names": ["a", "b"]}, "y has 5"),
        ({"y": ["a", "b"] * 30, "target_names": ["a", "b"]}, "y has 'a'"),
        ({"near_duplicates": 1}, "near_duplicates must be"),
        ({"n_jobs": 0}, "n_jobs must be"),
        ({"expected_size": "50"}, "expected_size must be"),
    ],
)
def test_wrong_arguments(invented, arguments, message):
    with pytest.raises(ValueError, match=message):
        audit_patches(**{"X": invented.data, **arguments})


def test_ids_of_several_kinds(invented):
    groups = np.array([1, "1", 2.5] * 20, dtype=object)
    report = audit_patches(invented.data, invented.target, groups, split=(range(30), range(30, 60)))
    assert kinds(report)["patient_on_both_sides"] == 3


@pytest.mark.slow
def test_real_idc_has_no_leak(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", splits_dir=real_data.parent / "splits")
    report = audit_patches(idc.data, idc.target, idc.groups, split=idc.frame["part"], n_jobs=2)
    assert not report.leaks
    assert kinds(report).keys() == {"odd_size", "in_no_part"}
    assert kinds(report)["odd_size"] == np.count_nonzero(idc.frame["odd_size"])
    assert 0.8 < report.colour.auc < 0.9


@pytest.mark.parametrize("reencoded", [False, True])
def test_the_alias_of_breakhis(real_data, tmp_path, reencoded):
    """Slide folders as patients: 14-13412 stands under DC and LC with the same pictures."""
    root = shutil.copytree(real_data / "BreaKHis_v1", tmp_path / "BreaKHis_v1",
                           ignore=shutil.ignore_patterns("200X"))  # fmt: skip
    ductal = load_breakhis(root, magnification=100)
    slide = ductal.frame["slide"][ductal.frame["subtype"] == "DC"].iloc[0]
    mine = ductal.data[(ductal.frame["slide"] == slide).to_numpy()]
    folder = root / "histology_slides/breast/malignant/SOB/lobular_carcinoma/alias/100X"
    folder.mkdir(parents=True)
    for number, path in enumerate(mine):
        new = folder / f"SOB_M_LC-14-13412-100-{number + 1:03}.png"
        if reencoded:
            stream = io.BytesIO()
            Image.fromarray(read_patch(path)).save(stream, "JPEG", quality=80)
            Image.open(stream).save(new)
        else:
            shutil.copy(path, new)
    breakhis = load_breakhis(root, magnification=100)
    names = [
        f"{a}-{b}" for a, b in zip(breakhis.frame["subtype"], breakhis.frame["slide"], strict=True)
    ]
    report = audit_patches(breakhis.data, breakhis.target, names, n_jobs=2)
    shared = [each for each in report.findings if each.kind == "patients_share_pictures"]
    assert [each.patients for each in shared] == [tuple(sorted([f"DC-{slide}", "LC-14-13412"]))]
    assert kinds(report)["copies_across_patients"] == len(mine)


def test_a_split_of_ours_is_clean(invented):
    rows = np.arange(60)
    train, test = patient_train_test_split(
        rows, groups=invented.groups, stratify=invented.target, random_state=0
    )
    assert not audit_patches(invented.data, groups=invented.groups, split=(train, test)).leaks
