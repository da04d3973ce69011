"""The grammar of patch references."""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest

from skbreast.references import PatchReference, format_reference, parse_reference

KNOWN = [
    ("a.png", "a.png", None),
    ("cohort.h5#12", "cohort.h5", 12),
    ("cohort.HDF5#0", "cohort.HDF5", 0),
    ("C:\\Users\\Jo Doe\\slides #3\\x.h5#7", "C:\\Users\\Jo Doe\\slides #3\\x.h5", 7),
    ("C:\\Users\\Jo Doe\\patch #12.png", "C:\\Users\\Jo Doe\\patch #12.png", None),
    ("\\\\server\\share\\x.hdf5#1", "\\\\server\\share\\x.hdf5", 1),
    ("folder#1/x.h5#2/patch.png", "folder#1/x.h5#2/patch.png", None),
    ("a.h5#1.h5#2", "a.h5#1.h5", 2),
    ("cohort.h5", "cohort.h5", None),
    ("cohort.h5#", "cohort.h5#", None),
    ("cohort.h5#-1", "cohort.h5#-1", None),
    ("cohort.h5# 1", "cohort.h5# 1", None),
    ("cohort.h5#1\n", "cohort.h5#1\n", None),
    ("cohort.h5#٣", "cohort.h5#٣", None),
    ("patch.png#12", "patch.png#12", None),
    ("a\nb.h5#12", "a\nb.h5", 12),
    ("Gewebe/Präparat ü.png", "Gewebe/Präparat ü.png", None),
]


@pytest.mark.parametrize(("text", "path", "row"), KNOWN)
def test_known_references(text, path, row):
    assert parse_reference(text) == PatchReference(path, row)
    assert format_reference(path, row) == text
    assert str(parse_reference(text)) == text


def test_leading_zeros_name_the_same_row():
    assert parse_reference("a.h5#007") == PatchReference("a.h5", 7)


def test_a_number_of_any_length_is_harmless():
    text = "a.h5#" + "9" * 5000
    assert parse_reference(text) == PatchReference(text)


def test_paths_are_accepted():
    assert parse_reference(Path("a") / "b.png").path == os.path.join("a", "b.png")  # noqa: PTH118
    assert parse_reference(PurePosixPath("a/b.h5#3")) == PatchReference("a/b.h5", 3)
    assert parse_reference(PureWindowsPath("C:/a b.h5#3")) == PatchReference("C:\\a b.h5", 3)
    assert parse_reference(np.str_("a.h5#3")) == PatchReference("a.h5", 3)
    assert format_reference(PurePosixPath("a/b.h5"), np.int64(3)) == "a/b.h5#3"


class BytesPath:
    def __fspath__(self):
        return b"a.png"


@pytest.mark.parametrize("wrong", [12, None, b"a.png", ["a.png"], BytesPath()])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(TypeError, match="is a string or a path"):
        parse_reference(wrong)


def test_the_empty_reference_is_refused():
    with pytest.raises(ValueError, match="must not be empty"):
        parse_reference("")


@pytest.mark.parametrize(
    ("path", "row"), [("a.png", 3), ("a.h5", -1), ("a.h5#3", None), ("a.h5#٣", 10**18), (".h5", 1)]
)
def test_what_would_read_back_otherwise_is_refused(path, row):
    with pytest.raises(ValueError, match="cannot be written as a patch reference"):
        format_reference(path, row)


def test_a_row_is_a_whole_number():
    with pytest.raises(TypeError):
        format_reference("a.h5", 1.5)


def test_references_are_hashable_and_frozen():
    reference = parse_reference("a.h5#3")
    assert {reference: 1}[PatchReference("a.h5", 3)] == 1
    with pytest.raises(AttributeError):
        reference.row = 4
