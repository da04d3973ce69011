"""How far colour alone carries: a linear model on six numbers a patch, patient by patient."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["ColorShortcut", "color_shortcut"]

N_FOLDS = 5
SUSPICIOUS_AUC = 0.9


@dataclass(frozen=True, slots=True)
class ColorShortcut:
    """How well mean and deviation of each colour predict the label of unseen patients.

    Attributes
    ----------
    auc : float or None
        Area under the ROC curve, mean over folds (of more than two classes: each class against
        the rest, averaged). None where it was not measured.
    low, high : float or None
        Least and largest of the folds.
    n_folds : int
        Folds with more than one class to tell apart.
    skipped : str
        Why there is no figure; "" where there is.
    """

    auc: float | None = None
    low: float | None = None
    high: float | None = None
    n_folds: int = 0
    skipped: str = ""

    def __str__(self):
        if self.auc is None:
            return f"colour alone: not measured, {self.skipped}"
        return (
            f"colour alone: AUC {self.auc:.3f} ({self.low:.3f} to {self.high:.3f} over "
            f"{self.n_folds} folds of patients)"
        )


def color_shortcut(moments, labels, patients, *, random_state=0):
    """Cross-validate colour alone, patients kept whole.

    Parameters
    ----------
    moments : ndarray of shape (n_patches, 6)
        From :func:`skbreast.texture.color_moments`.
    labels, patients : ndarray of int or None
        Class and patient number of each patch.
    random_state : int or RandomState, default=0
        Seed of the folds.

    Returns
    -------
    ColorShortcut
    """
    if labels is None or patients is None:
        lacking = "labels (y)" if labels is None else "patient ids (groups)"
        return ColorShortcut(skipped=f"for want of {lacking}")
    present = np.unique(labels)
    if len(present) < 2:
        return ColorShortcut(skipped=f"since there are {len(present)} classes of readable patches")
    fewest = min(len(np.unique(patients[labels == each])) for each in present)
    if fewest < 2:
        return ColorShortcut(skipped="since a class has one patient only")
    splitter = StratifiedGroupKFold(min(N_FOLDS, fewest), shuffle=True, random_state=random_state)
    folds = splitter.split(moments, labels, patients)
    scores = [_score(moments, labels, train, test) for train, test in folds]
    scores = [score for score in scores if score is not None]
    if not scores:
        return ColorShortcut(skipped="since no fold of patients has two classes on both sides")
    return ColorShortcut(float(np.mean(scores)), min(scores), max(scores), len(scores))


def _score(moments, labels, train, test):
    known = np.unique(labels[train])
    test = test[np.isin(labels[test], known)]
    classes = np.unique(labels[test])
    if len(classes) < 2:
        return None
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    scores = model.fit(moments[train], labels[train]).predict_proba(moments[test])
    columns = range(1, 2) if len(known) == 2 else np.flatnonzero(np.isin(known, classes))
    each = [roc_auc_score(labels[test] == known[column], scores[:, column]) for column in columns]
    return float(np.mean(each))
