"""Calibration drawn as the metrics have it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skbreast.metrics import expected_calibration_error, patient_reliability, patient_weights
from skbreast.plotting import PatientCalibrationDisplay

mpl = pytest.importorskip("matplotlib")
Figure = pytest.importorskip("matplotlib.figure").Figure


def _axes(n=2):
    return Figure(figsize=(5, 5.4), layout="constrained").subplots(n, 1)


def _arrays(n_patients=30):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_patients), rng.integers(3, 20, n_patients))
    y_prob = np.clip(rng.normal(rng.random(n_patients)[groups], 0.1), 0, 1)
    return (rng.random(len(groups)) < y_prob).astype(int), y_prob, groups


def test_points_bars_and_errors_are_those_of_the_metrics():
    y_true, y_prob, groups = _arrays()
    display = PatientCalibrationDisplay.from_predictions(
        y_true, y_prob, groups, n_bins=5, n_resamples=50, ax=_axes()
    )
    expected = patient_reliability(
        y_true, y_prob, groups, n_bins=5, n_resamples=50, stratify=y_true, random_state=0
    )
    np.testing.assert_array_equal(display.line_.get_xdata(), expected.mean_predicted)
    np.testing.assert_array_equal(display.line_.get_ydata(), expected.observed)
    segments = np.array(display.intervals_.get_segments())
    np.testing.assert_allclose(segments[:, 0, 1], expected.low)
    np.testing.assert_allclose(segments[:, 1, 1], expected.high)
    error = expected_calibration_error(y_true, y_prob, n_bins=5)
    weights = patient_weights(groups)
    by_patient = expected_calibration_error(y_true, y_prob, n_bins=5, sample_weight=weights)
    assert display.line_.get_label() == f"ECE {error:.3f} (by patient {by_patient:.3f})"
    assert abs(error - by_patient) > 0.001
    assert display.histogram_.get_data().values.sum() == len(y_true)


def test_a_bin_of_one_patient_is_hollow_and_has_no_bar():
    display = PatientCalibrationDisplay.from_predictions(
        [0, 0, 1, 1, 0],
        [0.1, 0.2, 0.8, 0.9, 0.9],
        ["a", "b", "c", "c", "c"],
        n_bins=2,
        n_resamples=20,
        ax=_axes(),
    )
    assert display.reliability.n_patients.tolist() == [2, 1]
    assert len(display.intervals_.get_segments()) == 1
    hollow = [line for line in display.axes_[0].lines if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(hollow[0].get_xydata(), [[(0.8 + 0.9 + 0.9) / 3, 2 / 3]])


def test_models_share_axes_and_one_diagonal():
    before = dict(mpl.rcParams)
    y_true, y_prob, groups = _arrays()
    first = PatientCalibrationDisplay.from_predictions(
        y_true, y_prob, groups, n_resamples=20, name="one", ax=_axes()
    )
    second = PatientCalibrationDisplay.from_predictions(
        y_true, y_prob**2, groups, n_resamples=20, name="two", ax=first.axes_
    )
    assert first.line_.get_color() != second.line_.get_color()
    lines = first.axes_[0].lines
    assert sum(line.get_label() == "_perfect" for line in lines) == 1
    texts = [text.get_text() for text in first.axes_[0].get_legend().get_texts()]
    assert [text.split(":")[0] for text in texts] == ["one", "two"]
    assert dict(mpl.rcParams) == before


def test_one_axes_holds_the_points_alone():
    [ax] = [_axes(1)]
    display = PatientCalibrationDisplay.from_predictions(*_arrays(), n_resamples=20, ax=ax)
    assert display.histogram_ is None
    assert display.axes_.tolist() == [ax]
    assert ax.get_xlabel() == "Predicted probability of class 1"


def test_a_new_figure_has_room_for_its_texts():
    display = PatientCalibrationDisplay.from_predictions(
        *_arrays(), n_resamples=20, target_names=["benign", "malignant"]
    )
    try:
        display.figure_.draw_without_rendering()
        points, histogram = display.axes_
        assert points.bbox.height > 2 * histogram.bbox.height
        title = points._left_title.get_window_extent()
        assert title.x1 <= display.figure_.bbox.x1
        assert points.get_tightbbox().y0 > histogram.bbox.y1
        assert points.get_xlabel() == ""
        assert histogram.get_xlabel() == "Predicted probability of malignant"
        assert points.get_ylabel() == "Observed share of malignant"
    finally:
        pytest.importorskip("matplotlib.pyplot").close(display.figure_)


def test_an_estimator_gives_the_probabilities():
    y_true, y_prob, groups = _arrays()
    model = LogisticRegression().fit(y_prob[:, None], y_true)
    display = PatientCalibrationDisplay.from_estimator(
        model, y_prob[:, None], y_true, groups, n_resamples=20, ax=_axes()
    )
    np.testing.assert_array_equal(display.y_prob, model.predict_proba(y_prob[:, None])[:, 1])
    assert display.name == "LogisticRegression"


def test_decision_values_are_no_probabilities():
    y_true, y_prob, groups = _arrays()
    model = LinearSVC().fit(y_prob[:, None], y_true)
    with pytest.raises(ValueError, match=r"LinearSVC has decision_function only: fit a .*Calibr"):
        PatientCalibrationDisplay.from_estimator(model, y_prob[:, None], y_true, groups)


@pytest.mark.parametrize("alone", [False, True])
def test_the_legend_of_three_models_covers_nothing(alone):
    y_true, y_prob, groups = _arrays()
    ax = Figure(figsize=(4.8, 4.2), layout="constrained").subplots() if alone else None
    for power in (1, 2, 3):
        display = PatientCalibrationDisplay.from_predictions(
            y_true,
            y_prob**power,
            groups,
            n_resamples=20,
            name="a frozen EfficientNetV2-B0 with logistic regression",
            ax=ax,
        )
        ax = display.axes_
    try:
        display.figure_.draw_without_rendering()
        points, legend = ax[0], ax[0].get_legend().get_window_extent()
        lowest = points.xaxis.label.get_window_extent().y0 if alone else points.bbox.y0
        assert legend.y1 <= lowest + 2
        assert legend.y0 >= (0 if alone else ax[1].bbox.y1)
        assert legend.x1 <= display.figure_.bbox.x1
        assert points.bbox.height >= (1.9 if alone else 3) * display.figure_.dpi
    finally:
        pytest.importorskip("matplotlib.pyplot").close("all")


@pytest.mark.parametrize(
    ("y_true", "y_prob", "message"),
    [
        ([0, 1], [0.1, 1.9], "y_prob must lie between 0 and 1"),
        ([0, 1, 2], np.eye(3), "Choose one by pos_label"),
    ],
)
def test_errors_say_what_is_wrong(y_true, y_prob, message):
    with pytest.raises(ValueError, match=message):
        PatientCalibrationDisplay.from_predictions(y_true, y_prob, np.arange(len(y_true)))
