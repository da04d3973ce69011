"""One training of a classifier, from its arguments to the network that has learned."""

import numpy as np
from sklearn.utils import check_random_state

from skbreast._classifier_network import (
    last_rate,
    load_weights,
    open_program,
    plan_phases,
    start_program,
    warn_of_scale,
)
from skbreast._fit_input import (
    check_all_classes,
    check_parameters,
    check_samples,
    check_shares,
    check_validation,
    count_channels,
    find_classes,
    previous_state,
)
from skbreast._fitting import TrainingSet
from skbreast._learning import learn, learn_once
from skbreast._patches import PatchSource, check_input_size
from skbreast._resuming import check_team
from skbreast._teams import ALONE
from skbreast._training_data import split_off_validation
from skbreast.registry import BACKBONES, check_side

__all__ = ["fit_part", "fit_whole"]


def fit_whole(classifier, X, y, sample_weight, groups, given_validation):
    """Train a classifier, for its `fit`; what it sets when it fails is nobody's.

    Parameters
    ----------
    classifier : PatchCNNClassifier
        Its parameters are not checked yet.
    X, y, sample_weight, groups
        As for its `fit`.
    given_validation : tuple
        ``X_val``, ``y_val``, ``sample_weight_val``, ``groups_val``.
    """
    check_parameters(classifier)
    team = _find_team(classifier)
    with team.training():
        _train(classifier, team, X, y, sample_weight, groups, given_validation)
    vars(classifier).pop("_partial_state", None)


def _train(classifier, team, X, y, sample_weight, groups, given_validation):
    seed = team.from_chief(lambda: _draw_seed(classifier))
    with team.together():
        samples = check_samples(classifier, X, y, sample_weight, groups, n_channels=None)
        previous = previous_state(classifier, find_classes(samples.y), count_channels(samples.X))
        if previous:
            warn_of_scale(classifier, X, samples.X)
        classifier.classes_ = find_classes(samples.y)
        validation = check_validation(classifier, *given_validation, samples)
        if validation is None and classifier.early_stopping:
            samples, validation = _split(classifier, samples, seed)
        size = previous and previous["shape"][:2]
        training_set = _open_training(classifier, samples, size=size, team=team)
        if validation is not None:
            validation = _training_set(classifier, validation, classifier.patch_shape_[:2], team)
    check_team(classifier, training_set, validation, team)
    check_shares(classifier, len(samples.y), team)
    with team.to_the_end():
        program = start_program(classifier, training_set.source, previous, seed, team)
        with program.held():
            learn(
                classifier,
                program,
                plan_phases(classifier, program),
                training_set,
                validation,
                samples=samples,
                history=dict(previous["history"]) if previous else {},
                seed=seed,
                team=team,
            )


def _split(classifier, samples, seed):
    """Return what is learned from, and what early stopping goes by."""
    sides = split_off_validation(
        np.searchsorted(classifier.classes_, samples.y),
        samples.groups,
        fraction=classifier.validation_fraction,
        seed=seed,
        X=samples.X,
    )
    return [samples.take(rows) for rows in sides]


def fit_part(classifier, X, y, classes, sample_weight):
    """Train a classifier for one pass over some patches, for its `partial_fit`."""
    check_parameters(classifier)
    if classifier.early_stopping:
        raise ValueError("partial_fit sees no epochs; early_stopping must be False.")
    if classifier.checkpoint is not None:
        raise ValueError(
            "partial_fit keeps no checkpoints; checkpoint must be None. Save the classifier."
        )
    if classifier.distribute is not None:
        raise ValueError("partial_fit trains in one process alone; distribute must be None.")
    if classifier.class_weight == "balanced":
        raise ValueError(
            "partial_fit sees a part of the patches; class_weight must be None or a dict."
        )
    first = not hasattr(classifier, "weights_")
    n_channels = None if first else classifier.patch_shape_[2]
    samples = check_samples(classifier, X, y, sample_weight, None, n_channels=n_channels)
    check_all_classes(classifier, classes, samples.y, first=first)
    if not first:
        warn_of_scale(classifier, X, samples.X)
    state = vars(classifier).get("_partial_state") or _new_partial_state(classifier)
    training_set = _open_training(
        classifier, samples, size=None if first else classifier.patch_shape_[:2]
    )
    if first:
        classifier.history_ = {}
        program = start_program(classifier, training_set.source, None, state["seed"])
    else:
        program = open_program(classifier, fresh=True, seed=state["seed"])
        load_weights(classifier, program, classifier.weights_)
    phase = {"phase": program.phases[-1], "learning_rate": last_rate(classifier, program)}
    classifier._partial_state = learn_once(classifier, program, phase, training_set, state)


def _new_partial_state(classifier):
    return {"seed": _draw_seed(classifier), "calls": 0, "optimizer": None}


def _draw_seed(classifier):
    return int(check_random_state(classifier.random_state).randint(2**31 - 1))


def _find_team(classifier):
    """Find who trains together: before anything else that TensorFlow might do."""
    if classifier.distribute is None:
        return ALONE
    from skbreast._keras.distribution import find_team

    return find_team(classifier.distribute)


def _open_training(classifier, samples, size, team=ALONE):
    training_set = _training_set(
        classifier, samples, size or check_input_size(classifier.input_size), team
    )
    shape = training_set.source.shape
    if classifier.architecture in BACKBONES:
        check_side(BACKBONES[classifier.architecture], shape[:2])
    classifier.patch_shape_ = shape
    if samples.X.ndim == 1:
        classifier.n_features_in_ = int(np.prod(shape))
    return training_set


def _training_set(classifier, samples, size, team=ALONE):
    targets = np.searchsorted(classifier.classes_, samples.y).astype(np.int32)
    source = PatchSource(samples.X, size)
    if team.n_processes == 1:  # each of several reads its own rows only, whenever it needs them
        source = source.kept()
    return TrainingSet(source, targets, samples.weights)
