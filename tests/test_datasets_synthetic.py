import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast.color import STAIN_VECTORS, rgb_to_optical_density
from skbreast.datasets._synthetic import make_patches
from skbreast.datasets._tissue import draw_nuclei, morphology, smooth_noise


def grouped_auc(features, patches):
    scores = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=2000)),
        features,
        patches.target,
        groups=patches.groups,
        cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return roc_auc_score(patches.target, scores[:, 1])


def nuclear_features(data):
    """Describe haematoxylin: distribution, runs of stained pixels, contrast at several lags."""
    stain = rgb_to_optical_density(data) @ np.linalg.inv(STAIN_VECTORS)[:, 0]
    low, high = np.percentile(stain, [5, 95], axis=(1, 2))[..., None, None]
    stain = (stain - low) / (high - low)
    columns = list(np.percentile(stain, [10, 25, 50, 75, 90, 99], axis=(1, 2)))
    for lag in (1, 2, 3, 4, 6, 8, 10, 12):
        across, down = stain[..., lag:] - stain[..., :-lag], stain[:, lag:] - stain[:, :-lag]
        columns += [np.abs(across).mean((1, 2)) + np.abs(down).mean((1, 2))]
        columns += [np.square(across).mean((1, 2)) + np.square(down).mean((1, 2))]
    nuclei = stain > 0.5
    for size in (3, 5, 7, 9):
        windows = np.lib.stride_tricks.sliding_window_view(nuclei, (size, size), axis=(1, 2))
        columns.append(windows.all(axis=(3, 4)).mean((1, 2)) / (nuclei.mean((1, 2)) + 0.01))
    return np.stack(columns, axis=1)


@pytest.fixture(scope="module")
def patches():
    return make_patches(30, 12, random_state=0)


def test_shapes_and_types(patches):
    assert patches.data.shape == (360, 64, 64, 3)
    assert patches.data.dtype == np.uint8
    assert patches.target.dtype == np.int64
    assert list(patches.target_names) == ["benign", "malignant"]
    assert patches.groups.dtype.kind == "U"
    assert patches.groups[:13].tolist() == ["patient-00"] * 12 + ["patient-01"]
    assert "no tissue, no patient" in patches.DESCR


def test_frame(patches):
    pytest.importorskip("pandas", reason="a frame needs pandas")
    assert patches.frame.shape == (360, 3)
    assert patches.frame.groupby("patient").label.nunique().max() == 1
    assert (patches.frame.target == patches.target).all()


def test_return_pair():
    X, y = make_patches(2, 2, patch_size=16, random_state=0, return_X_y=True)
    whole = make_patches(2, 2, patch_size=16, random_state=0)
    np.testing.assert_array_equal(X, whole.data)
    np.testing.assert_array_equal(y, whole.target)


def test_same_seed_same_bytes():
    first, again, other = (make_patches(2, 3, random_state=seed).data for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("patient_labels", [True, False])
def test_patients_do_not_depend_on_those_after_them(patient_labels):
    options = {"patient_labels": patient_labels, "positive_share": 0.3, "random_state": 1}
    few, many = make_patches(3, 4, **options), make_patches(9, 4, **options)
    np.testing.assert_array_equal(few.data, many.data[:12])
    np.testing.assert_array_equal(few.target, many.target[:12])
    np.testing.assert_array_equal(few.groups, many.groups[:12])


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 1])
def test_share_of_malignant_patients(share):
    for seed in range(3):
        y = make_patches(8, 1, patch_size=16, positive_share=share, random_state=seed).target
        assert y.sum() == 8 * share


def test_mixed_patients():
    mixed = make_patches(20, 20, patch_size=16, patient_labels=False, random_state=0)
    shares = mixed.target.reshape(20, 20).mean(axis=1)
    assert 0.3 < shares.mean() < 0.7
    assert ((shares > 0) & (shares < 1)).sum() >= 10
    assert shares.std() > 0.1
    pure = make_patches(2, 5, patch_size=16, patient_labels=False, positive_share=1)
    assert pure.target.all()


def test_patients_differ_in_stain(patches):
    colour = patches.data.reshape(30, 12, -1, 3).mean(axis=2)
    between, within = colour.mean(axis=1).std(axis=0), colour.std(axis=1).mean(axis=0)
    assert (between > 0.5 * within).all()


def test_colour_is_weak_and_morphology_is_strong(patches):
    colour = grouped_auc(patches.data.mean(axis=(1, 2)), patches)
    nuclei = grouped_auc(nuclear_features(patches.data), patches)
    assert 0.5 < colour < 0.82
    assert nuclei > 0.88
    assert nuclei > colour + 0.1


def test_difficulty_one_leaves_nothing_to_learn():
    assert morphology(0, 1.0) == morphology(1, 1.0)
    assert morphology(1, 0.0).radius > morphology(1, 0.5).radius > morphology(0, 0.0).radius


@pytest.mark.parametrize("patch_size", [16, 32, 50, 224])
def test_patch_sizes_hold_tissue(patch_size):
    data = make_patches(2, 2, patch_size=patch_size, random_state=0).data
    assert data.shape == (4, patch_size, patch_size, 3)
    assert (data.std(axis=(1, 2)) > 5).all()


@pytest.mark.parametrize("mpp", [0.25, 0.5, 2.0])
def test_scale(mpp):
    assert make_patches(1, 2, patch_size=32, mpp=mpp, random_state=0).data.std() > 5


def test_a_nucleus_has_its_area():
    round_ = np.array([[32.0, 32.0, 6.0, 6.0, 0.0, 0.0, 1.0, 0.0, 0.0]])
    drawn = draw_nuclei(np.random.default_rng(0), 128, 0.5, round_)
    assert drawn.max() == pytest.approx(1)
    assert drawn.sum() * 0.5**2 == pytest.approx(np.pi * 6**2, rel=0.03)
    rows, columns = np.nonzero(drawn)
    assert rows.mean() == pytest.approx(63.5, abs=0.1)
    assert columns.mean() == pytest.approx(63.5, abs=0.1)


def test_no_nuclei():
    assert not draw_nuclei(np.random.default_rng(0), 32, 1.0, np.zeros((0, 9))).any()


def test_noise_has_unit_variance():
    noise = [smooth_noise(np.random.default_rng(seed), 20, 5.0) for seed in range(500)]
    np.testing.assert_allclose(np.std(noise, axis=0).mean(), 1, atol=0.03)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_patients", 0),
        ("patches_per_patient", 0),
        ("n_patients", 3.5),
        ("patch_size", 8),
        ("patch_size", 2000),
        ("mpp", 0),
        ("positive_share", 1.5),
        ("difficulty", -0.1),
        ("difficulty", float("nan")),
    ],
)
def test_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=f"{argument} must be an? "):
        make_patches(**{argument: value})
