"""Whole estimators as ONNX operations: networks, and what holds other estimators."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline

from skbreast._onnx_calibration import add_calibrated, add_mean, add_threshold, threshold_of
from skbreast._onnx_classifiers import CLASSIFIERS, answer_of_scores, both_classes
from skbreast._onnx_features import FEATURE_STEPS
from skbreast._onnx_parts import inside
from skbreast._onnx_pictures import Pictures, color_features, read, resize
from skbreast._unwrap import THRESHOLDS
from skbreast.classifier import PatchCNNClassifier
from skbreast.reading import PatchReader
from skbreast.registry import ARCHITECTURES
from skbreast.texture import ColorFeatures
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["classify"]

SUPPORTED = (
    "what can be: PatchCNNClassifier; pipelines of TransferFeatureExtractor or ColorFeatures, "
    "scalers, Normalizer, PCA, feature selectors, and a linear model, MLPClassifier or SVC of two "
    "classes; CalibratedClassifierCV, searches and thresholds around them"
)
SMALLEST = np.finfo(np.float32).tiny


def classify(graph, model, x):
    """Add a fitted classifier and return its answer.

    Parameters
    ----------
    graph : OnnxGraph
        The graph.
    model : classifier
        Fitted.
    x : Pictures or str
        Patches, or a tensor of features, float64.

    Returns
    -------
    Answer

    Raises
    ------
    ValueError
        If a step cannot be exported; the message names it.
    """
    return _find(model, _CLASSIFIERS, CLASSIFIERS, x)(graph, model, x)


def transform(graph, step, x):
    """Add a fitted transformer and return what it makes; see :func:`classify`."""
    return _find(step, _TRANSFORMERS, FEATURE_STEPS, x)(graph, step, x)


def _find(step, ours, of_features, x):
    """Return what adds a step; a class of the user's may compute otherwise than its base."""
    name = type(step).__name__
    if type(step).__module__.partition(".")[0] in ("sklearn", "skbreast"):
        for kinds, add in ours:
            if isinstance(step, kinds):
                return add
        for kinds, add in of_features:
            if isinstance(step, kinds):
                if isinstance(x, Pictures):
                    raise ValueError(
                        f"{name} cannot be exported where it takes pixels: a graph takes patches, "
                        f"so features stand in front of it; {SUPPORTED}."
                    )
                return add
    raise ValueError(f"{name} cannot be exported: ONNX has no operations for it; {SUPPORTED}.")


def _check_pictures(step, x):
    if not isinstance(x, Pictures):
        raise ValueError(f"{type(step).__name__} stands behind features; it takes patches.")


def _pipeline(graph, pipeline, x):
    *steps, model = inside(pipeline)
    for step in steps:
        x = transform(graph, step, x)
    return classify(graph, model, x)


def _inner_pipeline(graph, pipeline, x):
    for step in inside(pipeline):
        x = transform(graph, step, x)
    return x


def _union(graph, union, x):
    parts = []
    for name, step in union.transformer_list:
        if step == "drop":
            continue
        part = x if step == "passthrough" else transform(graph, step, x)
        if isinstance(part, Pictures):
            raise ValueError(f"FeatureUnion cannot be exported: {name!r} gives no features.")
        weight = (union.transformer_weights or {}).get(name)
        parts.append(part if weight is None else graph.add("Mul", part, float(weight)))
    return graph.add("Concat", *parts, axis=1)


def _only_part(graph, model, x):
    (part,) = inside(model)
    return classify(graph, part, x)


def _calibration(graph, model, x):
    parts = [
        add_calibrated(graph, each, classify(graph, each.estimator, x))
        for each in model.calibrated_classifiers_
    ]
    return add_mean(graph, parts)


def _threshold(graph, model, x):
    return add_threshold(graph, threshold_of(model), _only_part(graph, model, x))


def _reader(graph, step, x):
    _check_pictures(step, x)
    return read(graph, step, x)


def _colors(graph, step, x):
    _check_pictures(step, x)
    return color_features(graph, step, x)


def _frozen_network(graph, extractor, x):
    from skbreast._keras.onnx_export import frozen_model

    _check_pictures(extractor, x)
    recipe = extractor._recipe()
    ((size, _),) = extractor._rows_by_size(np.empty((1, *x.shape), dtype=np.uint8))
    size = tuple(map(int, size))

    def add():  # once, though an ensemble has a copy in each of its members
        pixels = graph.cast(resize(graph, x, size).tensor, np.float32)
        return graph.cast(graph.put_in(frozen_model(recipe, size), pixels), np.float64)

    return graph.once((recipe.key, size, x), add)


def _trained_network(graph, classifier, x):
    from skbreast._keras.onnx_export import classifier_model

    _check_pictures(classifier, x)
    _check_pixels(classifier)
    shape, n_classes = classifier.patch_shape_, len(classifier.classes_)
    pixels = graph.cast(resize(graph, x, shape[:2]).tensor, np.float32)
    model, makes_probabilities = classifier_model(
        classifier.architecture, shape, n_classes, classifier.weights_
    )
    scores = graph.put_in(model, pixels)
    if makes_probabilities:
        scores = graph.add("Log", graph.add("Max", scores, SMALLEST))
    scores = graph.cast(scores, np.float64)
    if n_classes > 2:
        probabilities = graph.add("Softmax", scores, axis=1)
        return answer_of_scores(graph, scores, probabilities, n_classes)
    first, second = (graph.add("Gather", scores, np.array([place]), axis=1) for place in (0, 1))
    odds = graph.add("Sub", second, first)
    probabilities = both_classes(graph, graph.add("Sigmoid", odds))
    return answer_of_scores(graph, odds, probabilities, n_classes)


def _check_pixels(classifier):
    if classifier.patch_shape_[:2] == (1, 1):
        raise ValueError(
            "PatchCNNClassifier cannot be exported where it was fitted on rows of numbers: a graph "
            "takes patches, uint8; fit it on patches, or with image_shape."
        )
    of_ours = isinstance(classifier.architecture, str) and classifier.architecture in ARCHITECTURES
    if of_ours and np.abs(classifier.weights_[0]).mean() <= 1:
        raise ValueError(
            "PatchCNNClassifier cannot be exported where it was fitted on scaled pixels: a graph "
            "takes raw ones, 0…255; fit it on those."
        )


_CLASSIFIERS = (
    (PatchCNNClassifier, _trained_network),
    (Pipeline, _pipeline),
    (CalibratedClassifierCV, _calibration),
    (THRESHOLDS, _threshold),
    ((FrozenEstimator, GridSearchCV, RandomizedSearchCV), _only_part),
)
_TRANSFORMERS = (
    (TransferFeatureExtractor, _frozen_network),
    (ColorFeatures, _colors),
    (PatchReader, _reader),
    (FeatureUnion, _union),
    (Pipeline, _inner_pipeline),
)
