"""Predictions of finished folds on disk, so that a benchmark that was killed goes on."""

import json
from pathlib import Path

import numpy as np

from skbreast._files import written_whole
from skbreast._predictions import COLUMNS, Predictions

__all__ = ["FoldStore"]

TIMES = ("fit_seconds", "predict_seconds")


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
