"""Figures counted by patient, their intervals and comparisons, operating points, calibration."""

from skbreast.metrics._bootstrap import BootstrapInterval, patient_bootstrap
from skbreast.metrics._calibration import (
    PatientReliability,
    expected_calibration_error,
    patient_reliability,
)
from skbreast.metrics._decision_curve import DecisionCurve, decision_curve
from skbreast.metrics._fold_variance import FoldInterval, corrected_fold_interval
from skbreast.metrics._operating_points import (
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    threshold_at_sensitivity,
)
from skbreast.metrics._paired import PairedDifference, compare_models
from skbreast.metrics._patient_figures import (
    patient_accuracies,
    patient_auc,
    patient_recognition_rate,
    patient_weights,
)
from skbreast.metrics._patient_scores import patient_labels, patient_scores
from skbreast.metrics._scorers import SCORERS

__all__ = [
    "SCORERS",
    "BootstrapInterval",
    "DecisionCurve",
    "FoldInterval",
    "PairedDifference",
    "PatientReliability",
    "compare_models",
    "corrected_fold_interval",
    "decision_curve",
    "expected_calibration_error",
    "patient_accuracies",
    "patient_auc",
    "patient_bootstrap",
    "patient_labels",
    "patient_recognition_rate",
    "patient_reliability",
    "patient_scores",
    "patient_weights",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "threshold_at_sensitivity",
]
