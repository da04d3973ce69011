"""Rules for scikit-learn's estimators that predict in compiled code.

Such code takes sizes and places from what was learned without a look at them: with forged ones it
reads, or writes, beyond its arrays. numpy would raise an error.
"""

import numbers

import numpy as np

__all__ = ["check_compiled"]

_CLASSIFIERS = ("SVC", "NuSVC")
_LIBSVM = (*_CLASSIFIERS, "SVR", "NuSVR", "OneClassSVM")
_KERNELS = ("linear", "poly", "rbf", "sigmoid")
_METRICS = (
    *("euclidean", "sqeuclidean", "l2", "manhattan", "cityblock", "l1"),
    *("minkowski", "chebyshev", "cosine", "correlation"),
)
_MOST_THREADS = 4096
_UNLEARNED = {"_sklearn_version", "_sklearn_output_config"}


def check_compiled(estimator):
    """Check what an estimator of scikit-learn learned, if its compiled code relies on it.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    module, name, state = type(estimator).__module__, type(estimator).__name__, vars(estimator)
    if module == "sklearn.svm._classes" and name in _LIBSVM:
        _check_libsvm(state, name)
    elif module == "sklearn.cluster._kmeans":
        _check_clusters(state, name)
    elif module in ("sklearn.neighbors._classification", "sklearn.neighbors._regression"):
        _check_neighbours(state, name)
    elif module.startswith("sklearn.linear_model."):
        _check_linear(state, name)


def _is_fitted(state):
    """Tell whether there is anything but parameters."""
    return any(key.startswith("_") or key.endswith("_") for key in state.keys() - _UNLEARNED)


def _demand(holds, what, name):
    if not holds:
        raise ValueError(f"{what} of {name} does not fit the rest of it")


def _is_count(value, low, high):
    return isinstance(value, numbers.Integral) and low <= value <= high


def _is_array(value, shape, kinds="f"):
    return isinstance(value, np.ndarray) and value.shape == shape and value.dtype.kind in kinds


def _n_features(state, name):
    """Return the number of features, without which scikit-learn takes any number of them."""
    found = state.get("n_features_in_")
    _demand(_is_count(found, 1, 2**31 - 1), "n_features_in_", name)
    return found


def _check_libsvm(state, name):
    for key in ("_impl", "_sparse_kernels"):  # of the class
        _demand(key not in state, key, name)
    if not _is_fitted(state):
        return
    _demand(state.get("kernel") in _KERNELS, "kernel (linear, poly, rbf and sigmoid can be)", name)
    _demand(state.get("_sparse") is False, "_sparse", name)
    n_classes, n_vectors = _count_vectors(state, name)
    n_pairs = n_classes * (n_classes - 1) // 2
    shapes = {
        "support_vectors_": (n_vectors, _n_features(state, name)),
        "_dual_coef_": (n_classes - 1, n_vectors),
        "_intercept_": (n_pairs,),
    }
    for key, shape in shapes.items():
        _demand(_is_array(state.get(key), shape), key, name)
    n_sigmoids = np.size(state.get("_probA"))
    _demand(n_sigmoids in (0, n_pairs), "_probA", name)
    for key in ("_probA", "_probB"):
        _demand(_is_array(state.get(key), (n_sigmoids,)), key, name)


def _count_vectors(state, name):
    """Return how many classes there are, two for regression, and how many support vectors."""
    counts, support = state.get("_n_support"), state.get("support_")
    _demand(np.ndim(support) == 1 and _is_array(support, (len(support),), "i"), "support_", name)
    n_classes = len(state.get("classes_", ())) if name in _CLASSIFIERS else 2
    _demand(n_classes >= 2, "classes_", name)
    _demand(_is_array(counts, (n_classes,), "i") and counts.min() >= 0, "_n_support", name)
    n_vectors = counts.sum(dtype=np.int64) if name in _CLASSIFIERS else counts.max()
    _demand(n_vectors == len(support), "_n_support", name)
    return n_classes, len(support)


def _check_clusters(state, name):
    if not _is_fitted(state):
        return
    shape = (state.get("n_clusters"), _n_features(state, name))
    _demand(_is_array(state.get("cluster_centers_"), shape), "cluster_centers_", name)
    _demand(_is_count(state.get("_n_threads"), 1, _MOST_THREADS), "_n_threads", name)
    if "_counts" in state:  # partial_fit writes to them
        _demand(_is_array(state["_counts"], shape[:1]), "_counts", name)


def _check_neighbours(state, name):
    if not _is_fitted(state):
        return
    known = state.get("_fit_X")
    n_known = len(known) if np.ndim(known) == 2 else 0
    _demand(_is_array(known, (n_known, _n_features(state, name)), "fiub"), "_fit_X", name)
    for key, value in {"_fit_method": "brute", "_tree": None, "metric_params": None}.items():
        _demand(state.get(key) == value, f"{key} (algorithm='brute' makes it {value!r})", name)
    for key in ("metric", "effective_metric_"):
        _demand(state.get(key) in _METRICS, key, name)
    weighted = set(state.get("effective_metric_params_", ())) - {"p"}
    _demand(not weighted, "effective_metric_params_", name)
    _demand(_is_count(state.get("n_samples_fit_"), n_known, n_known), "n_samples_fit_", name)
    _demand(_is_count(state.get("n_neighbors"), 1, n_known), "n_neighbors", name)
    if name == "KNeighborsClassifier":
        _check_labels(state, n_known, name)


def _check_labels(state, n_known, name):
    labels, classes = state.get("_y"), state.get("classes_")
    _demand(np.ndim(classes) == 1 and state.get("outputs_2d_") is False, "classes_", name)
    fits = _is_array(labels, (n_known,), "i") and labels.min() >= 0
    _demand(fits and labels.max() < len(classes), "_y", name)


def _check_linear(state, name):
    """Check what `partial_fit` and warm starts go on from."""
    found = {
        key: np.shape(state[key])[-1:]
        for key in ("coef_", "_standard_coef", "_average_coef")
        if state.get(key) is not None
    }
    for key, last in found.items():
        _demand(last == (_n_features(state, name),), key, name)
