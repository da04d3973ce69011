"""Fitted models as ONNX files, which serve without Python, scikit-learn and TensorFlow."""

import contextlib
import json
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skbreast
from skbreast._files import check_writable, written_whole
from skbreast._notice import RESEARCH_ONLY
from skbreast._onnx_check import Answers, clear_rows, difference, invented_patches
from skbreast._onnx_graph import OnnxGraph
from skbreast._onnx_parts import deciding_threshold, fitted_parts, rebuilt
from skbreast._onnx_pictures import Pictures
from skbreast._onnx_steps import classify
from skbreast._patches import check_input_size
from skbreast._validation import import_optional
from skbreast.classifier import PatchCNNClassifier
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["TOLERANCE", "to_onnx"]

TOLERANCE = 1e-4
"""How far probabilities of a file may be from those of its estimator, in float32."""

INPUT = "patches"
NETWORKS = (PatchCNNClassifier, TransferFeatureExtractor)


def to_onnx(estimator, path, *, patch_size=None, class_names=None):
    """Write a fitted classifier as one ONNX file, with all that happens to a patch inside.

    The file takes raw pixels, and resizes, scales and normalises them as the estimator does. It is
    opened in ONNX Runtime and compared with the estimator before it is kept.

    Parameters
    ----------
    estimator : classifier
        Fitted: a :class:`skbreast.PatchCNNClassifier`; a pipeline of a
        :class:`skbreast.TransferFeatureExtractor` or :class:`skbreast.texture.ColorFeatures`, then
        scalers, ``Normalizer``, PCA and feature selectors, then a linear model,
        ``MLPClassifier``, or ``SVC`` of two classes; or ``CalibratedClassifierCV``, a search or a
        threshold around one of them. :doc:`/onnx` has the whole list.
    path : str or path-like
        The file to write, by convention ``*.onnx``.
    patch_size : int or (int, int), optional
        Height and width in pixels of the patches that the file takes. By default those that a
        `PatchCNNClassifier` sees, or a `PatchReader` gives; other estimators do not know them.
    class_names : sequence of str, optional
        What the classes are called, in the order of `classes_`, which are their names by default.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If a step cannot be exported (the message names it, and what can be), the size of the
        patches is not known, `class_names` are not one a class, the file would answer otherwise
        than the estimator, or the estimator's answers are not finite, so that none can be compared.
    ImportError
        If onnx, onnxruntime or tf2onnx is missing.
    OSError
        If the file cannot be written; where its folder tells, before any work is done.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skbreast.persistence.save : Keeps an estimator for Python, whatever its steps.

    Notes
    -----
    Input: ``patches``, uint8 of shape ``(n, height, width, channels)``. Outputs:
    ``probabilities``, float32 of shape ``(n, n_classes)`` in the order of `classes_` (in their
    place ``scores``, float32, where there is only a decision function), and ``label``, what
    `predict` answers: with a threshold around the classifier, by that threshold.

    Networks compute in float32, also where this machine runs them in bfloat16: probabilities are
    within 1e-4 of those that the estimator has in float32. Metadata of the file: ``class_names``
    and ``patch_size`` (JSON), ``skbreast_version``, ``intended_use``, ``estimator``, and
    ``decision_threshold`` where there is one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.export import to_onnx
    >>> from skbreast.texture import ColorFeatures
    >>> patches = make_patches(4, 4, patch_size=32, random_state=0)
    >>> model = make_pipeline(ColorFeatures(), LogisticRegression(max_iter=1000))
    >>> model = model.fit(patches.data, patches.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(model, Path(folder) / "model.onnx", patch_size=32).name
    'model.onnx'
    """
    path = _check_path(path)
    check_is_fitted(estimator)
    classes = _check_classes(estimator)
    names = _check_names(class_names, classes)
    shape = _patch_shape(estimator, patch_size)
    runtime = import_optional("onnxruntime", extra="onnx", purpose="to_onnx")
    graph = OnnxGraph()
    graph.facts |= _facts(estimator, names, shape)
    model = _as_model(graph, estimator, classes, shape)
    with written_whole(path) as part:
        part.write_bytes(model.SerializeToString())
        _check_answers(runtime, part, path, estimator, shape)
    return path


def _check_classes(estimator):
    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise ValueError(
            f"estimator must be a classifier of one label a patch; got {type(estimator).__name__}."
        )
    if classes.dtype.kind in "OU" and not all(isinstance(each, str) for each in classes):
        raise ValueError("classes_ must be numbers or strings to be exported.")
    return classes


def _check_path(path):
    """Return a path that can be written to, before anything that takes long."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; the name of a file is expected.")
    check_writable(path.parent)
    return path


def _check_names(class_names, classes):
    class_names = classes.tolist() if class_names is None else class_names
    if isinstance(class_names, str | bytes) or not np.iterable(class_names):
        raise ValueError(
            f"class_names must be a sequence of {len(classes)} names, one a class; got "
            f"{class_names!r}."
        )
    names = list(class_names)
    if len(names) != len(classes):
        raise ValueError(
            f"class_names has {len(names)} entries; the estimator knows {len(classes)} classes."
        )
    return [str(name) for name in names]


def _patch_shape(estimator, patch_size):
    """Return height, width and channels of the patches that the file is to take."""
    steps = fitted_parts(estimator)
    known = [tuple(map(int, step.patch_shape_)) for step in steps if hasattr(step, "patch_shape_")]
    if patch_size is not None:
        return (*_check_size(patch_size), known[0][2] if known else 3)
    if not known:
        raise ValueError(
            "patch_size must be given, height and width in pixels: the estimator does not know the "
            "size of the patches that it was fitted on."
        )
    return known[0]


def _facts(estimator, names, shape):
    """Return what is to stand in the file beside the graph."""
    facts = {
        "skbreast_version": skbreast.__version__,
        "intended_use": RESEARCH_ONLY,
        "estimator": type(estimator).__name__,
        "class_names": json.dumps(names, ensure_ascii=False),
        "patch_size": json.dumps(shape[:2]),
    }
    threshold = deciding_threshold(estimator)
    return facts if threshold is None else facts | {"decision_threshold": repr(threshold.value)}


def _check_size(patch_size):
    try:
        return check_input_size(patch_size)
    except ValueError as error:
        raise ValueError(
            str(error).replace("input_size must be None,", "patch_size must be")
        ) from None


def _as_model(graph, estimator, classes, shape):
    pixels = graph.input(INPUT, np.uint8, ["n", *shape])
    answer = classify(graph, estimator, Pictures(pixels, shape))
    if answer.probabilities is None:
        binary = len(classes) == 2
        scores = graph.add("Squeeze", answer.scores, np.array([1])) if binary else answer.scores
        sides = ["n"] if binary else ["n", len(classes)]
        graph.output(graph.cast(scores, np.float32), "scores", np.float32, sides)
    else:
        probabilities = graph.cast(answer.probabilities, np.float32)
        graph.output(probabilities, "probabilities", np.float32, ["n", len(classes)])
    labels = classes.astype(object) if classes.dtype.kind in "OU" else classes
    graph.output(graph.add("Gather", labels, answer.chosen), "label", labels.dtype, ["n"])
    return graph.model("skbreast")


def _check_answers(runtime, part, path, estimator, shape):
    """Refuse a file that answers otherwise than its estimator does in float32."""
    patches = invented_patches(shape)
    found = _answers_of_file(runtime, part, patches)
    wrong = difference(found, *_answers_in_float32(estimator, patches), tolerance=TOLERANCE)
    if wrong:
        raise ValueError(
            f"{path} is not kept: {wrong}; keep the model with skbreast.persistence.save instead."
        )


def _answers_of_file(runtime, part, patches):
    session = runtime.InferenceSession(part.read_bytes(), providers=["CPUExecutionProvider"])
    pairs = (patches[start : start + 2] for start in range(0, len(patches), 2))  # large may be few
    answers = [session.run(None, {INPUT: pair}) for pair in pairs]
    return Answers(*map(np.concatenate, zip(*answers, strict=True)))


def _answers_in_float32(estimator, patches):
    """Return the `Answers` of an estimator, and where its labels are clear."""
    plain, settings = rebuilt(estimator, _compute_in_float32), contextlib.nullcontext
    if any(isinstance(step, NETWORKS) for step in fitted_parts(plain)):
        from skbreast._keras.onnx_export import full_float32 as settings

    method = "predict_proba" if hasattr(plain, "predict_proba") else "decision_function"
    threshold = deciding_threshold(plain)
    with settings():
        numbers = scores = getattr(plain, method)(patches)
        if threshold is not None and threshold.method != method:
            scores = getattr(plain, threshold.method)(patches)
        answers = Answers(numbers, plain.predict(patches))
    return answers, clear_rows(scores, threshold, tolerance=TOLERANCE)


def _compute_in_float32(step):
    if isinstance(step, TransferFeatureExtractor):
        step.set_params(engine="keras", precision="float32", memory=None, n_jobs=None, verbose=0)
    if isinstance(step, PatchCNNClassifier) and hasattr(step, "precision_"):
        step.precision_ = "float32"
