"""What a classifier makes of its parameters and arguments before it trains or predicts."""

import math
import os
from pathlib import Path

import numpy as np

from skbreast._augment import check_augment
from skbreast._files import check_writable
from skbreast._guards import warn_of_shared_patients
from skbreast._loaded import find_patients
from skbreast._patches import check_input_size
from skbreast._training_data import Samples, check_labels, combine_weights
from skbreast._validation import (
    SCALED_PIXELS_END,
    check_choice,
    check_flag,
    check_groups,
    check_number,
    check_patches,
    keep_feature_count,
    warn_if_scaled,
)
from skbreast._warn import warn_user
from skbreast.hardware import resolve_precision
from skbreast.registry import ARCHITECTURES, BACKBONES, check_weights

__all__ = [
    "check_all_classes",
    "check_like_fitted",
    "check_parameters",
    "check_samples",
    "check_shares",
    "check_validation",
    "count_channels",
    "find_classes",
    "previous_state",
    "resolved_weights",
]

DISTRIBUTIONS = (None, "mirrored", "multiworker")


def check_parameters(classifier):
    """Check the parameters, and that those that belong together fit."""
    for name in ("early_stopping", "warm_start"):
        check_flag(getattr(classifier, name), name=name)
    if not isinstance(classifier.verbose, bool):
        check_number(classifier.verbose, name="verbose", low=0)
    if hasattr(classifier.architecture, "get_weights"):
        raise ValueError(
            "architecture is a network; give a function that builds one anew in each call, "
            "build(input_shape, n_classes)."
        )
    if not callable(classifier.architecture):
        known = (*ARCHITECTURES, *BACKBONES)
        check_choice(classifier.architecture, name="architecture", choices=known)
    check_weights(classifier.weights, words=("auto", "imagenet"))
    check_input_size(classifier.input_size)
    resolve_precision(classifier.precision)
    check_checkpoint(classifier.checkpoint, classifier.random_state)
    check_augment(classifier.augment)
    check_choice(classifier.distribute, name="distribute", choices=DISTRIBUTIONS)
    check_number(classifier.max_epochs, name="max_epochs", low=1, integer=True)
    check_number(classifier.batch_size, name="batch_size", low=1, integer=True)
    check_number(classifier.patience, name="patience", low=1, integer=True)
    check_number(classifier.learning_rate, name="learning_rate", low=0, high=1, open_low=True)
    check_number(
        classifier.validation_fraction, name="validation_fraction", low=0, high=0.5, open_low=True
    )
    if resolved_weights(classifier) is not None and classifier.architecture not in BACKBONES:
        raise ValueError(
            f"weights={classifier.weights!r} is for a backbone; architecture="
            f"{classifier.architecture!r} starts from random weights (weights='auto' or None)."
        )


def check_checkpoint(checkpoint, random_state):
    """Check the folder of checkpoints, before hours go into what it is to keep."""
    if checkpoint is None:
        return
    if not isinstance(checkpoint, str | os.PathLike) or not os.fspath(checkpoint):
        raise ValueError(
            "checkpoint must be None or a folder, in which each fit has a file of its own; got "
            f"{type(checkpoint).__name__} {checkpoint!r}."
        )
    if random_state is None:
        raise ValueError(
            "checkpoint needs random_state, best an integer: with None every fit is another, and "
            "none could go on."
        )
    check_writable(Path(checkpoint).expanduser())


def check_like_fitted(classifier, X, *, n_channels, name="X"):
    """Check patches: of a first `fit` if `n_channels` is None, else like those fitted on."""
    patches = check_patches(X, image_shape=classifier.image_shape)
    keep_feature_count(classifier, X, patches, reset=n_channels is None)
    given = count_channels(patches)
    if n_channels is not None and given != n_channels:
        raise ValueError(
            f"{name} has patches of {given} channels; this {type(classifier).__name__} is fitted "
            f"on patches of {n_channels}."
            + (" Rows of pixels need image_shape." if patches.shape[1:3] == (1, 1) else "")
        )
    if classifier.architecture in BACKBONES:
        if given not in (1, 3):
            raise ValueError(
                f"{name} has patches of {given} channels; architecture={classifier.architecture!r} "
                "takes RGB (3 channels) or grey (1)."
            )
        warn_if_scaled(X, patches)
    return patches


def resolved_weights(classifier):
    """Return the pretrained weights that "auto" stands for: "imagenet", a path or None."""
    if isinstance(classifier.weights, str) and classifier.weights == "auto":
        return "imagenet" if classifier.architecture in BACKBONES else None
    return classifier.weights


def previous_state(classifier, classes, n_channels):
    """Return what a warm start goes on from: weights, shape and history of the last fit."""
    if not classifier.warm_start or not hasattr(classifier, "weights_"):
        return None
    if not np.array_equal(classes, classifier.classes_):
        raise ValueError(
            f"warm_start: y has the classes {classes.tolist()}, the last fit had "
            f"{classifier.classes_.tolist()}; they must be the same."
        )
    if n_channels != classifier.patch_shape_[2]:
        raise ValueError(
            f"warm_start: X has patches of {n_channels} channels, the last fit had "
            f"{classifier.patch_shape_[2]}; they must be the same."
        )
    size = check_input_size(classifier.input_size)
    if size not in (None, classifier.patch_shape_[:2]):
        raise ValueError(
            f"warm_start: input_size={classifier.input_size!r}, the last fit had "
            f"{classifier.patch_shape_[:2]}; they must be the same."
        )
    return {
        "weights": classifier.weights_,
        "shape": classifier.patch_shape_,
        "history": classifier.history_,
    }


def check_samples(classifier, X, y, sample_weight, groups, *, n_channels):
    """Check what is learned from; patches of no weight are left out."""
    X = check_like_fitted(classifier, X, n_channels=n_channels)
    y = check_labels(y, n_samples=len(X))
    weights = combine_weights(sample_weight, classifier.class_weight, y)
    if groups is not None:
        groups = check_groups(groups, n_samples=len(X))
    if sample_weight is not None:
        sample_weight = np.broadcast_to(np.asarray(sample_weight), len(y))
    samples = Samples(X, y, weights, sample_weight, groups)
    return samples if weights.all() else samples.take(weights > 0)


def check_shares(classifier, n_patches, team):
    """Check that each of those who train together gets a patch of every batch."""
    smallest = n_patches // math.ceil(n_patches / classifier.batch_size)
    if smallest < team.n_replicas:
        raise ValueError(
            f"batch_size={classifier.batch_size}: with {n_patches} patches the smallest batch has "
            f"{smallest}, too few to be shared by {team.n_replicas} devices "
            f"(distribute={classifier.distribute!r}); raise it."
        )


def check_validation(classifier, X_val, y_val, sample_weight_val, groups_val, training):
    """Check the validation patches of `fit`; None where there are none."""
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together.")
    if X_val is None:
        for name, given in {"sample_weight": sample_weight_val, "groups": groups_val}.items():
            if given is not None:
                raise ValueError(f"{name}_val is given without X_val and y_val.")
        return None
    n_channels = count_channels(training.X)
    X_val = check_like_fitted(classifier, X_val, n_channels=n_channels, name="X_val")
    _warn_of_scales(training.X, X_val)
    if groups_val is not None:
        groups_val = check_groups(groups_val, n_samples=len(X_val), name="groups_val")
    _warn_of_patients(training, X_val, groups_val)
    y_val = check_labels(y_val, n_samples=len(X_val), name="y_val")
    unknown = np.setdiff1d(y_val, classifier.classes_)
    if len(unknown):
        raise ValueError(f"y_val holds classes that y lacks: {unknown.tolist()}.")
    weights = combine_weights(sample_weight_val, None, y_val, name="sample_weight_val")
    return Samples(X_val, y_val, weights)


def _warn_of_patients(training, X_val, groups_val):
    groups = find_patients(training.X) if training.groups is None else training.groups
    groups_val = find_patients(X_val) if groups_val is None else groups_val
    if groups is not None and groups_val is not None:
        advice = "Take other patients for validation."
        warn_of_shared_patients(groups, groups_val, what="X_val", advice=advice)


def _warn_of_scales(X, X_val):
    if X.ndim == X_val.ndim == 4 and X.shape[1:3] != (1, 1):
        low, high = sorted((float(X.max()), float(X_val.max())))
        if high > SCALED_PIXELS_END * max(low, 1):
            warn_user(
                f"X goes up to {X.max():g} and X_val to {X_val.max():g}; give both the same "
                "scale, best raw pixels, 0…255."
            )


def check_all_classes(classifier, classes, y, *, first):
    """Fix `classes_` in the first call of `partial_fit`, and compare in later ones."""
    if first:
        if classes is None:
            raise ValueError("classes must be given in the first call of partial_fit.")
        classes = check_labels(classes, n_samples=None, name="classes")
        classifier.classes_ = find_classes(classes, name="classes")
    elif classes is not None and not np.array_equal(np.unique(classes), classifier.classes_):
        raise ValueError(
            f"classes={np.unique(classes).tolist()} differ from those of the first call, "
            f"{classifier.classes_.tolist()}."
        )
    unknown = np.setdiff1d(y, classifier.classes_)
    if len(unknown):
        raise ValueError(f"y holds labels that classes lacks: {unknown.tolist()}.")


def find_classes(labels, *, name="y"):
    """Return the labels that occur, of which there must be two."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"{name} holds one class, {classes.tolist()[0]!r}; at least 2 classes are needed."
        )
    return classes


def count_channels(patches):
    """Return the number of channels, which is 3 for references."""
    return patches.shape[3] if patches.ndim == 4 else 3
