"""
What moves a network
====================

A map over a patch is easily believed. This example plants something to be found, to see that maps
find it; replaces the network's weights by random ones, to see that maps do not draw the same
whatever the network knows; and ends with maps of a network that knows nothing, which look good.
"""

# %%
# Something to be found
# ---------------------
# All patches are of one kind of invented tissue. Every second one gets a square of stripes, as
# light as what was there, and that is its label.
import numpy as np

from skbreast.datasets import make_patches

SIDE, SQUARE = 48, 12


def plant(n_patches, random_state):
    """Return patches, labels, and the upper left corners of the squares."""
    rng = np.random.default_rng(random_state)
    tissue = make_patches(
        n_patches // 4, 4, patch_size=SIDE, positive_share=0, random_state=random_state
    )
    patches, y = tissue.data.astype(float), np.arange(n_patches) % 2
    corners = rng.integers(0, SIDE - SQUARE + 1, size=(n_patches, 2))
    stripes = np.where(np.arange(SQUARE) // 2 % 2, 40, -40)[:, None, None]
    for patch, (top, left) in zip(patches[1::2], corners[1::2], strict=True):
        place = patch[top : top + SQUARE, left : left + SQUARE]
        place[:] = place.mean(axis=(0, 1)) + stripes
    return np.clip(patches, 0, 255).astype(np.uint8), y, corners


X, y, _ = plant(240, random_state=0)
X_test, y_test, corners = plant(40, random_state=1)

# %%
# Do maps find it?
# ----------------
# One of the small network's last maps has a pixel for 8 x 8 of the patch; so much around the square
# is counted as hit.
from skbreast import PatchCNNClassifier
from skbreast.inspection import activation_maps

network = PatchCNNClassifier(
    max_epochs=8, batch_size=24, augment=None, precision="float32", random_state=0
)
network.fit(X, y)
print(f"accuracy on new patches: {network.score(X_test, y_test):.2f}")

striped, corners = X_test[1::2], corners[1::2]


def share_inside(maps, margin=8):
    """Return the share of the maps' sums that lies on the squares."""
    inside = [
        each[max(0, top - margin) : top + SQUARE + margin][
            :, max(0, left - margin) : left + SQUARE + margin
        ].sum()
        for each, (top, left) in zip(maps, corners, strict=True)
    ]
    return np.mean(np.array(inside) / maps.sum(axis=(1, 2)))


for method in ("gradcam", "gradcam++", "occlusion"):
    maps = activation_maps(network, striped, method=method, target_class=1)
    print(f"{method:>9}: {share_inside(maps):.0%} on the square")
print(f"  by area: {share_inside(np.ones(striped.shape[:3])):.0%}")

# %%
import matplotlib.pyplot as plt

from skbreast.plotting import ActivationMapDisplay

names = {"target_names": ["plain", "striped"]}
ActivationMapDisplay.from_estimator(network, striped[:4], y_test[1::2][:4], **names)
plt.show()

# %%
# Do maps depend on the network?
# ------------------------------
# Adebayo et al. (2018) found that some published maps hardly change when the network's weights are
# replaced by random ones: they draw edges, whatever was learned. Ours should lose the square.
import copy

rng = np.random.default_rng(0)
ignorant = copy.deepcopy(network)
ignorant.weights_ = [
    weights if weights.ndim < 2 else rng.permutation(weights.ravel()).reshape(weights.shape)
    for weights in network.weights_
]

from scipy.stats import spearmanr

trained = activation_maps(network, striped, target_class=1, signed=True)
random = activation_maps(ignorant, striped, target_class=1, signed=True)
correlations = [
    spearmanr(*(each.ravel() for each in pair)).statistic
    for pair in zip(trained, random, strict=True)
]
print(f"rank correlation of both maps, median of patches: {np.median(correlations):.2f}")
print(f"on the square: {share_inside(np.maximum(random, 0) + 1e-9):.0%}")

# %%
# A good-looking map of nothing
# -----------------------------
# Labels are dealt at random here, so there is nothing to learn. On new patches the network is a
# coin, and its maps lie on some of the nuclei as if it knew why. They are drawn as one usually sees
# them, each by its own scale; without ``normalize`` their faintness would give them away.
tissue = make_patches(24, 8, patch_size=SIDE, random_state=2)
dealt = np.random.default_rng(2).permutation(tissue.target)
coin = PatchCNNClassifier(max_epochs=8, batch_size=24, random_state=0)
coin.fit(tissue.data[:144], dealt[:144])
print(f"accuracy on new patches: {coin.score(tissue.data[144:], dealt[144:]):.2f}")

ActivationMapDisplay.from_estimator(coin, tissue.data[144::12], dealt[144::12], normalize="patch")
plt.show()

# %%
# So look at figures on patients who are new first, and at maps afterwards: to find out *what* moved
# a model that was shown to be worth looking at; stripes of a scanner, ink, or nuclei.
