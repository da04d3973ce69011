"""Colour spaces as two matrices around a curve, so that a whole batch goes there and back fast."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skbreast._rgb_patches import pixel_rows

__all__ = ["COLOR_SPACES", "ColorSpace", "from_response", "to_response"]

FARTHEST = 32  # response: light of 2**32, where 1 is the brightest
N_LEVELS = 2**14  # of linear light on the way back: finer than uint8 anywhere


class ColorSpace(NamedTuple):
    """Light of three primaries, through a curve to a response, of which the axes are sums.

    Attributes
    ----------
    light : ndarray of shape (256,), float32
        Linear light 0…1 of each level of uint8.
    levels : ndarray of shape (16384,), uint8
        The nearest level of light, evenly spaced over 0…1.
    primaries : ndarray of shape (3, 3)
        Each row of the product with linear red, green, blue is one primary.
    curve, inverse_curve : callable
        From primaries to responses, and back.
    axes : ndarray of shape (3, 3)
        Each row of the product with the responses, plus `origin`, is one coordinate.
    origin : ndarray of shape (3,)
        The coordinates of no response.
    least_deviation : float
        Standard deviation below which a coordinate is the same in all of a patch.
    """

    light: np.ndarray
    levels: np.ndarray
    primaries: np.ndarray
    curve: Callable
    inverse_curve: Callable
    axes: np.ndarray
    origin: np.ndarray
    least_deviation: float


def to_response(patches, space):
    """Return the responses to patches, channels before pixels.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        Patches.
    space : ColorSpace
        The colour space.

    Returns
    -------
    ndarray of shape (n_patches, 3, n_pixels), float32
        Responses.
    """
    planes = np.ascontiguousarray(pixel_rows(patches).swapaxes(1, 2))
    return space.curve(space.primaries.astype(np.float32) @ space.light.take(planes))


def from_response(responses, space):
    """Return pixels of which these are the responses; what has no colour is clipped.

    Parameters
    ----------
    responses : ndarray of shape (n_patches, 3, n_pixels), float32
        Responses.
    space : ColorSpace
        The colour space.

    Returns
    -------
    ndarray of shape (n_patches, n_pixels, 3), uint8
        Pixels.
    """
    back = np.linalg.inv(space.primaries).astype(np.float32) * np.float32(N_LEVELS - 1)
    light = back @ space.inverse_curve(responses)
    np.clip(light, 0, N_LEVELS - 1, out=light)
    light += np.float32(0.5)
    planes = space.levels.take(light.astype(np.uint16))
    pixels = np.empty((len(planes), planes.shape[2], 3), dtype=np.uint8)
    for channel in range(3):  # three times as fast as copying the array transposed
        pixels[:, :, channel] = planes[:, channel]
    return pixels


def _nearest_levels(light):
    levels = np.interp(np.linspace(0, 1, N_LEVELS), light, np.arange(256))
    return np.rint(levels).astype(np.uint8)


def _srgb_light():
    levels = np.arange(256) / 255
    light = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    return light.astype(np.float32)


def _cie_curve(primaries):
    responses = np.cbrt(primaries)
    dark = primaries <= 0.008856
    if dark.any():  # rare in tissue
        responses[dark] = 7.787 * primaries[dark] + 16 / 116
    return responses


def _cie_inverse_curve(responses):
    primaries = responses * responses
    primaries *= responses
    dark = responses <= 0.2068966
    if dark.any():
        primaries[dark] = (responses[dark] - 16 / 116) / 7.787
    return primaries


def _exp2(responses):
    return np.exp2(np.clip(responses, -FARTHEST, FARTHEST))


_XYZ_FROM_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([[0.95047], [1.0], [1.08883]])  # D65
_LMS_FROM_RGB = np.array(
    [[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]]
)
_DECIMAL = np.log10(2)  # the paper's logarithm, from the binary one

_SRGB = _srgb_light()
_EVEN = (np.maximum(np.arange(256), 1) / 255).astype(np.float32)

COLOR_SPACES = {
    "lab": ColorSpace(
        _SRGB,
        _nearest_levels(_SRGB),
        _XYZ_FROM_RGB / _WHITE,
        _cie_curve,
        _cie_inverse_curve,
        np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=float),
        np.array([-16.0, 0.0, 0.0]),
        0.2,
    ),
    "lalphabeta": ColorSpace(
        _EVEN,
        _nearest_levels(_EVEN),
        _LMS_FROM_RGB,
        np.log2,
        _exp2,
        _DECIMAL * np.diag(1 / np.sqrt([3, 6, 2])) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]),
        np.zeros(3),
        0.002,
    ),
}
"""CIELAB as scikit-image has it, and Ruderman's space, which Reinhard's paper takes."""
