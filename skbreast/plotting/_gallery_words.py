"""What a gallery is made from, and what it says: predictions of patches, and their captions."""

import numpy as np
from sklearn.utils.validation import _num_samples

from skbreast._predictions import Predictions
from skbreast._warn import warn_user
from skbreast.plotting._choosing import decide
from skbreast.plotting._predictions_input import check_predictions
from skbreast.plotting._shown import shorten

__all__ = ["kind_of", "tell_score", "unpack", "write_caption"]


def unpack(X, y_true, y_score, groups, pos_label, threshold, target_names):
    """Return what was decided, patient ids or None, rows of X, and names of classes."""
    _refuse_wrong_order(X, y_true)
    n_patches, rows = _num_samples(X), None
    if isinstance(y_true, Predictions):
        rows = y_true.rows
    elif groups is None and np.ndim(y_true) == 1:
        groups = np.arange(_num_samples(y_true))
    judged = check_predictions(
        y_true, y_score, groups, pos_label=pos_label, target_names=target_names
    )
    _check_rows(rows, n_patches, len(judged.y_true))
    rows = np.arange(n_patches) if rows is None else rows
    decided = decide(judged.y_true, judged.y_score, y_pred=judged.y_pred, threshold=threshold)
    # Where no patients are known, each patch stands for one under its own number.
    unknown = np.array_equal(judged.groups, rows)
    return decided, None if unknown else judged.groups, rows, judged.class_names


def _refuse_wrong_order(X, y_true):
    order = "the order is X, y_true, y_score, groups, or X, Predictions"
    if isinstance(X, Predictions):
        raise ValueError(f"X must hold patches, and here are Predictions in its place: {order}.")
    if not isinstance(y_true, Predictions) and np.ndim(y_true) == 4:
        raise ValueError(f"y_true must hold labels, and here are patches in their place: {order}.")


def _check_rows(rows, n_patches, n_judged):
    """Refuse patches that cannot be those that were judged; warn where they hardly can."""
    if rows is None or not len(rows):
        if rows is None and n_judged != n_patches:
            raise ValueError(
                f"X must hold the patches that were predicted, {n_judged} patches; it holds "
                f"{n_patches}."
            )
        return
    low, high = np.min(rows), np.max(rows)
    if low < 0 or high >= n_patches:
        raise ValueError(
            "X must hold the patches that were predicted, rows "
            f"{'up to ' + str(high) if low >= 0 else 'from ' + str(low)}; it holds {n_patches}."
        )
    # Rows of a part of X, as of official folds, leave gaps; without any it was all of something.
    if high + 1 < n_patches and len(np.unique(rows)) == high + 1:
        warn_user(
            f"The predictions are of all rows from 0 to {high:,}, and X holds {n_patches:,} "
            "patches: if other patches were judged, wrong ones are shown. Give the X that was "
            f"judged; if it was the beginning of this one, X[:{high + 1}]."
        )


def kind_of(decided, position):
    return "right" if decided.y_true[position] == decided.y_pred[position] else "wrong"


def write_caption(decided, groups, names, position):
    label, predicted = (shorten(names[each[position]]) for each in (decided.y_true, decided.y_pred))
    lines = [f"label {label}", f"predicted {predicted}", f"score {decided.score[position]:.2f}"]
    if groups is not None:
        who = shorten(groups[position])
        lines.append(who if who.lower().startswith("patient") else f"patient {who}")
    return "\n".join(lines)


def tell_score(names):
    what = shorten(names[1], 40) if len(names) == 2 else "the predicted class"
    return f"score: probability of {what}"
