"""The report of poor patches: right verdicts, and never a sample lost."""

import pickle
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from test_tissue_masks import INKS, blurred, breakhis, flat, idc

from skbreast.datasets import make_patches
from skbreast.exceptions import PoorPatchesWarning
from skbreast.reading import PatchReadError
from skbreast.tissue import TissueFilter, TissueReport
from skbreast.tissue._report import name_verdicts


@pytest.fixture(scope="module")
def patches():
    return make_patches(n_patients=4, random_state=0).data


def spoil(patches):
    """Return spoilt copies of the first four patches and more, and what they should be named."""
    height, width = patches.shape[1:3]
    stroke = patches[0].copy()
    stroke[: height // 3] = stroke[: height // 3] * np.array([0.06, 0.14, 0.55])
    opaque = [patches[1].copy() for _ in INKS]
    for patch, ink in zip(opaque, INKS.values(), strict=True):
        patch[:, : width // 3] = ink
    white, black, pink = (np.full_like(patches[0], level) for level in (243, 0, (225, 160, 200)))
    planted = {
        "background": [white, black],
        "blur": [*blurred(patches[:4], 4), pink],
        "ink": [stroke, *opaque],
    }
    names = [name for name, each in planted.items() for _ in each]
    return np.stack([patch for each in planted.values() for patch in each]), names


def test_planted_patches_are_named(patches):
    poor, names = spoil(patches)
    report = TissueFilter().fit(patches).report(np.concatenate([patches, poor]))
    assert report.verdict[: len(patches)].tolist() == ["tissue"] * len(patches)
    assert report.verdict[len(patches) :].tolist() == names
    assert report.keep.sum() == len(patches)


@pytest.mark.parametrize("source", [idc, breakhis])
def test_planted_among_real_patches(real_data, source):
    real = source(real_data, 48)
    poor, names = spoil(real)
    both = np.concatenate([real, poor])
    filter_ = TissueFilter().fit(both)
    report = filter_.report(both)
    assert (report.verdict[: len(real)] == "tissue").mean() >= 0.97
    assert report.verdict[len(real) :].tolist() == names
    np.testing.assert_array_equal(filter_.predict(both), report.verdict)


def test_hardly_a_real_patch_is_refused(real_data):
    real = idc(real_data, 1000)
    report = TissueFilter().fit(real).report(real)
    assert report.counts["tissue"] / len(real) > 0.985
    assert report.counts["blur"] / len(real) < 0.005
    soft = blurred(real[report.keep], 2)
    assert (TissueFilter().fit(real).predict(soft) == "blur").mean() > 0.98


def test_pictures_finer_than_their_optics_are_sharp(real_data):
    paths = sorted(str(path) for path in (real_data / "breakhis_originals").rglob("*.png"))
    report = TissueFilter().fit(paths).report(paths)  # 40X to 400X, 700 x 460
    assert report.keep.all()
    assert 0.55 < report.limits["max_blur"] <= 0.8


def test_ink_comes_before_background_before_blur():
    tissue, blur, ink = np.array([[0, 0, 1, 1], [1, 1, 1, 0.2], [1, 0, 0, 0]])
    verdicts = name_verdicts(tissue, blur, ink, min_tissue=0.1, max_blur=0.5, max_ink=0.1)
    assert verdicts.tolist() == ["ink", "background", "blur", "tissue"]


def test_limits_are_parameters(patches):
    poor = np.concatenate([patches, *[each[None] for each in spoil(patches)[0]]])
    lenient = TissueFilter(min_tissue=0, max_blur=1.0, max_ink=1.0).fit(poor).report(poor)
    assert lenient.keep.all()
    strict = TissueFilter(max_blur=0.0).fit(patches).report(patches)
    assert set(strict.verdict) == {"blur"}
    assert strict.limits["max_blur"] == 0


def test_nothing_to_judge_takes_the_lower_limit():
    filter_ = TissueFilter().fit(flat((243, 243, 243)))
    assert filter_.max_blur_ == 0.55
    assert 0.1 < filter_.tissue_threshold_ < 0.19


def test_transform_hands_on_what_it_got_and_warns_once(patches):
    filter_ = TissueFilter().fit(patches)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert filter_.transform(patches) is patches
    poor, _ = spoil(patches)
    with pytest.warns(PoorPatchesWarning, match="12 of 12 .*background 2, blur 5, ink 5") as caught:
        assert filter_.transform(poor) is poor
    assert len(caught) == 1
    assert caught[0].filename == __file__
    as_list = list(patches)
    assert filter_.transform(as_list) is as_list


def test_a_pipeline_keeps_every_sample(patches):
    poor = np.concatenate([patches, spoil(patches)[0]])
    pipe = make_pipeline(TissueFilter(), clone(TissueFilter(max_ink=0.2)))
    with pytest.warns(PoorPatchesWarning):
        assert len(pipe.fit(poor).predict(poor)) == len(poor)


def test_references_are_judged_as_arrays_each_in_its_own_size(patches, save_patches, tmp_path):
    poor, names = spoil(patches)
    paths = save_patches(np.concatenate([patches[:8], poor]), tmp_path)
    wide = str(tmp_path / "wide.png")
    Image.fromarray(np.concatenate([patches[0], patches[1]], axis=1)).save(wide)
    paths = np.insert(paths.astype(object), 3, wide)
    filter_ = TissueFilter(n_jobs=2).fit(paths)
    report = filter_.report(paths)
    assert report.verdict[3] == "tissue"
    assert report.verdict[9:].tolist() == names
    from_array = filter_.report(patches[:3])
    np.testing.assert_array_equal(report.blur[:3], from_array.blur)
    np.testing.assert_array_equal(report.tissue_fraction[:3], from_array.tissue_fraction)
    assert "'" + paths[9] + "'" in str(report)
    assert report.frame()["patch"].tolist() == paths.tolist()


def test_an_unreadable_patch_raises(patches, save_patches, tmp_path):
    paths = [*save_patches(patches[:3], tmp_path), str(tmp_path / "missing.png")]
    with pytest.raises(PatchReadError, match="missing"):
        TissueFilter().fit(paths)
    with pytest.raises(PatchReadError, match="missing"):
        TissueFilter().fit(patches).report(paths)


def test_floats_are_rounded_and_threads_change_nothing(patches):
    expected = TissueFilter().fit(patches).report(patches)
    almost = patches + np.float32(0.3)
    for X in (np.minimum(almost, 255), patches.astype(int)):
        report = TissueFilter().fit(X).report(X)
        np.testing.assert_array_equal(report.blur, expected.blur)
    many = np.concatenate([patches] * 16)  # more than one task
    with parallel_config(n_jobs=2):
        report = TissueFilter().fit(many).report(many)
    np.testing.assert_array_equal(report.blur, np.tile(expected.blur, 16))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 48), np.uint8), "RGB patches"),
        (np.zeros((4, 4, 4, 1), np.uint8), "RGB patches"),
        (np.zeros((4, 4, 4, 4), np.uint8), "RGB patches"),
        (np.zeros((4, 4, 3), np.uint8), "dimensions"),
        (np.zeros((0, 4, 4, 3), np.uint8), "0 sample"),
        ([], "empty"),
        (np.full((1, 4, 4, 3), 0.5), "0…255"),
        (np.full((1, 4, 4, 3), 256.0), "0…255"),
        (np.full((1, 4, 4, 3), np.nan), "NaN"),
    ],
)
def test_what_is_no_rgb_patch_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        TissueFilter().fit(X)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_tissue": 2}, {"max_blur": "none"}, {"max_blur": -1}, {"max_ink": None},
        {"method": "hsv"}, {"n_jobs": 0},
    ],
)  # fmt: skip
def test_wrong_parameters(patches, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TissueFilter(**wrong).fit(patches)


def test_it_is_a_scikit_learn_estimator(patches):
    with pytest.raises(NotFittedError):
        TissueFilter().report(patches)
    fitted = pickle.loads(pickle.dumps(clone(TissueFilter(max_ink=0.2)).fit(patches)))
    assert fitted.report(patches).limits["max_ink"] == 0.2
    tags = fitted.__sklearn_tags__().input_tags
    assert (tags.two_d_array, tags.three_d_array, tags.string) == (False, True, True)
    assert TissueFilter.__module__ == TissueReport.__module__ == "skbreast.tissue"


def test_the_report_reads_well(patches):
    poor = np.concatenate([patches, spoil(patches)[0]])
    report = TissueFilter().fit(patches).report(poor)
    lines = str(report).splitlines()
    assert lines[0] == "64 of 76 patches show sharp tissue."
    assert lines[2].split() == ["background", "2", "2.6%", "rows", "64,", "65"]
    assert lines[3].endswith("rows 66, 67, 68, …")
    assert lines[5].startswith("  by min_tissue 0.1, max_blur 0.")
    assert repr(report) == "<TissueReport of 76 patches: tissue=64, background=2, blur=5, ink=5>"
    assert report._repr_html_().startswith("<pre>64 of 76")
    frame = report.frame()
    assert frame["verdict"].value_counts().to_dict() == report.counts
    assert list(frame) == ["patch", "verdict", "tissue_fraction", "blur", "ink_fraction"]


def test_names_of_files_cannot_write_html():
    report = TissueReport(
        *np.zeros((3, 1)),
        verdict=np.array(["background"]),
        limits={"max_ink": 0.1},
        references=np.array(["<script>.png"], dtype=object),
    )
    assert "<script>" not in report._repr_html_()
    assert report.counts == {"tissue": 0, "background": 1, "blur": 0, "ink": 0}
