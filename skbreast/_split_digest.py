"""One digest for who was tested on what, so that two figures can be told to be of one split."""

import numpy as np

from skbreast._fingerprints import digest_text

__all__ = ["split_digest"]


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
    n_patches = len(predictions.y_true)
    rows = np.arange(n_patches) if predictions.rows is None else np.asarray(predictions.rows)
    folds = np.asarray(predictions.folds).tolist()
    lines = sorted(zip(folds, map(str, predictions.groups), rows.tolist(), strict=True))
    return digest_text("\n".join(f"{fold}\t{who}\t{row}" for fold, who, row in lines))[:16]
