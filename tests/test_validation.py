"""What users hand in, cleaned or refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from skbreast._validation import (
    check_choice,
    check_groups,
    check_patches,
    import_optional,
    is_references,
)


def test_uint8_patches_are_returned_as_they_are():
    X = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    assert check_patches(X) is X


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float16, np.float64, bool])
def test_other_numbers_become_float32(dtype):
    X = np.ones((2, 3, 4, 3), dtype=dtype)
    checked = check_patches(X)
    assert checked.dtype == np.float32
    np.testing.assert_array_equal(checked, 1)


def test_rows_are_pixels_or_images():
    rows = np.arange(24, dtype=np.uint8).reshape(2, 12)
    assert check_patches(rows).shape == (2, 1, 1, 12)
    images = check_patches(rows, image_shape=(2, 2, 3))
    assert images.shape == (2, 2, 2, 3)
    np.testing.assert_array_equal(images[1, 0, 1], [15, 16, 17])
    np.testing.assert_array_equal(
        check_patches(rows.tolist(), image_shape=np.array([2, 2, 3])), images
    )


@pytest.mark.parametrize(
    "shape", [(2, 2), (2, 2, 4), (-2, -2, 3), (2.0, 2, 3), 12, "abc", (0, 1, 1)]
)
def test_an_image_shape_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match=r"image_shape=.* does not fit rows of 12 features"):
        check_patches(np.zeros((2, 12), np.uint8), image_shape=shape)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 3, 4)), "X has 3 dimensions"),
        (np.zeros((2, 1, 3, 4, 3)), "X has 5 dimensions"),
        (np.zeros((0, 3, 4, 3)), "0 sample"),
        (np.zeros((2, 0, 4, 3)), "patches without pixels"),
        (np.full((1, 2, 2, 3), np.nan), "NaN"),
        (np.full((1, 2, 2, 3), np.inf), "infinity"),
        (np.full((1, 2, 2, 3), 1e300), "too large for dtype"),
        (np.zeros((1, 2, 2, 3), complex), "[Cc]omplex"),
        ([], "X|array"),
        ("one.png", "single string 'one.png'"),
    ],
)
def test_what_is_no_patch_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        check_patches(X)


class BytesPath:
    def __fspath__(self):
        return b"a.png"


def test_references_become_strings(tmp_path):
    (tmp_path / "a.png").touch()
    (entry,) = os.scandir(tmp_path)
    references = check_patches(["b.png", tmp_path / "a.png", entry])
    assert references.dtype == object
    assert references.tolist() == ["b.png", *[str(tmp_path / "a.png")] * 2]


def test_the_callers_references_stay_as_they_are():
    given = np.array([Path("a.png"), "b.png"], dtype=object)
    assert check_patches(given)[0] == "a.png"
    assert given[0] == Path("a.png")


def test_every_reference_is_looked_at():
    for wrong in (None, 3, b"b.png", BytesPath()):
        for first in ("a.png", Path("a.png")):
            with pytest.raises(ValueError, match=r"X\[1\] is no patch reference"):
                check_patches([first, wrong])


def test_tables_of_numbers_are_no_references():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"red": [1.0, 2.0], "green": [3.0, 4.0]})
    assert not is_references(frame)
    assert check_patches(frame).shape == (2, 1, 1, 2)
    assert is_references(pandas.Series(["a.png", "b.png"], index=[7, 9]))
    assert check_patches(pandas.Series(["a.png"], index=[7])).tolist() == ["a.png"]


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (["a.png"], True),
        (("a.png",), True),
        (np.array(["a.png"]), True),
        ([Path("a.png")], True),
        ([], False),
        ([1, 2], False),
        (np.zeros((2, 3)), False),
        (np.array([["a.png"]]), False),
        (np.array("a.png"), False),
        (None, False),
    ],
)
def test_is_references(X, expected):
    assert is_references(X) is expected


def test_groups_are_returned_flat():
    np.testing.assert_array_equal(check_groups(["a", "b"], n_samples=2), ["a", "b"])
    assert check_groups([3, 1], n_samples=2).dtype.kind == "i"
    assert check_groups(np.array([[3], [1]]), n_samples=2).shape == (2,)


@pytest.mark.parametrize("missing", [None, np.nan, float("nan"), np.float32("nan")])
@pytest.mark.parametrize("known", ["a", 1, 1.5])
def test_an_unknown_patient_is_refused(missing, known):
    for groups in ([known, missing], np.array([known, missing], dtype=object)):
        with pytest.raises(ValueError, match=r"1 patches .first at row 1.; give every patch an id"):
            check_groups(groups, n_samples=2)


def test_pandas_missing_values_are_unknown_patients():
    pandas = pytest.importorskip("pandas")
    for missing in (pandas.NA, pandas.NaT):
        with pytest.raises(ValueError, match="first at row 1"):
            check_groups(pandas.Series(["a", missing], dtype=object), n_samples=2)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a"], "patients has 1 entries for 2 patches"),
        (None, r"patients must be one-dimensional; got shape \(\)"),
        ("ab", r"patients must be one-dimensional; got shape \(\)"),
        ([["a", "b"], ["c", "d"]], r"patients must be one-dimensional; got shape \(2, 2\)"),
    ],
)
def test_groups_of_another_shape_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        check_groups(groups, n_samples=2, name="patients")


def test_choices():
    assert check_choice("pad", name="fit", choices=("resize", "pad")) == "pad"
    assert type(check_choice(np.str_("pad"), name="fit", choices=("resize", "pad"))) is str
    assert check_choice(None, name="fit", choices=(None, "pad")) is None
    for wrong in ("PAD", None, 1, ["pad"], np.array(["pad", "resize"])):
        with pytest.raises(ValueError, match="fit must be one of 'resize', 'pad'; got"):
            check_choice(wrong, name="fit", choices=("resize", "pad"))
    with pytest.raises(ValueError, match="got True"):
        check_choice(True, name="magnification", choices=(1, 40))


def test_optional_packages():
    assert import_optional("math", extra="plot", purpose="Adding") is __import__("math")
    with pytest.raises(
        ImportError, match=r'^Drawing needs .* nowhere: pip install "skbreast\[plot\]"'
    ):
        import_optional("nowhere.at.all", extra="plot", purpose="Drawing")


def test_a_fault_inside_an_optional_package_is_shown(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import its_missing_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_missing_dependency"):
        import_optional("half_installed", extra="plot", purpose="Drawing")
