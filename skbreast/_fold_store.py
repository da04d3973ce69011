"""Predictions of finished folds on disk, so that what was killed goes on with the others."""

import contextlib
import json
import warnings
from pathlib import Path

import numpy as np

from skbreast._files import written_whole
from skbreast._fingerprints import digest_patches, digest_text
from skbreast._predictions import COLUMNS, Predictions
from skbreast.exceptions import TrainingInterruptedWarning

__all__ = ["UNTIMED", "FoldStore", "describe_folds", "whole_trainings"]

UNTIMED = (np.nan, np.nan)
TIMES = ("fit_seconds", "predict_seconds")


def describe_folds(X, y, groups, folds):
    """Return digests of the patches, of their labels and patients, and of how they are split.

    Parameters
    ----------
    X : ndarray
        Patches or references.
    y : ndarray of shape (n_patches,)
        Class numbers.
    groups : ndarray of shape (n_patches,), or None
        Patient ids.
    folds : list of (ndarray, ndarray)
        Training and test rows.

    Returns
    -------
    dict of str to str
    """
    groups = [None] if groups is None else [str(each) for each in groups]
    return {
        "patches": digest_patches(X),
        "labels": digest_text(json.dumps([int(each) for each in y])),
        "patients": digest_text(json.dumps(groups)),
        "folds": digest_text(json.dumps([[side.tolist() for side in sides] for sides in folds])),
    }


@contextlib.contextmanager
def whole_trainings():
    """Let an interrupted training end all: half of one is no result to be kept.

    Raises
    ------
    KeyboardInterrupt
        In place of the :class:`TrainingInterruptedWarning`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterruptedWarning)
        try:
            yield
        except TrainingInterruptedWarning:
            raise KeyboardInterrupt from None


class FoldStore:
    """A file for each fold of each model.

    Parameters
    ----------
    folder : path-like
        Where the files are, ``<model>/fold-<number>.npz``.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def save(self, name, fold, key, predictions, seconds):
        """Write what a model said of a fold.

        Parameters
        ----------
        name : str
            The model's name.
        fold : int
            Number of the fold.
        key : str
            What the model is, see :func:`skbreast._digests.digest_estimator`.
        predictions : Predictions
            Of the fold.
        seconds : tuple of (float, float)
            How long fitting and predicting took.
        """
        columns = {name: getattr(predictions, name) for name in COLUMNS}
        with written_whole(self._path(name, fold)) as part, part.open("wb") as file:
            times = dict(zip(TIMES, seconds, strict=True))
            histories = json.dumps(predictions.histories)
            np.savez_compressed(file, key=key, histories=histories, **columns, **times)

    def load(self, name, fold, key):
        """Read what a model said of a fold.

        Parameters
        ----------
        name, fold, key
            As they were given to :meth:`save`.

        Returns
        -------
        tuple of (Predictions, (float, float)) or None
            None if there is no such file, if another model or version wrote it, or if it is
            damaged.
        """
        try:
            with np.load(self._path(name, fold), allow_pickle=False) as file:
                if str(file["key"]) != key:
                    return None
                columns = {column: file[column] for column in COLUMNS}
                histories = {
                    int(fold): each for fold, each in json.loads(str(file["histories"])).items()
                }
                seconds = tuple(float(file[name]) for name in TIMES)
                return Predictions(**columns, histories=histories), seconds
        except Exception:  # damaged bytes raise all kinds
            return None  # the fold is then run again, which mends it

    def _path(self, name, fold):
        return self.folder / name / f"fold-{fold + 1}.npz"
