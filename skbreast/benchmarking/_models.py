"""Ready models, fit for the size of the patches."""

from sklearn.pipeline import Pipeline

from skbreast.classifier import PatchCNNClassifier
from skbreast.evaluation import make_model
from skbreast.reading import most_common_size
from skbreast.registry import BACKBONES

__all__ = ["make_models"]

SMALL_SIDE, LARGE_SIDE = 112, 224


def make_models(names, bunch, *, max_epochs=None, random_state=0, memory=None, verbose=0):
    """Return ready models, fit for the size of the patches.

    Parameters
    ----------
    names : iterable of str
        See :func:`skbreast.evaluation.make_model`.
    bunch : Bunch
        Whose `data` they will see: backbones are fine-tuned at 112 pixels where patches are no
        larger, else at 224.
    max_epochs : int, optional
        For the networks that are trained; by default their own.
    random_state : int, default=0
        Seed of what draws.
    memory : str, path-like or FeatureStore, optional
        Where a frozen network's features are kept.
    verbose : int, default=0
        1 shows the progress of networks.

    Returns
    -------
    dict of str to estimator
        Unfitted, in the order of `names`.

    Raises
    ------
    ValueError
        If there is no model of a name.
    """
    models = {}
    side = SMALL_SIDE if max(most_common_size(bunch.data)) <= SMALL_SIDE else LARGE_SIDE
    for name in names:
        options = {"random_state": random_state, "memory": memory, "verbose": verbose}
        network = make_model(name)
        network = network[-1] if isinstance(network, Pipeline) else network
        if isinstance(network, PatchCNNClassifier):
            options["max_epochs"] = max_epochs
            options["input_size"] = side if network.architecture in BACKBONES else None
        models[name] = make_model(name, **options)
    return models
