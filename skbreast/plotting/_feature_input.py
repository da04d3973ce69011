"""What a map of features is made from: the transformer, the patches that are shown, the names."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array, check_random_state

from skbreast._patients import by_patient, check_labels
from skbreast._unwrap import unwrapped
from skbreast._validation import is_references
from skbreast.datasets._base import thin

__all__ = ["check_features", "check_names", "choose_rows", "find_transformer"]

MOST_LABELS = 20


def find_transformer(estimator):
    """Return what makes features in a transformer, a pipeline or a search."""
    estimator = unwrapped(estimator)
    if hasattr(estimator, "steps") and (is_classifier(estimator) or is_regressor(estimator)):
        if len(estimator.steps) > 1:
            return estimator[:-1]
    elif hasattr(estimator, "transform"):
        return estimator
    raise ValueError(
        "estimator must be a fitted transformer, or a fitted pipeline with transformers before "
        f"its last step; this {type(estimator).__name__} makes no features."
    )


def check_features(features):
    """Return features as a float64 array of at least 3 patches and 2 features that differ."""
    if is_references(features) or np.ndim(features) == 4:
        what = "references" if np.ndim(features) == 1 else f"of shape {np.shape(features)}"
        raise ValueError(
            "features must have the shape (n_patches, n_features), and here are patches "
            f"themselves, {what}: give what a transformer makes of them, or give them with a "
            "fitted transformer to from_estimator."
        )
    features = check_array(
        features,
        dtype=np.float64,
        input_name="features",
        ensure_min_samples=3,
        ensure_min_features=2,
    )
    if (features == features[0]).all():
        raise ValueError("features are the same for all patches; there is nothing to map.")
    return features


def choose_rows(y, groups, n_patches, max_patches, random_state):
    """Return labels and patients of the patches that are shown, and which patches these are."""
    if y is None and groups is None:
        raise ValueError("Give y, groups or both: a map without labels and patients says nothing.")
    if y is not None:
        y = check_labels(y, name="y")
        if len(y) != n_patches:
            raise ValueError(f"y has {len(y)} entries for {n_patches} patches.")
        if len(np.unique(y)) > MOST_LABELS:
            raise ValueError(f"y must hold at most {MOST_LABELS} labels; got {len(np.unique(y))}.")
    if groups is not None:
        groups = np.asarray(groups)
        by_patient(groups, n_samples=n_patches)
    target = np.zeros(n_patches) if y is None else y
    rows = thin(target, groups, max_patches, check_random_state(random_state))
    return (
        None if y is None else y[rows],
        None if groups is None else groups[rows],
        rows,
    )


def check_names(target_names, y):
    """Return the labels' names as a list of str, or None where there are none."""
    if target_names is None or y is None:
        return None
    n_labels = len(np.unique(y))
    if len(target_names) != n_labels:
        raise ValueError(f"target_names has {len(target_names)} entries for {n_labels} labels.")
    return [str(name) for name in target_names]
