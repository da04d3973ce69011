from ._activation import ActivationMapDisplay as ActivationMapDisplay
from ._calibration import PatientCalibrationDisplay as PatientCalibrationDisplay
from ._confusion import PatientConfusionDisplay as PatientConfusionDisplay
from ._feature_map import FeatureMapDisplay as FeatureMapDisplay
from ._gallery import PatchGalleryDisplay as PatchGalleryDisplay
from ._history import TrainingHistoryDisplay as TrainingHistoryDisplay
from ._roc import PatientRocDisplay as PatientRocDisplay
from ._scores import PatientScoreDisplay as PatientScoreDisplay
