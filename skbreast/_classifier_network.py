"""The network of a classifier: built, given weights, planned for, and asked for scores."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skbreast._fit_input import check_like_fitted, resolved_weights
from skbreast._fitting import channel_statistics, class_scores
from skbreast._patches import PatchSource
from skbreast._teams import ALONE
from skbreast._validation import warn_if_raw, warn_if_scaled
from skbreast.hardware import resolve_precision
from skbreast.registry import ARCHITECTURES

__all__ = [
    "last_rate",
    "load_weights",
    "open_program",
    "plan_phases",
    "score_patches",
    "start_program",
    "warn_of_scale",
]

HEAD_SHARE = 0.25
TOP_RATE = 0.1


def score_patches(classifier, X):
    """Return the raw scores that a fitted classifier gives patches, ``(n_patches, n_classes)``."""
    check_is_fitted(classifier, "weights_")
    patches = check_like_fitted(classifier, X, n_channels=classifier.patch_shape_[2])
    warn_of_scale(classifier, X, patches)
    source = PatchSource(patches, classifier.patch_shape_[:2])
    program = open_program(classifier)
    with program.kept():
        load_weights(classifier, program, classifier.weights_)
        return class_scores(program, source, classifier.batch_size)


def start_program(classifier, source, previous, seed, team=ALONE):
    """Return the network of a fit that begins, and set `precision_`.

    Parameters
    ----------
    classifier : PatchCNNClassifier
        With `classes_` and `patch_shape_`.
    source : PatchSource
        What it learns from; new weights are scaled for its channels.
    previous : dict or None
        The state that a warm start goes on from, see `previous_state`.
    seed : int
        Decides new weights.
    team : skbreast._teams.Alone
        Who trains together.
    """
    own = not callable(classifier.architecture)
    precision = resolve_precision(classifier.precision, gpu=_gpu_precision)
    classifier.precision_ = precision if own else "float32"
    program = open_program(classifier, fresh=True, seed=seed, team=team)
    rng = np.random.default_rng(seed)
    program.reset(rng, weights=None if previous else resolved_weights(classifier))
    if previous:
        load_weights(classifier, program, previous["weights"])
    else:
        program.standardise(*_statistics(source, team))
    return program


def open_program(classifier, **options):
    """Return the network of a classifier, with the weights that whoever was last left in it."""
    from skbreast._keras.programs import get_program

    shape, n_classes = classifier.patch_shape_, len(classifier.classes_)
    return get_program(classifier.architecture, shape, n_classes, classifier.precision_, **options)


def load_weights(classifier, program, weights):
    """Put the weights of a fit into a network, which may have become another since."""
    try:
        program.set_weights(weights)
    except ValueError as error:
        raise ValueError(
            f"The weights of the last fit do not fit architecture={classifier.architecture!r}; it "
            "must be the same, or fit without warm_start."
        ) from error


def plan_phases(classifier, program):
    """Return the phases of the training: name, epochs, peak of the learning rate."""
    rate = classifier.learning_rate
    if program.phases == ("all",):
        return [{"phase": "all", "epochs": classifier.max_epochs, "learning_rate": rate}]
    n_head = max(1, round(HEAD_SHARE * classifier.max_epochs))
    n_top = classifier.max_epochs - n_head
    head = {"phase": "head", "epochs": n_head, "learning_rate": rate}
    top = {"phase": "top", "epochs": n_top, "learning_rate": last_rate(classifier, program)}
    return [head, top] if n_top else [head]


def last_rate(classifier, program):
    """Return the learning rate at the peak of the last phase."""
    return classifier.learning_rate * (1 if program.phases == ("all",) else TOP_RATE)


def warn_of_scale(classifier, X, patches):
    """Compare with what `fit` saw: the first weights of a network of ours are its means."""
    if classifier.architecture in ARCHITECTURES:
        warn = warn_if_scaled if np.abs(classifier.weights_[0]).mean() > 1 else warn_if_raw
        warn(X, patches)


def _statistics(source, team):
    values = team.from_chief(lambda: [each.tolist() for each in channel_statistics(source)])
    return map(np.array, values)


def _gpu_precision():
    from skbreast._keras.devices import gpu_precision

    return gpu_precision()
