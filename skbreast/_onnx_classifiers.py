"""Classifiers of scikit-learn as ONNX operations, in float64."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC, NuSVC

from skbreast._onnx_features import dense

__all__ = [
    "CLASSIFIERS",
    "Answer",
    "answer_of_probabilities",
    "answer_of_scores",
    "both_classes",
]


class Answer(NamedTuple):
    """What a classifier says in a graph; None where it has no such method.

    Attributes
    ----------
    scores : str or None
        The decision function, ``(n, 1)`` for two classes, else ``(n, n_classes)``.
    probabilities : str or None
        ``(n, n_classes)``.
    chosen : str
        Numbers of the classes that `predict` takes, ``(n,)``.
    """

    scores: str | None
    probabilities: str | None
    chosen: str


def both_classes(graph, positive):
    """Return probabilities of two classes from ``(n, 1)`` of the second."""
    return graph.add("Concat", graph.add("Sub", 1.0, positive), positive, axis=1)


def answer_of_scores(graph, scores, probabilities, n_classes):
    """Return the answer of a classifier that takes the class of the highest score."""
    if n_classes > 2:
        chosen = graph.add("ArgMax", scores, axis=1, keepdims=0)
    else:
        positive = graph.cast(graph.add("Greater", scores, 0.0), np.int64)
        chosen = graph.add("Squeeze", positive, np.array([1]))
    return Answer(scores, probabilities, chosen)


def answer_of_probabilities(graph, probabilities):
    """Return the answer of a classifier that has nothing but probabilities."""
    chosen = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    return Answer(None, probabilities, chosen)


def _linear(graph, model, x):
    weights, constants = np.atleast_2d(dense(model.coef_)), np.atleast_1d(dense(model.intercept_))
    scores = graph.add("Add", graph.add("MatMul", x, weights.T), constants)
    probabilities = None
    if hasattr(model, "predict_proba"):
        probabilities = _rule_of(model, weights, constants)(graph, scores)
    return answer_of_scores(graph, scores, probabilities, len(model.classes_))


def _rule_of(model, weights, constants):
    """Ask a linear model how it makes probabilities of scores: that hangs on many parameters."""
    wanted = 2 * np.random.default_rng(0).normal(size=(32, len(weights)))
    probe = (wanted - constants) @ np.linalg.pinv(weights).T
    scores = np.asarray(model.decision_function(probe), dtype=np.float64).reshape(len(probe), -1)
    found = model.predict_proba(probe)
    for in_numpy, in_graph in PROBABILITY_RULES:
        if np.allclose(in_numpy(scores), found, atol=1e-6):
            return in_graph
    raise ValueError(
        f"{type(model).__name__} cannot be exported: how it makes probabilities of scores is not "
        "known; put it into CalibratedClassifierCV, or take LogisticRegression."
    )


def _softmax(scores):
    return softmax(np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores, axis=1)


def _add_softmax(graph, scores):
    return graph.add("Softmax", scores, axis=1)


def _sigmoids(scores):
    shares = expit(scores)
    if shares.shape[1] == 1:
        return np.hstack([1 - shares, shares])
    return shares / shares.sum(axis=1, keepdims=True)


def _add_sigmoids(graph, scores):
    shares = graph.add("Sigmoid", scores)
    return graph.add("Div", shares, graph.add("ReduceSum", shares, np.array([1])))


def _one_sigmoid(scores):
    return _sigmoids(scores) if scores.shape[1] == 1 else np.nan


def _add_one_sigmoid(graph, scores):
    return both_classes(graph, graph.add("Sigmoid", scores))


def _opposed(scores):
    return _softmax(scores) if scores.shape[1] == 1 else np.nan


def _add_opposed(graph, scores):
    return both_classes(graph, graph.add("Sigmoid", graph.add("Mul", scores, 2.0)))


PROBABILITY_RULES = (
    (_one_sigmoid, _add_one_sigmoid),
    (_opposed, _add_opposed),
    (_softmax, _add_softmax),
    (_sigmoids, _add_sigmoids),
)
"""How linear models make probabilities of scores: in numpy, and in a graph."""


def _network(graph, model, x):
    hidden = {"identity": None, "logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
    layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    for number, (weights, constants) in enumerate(layers, start=1):
        x = graph.add("Add", graph.add("MatMul", x, dense(weights)), dense(constants))
        operation = hidden[model.activation]
        if operation and number < len(layers):
            x = graph.add(operation, x)
    if model.out_activation_ == "logistic":
        return answer_of_probabilities(graph, _add_one_sigmoid(graph, x))
    return answer_of_probabilities(graph, _add_softmax(graph, x))


def _support_vectors(graph, model, x):
    named = isinstance(model.kernel, str) and model.kernel in KERNELS
    if len(model.classes_) > 2 or hasattr(model, "predict_proba") or not named:
        raise ValueError(
            f"{type(model).__name__} cannot be exported with more than two classes, "
            f"probability=True or a kernel other than {', '.join(KERNELS)}; probabilities come "
            "from CalibratedClassifierCV around it, more classes from LinearSVC."
        )
    vectors = dense(model.support_vectors_)
    similar = KERNELS[model.kernel](graph, model, x, vectors)
    weights, constants = dense(model.dual_coef_), dense(model.intercept_)
    scores = graph.add("Add", graph.add("MatMul", similar, weights.T), constants)
    return answer_of_scores(graph, scores, None, 2)


def _products(graph, model, x, vectors):
    return graph.add("MatMul", x, vectors.T)


def _scaled_products(graph, model, x, vectors):
    products = graph.add("Mul", _products(graph, model, x, vectors), float(model._gamma))
    return graph.add("Add", products, float(model.coef0))


def _powers(graph, model, x, vectors):
    products = _scaled_products(graph, model, x, vectors)
    return graph.add("Pow", products, float(model.degree))


def _tangents(graph, model, x, vectors):
    return graph.add("Tanh", _scaled_products(graph, model, x, vectors))


def _near(graph, model, x, vectors):
    own = graph.add("ReduceSum", graph.add("Mul", x, x), np.array([1]))
    both = graph.add("Mul", _products(graph, model, x, vectors), -2.0)
    squares = graph.add("Add", graph.add("Add", both, own), (vectors**2).sum(axis=1))
    return graph.add("Exp", graph.add("Mul", squares, -float(model._gamma)))


KERNELS = {
    "rbf": _near,
    "linear": _products,
    "poly": _powers,
    "sigmoid": _tangents,
}

LINEAR = (
    LinearDiscriminantAnalysis,
    LinearSVC,
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)

CLASSIFIERS = (
    (LINEAR, _linear),
    (MLPClassifier, _network),
    ((SVC, NuSVC), _support_vectors),
)
"""What adds which classifier: ``(graph, model, features)``, which gives an `Answer`."""
