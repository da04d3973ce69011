"""What stands around a classifier as ONNX operations: calibrated probabilities, thresholds."""

from typing import NamedTuple

import numpy as np

from skbreast._onnx_classifiers import answer_of_probabilities, both_classes
from skbreast._onnx_features import dense
from skbreast._unwrap import decision_threshold

__all__ = ["Threshold", "add_calibrated", "add_mean", "add_threshold", "threshold_of"]


def add_calibrated(graph, calibrated, answer):
    """Add one calibration of an answer and return its probabilities.

    Parameters
    ----------
    graph : OnnxGraph
        The graph.
    calibrated : object
        One of `calibrated_classifiers_`.
    answer : Answer
        Of its `estimator`.
    """
    inner, classes = calibrated.estimator.classes_, calibrated.classes
    if calibrated.method == "temperature":
        return _temperature(graph, calibrated.calibrators[0], answer, len(classes))
    columns = answer.scores or answer.probabilities
    columns = _columns(graph, columns, [1] if len(inner) == 2 and not answer.scores else None)
    n_columns = 1 if len(inner) == 2 else len(inner)
    parts = [
        _calibrate(graph, calibrator, _columns(graph, columns, [number]))
        for number, calibrator in zip(range(n_columns), calibrated.calibrators, strict=True)
    ]
    if len(classes) == 2:
        return both_classes(graph, parts[0])
    return _shares(graph, parts, np.searchsorted(classes, inner), len(classes))


def _columns(graph, tensor, numbers):
    return tensor if numbers is None else graph.add("Gather", tensor, np.array(numbers), axis=1)


def _calibrate(graph, calibrator, scores):
    if hasattr(calibrator, "a_"):
        line = graph.add("Add", graph.add("Mul", scores, float(calibrator.a_)), calibrator.b_)
        return graph.add("Sigmoid", graph.add("Neg", line))
    return _interpolate(
        graph, scores, dense(calibrator.X_thresholds_), dense(calibrator.y_thresholds_)
    )


def _interpolate(graph, scores, x, y):
    """Add the line through points, level before the first and after the last, to ``(n, 1)``."""
    if len(x) == 1:
        return graph.add("Add", graph.add("Mul", scores, 0.0), float(y[0]))
    scores = graph.add("Clip", scores, float(x[0]), float(x[-1]))
    passed = graph.cast(graph.add("GreaterOrEqual", scores, x[:-1]), np.int64)
    at = graph.add("Sub", graph.add("ReduceSum", passed, np.array([1])), 1)
    start, height, slope = (
        graph.add("Gather", table, at) for table in (x[:-1], y[:-1], np.diff(y) / np.diff(x))
    )
    return graph.add("Add", height, graph.add("Mul", graph.add("Sub", scores, start), slope))


def _shares(graph, parts, places, n_classes):
    """Let the probabilities of classes sum to 1; where all are 0, all are equal."""
    by_place = dict(zip(places.tolist(), parts, strict=True))
    nothing = graph.add("Mul", parts[0], 0.0)
    columns = [by_place.get(place, nothing) for place in range(n_classes)]
    shares = graph.add("Concat", *columns, axis=1)
    total = graph.add("ReduceSum", shares, np.array([1]))
    none = graph.add("Equal", total, 0.0)
    divided = graph.add("Div", shares, graph.add("Where", none, 1.0, total))
    return graph.add("Where", none, 1 / n_classes, divided)


def _temperature(graph, calibrator, answer, n_classes):
    if answer.scores is None:
        logits = graph.add("Log", graph.add("Add", answer.probabilities, 1e-12))
    elif n_classes == 2:
        logits = graph.add("Concat", graph.add("Neg", answer.scores), answer.scores, axis=1)
    else:
        logits = answer.scores
    return graph.add("Softmax", graph.add("Mul", logits, float(calibrator.beta_)), axis=1)


def add_mean(graph, probabilities):
    """Add the mean of several probabilities, and return the answer that they are."""
    total = probabilities[0]
    for each in probabilities[1:]:
        total = graph.add("Add", total, each)
    return answer_of_probabilities(graph, graph.add("Div", total, float(len(probabilities))))


class Threshold(NamedTuple):
    """From which score on which class is taken.

    Attributes
    ----------
    value : float
        The threshold.
    place : int
        Number of the class among `classes_`, 0 or 1.
    method : str
        What scores: "predict_proba" or "decision_function".
    """

    value: float
    place: int
    method: str

    def scores(self, answers):
        """Return the scores of the class, ``(n,)``, from what `method` returns."""
        if self.method == "predict_proba":
            return answers[:, self.place]
        return answers if self.place == 1 else -answers


def add_threshold(graph, threshold, answer):
    """Let an answer choose by a threshold."""
    value, place, method = threshold
    if method == "predict_proba":
        scores = graph.add("Gather", answer.probabilities, np.array(place), axis=1)
    else:
        scores = graph.add("Squeeze", answer.scores, np.array([1]))
        scores = scores if place == 1 else graph.add("Neg", scores)
    above = graph.add("GreaterOrEqual", scores, value)
    return answer._replace(chosen=graph.add("Where", above, np.array(place), np.array(1 - place)))


def threshold_of(model):
    """Return the `Threshold` of a class around a classifier."""
    value, positive, method = decision_threshold(model)
    place = 1 if positive is None else model.classes_.tolist().index(positive)
    return Threshold(float(value), place, method)
