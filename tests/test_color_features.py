"""Colour features: known answers, in every space, the same from arrays and files."""

import pickle
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from skimage.color import hed2rgb, rgb2hed, rgb2lab
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast.reading import PatchReadError
from skbreast.texture import ColorFeatures, color_features, color_moments

NAMES = ["mean_red", "mean_green", "mean_blue", "std_red", "std_green", "std_blue"]


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(0, 256, size=(7, 5, 9, 3), dtype=np.uint8)


@pytest.fixture
def files(patches, tmp_path):
    paths = [tmp_path / f"patch {i}.png" for i in range(len(patches))]
    for patch, path in zip(patches, paths, strict=True):
        Image.fromarray(patch).save(path)
    return [str(path) for path in paths]


def test_moments_by_hand():
    red = np.zeros((2, 2, 3), dtype=np.uint8)
    red[..., 0] = [[0, 100], [100, 200]]
    red[..., 2] = 7
    moments = color_moments(np.stack([red, np.full_like(red, 255)]))
    assert moments.dtype == np.float32
    np.testing.assert_allclose(moments[0], [100, 0, 7, np.sqrt(5000), 0, 0], rtol=1e-7)
    assert moments[1].tolist() == [255, 255, 255, 0, 0, 0]


def test_moments_are_those_of_numpy(patches):
    for given in (
        patches,
        patches / np.float32(255),
        patches[:, :, ::2, :1],
        patches[..., [0] * 5],
    ):
        wide = given.astype(np.float64)
        expected = np.hstack([wide.mean(axis=(1, 2)), wide.std(axis=(1, 2))])
        np.testing.assert_allclose(color_moments(given), expected, rtol=1e-6)


def test_a_large_offset_does_not_drown_a_small_deviation():
    patch = np.float32(1e6) + np.array([0, 1, 0, 1], dtype=np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_allclose(color_moments(patch), [[1e6 + 0.5, 0.5]])
    assert color_moments(np.full((1, 50, 50, 1), 0.1, dtype=np.float32))[0, 1] < 1e-8


def test_a_batch_is_never_copied_whole():
    patches = np.zeros((20_000, 32, 32, 3), dtype=np.uint8)
    tracemalloc.start()
    color_moments(patches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * patches.nbytes  # in float64 it would be 8 times its bytes


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 0, 4, 3), (2, 4, 4, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="at least one pixel and channel"):
        color_moments(np.zeros(shape))


def test_files_give_what_their_pixels_give(patches, files):
    from_array = ColorFeatures().fit_transform(patches)
    for n_jobs in (None, 2):
        from_files = ColorFeatures(n_jobs=n_jobs).fit_transform(files)
        assert from_files.dtype == np.float32
        np.testing.assert_array_equal(from_files, from_array)


def test_a_patch_of_another_size_keeps_its_own_moments(patches, files, tmp_path):
    odd = str(tmp_path / "edge.png")
    Image.fromarray(patches[0, :2, :3]).save(odd)
    features = ColorFeatures().fit(files).transform([files[0], odd, *files[1:]])
    np.testing.assert_array_equal(features[1:2], color_moments(patches[:1, :2, :3]))
    np.testing.assert_array_equal(np.delete(features, 1, axis=0), color_moments(patches))


def test_chunks_do_not_show(patches, files, monkeypatch):
    whole = ColorFeatures().fit_transform(files)
    monkeypatch.setattr("skbreast.texture._tasks._N_PATCHES", 3)
    monkeypatch.setattr("skbreast.texture._color_moments._N_VALUES", 1)
    np.testing.assert_array_equal(ColorFeatures().fit_transform(files), whole)
    np.testing.assert_array_equal(color_moments(patches), whole)


def test_a_missing_file_is_named(files):
    with pytest.raises(PatchReadError, match=r"gone\.png"):
        ColorFeatures().fit(files).transform([*files, "gone.png"])


def test_names(patches, files):
    assert ColorFeatures().fit(patches).get_feature_names_out().tolist() == NAMES
    assert ColorFeatures().fit(files).get_feature_names_out().tolist() == NAMES
    two = ColorFeatures().fit(patches[..., :2]).get_feature_names_out().tolist()
    assert two == ["mean_channel0", "mean_channel1", "std_channel0", "std_channel1"]
    with pytest.raises(NotFittedError):
        ColorFeatures().get_feature_names_out()


def test_set_output(patches):
    pytest.importorskip("pandas")
    frame = ColorFeatures().set_output(transform="pandas").fit_transform(patches)
    assert frame.columns.tolist() == NAMES
    np.testing.assert_array_equal(frame.to_numpy(), color_moments(patches))


def test_rows_with_column_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "b"])
    features = ColorFeatures().fit(frame)
    assert features.feature_names_in_.tolist() == ["a", "b"]
    assert features.transform(frame).tolist() == [[1, 2, 0, 0], [3, 4, 0, 0]]
    with pytest.raises(ValueError, match="feature names should match"):
        features.transform(frame.rename(columns={"b": "c"}))


def test_what_was_seen_in_fit(patches, files):
    features = ColorFeatures().fit(patches)
    assert features.n_features_in_ == 5 * 9 * 3
    assert features.transform(patches[:, :4, :4]).shape == (7, 6)
    with pytest.raises(ValueError, match="patches of 2 channels, but ColorFeatures was fitted on"):
        features.transform(patches[..., :2])
    assert not hasattr(features.fit(files), "n_features_in_")
    assert features.transform(patches).shape == (7, 6)


def test_clone_and_pickle(patches):
    features = ColorFeatures(n_jobs=2).fit(patches)
    assert clone(features).get_params() == {"n_jobs": 2, "quantiles": (), "spaces": ("rgb",)}
    again = pickle.loads(pickle.dumps(features))
    np.testing.assert_array_equal(again.transform(patches), features.transform(patches))


def test_without_parameters_only_moments_of_rgb(patches):
    np.testing.assert_array_equal(color_features(patches), color_moments(patches))
    np.testing.assert_array_equal(ColorFeatures().fit_transform(patches), color_moments(patches))


def test_colours_known_in_lab_and_hed():
    red, white = np.full((2, 4, 5, 3), [[[[255, 0, 0]]], [[[255, 255, 255]]]], dtype=np.uint8)
    lab = color_features(np.stack([red, white]), spaces=["lab"])
    np.testing.assert_allclose(lab[:, :3], [[53.24, 80.09, 67.20], [100, 0, 0]], atol=0.02)
    np.testing.assert_allclose(lab[:, 3:], 0, atol=1e-4)
    stains = np.random.default_rng(0).uniform(0.01, 0.06, size=(1, 30, 30, 3))
    stains[..., 2] = 0.005
    found = color_features(np.rint(255 * hed2rgb(stains)), spaces=["hed"])[0]
    expected = [*stains.mean(axis=(0, 1, 2)), *stains.std(axis=(0, 1, 2))]
    np.testing.assert_allclose(found, expected, atol=0.002)


def test_all_spaces_are_those_of_scikit_image(patches):
    found = color_features(patches, spaces=["hed", "rgb", "lab"], quantiles=[0.1, 0.5])
    expected = []
    for values in (rgb2hed(patches), patches, rgb2lab(patches)):
        pixels = values.reshape(len(values), -1, 3)
        expected += [pixels.mean(axis=1), pixels.std(axis=1)]
        expected += [np.quantile(pixels, quantile, axis=1) for quantile in (0.1, 0.5)]
    np.testing.assert_allclose(found, np.hstack(expected), rtol=1e-4, atol=1e-4)


def test_quantiles_by_hand():
    ramp = np.arange(101, dtype=np.uint8).reshape(1, 101, 1, 1)
    features = ColorFeatures(quantiles=[0, 0.25, 1]).fit(ramp)
    assert features.transform(ramp)[0, 2:].tolist() == [0, 25, 100]
    assert features.get_feature_names_out().tolist() == [
        "mean_channel0",
        "std_channel0",
        "quantile0_channel0",
        "quantile0.25_channel0",
        "quantile1_channel0",
    ]


def test_names_of_all_spaces(patches, files):
    features = ColorFeatures(spaces=["rgb", "lab", "hed"], quantiles=[0.5])
    from_array, from_files = features.fit_transform(patches), features.fit_transform(files)
    np.testing.assert_array_equal(from_files, from_array)
    names = features.get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == from_array.shape[1] == 27
    assert names[:6] == NAMES
    assert names[9:12] == ["mean_lab_l", "mean_lab_a", "mean_lab_b"]
    assert names[-3:] == ["quantile0.5_haematoxylin", "quantile0.5_eosin", "quantile0.5_dab"]
    only_of_lab = ColorFeatures(spaces=["lab"], quantiles=[0.5]).fit_transform(patches)
    np.testing.assert_array_equal(from_array[:, 9:18], only_of_lab)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"spaces": []}, "at least one and none twice; got \\[\\]"),
        ({"spaces": ["rgb", "rgb"]}, "none twice"),
        ({"spaces": "rgb"}, "spaces must be a list or tuple of .*; got 'rgb'"),
        ({"spaces": ["hsv"]}, "Each of spaces must be one of 'rgb', 'lab', 'hed'; got 'hsv'"),
        ({"spaces": None}, "spaces must be a list or tuple"),
        ({"quantiles": [1.5]}, "Each of quantiles must be a number at least 0 and at most 1"),
        ({"quantiles": 0.5}, "quantiles must be a sequence of different numbers; got 0.5"),
        ({"quantiles": [0.5, 0.5]}, "quantiles must be a sequence of different numbers; got"),
        ({"n_jobs": 0}, "n_jobs must be None or an integer other than 0"),
    ],
)
def test_parameters_out_of_range_are_refused(patches, parameters, message):
    with pytest.raises(ValueError, match=message):
        color_features(patches, **parameters)
    with pytest.raises(ValueError, match=message):
        ColorFeatures(**parameters).fit(patches)


@pytest.mark.parametrize("spaces", [["lab"], ["rgb", "hed"]])
def test_spaces_that_want_raw_rgb_refuse_the_rest(patches, spaces):
    for action in (
        lambda given: color_features(given, spaces=spaces),
        ColorFeatures(spaces=spaces).fit,
    ):
        with pytest.raises(ValueError, match=r"wants patches of three channels.*got 2"):
            action(patches[..., :2])
        with pytest.raises(ValueError, match="raw pixels, 0…255"):
            action(patches / 255)


def test_colour_carries_far_on_real_patches(real_data):
    paths = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))[::5]
    references = np.array([str(path) for path in paths], dtype=object)
    y = np.array([int(path.parent.name) for path in paths])
    groups = np.array([path.parents[1].name for path in paths])

    def auc(*steps):
        scores = cross_val_score(
            make_pipeline(*steps),
            references,
            y,
            groups=groups,
            cv=StratifiedGroupKFold(5),
            scoring="roc_auc",
        )
        return scores.mean()

    assert auc(DummyClassifier()) == 0.5
    assert auc(ColorFeatures(), StandardScaler(), LogisticRegression()) > 0.75
