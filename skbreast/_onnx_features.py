"""Steps of scikit-learn between features and classifier as ONNX operations, in float64."""

import numpy as np
from scipy.sparse import issparse
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

__all__ = ["FEATURE_STEPS", "dense"]


def dense(array):
    """Return coefficients as float64, also those that are kept as a sparse matrix."""
    return np.asarray(array.toarray() if issparse(array) else array, dtype=np.float64)


def _scale(graph, x, *, away=None, by=None, clip=None):
    """Subtract, divide and cut off; what is None is left out."""
    x = x if away is None else graph.add("Sub", x, dense(away))
    x = x if by is None else graph.add("Div", x, dense(by))
    return x if clip is None else graph.add("Clip", x, *map(float, clip))


def _standard(graph, step, x):
    return _scale(
        graph,
        x,
        away=step.mean_ if step.with_mean else None,
        by=step.scale_ if step.with_std else None,
    )


def _robust(graph, step, x):
    return _scale(
        graph,
        x,
        away=step.center_ if step.with_centering else None,
        by=step.scale_ if step.with_scaling else None,
    )


def _min_max(graph, step, x):
    clip = step.feature_range if step.clip else None
    return _scale(graph, x, away=-step.min_ / step.scale_, by=1 / step.scale_, clip=clip)


def _max_abs(graph, step, x):
    clip = (-1, 1) if getattr(step, "clip", False) else None  # scikit-learn 1.8 has it
    return _scale(graph, x, by=step.scale_, clip=clip)


def _normalize(graph, step, x):
    size = graph.add("Abs", x)
    if step.norm == "l2":
        squares = graph.add("ReduceSum", graph.add("Mul", x, x), np.array([1]))
        length = graph.add("Sqrt", squares)
    else:
        reduce = {"l1": "ReduceSum", "max": "ReduceMax"}[step.norm]
        length = graph.add(reduce, size, np.array([1]))
    nothing = graph.add("Equal", length, 0.0)
    return graph.add("Div", x, graph.add("Where", nothing, 1.0, length))


def _pca(graph, step, x):
    x = graph.add("MatMul", graph.add("Sub", x, dense(step.mean_)), dense(step.components_).T)
    if not step.whiten:
        return x
    deviations = np.sqrt(step.explained_variance_)
    smallest = np.finfo(deviations.dtype).eps
    return graph.add("Div", x, dense(np.maximum(deviations, smallest)))


def _svd(graph, step, x):
    return graph.add("MatMul", x, dense(step.components_).T)


def _select(graph, step, x):
    return graph.add("Gather", x, step.get_support(indices=True).astype(np.int64), axis=1)


def _nothing(graph, step, x):
    if step.func is not None:
        raise ValueError("FunctionTransformer cannot be exported where it has a function.")
    return x


FEATURE_STEPS = (
    (StandardScaler, _standard),
    (RobustScaler, _robust),
    (MinMaxScaler, _min_max),
    (MaxAbsScaler, _max_abs),
    (Normalizer, _normalize),
    ((PCA, IncrementalPCA), _pca),
    (TruncatedSVD, _svd),
    (SelectorMixin, _select),
    (FunctionTransformer, _nothing),  # what FeatureUnion makes of "passthrough"
)
"""What adds which step: ``(graph, step, features)``, which gives the new features."""
