"""What a report is about, checked once."""

from dataclasses import dataclass

import numpy as np

from skbreast._figures import summarise
from skbreast._fingerprints import digest_text
from skbreast._predictions import Predictions
from skbreast._validation import check_patches, is_references

__all__ = ["Judged", "check_judged"]

REFERENCES = ("colour", "dummy")  # what has to be beaten, the harder one first


@dataclass(frozen=True)
class Judged:
    """Predictions of several models of the same patches, and what is known of these.

    Attributes
    ----------
    predictions : dict of str to Predictions
        By model.
    figures : dict of str to dict of str to BootstrapInterval
        Likewise.
    chosen : str
        The model that the report is about.
    X : ndarray or None
        Patches or references that `rows` of the predictions count.
    target_names : list of str
        Names of the classes.
    source, about, protocol : str
        Sentences.
    """

    predictions: dict
    figures: dict
    chosen: str
    X: np.ndarray | None
    target_names: list
    source: str
    about: str
    protocol: str
    given_threshold: float | None = None

    @property
    def first(self):
        """Predictions of the chosen model."""
        return self.predictions[self.chosen]

    @property
    def has_patients(self):
        """Whether patients are known; where they are not, each patch stands for one by its row."""
        found = self.first
        rows = np.arange(len(found.groups)) if found.rows is None else found.rows
        return not np.array_equal(found.groups.astype(str), rows.astype(str))

    @property
    def threshold(self):
        """The score of the positive class from which the chosen model decides for it, if known."""
        found = self.first
        if self.given_threshold is not None or not self.is_binary:
            return self.given_threshold
        at_half = np.array_equal(found.y_pred == 1, found.y_proba[:, 1] >= 0.5)
        return 0.5 if at_half else None

    @property
    def is_binary(self):
        """Whether there are two classes."""
        return self.first.y_proba.shape[1] == 2

    @property
    def reference(self):
        """The model that the others are compared with, None if there is none."""
        others = [name for name in REFERENCES if name in self.predictions and name != self.chosen]
        return others[0] if others else None

    @property
    def digest(self):
        """Which patch of which patient was tested in which fold, as 16 hexadecimal digits."""
        found = self.first
        rows = np.arange(len(found.y_true)) if found.rows is None else found.rows
        lines = sorted(
            zip(found.folds.tolist(), map(str, found.groups), rows.tolist(), strict=True)
        )
        return digest_text("\n".join(f"{fold}\t{who}\t{row}" for fold, who, row in lines))[:16]


def check_judged(predictions, X, figures, chosen, target_names, texts, resampling, threshold=None):
    """Check what :func:`skbreast.report.write_report` was given, and complete it.

    Parameters
    ----------
    predictions, X, figures, chosen, target_names
        As given.
    texts : dict of str to str
        `source`, `about` and `protocol`.
    resampling : dict
        `n_resamples` and `random_state`.
    threshold : float, optional
        As given.

    Returns
    -------
    Judged
    """
    if isinstance(predictions, Predictions):
        predictions = {chosen or "model": predictions}
    _check_predictions(predictions)
    chosen = _choose(predictions, chosen)
    names = _name_classes(predictions[chosen], target_names)
    figures = dict(figures or {})
    for name, each in predictions.items():
        if name not in figures:
            figures[name] = summarise(each, **resampling)
    figures = {name: figures[name] for name in predictions}
    X = _check_patches(X, predictions[chosen])
    return Judged(dict(predictions), figures, chosen, X, names, **texts, given_threshold=threshold)


def _check_predictions(predictions):
    kinds_fit = isinstance(predictions, dict) and all(
        isinstance(each, Predictions) for each in predictions.values()
    )
    if not predictions or not kinds_fit:
        raise ValueError(
            "predictions must be Predictions, or a dict of them by model, as "
            f"cross_validate_models gives; got {type(predictions).__name__}."
        )
    (name, first), *others = predictions.items()
    for other, each in others:
        if not all(np.array_equal(*pair) for pair in _what_is_judged(first, each)):
            raise ValueError(
                f"predictions of {name!r} and {other!r} are of different patches, folds or "
                "patients; judge all models on the same ones."
            )


def _what_is_judged(first, second):
    names = ("y_true", "folds", "rows", "groups")
    return [
        [np.asarray(getattr(each, name)).astype(str) for each in (first, second)] for name in names
    ]


def _choose(predictions, chosen):
    if chosen is None:
        others = [name for name in predictions if name not in REFERENCES]
        return (others or list(predictions))[0]
    if chosen not in predictions:
        raise ValueError(f"chosen must be one of {', '.join(predictions)}; got {chosen!r}.")
    return chosen


def _name_classes(found, target_names):
    n_classes = found.y_proba.shape[1]
    if target_names is None:
        target_names = np.arange(n_classes) if found.classes is None else found.classes
    if len(target_names) != n_classes:
        raise ValueError(
            f"target_names has {len(target_names)} names for {n_classes} classes; give one each."
        )
    return [str(name) for name in target_names]


def _check_patches(X, found):
    if X is None:
        return None
    X = check_patches(X) if is_references(X) else np.asarray(X)
    n_needed = len(found.y_true) if found.rows is None else int(found.rows.max()) + 1
    if len(X) < n_needed:
        raise ValueError(
            f"X has {len(X)} patches, but the predictions speak of row {n_needed - 1}; give the "
            "patches that were judged."
        )
    return X
