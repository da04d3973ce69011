"""The parts of a report that are drawn: training, ROC, calibration, confusion, scores."""

from skbreast.metrics._bootstrap import UndefinedIntervalError
from skbreast.plotting import (
    PatientCalibrationDisplay,
    PatientConfusionDisplay,
    PatientRocDisplay,
    PatientScoreDisplay,
    TrainingHistoryDisplay,
)
from skbreast.report._blocks import Pictures, Section, Text
from skbreast.report._drawing import draw_panels

__all__ = ["curves_section", "decisions_section", "training_section"]

NO_CURVE = "There is no ROC curve: no fold has patches of two classes."


def training_section(judged):
    """Return the course of the trainings, fold by fold; None where there are no epochs."""
    histories = {fold: each for fold, each in sorted(judged.first.histories.items()) if each}
    if not histories:
        return None
    names = {f"fold {fold + 1}": history for fold, history in histories.items()}
    display = TrainingHistoryDisplay.from_histories(names)
    alts = [f"{panel} of the training of {judged.chosen} by epoch" for panel in display.axes_]
    if len(histories) > 1:
        caption = "The mean of the folds is bold. No fold was trained on what it was judged on."
    else:
        caption = f"The one training of {judged.chosen}, on other patches than those judged here."
    pictures = draw_panels(display, alts, size=(5.6, 3.2))
    return Section("Training", "training", [Pictures(pictures, caption)])


def curves_section(judged, *, n_resamples, random_state):
    """Return ROC and calibration of the chosen model."""
    resampling = {"n_resamples": n_resamples, "random_state": random_state}
    options = {"target_names": judged.target_names, "name": judged.chosen, **resampling}
    blocks = [_draw_roc(judged, options)]
    if judged.is_binary:
        display = PatientCalibrationDisplay.from_predictions(judged.first, **options)
        alts = [
            f"Observed share of {judged.target_names[1]} against the probability that "
            f"{judged.chosen} gives",
            f"Histogram of the probabilities that {judged.chosen} gives",
        ]
        blocks += [
            Text("Do probabilities mean what they say?", kind="heading"),
            Pictures(
                draw_panels(display, alts),
                "On the diagonal, of all patches with a probability of 0.7, seven in ten are "
                f"{judged.target_names[1]}.",
            ),
        ]
    return Section("ROC and calibration", "curves", blocks)


def _draw_roc(judged, options):
    mark = {"threshold": judged.threshold} if judged.is_binary else {}
    try:
        display = PatientRocDisplay.from_predictions(judged.first, **options, **mark)
    except UndefinedIntervalError:
        return Text(NO_CURVE, tone="note")
    curves = {"patch": display.by_patch, "patient": display.by_patient}
    alts = [
        f"ROC curve of {judged.chosen} by {unit}, AUC {curve.auc}"
        for unit, curve in curves.items()
        if curve is not None
    ]
    caption = "Band and intervals come from resamples of patients, each with all its patches."
    return Pictures(draw_panels(display, alts), caption)


def decisions_section(judged):
    """Return confusion matrices, and the patients sorted by score."""
    options = {"target_names": judged.target_names}
    display = PatientConfusionDisplay.from_predictions(
        judged.first, threshold=judged.given_threshold, **options
    )
    tables = [each for each in (display.by_patch, display.by_patient) if each is not None]
    alts = [f"Confusion matrix. {_describe(table, judged.target_names)}" for table in tables]
    caption = "By patch decisions are the model's own; by patient they are made as the title says."
    if judged.given_threshold is not None:
        caption = f"Decided for {judged.target_names[1]} from {judged.given_threshold:g}."
    blocks = [Pictures(draw_panels(display, alts), caption)]
    if judged.is_binary and judged.has_patients:
        display = PatientScoreDisplay.from_predictions(
            judged.first, threshold=judged.threshold, **options
        )
        alt = "Patients sorted by score, with the spread of their patches"
        alt += f"; {display.n_wrong} on the wrong side" if judged.threshold is not None else ""
        blocks += [
            Text("Patient by patient", kind="heading"),
            Pictures(draw_panels(display, [alt], size=(8.4, 4.2))),
        ]
    return Section("Decisions", "decisions", blocks)


def _describe(table, names):
    """Say what a confusion matrix shows; the table is the picture's only other form."""
    rows = [
        f"Of {name}: "
        + ", ".join(f"{share:.0%} called {each}" for each, share in zip(names, row, strict=True))
        for name, row in zip(names, table.shares, strict=True)
    ]
    return f"{' '.join(table.title.split())}. {'; '.join(rows)}"
