"""Splits that keep patients whole, and audits of data and splits that may not have done so.

For cross-validation use scikit-learn's own ``StratifiedGroupKFold``, ``GroupKFold`` and
``LeaveOneGroupOut``, with the patients as ``groups``.
"""

from skbreast.model_selection._leakage import LeakageReport, leakage_report
from skbreast.model_selection._split import patient_train_test_split

__all__ = ["LeakageReport", "leakage_report", "patient_train_test_split"]
