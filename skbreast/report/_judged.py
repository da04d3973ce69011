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

    @property
    def first(self):
        """Predictions of the chosen model."""
        return self.predictions[self.chosen]

    @property
    def has_patients(self):
        """Whether a patient may have several patches."""
        return len(np.unique(self.first.groups)) < len(self.first.groups)

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


def check_judged(predictions, X, figures, chosen, target_names, texts, resampling):
    """Check what :func:`skbreast.report.write_report` was given, and complete it.

    Parameters
    ----------
    predictions, X, figures, chosen, target_names
        As given.
    texts : dict of str to str
        `source`, `about` and `protocol`.
    resampling : dict
        `n_resamples` and `random_state`.

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
    return Judged(dict(predictions), figures, chosen, X, names, **texts)


def _check_predictions(predictions):
    kinds_fit = isinstance(predictions, dict) and all(
        isinstance(each, Predictions) for each in predictions.values()
    )
    if not predictions or not kinds_fit:
        raise ValueError(
            "predictions must be Predictions, or a dict of them by model, as "
            f"cross_validate_models gives; got {type(predictions).__name__}."
        )


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
