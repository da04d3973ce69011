"""What colour, texture and nuclei carry on IDC, each added to the rest, and what Gabor costs."""

import time

import numpy as np
from skimage.color import rgb2hed
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from skbreast.datasets import load_breakhis, load_idc, make_patches
from skbreast.reading import read_patch
from skbreast.texture import (
    ColorFeatures,
    NucleiFeatures,
    PFTASFeatures,
    TextureFeatures,
    texture_features,
)

SEEDS = (0, 1)
N_FOLDS = 5
WAVELENGTHS = (3, 6, 12)
BLOCKS = {
    "six colours": ColorFeatures(),
    "all colours": ColorFeatures(
        spaces=("rgb", "lab", "hed"), quantiles=(0.05, 0.25, 0.5, 0.75, 0.95)
    ),
    "texture": TextureFeatures(gabor_wavelengths=WAVELENGTHS),
    "PFTAS": PFTASFeatures(),
    "nuclei": NucleiFeatures(),
}
SETS = {
    "six colours": ("six colours",),
    "nuclei alone": ("nuclei",),
    "colours in all spaces, with quantiles": ("all colours",),
    "six colours, texture": ("six colours", "texture"),
    "… and PFTAS": ("six colours", "texture", "PFTAS"),
    "… and Gabor energies instead": ("six colours", "texture", "Gabor"),
    "… and nuclei instead": ("six colours", "texture", "nuclei"),
    "all colours, texture, nuclei": ("all colours", "texture", "nuclei"),
    "all colours, texture, nuclei, PFTAS": ("all colours", "texture", "nuclei", "PFTAS"),
}
COUNTS = {"50x50": 100, "700x460": 4}  # of patches on which the time is taken
ROUNDS = 3


def feature_blocks(references):
    """Return each block of features by name; Gabor energies apart from the rest of texture."""
    blocks = {}
    for name, transformer in BLOCKS.items():
        blocks[name] = transformer.fit_transform(references)
    is_gabor = np.char.startswith(BLOCKS["texture"].get_feature_names_out().astype(str), "gabor_")
    blocks["Gabor"] = blocks["texture"][:, is_gabor]
    blocks["texture"] = blocks["texture"][:, ~is_gabor]
    return blocks


def pooled_auc(features, y, patients, seed):
    """Return the area under the curve of all patches, each judged in its fold by patient."""
    scores = cross_val_predict(
        HistGradientBoostingClassifier(random_state=0),
        features,
        y,
        groups=patients,
        cv=StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed),
        method="predict_proba",
    )
    return roc_auc_score(y, scores[:, 1])


def compare_sets(idc):
    """Return a row a set of features: its name, its number of features, its area for each seed."""
    blocks, rows = feature_blocks(idc.data), []
    for name, parts in SETS.items():
        features = np.hstack([blocks[each] for each in parts])
        areas = [pooled_auc(features, idc.target, idc.groups, seed) for seed in SEEDS]
        rows.append({"features": name, "columns": features.shape[1], "auc": areas})
        print(name, features.shape, areas, flush=True)
    return rows


def cost_of_gabor(size):
    """Return how many times as long the texture takes with Gabor energies, in processor time."""
    width, height = (int(side) for side in size.split("x"))
    patches = make_patches(COUNTS[size], 1, patch_size=max(height, width), random_state=0).data
    patches = np.ascontiguousarray(patches[:, :height, :width])
    seconds = {}
    for wavelengths in ((), WAVELENGTHS):
        times = []
        for _ in range(ROUNDS):
            start = time.process_time()
            texture_features(patches, gabor_wavelengths=wavelengths)
            times.append(time.process_time() - start)
        seconds[wavelengths] = min(times)
    return seconds[WAVELENGTHS] / seconds[()]


def share_without_eosin(references):
    """Return the share of pixels whose eosin scikit-image cuts off at 0."""
    clipped = [rgb2hed(patch)[..., 1].ravel() <= 0 for patch in map(read_patch, references)]
    return np.concatenate(clipped).mean()


def measure(data):
    """Return all findings.

    Parameters
    ----------
    data : Path
        The folder of real patches.
    """
    idc = load_idc(data / "IDC_regular_ps50_idx5")
    breakhis = load_breakhis(data / "BreaKHis_v1")
    return {
        "patches": len(idc.data),
        "folds": N_FOLDS,
        "seeds": SEEDS,
        "gabor_wavelengths": WAVELENGTHS,
        "gabor_cost": {size: cost_of_gabor(size) for size in COUNTS},
        "without_eosin": {
            "IDC": share_without_eosin(idc.data),
            "BreakHis": share_without_eosin(breakhis.data),
        },
        "auc": compare_sets(idc),
    }
