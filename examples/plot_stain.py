"""
One tissue, many looks
======================

Laboratories stain and scan differently. Here three invented patients stand for three of them; their
patches are brought to one look by three published methods, and then, the other way round, one patch
is given many looks, as a network sees it while it trains.
"""

# %%
# The patches of three laboratories
# ---------------------------------
import numpy as np

from skbreast.color import jitter_stain
from skbreast.datasets import make_patches
from skbreast.stain import MacenkoNormalizer, ReinhardNormalizer, VahadaneNormalizer

patches = make_patches(3, 3, patch_size=96, random_state=4)
owners = np.unique(patches.groups, return_inverse=True)[1]
dyes = np.array([[1.0, 1.0, 1.0], [1.0, 0.8, 0.95], [0.8, 0.9, 1.0]])  # of red, green, blue
laboratories = 255 * (patches.data / 255) ** dyes[owners, None, None]
laboratories = np.rint(laboratories).astype(np.uint8)

# %%
# Normalised
# ----------
#
# All of a laboratory's patches are measured together (``per="group"``) and brought to a reference
# that is shipped, so nothing is learned from any of them.
normalizers = {
    "as they came": None,
    "Reinhard": ReinhardNormalizer(target="reference", per="group"),
    "Macenko": MacenkoNormalizer(target="reference", per="group"),
    "Vahadane": VahadaneNormalizer(target="reference", per="group"),
}
rows = {
    name: laboratories
    if normalizer is None
    else normalizer.fit_transform(laboratories, groups=owners)
    for name, normalizer in normalizers.items()
}


def show(rows, title):
    """Draw rows of patches with their names."""
    import matplotlib.pyplot as plt

    n = max(map(len, rows.values()))
    figure, axes = plt.subplots(
        len(rows), n, figsize=(1.1 * n + 0.8, 1.15 * len(rows) + 0.5), layout="constrained"
    )
    for (name, row), line in zip(rows.items(), axes, strict=True):
        for patch, ax in zip(row, line, strict=True):
            ax.imshow(patch)
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    figure.suptitle(title)


show(rows, "Three laboratories, three patches each")

# %%
# Jittered
# --------
#
# The default of :class:`~skbreast.PatchCNNClassifier` is slight; more than that is a choice to be
# made on held-out patients.
rng = np.random.default_rng(2)
again = np.repeat(patches.data[:1], 9, axis=0)
strong = {"stain_sigma": 0.2, "stain_shift": 0.04, "brightness": 0.1, "contrast": 0.2}
show(
    {
        "default": jitter_stain(again, rng),
        "four times": jitter_stain(again, rng, **strong),
        "and turned": jitter_stain(again, rng, stain_angle=8, **strong),
    },
    "One patch, many looks",
)
