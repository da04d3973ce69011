"""load_idc on real patches and on small trees, and the thinning that all loaders share."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from skbreast.datasets import load_idc
from skbreast.datasets._base import thin, walk_files

ARCHIVE_NAME = "IDC_regular_ps50_idx5"


def write_patch(root, patient, x, label, *, size=(50, 50)):
    folder = root / patient / str(label)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{patient}_idx5_x{x}_y1_class{label}.png"
    Image.new("RGB", size, (200, 120, 180)).save(path)
    return path


def write_lists(folder, train="", val="", test=""):
    folder.mkdir(exist_ok=True)
    for part, text in (("train", train), ("val", val), ("test", test)):
        (folder / f"idc_cases_{part}.txt").write_text(text)
    return folder


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "data" / ARCHIVE_NAME
    for patient in ("10253", "9075", "9076"):
        for x in (1, 51, 101):
            write_patch(root, patient, x, 0)
        write_patch(root, patient, 1001, 1)
    return root


def test_counts_of_the_real_patches(real_data):
    idc = load_idc(real_data / ARCHIVE_NAME)
    assert np.bincount(idc.target).tolist() == [5273, 1829]
    patients, counts = np.unique(idc.groups, return_counts=True)
    assert (len(patients), counts.min(), counts.max()) == (194, 2, 132)
    assert idc.target.dtype == np.int64
    assert idc.data.dtype == object
    assert idc.groups.dtype.kind == "U"
    assert idc.frame["reference"].tolist() == idc.data.tolist()
    assert idc.frame["target"].tolist() == idc.target.tolist()
    assert len(set(idc.data)) == 7102
    assert "28.4 %" in idc.DESCR


def test_sizes_of_the_real_patches_are_those_that_pillow_reads(real_data):
    frame = load_idc(real_data / ARCHIVE_NAME).frame
    sample = frame[frame["odd_size"] | (np.arange(len(frame)) % 100 == 0)]
    assert frame["odd_size"].sum() > 0
    for row in sample.itertuples():
        with Image.open(row.reference) as image:
            assert image.size == (row.width, row.height)
        assert row.odd_size == ((row.height, row.width) != (50, 50))


def test_coordinates_of_a_whole_slide(real_data):
    slides = load_idc(real_data / "idc_whole_slides")
    assert len(slides.data) == 1027
    assert sorted(set(slides.groups)) == ["10253", "14082"]
    row = slides.frame[slides.frame["reference"].str.endswith("14082_idx5_x1751_y1701_class1.png")]
    assert row[["x", "y", "target"]].to_numpy().tolist() == [[1751, 1701, 1]]


def test_published_split_parts_the_patients(real_data):
    root, splits = real_data / ARCHIVE_NAME, real_data.parent / "splits"
    on_disk = {folder.name for folder in root.iterdir()}
    seen = []
    for part, n_listed in (("train", 84), ("val", 29), ("test", 49)):
        idc = load_idc(root, split=part, splits_dir=splits)
        listed = set((splits / f"idc_cases_{part}.txt").read_text().split())
        assert set(idc.groups) == listed & on_disk
        assert set(idc.patients_absent) == listed - on_disk
        assert len(set(idc.groups)) + len(idc.patients_absent) == n_listed
        assert set(idc.part) == {part}
        seen += sorted(set(idc.groups))
    assert len(seen) == len(set(seen))
    everyone = load_idc(root, splits_dir=splits)
    assert set(everyone.part) == {"train", "val", "test", ""}
    assert everyone.frame["part"].tolist() == everyone.part.tolist()
    assert load_idc(root).part is None
    both = load_idc(root, split=("train", "test"), splits_dir=splits)
    wanted = np.isin(everyone.part, ["train", "test"])
    assert both.data.tolist() == everyone.data[wanted].tolist()
    assert len(both.patients_absent) == (84 - 54) + (49 - 37)


def test_nested_second_copy_is_not_read(tree):
    nested = tree / ARCHIVE_NAME
    for patient in ("10253", "9075", "77777"):
        write_patch(nested, patient, 1, 0)
    idc = load_idc(tree)
    assert len(idc.data) == 12
    assert not any(f"{ARCHIVE_NAME}/{ARCHIVE_NAME}" in path for path in idc.data)
    assert load_idc(tree.parent).data.tolist() == idc.data.tolist()


def test_order_is_patient_x_y_and_strays_are_ignored(tree):
    for stray in ("Thumbs.db", "10253/0/notes.txt", "9075/0/._9075_idx5_x1_y1_class0.png"):
        (tree / stray).write_text("stray")
    (tree / "9075" / "0" / "9075_idx5_x7_y7_class0.png").mkdir()
    frame = load_idc(tree).frame
    assert frame["patient"].tolist() == ["10253"] * 4 + ["9075"] * 4 + ["9076"] * 4
    assert frame["x"].tolist() == [1, 51, 101, 1001] * 3


def test_odd_and_broken_patches_are_kept_and_marked(tree):
    write_patch(tree, "9999", 1, 0, size=(50, 33))
    write_patch(tree, "9999", 51, 0).write_bytes(b"not a picture")
    frame = load_idc(tree).frame
    marked = frame[frame["odd_size"]]
    assert marked[["height", "width"]].to_numpy().tolist() == [[33, 50], [0, 0]]
    assert len(frame) == 14


def test_return_data_and_target(tree):
    idc = load_idc(tree)
    data, target = load_idc(tree, return_X_y=True)
    assert data.tolist() == idc.data.tolist()
    assert target.tolist() == idc.target.tolist() == [0, 0, 0, 1] * 3
    assert idc.target_names.tolist() == ["non-IDC", "IDC"]


def test_without_pandas_there_is_no_frame(tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    idc = load_idc(tree)
    assert idc.frame is None
    assert len(idc.data) == len(idc.groups) == 12


def test_import_is_light():
    code = (
        "import sys, skbreast.datasets\n"
        "heavy = {'h5py', 'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_folder_without_patches_says_what_it_saw(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match=r"no IDC patch .* holds photos/;"):
        load_idc(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_idc(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_idc(tmp_path / "file")


def test_name_that_contradicts_its_folder_is_refused(tree):
    write_patch(tree, "9075", 901, 1).rename(tree / "9075" / "0" / "9075_idx5_x901_y1_class1.png")
    with pytest.raises(ValueError, match=r"class 1, the folder says patient 9075, class 0"):
        load_idc(tree)


def test_split_needs_the_case_lists(tree, tmp_path):
    with pytest.raises(ValueError, match="needs splits_dir="):
        load_idc(tree, split="test")
    with pytest.raises(ValueError, match="split must be one of 'train', 'val', 'test', or a tuple"):
        load_idc(tree, split="valid")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"idc_cases_val\.txt"):
        load_idc(tree, split="val", splits_dir=tmp_path / "empty")


def test_split_selects_and_names_the_absent(tree, tmp_path):
    lists = write_lists(tmp_path / "lists", train="9075\n\n 11111 \n", test="10253\n", val="22222")
    train = load_idc(tree, split="train", splits_dir=lists)
    assert set(train.groups) == {"9075"}
    assert train.patients_absent.tolist() == ["11111"]
    assert set(load_idc(tree, split="test", splits_dir=lists).groups) == {"10253"}
    with pytest.raises(ValueError, match=r"split='val': none of its patients is among the 3"):
        load_idc(tree, split="val", splits_dir=lists)


def test_bad_case_lists_are_refused(tree, tmp_path):
    lists = write_lists(tmp_path / "twice", train="9075\n", test="10253\n9075\n")
    with pytest.raises(ValueError, match=r"test\.txt, line 2: patient 9075 .* list of train"):
        load_idc(tree, split="test", splits_dir=lists)
    lists = write_lists(tmp_path / "bad", train="9075\n10253 9076\n")
    with pytest.raises(ValueError, match=r"train\.txt, line 2: '10253 9076' is no patient id"):
        load_idc(tree, split="train", splits_dir=lists)
    (lists / "idc_cases_train.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text file in UTF-8"):
        load_idc(tree, split="train", splits_dir=lists)


def test_thinning_real_patches_keeps_all_patients(real_data):
    full = load_idc(real_data / ARCHIVE_NAME)
    few = load_idc(real_data / ARCHIVE_NAME, max_patches=1000, random_state=0)
    assert len(few.data) == 1000
    assert set(few.groups) == set(full.groups)
    assert abs(few.target.mean() - full.target.mean()) < 0.01
    again = load_idc(real_data / ARCHIVE_NAME, max_patches=1000, random_state=0)
    assert few.data.tolist() == again.data.tolist()
    other = load_idc(real_data / ARCHIVE_NAME, max_patches=1000, random_state=1)
    assert few.data.tolist() != other.data.tolist()


def counts_after(target, groups, max_patches, random_state=0):
    kept = thin(target, groups, max_patches, random_state)
    assert len(kept) == max_patches
    assert (np.diff(kept) > 0).all()
    target = np.asarray(target)[kept]
    groups = None if groups is None else np.asarray(groups)[kept]
    return target, groups


def test_thin_known_answers():
    target, groups = [0, 1] * 30, ["a"] * 40 + ["b"] * 20
    kept, patients = counts_after(target, groups, 30)
    assert np.bincount(kept).tolist() == [15, 15]
    assert np.unique(patients, return_counts=True)[1].tolist() == [20, 10]
    assert np.bincount(counts_after([0] * 90 + [1] * 10, None, 10)[0]).tolist() == [9, 1]
    assert thin(target, groups, None, 0).tolist() == list(range(60))
    assert thin(target, groups, 60, 0).tolist() == list(range(60))


def test_thin_keeps_a_patch_of_every_small_patient():
    groups = ["big"] * 97 + ["s1", "s2", "s3"]
    patients = counts_after([0] * 100, groups, 10)[1]
    assert sorted(patients) == ["big"] * 7 + ["s1", "s2", "s3"]
    patients = counts_after([0] * 100, groups, 2)[1]
    assert len(set(patients)) == 2


@pytest.mark.parametrize("pure", [False, True])
def test_thin_changes_patients_and_classes_by_rounding_only(pure):
    rng = np.random.default_rng(0)
    for seed in range(20):
        sizes = rng.integers(10, 60, size=25)
        groups = np.repeat(np.arange(25), sizes)
        target = rng.integers(0, 3, size=25)[groups] if pure else rng.integers(0, 3, len(groups))
        n_keep = int(0.37 * len(groups))
        kept, patients = counts_after(target, groups, n_keep, seed)
        share = n_keep / len(groups)
        assert np.abs(np.bincount(patients) - share * sizes).max() < 1
        assert np.abs(np.bincount(kept) - share * np.bincount(target)).max() < 1.5


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "10"])
def test_max_patches_must_be_a_whole_number(wrong, tree):
    with pytest.raises(ValueError, match="max_patches must be None or a whole number"):
        load_idc(tree, max_patches=wrong)


def test_walk_ends_on_links_in_a_circle(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / ".hidden").touch()
    try:
        (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert walk_files(tmp_path) == [str(tmp_path / "a" / "1.png")]
