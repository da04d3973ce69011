"""`model_facts`: what is known of a model, as plain data."""

import math
import platform
from dataclasses import asdict

import numpy as np
from sklearn.base import BaseEstimator

from skbreast._computing import computing_of
from skbreast._figures import summarise
from skbreast._notice import RESEARCH_ONLY
from skbreast._predictions import Predictions
from skbreast._split_digest import has_patients, split_digest
from skbreast._versions import versions
from skbreast.model_card._markdown import printable
from skbreast.model_card._parts import describe_file, describe_model, licences_of_weights

__all__ = ["model_facts"]

CARD_FORMAT = 1
BASELINES = ("dummy", "colour")
INTENDED_USE = (
    RESEARCH_ONLY,
    "Comparing ways to classify patches of breast biopsies, on patients who took no part in the "
    "training.",
)
LIMITS = (
    "Intervals say how much the figures hang on which patients were tested. They do not say how "
    "the model does on patients of another hospital, scanner, stain or magnification.",
    "A patch is not a diagnosis: these are figures of cut-out squares, chosen by whoever made the "
    "data set.",
    "The probabilities are not calibrated unless a step of the model calibrates them, and the "
    "shares of the classes are those of the data.",
)
WITHOUT_PATIENTS = (
    "There are no patient ids: patches of one patient may have been trained on and tested on, so "
    "that figures may be inflated and intervals too narrow."
)
UNJUDGED = "The model was not judged: nothing is known of how good it is."


def model_facts(
    model,
    predictions=None,
    *,
    figures=None,
    chosen=None,
    model_path=None,
    source="",
    protocol="",
    target_names=None,
    licence="",
    data_licence="",
    limits=(),
    n_resamples=1000,
    random_state=0,
):
    """Return the facts of a model card.

    Parameters
    ----------
    model : estimator
        The fitted model.
    predictions : Predictions or dict of str to Predictions, optional
        As for :func:`write_model_card`.
    figures : dict of str to dict of str to BootstrapInterval, optional
        From :func:`skbreast.evaluation.summarise`, by model; computed where they are missing.
    chosen : str, optional
        Name of the model among `predictions`; by default the first that is no baseline.
    model_path : str or path-like, optional
        The file of the model, from :func:`skbreast.save`; the card has its name and digest.
    source, protocol : str, optional
        Where the patches are from, and how they were split: sentences.
    target_names : sequence of str, optional
        Names of the classes.
    licence, data_licence : str, optional
        Of the model, best an SPDX identifier such as ``"CC-BY-4.0"``, and of the data. The
        licences of the pretrained weights in it are known.
    limits : sequence of str, optional
        Sentences beside those that hold for every model.
    n_resamples : int, default=1000
        Bootstrap resamples of patients, for figures that are missing.
    random_state : int, default=0
        Their seed.

    Returns
    -------
    dict
        Of texts, numbers, lists and dicts, as in the JSON file.

    Raises
    ------
    ValueError
        If an argument is not as documented.
    OSError
        If `model_path` cannot be read.
    """
    if not isinstance(model, BaseEstimator):
        raise ValueError(f"model must be an estimator; got {type(model).__name__}.")
    judged, chosen = _check_predictions(predictions, chosen)
    found = judged.get(chosen)
    figures = _complete(figures, judged, n_resamples=n_resamples, random_state=random_state)
    by_patient = found is not None and has_patients(found)
    facts = {
        "card": CARD_FORMAT,
        "name": chosen or type(model).__name__,
        "model": {
            **describe_model(model),
            "computing": computing_of(model),
            "file": describe_file(model_path),
        },
        "data": {
            "source": source,
            "licence": data_licence,
            **_count(found, target_names, by_patient),
        },
        "split": {
            "protocol": protocol,
            "digest": None if found is None else split_digest(found),
            "n_folds": None if found is None else len(np.unique(found.folds)),
        },
        "figures": {
            name: {figure: asdict(value) for figure, value in each.items()}
            for name, each in figures.items()
        },
        "intended_use": list(INTENDED_USE),
        "limits": [*_own_limits(found, by_patient), *LIMITS, *limits],
        "licence": {"model": licence, "weights": licences_of_weights(model)},
        "versions": {**versions(), "Python": platform.python_version()},
    }
    return _cleaned(facts)


def _check_predictions(predictions, chosen):
    """Return predictions by model, and which of them the card is about."""
    if predictions is None:
        return {}, chosen
    if isinstance(predictions, Predictions):
        predictions = {chosen or "model": predictions}
    is_dict = isinstance(predictions, dict) and predictions
    if not is_dict or not all(isinstance(each, Predictions) for each in predictions.values()):
        raise ValueError(
            "predictions must be Predictions, or a dict of them by model; got "
            f"{type(predictions).__name__}."
        )
    others = [name for name in predictions if name not in BASELINES]
    chosen = (others or list(predictions))[0] if chosen is None else chosen
    if chosen not in predictions:
        raise ValueError(f"chosen must be one of {', '.join(predictions)}; got {chosen!r}.")
    return dict(predictions), chosen


def _complete(figures, judged, **resampling):
    figures = dict(figures or {})
    missing = {name: each for name, each in judged.items() if name not in figures}
    return figures | {name: summarise(each, **resampling) for name, each in missing.items()}


def _count(found, target_names, by_patient):
    if found is None:
        return {"n_patches": None, "n_patients": None, "classes": []}
    n_classes = found.y_proba.shape[1]
    if target_names is None:
        target_names = np.arange(n_classes) if found.classes is None else found.classes
    if len(target_names) != n_classes:
        raise ValueError(
            f"target_names has {len(target_names)} names for {n_classes} classes; give one each."
        )
    parts = [(str(name), found.y_true == number) for number, name in enumerate(target_names)]
    classes = [
        {
            "name": name,
            "n_patches": int(of_class.sum()),
            "n_patients": len(np.unique(found.groups[of_class])) if by_patient else None,
        }
        for name, of_class in parts
    ]
    n_patients = len(np.unique(found.groups)) if by_patient else None
    return {"n_patches": len(found.y_true), "n_patients": n_patients, "classes": classes}


def _own_limits(found, by_patient):
    if found is None:
        return [UNJUDGED]
    return [] if by_patient else [WITHOUT_PATIENTS]


def _cleaned(value):
    """Return facts that any reader of JSON takes: printable texts, and None for NaN."""
    if isinstance(value, dict):
        return {printable(key): _cleaned(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bool | type(None)):
        return value
    return int(value) if isinstance(value, int | np.integer) else printable(value)
