"""Strips of patients whose spreads are known."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skbreast.plotting import PatientScoreDisplay

mpl = pytest.importorskip("matplotlib")
Figure = pytest.importorskip("matplotlib.figure").Figure


def _ax():
    return Figure(figsize=(7, 4.2), layout="constrained").subplots()


def _many(n_patients, n_patches=7):
    rng = np.random.default_rng(0)
    y_true = np.repeat(rng.random(n_patients) < 0.4, n_patches).astype(int)
    y_score = np.clip(rng.normal(0.3 + 0.4 * y_true, 0.2), 0, 1)
    return y_true, y_score, np.repeat([f"14-{each:05}" for each in range(n_patients)], n_patches)


def test_patients_are_sorted_and_their_spreads_are_numpys():
    y_true, y_score, groups = _many(9)
    display = PatientScoreDisplay.from_predictions(y_true, y_score, groups, ax=_ax())
    spreads = display.spreads
    assert spreads.ranks.tolist() == list(range(9))
    assert (np.diff(spreads.scores) >= 0).all()
    for rank, patient in enumerate(display.patient_ids):
        of_patient = y_score[groups == patient]
        assert spreads.scores[rank] == pytest.approx(of_patient.mean())
        expected = np.quantile(of_patient, [0, 0.25, 0.75, 1])
        np.testing.assert_allclose(spreads.quantiles[rank], expected)
        assert spreads.labels[rank] == y_true[groups == patient][0]
    assert spreads.n_patches.tolist() == [7] * 9


def test_a_patient_with_both_labels_has_two_spreads_beside_each_other():
    y_true = [0, 0, 1, 1, 0]
    y_score = [0.1, 0.3, 0.9, 0.7, 0.6]
    display = PatientScoreDisplay.from_predictions(
        y_true, y_score, ["a", "a", "a", "a", "b"], ax=_ax()
    )
    spreads = display.spreads
    # Patient a has a mean of 0.5 over all patches and comes first.
    assert display.patient_ids.tolist() == ["a", "b"]
    assert spreads.ranks.tolist() == [0, 0, 1]
    assert spreads.labels.tolist() == [0, 1, 0]
    np.testing.assert_allclose(spreads.scores, [0.2, 0.8, 0.6])
    negative, positive = (line.get_xdata() for line in display.markers_)
    assert negative[0] < 1 < positive[0]
    assert negative[1] == 2
    assert display.n_wrong == 1
    assert display.wrong_.get_xdata().tolist() == [2]
    title = display.ax_.get_title(loc="left")
    assert title == "2 patients, 5 patches; 1 of 3 markers on the wrong side"


def test_lines_are_the_ranges_and_the_quartiles():
    display = PatientScoreDisplay.from_predictions(
        [0, 0, 0, 0, 0, 1], [0, 0.1, 0.2, 0.3, 1, 0.9], list("aaaaab"), ax=_ax()
    )
    [thin] = display.ranges_[0].get_segments()
    [thick] = display.quartiles_[0].get_segments()
    np.testing.assert_allclose(thin, [[1, 0], [1, 1]])
    np.testing.assert_allclose(thick, [[1, 0.1], [1, 0.3]])


def test_wrong_patients_depend_on_the_threshold():
    arguments = [0, 0, 1, 1], [0.2, 0.3, 0.35, 0.9], list("abcd")
    assert PatientScoreDisplay.from_predictions(*arguments, ax=_ax()).is_wrong.tolist() == [
        False,
        False,
        True,
        False,
    ]
    strict = PatientScoreDisplay.from_predictions(*arguments, threshold=0.35, ax=_ax())
    assert strict.n_wrong == 0  # a score at the threshold is positive
    assert strict.wrong_ is None
    assert strict.threshold_line_.get_ydata()[0] == 0.35
    free = PatientScoreDisplay.from_predictions(*arguments, threshold=None, ax=_ax())
    assert free.n_wrong == 0
    assert free.threshold_line_ is None


def test_another_aggregate_moves_the_markers_only():
    arguments = [0, 0, 1, 1], [0.1, 0.7, 0.2, 0.8], list("aabb")
    display = PatientScoreDisplay.from_predictions(*arguments, aggregate="max", ax=_ax())
    np.testing.assert_allclose(display.spreads.scores, [0.7, 0.8])
    np.testing.assert_allclose(display.spreads.quantiles[0], [0.1, 0.25, 0.55, 0.7])


@pytest.mark.parametrize("n_patients", [5, 27, 40, 200])
@pytest.mark.parametrize("names", [("benign", "malignant"), ("in situ " * 3, "invasive " * 4)])
def test_names_stand_where_they_fit_and_nothing_overlaps(n_patients, names):
    before = dict(mpl.rcParams)
    y_true, y_score, groups = _many(n_patients)
    display = PatientScoreDisplay.from_predictions(
        y_true, y_score, groups, target_names=names, threshold=0.45
    )
    try:
        display.figure_.draw_without_rendering()
        ax = display.ax_
        labels = [label for label in ax.get_xticklabels() if label.get_text()]
        lowest, highest = ax.get_xlim()
        boxes = [
            label.get_window_extent()
            for label in labels
            if lowest <= label.get_position()[0] <= highest
        ]
        assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
        assert any(label.get_text().startswith("14-") for label in labels) == (n_patients <= 40)
        legend, title = ax.get_legend().get_window_extent(), ax._left_title.get_window_extent()
        assert legend.y0 >= ax.bbox.y1 - 1
        assert title.y0 >= legend.y1 - 1
        assert legend.x1 <= display.figure_.bbox.x1
        assert title.y1 <= display.figure_.bbox.y1
        assert len(ax.collections) == 4  # however many patients there are
        assert dict(mpl.rcParams) == before
    finally:
        pytest.importorskip("matplotlib.pyplot").close(display.figure_)


def test_one_of_several_classes_has_to_be_chosen():
    y_proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    with pytest.raises(ValueError, match=r"there are 3\. Choose one by pos_label"):
        PatientScoreDisplay.from_predictions([0, 1, 2], y_proba, list("abc"))
    display = PatientScoreDisplay.from_predictions(
        [0, 1, 2], y_proba, list("abc"), pos_label=1, ax=_ax()
    )
    np.testing.assert_allclose(display.spreads.scores, [0.1, 0.3, 0.5])
    assert display.class_names == ("the rest", "class 1")


def test_an_estimator_gives_the_scores():
    y = np.repeat(["benign", "malignant"], 10)
    X = np.arange(20.0)[:, None]
    model = LogisticRegression().fit(X, y)
    display = PatientScoreDisplay.from_estimator(model, X, y, np.arange(20) // 5, ax=_ax())
    expected = model.predict_proba(X)[:, 1].reshape(4, 5).mean(axis=1)
    np.testing.assert_allclose(display.spreads.scores, expected)
    assert display.patient_ids.tolist() == [0, 1, 2, 3]


def test_decision_values_are_parted_at_zero():
    y = np.repeat(["benign", "malignant"], 10)
    X = np.arange(20.0)[:, None] - 12
    model, groups = LinearSVC().fit(X, y), np.arange(20) // 5
    values = model.decision_function(X)
    display = PatientScoreDisplay.from_estimator(model, X, y, groups, ax=_ax())
    np.testing.assert_allclose(display.spreads.scores, values.reshape(4, 5).mean(axis=1))
    assert display.threshold_line_.get_ydata()[0] == 0
    assert display.ax_.get_ylim()[0] < values.min() < -0.1
    other = PatientScoreDisplay.from_estimator(model, X, y, groups, threshold=None, ax=_ax())
    assert other.threshold_line_ is None
    with pytest.raises(ValueError, match="gives decision values, which are not on that scale"):
        PatientScoreDisplay.from_estimator(model, X, y, groups, aggregate="vote", ax=_ax())


def test_long_ids_are_shortened_and_stay_different():
    ids = np.array([f"TCGA-A1-A{number:03}-01Z-00-DX1.svs" for number in range(30)])
    y_true, y_score, _ = _many(30, n_patches=2)
    display = PatientScoreDisplay.from_predictions(y_true, y_score, np.repeat(ids, 2), ax=_ax())
    names = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert len(set(names)) == 30
    assert max(map(len, names)) <= 20
    assert names[0] == f"…{display.patient_ids[0][8:12]}…"
    assert display.axes_.tolist() == [display.ax_]
