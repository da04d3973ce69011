"""Fitted models as ONNX files, which serve without Python, scikit-learn and TensorFlow."""

import contextlib
import json
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skbreast
from skbreast._files import written_whole
from skbreast._onnx_graph import OnnxGraph
from skbreast._onnx_pictures import Pictures
from skbreast._onnx_steps import classify, rebuilt
from skbreast._patches import check_input_size
from skbreast._validation import import_optional
from skbreast.classifier import PatchCNNClassifier
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["TOLERANCE", "to_onnx"]

TOLERANCE = 1e-4
"""How far probabilities of a file may be from those of its estimator, in float32."""

INPUT = "patches"
PURPOSE = "For research only; not a medical device, not for diagnosis."
N_CHECKED = 8
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
        patches is not known, or the file would answer otherwise than the estimator.
    ImportError
        If onnx, onnxruntime or tf2onnx is missing.
    OSError
        If the file cannot be written.
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
    check_is_fitted(estimator)
    classes = _check_classes(estimator)
    names = _check_names(class_names, classes)
    shape = _patch_shape(estimator, patch_size)
    runtime = import_optional("onnxruntime", extra="onnx", purpose="to_onnx")
    graph = OnnxGraph()
    graph.facts |= {
        "skbreast_version": skbreast.__version__,
        "intended_use": PURPOSE,
        "estimator": type(estimator).__name__,
        "class_names": json.dumps(names, ensure_ascii=False),
        "patch_size": json.dumps(shape[:2]),
    }
    model = _as_model(graph, estimator, classes, shape)
    path = Path(path)
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


def _check_names(class_names, classes):
    names = classes.tolist() if class_names is None else list(class_names)
    if len(names) != len(classes):
        raise ValueError(
            f"class_names has {len(names)} entries; the estimator knows {len(classes)} classes."
        )
    return [str(name) for name in names]


def _patch_shape(estimator, patch_size):
    """Return height, width and channels of the patches that the file is to take."""
    steps = _steps(estimator)
    known = [tuple(map(int, step.patch_shape_)) for step in steps if hasattr(step, "patch_shape_")]
    if patch_size is not None:
        return (*_check_size(patch_size), known[0][2] if known else 3)
    if not known:
        raise ValueError(
            "patch_size must be given, height and width in pixels: the estimator does not know the "
            "size of the patches that it was fitted on."
        )
    return known[0]


def _check_size(patch_size):
    try:
        return check_input_size(patch_size)
    except ValueError as error:
        raise ValueError(
            str(error).replace("input_size must be None,", "patch_size must be")
        ) from None


def _steps(estimator):
    """Return an estimator and all that it holds, outer ones first."""
    steps = []
    rebuilt(estimator, steps.append)
    return steps


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
    session = runtime.InferenceSession(part.read_bytes(), providers=["CPUExecutionProvider"])
    patches = _invented_patches(shape)
    found, _ = session.run(None, {INPUT: patches})
    expected = _answer_in_float32(estimator, patches)
    known = np.isfinite(expected)  # a float32 of scikit-learn's can run over where these do not
    far = np.abs(found - expected)[known].max(initial=0)
    if not far <= TOLERANCE * np.abs(expected)[known].max(initial=1):
        raise ValueError(
            f"{path} is not kept: on invented patches its answers differ from the estimator's by "
            f"up to {far:.2g}, more than {TOLERANCE:g}."
        )


def _invented_patches(shape):
    """Return noise over a colour each, in the colours of stained tissue and beside."""
    rng = np.random.default_rng(0)
    colors = rng.uniform(60, 230, size=(N_CHECKED, 1, 1, shape[2]))
    spread = rng.uniform(5, 60, size=(N_CHECKED, 1, 1, 1))
    noise = rng.normal(size=(N_CHECKED, *shape))
    return np.clip(colors + spread * noise, 0, 255).astype(np.uint8)


def _answer_in_float32(estimator, patches):
    plain, settings = rebuilt(estimator, _compute_in_float32), contextlib.nullcontext
    if any(isinstance(step, NETWORKS) for step in _steps(plain)):
        from skbreast._keras.onnx_export import full_float32 as settings

    method = "predict_proba" if hasattr(plain, "predict_proba") else "decision_function"
    with settings():
        return getattr(plain, method)(patches)


def _compute_in_float32(step):
    if isinstance(step, TransferFeatureExtractor):
        step.set_params(engine="keras", precision="float32", memory=None, n_jobs=None, verbose=0)
    if isinstance(step, PatchCNNClassifier) and hasattr(step, "precision_"):
        step.precision_ = "float32"
