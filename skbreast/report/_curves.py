"""The parts of a report that are drawn: training, ROC, calibration, confusion, scores."""

import numpy as np

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
BESIDE = "colour"  # the baseline that is drawn beside the chosen model
BESIDE_STYLE = {
    "curve_kwargs": {"linestyle": "--", "linewidth": 1.6},
    "band_kwargs": {"alpha": 0.1},
}
NO_WIDTH = 1e-9


def training_section(study):
    """Return the course of the trainings, fold by fold; None where there are no epochs."""
    histories = {fold: each for fold, each in sorted(study.first.histories.items()) if each}
    if not histories:
        return None
    names = {f"fold {fold + 1}": history for fold, history in histories.items()}
    display = TrainingHistoryDisplay.from_histories(names)
    alts = [f"{panel} of the training of {study.chosen} by epoch" for panel in display.panels_]
    if len(histories) > 1:
        caption = "The mean of the folds is bold. No fold was trained on what it was judged on."
    else:
        caption = f"The one training of {study.chosen}, on other patches than those judged here."
    pictures = draw_panels(display, alts, size=(5.6, 3.2))
    return Section("Training", "training", [Pictures(pictures, caption)])


def curves_section(study, *, n_resamples, random_state):
    """Return ROC and calibration of the chosen model."""
    options = {
        "target_names": study.target_names,
        "n_resamples": n_resamples,
        "random_state": random_state,
    }
    blocks = [_draw_roc(study, options)]
    if study.is_binary:
        blocks += _draw_calibration(study, options)
    return Section("ROC and calibration", "curves", blocks)


def _draw_calibration(study, options):
    positive, name = study.target_names[1], study.chosen
    display = PatientCalibrationDisplay.from_predictions(study.first, name=name, **options)
    alts = [
        f"Observed share of {positive} against the probability that {name} gives",
        f"Histogram of the probabilities that {name} gives",
    ]
    caption = (
        f"On the diagonal, of all patches with a probability of 0.7, seven in ten are {positive}."
    )
    return [
        Text("Do probabilities mean what they say?", kind="heading"),
        Pictures(draw_panels(display, alts, units=study.units), caption),
    ]


def _draw_roc(study, options):
    mark = {"threshold": study.threshold} if study.is_binary else {}
    try:
        shown = {study.chosen: _roc(study, study.chosen, **options, **mark)}
        if study.reference == BESIDE:
            shown[BESIDE] = _roc(study, BESIDE, **options)
    except UndefinedIntervalError:
        return Text(NO_CURVE, tone="note")
    panels = {unit: _curves_by(unit, shown) for unit in ("patch", "patient")}
    alts = [_describe_roc(unit, curves) for unit, curves in panels.items() if curves]
    display, *others = shown.values()
    beside = (others[0], BESIDE_STYLE) if others else None
    pictures = draw_panels(display, alts, units=study.units, beside=beside)
    return Pictures(pictures, _caption_roc(study, panels))


def _roc(study, name, **options):
    return PatientRocDisplay.from_predictions(study.predictions[name], name=name, **options)


def _curves_by(unit, shown):
    curves = {name: getattr(display, f"by_{unit}") for name, display in shown.items()}
    return {name: curve for name, curve in curves.items() if curve is not None}


def _describe_roc(unit, curves):
    (name, curve), *others = curves.items()
    text = f"ROC curve of {name} by {unit}, AUC {curve.auc}"
    return text + "".join(f"; dashed that of {other}, AUC {each.auc}" for other, each in others)


def _caption_roc(study, panels):
    each = ", each with all its patches" if study.has_patients else ""
    sentences = [f"Bands and intervals come from resamples of {study.units}{each}."]
    for unit, curves in panels.items():
        sentences += [
            f"The band of {name} by {unit} has no width: {_why_flat(curve)}"
            for name, curve in curves.items()
            if np.max(curve.high - curve.low) < NO_WIDTH
        ]
    return " ".join(sentences)


def _why_flat(curve):
    area = curve.auc
    if area.estimate == 1:
        return (
            "it ranks all rightly, and so it does in every resample; how little that may prove, "
            f"the interval of the area says, {area.low:.3f} to {area.high:.3f}."
        )
    return "its curve is the same in every resample, as where all scores are alike."


def decisions_section(study):
    """Return confusion matrices, and the patients sorted by score."""
    options = {"target_names": study.target_names}
    display = PatientConfusionDisplay.from_predictions(
        study.first, threshold=study.given_threshold, **options
    )
    tables = [each for each in (display.by_patch, display.by_patient) if each is not None]
    alts = [f"Confusion matrix. {_describe(table, study.target_names)}" for table in tables]
    pictures = draw_panels(display, alts, units=study.units)
    blocks = [Pictures(pictures, _caption_decisions(study, display.by_patient))]
    if study.is_binary and study.has_patients:
        blocks += _draw_patients(study, options)
    return Section("Decisions", "decisions", blocks)


def _caption_decisions(study, by_patient):
    if study.given_threshold is not None:
        caption = f"Decided for {study.target_names[1]} from {study.given_threshold:g}."
    else:
        caption = "By patch decisions are the model's own."
    if by_patient is None:
        return caption
    if by_patient.counts is None:
        return (
            f"{caption} In the weighted matrix patients of few and of many patches count the same."
        )
    return f"{caption} By patient they are made as the title says."


def _draw_patients(study, options):
    display = PatientScoreDisplay.from_predictions(
        study.first, threshold=study.threshold, **options
    )
    alt = "Patients sorted by score, with the spread of their patches"
    alt += f"; {display.n_wrong} on the wrong side" if study.threshold is not None else ""
    caption = (
        "A line reaches from a patient's lowest patch to the highest, its thick part from the "
        "first to the third quartile; the marker is the mean."
    )
    if len(display.spreads.ranks) > len(display.patient_ids):
        caption += " Patients with patches of both classes have a marker for each."
    return [
        Text("Patient by patient", kind="heading"),
        Pictures(draw_panels(display, [alt], size=(8.4, 4.2)), caption),
    ]


def _describe(table, names):
    """Say what a confusion matrix shows; the table is the picture's only other form."""
    rows = [
        f"Of {name}: "
        + ", ".join(f"{share:.0%} called {each}" for each, share in zip(names, row, strict=True))
        for name, row in zip(names, table.shares, strict=True)
    ]
    return f"{' '.join(table.title.split())}. {'; '.join(rows)}"
