"""Judge several models on the same folds, and go on after an interruption where it was."""

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skbreast._differences import compare_predictions
from skbreast._digests import digest_estimator
from skbreast._figures import estimate_figures, summarise
from skbreast._files import check_writable, write_text
from skbreast._fold_store import FoldStore, whole_trainings
from skbreast._html import block, table
from skbreast._predictions import Predictions
from skbreast._progress import progress_bar
from skbreast.benchmarking._patient_notes import tell_patients
from skbreast.benchmarking._report import (
    BRACKETS,
    benchmark_tables,
    choose_reference,
    differences_title,
    write_benchmark,
)
from skbreast.benchmarking._setup import check_model_names, check_setup
from skbreast.evaluation import fit_rows, predict_rows

__all__ = ["Benchmark", "ModelResult", "run_benchmark"]


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
    notes : list of str
        What to know beside the figures, sentences.
    """

    protocol: str
    models: dict
    differences: dict
    notes: list = field(default_factory=list)

    @property
    def differences_title(self):
        """Whom the second table of :func:`benchmark_tables` compares with, a sentence."""
        return differences_title(self)

    def _repr_html_(self):
        (header, *rows), (other_header, *others) = benchmark_tables(self)
        parts = [table(header, rows, caption=BRACKETS)]
        if others:
            parts.append(table(other_header, others, caption=self.differences_title))
        return block(" ".join([self.protocol, *self.notes]), *parts)


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
    key = check_setup(out, bunch)
    notes = tell_patients(bunch)
    results, resampling = {}, {"n_resamples": n_resamples, "random_state": random_state}
    with progress_bar("Benchmark", len(models) * len(bunch.folds), show=show) as advance:
        for name, model in models.items():
            results[name] = _judge_model(name, model, bunch, out, advance, key, **resampling)
            missing = f"Not finished yet: {', '.join(list(models)[len(results) :])}."
            write_benchmark(out, Benchmark(bunch.protocol_descr, results, {}, [*notes, missing]))
    differences = _differences(results, **resampling)
    found = Benchmark(bunch.protocol_descr, results, differences, notes)
    write_benchmark(out, found)
    return found


def _judge_model(name, model, bunch, out, advance, setup, **resampling):
    """Judge all folds, those that are not on disk; whatever goes wrong is the model's result."""
    errors, where, n_done = out / "errors" / f"{name}.txt", "fold 1", 0
    errors.unlink(missing_ok=True)
    try:
        store, key = FoldStore(out / "folds"), f"{setup} {digest_estimator(model)}"
        parts, seconds = [], []
        for fold in range(len(bunch.folds)):
            where = f"fold {fold + 1}"
            advance(0, note=f"{name}, {where} of {len(bunch.folds)}")
            done = store.load(name, fold, key)
            if done is None:
                done = _judge_fold(model, bunch, fold)
                store.save(name, fold, key, *done)
            parts.append(done[0])
            seconds.append(done[1])
            n_done += 1
            advance()
        where = "its figures"
        return _sum_up(parts, seconds, **resampling)
    except Exception as error:
        advance(len(bunch.folds) - n_done)
        write_text(errors, "".join(traceback.format_exception(error)))
        message = " ".join(str(error).split())
        return ModelResult(error=f"{where}: {type(error).__name__}: {message}")


def _judge_fold(model, bunch, fold):
    train, test = bunch.folds[fold]
    classes, y = np.unique(bunch.target, return_inverse=True)
    units = np.arange(len(y)) if bunch.groups is None else bunch.groups
    start = time.perf_counter()
    with whole_trainings():
        fitted = fit_rows(model, bunch.data, y, bunch.groups, train)
    fitted_at = time.perf_counter()
    # Ids as text, since that is how they come back from the disk.
    found = predict_rows(fitted, bunch.data, y, units.astype(str), test, fold=fold)
    _check_probabilities(found.y_proba, (len(test), len(classes)))
    return found, (fitted_at - start, time.perf_counter() - fitted_at)


def _check_probabilities(y_proba, shape):
    if np.shape(y_proba) != shape or not np.isfinite(y_proba).all():
        raise ValueError(
            f"predict_proba must give finite numbers of shape {shape}; it gave shape "
            f"{np.shape(y_proba)}, {np.count_nonzero(~np.isfinite(y_proba))} of them not finite."
        )


def _sum_up(parts, seconds, **resampling):
    predictions = Predictions.join(parts)
    folds = [
        {**estimate_figures(part), "fit_seconds": fit, "predict_seconds": predict}
        for part, (fit, predict) in zip(parts, seconds, strict=True)
    ]
    return ModelResult(predictions, summarise(predictions, **resampling), folds)


def _differences(results, **resampling):
    """Compare all pairs of models; of a pair with the reference, that is the second."""
    reference = choose_reference(results)
    names = [name for name, result in results.items() if result.error is None]
    names.sort(key=lambda name: name != reference)
    return {
        (first, second): compare_predictions(
            results[first].predictions,
            results[second].predictions,
            **resampling,
        )
        for number, second in enumerate(names)
        for first in names[number + 1 :]
    }
