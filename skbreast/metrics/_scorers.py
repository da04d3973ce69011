"""Metrics that need only patches, as scorers for scikit-learn's searches and cross-validation."""

from sklearn.metrics import make_scorer

from skbreast.metrics._calibration import expected_calibration_error
from skbreast.metrics._operating_points import (
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)

__all__ = ["SCORERS"]

_SCORES = ("decision_function", "predict_proba")


SCORERS = {
    "sensitivity_at_90_specificity": make_scorer(
        sensitivity_at_specificity, response_method=_SCORES, specificity=0.9
    ),
    "specificity_at_95_sensitivity": make_scorer(
        specificity_at_sensitivity, response_method=_SCORES, sensitivity=0.95
    ),
    "neg_expected_calibration_error": make_scorer(
        expected_calibration_error, response_method="predict_proba", greater_is_better=False
    ),
}
"""Scorers of two classes by name, to hand to `scoring=` one by one or all together.

"sensitivity_at_90_specificity", "specificity_at_95_sensitivity", and
"neg_expected_calibration_error" (10 bins of equal width; negated, so that greater is better).
Requesting metadata changes a scorer: take a ``copy.deepcopy`` for that.
"""
