"""What a model is made of: its classes, its parameters, its file, and the weights of others."""

import hashlib
import os
from pathlib import Path, PureWindowsPath

import numpy as np

from skbreast.persistence._fitted import estimators_in
from skbreast.persistence._parameters import PLACES
from skbreast.registry import ARCHITECTURES, BACKBONES

__all__ = ["describe_file", "describe_model", "licences_of_weights"]

UNSAID = frozenset({*PLACES, "n_jobs", "verbose"})  # they decide nothing, or are a place


def describe_model(model):
    """Return the class of an estimator, those of its parts, and the parameters of all.

    Parameters that are no plain values, such as estimators, are left out: they are among the parts.
    """
    parameters = {
        name: value
        for name, value in model.get_params(deep=True).items()
        if name.rpartition("__")[2] not in UNSAID and _is_plain(value)
    }
    kinds = [f"{type(each).__module__}.{type(each).__name__}" for each in estimators_in(model)]
    return {
        "class": kinds[0],
        "parts": list(dict.fromkeys(kinds[1:])),
        "parameters": {name: _write(value) for name, value in parameters.items()},
    }


def _is_plain(value):
    if isinstance(value, dict):
        return all(map(_is_plain, [*value, *value.values()]))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value)) and not any(isinstance(each, tuple) for each in value)
    return value is None or isinstance(value, bool | int | float | str | os.PathLike | np.generic)


def _write(value):
    """Write a parameter; of a path its last part, since folders bear names of people."""
    return repr(_without_folders(value))


def _without_folders(value):
    if isinstance(value, dict):
        return {_without_folders(key): _without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_without_folders, value))
    if isinstance(value, os.PathLike):
        return Path(value).name
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return PureWindowsPath(value).name  # which knows both ways to write a path
    return value


def describe_file(path):
    """Return name, length and SHA-256 of a file; None where there is none."""
    if path is None:
        return None
    path = Path(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "n_bytes": path.stat().st_size, "sha256": digest}


def licences_of_weights(model):
    """Return what is in the networks of a model that is not of whoever trained it.

    Returns
    -------
    list of dict
        For each network ``network``, ``weights``, ``use`` and ``licence``.
    """
    found = [_licence(each) for each in estimators_in(model) if _names_network(each)]
    return [each for number, each in enumerate(found) if each not in found[:number]]


def _names_network(estimator):
    return hasattr(estimator, "weights") and bool(
        {"backbone", "architecture"} & set(vars(estimator))
    )


def _licence(network):
    """Say what of a network is not of whoever trained it, and its licence."""
    weights = network.weights
    if hasattr(network, "backbone"):
        name, use = network.backbone, "frozen, not in the file of the model"
    else:
        name, use = network.architecture, "trained further"
        weights = "imagenet" if weights == "auto" and name in BACKBONES else weights
    known = {"network": name if isinstance(name, str) else type(name).__name__, "use": use}
    if isinstance(name, str) and name in BACKBONES and weights == "imagenet":
        return {**known, "weights": "ImageNet", "licence": BACKBONES[name].licence}
    if weights is None or (isinstance(name, str) and name in ARCHITECTURES):
        return {**known, "use": "no weights of others", "weights": None, "licence": None}
    return {**known, "weights": _write(weights), "licence": "not known"}
