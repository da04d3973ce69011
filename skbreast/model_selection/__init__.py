"""Splits that keep patients whole, and audits of data and splits that may not have done so.

For cross-validation use scikit-learn's own ``StratifiedGroupKFold``, ``GroupKFold`` and
``LeaveOneGroupOut``, with the patients as ``groups``.
"""

from skbreast.model_selection._audit import audit_patches
from skbreast.model_selection._audit_findings import Finding
from skbreast.model_selection._audit_report import AuditReport
from skbreast.model_selection._leakage import LeakageReport, leakage_report
from skbreast.model_selection._split import patient_train_test_split
from skbreast.model_selection._threshold import SensitivityThresholdClassifierCV

__all__ = [
    "AuditReport",
    "Finding",
    "LeakageReport",
    "SensitivityThresholdClassifierCV",
    "audit_patches",
    "leakage_report",
    "patient_train_test_split",
]
