"""Stain normalisation of batches, beside torchstain's and TIAToolbox's of picture after picture."""

from functools import partial

import numpy as np

from benchmarks.contest import Contest
from skbreast.datasets import make_patches

SIZES = {"50x50": (50, 50), "224x224": (224, 224), "700x460": (460, 700)}
COUNTS = {"50x50": 2000, "224x224": 200, "700x460": 40}
GOALS = {"50x50": 5, "224x224": 2, "700x460": None}


def invented(n, size):
    """Return invented patches of a size, 24 different ones over and over."""
    height, width = SIZES[size]
    patches = make_patches(6, 4, patch_size=max(height, width), random_state=0).data
    patches = patches[:, :height, :width]
    return np.ascontiguousarray(patches[np.arange(n) % len(patches)])


def ours(n, size, method, n_jobs=None):
    """Transform the batch, one or several threads."""
    from skbreast import stain

    patches = invented(n, size)
    normalizer = getattr(stain, f"{method}Normalizer")(n_jobs=n_jobs).fit(patches[:1])
    return partial(normalizer.transform, patches)


def torchstain_numpy(n, size, method):
    """Normalise picture after picture in numpy."""
    from torchstain.numpy import normalizers

    patches = invented(n, size)
    normalizer = getattr(normalizers, f"Numpy{method}Normalizer")()
    normalizer.fit(patches[0])
    options = {"stains": False} if method == "Macenko" else {}
    return lambda: [normalizer.normalize(patch, **options) for patch in patches]


def torchstain_torch(n, size, method):
    """Normalise picture after picture in torch."""
    import torch
    from torchstain.torch import normalizers

    patches = torch.from_numpy(invented(n, size)).permute(0, 3, 1, 2).contiguous()
    normalizer = getattr(normalizers, f"Torch{method}Normalizer")()
    normalizer.fit(patches[0])
    options = {"stains": False} if method == "Macenko" else {}

    def work():
        with torch.inference_mode():
            return [normalizer.normalize(patch, **options) for patch in patches]

    return work


def tiatoolbox(n, size, method):
    """Normalise picture after picture with TIAToolbox."""
    from tiatoolbox.tools import stainnorm

    patches = invented(n, size)
    normalizer = getattr(stainnorm, f"{method}Normalizer")()
    normalizer.fit(patches[0])
    return lambda: [normalizer.transform(patch) for patch in patches]


def scikit_learn(n, size, method):
    """Find the stains of picture after picture with `DictionaryLearning`, and nothing more."""
    from sklearn.decomposition import DictionaryLearning

    from skbreast.color import rgb_to_optical_density

    patches = invented(n, size)
    step = max(1, patches[0, ..., 0].size // 1024)

    def work():
        for patch in patches:
            density = rgb_to_optical_density(patch.reshape(-1, 3)[::step])
            DictionaryLearning(
                2, alpha=0.04, fit_algorithm="cd", positive_code=True, positive_dict=True
            ).fit(density)

    return work


def contests(quick):
    """Yield a contest a method and size."""
    for method in ("Reinhard", "Macenko"):
        for size, n in COUNTS.items():
            n = n // 4 if quick else n
            same = {"n": n, "size": size, "method": method}
            peers = {
                "torchstain, numpy": ("benchmarks.stain:torchstain_numpy", same),
                "torchstain, torch": ("benchmarks.stain:torchstain_torch", same),
                "TIAToolbox": ("benchmarks.stain:tiatoolbox", same),
            }
            yield Contest(
                f"{method}, {n:,} patches of {size}",
                {
                    f"{method}Normalizer": ("benchmarks.stain:ours", {**same, "n_jobs": 2}),
                    "on one thread": ("benchmarks.stain:ours", same),
                    **peers,
                },
                n,
                wanted=dict.fromkeys(peers, GOALS[size]) if GOALS[size] else {},
                note="Each brings patches to the first one, on two cores: ours on two threads, "
                "torch and OpenCV as they like. TIAToolbox leaves Reinhard's method to OpenCV, in "
                "integers of 8 bits; ours are floats.",
            )
    yield from _vahadane(quick)


def _vahadane(quick):
    n, few = (200, 4) if quick else (1000, 10)
    for size in ("50x50", "224x224"):
        same = {"size": size, "method": "Vahadane"}
        yield Contest(
            f"Vahadane, patches of {size}",
            {
                "VahadaneNormalizer": ("benchmarks.stain:ours", {**same, "n": n}),
                "TIAToolbox": ("benchmarks.stain:tiatoolbox", {**same, "n": few}),
                "DictionaryLearning": ("benchmarks.stain:scikit_learn", {**same, "n": few}),
            },
            n,
            note="DictionaryLearning of scikit-learn finds the stains only, on 1,024 pixels.",
        )
