"""Pictures of trainings, of figures by patient, of patches and of what a network looks at.

Displays keep what they have drawn: `figure_`, `axes_` with all panels and, where there is always a
single one, `ax_`.
"""

from skbreast.plotting._activation import ActivationMapDisplay
from skbreast.plotting._calibration import PatientCalibrationDisplay
from skbreast.plotting._confusion import ConfusionTable, PatientConfusionDisplay
from skbreast.plotting._feature_map import FeatureMapDisplay
from skbreast.plotting._gallery import PatchGalleryDisplay
from skbreast.plotting._history import TrainingHistoryDisplay
from skbreast.plotting._roc import PatientRocDisplay
from skbreast.plotting._roc_curves import RocCurve
from skbreast.plotting._scores import PatientScoreDisplay, PatientSpreads

__all__ = [
    "ActivationMapDisplay",
    "ConfusionTable",
    "FeatureMapDisplay",
    "PatchGalleryDisplay",
    "PatientCalibrationDisplay",
    "PatientConfusionDisplay",
    "PatientRocDisplay",
    "PatientScoreDisplay",
    "PatientSpreads",
    "RocCurve",
    "TrainingHistoryDisplay",
]
