"""Predictions of finished folds on disk, so that a benchmark that was killed goes on."""

import zipfile
from dataclasses import fields
from pathlib import Path

import joblib
import numpy as np

import skbreast
from skbreast._files import written_whole
from skbreast._fingerprints import digest_text
from skbreast._predictions import Predictions

__all__ = ["FoldStore", "digest_estimator"]

UNIMPORTANT = {"verbose", "memory", "n_jobs"}  # parameters that change no prediction
COLUMNS = [field.name for field in fields(Predictions) if field.name != "classes"]
TIMES = ("fit_seconds", "predict_seconds")


def digest_estimator(estimator):
    """Digest of an unfitted estimator: its classes and parameters, as 40 hexadecimal digits."""
    params = estimator.get_params(deep=True)
    names = sorted(name for name in params if name.rpartition("__")[2] not in UNIMPORTANT)
    lines = [_name(type(estimator)), *(f"{name}={_value(params[name])}" for name in names)]
    return digest_text("\n".join(lines))


def _value(value):
    if hasattr(value, "get_params"):
        return _name(type(value))
    if isinstance(value, list | tuple) and any(_holds_estimator(each) for each in value):
        return [_value(each) for each in value]  # steps, whose parameters are listed by themselves
    return value if isinstance(value, str | int | float | None) else joblib.hash(value)


def _holds_estimator(value):
    return hasattr(value, "get_params") or (
        isinstance(value, list | tuple) and any(_holds_estimator(each) for each in value)
    )


def _name(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


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
            What the model is, see :func:`digest_estimator`.
        predictions : Predictions
            Of the fold.
        seconds : tuple of (float, float)
            How long fitting and predicting took.
        """
        columns = {name: getattr(predictions, name) for name in COLUMNS}
        columns["groups"] = columns["groups"].astype(str)
        with written_whole(self._path(name, fold)) as part, part.open("wb") as file:
            times = dict(zip(TIMES, seconds, strict=True))
            np.savez_compressed(file, key=self._key(key), **columns, **times)

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
                if str(file["key"]) != self._key(key):
                    return None
                columns = {column: file[column] for column in COLUMNS}
                return Predictions(**columns), tuple(float(file[name]) for name in TIMES)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # the fold is then run again, which mends it

    def _path(self, name, fold):
        return self.folder / name / f"fold-{fold + 1}.npz"

    @staticmethod
    def _key(key):
        return f"{skbreast.__version__} {key}"
