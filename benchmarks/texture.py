"""Texture of patches, beside scikit-image's functions on patch after patch, and mahotas."""

from functools import partial

import numpy as np
from joblib import Parallel, delayed

from benchmarks.contest import Contest
from benchmarks.stain import invented

COUNTS = {"50x50": 1000, "224x224": 80, "700x460": 16}
DISTANCES, RADII, N_LEVELS = (1, 3), (1, 2, 3), 32
ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")


def ours(n, size, name, n_jobs=None):
    """Transform the batch, in one or several processes."""
    from skbreast import texture

    return partial(getattr(texture, name)(n_jobs=n_jobs).fit_transform, invented(n, size))


def _plain(patch):
    """Take the same features of one patch by scikit-image's functions alone."""
    from skimage.color import rgb2gray, rgb2hed
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    stains = rgb2hed(patch)
    planes = [rgb2gray(patch) * 255, stains[..., 0] * 2550, stains[..., 1] * 2550]
    found = []
    for plane in planes:
        levels = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        for radius in RADII:
            patterns = local_binary_pattern(levels, 8, radius, method="uniform")
            found.append(np.bincount(patterns.astype(int).ravel(), minlength=10) / levels.size)
        coarse = (levels.astype(int) * N_LEVELS // 256).astype(np.uint8)
        matrices = graycomatrix(coarse, DISTANCES, ANGLES, N_LEVELS, symmetric=True)
        found += [graycoprops(matrices, each).mean(axis=1) for each in PROPERTIES]
    return np.concatenate(found)


def scikit_image(n, size, n_jobs=None):
    """Measure patch after patch, or on several cores."""
    patches = invented(n, size)
    return lambda: Parallel(n_jobs=n_jobs)(delayed(_plain)(patch) for patch in patches)


def mahotas_pftas(n, size):
    """Take PFTAS of patch after patch and channel after channel."""
    from mahotas.features import pftas

    patches = invented(n, size)
    return lambda: [[pftas(patch[..., channel]) for channel in range(3)] for patch in patches]


def contests(quick):
    """Yield two contests a size."""
    for size, n in COUNTS.items():
        n = n // 4 if quick else n
        same = {"n": n, "size": size}
        own = {**same, "name": "TextureFeatures"}
        yield Contest(
            f"Texture, {n:,} patches of {size}",
            {
                "TextureFeatures, 2 processes": ("benchmarks.texture:ours", {**own, "n_jobs": 2}),
                "TextureFeatures, 1 process": ("benchmarks.texture:ours", own),
                "scikit-image, a loop": ("benchmarks.texture:scikit_image", same),
                "scikit-image, 2 processes": (
                    "benchmarks.texture:scikit_image",
                    {**same, "n_jobs": 2},
                ),
            },
            n,
            wanted={"scikit-image, a loop": 2},
            note="Wanted: the plain loop, times the cores.",
        )
        yield Contest(
            f"PFTAS, {n:,} patches of {size}",
            {
                "PFTASFeatures": ("benchmarks.texture:ours", {**same, "name": "PFTASFeatures"}),
                "mahotas": ("benchmarks.texture:mahotas_pftas", same),
            },
            n,
        )
