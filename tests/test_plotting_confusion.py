"""Confusion matrices counted by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.svm import LinearSVC

from skbreast.evaluation import Predictions
from skbreast.plotting import PatientConfusionDisplay
from skbreast.plotting._confusion import ConfusionTable, _luminance

mpl = pytest.importorskip("matplotlib")
Figure = pytest.importorskip("matplotlib.figure").Figure
to_rgb = pytest.importorskip("matplotlib.colors").to_rgb

Y_TRUE = np.array([0, 0, 0, 1, 1, 1, 1, 1])
Y_SCORE = np.array([0.1, 0.2, 0.9, 0.9, 0.8, 0.4, 0.3, 0.3])
GROUPS = np.array(["a", "a", "a", "b", "b", "c", "c", "c"])


def _axes(n=2):
    return Figure(figsize=(4.5 * n, 4.5), layout="constrained").subplots(1, n)


def test_patches_and_patients_are_counted():
    display = PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, GROUPS, ax=_axes())
    assert display.by_patch.counts.tolist() == [[2, 1], [3, 2]]
    np.testing.assert_allclose(display.by_patch.shares, [[2 / 3, 1 / 3], [0.6, 0.4]])
    # The patients' means are 0.4, 0.85 and 0.33.
    assert display.by_patient.counts.tolist() == [[1, 0], [1, 1]]
    assert [text.get_text() for text in display.texts_[0].ravel()] == [
        "2\n67 %",
        "1\n33 %",
        "3\n60 %",
        "2\n40 %",
    ]
    assert display.texts_[1][0, 1].get_text() == "0"
    np.testing.assert_array_equal(display.images_[0].get_array(), display.by_patch.shares)


def test_a_threshold_decides_on_patches_and_patients():
    display = PatientConfusionDisplay.from_predictions(
        Y_TRUE, Y_SCORE, GROUPS, threshold=0.3, ax=_axes()
    )
    assert display.by_patch.counts.tolist() == [[2, 1], [0, 5]]
    assert display.by_patient.counts.tolist() == [[0, 1], [0, 2]]
    assert "class 1 from a score of 0.3" in display.axes_[0].get_xlabel()


def test_decisions_of_the_model_itself_count_unless_there_is_a_threshold():
    y_proba = np.column_stack([1 - Y_SCORE, Y_SCORE])
    said = Predictions(Y_TRUE, y_proba, np.ones(8, int), GROUPS, np.zeros(8, int))
    display = PatientConfusionDisplay.from_predictions(said, ax=_axes())
    assert display.by_patch.counts.tolist() == [[0, 3], [0, 5]]
    display = PatientConfusionDisplay.from_predictions(said, threshold=0.5, ax=_axes())
    assert display.by_patch.counts.tolist() == [[2, 1], [3, 2]]


def test_patches_are_weighted_where_patients_have_several_classes():
    y_true = np.array([0, 0, 0, 1, 0, 1])
    y_score = np.array([0.1, 0.9, 0.9, 0.9, 0.1, 0.1])
    groups = np.array(["a", "a", "a", "a", "b", "b"])
    display = PatientConfusionDisplay.from_predictions(y_true, y_score, groups, ax=_axes())
    assert display.by_patient.counts is None
    # A patch of a weighs 1/4 where one of b weighs 1/2.
    np.testing.assert_allclose(display.by_patient.shares, [[3 / 5, 2 / 5], [2 / 3, 1 / 3]])
    assert display.texts_[1][0, 0].get_text() == "60 %"
    title = display.axes_[1].get_title(loc="left")
    assert title == (
        "By patch, weighted: 2 patients, each 1 in all\n"
        "(2 of them have patches of several classes);\n"
        "shares are of each true class, after weighting"
    )


def test_a_patient_judged_by_two_models_counts_for_each():
    display = PatientConfusionDisplay.from_predictions(
        [0, 0, 1, 1],
        [0.1, 0.9, 0.8, 0.7],
        ["a", "a", "b", "b"],
        folds=[0, 1, 0, 0],
        ax=_axes(),
    )
    assert display.by_patient.counts.tolist() == [[1, 1], [0, 1]]
    assert display.axes_[1].get_title(loc="left") == (
        "By patient: 2 patients, judged 3 times\ndecided by the mean score from 0.5"
    )


def test_patches_that_are_their_own_patients_are_counted_once():
    display = PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, np.arange(8), ax=_axes(1))
    assert display.by_patient is None
    assert len(display.axes_) == 1


def test_the_most_probable_of_three_classes_is_chosen_and_an_absent_one_keeps_its_row():
    y_proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.5, 0.4], [0.1, 0.8, 0.1]])
    display = PatientConfusionDisplay.from_predictions(
        [0, 0, 1, 1], y_proba, ["a", "a", "b", "b"], ax=_axes()
    )
    assert display.by_patch.counts.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert display.by_patch.shares[2].tolist() == [0, 0, 0]
    # Mean 0.4, 0.4 and 0.2 of the first patient: the first of equal ones.
    assert display.by_patient.counts.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("cmap", ["Blues", "cividis", "Greys"])
def test_every_text_is_set_off_from_its_cell(cmap):
    table = ConfusionTable(np.linspace(0, 1, 64).reshape(8, 8), counts=None, title="all shares")
    display = PatientConfusionDisplay(by_patch=table, class_names=tuple("abcdefgh"))
    display.plot(_axes(1), cmap=cmap)
    for share, text in zip(table.shares.ravel(), display.texts_[0].ravel(), strict=True):
        cell, letters = display.images_[0].cmap(share), to_rgb(text.get_color())
        low, high = sorted([_luminance(cell), _luminance(letters)])
        assert (high + 0.05) / (low + 0.05) > 4.5


def test_texts_lie_within_their_cells_and_nothing_global_changes():
    before = dict(mpl.rcParams)
    rng = np.random.default_rng(0)
    names = ["adenosis", "fibroadenoma", "phyllodes tumour", "tubular adenoma"]
    names += ["ductal carcinoma", "lobular carcinoma", "mucinous carcinoma", "papillary carcinoma"]
    y_true = np.repeat(np.arange(8), 400)
    display = PatientConfusionDisplay.from_predictions(
        y_true,
        rng.dirichlet(np.ones(8), size=3200),
        np.arange(3200) // 40,
        target_names=names,
        ax=Figure(figsize=(11.8, 5.9), layout="constrained").subplots(1, 2),
    )
    display.figure_.draw_without_rendering()
    width, height = np.array(display.axes_[0].bbox.size) / 8
    boxes = [text.get_window_extent() for text in display.texts_[0].ravel()]
    assert max(box.width for box in boxes) < width
    assert max(box.height for box in boxes) < height
    ticks = [label.get_window_extent() for label in display.axes_[0].get_yticklabels()]
    assert min(box.x0 for box in ticks) >= 0
    assert display.axes_[0].get_xticklabels()[0].get_rotation() == 45
    assert dict(mpl.rcParams) == before


def test_an_estimator_decides_for_itself():
    y = np.repeat(["benign", "malignant"], 10)
    X = np.arange(20.0)[:, None]
    model = LogisticRegression().fit(X, y)
    display = PatientConfusionDisplay.from_estimator(model, X, y, np.arange(20) // 5, ax=_axes())
    assert display.by_patch.counts.tolist() == [[10, 0], [0, 10]]
    assert display.by_patient.counts.tolist() == [[2, 0], [0, 2]]
    labels = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert labels == ["benign", "malignant"]


def test_a_level_is_drawn_alone():
    for level, place in (("patch", 0), ("patient", 1)):
        ax = _axes(1)
        display = PatientConfusionDisplay.from_predictions(
            Y_TRUE, Y_SCORE, GROUPS, level=level, ax=ax
        )
        assert display.axes_.tolist() == [ax]
        both = display.plot(_axes())
        assert ax.get_title(loc="left") == both.axes_[place].get_title(loc="left")
    options = {"level": "patient", "ax": _axes(1)}
    with pytest.raises(ValueError, match="nothing to draw: every patch counts as its own patient"):
        PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, np.arange(8), **options)
    with pytest.raises(ValueError, match="got 1: level='patch' or level='patient' draws one"):
        PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, GROUPS, ax=_axes(1))


def test_options_of_scikit_learn_do_what_they_do_there():
    display = PatientConfusionDisplay.from_predictions(
        Y_TRUE,
        Y_SCORE,
        GROUPS,
        values_format=".1%",
        colorbar=True,
        im_kw={"vmax": 0.4, "alpha": 0.9},
        ax=_axes(),
    )
    assert display.texts_[0][0, 0].get_text() == "2\n66.7%"
    image = display.images_[0]
    assert (image.get_alpha(), image.get_clim()) == (0.9, (0, 0.4))
    assert image.colorbar.ax.get_ylabel() == "Share of the true class"
    # Where the darkest colour begins at 0.4, a third is set off in white, too.
    assert [text.get_color() for text in display.texts_[0][0]] == ["white", "white"]
    with pytest.raises(ValueError, match=r"values_format is for shares, 0…1, .* got 'd'"):
        display.plot(_axes(), values_format="d")
    plain = display.plot(_axes())
    assert plain.images_[0].colorbar is None


def test_a_colour_bar_is_as_high_as_its_matrix():
    display = PatientConfusionDisplay.from_predictions(
        [0, 0, 0, 1, 0, 1], [0.1, 0.9, 0.9, 0.9, 0.1, 0.1], list("aaaabb"), colorbar=True
    )
    try:
        display.figure_.draw_without_rendering()
        for ax, image in zip(display.axes_, display.images_, strict=True):
            bar = image.colorbar.ax
            assert bar.bbox.height == pytest.approx(ax.bbox.height, rel=0.15)
            assert not bar.bbox.overlaps(ax._left_title.get_window_extent())
    finally:
        pytest.importorskip("matplotlib.pyplot").close(display.figure_)


class _Careful(LinearSVC):
    """Names the second class only where it is sure, as a threshold of one's own would."""

    def predict(self, X):
        return self.classes_[(self.decision_function(X) >= 1).astype(int)]


def test_without_probabilities_the_model_decides_on_patches_and_zero_on_patients():
    X = np.array([-3, -2, -1, 0.5, 1, 2, 3, -0.5, 0.4, 4.0])[:, None]
    y = np.repeat(["benign", "malignant"], [4, 6])
    groups = np.repeat(np.arange(5), 2)
    model = _Careful().fit(X, y)
    values = model.decision_function(X)
    means = values.reshape(5, 2).mean(axis=1)
    y_patients = [0, 0, 1, 1, 1]
    display = PatientConfusionDisplay.from_estimator(model, X, y, groups, ax=_axes())
    expected = confusion_matrix(y, model.predict(X))
    np.testing.assert_array_equal(display.by_patch.counts, expected)
    assert (expected != confusion_matrix(y == "malignant", values >= 0)).any()
    np.testing.assert_array_equal(
        display.by_patient.counts, confusion_matrix(y_patients, means >= 0)
    )
    assert display.axes_[1].get_title(loc="left").endswith("decided by the mean score from 0")
    strict = PatientConfusionDisplay.from_estimator(model, X, y, groups, threshold=0.7, ax=_axes())
    np.testing.assert_array_equal(
        strict.by_patient.counts, confusion_matrix(y_patients, means >= 0.7)
    )
    votes = PatientConfusionDisplay.from_estimator(
        model, X, y, groups, aggregate="vote", ax=_axes()
    )
    shares = (values >= 0).reshape(5, 2).mean(axis=1)
    np.testing.assert_array_equal(
        votes.by_patient.counts, confusion_matrix(y_patients, shares >= 0.5)
    )
    assert votes.axes_[1].get_title(loc="left").endswith("decided by the vote score from 0.5")


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="y_score without a threshold must lie between 0 and 1"):
        PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE * 9, GROUPS)
    with pytest.raises(ValueError, match="threshold must be a number"):
        PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, GROUPS, threshold="high")
    with pytest.raises(ValueError, match="ax must hold 2 Axes"):
        PatientConfusionDisplay.from_predictions(Y_TRUE, Y_SCORE, GROUPS, ax=_axes(1))
