"""What all Displays share: names are shown as they are written."""

import numpy as np
import pytest

from skbreast.evaluation import Predictions
from skbreast.plotting import (
    FeatureMapDisplay,
    PatientCalibrationDisplay,
    PatientConfusionDisplay,
    PatientRocDisplay,
    PatientScoreDisplay,
    TrainingHistoryDisplay,
)

NAMES = ["be$nign_{$", "mal$^$"]  # between dollars no formula that matplotlib could read
ID = "a$_{$"
GROUPS = np.repeat([ID, "b", "c", "d"], 4)


@pytest.fixture
def predictions():
    y_true, scores = np.repeat([0, 1], 8), np.linspace(0, 1, 16)
    y_proba = np.column_stack([1 - scores, scores])
    y_pred = (scores >= 0.5).astype(int)
    return Predictions(y_true, y_proba, y_pred, GROUPS, np.zeros(16, int), np.arange(16))


def _axes(n):
    from matplotlib.figure import Figure

    return Figure(figsize=(9, 5), layout="constrained").subplots(1, n)


def _shown(figure):
    from matplotlib.text import Text

    figure.draw_without_rendering()
    return " ".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize(
    ("display", "n_axes", "options"),
    [
        (PatientRocDisplay, 2, {"name": ID, "n_resamples": 20, "threshold": 0.5}),
        (PatientConfusionDisplay, 2, {}),
        (PatientCalibrationDisplay, 1, {"name": ID, "n_resamples": 20}),
        (PatientScoreDisplay, 1, {}),
    ],
)
def test_dollars_in_names_of_classes_are_dollars(predictions, display, n_axes, options):
    drawn = display.from_predictions(predictions, target_names=NAMES, ax=_axes(n_axes), **options)
    assert drawn.axes_.shape == (n_axes,)  # in every Display, also where there is ax_
    assert NAMES[1] in _shown(drawn.figure_)


def test_dollars_in_names_of_runs_and_patients_are_dollars(predictions):
    run = {"loss": [1, 0.5], "learning_rate": [1e-2, 1e-4]}
    drawn = TrainingHistoryDisplay.from_histories({ID: run, "b": run})
    texts = _shown(drawn.figure_)
    assert ID in texts
    assert "10^{" in texts  # numbers stay as matplotlib writes them
    features = np.random.default_rng(0).normal(size=(16, 4))
    drawn = FeatureMapDisplay.from_features(
        features, predictions.y_true, GROUPS, target_names=NAMES, ax=_axes(2)
    )
    assert ID in _shown(drawn.figure_)
    assert drawn.axes_.shape == (2,)
