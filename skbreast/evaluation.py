"""Evaluate models patient by patient, beside the baselines that anything has to beat."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from skbreast._digests import digest_estimator
from skbreast._figures import summarise
from skbreast._files import check_writable
from skbreast._fingerprints import digest_text
from skbreast._fold_store import UNTIMED, FoldStore, describe_folds, whole_trainings
from skbreast._guards import warn_of_folds, warn_of_missing_groups
from skbreast._loaded import find_patients, remember_patients
from skbreast._patients import check_labels
from skbreast._predictions import Predictions
from skbreast._progress import progress_bar
from skbreast._ready_models import make_baselines, make_model
from skbreast._routing import groups_for
from skbreast._unwrap import last_step, take_to_last_step
from skbreast._validation import (
    check_groups,
    check_n_jobs,
    check_number,
    check_patches,
    is_references,
)
from skbreast.classifier import PatchCNNClassifier
from skbreast.datasets._folds import make_folds

__all__ = [
    "Predictions",
    "cross_validate_models",
    "cross_validate_patients",
    "fit_copy",
    "make_baselines",
    "make_folds",
    "make_model",
    "predict_patches",
    "summarise",
]


def predict_patches(estimator, X, y, groups=None, *, fold=0):
    """Let a fitted model judge patches.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_proba`, on class numbers 0, 1, …. Decisions are those of its
        `predict`, so that its own threshold counts.
    X : array-like
        Patches.
    y : ndarray of shape (n_patches,)
        Class numbers.
    groups : ndarray of shape (n_patches,), optional
        Patient ids.
    fold : int, default=0
        Number of the fold.

    Returns
    -------
    Predictions
        Of all patches, in one fold.
    """
    y_proba, y_pred = _judge(estimator, X)
    rows = np.arange(len(y))
    groups = rows if groups is None else groups
    history = _history_of(estimator)
    return Predictions(
        np.asarray(y), y_proba, y_pred, groups, np.full(len(y), fold), rows,
        histories={} if history is None else {fold: history},
    )  # fmt: skip


def _history_of(estimator):
    """Return the course of the training of a network, also at the end of a pipeline."""
    return _plain_history(getattr(last_step(estimator), "history_", None))


def _plain_history(history):
    """Return lists of numbers, an entry an epoch; None for whatever else bears the name."""
    try:
        plain = {str(name): [float(each) for each in row] for name, row in history.items()}
    except (AttributeError, TypeError, ValueError):
        return None
    lengths = {len(row) for row in plain.values()}
    return plain if len(lengths) == 1 and lengths != {0} else None


def _judge(estimator, X):
    """Return probabilities and decisions; what both have in common is computed once."""
    estimator, X = take_to_last_step(estimator, X)
    y_proba = estimator.predict_proba(X)
    if isinstance(estimator, PatchCNNClassifier):
        return y_proba, estimator.classes_[y_proba.argmax(axis=1)]
    return y_proba, estimator.predict(X)


def fit_copy(model, X, y, groups=None):
    """Fit a copy of a model; patient ids reach it, or the steps in it, if they take `groups`.

    Parameters
    ----------
    model : estimator
        Left as it is.
    X : array-like of n_patches
        Patches.
    y : ndarray of shape (n_patches,)
        Class numbers.
    groups : ndarray of shape (n_patches,), optional
        Patient ids, for the inner splits of early stopping and of searches.

    Returns
    -------
    estimator
        The fitted copy.
    """
    return clone(model).fit(X, y, **groups_for(model, groups))


def cross_validate_patients(
    estimator, X, y, groups=None, *, cv=5, n_jobs=None, random_state=0, show=False
):
    """Let copies of an estimator judge every patch of patients that they have not seen.

    Parameters
    ----------
    estimator : estimator
        With `predict_proba`; copies of it are fitted. Patient ids reach those that take `groups`,
        and the inner folds of a grid search.
    X : array-like of n_patches
        Patches or references; or features, for an estimator that takes them.
    y : array-like of shape (n_patches,)
        Labels, numbers or strings.
    groups : array-like of shape (n_patches,), optional
        Patient ids; without them every patch counts as its own patient.
    cv : int, splitter or iterable of (train, test), default=5
        Folds: so many of :func:`make_folds`; or as scikit-learn takes them.
    n_jobs : int, optional
        Folds that run at the same time, as in joblib.
    random_state : int, default=0
        Seed of the folds, where `cv` is a number.
    show : bool, default=False
        Whether a progress bar is shown.

    Returns
    -------
    Predictions
        Of all tested patches, fold after fold; :func:`summarise` gives the figures.

    Raises
    ------
    ValueError
        If labels, ids or folds are not as documented.

    Warns
    -----
    PatientLeakageWarning
        If folds have patients on both sides; it counts them. Where `X` comes from a loader of
        this process its patients count, whatever `groups` says.
    UnknownPatientsWarning
        Once a data set, if `groups` is missing although the loader of `X` has them.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_patients, make_model, summarise
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> predictions = cross_validate_patients(
    ...     make_model("colour"), patches.data, patches.target, patches.groups, cv=2
    ... )
    >>> summarise(predictions, n_resamples=100)["auc"].n_patients
    8
    """
    check_n_jobs(n_jobs)
    if is_references(X):
        X = check_patches(X)
    classes, y = np.unique(check_labels(y, name="y"), return_inverse=True)
    if _num_samples(X) != len(y):
        raise ValueError(f"y has {len(y)} labels for {_num_samples(X)} patches.")
    groups, known = _check_patients(groups, X, len(y))
    folds = _check_folds(cv, X, y, groups, random_state)
    if known is not None:
        warn_of_folds(folds, known)
    with progress_bar("Cross-validation", len(folds), show=show) as advance:
        parts = []
        running = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_judge_fold)(estimator, X, y, groups, *sides, fold=fold)
            for fold, sides in enumerate(folds)
        )
        for part in running:
            parts.append(part)
            advance()
    return Predictions.join(parts, classes=classes)


def _check_patients(groups, X, n_patches):
    """Return the groups to go by, and the patients to look for on both sides."""
    if groups is None:
        return None, warn_of_missing_groups(X, what="cross_validate_patients")
    groups, known = check_groups(groups, n_samples=n_patches), find_patients(X)
    return groups, groups if known is None else known


def _check_folds(cv, X, y, groups, random_state):
    if isinstance(cv, int | np.integer):
        check_number(cv, name="cv", low=2, integer=True)
        return make_folds(X, y, groups, n_splits=int(cv), random_state=random_state)
    folds = list(check_cv(cv, y, classifier=True).split(X, y, groups))
    for number, (train, _) in enumerate(folds):
        if len(np.unique(y[train])) < len(np.unique(y)):
            raise ValueError(
                f"cv leaves the training part of fold {number} without one of the classes; a model "
                "cannot name what it has never seen."
            )
    return folds


def _judge_fold(model, X, y, groups, train, test, *, fold):
    fitted = fit_rows(model, X, y, groups, train)
    return predict_rows(fitted, X, y, groups, test, fold=fold)


def fit_rows(model, X, y, groups, rows):
    """Fit a copy of a model to some rows."""
    of_rows = None if groups is None else groups[rows]
    return fit_copy(model, _part(X, groups, rows), y[rows], of_rows)


def predict_rows(fitted, X, y, groups, rows, *, fold):
    """Let a fitted model judge some rows; without `groups` each row is its own patient."""
    of_rows = rows if groups is None else groups[rows]
    part = _part(X, groups, rows)
    return predict_patches(fitted, part, y[rows], of_rows, fold=fold).at_rows(rows)


def _part(X, groups, rows):
    """Return rows of X; of arrays steps that measure whole patients can find the patients."""
    part = _safe_indexing(X, rows)
    if groups is not None and isinstance(part, np.ndarray) and part.ndim == 4:
        remember_patients(part, groups[rows])
    return part


def cross_validate_models(models, X, y, groups=None, *, folds, checkpoint=None, show=False):
    """Let each model judge every patch once, by a copy that never saw the patch's fold.

    Parameters
    ----------
    models : dict of str to estimator
        Unfitted models; copies of them are fitted.
    X : array-like of n_patches
        Patches or references.
    y : ndarray of shape (n_patches,)
        Class numbers 0, 1, ….
    groups : ndarray of shape (n_patches,), optional
        Patient ids.
    folds : list of (ndarray, ndarray)
        Training and test rows, see :func:`make_folds`.
    checkpoint : path-like, optional
        Folder in which is kept, fold by fold, what the models said: the same call with the same
        models and data runs only what is missing. Nobody deletes it.
    show : bool, default=False
        Whether a progress bar is shown.

    Returns
    -------
    dict of str to Predictions
        By model, the folds one after the other.

    Raises
    ------
    OSError
        If `checkpoint` cannot be written to.
    KeyboardInterrupt
        With `checkpoint`, if a training is interrupted: half a training is no result to be kept.

    Warns
    -----
    PatientLeakageWarning
        If folds have patients on both sides; it counts them.
    """
    if groups is not None:
        warn_of_folds(folds, groups)
    results, data = {}, (X, y, groups)
    setup = None if checkpoint is None else json.dumps(describe_folds(*data, folds))
    if checkpoint is not None:
        check_writable(Path(checkpoint))  # before hours go into a fold
    with progress_bar("Cross-validation", len(models) * len(folds), show=show) as advance:
        for name, model in models.items():
            judge = _judge_fold if setup is None else _judging(model, checkpoint, setup)
            parts = []
            for fold, sides in enumerate(folds):
                advance(0, note=f"{name}, fold {fold + 1}")
                parts.append(judge(model, *data, *sides, fold=fold))
                advance()
            results[name] = Predictions.join(parts)
    return results


def _judging(model, folder, setup):
    """Return what :func:`_judge_fold` does, done for folds without a file in the folder only."""
    store, key = FoldStore(folder), f"{setup} {digest_estimator(model)}"
    name = digest_text(key)[:16]  # any text may be the name of a model

    def judge(model, X, y, groups, train, test, *, fold):
        if done := store.load(name, fold, key):  # with ids as text
            return replace(done[0], groups=test if groups is None else groups[test])
        with whole_trainings():
            part = _judge_fold(model, X, y, groups, train, test, fold=fold)
        store.save(name, fold, key, replace(part, groups=part.groups.astype(str)), UNTIMED)
        return part

    return judge
