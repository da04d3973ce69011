"""What Displays ask a fitted estimator: its scores and its own decisions on patches."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_consistent_length

from skbreast._patients import check_labels
from skbreast._unwrap import decision_threshold, take_to_last_step
from skbreast._validation import name_some
from skbreast.evaluation import predict_patches
from skbreast.plotting._predictions_input import DecisionValues, check_patients

__all__ = ["judge_patches", "own_threshold"]


def judge_patches(estimator, X, y, groups, *, decisions=False):
    """Let a fitted classifier judge patches with labels of any kind.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_proba` and `classes_`.
    X : array-like of n_patches
        Patches, references, or what else the estimator takes.
    y : array-like of shape (n_patches,)
        Labels, of those that it was fitted on.
    groups : array-like of shape (n_patches,)
        Patient ids.
    decisions : bool, default=False
        Whether a `decision_function` of two classes will do where there is no `predict_proba`.

    Returns
    -------
    Predictions or DecisionValues
        In one fold, with the decisions of the estimator's own `predict`.
    """
    ask = _find_response(estimator, decisions)
    y = check_labels(y, name="y")
    groups = check_patients(groups, n_samples=len(y))
    said = ask(estimator, X, y, groups)
    check_consistent_length(y, said.y_proba)
    classes = np.asarray(estimator.classes_)
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y has labels that the estimator was not fitted on: {name_some(unknown.tolist())}."
        )
    y_true, y_pred = (np.searchsorted(classes, each) for each in (y, said.y_pred))
    return replace(said, y_true=y_true, y_pred=y_pred, classes=classes)


def own_threshold(estimator, said, options):
    """Return the threshold of a model that has one of its own, as an option of a Display.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    said : Predictions or DecisionValues
        What :func:`judge_patches` returned.
    options : dict
        Of the Display.

    Returns
    -------
    dict
        "threshold"; empty where there is none, or it is not about the scores that are shown.
    """
    found = decision_threshold(estimator)
    if found is None or len(said.classes) != 2:
        return {}
    shown = "decision_function" if isinstance(said, DecisionValues) else "predict_proba"
    second = said.classes[1]
    labels = (
        second if each is None else each for each in (found.pos_label, options.get("pos_label"))
    )
    fits = found.method == shown and all(each == second for each in labels)
    return {"threshold": float(found.threshold)} if fits else {}


def _find_response(estimator, decisions):
    """Return what asks the estimator: for probabilities first, as in scikit-learn's Displays."""
    if hasattr(estimator, "predict_proba"):
        return predict_patches
    name = type(estimator).__name__
    if not hasattr(estimator, "decision_function"):
        raise ValueError(
            f"estimator must have predict_proba; {name} has none. Give its scores to "
            "from_predictions."
        )
    if not decisions:
        raise ValueError(
            f"estimator must have predict_proba, since probabilities are shown; {name} has "
            "decision_function only: fit a sklearn.calibration.CalibratedClassifierCV of it."
        )
    if not hasattr(estimator, "classes_"):
        raise ValueError(f"estimator must be a classifier; {name} has no classes_.")
    if len(estimator.classes_) != 2:
        raise ValueError(
            f"estimator must have predict_proba for more than two classes; {name} has "
            f"decision_function only, and {len(estimator.classes_)} classes."
        )
    return _decide_patches


def _decide_patches(estimator, X, y, groups):
    estimator, X = take_to_last_step(estimator, X)
    values, y_pred = (
        np.asarray(estimator.decision_function(X), dtype=np.float64),
        estimator.predict(X),
    )
    rows = np.arange(len(y))
    return DecisionValues(
        y, np.column_stack([-values, values]), y_pred, groups, np.zeros(len(y), int), rows
    )
