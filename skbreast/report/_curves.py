"""The parts of a report that are drawn: training, ROC, calibration, confusion, scores."""

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


def training_section(judged):
    """Return the course of the trainings, fold by fold; None where there are no epochs."""
    histories = judged.first.histories
    if not histories:
        return None
    names = {f"fold {fold + 1}": history for fold, history in sorted(histories.items())}
    display = TrainingHistoryDisplay.from_histories(names)
    pictures = draw_panels(display, f"Training of {judged.chosen} against epoch", size=(5.6, 3.2))
    caption = "The mean of the folds is bold. Training figures are of augmented patches."
    return Section("Training", "training", [Pictures(pictures, caption)])


def curves_section(judged, *, threshold, n_resamples, random_state):
    """Return ROC and calibration of the chosen model."""
    resampling = {"n_resamples": n_resamples, "random_state": random_state}
    options = {"target_names": judged.target_names, "name": judged.chosen, **resampling}
    mark = {"threshold": threshold} if judged.is_binary else {}
    display = PatientRocDisplay.from_predictions(judged.first, **options, **mark)
    auc = judged.figures[judged.chosen].get("auc")
    alt = f"ROC curve of {judged.chosen}" + ("" if auc is None else f", AUC {auc}")
    blocks = [
        Pictures(
            draw_panels(display, alt),
            "Band and intervals come from resamples of patients, each with all its patches.",
        )
    ]
    if judged.is_binary:
        display = PatientCalibrationDisplay.from_predictions(judged.first, **options)
        blocks += [
            Text("Do probabilities mean what they say?", kind="heading"),
            Pictures(
                draw_panels(display, f"Reliability of the probabilities of {judged.chosen}"),
                "On the diagonal, of all patches with a probability of 0.7, seven in ten are "
                f"{judged.target_names[1]}.",
            ),
        ]
    return Section("ROC and calibration", "curves", blocks)


def decisions_section(judged, *, threshold):
    """Return confusion matrices, and the patients sorted by score."""
    options = {"target_names": judged.target_names}
    display = PatientConfusionDisplay.from_predictions(judged.first, **options)
    alt = f"Confusion matrix of {judged.chosen}"
    blocks = [Pictures(draw_panels(display, alt), "Decisions are the model's own.")]
    if judged.is_binary and judged.has_patients:
        display = PatientScoreDisplay.from_predictions(judged.first, threshold=threshold, **options)
        alt = "Patients sorted by score, each with the spread of its patches"
        blocks += [
            Text("Patient by patient", kind="heading"),
            Pictures(draw_panels(display, alt, size=(8.4, 4.2))),
        ]
    return Section("Decisions", "decisions", blocks)
