"""Reinhard's colour transfer: give a patch the means and deviations of a target's colours."""

from typing import NamedTuple

import numpy as np

from skbreast._rgb_patches import check_rgb_batch
from skbreast._validation import check_choice
from skbreast.color._checks import check_looks, constant
from skbreast.color._color_spaces import COLOR_SPACES, from_response, to_response
from skbreast.color._densities import check_background_and_density, has_stain, thin_pixels
from skbreast.color._density_maps import chunks_of, tiles_of

__all__ = ["REINHARD_REFERENCES", "ColorStatistics", "color_statistics", "exchange_colors"]


N_MEASURED = 2**18


class ColorStatistics(NamedTuple):
    """Mean and standard deviation of the colours of each patch.

    Attributes
    ----------
    means : ndarray of shape (n_patches, 3), float64
        Means along the axes of a colour space: L* 0…100, a*, b*; or l, alpha, beta. NaN where a
        patch has no stain to be measured.
    deviations : ndarray of shape (n_patches, 3), float64
        Standard deviations. NaN likewise.
    """

    means: np.ndarray
    deviations: np.ndarray


REINHARD_REFERENCES = {
    "lab": constant(ColorStatistics([[61.6, 22.1, -7.4]], [[16.2, 8.2, 6.2]])),
    "lalphabeta": constant(
        ColorStatistics(
            (np.array([[8.63234435, -0.11501964, 0.03868433]]) - [np.sqrt(3) * np.log(255), 0, 0])
            / np.log(10),
            np.array([[0.57506023, 0.10403329, 0.01364062]]) / np.log(10),
        )
    ),
}
"""Targets by space: the mean of IDC's and of BreakHis' median patient, brought to
:data:`MACENKO_REFERENCE`; and the default of HistomicsTK, which counts in natural logarithms."""


def color_statistics(patches, *, space="lab", background=240.0, min_density=0.01):
    """Measure mean and standard deviation of the colours of each patch.

    All pixels count, of patches of more than 262,144 so many.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255.
    space : {"lab", "lalphabeta"}, default="lab"
        CIELAB (sRGB, D65), as most implementations for histology; or Ruderman's space of
        logarithms of cone responses, as the paper.
    background : float, default=240
        Intensity of the empty slide, to tell which patches hold stain.
    min_density : float, default=0.01
        Optical density (log10) from which on a pixel is stained, likewise.

    Returns
    -------
    ColorStatistics
        Means and deviations; NaN where a patch has no stain to be measured.

    Raises
    ------
    TypeError
        If `patches` aren't uint8.
    ValueError
        If `patches` aren't four-dimensional RGB, or there is no such space.

    References
    ----------
    Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", IEEE Computer
    Graphics and Applications 21 (2001).

    Examples
    --------
    >>> from skbreast.color import color_statistics
    >>> from skbreast.datasets import make_patches
    >>> statistics = color_statistics(make_patches(2, 2, random_state=0).data)
    >>> statistics.means.shape, statistics.deviations.shape
    ((4, 3), (4, 3))
    """
    check_background_and_density(background, min_density)
    patches = thin_pixels(check_rgb_batch(patches), N_MEASURED)
    space = COLOR_SPACES[check_choice(space, name="space", choices=tuple(COLOR_SPACES))]
    found = [_statistics_of_few(patches[part], space) for part in chunks_of(patches)]
    statistics = ColorStatistics(*(np.concatenate(each) for each in zip(*found, strict=True)))
    unsure = ~has_stain(patches, background=background, min_density=min_density)
    unsure |= statistics.deviations.min(axis=1) < space.least_deviation
    for values in statistics:
        values[unsure] = np.nan
    return statistics


def _statistics_of_few(patches, space):
    coordinates = space.axes.astype(np.float32) @ to_response(patches, space)
    means = coordinates.mean(axis=2, keepdims=True)
    coordinates -= means
    variances = np.einsum("ncp,ncp->nc", coordinates, coordinates) / coordinates.shape[2]
    return means[:, :, 0].astype(np.float64) + space.origin, np.sqrt(variances.astype(np.float64))


def exchange_colors(patches, statistics, target, *, space="lab"):
    """Give patches the mean and standard deviation of a target's colours.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches 0…255. They are not changed.
    statistics : ColorStatistics
        Those of each patch, or one for all. Where they are NaN, patches come back as they are.
    target : ColorStatistics
        One for all, in the same space.
    space : {"lab", "lalphabeta"}, default="lab"
        The colour space, see :func:`color_statistics`.

    Returns
    -------
    ndarray of shape (n_patches, height, width, 3), uint8
        New patches; colours that do not exist are clipped.

    Raises
    ------
    TypeError
        If `patches` aren't uint8, or statistics and target not :class:`ColorStatistics`.
    ValueError
        If `patches` aren't four-dimensional RGB, there is no such space, or statistics and target
        are not as above or out of any range of colours.

    References
    ----------
    Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", IEEE Computer
    Graphics and Applications 21 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.color import ColorStatistics, color_statistics, exchange_colors
    >>> from skbreast.datasets import make_patches
    >>> patches = make_patches(2, 2, random_state=0).data
    >>> target = ColorStatistics(np.array([[65, 25, -15]]), np.array([[12, 8, 6]]))
    >>> changed = exchange_colors(patches, color_statistics(patches), target)
    >>> bool(np.allclose(color_statistics(changed).means, target.means, atol=1.5))
    True
    """
    check_rgb_batch(patches)
    space = COLOR_SPACES[check_choice(space, name="space", choices=tuple(COLOR_SPACES))]
    statistics, target, measured = check_looks(
        statistics, target, kind=ColorStatistics, shapes=((3,), (3,)), name="statistics",
        n_patches=len(patches),
    )  # fmt: skip
    means = np.where(measured[:, None], statistics.means, target.means)
    gains = target.deviations / np.where(measured[:, None], statistics.deviations, 1)
    shifts = gains * (space.origin - means) + target.means - space.origin
    back = np.linalg.inv(space.axes)
    slopes = (back * gains[:, None, :] @ space.axes).astype(np.float32)
    shifts = (shifts @ back.T)[:, :, None].astype(np.float32)
    exchanged = np.empty(patches.shape, dtype=np.uint8)
    for part, rows in tiles_of(patches):
        responses = slopes[part] @ to_response(patches[part, rows], space)
        responses += shifts[part]
        exchanged[part, rows] = from_response(responses, space).reshape(patches[part, rows].shape)
    exchanged[~measured] = patches[~measured]
    return exchanged
