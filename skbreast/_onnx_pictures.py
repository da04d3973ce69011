"""Steps on pictures as ONNX operations: resizing as Pillow does it, padding, colour features."""

from functools import partial
from typing import NamedTuple

import numpy as np
from skimage.color import hed_from_rgb, rgb2xyz
from skimage.color.colorconv import xyz_from_rgb, xyz_tristimulus_values

from skbreast._patches import fit_patches

__all__ = ["Pictures", "color_features", "read", "resize", "resize_weights"]

WEIGHT_STEPS = 2**22  # Pillow's weights are multiples of its inverse
SINGLE_FLOAT_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)


class Pictures(NamedTuple):
    """Patches in a graph.

    Attributes
    ----------
    tensor : str
        ``(n, height, width, channels)``, uint8.
    shape : tuple of (int, int, int)
        Height, width and channels.
    """

    tensor: str
    shape: tuple[int, int, int]


def resize_weights(n_in, n_out):
    """Return what each pixel of a row adds to each one of the resized row, as in Pillow.

    Bilinear interpolation; the triangle is widened by the scale where the row is shrunk.

    Parameters
    ----------
    n_in, n_out : int
        Pixels before and after.

    Returns
    -------
    ndarray of shape (n_out, n_in), float64
        Rows sum to 1, but for the rounding to multiples of 2**-22.
    """
    scale = n_in / n_out
    support = max(scale, 1.0)
    centers = (np.arange(n_out)[:, None] + 0.5) * scale
    first = np.maximum((centers - support + 0.5).astype(int), 0)
    end = np.minimum((centers + support + 0.5).astype(int), n_in)
    pixels = np.arange(n_in)
    weights = np.maximum(1 - np.abs((pixels - centers + 0.5) / support), 0)
    weights[(pixels < first) | (pixels >= end)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    return np.floor(weights * WEIGHT_STEPS + 0.5) / WEIGHT_STEPS


def resize(graph, pictures, size):
    """Add a resizing that gives Pillow's pixels, bit for bit.

    Sums are of whole multiples of 2**-22, exact in float64, so rounding falls as Pillow's does.
    """
    height, width, channels = pictures.shape
    if (height, width) == tuple(size):
        return pictures
    passes = {
        "columns": lambda x: graph.add("MatMul", x, resize_weights(width, size[1]).T),
        "rows": lambda x: graph.add("MatMul", resize_weights(height, size[0]), x),
    }
    changed = {"columns": width != size[1], "rows": height != size[0]}
    tensor = graph.cast(graph.add("Transpose", pictures.tensor, perm=[0, 3, 1, 2]), np.float64)
    for name in _order((height, width), size):
        if changed[name]:
            tensor = _round(graph, passes[name](tensor))
    tensor = graph.add("Transpose", graph.cast(tensor, np.uint8), perm=[0, 2, 3, 1])
    return Pictures(tensor, (*size, channels))


def _round(graph, tensor):
    rounded = graph.add("Floor", graph.add("Add", tensor, 0.5))
    return graph.add("Clip", rounded, 0.0, 255.0)


def _order(size, wanted):
    """Ask Pillow whether it resizes columns or rows first: versions differ where scales do."""
    patch = np.random.default_rng(0).integers(256, size=(1, *size, 3)).astype(np.uint8)
    found = fit_patches(patch, wanted)[0]
    across, down = resize_weights(size[1], wanted[1]), resize_weights(size[0], wanted[0])
    columns = partial(np.einsum, "ow,hwc->hoc", across)
    rows = partial(np.einsum, "oh,hwc->owc", down)
    first = _rounded(rows(_rounded(columns(patch[0]))))
    second = _rounded(columns(_rounded(rows(patch[0]))))
    far = [np.count_nonzero(each != found) for each in (first, second)]
    return ("columns", "rows") if far[0] <= far[1] else ("rows", "columns")


def _rounded(pixels):
    return np.clip(np.floor(pixels + 0.5), 0, 255)


def read(graph, reader, pictures):
    """Add what a `PatchReader` does to patches that are read already."""
    height, width = reader.patch_shape_[:2]
    if reader.fitting == "resize":
        return resize(graph, pictures, (height, width))
    scale = min(1.0, height / pictures.shape[0], width / pictures.shape[1])
    inner = tuple(max(1, round(side * scale)) for side in pictures.shape[:2])
    pictures = resize(graph, pictures, inner)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    around = np.array([0, top, left, 0, 0, height - inner[0] - top, width - inner[1] - left, 0])
    white = np.array(255, dtype=np.uint8)
    padded = graph.add("Pad", pictures.tensor, around, white)
    return Pictures(padded, (height, width, pictures.shape[2]))


def color_features(graph, step, pictures):
    """Add what `ColorFeatures` measures."""
    pixels = graph.add("Reshape", pictures.tensor, np.array([0, -1, pictures.shape[2]]))
    n_pixels = pictures.shape[0] * pictures.shape[1]
    columns = []
    for space in step.spaces:
        values = _CONVERTERS[space](graph, pixels)
        means = graph.add("ReduceMean", values, np.array([1]), keepdims=1)
        away = graph.add("Sub", values, means)
        squares = graph.add("ReduceMean", graph.add("Mul", away, away), np.array([1]), keepdims=0)
        columns += [graph.add("Squeeze", means, np.array([1])), graph.add("Sqrt", squares)]
        columns += _quantiles(graph, values, step.quantiles, n_pixels)
    return graph.add("Concat", *columns, axis=1)


def _quantiles(graph, values, quantiles, n_pixels):
    """Add quantiles of ``(n, pixels, channels)`` numbers, each between its two neighbours."""
    if not len(quantiles):
        return []
    ascending = graph.add("TopK", values, np.array([n_pixels]), n_outputs=2, axis=1, largest=0)
    columns = []
    for quantile in quantiles:
        place = quantile * (n_pixels - 1)
        low = int(place)
        high = min(low + 1, n_pixels - 1)
        below, above = (graph.add("Gather", ascending, np.array(at), axis=1) for at in (low, high))
        step = graph.add("Mul", graph.add("Sub", above, below), float(place - low))
        columns.append(graph.add("Add", below, step))
    return columns


def _as_they_are(graph, pixels):
    return graph.cast(pixels, np.float64)


def _look_up(graph, pixels, table):
    """Replace each of 256 levels by what stands in a table, in float64."""
    return graph.add("Gather", table.astype(np.float64), graph.cast(pixels, np.int32))


def _lab(graph, pixels):
    """CIELAB of D65, as `skimage.color.rgb2lab`; see there for its numbers."""
    grey = np.repeat(SINGLE_FLOAT_LEVELS[:, None], 3, axis=1)
    linear = np.linalg.solve(xyz_from_rgb, rgb2xyz(grey).astype(np.float64).T)[0]
    white = xyz_tristimulus_values(illuminant="D65", observer="2")
    xyz = graph.add("MatMul", _look_up(graph, pixels, linear), (xyz_from_rgb.T / white))
    root = graph.add("Pow", graph.add("Max", xyz, 1e-9), 1 / 3)
    line = graph.add("Add", graph.add("Mul", xyz, 7.787), 16 / 116)
    bent = graph.add("Where", graph.add("Greater", xyz, 0.008856), root, line)
    mixed = np.array([[0.0, 500, 0], [116, -500, 200], [0, 0, -200]])
    return graph.add("Add", graph.add("MatMul", bent, mixed), np.array([-16.0, 0, 0]))


def _hed(graph, pixels):
    """Densities of haematoxylin, eosin and DAB, as `skimage.color.rgb2hed`."""
    table = np.log(np.maximum(SINGLE_FLOAT_LEVELS, 1e-6)) / np.log(1e-6)
    stains = graph.add("MatMul", _look_up(graph, pixels, table), hed_from_rgb)
    return graph.add("Max", stains, 0.0)


_CONVERTERS = {"rgb": _as_they_are, "lab": _lab, "hed": _hed}
