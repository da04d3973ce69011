"""Maps of features, and the shares of their variance, against answers worked out by hand."""

import importlib.util
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import MDS
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbreast import TransferFeatureExtractor
from skbreast.datasets import load_breakhis, make_patches
from skbreast.plotting import FeatureMapDisplay
from skbreast.plotting._embedding import embed_features, variance_share
from skbreast.plotting._feature_map import OTHERS
from skbreast.plotting._style import CLASS_COLORS

# two labels of two patients each: of the sum of squares 400 lies between labels, 16 between the
# patients of a label, 8 within patients
POINTS = np.array([[0, 0], [2, 0], [4, 0], [6, 0], [0, 0], [2, 0], [4, 0], [6, 0]], dtype=float)
LABELS = np.repeat([0, 1], 4)
POINTS[LABELS == 1] += [0, 10]
PATIENTS = np.repeat(list("abcd"), 2)


@pytest.fixture(autouse=True)
def _nothing_global_changes():
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before, backend = dict(mpl.rcParams), mpl.get_backend()
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
    assert mpl.get_backend() == backend


def blobs(n_patients=12, n_patches=20, n_features=5, spread=3.0, seed=0):
    """Return features with an effect of the patient, labels, and patients."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), n_patches)
    effects = spread * rng.standard_normal((n_patients, n_features))
    features = effects[patient] + rng.standard_normal((len(patient), n_features))
    return features, patient % 2, np.array([f"p{number:02}" for number in patient])


# --- shares of the variance


def test_shares_by_hand():
    total = 200 + 2 * 20  # between labels 8 x 5², within each 9 + 1 + 1 + 9
    assert variance_share(POINTS, LABELS).share == pytest.approx(200 / total)
    assert variance_share(POINTS, LABELS).chance == pytest.approx(1 / 7)
    assert variance_share(POINTS, PATIENTS).share == pytest.approx((200 + 32) / total)
    assert variance_share(POINTS, PATIENTS).chance == pytest.approx(3 / 7)
    within = variance_share(POINTS, PATIENTS, within=LABELS)
    assert within.share == pytest.approx(32 / 40)
    assert within.chance == pytest.approx(1 / 3)
    assert within.corrected == pytest.approx((0.8 - 1 / 3) / (2 / 3))


def test_ends_of_the_scale():
    same = np.repeat([[0.0], [1.0]], 3, axis=0)
    assert variance_share(same, list("aaabbb")) == pytest.approx((1, 0.2, 1))
    alternating = np.array([[0.0], [1.0], [0.0], [1.0]])
    share, chance, corrected = variance_share(alternating, list("aabb"))
    assert (share, chance) == pytest.approx((0, 1 / 3))
    assert corrected == pytest.approx(-0.5)
    assert variance_share(alternating, list("aaaa")) == pytest.approx((0, 0, 0))


def test_corrected_is_one_less_the_ratio_of_mean_squares():
    features, _, patients = blobs()
    share = variance_share(features, patients).share
    expected = 1 - (1 - share) * (len(features) - 1) / (len(features) - 12)
    assert variance_share(features, patients).corrected == pytest.approx(expected)


@pytest.mark.parametrize("within", [None, LABELS])
def test_chance_is_the_mean_over_permutations(within):
    rng = np.random.default_rng(0)
    points = POINTS + rng.standard_normal(POINTS.shape)
    points[5:] *= 3
    parts = np.zeros(8, dtype=int) if within is None else within
    shares = []
    for _ in range(4000):
        groups = PATIENTS.copy()
        for part in np.unique(parts):
            groups[parts == part] = rng.permutation(groups[parts == part])
        shares.append(variance_share(points, groups, within=within).share)
    chance = variance_share(points, PATIENTS, within=within).chance
    assert chance == pytest.approx(np.mean(shares), abs=4 * np.std(shares) / np.sqrt(4000))


def test_groups_without_an_effect_are_near_zero_once_corrected():
    rng = np.random.default_rng(0)
    results = [
        variance_share(rng.standard_normal((100, 2)), rng.integers(0, 30, 100)) for _ in range(200)
    ]
    assert np.mean([result.share for result in results]) > 0.25
    assert np.mean([result.corrected for result in results]) == pytest.approx(0, abs=0.02)


def test_a_shift_and_the_order_change_nothing():
    features, labels, patients = blobs()
    order = np.random.default_rng(0).permutation(len(features))
    moved = variance_share(features[order] + 1e4, patients[order], within=labels[order])
    assert moved == pytest.approx(variance_share(features, patients, within=labels))


@pytest.mark.parametrize(
    ("points", "groups", "within"),
    [
        (np.ones((4, 2)) * 0.1, list("aabb"), None),  # nothing varies
        (np.repeat([[0.1], [0.7]], 2, axis=0), list("abcd"), [0, 0, 1, 1]),  # nothing within
    ],
)
def test_no_share_of_nothing(points, groups, within):
    assert np.isnan(variance_share(points, groups, within=within)).all()


def test_a_patch_a_patient_cannot_exceed_chance():
    share = variance_share([[0.0], [1.0], [5.0]], list("abc"))
    assert share[:2] == pytest.approx((1, 1))
    assert np.isnan(share.corrected)


# --- embeddings


def test_features_are_standardised_before_pca():
    features, _, _ = blobs()
    embedding, names = embed_features(features * [1, 10, 1e3, 1e-3, 1])
    expected, _ = embed_features(features)
    np.testing.assert_allclose(embedding, expected, atol=1e-8)
    pca = PCA(random_state=0).fit(StandardScaler().fit_transform(features))
    percent = 100 * pca.explained_variance_ratio_
    assert names[0] == f"Principal component 1 ({percent[0]:.0f} % of the variance)"
    assert names[1] == f"Principal component 2 ({percent[1]:.0f} % of the variance)"


def test_transformers_get_features_as_they_are():
    features, _, _ = blobs()
    fitted = PCA(3).fit(features[:100])
    embedding, names = embed_features(features, method=fitted)
    np.testing.assert_array_equal(embedding, fitted.transform(features)[:, :2])
    assert names == ("PCA 1", "PCA 2")  # its percentages are those of other features
    unfitted = TruncatedSVD(2, random_state=0)
    embedding, names = embed_features(features, method=make_pipeline(unfitted))
    assert not hasattr(unfitted, "components_")
    assert names[0].startswith("TruncatedSVD 1 (")
    embedding, names = embed_features(
        features[:20], method=MDS(n_init=1, init="random", random_state=0)
    )
    assert (embedding.shape, names) == ((20, 2), ("MDS 1", "MDS 2"))


@pytest.mark.parametrize("method", ["tsne", PCA, None, LogisticRegression()])
def test_what_is_no_method(method):
    with pytest.raises(ValueError, match='must be "pca", "umap" or a transformer'):
        embed_features(blobs()[0], method=method)


def test_a_method_of_one_axis():
    with pytest.raises(ValueError, match="at least 2 axes"):
        embed_features(blobs()[0], method=PCA(1))


def test_umap_where_it_is_and_where_it_is_not(monkeypatch):
    features, labels, patients = blobs(n_patients=4, n_patches=10)
    if importlib.util.find_spec("umap") is not None:
        display = FeatureMapDisplay.from_features(features, labels, patients, method="umap")
        assert display.axis_names == ("UMAP 1", "UMAP 2")
        assert display.embedding.shape == (40, 2)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match='"umap" needs the package umap-learn: pip install'):
        FeatureMapDisplay.from_features(features, labels, patients, method="umap")


# --- the picture


def test_panels_hold_the_numbers():
    features, labels, patients = blobs()
    display = FeatureMapDisplay.from_features(
        features, labels, patients, target_names=["benign", "malignant"]
    )
    embedding, names = embed_features(features)
    np.testing.assert_array_equal(display.embedding, embedding)
    assert display.panels_ == ["label", "patient"]
    assert display.axes_.shape == (2,)
    by_label, by_patient = display.axes_
    for points, axes in zip(display.points_.values(), display.axes_, strict=True):
        assert points.axes is axes
        drawn = points.get_offsets()
        assert {*map(tuple, drawn)} == {*map(tuple, embedding)}
        assert points.get_rasterized()
        assert axes.get_xlabel() == names[0]
    assert display.label_share == variance_share(embedding, labels)
    percent = 100 * display.label_share.share
    assert f"{percent:.0f} % of the variance" in by_label.get_title("left")
    within = 100 * variance_share(embedding, patients, within=labels).corrected
    assert f"{within:.0f} % beyond chance among" in by_patient.get_title("left")
    texts = [text.get_text() for text in display.legends_["label"].get_texts()]
    assert texts == ["benign (120)", "malignant (120)"]


def test_points_have_the_colours_of_their_labels():
    from matplotlib.colors import to_rgb

    features, labels, patients = blobs()
    display = FeatureMapDisplay.from_features(features, labels, patients)
    points = display.points_["label"]
    colors = {
        tuple(xy): tuple(c)
        for xy, c in zip(points.get_offsets(), points.get_facecolor()[:, :3], strict=True)
    }
    for xy, label in zip(display.embedding, labels, strict=True):
        assert colors[tuple(xy)] == to_rgb(CLASS_COLORS[label])


def test_patients_with_most_patches_stand_out():
    from matplotlib.colors import to_rgb

    features, _, patients = blobs(n_patients=4, n_patches=5)
    keep = np.r_[0:2, 5:10, 10:13, 15:20]  # 2, 5, 3 and 5 patches
    display = FeatureMapDisplay.from_features(
        features[keep], groups=patients[keep], n_highlighted=2
    )
    texts = [text.get_text() for text in display.legends_["patient"].get_texts()]
    assert texts == ["p01 (5)", "p03 (5)", "2 others (5)"]
    of_p01 = display.embedding[patients[keep] == "p01"]
    np.testing.assert_allclose(display.centroids_.get_offsets()[0], of_p01.mean(axis=0))
    colors = display.points_["patient"].get_facecolor()[:, :3]
    assert (colors == to_rgb(OTHERS)).all(axis=1).tolist() == [True] * 5 + [False] * 10
    assert display.panels_ == ["patient"]
    assert len(display.axes_) == 1
    assert display.label_share is display.patient_share_within_labels is None
    assert len(display.plot(n_highlighted=0).centroids_.get_offsets()) == 0
    every = display.plot(n_highlighted=10).legends_["patient"].get_texts()
    assert "others" not in every[-1].get_text()


@pytest.mark.parametrize("form", ["SOB_14-1618{}", "TCGA-A1-{}-01Z-00-DX1.F3E9.svs"])
@pytest.mark.parametrize(("n_patients", "n_highlighted"), [(20, 8), (60, 40)])
def test_nothing_overlaps_and_nothing_is_cut_off(form, n_patients, n_highlighted):
    features, labels, patients = blobs(n_patients=n_patients, n_patches=6)
    patients = np.array([form.format(each) for each in patients])
    names = ["usual ductal hyperplasia without atypia", "invasive carcinoma of no special type"]
    display = FeatureMapDisplay.from_features(
        features, labels, patients, n_highlighted=n_highlighted, target_names=names
    )
    display.figure_.canvas.draw()
    whole = display.figure_.bbox
    placed = []
    for panel, axes in zip(display.panels_, display.axes_, strict=True):
        placed += [axes.get_window_extent(), display.legends_[panel].get_window_extent()]
        placed += [axes.xaxis.label.get_window_extent(), axes._left_title.get_window_extent()]
    for number, box in enumerate(placed):
        assert not any(box.overlaps(other) for other in placed[:number])
        assert box.x0 >= -1
        assert box.x1 <= whole.x1 + 1
        assert box.y0 >= -1
        assert box.y1 <= whole.y1 + 1
    for axes in display.axes_:
        assert min(axes.bbox.size) > 3 * display.figure_.dpi
    texts = [text.get_text() for text in display.legends_["patient"].get_texts()]
    assert len(texts) == len(set(texts)) == min(n_highlighted, 24) + 1 + (n_highlighted > 24)
    if n_highlighted > 24:
        assert texts[-2:] == ["16 more (96)", "20 others (120)"]


def test_thinned_by_patient_with_a_seed():
    features, labels, patients = blobs(n_patients=10, n_patches=20)
    options = {"max_patches": 50, "random_state": 3}
    first = FeatureMapDisplay.from_features(features, labels, patients, **options)
    again = FeatureMapDisplay.from_features(features, labels, patients, **options)
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert np.unique(first.groups, return_counts=True)[1].tolist() == [5] * 10
    np.testing.assert_array_equal(first.groups, patients[first.rows])
    other = FeatureMapDisplay.from_features(
        features, labels, patients, max_patches=50, random_state=4
    )
    assert other.rows.tolist() != first.rows.tolist()


def test_axes_that_are_given():
    from matplotlib.figure import Figure

    features, labels, patients = blobs()
    figure = Figure()
    axes = figure.subplots(1, 2)
    display = FeatureMapDisplay.from_features(features, labels, patients, ax=axes)
    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.tolist()
    assert display.plot(Figure().subplots(1, 2)) is display
    with pytest.raises(ValueError, match="ax must hold 2 Axes"):
        display.plot(Figure().subplots())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": None, "groups": None}, "Give y, groups or both"),
        ({"y": [0, 1]}, "y has 2 entries for 240 patches"),
        ({"y": np.arange(240)}, "at most 20 labels; got 240"),
        ({"y": [None] * 240}, "y lacks 240 labels"),
        ({"groups": ["a"]}, "groups has 1 entries for 240 patches"),
        ({"groups": [None] * 240}, "groups lacks the patient"),
        ({"target_names": ["one"]}, "target_names has 1 entries for 2 labels"),
        ({"max_patches": 0}, "max_patches must be"),
        ({"n_highlighted": -1}, "n_highlighted must be"),
        ({"features": np.ones((240, 3))}, "the same for all patches"),
        ({"features": np.ones((240, 1))}, "minimum of 2 is required"),
        ({"features": np.ones((240, 4, 4, 3))}, r"patches themselves, of shape \(240, 4, 4, 3\)"),
        ({"features": ["a.png"] * 240}, "themselves, references: give what a transformer makes"),
        ({"features": np.full((240, 2), np.nan)}, "features contains NaN"),
    ],
)
def test_what_cannot_be_drawn(change, message):
    features, labels, patients = blobs()
    arguments = {"features": features, "y": labels, "groups": patients} | change
    with pytest.raises(ValueError, match=message):
        FeatureMapDisplay.from_features(**arguments)


# --- estimators


def test_from_estimators():
    features, labels, patients = blobs(n_features=8)
    scaler = StandardScaler().fit(features)
    pipeline = make_pipeline(SelectKBest(k=4), LogisticRegression()).fit(features, labels)
    for estimator, expected in (
        (scaler, scaler.transform(features)),
        (pipeline, pipeline[0].transform(features)),
        (pipeline[:-1], pipeline[0].transform(features)),
    ):
        display = FeatureMapDisplay.from_estimator(estimator, features, labels, patients)
        np.testing.assert_allclose(display.embedding, embed_features(expected)[0])
    for nothing in (LogisticRegression(), make_pipeline(LogisticRegression())):
        with pytest.raises(ValueError, match="makes no features"):
            FeatureMapDisplay.from_estimator(nothing, features, labels, patients)


def test_only_shown_patches_are_read(save_patches, tmp_path):
    patches = make_patches(5, 6, patch_size=16, random_state=0)
    y, groups = patches.target, patches.groups
    features = np.random.default_rng(0).random((30, 2))
    shown = FeatureMapDisplay.from_features(features, y, groups, max_patches=10).rows
    references = np.array(["nowhere.png"] * 30, dtype=object)
    references[shown] = save_patches(patches.data, tmp_path)[shown]
    extractor = TransferFeatureExtractor(layers="block2").fit(references)
    display = FeatureMapDisplay.from_estimator(
        extractor, list(references), y, groups, max_patches=10
    )
    assert display.rows.tolist() == shown.tolist()
    np.testing.assert_array_equal(display.groups, groups[shown])


@pytest.mark.slow
def test_breakhis_lies_together_by_patient(real_data):
    breakhis = load_breakhis(real_data / "BreaKHis_v1", magnification=200, max_patches=150)
    extractor = TransferFeatureExtractor(layers="block4").fit(breakhis.data)
    display = FeatureMapDisplay.from_estimator(
        extractor, breakhis.data, breakhis.target, breakhis.groups
    )
    assert display.patient_share_within_labels.corrected > 0.4
    shuffled = np.random.default_rng(0).permutation(breakhis.groups)
    assert abs(variance_share(display.embedding, shuffled).corrected) < 0.15
