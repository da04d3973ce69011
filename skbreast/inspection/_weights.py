"""From feature maps and gradients to one map: pure functions on arrays."""

import numpy as np

__all__ = ["COMBINE", "gradcam", "gradcam_plus_plus", "scaled"]


def gradcam(maps, gradients):
    """Return the sum of feature maps, each weighted by the sum of its gradients (Selvaraju 2017).

    The paper takes the mean of the gradients. With their sum, the mean of the result over its
    pixels is the score itself, less its constant, where the score is linear in the maps' means.

    Parameters
    ----------
    maps : ndarray of shape (n, h, w, d)
        Feature maps.
    gradients : ndarray of shape (n, h, w, d)
        Gradients of the score by them.

    Returns
    -------
    ndarray of shape (n, h, w)
        Positive where the score rises; nothing is cut off.
    """
    return np.einsum("nhwd,nd->nhw", maps, gradients.sum(axis=(1, 2)))


def gradcam_plus_plus(maps, gradients):
    """Return the sum of feature maps weighted as in Grad-CAM++ (Chattopadhay 2018).

    The score goes through an exponential there, which all derivatives share: that factor of a
    patch's own is left out, so that patches can be compared.

    Parameters and return value are those of :func:`gradcam`.
    """
    rising = np.maximum(gradients, 0)
    # Maps with pixels below zero may have a sum below zero: a pole, which the paper's ReLU spares.
    total = np.maximum(maps.sum(axis=(1, 2), keepdims=True), 0)
    weights = (rising / (2 + total * rising)).sum(axis=(1, 2))
    return np.einsum("nhwd,nd->nhw", maps, weights)


COMBINE = {"gradcam": gradcam, "gradcam++": gradcam_plus_plus}
"""The methods that take feature maps, by name."""


def scaled(maps, normalize):
    """Divide maps by the largest magnitude, that of each patch or of all.

    Parameters
    ----------
    maps : ndarray of shape (n, h, w)
        The maps.
    normalize : {None, "patch", "all"}
        Whose largest; None leaves them.

    Returns
    -------
    ndarray of shape (n, h, w)
        Maps that are 0 everywhere stay so.
    """
    if normalize is None:
        return maps
    largest = np.abs(maps).max(axis=(1, 2) if normalize == "patch" else None, keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
