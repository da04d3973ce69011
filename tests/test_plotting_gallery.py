"""The gallery: reads what it shows and nothing else, says what it shows, and stays legible."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbreast.datasets import load_idc
from skbreast.evaluation import Predictions
from skbreast.plotting import PatchGalleryDisplay
from skbreast.plotting._shown import read_shown, shorten, shorten_apart

h5py = pytest.importorskip("h5py")
mpl = pytest.importorskip("matplotlib")
figures = pytest.importorskip("matplotlib.figure")

TRUTH = np.array([0, 0, 0, 1, 1, 1])
SCORE = np.array([0.1, 0.4, 0.8, 0.3, 0.55, 0.95])  # rows 2 and 3 are wrong
GROUPS = np.array(["a", "a", "b", "b", "c", "c"])


@pytest.fixture(autouse=True)
def _nothing_global_changes():
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def texts_of(display):
    return [each.get_text() for each in display.captions_]


def test_captions_kinds_and_title_are_what_was_predicted(patches):
    display = PatchGalleryDisplay.from_predictions(
        patches, TRUTH, SCORE, GROUPS, show="sure_wrong", target_names=["benign", "malignant"]
    )
    assert display.rows.tolist() == [2, 3]
    assert display.captions == [
        "label benign\npredicted malignant\nscore 0.80\npatient b",
        "label malignant\npredicted benign\nscore 0.30\npatient b",
    ]
    assert display.kinds == ["wrong", "wrong"]
    assert display.title == "Surest mistakes: 2 of 2\nscore: probability of malignant"
    assert display.figure_.get_suptitle() == display.title
    assert texts_of(display) == display.captions
    np.testing.assert_array_equal(display.images_[0].get_array(), patches[2])


def test_only_the_patches_shown_are_read(tmp_path, patches, save_patches):
    X = np.array([object() for _ in range(6)])  # to read, or to check, one of these is an error
    X[[2, 3]] = save_patches(patches[2:4], tmp_path)
    display = PatchGalleryDisplay.from_predictions(X, TRUTH, SCORE, GROUPS, show="wrong")
    assert sorted(display.rows) == [2, 3]
    assert display.problems == [None, None]
    for row, patch in zip(display.rows, display.patches, strict=True):
        np.testing.assert_array_equal(patch, patches[row])


def test_a_list_of_paths_will_do(tmp_path, patches, save_patches):
    paths = [tmp_path / name.rsplit("/", 1)[-1] for name in save_patches(patches, tmp_path)]
    display = PatchGalleryDisplay.from_predictions(paths, TRUTH, SCORE, show="any")
    assert len(display.patches) == 6
    np.testing.assert_array_equal(display.patches[0], patches[display.rows[0]])


def test_rows_of_a_file_are_read(tmp_path, patches):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = patches
    read, problems = read_shown([f"{tmp_path}/x.h5#{row}" for row in range(99)], np.array([4, 1]))
    np.testing.assert_array_equal(read, patches[[4, 1]])
    assert problems == [None, None]


def test_patches_keep_their_own_sizes_and_one_scale(tmp_path):
    sizes = [(50, 50), (50, 30), (20, 50), (8, 8)]
    X = [str(tmp_path / f"{number}.png") for number in range(4)]
    for (height, width), path in zip(sizes, X, strict=True):
        Image.fromarray(np.full((height, width, 3), 200, np.uint8)).save(path)
    display = PatchGalleryDisplay.from_predictions(X, [0, 0, 1, 1], [0.5] * 4, show="any")
    by_row = dict(zip(display.rows, range(4), strict=True))
    for row, (height, width) in enumerate(sizes):
        place = by_row[row]
        assert display.patches[place].shape == (height, width, 3)
        frame = display.frames_[place]
        assert (frame.get_height(), frame.get_width()) == (height, width)
        (left, right), (bottom, top) = (
            display.axes_[place].get_xlim(),
            display.axes_[place].get_ylim(),
        )
        # to the scale of the largest, except the one that would be tiny
        assert (bottom - top, right - left) == ((8, 8) if row == 3 else (50, 50))
        assert (left + right) / 2 == pytest.approx((width - 1) / 2)


def test_a_tile_says_that_its_patch_cannot_be_read(tmp_path, patches, save_patches):
    X = save_patches(patches, tmp_path).astype(object)
    X[2] = str(tmp_path / "gone.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    display = PatchGalleryDisplay.from_predictions(X, TRUTH, SCORE, show="sure_wrong")
    assert display.patches == [None, None]
    assert display.problems[0] == "gone.png cannot be read: there is no such file."
    assert display.problems[1].startswith("3.png cannot be read: ")
    shown = [" ".join(ax.texts[0].get_text().split()) for ax in display.axes_]
    assert shown[0] == display.problems[0]
    assert len(display.captions_) == 2
    mixed = PatchGalleryDisplay.from_predictions(X, TRUTH, SCORE, show="any")
    assert sum(patch is None for patch in mixed.patches) == 2
    assert [image is None for image in mixed.images_] == [patch is None for patch in mixed.patches]


def test_wrong_ones_are_told_apart_without_colour(patches):
    display = PatchGalleryDisplay.from_predictions(patches, TRUTH, SCORE, show="any")
    looks = {
        (kind, sign.get_text(), frame.get_linewidth(), frame.get_edgecolor())
        for kind, sign, frame in zip(display.kinds, display.signs_, display.frames_, strict=True)
    }
    assert len(looks) == 2
    by_kind = {kind: rest for kind, *rest in looks}
    assert all(r != w for r, w in zip(by_kind["right"], by_kind["wrong"], strict=True))
    assert (by_kind["right"][0], by_kind["wrong"][0]) == ("\u2713", "\u2717")
    assert by_kind["wrong"][1] > 2 * by_kind["right"][1]


@pytest.fixture
def predictions():
    """Of rows 5 to 0, by models with thresholds of their own."""
    return Predictions(
        y_true=TRUTH[::-1],
        y_proba=np.column_stack([1 - SCORE, SCORE])[::-1],
        y_pred=np.array([1, 0, 0, 1, 0, 0]),  # row 4 too is called negative
        groups=GROUPS[::-1],
        folds=np.array([0, 0, 0, 1, 1, 1]),
        rows=np.arange(6)[::-1],
        classes=np.array(["benign", "malignant"]),
    )


def test_predictions_know_their_rows_and_decisions(patches, predictions):
    display = PatchGalleryDisplay.from_predictions(patches, predictions, show="sure_wrong")
    assert display.rows.tolist() == [2, 3, 4]
    assert display.captions[2] == "label malignant\npredicted benign\nscore 0.55\npatient c"
    for row, patch in zip(display.rows, display.patches, strict=True):
        np.testing.assert_array_equal(patch, patches[row])
    with_own = PatchGalleryDisplay.from_predictions(
        patches, predictions, show="sure_wrong", threshold=0.5
    )
    assert with_own.rows.tolist() == [2, 3]


def test_predictions_without_patients_name_none(patches, predictions):
    unknown = predictions.take(slice(None)).at_rows(predictions.rows)
    unknown = Predictions(**{**vars(unknown), "groups": unknown.rows})
    display = PatchGalleryDisplay.from_predictions(patches, unknown, show="any")
    assert not any("patient" in caption for caption in display.captions)


def test_an_estimator_is_asked_in_its_own_labels(patches):
    labels = np.array(["x", "y"])[TRUTH]
    model = make_pipeline(
        FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255.0), LogisticRegression()
    ).fit(patches, labels[[0, 3, 4, 1, 2, 5]])
    display = PatchGalleryDisplay.from_estimator(model, patches, labels, GROUPS, show="any")
    predicted = model.predict(patches)
    assert sorted(display.rows) == list(range(6))
    for row, caption, kind in zip(display.rows, display.captions, display.kinds, strict=True):
        score = model.predict_proba(patches)[row, 1]
        assert caption.splitlines() == [
            f"label {labels[row]}",
            f"predicted {predicted[row]}",
            f"score {score:.2f}",
            f"patient {GROUPS[row]}",
        ]
        assert kind == ("right" if predicted[row] == labels[row] else "wrong")
    assert set(display.kinds) == {"right", "wrong"}


def test_one_class_of_three_is_set_against_the_rest(patches):
    proba = np.eye(3)[[0, 1, 2, 2, 1, 0]] * 0.7 + 0.1
    display = PatchGalleryDisplay.from_predictions(
        patches,
        list("aabbcc"),
        proba,
        show="false_positive",
        pos_label="b",
    )
    assert sorted(display.rows) == [1, 4]
    assert display.title.endswith("score: probability of b")
    assert all("label the rest\npredicted b" in caption for caption in display.captions)


def test_estimators_that_cannot_be_asked_are_refused(patches):
    rows = patches.reshape(6, -1)
    model = DummyClassifier().fit(rows, TRUTH)
    with pytest.raises(ValueError, match="Perceptron has decision_function only"):
        PatchGalleryDisplay.from_estimator(Perceptron().fit(rows, TRUTH), patches, TRUTH)
    with pytest.raises(ValueError, match="not fitted on: 7"):
        PatchGalleryDisplay.from_estimator(model, patches, [0, 0, 0, 1, 1, 7])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PatchGalleryDisplay.from_estimator(model, patches, [0, 1])


def test_nothing_overlaps_and_all_lies_within_the_figure():
    patches = np.full((24, 10, 14, 3), 200, dtype=np.uint8)
    groups = [f"TCGA-A1-{number % 9}-a-very-long-barcode-{number % 9}" for number in range(24)]
    names = ["usual ductal hyperplasia without atypia", "invasive WW ductal carcinoma WWWW"]
    display = PatchGalleryDisplay.from_predictions(
        patches,
        [0, 1] * 12,
        np.linspace(0, 1, 24),
        groups,
        show="threshold",
        patient=None,
        target_names=names,
    )
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.captions_]
    boxes += [image.get_window_extent() for image in display.images_]
    boxes.append(display.figure_._suptitle.get_window_extent())
    assert len(boxes) == 25
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other), (one, other)
    whole = display.figure_.bbox
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= whole.x1
        assert box.y1 <= whole.y1


def test_it_draws_on_axes_that_are_there(patches):
    figure = figures.Figure()
    axes = figure.subplots(2, 2)
    display = PatchGalleryDisplay.from_predictions(
        patches, TRUTH, SCORE, show="any", n_patches=3, ax=axes
    )
    assert display.figure_ is figure
    assert figure.get_suptitle() == ""
    assert [ax.get_visible() for ax in axes.flat] == [True, True, True, False]
    with pytest.raises(ValueError, match="at least 3 Axes; got 1"):
        display.plot(figures.Figure().subplots())


def test_drawing_again_replaces_the_artists(patches):
    display = PatchGalleryDisplay.from_predictions(patches, TRUTH, SCORE, show="any")
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert len(display.images_) == len(display.frames_) == len(display.signs_) == 6


def test_a_model_without_mistakes_gets_a_gallery_that_says_so(patches):
    display = PatchGalleryDisplay.from_predictions(patches, TRUTH, TRUTH.astype(float))
    assert display.patches == []
    assert display.title.startswith("Wrong, drawn at random: 0 of 0")
    assert display.axes_[0].texts[0].get_text() == "no such patch"


def test_names_are_no_formulas(patches):
    groups = [r"$\frac{$", "b", "$x^2$", "c", "d", "e"]
    display = PatchGalleryDisplay.from_predictions(
        patches, TRUTH, SCORE, groups, show="any", target_names=["$\\no$", "$b$"]
    )
    display.figure_.canvas.draw()
    assert any(r"$\frac{$" in text for text in texts_of(display))


@pytest.mark.parametrize("scale", [1, 255])
def test_floats_and_grey_are_shown_as_they_look(patches, scale):
    grey = patches[..., :1].astype(np.float32) / 255 * scale
    read, _ = read_shown(grey, np.array([5]))
    np.testing.assert_array_equal(read[0], np.repeat(patches[5, :, :, :1], 3, axis=-1))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.full((2, 4, 4, 3), -1.0), "0…1, to be shown; it reaches from -1 to -1"),
        (np.zeros((2, 12)), "those to be shown have the shape"),
        (np.zeros((2, 4, 4, 5), dtype=np.uint8), "1 to 4 channels"),
    ],
)
def test_what_is_no_picture_is_refused(X, words):
    with pytest.raises(ValueError, match=words):
        PatchGalleryDisplay.from_predictions(X, [0, 1], [0.1, 0.2], show="any")


def test_arguments_that_do_not_fit_are_named(patches, predictions):
    draw = PatchGalleryDisplay.from_predictions
    with pytest.raises(ValueError, match="y_score is missing"):
        draw(patches, TRUTH)
    with pytest.raises(ValueError, match="predicted, 6 patches; it holds 5"):
        draw(patches[:5], TRUTH, SCORE)
    with pytest.raises(ValueError, match="are part of Predictions"):
        draw(patches, predictions, SCORE)
    with pytest.raises(ValueError, match="predicted, rows up to 5; it holds 3"):
        draw(patches[:3], predictions)
    with pytest.raises(ValueError, match="6 patches; it holds 3"):
        draw(patches[:3], predictions.at_rows(None))
    with pytest.raises(ValueError, match="target_names must hold 2 names"):
        draw(patches, TRUTH, SCORE, target_names=["one"])
    with pytest.raises(ValueError, match="n_columns must be an integer"):
        draw(patches, TRUTH, SCORE, n_columns=0)


@pytest.mark.filterwarnings("error")
def test_rows_that_are_not_of_these_patches_are_told(patches, predictions):
    draw = PatchGalleryDisplay.from_predictions
    more = np.concatenate([patches, patches])
    match = r"all rows from 0 to 5, and X holds 12 patches.* X\[:6\]"
    with pytest.warns(UserWarning, match=match) as caught:
        draw(more, predictions)
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="rows from -1; it holds 6"):
        draw(patches, predictions.at_rows(np.arange(-1, 5)))
    # A part of the patches was judged, with gaps: as of official folds.
    draw(more, predictions.at_rows(np.array([0, 2, 4, 7, 9, 10])))
    draw(patches, predictions)


def test_arguments_in_each_others_place_are_named(patches, predictions):
    draw = PatchGalleryDisplay.from_predictions
    order = "the order is X, y_true, y_score, groups"
    with pytest.raises(ValueError, match=f"X must hold patches.* in its place: {order}"):
        draw(predictions, patches)
    with pytest.raises(ValueError, match=f"y_true must hold labels, .* patches in.*: {order}"):
        draw(TRUTH, patches, SCORE)
    with pytest.raises(ValueError, match=r"it has 0\.1: are y_true and y_score in each other's"):
        draw(patches, SCORE, TRUTH)
    with pytest.raises(ValueError, match=r"as in predictions\['colour'\]"):
        draw(patches, {"colour": predictions})


def test_long_names_keep_both_ends():
    assert shorten("SOB_M_DC-14-13412", 11) == "SOB_M…13412"
    assert shorten("short") == "short"
    assert len(shorten("x" * 99)) == 20
    assert shorten("two\nlines") == "two lines"


def test_names_are_shortened_no_more_than_leaves_them_apart():
    assert shorten_apart(["a", "b"]) == ["a", "b"]
    ends = [f"{number:02}-{'x' * 30}-{number:02}" for number in range(3)]
    assert shorten_apart(ends) == [shorten(each) for each in ends]
    middles = [f"{'x' * 20}-{number:02}-{'y' * 20}" for number in range(3)]
    assert shorten_apart(middles) == ["…00…", "…01…", "…02…"]
    hopeless = [f"{'x' * 20}{number}{'y' * 20}" for number in range(3)]
    assert shorten_apart(hopeless) == hopeless
    assert shorten_apart(["x" * 30] * 2) == [shorten("x" * 30)] * 2
    assert shorten_apart([]) == []


def test_real_patches_are_shown_by_their_patients(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", max_patches=400, random_state=0)
    score = np.random.default_rng(0).random(len(idc.data))
    display = PatchGalleryDisplay.from_predictions(
        idc.data, idc.target, score, idc.groups, show="wrong", target_names=idc.target_names
    )
    assert len(display.patches) == 12
    patients = idc.groups[display.rows]
    assert np.unique(patients, return_counts=True)[1].max() <= 2
    for patient, caption in zip(patients, display.captions, strict=True):
        assert caption.endswith(f"patient {patient}")
