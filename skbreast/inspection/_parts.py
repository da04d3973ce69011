"""A fitted estimator taken apart: steps in front, the network, what stands behind it."""

import copy
from typing import NamedTuple

from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skbreast._pictures import PictureTransformer
from skbreast._unwrap import unwrapped
from skbreast.classifier import PatchCNNClassifier
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["Parts", "take_apart", "without_memory"]

NETWORKS = (PatchCNNClassifier, TransferFeatureExtractor)


class Parts(NamedTuple):
    """The fitted steps of an estimator.

    Attributes
    ----------
    front : list of transformer
        Steps that make pictures of pictures.
    network : PatchCNNClassifier, TransferFeatureExtractor or None
        The network, if there is one.
    rest : list of estimator
        What follows.
    """

    front: list
    network: object
    rest: list

    @property
    def model(self):
        """All that follows the steps in front, as one estimator."""
        return make_pipeline(*([] if self.network is None else [self.network]), *self.rest)


def take_apart(estimator):
    """Return the fitted steps of an estimator; searches and thresholds are unwrapped.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    Parts
    """
    steps = fitted_steps(estimator)
    for number, step in enumerate(steps):
        if isinstance(step, NETWORKS):
            return Parts(steps[:number], step, steps[number + 1 :])
    n_front = 0
    while n_front < len(steps) and isinstance(steps[n_front], PictureTransformer):
        n_front += 1
    return Parts(steps[:n_front], None, steps[n_front:])


def fitted_steps(estimator):
    """Return the steps of pipelines, searches and thresholds within each other as one list."""
    estimator = unwrapped(estimator)
    if not isinstance(estimator, Pipeline):
        return [estimator]
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    return [inner for step in steps for inner in fitted_steps(step)]


def without_memory(estimator):
    """Return a shallow copy whose extractors keep no features: covered patches never come again."""
    changed = copy.copy(estimator)
    if isinstance(estimator, TransferFeatureExtractor):
        changed.memory = None
    for name in ("steps", "transformer_list"):
        if isinstance(estimator, Pipeline | FeatureUnion) and hasattr(estimator, name):
            inner = [(key, without_memory(step)) for key, step in getattr(estimator, name)]
            setattr(changed, name, inner)
    return changed
