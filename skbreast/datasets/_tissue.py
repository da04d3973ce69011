"""Draw tissue: how much haematoxylin and eosin each pixel of an invented patch holds."""

from dataclasses import astuple, dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["Morphology", "draw_tissue", "morphology"]


@dataclass(frozen=True, slots=True)
class Morphology:
    """What distinguishes the tissue of a class; lengths in µm, shares in 0…1."""

    radius: float  # of a nucleus
    radius_spread: float  # standard deviation of its logarithm
    spacing: float  # of nuclei, in radii
    elongation: float  # longest over shortest axis, at most
    irregularity: float  # of the outline, in radii
    occupancy: float  # share of the places for nuclei that are taken
    vesicular: float  # how pale the middle of a nucleus is
    nucleolus: float  # how dark the nucleolus is
    epithelium: float  # share of the area
    gland: float  # probability of a gland with a lumen
    cleft: float  # probability of an empty cleft


_CLASSES = (
    Morphology(3.2, 0.08, 2.7, 1.25, 0.02, 0.80, 0.10, 0.0, 0.36, 0.55, 0.10),
    Morphology(4.7, 0.22, 2.1, 1.60, 0.09, 0.80, 0.50, 0.6, 0.68, 0.05, 0.40),
)


def morphology(label, difficulty):
    """Return the morphology of class `label`; at `difficulty` 1 both classes are the same."""
    own, other = np.array(astuple(_CLASSES[label])), np.array(astuple(_CLASSES[1 - label]))
    return Morphology(*((own + other) / 2 + (own - other) / 2 * (1 - difficulty)).tolist())


def draw_tissue(rng, side, mpp, looks):
    """Draw one patch.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the random numbers come from.
    side : int
        Height and width in pixels.
    mpp : float
        Micrometres per pixel.
    looks : Morphology
        What the tissue looks like.

    Returns
    -------
    ndarray of shape (side, side, 2), float32
        Haematoxylin and eosin, as multiples of the stains' optical densities.
    """
    angle = rng.uniform(0, np.pi)
    cells = _draw_epithelium(rng, side, mpp, looks)
    empty, glands = _draw_lumens(rng, side, mpp, looks)
    nuclei = [
        *_place_epithelial(rng, side, mpp, looks, cells, empty),
        *_place_stromal(rng, side, mpp, angle, np.maximum(cells, empty)),
        *(_place_along(rng, gland, mpp, looks) for gland in glands),
    ]
    chromatin = draw_nuclei(rng, side, mpp, np.vstack(nuclei))
    grain = smooth_noise(rng, side, 1.5 / mpp)
    stroma = _draw_stroma(rng, side, mpp, angle)
    eosin = stroma * (1 - cells) + (0.27 + 0.04 * grain) * cells
    eosin *= 1 - 0.4 * np.minimum(chromatin / 0.4, 1)
    haematoxylin = chromatin * (1 + 0.18 * grain) + 0.03 + 0.08 * cells * (1 + 0.3 * grain)
    fat, walls = _draw_fat(rng, side, mpp)
    kept = (1 - 0.95 * fat) * (1 - 0.95 * empty * (1 - np.minimum(chromatin / 0.3, 1)))
    amounts = np.stack([haematoxylin * kept, eosin * kept + 0.3 * walls], axis=-1)
    amounts = gaussian_filter(amounts, (0.35 / mpp, 0.35 / mpp, 0))
    return np.maximum(amounts, 0).astype(np.float32)


def smooth_noise(rng, side, scale):
    """Draw smooth noise of shape (side, side), mean 0 and variance 1, `scale` pixels wide."""
    rows, columns = (_spline_weights(side, scale, rng.random()) for _ in range(2))
    return rows @ rng.standard_normal((rows.shape[1], columns.shape[1])) @ columns.T


def _spline_weights(side, scale, phase):
    """Weights of random knots on each pixel: cubic B-splines, scaled to unit variance."""
    position = np.arange(side) / scale + phase
    knot = position.astype(int)
    t = position - knot
    spline = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    )
    weights = np.zeros((side, knot[-1] + 4))
    np.put_along_axis(weights, knot[:, None] + np.arange(4), spline, axis=1)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _step(x):
    """Climb smoothly from 0 (x ≤ -1) to 1 (x ≥ 1)."""
    x = np.clip((x + 1) / 2, 0, 1)
    return x * x * (3 - 2 * x)


def _draw_epithelium(rng, side, mpp, looks):
    level = 2.2 * (looks.epithelium - 0.5) + rng.normal(0, 0.35)
    return _step((smooth_noise(rng, side, 22 / mpp) + level) / 0.35)


def _draw_stroma(rng, side, mpp, angle):
    """Draw wavy bundles of collagen: a one-dimensional profile across a bent coordinate."""
    y, x = np.mgrid[:side, :side] * mpp
    across = x * np.cos(angle) + y * np.sin(angle)
    across += 5 * smooth_noise(rng, side, 25 / mpp) + 0.8 * smooth_noise(rng, side, 6 / mpp)
    profile = gaussian_filter(rng.standard_normal(512), 1.1, mode="wrap")
    fibres = np.interp(across, np.arange(512) * 0.8, profile / profile.std(), period=512 * 0.8)
    fibres = 0.6 * fibres + 0.5 * smooth_noise(rng, side, 1.2 / mpp)
    return np.maximum(0.30 + 0.065 * fibres + 0.06 * smooth_noise(rng, side, 12 / mpp), 0.03)


def _draw_lumens(rng, side, mpp, looks):
    """Draw the empty spaces: the lumens of glands and clefts. Return them and the glands."""
    y, x = np.mgrid[:side, :side] * mpp
    field, empty, glands = side * mpp, np.zeros((side, side)), []
    for _ in range(1 + rng.poisson((field / 60) ** 2 / 2)):
        if rng.random() < looks.gland:
            gland = np.array([*rng.uniform(0, field, 2), *rng.uniform(4, 13, 2), rng.uniform(0, 3)])
            glands.append(gland)
            empty = np.maximum(empty, _step(2 * (1 - _ellipse_radius(x, y, gland)) * 3))
        if rng.random() < looks.cleft:
            cleft = [*rng.uniform(0, field, 2), rng.uniform(6, 20), rng.uniform(2, 6)]
            radius = _ellipse_radius(x, y, [*cleft, rng.uniform(0, 3)])
            empty = np.maximum(empty, _step((0.8 - radius) * 4 + smooth_noise(rng, side, 5 / mpp)))
    return empty, glands


def _ellipse_radius(x, y, ellipse):
    centre_x, centre_y, a, b, angle = ellipse
    x, y = x - centre_x, y - centre_y
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.hypot(along / a, across / b)


def _draw_fat(rng, side, mpp):
    """Draw fat cells in a fifth of the patches: the white of them, and their thin walls."""
    field = side * mpp
    if rng.random() > 0.2:
        return np.zeros((side, side)), np.zeros((side, side))
    y, x = np.mgrid[:side, :side] * mpp
    middle = rng.uniform(0, field, 2)
    n_cells = 2 + rng.poisson(3)
    centres = middle + rng.normal(0, 26, (n_cells, 2))
    radii = rng.uniform(12, 18) * rng.uniform(0.9, 1.1, n_cells)  # alike, or one swallows another
    depth = radii[:, None, None] - np.hypot(
        x - centres[:, 0, None, None], y - centres[:, 1, None, None]
    )
    depth.sort(axis=0)
    # Between two cells that touch, a wall stands where both are equally near.
    inside = np.minimum(depth[-1], (depth[-1] - depth[-2]) / 1.4)
    return _step((inside - 1) / 0.8), _step(1 - np.abs(inside) / 0.8) * (depth[-1] > -0.8)


def _place_epithelial(rng, side, mpp, looks, cells, empty):
    """Place nuclei on a disturbed grid, where there are cells."""
    field, step = side * mpp, looks.spacing * looks.radius
    n = int(field / step) + 3
    grid = np.stack(np.meshgrid(np.arange(n) - 1.0, np.arange(n) - 1.0), axis=-1).reshape(-1, 2)
    grid[:, 0] += grid[:, 1] % 2 / 2
    places = (grid + rng.random(2) + rng.normal(0, 0.20, grid.shape)) * step
    pixels = np.clip((places / mpp).astype(int), 0, side - 1).T[::-1]
    there = cells[tuple(pixels)] * (empty[tuple(pixels)] < 0.1) * looks.occupancy
    places = places[rng.random(len(places)) < there]
    radii = looks.radius * np.exp(rng.normal(0, looks.radius_spread, len(places)))
    yield _as_nuclei(rng, places, radii, looks, rng.uniform(0, np.pi, len(places)))


def _place_along(rng, gland, mpp, looks):
    """Place one row of nuclei around the lumen of a gland."""
    centre, axes, angle = gland[:2], gland[2:4] + 1.3 * looks.radius, gland[4]
    n = max(5, int(2 * np.pi * axes.mean() / (2.1 * looks.radius)))
    turn = (np.arange(n) + rng.normal(0, 0.12, n)) * 2 * np.pi / n
    x, y = axes[:, None] * np.array([np.cos(turn), np.sin(turn)])
    places = np.stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1
    )
    outwards = np.arctan2(places[:, 1], places[:, 0])
    radii = looks.radius * np.exp(rng.normal(0, looks.radius_spread, n))
    return _as_nuclei(rng, places + centre, radii, looks, outwards)


def _place_stromal(rng, side, mpp, angle, elsewhere):
    """Place thin fibroblasts along the fibres and, in some patches, dark round lymphocytes."""
    n = rng.poisson((side * mpp) ** 2 / 350)
    places = rng.uniform(0, side * mpp, (n, 2))
    pixels = tuple((places / mpp).astype(int).T[::-1])
    places = places[elsewhere[pixels] < 0.3]
    n, ones = len(places), np.ones(len(places))
    long, thin = rng.uniform(3.5, 6.5, n), rng.uniform(0.9, 1.5, n)
    turned = angle + np.pi / 2 + rng.normal(0, 0.25, n)
    dark = rng.uniform(0.6, 1.0, n)
    yield np.stack([*places.T, long, thin, turned, 0.05 * ones, dark, 0.1 * ones, 0 * ones], axis=1)
    if rng.random() < 0.25:
        n = 3 + rng.poisson(8)
        places = rng.uniform(0, side * mpp, 2) + rng.normal(0, 11, (n, 2))
        round_ = Morphology(2.6, 0.06, 0, 1.1, 0.02, 0, 0.0, 0, 0, 0, 0)
        nuclei = _as_nuclei(rng, places, rng.normal(2.6, 0.15, n), round_, np.zeros(n))
        nuclei[:, 6] = rng.uniform(0.95, 1.2, n)
        yield nuclei


def _as_nuclei(rng, places, radii, looks, angles):
    """Columns: x, y, half axes, angle, irregularity, stain, paleness inside, nucleolus."""
    n = len(places)
    stretch = np.sqrt(rng.uniform(1, looks.elongation, n))
    stain = rng.normal(0.80, 0.08, n) * (1 + 0.15 * looks.vesicular)
    shape = rng.uniform(0.3, 1.7, (3, n)) * [
        [looks.irregularity],
        [looks.vesicular],
        [looks.nucleolus],
    ]
    return np.stack(
        [*places.T, radii * stretch, radii / stretch, angles, shape[0], stain, *shape[1:]], axis=1
    )


def draw_nuclei(rng, side, mpp, nuclei):
    """Draw nuclei, all windows at once; return the haematoxylin of shape (side, side)."""
    reach = int(np.ceil(1.35 * nuclei[:, 2].max(initial=1) / mpp)) + 2
    canvas = np.zeros((side + 4 * reach, side + 4 * reach), dtype=np.float32)
    corners = np.floor(nuclei[:, :2] / mpp).astype(int)
    nuclei, corners = (
        each[((corners >= -reach) & (corners < side + reach)).all(axis=1)]
        for each in (nuclei, corners)
    )
    windows = _draw_windows(rng, nuclei, corners, reach, mpp)
    width = windows.shape[-1]
    for (x, y), window in zip(corners + reach, windows, strict=True):
        part = canvas[y : y + width, x : x + width]
        np.maximum(part, window, out=part)
    return canvas[2 * reach : -2 * reach, 2 * reach : -2 * reach]


def _draw_windows(rng, nuclei, corners, reach, mpp):
    """Draw each nucleus into a window of its own, ``(n, 2 * reach + 1, 2 * reach + 1)``."""
    ticks = np.arange(-reach, reach + 1, dtype=np.float32)[None] * np.float32(mpp)
    start = (corners + 0.5) * mpp - nuclei[:, :2]
    columns = np.column_stack([start, nuclei[:, 2:]]).astype(np.float32)
    x0, y0, a, b, angle, rough, stain, pale, nucleolus = columns.T[:, :, None, None]
    x, y = ticks[:, None, :] + x0, ticks[:, :, None] + y0
    along = (x * np.cos(angle) + y * np.sin(angle)) / a
    across = (y * np.cos(angle) - x * np.sin(angle)) / b
    radius = np.hypot(along, across) + np.float32(1e-6)
    radius /= 1 + rough * _outline(rng, along / radius, across / radius)
    inside = np.clip(0.5 - (radius - 1) * b / 0.9, 0, 1)
    amount = stain * inside * (1 - pale * np.maximum(1 - radius * radius * radius, 0))
    spot = rng.uniform(-0.35, 0.35, (2, len(nuclei), 1, 1)).astype(np.float32)
    distance = np.square((along - spot[0]) * a) + np.square((across - spot[1]) * b)
    return amount + nucleolus * inside * np.exp(-distance)


def _outline(rng, cosine, sine):
    """Sum the second, third and fourth harmonic of the angle, each at a random phase."""
    harmonic, turn, total = cosine + 1j * sine, cosine + 1j * sine, 0
    for weight in (0.9, 0.8, 0.5):
        harmonic = harmonic * turn
        phase = np.exp(2j * np.pi * rng.random((len(cosine), 1, 1))).astype(np.complex64)
        total = total + weight * (harmonic * phase).real
    return total
