"""Metrics that users bring: called on a resample, with patients and over folds as they need."""

import inspect
import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

__all__ = ["bind_metric", "defined_or_nan"]


def bind_metric(metric):
    """Return ``evaluate(arrays, patients, folds)`` for a metric with or without `groups`.

    With folds (not None) it is the mean over the folds in which the metric is defined.
    """
    if not callable(metric):
        raise TypeError(f"metric must be the name of one or a callable; got {metric!r}.")
    wants_groups = _takes_groups(metric)

    def call(arrays, patients):
        value = metric(*arrays, groups=patients) if wants_groups else metric(*arrays)
        if np.ndim(value) != 0:
            raise TypeError(f"metric must return one number; got shape {np.shape(value)}.")
        return float(value)

    def evaluate(arrays, patients, folds=None):
        if folds is None:
            return call(arrays, patients)
        values = []
        for fold in np.unique(folds):
            rows = folds == fold
            values.append(defined_or_nan(call, [each[rows] for each in arrays], patients[rows]))
        defined = [value for value in values if np.isfinite(value)]
        with np.errstate(over="ignore"):  # infinity is told, or counted, by who asked
            return float(np.mean(defined)) if defined else np.nan

    return evaluate


def defined_or_nan(evaluate, *arguments):
    """Return what `evaluate` says, or NaN where it raises or warns that there is no meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        try:
            return evaluate(*arguments)
        except (ValueError, ZeroDivisionError, UndefinedMetricWarning):
            return np.nan


def _takes_groups(metric):
    try:
        return "groups" in inspect.signature(metric).parameters
    except (TypeError, ValueError):  # some compiled functions have no signature
        return False
