"""Judge several models on the same folds, and go on after an interruption where it was."""

import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from skbreast._benchmark_report import (
    benchmark_tables,
    choose_reference,
    differences_title,
    write_benchmark,
)
from skbreast._benchmark_setup import check_model_names, check_setup
from skbreast._differences import compare_predictions
from skbreast._figures import estimate_figures, summarise
from skbreast._files import check_writable, write_text
from skbreast._fold_store import FoldStore, digest_estimator
from skbreast._guards import warn_of_folds
from skbreast._predictions import Predictions
from skbreast._progress import progress_bar
from skbreast.classifier import PatchCNNClassifier
from skbreast.evaluation import fit_copy, make_model, predict_patches
from skbreast.exceptions import TrainingInterruptedWarning
from skbreast.reading import most_common_size
from skbreast.registry import BACKBONES

__all__ = ["Benchmark", "ModelResult", "benchmark_tables", "make_models", "run_benchmark"]

SMALL_SIDE, LARGE_SIDE = 112, 224


@dataclass(frozen=True)
class ModelResult:
    """What a benchmark found of one model.

    Attributes
    ----------
    predictions : Predictions or None
        Of all folds; None if the model failed.
    figures : dict of str to BootstrapInterval
        See :func:`skbreast.evaluation.summarise`.
    folds : list of dict of str to float
        The figures of each fold, without intervals, and ``fit_seconds``, ``predict_seconds``.
    error : str or None
        Why it failed.
    """

    predictions: Predictions | None = None
    figures: dict = field(default_factory=dict)
    folds: list = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """What :func:`run_benchmark` found.

    Attributes
    ----------
    protocol : str
        How the patches were split, a sentence.
    models : dict of str to ModelResult
        By the models' names, in the order in which they ran.
    differences : dict of (str, str) to dict of str to PairedDifference
        For each pair of models that did not fail, by how much the first is better.
    """

    protocol: str
    models: dict
    differences: dict

    @property
    def differences_title(self):
        """Whom the second table of :func:`benchmark_tables` compares with, a sentence."""
        return differences_title(self)


def make_models(names, bunch, *, max_epochs=None, random_state=0, memory=None, verbose=0):
    """Return ready models, fit for the size of the patches.

    Parameters
    ----------
    names : iterable of str
        See :func:`skbreast.evaluation.make_model`.
    bunch : Bunch
        Whose `data` they will see: backbones are fine-tuned at 112 pixels where patches are no
        larger, else at 224.
    max_epochs : int, optional
        For the networks that are trained; by default their own.
    random_state : int, default=0
        Seed of what draws.
    memory : str, path-like or FeatureStore, optional
        Where a frozen network's features are kept.
    verbose : int, default=0
        1 shows the progress of networks.

    Returns
    -------
    dict of str to estimator
        Unfitted, in the order of `names`.

    Raises
    ------
    ValueError
        If there is no model of a name.
    """
    models = {}
    side = SMALL_SIDE if max(most_common_size(bunch.data)) <= SMALL_SIDE else LARGE_SIDE
    for name in names:
        options = {"random_state": random_state, "memory": memory, "verbose": verbose}
        if name == "finetune" or name in BACKBONES:
            options["input_size"] = side
        if isinstance(make_model(name), PatchCNNClassifier):
            options["max_epochs"] = max_epochs
        models[name] = make_model(name, **options)
    return models


def run_benchmark(bunch, models, out, *, n_resamples=2000, random_state=0, show=False):
    """Let each model judge each fold's test patches, and compare them on the same patients.

    What a finished fold gave is on disk at once. Called again with the same folder, data and
    models, it runs only what is missing.

    Parameters
    ----------
    bunch : Bunch
        From :func:`skbreast.datasets.load_protocol`: `data`, `target`, `groups`, `folds` and
        `protocol_descr`.
    models : dict of str to estimator
        Unfitted, with `predict_proba`. Names are letters, digits, ".", "_" and "-".
    out : path-like
        Folder for ``folds/``, ``results.json`` and ``results.md``.
    n_resamples : int, default=2000
        Bootstrap resamples of patients.
    random_state : int, default=0
        Seed of the resampling.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    Benchmark
        Figures, differences and failures; also in ``results.json`` and ``results.md``.

    Raises
    ------
    ValueError
        If the folder holds a benchmark of other patches or folds, or a name is not as above.
    KeyboardInterrupt
        If it is interrupted; what was finished is on disk.

    Warns
    -----
    PatientLeakageWarning
        If folds have patients on both sides.

    Notes
    -----
    A model that raises an exception is a result that says so; the others go on. It is tried again
    in the next call. Parameters that change no prediction (`verbose`, `memory`, `n_jobs`) may
    differ between calls; where others do, that model's folds are run anew.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from skbreast.benchmarking import run_benchmark
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import make_baselines, make_folds
    >>> bunch = make_patches(8, 4, patch_size=32, random_state=0)
    >>> bunch.folds = make_folds(bunch.data, bunch.target, bunch.groups, n_splits=2)
    >>> bunch.protocol_descr = "Two folds of invented patients."
    >>> result = run_benchmark(bunch, make_baselines(), mkdtemp(), n_resamples=100)
    >>> list(result.models)
    ['dummy', 'colour']
    """
    out = Path(out)
    check_writable(out)
    check_model_names(models)
    check_setup(out, bunch)
    if bunch.groups is not None:
        warn_of_folds(bunch.folds, bunch.groups)
    results = {}
    with progress_bar("Benchmark", len(models) * len(bunch.folds), show=show) as advance:
        for name, model in models.items():
            result = _judge_model(name, model, bunch, out, advance)
            results[name] = _with_figures(result, n_resamples, random_state)
            write_benchmark(out, Benchmark(bunch.protocol_descr, results, {}))
    differences = _differences(results, n_resamples, random_state)
    found = Benchmark(bunch.protocol_descr, results, differences)
    write_benchmark(out, found)
    return found


def _judge_model(name, model, bunch, out, advance):
    store, key = FoldStore(out / "folds"), digest_estimator(model)
    (out / "errors" / f"{name}.txt").unlink(missing_ok=True)
    parts, seconds = [], []
    for fold in range(len(bunch.folds)):
        advance(0, note=f"{name}, fold {fold + 1} of {len(bunch.folds)}")
        done = store.load(name, fold, key)
        if done is None:
            try:
                done = _judge_fold(model, bunch, fold)
            except Exception as error:
                advance(len(bunch.folds) - fold)
                return ModelResult(error=_keep_error(out, name, fold, error))
            store.save(name, fold, key, *done)
        parts.append(done[0])
        seconds.append(done[1])
        advance()
    folds = [
        {**estimate_figures(part), "fit_seconds": fit, "predict_seconds": predict}
        for part, (fit, predict) in zip(parts, seconds, strict=True)
    ]
    return ModelResult(Predictions.join(parts), folds=folds)


def _judge_fold(model, bunch, fold):
    train, test = bunch.folds[fold]
    X, y, groups = bunch.data, bunch.target, bunch.groups
    start = time.perf_counter()
    with warnings.catch_warnings():
        # Half a training is no result.
        warnings.simplefilter("error", TrainingInterruptedWarning)
        try:
            fitted = fit_copy(model, X[train], y[train], None if groups is None else groups[train])
        except TrainingInterruptedWarning:
            raise KeyboardInterrupt from None
    fitted_at = time.perf_counter()
    test_groups = test if groups is None else groups[test]
    predictions = predict_patches(fitted, X[test], y[test], test_groups, fold=fold).at_rows(test)
    return predictions, (fitted_at - start, time.perf_counter() - fitted_at)


def _keep_error(out, name, fold, error):
    """Write the whole traceback to a file, and return its last line."""
    write_text(out / "errors" / f"{name}.txt", "".join(traceback.format_exception(error)))
    message = " ".join(str(error).split())
    return f"fold {fold + 1}: {type(error).__name__}: {message}"


def _with_figures(result, n_resamples, random_state):
    if result.error is not None:
        return result
    figures = summarise(result.predictions, n_resamples=n_resamples, random_state=random_state)
    return ModelResult(result.predictions, figures, result.folds)


def _differences(results, n_resamples, random_state):
    """Compare all pairs of models; of a pair with the reference, that is the second."""
    reference = choose_reference(results)
    names = [name for name, result in results.items() if result.error is None]
    names.sort(key=lambda name: name != reference)
    return {
        (first, second): compare_predictions(
            results[first].predictions,
            results[second].predictions,
            n_resamples=n_resamples,
            random_state=random_state,
        )
        for number, second in enumerate(names)
        for first in names[number + 1 :]
    }
