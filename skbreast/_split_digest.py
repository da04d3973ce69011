"""Who was tested on what: a digest, by which two figures can be told to be of one split."""

import numpy as np

from skbreast._fingerprints import digest_text

__all__ = ["has_patients", "split_digest"]


def split_digest(predictions):
    """Digest which patch of which patient was tested in which fold.

    Parameters
    ----------
    predictions : Predictions
        Of one model.

    Returns
    -------
    str
        16 hexadecimal digits, which do not hang on the order of the patches.
    """
    rows = _rows(predictions)
    folds = np.asarray(predictions.folds).tolist()
    lines = sorted(zip(folds, map(str, predictions.groups), rows.tolist(), strict=True))
    return digest_text("\n".join(f"{fold}\t{who}\t{row}" for fold, who, row in lines))[:16]


def has_patients(predictions):
    """Tell whether patients are known; where they are not, each patch stands for one by its row.

    Parameters
    ----------
    predictions : Predictions
        Of one model.

    Returns
    -------
    bool
    """
    return not np.array_equal(predictions.groups.astype(str), _rows(predictions).astype(str))


def _rows(predictions):
    n_patches = len(predictions.y_true)
    return np.arange(n_patches) if predictions.rows is None else np.asarray(predictions.rows)
