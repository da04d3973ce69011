"""Evaluate models patient by patient, beside the baselines that anything has to beat."""

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from skbreast._figures import summarise
from skbreast._predictions import Predictions
from skbreast._progress import progress_bar
from skbreast.classifier import PatchCNNClassifier
from skbreast.registry import ARCHITECTURES, BACKBONES
from skbreast.texture import ColorFeatures
from skbreast.transfer import TransferFeatureExtractor

__all__ = [
    "Predictions",
    "cross_validate_models",
    "fit_copy",
    "make_baselines",
    "make_folds",
    "make_model",
    "predict_patches",
    "summarise",
]

MODEL_NAMES = ("transfer", "cnn", *(name for name in ARCHITECTURES if name != "small"), *BACKBONES)


def make_baselines():
    """Return what any model has to beat: a dummy, and mean colour alone.

    Returns
    -------
    dict of str to estimator
        Unfitted; "dummy" answers with the class shares, "mean colour" knows six numbers a patch.
    """
    colour = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression(max_iter=1000))
    return {"dummy": DummyClassifier(strategy="prior"), "mean colour": colour}


def make_model(name, *, max_epochs=None, random_state=None, verbose=0):
    """Return one of the ready models.

    Parameters
    ----------
    name : str
        "transfer": frozen features and logistic regression; "cnn": the small network; "resnet";
        or a backbone's name: fine-tuning.
    max_epochs : int, optional
        For the networks; by default the classifier's own.
    random_state : int, optional
        Seed of the networks.
    verbose : int, default=0
        1 shows their progress.

    Returns
    -------
    estimator
        Unfitted.

    Raises
    ------
    ValueError
        If there is no such model.
    """
    if name == "transfer":
        if max_epochs is not None:
            raise ValueError("epochs are for networks; the model 'transfer' has none.")
        regression = LogisticRegression(C=0.01, max_iter=1000)
        features = TransferFeatureExtractor(verbose=verbose)
        return make_pipeline(features, StandardScaler(), regression)
    if name not in MODEL_NAMES:
        raise ValueError(f"model must be one of {', '.join(MODEL_NAMES)}; got {name!r}.")
    network = PatchCNNClassifier(
        "small" if name == "cnn" else name, random_state=random_state, verbose=verbose
    )
    return network if max_epochs is None else network.set_params(max_epochs=max_epochs)


def predict_patches(estimator, X, y, groups=None, *, fold=0):
    """Let a fitted model judge patches.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_proba`, on class numbers 0, 1, ….
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
    y_proba = estimator.predict_proba(X)
    groups = np.arange(len(y)) if groups is None else groups
    y_pred = estimator.classes_[y_proba.argmax(axis=1)]
    return Predictions(np.asarray(y), y_proba, y_pred, groups, np.full(len(y), fold))


def make_folds(X, y, groups=None, *, n_splits=5, random_state=0):
    """Return shuffled, class-balanced folds; patients stay whole where there are patient ids.

    Parameters
    ----------
    X : array-like of n_patches
        Patches; only their number counts.
    y : ndarray of shape (n_patches,)
        Class numbers.
    groups : ndarray of shape (n_patches,), optional
        Patient ids.
    n_splits : int, default=5
        Number of folds.
    random_state : int, default=0
        Seed of the shuffling.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test rows of each fold.

    Raises
    ------
    ValueError
        If there are fewer patients than folds, or a training part lacks a class.
    """
    if groups is None:
        splitter = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
    else:
        n_patients = len(np.unique(groups))
        if n_patients < n_splits:
            raise ValueError(
                f"{n_splits} folds need at least {n_splits} patients; there are {n_patients}."
            )
        splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    folds = list(splitter.split(X, y, groups))
    for train, _ in folds:
        if len(np.unique(y[train])) < len(np.unique(y)):
            raise ValueError(
                f"{n_splits} folds leave a training part without one of the classes, since too "
                "few patients have it; ask for fewer folds, or leave that class out."
            )
    return folds


def fit_copy(model, X, y, groups=None):
    """Fit a copy of a model; patient ids reach it if its `fit` knows `groups`.

    Parameters
    ----------
    model : estimator
        Left as it is.
    X : array-like of n_patches
        Patches.
    y : ndarray of shape (n_patches,)
        Class numbers.
    groups : ndarray of shape (n_patches,), optional
        Patient ids, for the inner split of early stopping.

    Returns
    -------
    estimator
        The fitted copy.
    """
    takes_groups = groups is not None and has_fit_parameter(model, "groups")
    return clone(model).fit(X, y, **({"groups": groups} if takes_groups else {}))


def cross_validate_models(models, X, y, groups=None, *, folds, show=False):
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
    show : bool, default=False
        Whether a progress bar is shown.

    Returns
    -------
    dict of str to Predictions
        By model, the folds one after the other.
    """
    results = {}
    with progress_bar("Cross-validation", len(models) * len(folds), show=show) as advance:
        for name, model in models.items():
            parts = []
            for fold, (train, test) in enumerate(folds):
                advance(0, note=f"{name}, fold {fold + 1}")
                train_groups = None if groups is None else groups[train]
                fitted = fit_copy(model, X[train], y[train], train_groups)
                test_groups = test if groups is None else groups[test]
                parts.append(predict_patches(fitted, X[test], y[test], test_groups, fold=fold))
                advance()
            results[name] = _join(parts)
    return results


def _join(parts):
    names = Predictions.__dataclass_fields__
    return Predictions(*(np.concatenate([getattr(each, name) for each in parts]) for name in names))
