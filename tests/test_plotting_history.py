"""Courses of training, averaged and drawn, against numbers written by hand."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.evaluation import Predictions
from skbreast.plotting import TrainingHistoryDisplay
from skbreast.plotting._history_series import (
    check_history,
    find_restarts,
    lowest_epoch,
    mean_of_runs,
    name_panels,
)
from skbreast.plotting._style import FAINT

NAN = np.nan
FIRST = {
    "loss": [0.7, 0.5, 0.4, 0.3],
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "learning_rate": [1e-3, 5e-4, 1e-4, 1e-6],
    "val_loss": [0.8, 0.6, 0.5, 0.7],
    "val_accuracy": [0.5, 0.6, 0.8, 0.7],
}
PREDICTIONS = Predictions(*[np.zeros(2)] * 5, histories={0: FIRST, 1: FIRST})
SECOND = {name: values[1:] for name, values in FIRST.items()}


@pytest.fixture(autouse=True)
def _nothing_global_changes():
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before, backend = dict(mpl.rcParams), mpl.get_backend()
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
    assert mpl.get_backend() == backend


@pytest.fixture(scope="module")
def patches():
    return make_patches(4, 4, patch_size=16, random_state=0)


@pytest.fixture(scope="module")
def fitted(patches):
    model = PatchCNNClassifier(max_epochs=2, early_stopping=True, random_state=0)
    return model.fit(patches.data, patches.target, groups=patches.groups)


def extents(artists):
    figure = artists[0].figure
    figure = getattr(figure, "get_figure", lambda **_: figure)(root=True)
    figure.canvas.draw()
    return [artist.get_window_extent() for artist in artists]


# --- numbers


def test_the_mean_ends_with_the_shortest_run():
    assert mean_of_runs([[1, 2, 9], [3, 4]]).tolist() == [2, 3]
    np.testing.assert_array_equal(mean_of_runs([[1, NAN], [3, 4]]), [2, NAN])


@pytest.mark.parametrize(
    ("rates", "epochs"),
    [
        ([1e-3, 1e-4, 1e-5], []),
        ([1e-4, 1e-3, 1e-4], []),  # a warm-up
        ([1e-3, 1e-5, 1e-4, 1e-5], [3]),  # head, then the upper blocks
        ([1e-3, 1e-5, 1e-3, 1e-5, 1e-3], [3, 5]),
        ([3e-3, 1e-3, 1e-3, 2e-3, 3e-3], [4]),  # a warm start with a warm-up of two epochs
        ([1e-3, 1e-3], []),
        ([1e-3], []),
        ([1e-3, NAN, 1e-3], []),
    ],
)
def test_restarts_of_the_learning_rate(rates, epochs):
    assert find_restarts(rates) == epochs


def test_the_lowest_epoch():
    assert lowest_epoch(check_history(FIRST)) == 3
    assert lowest_epoch(check_history({"loss": [1, 2], "val_loss": [NAN, 5]})) == 2
    assert lowest_epoch(check_history({"loss": [1], "val_loss": [NAN]})) is None
    assert lowest_epoch(check_history({"loss": [1]})) is None


def test_what_becomes_a_panel():
    history = FIRST | {"auc": [0, 0.5, 1, NAN], "seconds": [9, 9, 8, 8], "val_mae": [3, 2, 2, 2]}
    arrays = {name: np.array(values, dtype=float) for name, values in history.items()}
    assert name_panels([arrays]) == ["loss", "accuracy", "auc", "mae", "learning_rate"]
    assert name_panels([{"accuracy": np.ones(1)}]) == ["accuracy"]
    assert name_panels([{"seconds": np.array([9.0])}, {"accuracy": np.ones(2)}]) == ["accuracy"]


def test_the_learning_rate_of_older_keras():
    assert list(check_history({"lr": [1, 2]})) == ["learning_rate"]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "must be a dict of lists"),
        ([1, 2], "must be a dict of lists"),
        ({"loss": ["high"]}, "other than lists of numbers"),
        ({"loss": [1, 2], "val_loss": [1]}, r"one length.*loss \(2,\), val_loss \(1,\)"),
        ({"loss": []}, "at least 1"),
        ({"loss": 3}, "lists of one length"),
    ],
)
def test_what_is_no_history(history, message):
    with pytest.raises(ValueError, match=message):
        check_history(history)


# --- one run


def test_panels_hold_the_numbers():
    display = TrainingHistoryDisplay.from_histories(FIRST)
    assert display.panels_ == ["loss", "accuracy", "learning_rate"]
    for panel in ("loss", "accuracy"):
        (train,), (validation,) = display.lines_[panel], display.validation_lines_[panel]
        assert train.get_xdata().tolist() == [1, 2, 3, 4]
        assert train.get_ydata().tolist() == FIRST[panel]
        assert validation.get_ydata().tolist() == FIRST[f"val_{panel}"]
        assert train.get_color() == validation.get_color()
        assert (train.get_linestyle(), validation.get_linestyle()) == ("--", "-")
        assert train.get_linewidth() < validation.get_linewidth()
        (marker,) = display.best_markers_[panel]
        assert (marker.get_xdata()[0], marker.get_ydata()[0]) == (3, FIRST[f"val_{panel}"][2])
    assert display.axes_[2].get_yscale() == "log"
    assert display.lines_["learning_rate"][0].get_ydata().tolist() == FIRST["learning_rate"]
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert labels == ["training", "validation", "epoch 3: lowest validation loss"]
    assert display.restart_lines_ == []


def test_the_rate_is_a_slim_panel_and_the_legend_lies_over_no_data():
    display = TrainingHistoryDisplay.from_histories([FIRST, SECOND])
    loss, accuracy, rate, legend = extents([*display.axes_, display.legend_])
    assert rate.height < 0.5 * loss.height
    assert loss.height == pytest.approx(accuracy.height, rel=0.01)
    assert not any(legend.overlaps(axes) for axes in (loss, accuracy, rate))
    assert legend.x0 >= 0
    assert legend.x1 <= display.figure_.bbox.x1


def test_one_epoch_is_visible():
    display = TrainingHistoryDisplay.from_histories({k: v[:1] for k, v in FIRST.items()})
    for line in (*display.lines_["loss"], *display.validation_lines_["loss"]):
        assert line.get_marker() == "o"
        assert line.get_markevery() == [0]


def test_values_between_unknown_ones_are_visible():
    losses = [NAN] * 10 + [0.5] + [NAN] * 5 + [0.4, 0.3] + [NAN] * 10
    history = {"loss": np.linspace(1, 0.5, len(losses)), "val_loss": losses}
    display = TrainingHistoryDisplay.from_histories(history)
    assert display.validation_lines_["loss"][0].get_markevery() == [10]
    assert display.lines_["loss"][0].get_markevery() == []


def test_a_restart_is_marked_in_all_panels():
    history = FIRST | {"learning_rate": [1e-3, 1e-5, 1e-4, 1e-5]}
    display = TrainingHistoryDisplay.from_histories(history)
    assert [line.get_xdata()[0] for line in display.restart_lines_] == [2.5] * 3
    assert "learning rate starts anew" in [t.get_text() for t in display.legend_.get_texts()]


def test_rates_of_zero_leave_the_log_axis_alone():
    display = TrainingHistoryDisplay.from_histories(FIRST | {"learning_rate": [0, 1e-3, 1e-4, 0]})
    drawn = display.lines_["learning_rate"][0].get_ydata()
    np.testing.assert_array_equal(drawn, [NAN, 1e-3, 1e-4, NAN])


@pytest.mark.parametrize(
    ("highest", "asked", "scale"),
    [(3.0, "auto", "log"), (1.4, "auto", "linear"), (3.0, "linear", "linear"), (1, "log", "log")],
)
def test_scale_of_the_loss(highest, asked, scale):
    display = TrainingHistoryDisplay.from_histories({"loss": [highest, 0.5, 0.3]})
    assert display.plot(loss_scale=asked).axes_[0].get_yscale() == scale


def test_losses_of_zero_have_no_logarithm():
    display = TrainingHistoryDisplay.from_histories({"loss": [3, 0.5, 0]})
    assert display.axes_[0].get_yscale() == "linear"


def test_training_alone_is_solid():
    display = TrainingHistoryDisplay.from_histories({"loss": [2, 1]})
    assert display.lines_["loss"][0].get_linestyle() == "-"
    assert display.best_markers_ == {"loss": []}
    assert [text.get_text() for text in display.legend_.get_texts()] == ["training"]


# --- several runs


def test_several_runs_and_their_mean():
    display = TrainingHistoryDisplay.from_histories({"a": FIRST, "b": SECOND})
    runs = display.validation_lines_["loss"]
    assert [len(line.get_xdata()) for line in runs] == [4, 3]
    assert runs[0].get_color() != runs[1].get_color()
    mean = display.mean_lines_["loss"]["validation"]
    np.testing.assert_allclose(mean.get_ydata(), [0.7, 0.55, 0.6])
    assert mean.get_linewidth() > runs[0].get_linewidth()
    assert runs[0].get_alpha() < 1
    assert display.mean_lines_["learning_rate"] == {}
    assert [marker.get_xdata()[0] for marker in display.best_markers_["loss"]] == [3, 2]
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert labels[-2:] == ["a (epoch 3)", "b (epoch 2)"]
    assert labels[:2] == ["mean training", "mean validation"]


def test_histories_of_predictions_are_drawn_by_fold():
    display = TrainingHistoryDisplay.from_histories(PREDICTIONS.histories)
    assert display.names == ["0", "1"]
    assert len(display.lines_["loss"]) == 2


def test_no_mean_of_what_a_run_lacks():
    display = TrainingHistoryDisplay.from_histories([FIRST, {"loss": [0.5, 0.4]}])
    assert list(display.mean_lines_["loss"]) == ["training"]
    assert display.mean_lines_["accuracy"] == {}
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert labels[:2] == ["mean training", "validation"]
    assert labels[-2:] == ["run 1 (epoch 3)", "run 2"]


def test_many_runs_share_one_colour():
    from matplotlib.colors import to_hex

    display = TrainingHistoryDisplay.from_histories([FIRST] * 9)
    assert {to_hex(line.get_color(), keep_alpha=False) for line in display.lines_["loss"]} == {
        FAINT.lower()
    }
    assert display.legend_.get_texts()[-1].get_text() == "each of 9 runs"


def test_given_best_epochs():
    display = TrainingHistoryDisplay.from_histories([FIRST, SECOND], best_epochs=[1, None])
    (marker,) = display.best_markers_["loss"]
    assert marker.get_xdata()[0] == 1
    one = TrainingHistoryDisplay.from_histories(FIRST, best_epochs=np.int64(4))
    assert one.legend_.get_texts()[-1].get_text() == "best epoch: 4"


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        ([], {}, "at least one run"),
        ({}, {}, "models other than networks have none"),
        (PREDICTIONS, {}, "here are Predictions: give predictions.histories"),
        ({"network": PREDICTIONS}, {}, "here are Predictions: give predictions.histories"),
        (LogisticRegression(), {}, "here is a LogisticRegression: give it to from_estimator"),
        ([FIRST, {"loss": [1, 2], "val_loss": [1]}], {}, r"histories\[1\] must hold"),
        (FIRST, {"best_epochs": 5}, "must lie in 1…4, or be None; got 5"),
        (FIRST, {"best_epochs": 0}, "must lie in 1…4"),
        ([FIRST, FIRST], {"best_epochs": [1]}, "best_epochs has 1 entries for 2 runs"),
        ([FIRST, FIRST], {"names": ["a"]}, "names has 1 entries for 2 runs"),
        ({"seconds": [9]}, {}, "neither a loss"),
        (FIRST, {"panels": ["auc"]}, "panels must be one of 'loss', 'accuracy', 'learning_rate'"),
        (FIRST, {"panels": []}, "panels is empty"),
    ],
)
def test_what_cannot_be_drawn(histories, options, message):
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay.from_histories(histories, **options)


# --- axes and estimators


def test_axes_that_are_given():
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, 2)
    display = TrainingHistoryDisplay.from_histories(FIRST, ax=axes, panels=["accuracy", "loss"])
    assert display.figure_ is figure
    assert (display.panels_, display.axes_.tolist()) == (["accuracy", "loss"], axes.tolist())
    assert [ax.get_xlabel() for ax in axes] == ["Epoch", "Epoch"]
    alone = display.plot(Figure().subplots(), panels="loss")
    assert alone is display
    with pytest.raises(ValueError, match="ax must hold 3 Axes"):
        display.plot(axes)


def test_from_a_classifier_and_around_it(patches, fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted)
    assert display.lines_["loss"][0].get_ydata().tolist() == fitted.history_["loss"]
    assert display.best_epochs == [fitted.best_epoch_]
    last = display.legend_.get_texts()[-1].get_text()
    assert last == f"epoch {fitted.best_epoch_}: weights kept"
    pipeline = make_pipeline(FunctionTransformer(), PatchCNNClassifier(max_epochs=1))
    search = GridSearchCV(
        pipeline, {"patchcnnclassifier__batch_size": [8]}, cv=StratifiedGroupKFold(2)
    ).fit(patches.data, patches.target, groups=patches.groups)
    display = TrainingHistoryDisplay.from_estimator(search)
    assert display.histories[0]["loss"].tolist() == search.best_estimator_[-1].history_["loss"]
    both = TrainingHistoryDisplay.from_estimator([fitted, search], names=["early", "searched"])
    assert len(both.lines_["loss"]) == 2


@pytest.mark.filterwarnings("ignore::skbreast.exceptions.PatientLeakageWarning")
def test_a_warm_start_without_validation_leaves_a_gap(patches, fitted):
    model = PatchCNNClassifier(max_epochs=1, warm_start=True, random_state=0)
    model.fit(patches.data, patches.target, X_val=patches.data, y_val=patches.target)
    model.fit(patches.data, patches.target)
    display = TrainingHistoryDisplay.from_estimator(model)
    assert np.isnan(display.validation_lines_["loss"][0].get_ydata()).tolist() == [False, True]
    (marker,) = display.best_markers_["loss"]  # on the training line
    assert marker.get_ydata()[0] == model.history_["loss"][1]


@pytest.mark.parametrize(
    "estimator",
    [
        PatchCNNClassifier(),
        make_pipeline(FunctionTransformer(), PatchCNNClassifier()),
        GridSearchCV(PatchCNNClassifier(), {}),
        LogisticRegression(),
    ],
)
def test_without_a_history(estimator):
    with pytest.raises(NotFittedError, match="has no history_"):
        TrainingHistoryDisplay.from_estimator(estimator)
