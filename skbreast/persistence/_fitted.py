"""What estimators learned, looked at once they are made: its shapes must fit together."""

import math
import numbers

import numpy as np
from sklearn.base import BaseEstimator

from skbreast.persistence._compiled import check_compiled
from skbreast.registry import ARCHITECTURES, BACKBONES

__all__ = ["check_fitted", "estimators_in", "resnet_shapes", "small_shapes"]

_SMALL_FILTERS = (32, 64, 128, 256)
_RESNET_FILTERS = (32, 64, 128)
_STAIN_SHAPES = {
    "stain_vectors_": (2, 3),
    "stain_strengths_": (2,),
    "typical_vectors_": (2, 3),
    "typical_strengths_": (2,),
    "means_": (3,),
    "deviations_": (3,),
    "typical_means_": (3,),
    "typical_deviations_": (3,),
}


def check_fitted(model):
    """Check the fitted state of a model and of the estimators in it.

    Parameters
    ----------
    model : estimator, or a container of them
        As it was made.

    Raises
    ------
    ValueError
        If arrays have another shape than they can have, or an attribute stands for a method.
    """
    for each in _objects_in(model):
        _check_names(each)
        if isinstance(each, BaseEstimator):
            _check_estimator(each)


def estimators_in(model):
    """Yield the estimators in a model, itself first, each once.

    Parameters
    ----------
    model : object
        An estimator, or a container of them; what is neither is passed over.

    Yields
    ------
    estimator
        In the order in which they stand.
    """
    return (each for each in _objects_in(model) if isinstance(each, BaseEstimator))


def _objects_in(model):
    """Yield whatever has attributes in a model, itself first, each once."""
    waiting, seen = [model], {}
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each  # held, so that no other gets its id
        if isinstance(each, dict):
            waiting += reversed(each.values())
        elif isinstance(each, list | tuple):
            waiting += reversed(each)
        elif isinstance(each, set):
            waiting += each
        elif isinstance(each, np.ndarray):
            waiting += each.ravel()[::-1].tolist() if each.dtype.hasobject else []
        elif hasattr(each, "__dict__") and not isinstance(each, type):
            waiting += reversed(vars(each).values())
            yield each


def _check_names(thing):
    """Refuse attributes in the place of methods, such as those that check what is predicted."""
    kind = type(thing)
    for name in vars(thing):
        if callable(getattr(kind, name, None)):
            raise ValueError(f"{kind.__name__} has a method {name}, which is no attribute")


def _check_estimator(estimator):
    state, kind = vars(estimator), type(estimator)
    _check_counts(state, kind.__name__)
    check_compiled(estimator)
    if kind.__module__ == "skbreast.classifier" and "weights_" in state:
        _check_network(state)
    if kind.__module__.startswith("skbreast.stain"):
        for name, shape in _STAIN_SHAPES.items():
            if name in state:
                _compare(f"{name} of {kind.__name__}", np.shape(state[name]), shape)


def _check_counts(state, name):
    n_features, coefficients = state.get("n_features_in_"), state.get("coef_")
    if n_features is None:
        return
    if not isinstance(n_features, numbers.Integral) or n_features < 0:
        raise ValueError(f"n_features_in_ of {name} is {n_features!r}")
    if isinstance(coefficients, np.ndarray) and coefficients.shape[-1:] != (n_features,):
        raise ValueError(
            f"coef_ of {name} has the shape {coefficients.shape}, for {n_features} features"
        )


def _check_network(state):
    shape, classes, weights = (state.get(key) for key in ("patch_shape_", "classes_", "weights_"))
    if np.ndim(classes) != 1 or len(classes) < 1:
        raise ValueError("classes_ of PatchCNNClassifier are no list of classes")
    if not isinstance(shape, tuple) or len(shape) != 3 or not all(map(_is_side, shape)):
        raise ValueError(f"patch_shape_ of PatchCNNClassifier is {shape!r}")
    if not isinstance(weights, list) or not all(_is_numeric(each) for each in weights):
        raise ValueError("weights_ of PatchCNNClassifier are no list of arrays")
    found = [each.shape for each in weights]
    architecture = state.get("architecture")
    if architecture in ARCHITECTURES:
        make = small_shapes if architecture == "small" else resnet_shapes
        expected = make(shape, len(classes))
        if len(found) != len(expected):
            raise ValueError(f"{architecture} has {len(expected)} weights; here are {len(found)}")
        for number, (each, wanted) in enumerate(zip(found, expected, strict=True)):
            _compare(f"weights_[{number}] of {architecture}", each, wanted)
    elif architecture in BACKBONES:
        head = [(BACKBONES[architecture].n_features, len(classes)), (len(classes),)]
        _compare(f"the last of the weights_ of {architecture}", found[-2:], head)


def _is_side(value):
    return isinstance(value, numbers.Integral) and value >= 1


def _is_numeric(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _compare(what, found, expected):
    if found != expected:
        raise ValueError(f"{what}: the shape is {found}; {expected} is expected")


def small_shapes(patch_shape, n_classes):
    """Return the shapes of the weights of the network "small", in Keras' order.

    Parameters
    ----------
    patch_shape : tuple of (int, int, int)
        Height, width and channels.
    n_classes : int
        Number of classes.

    Returns
    -------
    list of tuple of int
    """
    shapes, n_in = _entry(patch_shape)
    for n_out in _SMALL_FILTERS:
        shapes += _convolution(n_in, n_out)
        n_in = n_out
    return [*shapes, (n_in, n_classes), (n_classes,)]


def resnet_shapes(patch_shape, n_classes):
    """Return the shapes of the weights of the network "resnet"; see :func:`small_shapes`."""
    shapes, n_in = _entry(patch_shape)
    shapes += _convolution(n_in, _RESNET_FILTERS[0])
    n_in = _RESNET_FILTERS[0]
    for n_out in _RESNET_FILTERS:
        shapes += _convolution(n_in, n_out)
        if n_in == n_out:
            shapes += _convolution(n_out, n_out)
        else:  # the shortcut stands beside the second convolution
            shapes += [(3, 3, n_out, n_out), (1, 1, n_in, n_out), *[(n_out,)] * 8]
        shapes += _convolution(n_out, n_out) * 2
        n_in = n_out
    return [*shapes, (n_in, n_classes), (n_classes,)]


def _entry(patch_shape):
    """Return shapes of the standardisation, and the channels behind it."""
    n_channels = patch_shape[2]
    is_pixel = math.prod(patch_shape[:2]) == 1
    return [(n_channels,)] * 2, n_channels * (1 if is_pixel else 2)


def _convolution(n_in, n_out):
    return [(3, 3, n_in, n_out), *[(n_out,)] * 4]
