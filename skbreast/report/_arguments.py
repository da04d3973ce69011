"""Checks of what a report is given, once, before anything is drawn."""

import os
from dataclasses import replace

import numpy as np

from skbreast._figures import summarise
from skbreast._predictions import Predictions
from skbreast._validation import check_patches, is_references, name_some
from skbreast.model_selection import AuditReport
from skbreast.report._study import REFERENCES, Study

__all__ = ["check_audit", "check_model", "check_path", "check_study"]

AS_GIVEN_BY = "as cross_validate_patients or cross_validate_models give them"


def check_path(path):
    """Return the name of the page's file, or say that the order of arguments is another."""
    if isinstance(path, str | os.PathLike):
        return path
    raise ValueError(
        "path must be the name of a file, such as 'report.html'; got an object of the type "
        f"{type(path).__name__}: write_report takes path, predictions and X in this order."
    )


def check_audit(audit):
    """Refuse what is neither an audit nor a sentence."""
    if audit is not None and not isinstance(audit, AuditReport | str):
        raise ValueError(
            "audit must be an AuditReport, as audit_patches gives it, or a sentence; got "
            f"{type(audit).__name__}."
        )


def check_model(model, n_classes):
    """Refuse a model of which no maps can be drawn, before anything is."""
    if model is None or isinstance(model, str):
        return
    known = getattr(model, "classes_", None)
    if known is None:
        raise ValueError(
            f"model must be a fitted classifier, with classes_; got {type(model).__name__}, which "
            "has none: call its fit first."
        )
    if len(known) != n_classes:
        raise ValueError(
            f"model knows {len(known)} classes, and the predictions are of {n_classes}; give the "
            "model that made them."
        )


def check_study(
    predictions,
    X,
    figures,
    chosen,
    target_names,
    texts,
    resampling,
    threshold=None,
    pos_label=None,
):
    """Check what :func:`skbreast.report.write_report` was given, and complete it.

    Parameters
    ----------
    predictions, X, figures, chosen, target_names, threshold, pos_label
        As given.
    texts : dict of str to str
        `source`, `about` and `protocol`.
    resampling : dict
        `n_resamples` and `random_state`.

    Returns
    -------
    Study
        Of two classes the positive one is number 1.
    """
    predictions = _check_predictions(predictions, chosen)
    chosen = _choose(predictions, chosen)
    labels = _labels_of(predictions[chosen])
    names = _name_classes(labels, target_names)
    X = _check_patches(X, predictions[chosen])
    figures = _check_figures(figures)
    order = _order_classes(labels, pos_label)
    if order != tuple(range(len(labels))):
        predictions = {name: _reorder(each, order) for name, each in predictions.items()}
        names = [names[number] for number in order]
        figures = {}  # F1 is of the positive class
    figures = {
        name: figures[name] if name in figures else summarise(each, **resampling)
        for name, each in predictions.items()
    }
    return Study(
        predictions,
        figures,
        chosen,
        X,
        names,
        **texts,
        given_threshold=threshold,
        class_order=order,
    )


def _check_predictions(predictions, chosen):
    """Return predictions by model, all of the same patches."""
    if isinstance(predictions, Predictions):
        predictions = {chosen or "model": predictions}
    if not isinstance(predictions, dict) or not len(predictions):
        got = "an empty dict" if isinstance(predictions, dict) else type(predictions).__name__
        raise ValueError(
            f"predictions must be Predictions, or a dict of them by model, {AS_GIVEN_BY}; got "
            f"{got}."
        )
    for name, each in predictions.items():
        _check_one(name, each)
    (name, first), *others = predictions.items()
    for other, each in others:
        if not all(np.array_equal(*pair) for pair in _what_is_judged(first, each)):
            raise ValueError(
                f"predictions of {name!r} and {other!r} are of different patches, folds or "
                "patients; judge all models on the same ones."
            )
    return dict(predictions)


def _check_one(name, found):
    if not isinstance(name, str):
        raise ValueError(f"predictions must have names of models as keys; got {name!r}.")
    if not isinstance(found, Predictions):
        raise ValueError(
            f"predictions[{name!r}] must be Predictions, {AS_GIVEN_BY}; got {type(found).__name__}."
        )
    if not len(found.y_true):
        raise ValueError(f"predictions of {name!r} hold no patches; at least one is needed.")


def _what_is_judged(first, second):
    names = ("y_true", "folds", "rows", "groups")
    return [
        [np.asarray(getattr(each, name)).astype(str) for each in (first, second)] for name in names
    ]


def _choose(predictions, chosen):
    if chosen is None:
        others = [name for name in predictions if name not in REFERENCES]
        return (others or list(predictions))[0]
    if chosen not in predictions:
        raise ValueError(f"chosen must be one of {', '.join(predictions)}; got {chosen!r}.")
    return chosen


def _labels_of(found):
    """Return what the columns of the probabilities stand for."""
    known = found.classes is not None
    return np.asarray(found.classes if known else range(found.y_proba.shape[1])).tolist()


def _name_classes(labels, target_names):
    if target_names is None:
        return [str(label) for label in labels]
    if isinstance(target_names, str) or len(target_names) != len(labels):
        one = isinstance(target_names, str)
        got = "the single text" if one else f"{len(target_names)}:"
        raise ValueError(
            f"target_names must hold {len(labels)} names, one for each of the classes "
            f"{name_some(labels)} in this order; got {got} {target_names!r}."
        )
    return [str(name) for name in target_names]


def _check_figures(figures):
    figures = {} if figures is None else figures
    if isinstance(figures, dict) and all(isinstance(each, dict) for each in figures.values()):
        return figures
    raise ValueError(
        "figures must be a dict by model of what summarise returns, {'model': summarise(…)}; got "
        f"{type(figures).__name__}" + (" of figures." if isinstance(figures, dict) else ".")
    )


def _check_patches(X, found):
    if X is None:
        return None
    X = check_patches(X) if is_references(X) else np.asarray(X)
    n_needed = len(found.y_true) if found.rows is None else int(found.rows.max()) + 1
    if X.ndim == 0 or len(X) < n_needed:
        raise ValueError(
            f"X has {len(X) if X.ndim else 0} patches, but the predictions speak of row "
            f"{n_needed - 1}; give the patches that were judged."
        )
    return X


def _order_classes(labels, pos_label):
    """Return the order in which the positive one of two classes comes last."""
    order = tuple(range(len(labels)))
    if pos_label is None:
        return order
    if len(labels) != 2:
        raise ValueError(
            f"pos_label is for two classes; there are {len(labels)}, and none of them is the "
            "positive one."
        )
    if pos_label not in labels:
        raise ValueError(f"pos_label must be one of {labels}; got {pos_label!r}.")
    return order if labels.index(pos_label) == 1 else order[::-1]


def _reorder(found, order):
    """Return predictions whose class numbers count the classes in another order."""
    order = np.array(order)
    number_of = np.argsort(order)
    return replace(
        found,
        y_true=number_of[np.asarray(found.y_true).astype(np.intp)],
        y_pred=number_of[np.asarray(found.y_pred).astype(np.intp)],
        y_proba=np.asarray(found.y_proba)[:, order],
        classes=None if found.classes is None else np.asarray(found.classes)[order],
    )
