"""How far a score falls when a part of the patch is covered (Zeiler & Fergus 2014)."""

import numpy as np

from skbreast._patches import CHUNK

__all__ = ["class_scores", "occlusion_maps", "window_starts"]

COVERED_BYTES = 32 * 2**20


def window_starts(length, window, stride):
    """Return where windows begin along a side, the last of them flush with its end.

    Parameters
    ----------
    length, window, stride : int
        Pixels of the side, of a window, and from one window to the next.

    Returns
    -------
    ndarray of int
    """
    last = length - window
    return np.unique(np.append(np.arange(0, last + 1, stride), last))


def class_scores(model, X, classes):
    """Return each patch's score of its class, in the terms in which the model decides.

    Parameters
    ----------
    model : classifier
        Fitted. Its decision function is taken, or its probabilities if it has none.
    X : ndarray
        Patches.
    classes : ndarray of int, shape (n_patches,)
        Numbers of classes.

    Returns
    -------
    ndarray of shape (n_patches,), float64
    """
    decide = getattr(model, "decision_function", None)
    scores = None if decide is None else np.asarray(decide(X), dtype=np.float64)
    if scores is not None and scores.ndim == 1:
        return scores * (2.0 * classes - 1)
    if scores is None or scores.shape[1] != len(model.classes_):
        scores = np.asarray(model.predict_proba(X), dtype=np.float64)
    return scores[np.arange(len(scores)), classes]


def occlusion_maps(model, source, classes, *, window, stride, fill):
    """Cover a window at a time and map the fall of the score, averaged over windows at a pixel.

    Parameters
    ----------
    model : classifier
        Fitted, on 4-D arrays of patches.
    source : skbreast._patches.PatchSource
        The patches.
    classes : ndarray of int, shape (n_patches,)
        The class whose score it is, for each patch.
    window, stride : tuple of (int, int)
        Height and width in pixels, and pixels from a window to the next.
    fill : "mean" or ndarray
        The colour in the window: the patch's own mean, or one for all, per channel.

    Returns
    -------
    ndarray of shape (n_patches, height, width), float32
    """
    sides = source.shape[:2]
    corners = [
        (top, left)
        for top in window_starts(sides[0], window[0], stride[0])
        for left in window_starts(sides[1], window[1], stride[1])
    ]
    areas = [np.s_[top : top + window[0], left : left + window[1]] for top, left in corners]
    falls = _falls(model, source.kept(), classes, areas, fill)
    return _spread(falls, areas, sides)


def _falls(model, source, classes, areas, fill):
    """Return ``(n_patches, n_areas)``: by how much the score falls when an area is covered."""
    whole = [class_scores(model, patches, classes[rows]) for rows, patches in source.chunks(CHUNK)]
    n_bytes = int(np.prod(source.shape)) * source.dtype.itemsize
    step = max(1, COVERED_BYTES // n_bytes)
    n_pictures = len(source) * len(areas)
    covered = []
    for start in range(0, n_pictures, step):
        rows, numbers = np.divmod(np.arange(start, min(start + step, n_pictures)), len(areas))
        pictures = _covered(source, rows, [areas[number] for number in numbers], fill)
        covered.append(class_scores(model, pictures, classes[rows]))
    covered = np.concatenate(covered).reshape(len(source), len(areas))
    return np.concatenate(whole)[:, None] - covered


def _covered(source, rows, areas, fill):
    patches = source.take(slice(rows[0], rows[-1] + 1))
    colors = patches.mean(axis=(1, 2)) if isinstance(fill, str) else [fill] * len(patches)
    pictures = patches[rows - rows[0]]
    for picture, row, area in zip(pictures, rows, areas, strict=True):
        picture[area] = colors[row - rows[0]]
    return pictures


def _spread(falls, areas, sides):
    """Give every pixel the mean over the areas that cover it."""
    maps = np.zeros((len(falls), *sides))
    n_covers = np.zeros(sides)
    for number, area in enumerate(areas):
        maps[:, *area] += falls[:, number, None, None]
        n_covers[area] += 1
    return (maps / np.maximum(n_covers, 1)).astype(np.float32)
