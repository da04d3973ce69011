"""Which engine computes the networks of a fitted model, in which precision and version."""

from importlib.metadata import version

from skbreast.classifier import PatchCNNClassifier
from skbreast.persistence._fitted import estimators_in
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["computing_of"]

_PACKAGES = {"keras": ("keras", "tensorflow")}  # others bear the names of their packages


def computing_of(model):
    """Return how the networks of a fitted model are computed on this machine.

    Parameters
    ----------
    model : estimator
        Networks in it that are not fitted are passed over.

    Returns
    -------
    list of dict
        Each once: ``network``, ``engine`` with its version, ``precision``.
    """
    found = [_computing(each) for each in estimators_in(model)]
    return [
        each for number, each in enumerate(found) if each is not None and each not in found[:number]
    ]


def _computing(estimator):
    if isinstance(estimator, TransferFeatureExtractor) and hasattr(estimator, "seed_"):
        name, (engine, precision) = estimator.backbone, estimator._resolved()
    elif isinstance(estimator, PatchCNNClassifier) and hasattr(estimator, "precision_"):
        name, engine, precision = estimator.architecture, "keras", estimator.precision_
    else:
        return None
    name = name if isinstance(name, str) else getattr(name, "__name__", type(name).__name__)
    packages = _PACKAGES.get(engine, (engine,))
    said = ", ".join(f"{package} {version(package)}" for package in packages)
    return {"network": name, "engine": said, "precision": precision}
