"""What models said of patches that they were not trained on."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from skbreast._html import bar, block, escape_text, table

__all__ = ["COLUMNS", "Predictions"]

_MAX_ROWS = 12  # of a table in a notebook


@dataclass(frozen=True)
class Predictions:
    """What a model said of patches that it was not trained on.

    Attributes
    ----------
    y_true : ndarray of shape (n_patches,)
        Class numbers.
    y_proba : ndarray of shape (n_patches, n_classes)
        Probabilities.
    y_pred : ndarray of shape (n_patches,)
        The most probable class.
    groups : ndarray of shape (n_patches,)
        Patient ids; where none exist, every patch counts as its own.
    folds : ndarray of shape (n_patches,), int
        Which of the trained models spoke; figures are taken within a fold.
    rows : ndarray of shape (n_patches,), int, or None
        Which patches of the data set these are.
    classes : ndarray of shape (n_classes,) or None
        The labels that the class numbers stand for.
    histories : dict of int to dict of str to list of float
        By fold the course of the training (`history_`) of networks that were trained.
    """

    y_true: np.ndarray
    y_proba: np.ndarray
    y_pred: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    rows: np.ndarray | None = None
    classes: np.ndarray | None = None
    histories: dict = field(default_factory=dict)

    def take(self, chosen):
        """Return some of the predictions, by a mask or by positions."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return replace(
            self, **{name: column[chosen] for name, column in columns.items() if column is not None}
        )

    def at_rows(self, rows):
        """Return the same predictions, of these rows of the data set."""
        return replace(self, rows=rows)

    @classmethod
    def join(cls, parts, *, classes=None):
        """Return the predictions of several folds, one after the other."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS
        }
        histories = {fold: each for part in parts for fold, each in part.histories.items()}
        return cls(**columns, classes=classes, histories=histories)

    def _repr_html_(self):
        return _show(self)


COLUMNS = [each.name for each in fields(Predictions) if each.name not in ("classes", "histories")]


def _show(predictions):
    """Write what can be counted at once; figures with intervals take seconds."""
    right = predictions.y_true == predictions.y_pred
    if not len(right):
        return block("Predictions of 0 patches")
    n_patients, n_folds = len(np.unique(predictions.groups)), len(np.unique(predictions.folds))
    patients = f"{n_patients:,} patients" if n_patients < len(right) else "each its own patient"
    most = np.unique(predictions.y_true, return_counts=True)[1].max() / len(right)
    sentence = (
        f"Accuracy by patch {right.mean():.1%}; always naming the most common class: {most:.1%}."
    )
    tables = [_class_table(predictions), _fold_table(predictions, right) if n_folds > 1 else ""]
    folds = f"{n_folds} {'fold' if n_folds == 1 else 'folds'}"
    return block(
        f"Predictions of {len(right):,} patches, {patients}, {folds}",
        f"<p>{escape_text(sentence)}</p>",
        f'<div class="row">{"".join(tables)}</div>',
        '<p class="faint">Figures by patient, with intervals: '
        "<code>skbreast.evaluation.summarise(predictions)</code></p>",
    )


def _class_table(predictions):
    n_classes = predictions.y_proba.shape[1]
    names = predictions.classes if predictions.classes is not None else range(n_classes)
    rows = []
    for number, name in enumerate(names):
        of_class = predictions.y_true == number
        n_right = np.count_nonzero(of_class & (predictions.y_pred == number))
        share = n_right / max(np.count_nonzero(of_class), 1)
        counts = [np.count_nonzero(of_class), np.count_nonzero(predictions.y_pred == number)]
        known = [f"{share:.1%}", bar(share)] if of_class.any() else ["", ""]
        rows.append([name, *(f"{each:,}" for each in counts), *known])
    header = ["class", "patches", "predicted", "recall", ""]
    return table(header, _first(rows, "classes"), caption="By class")


def _fold_table(predictions, right):
    rows = []
    for fold in np.unique(predictions.folds):
        of_fold = predictions.folds == fold
        counts = [np.count_nonzero(of_fold), len(np.unique(predictions.groups[of_fold]))]
        share = right[of_fold].mean()
        rows.append([fold, *(f"{each:,}" for each in counts), f"{share:.1%}", bar(share)])
    header = ["fold", "patches", "patients", "accuracy", ""]
    return table(header, _first(rows, "folds"), caption="By fold")


def _first(rows, what):
    n_more = len(rows) - _MAX_ROWS
    return rows if n_more <= 0 else [*rows[:_MAX_ROWS], [f"and {n_more} more {what}"]]
