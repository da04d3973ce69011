"""Mean and standard deviation of the colour channels of patches."""

import numpy as np

from skbreast.texture._planes import check_stack

__all__ = ["color_moments"]

_N_VALUES = 2**22  # turned into float64 at once: 32 MiB


def color_moments(patches):
    """Return the mean and the standard deviation of every channel of every patch.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, channels)
        Finite numbers within ±1e15; uint8 0…255 as a rule.

    Returns
    -------
    ndarray of shape (n_patches, 2 * channels), float32
        The means of all channels, then their (population) standard deviations, in the unit of
        `patches`. Computed in float64, a few patches at a time: a batch is never copied whole.

    Raises
    ------
    ValueError
        If `patches` isn't 4-D, has no pixels or channels, or no finite numbers within 1e15.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.texture import color_moments
    >>> patch = np.array([[[0, 10, 255], [4, 10, 255]]], dtype=np.uint8)
    >>> color_moments(patch[None]).tolist()
    [[2.0, 10.0, 255.0, 2.0, 0.0, 0.0]]
    """
    patches = check_stack(patches)
    n_patches, height, width, n_channels = patches.shape
    moments = np.empty((n_patches, 2 * n_channels), dtype=np.float32)
    step = max(1, _N_VALUES // (height * width * n_channels))
    for start in range(0, n_patches, step):
        block = patches[start : start + step].reshape(-1, height * width, n_channels)
        moments[start : start + step] = _block_moments(block)
    return moments


def _block_moments(block):
    # channels before pixels: sums then run along contiguous memory, several times faster
    values = np.moveaxis(block, 2, 1).astype(np.float64, order="C")
    means = values.mean(axis=2)
    values -= means[:, :, None]
    variances = np.einsum("ncp,ncp->nc", values, values) / values.shape[2]
    return np.hstack([means, np.sqrt(variances)])
