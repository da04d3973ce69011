"""Archives and HDF5 files that were built to do harm are refused quickly, and leave nothing."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from skbreast import _stacks
from skbreast._stacks import count_rows
from skbreast.datasets import _base, _pcam, _unpack, load_idc, load_pcam
from skbreast.datasets._unpack import unpack
from skbreast.reading import PatchReadError, read_patch

h5py = pytest.importorskip("h5py")
STEM = "camelyonpatch_level_2_split_train_"
STACK = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


# Archives


def refuse(archive, folder, cause):
    (folder / "archive").write_bytes(archive)
    with pytest.raises(ValueError, match=cause):
        unpack(folder / "archive", folder / "data", max_bytes=10**9, progress=False)
    assert [path.name for path in folder.iterdir()] == ["archive"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes_is_not_read(tmp_path, kind):
    """Tar keeps long names in headers of any length; gzipped, a gigabyte of one is a megabyte."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 2**28
    archive = io.BytesIO()
    with gzip.GzipFile(fileobj=archive, mode="wb", compresslevel=1) as file:
        file.write(info.tobuf(tarfile.PAX_FORMAT))
        for _ in range(2**8):
            file.write(bytes(2**20))
    tracemalloc.start()
    refuse(archive.getvalue(), tmp_path, "a header claims 268,435,456 bytes")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_the_number_of_members_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "MAX_MEMBERS", 50)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for number in range(51):
            zipped.writestr(f"{number}.png", b"")
    refuse(archive.getvalue(), tmp_path, "more than 50 members")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_refused(tmp_path, method):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as zipped:
        zipped.writestr("a.png", bytes(1000))
    refuse(archive.getvalue(), tmp_path, "is packed by an unusual method")


@pytest.mark.parametrize("mode", ["w:xz", "w:bz2"])
def test_only_plain_and_gzipped_tars_are_known(tmp_path, mode):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as tar:
        tar.addfile(tarfile.TarInfo("a.png"))
    refuse(archive.getvalue(), tmp_path, "damaged or incomplete")


def test_members_that_share_their_bytes_are_counted_each(tmp_path):
    """The bomb without nesting: many names of the directory point at the same packed bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a", bytes(10**6))
        (first,) = zipped.infolist()
        zipped.filelist += [first] * 30
    (tmp_path / "archive").write_bytes(archive.getvalue())
    with zipfile.ZipFile(tmp_path / "archive") as zipped:
        assert len(zipped.infolist()) == 31
    with pytest.raises(ValueError, match=r"damaged|more bytes"):
        unpack(tmp_path / "archive", tmp_path / "data", max_bytes=5 * 10**6, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


# HDF5


def write(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def test_deep_groups_are_not_descended(tmp_path):
    """Thousands of levels took minutes; 20,000 ended the process in libhdf5's own recursion."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(500):
            group = group.create_group("g")
        group["x"] = STACK
    with pytest.raises(PatchReadError, match="more than 32 levels"):
        read_patch(f"{path}#0")
    with pytest.raises(ValueError, match="more than 32 levels"):
        count_rows(path)
    with h5py.File(path, "a") as file:
        file["x"] = STACK
    np.testing.assert_array_equal(read_patch(f"{path}#1"), STACK[1])


def test_many_arrays_are_not_all_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(_stacks, "MAX_OBJECTS", 20)
    path = write(tmp_path / "a.h5", images=STACK, **{f"y{n}": n for n in range(20)})
    with pytest.raises(PatchReadError, match="more than 20 groups and arrays"):
        read_patch(f"{path}#0")


def test_groups_in_a_circle_end(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a/b")
        group["back"], group["images"] = file["a"], STACK
        group["the same"] = group["images"]
        group["lost"] = h5py.SoftLink("/nowhere")
    np.testing.assert_array_equal(read_patch(f"{path}#1"), STACK[1])


def test_x_may_be_no_link(tmp_path):
    write(tmp_path / "b.h5", x=STACK)
    for link in (h5py.ExternalLink(str(tmp_path / "b.h5"), "x"), h5py.SoftLink("/nowhere")):
        write(tmp_path / "a.h5", x=link)
        with pytest.raises(PatchReadError, match="found none"):
            read_patch(f"{tmp_path}/a.h5#0")


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda file: file.create_dataset("y", (2**40, 1, 1, 1), "u1"), "at most 10,000,000"),
        (lambda file: file.create_dataset("y", (4,), h5py.string_dtype()), "numbers"),
        (lambda file: file.create_dataset("y", (4,), [("a", "i4")]), "numbers"),
        (lambda file: file.create_dataset("y", (4,), h5py.ref_dtype), "numbers"),
        (lambda file: file.create_dataset("y", (4,), "u1", external="/etc/passwd"), "other files"),
        (lambda file: file.__setitem__("y", h5py.ExternalLink("b.h5", "y")), "another file"),
    ],
)
def test_labels_that_claim_or_reach_too_much(tmp_path, make, cause):
    write(tmp_path / "b.h5", y=np.zeros(4, np.uint8))
    write(tmp_path / f"{STEM}x.h5", x=np.zeros((4, 96, 96, 3), np.uint8))
    with h5py.File(tmp_path / f"{STEM}y.h5", "w") as file:
        make(file)
    with pytest.raises(ValueError, match=cause):
        load_pcam(tmp_path)


# Texts


def test_long_lines_and_large_texts_are_refused(tmp_path, monkeypatch):
    for part in ("train", "val", "test"):
        (tmp_path / f"idc_cases_{part}.txt").write_text("1" if part == "train" else "")
    (tmp_path / "1" / "0").mkdir(parents=True)
    (tmp_path / "1" / "0" / "1_idx5_x1_y1_class0.png").touch()
    assert len(load_idc(tmp_path, split="train", splits_dir=tmp_path).data) == 1
    listed = tmp_path / "idc_cases_train.txt"
    listed.write_text("1\n" + "2" * 10**5)
    with pytest.raises(ValueError, match=r"train\.txt, line 2: it has more than 1000 characters"):
        load_idc(tmp_path, split="train", splits_dir=tmp_path)
    monkeypatch.setattr(_base, "MAX_LIST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"has 100,002 bytes; at most 1,000 are allowed"):
        load_idc(tmp_path, split="train", splits_dir=tmp_path)


def test_large_metadata_are_refused(tmp_path, monkeypatch):
    write(tmp_path / f"{STEM}x.h5", x=np.zeros((2, 96, 96, 3), np.uint8))
    write(tmp_path / f"{STEM}y.h5", y=np.zeros((2, 1, 1, 1), np.uint8))
    (tmp_path / f"{STEM}meta.csv").write_text("wsi\n" + "a" * 500 + "\nb\n")
    assert len(load_pcam(tmp_path).groups) == 2
    monkeypatch.setattr(_pcam, "MAX_META_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 are allowed"):
        load_pcam(tmp_path)
