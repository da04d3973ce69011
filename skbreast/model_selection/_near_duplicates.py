"""Pictures that are one though their pixels differ: perceptual hashes propose, pixels decide.

A hash of 64 bits finds candidates; two thumbnails are then laid over each other, by a shift and a
stretch of a few percent, and must agree in the large and in the fine. The fine is what tells copies
from tissue that merely resembles: two edges of tissue agree in the large only.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from skbreast.model_selection._duplicates import turn

__all__ = ["SIDE", "find_near", "hash_thumbnail", "make_thumbnail", "same_picture"]

SIDE = 32  # pixels of a thumbnail, as the perceptual hash takes them
MIN_SIDE = 24  # of a patch: strips at a slide's edge all look alike
RADIUS = 16  # bits of 64: two pixels less on each side of 50 change 10, rarely 18
MANY = 30_000  # patches; of more, comparing all with all would take minutes
RADIUS_OF_MANY = 10
N_BANDS = 4
N_CLOSEST = 32
UNSURE = 0.06  # correlation with a ramp: below, an alteration may change the direction
MAX_SHIFT = 2.0  # pixels of a thumbnail, at its edge
MIN_CORRELATION = 0.95
MIN_FINE_CORRELATION = (
    0.93  # most of 7,102 IDC patches' wrong pairs: .89; of right ones' least: .94
)
_BLOCK = 2**24  # distances held at once
_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
_V, _U = (each / ((SIDE - 1) / 2) - 1 for each in (_ROWS, _COLUMNS))
_INNER = (slice(None), slice(2, -2), slice(2, -2))
_N_INNER = (SIDE - 4) ** 2


def make_thumbnail(pixels):
    """Return a patch in grey, ``(SIDE, SIDE)`` uint8; both sides are stretched."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def hash_thumbnail(thumbnail):
    """Perceptual hashes of a thumbnail, in the ways to turn it that put its light at one corner.

    Parameters
    ----------
    thumbnail : ndarray of shape (SIDE, SIDE), dtype uint8
        From :func:`make_thumbnail`.

    Returns
    -------
    list of (int, int)
        Hash of 64 bits, and how the thumbnail was turned for it. The first is the one to look
        for; more, up to eight, where a slight alteration may turn the picture otherwise.
    """
    import imagehash

    hashes = []
    for number in _ways_to_turn(thumbnail):
        image = Image.fromarray(np.ascontiguousarray(turn(thumbnail, number)))
        bits = np.packbits(imagehash.phash(image).hash)
        hashes.append((int.from_bytes(bits.tobytes(), "big"), number))
    return hashes


def _ways_to_turn(thumbnail):
    values = thumbnail - thumbnail.mean(dtype=np.float32)
    scale = np.linalg.norm(values) * np.linalg.norm(_U) + 1e-9
    right, down = float((values * _U).sum() / scale), float((values * _V).sum() / scale)
    margins = [min(right, down, right - down) for right, down in _slopes(right, down)]
    likely = sorted((-margin, way) for way, margin in enumerate(margins) if margin > -UNSURE)
    return [way for _, way in likely]


def _slopes(right, down):
    """Slope to the right and down after each of the eight turns, see `turn`."""
    for start in (right, -right):
        slope = (start, down)
        for _ in range(4):
            yield slope
            slope = (slope[1], -slope[0])


def find_near(thumbnails, hashes, *, progress=None):
    """Find pairs of patches that show the same picture.

    Parameters
    ----------
    thumbnails : ndarray of shape (n_patches, SIDE, SIDE), dtype uint8
        From :func:`make_thumbnail`.
    hashes : list of list of (int, int)
        From :func:`hash_thumbnail`; an empty list leaves a patch out.
    progress : callable, optional
        Called with a number of patches when they are compared.

    Returns
    -------
    ndarray of int, shape (n_pairs, 2)
        Rows; of many copies of one picture not all pairs, but enough to join them.
    """
    owners = np.array([row for row, each in enumerate(hashes) for _ in each], dtype=int)
    codes = np.array([code for each in hashes for code, _ in each], dtype=np.uint64)
    ways = np.array([way for each in hashes for _, way in each], dtype=int)
    is_first = np.diff(owners, prepend=-1) > 0
    firsts = np.flatnonzero(is_first)
    search = _search_all(codes) if len(firsts) <= MANY else _search_bands(codes)
    step = max(1, _BLOCK // max(1, min(len(codes), MANY)))
    pairs = [np.empty((0, 2), dtype=int)]
    for start in range(0, len(firsts), step):
        asked = firsts[start : start + step]
        a, b = _closest(owners, *search(asked))
        for begin in range(0, len(a), 1024):
            part = slice(begin, begin + 1024)
            one, other = (_turned(thumbnails, owners, ways, each[part]) for each in (a, b))
            same = same_picture(one, other)
            pairs.append(np.column_stack([owners[a[part]][same], owners[b[part]][same]]))
        if progress is not None:
            progress(len(asked))
    return np.vstack(pairs)


def _search_all(codes):
    """Return a search that compares with every hash."""

    def search(asked):
        distances = _count_bits(codes[asked][:, None] ^ codes)
        a, b = np.nonzero(distances <= RADIUS)
        return asked[a], b, distances[a, b]

    return search


def _search_bands(codes):
    """Return a search among the hashes of which a quarter nearly agrees.

    Of two hashes that differ in at most 10 bits, one of four quarters differs in at most 2
    (Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR
    2012).
    """
    quarters = np.ascontiguousarray(codes).view(np.uint16).reshape(-1, N_BANDS)
    orders = [np.argsort(quarter, kind="stable") for quarter in quarters.T]
    keys = np.arange(2**16 + 1)
    starts = [
        np.searchsorted(quarter[order], keys)
        for quarter, order in zip(quarters.T, orders, strict=True)
    ]
    masks = keys[:-1][_count_bits(keys[:-1].astype(np.uint64)) <= RADIUS_OF_MANY // N_BANDS]

    def search(asked):
        found = [np.empty((0, 2), dtype=int)]
        for band, (order, start) in enumerate(zip(orders, starts, strict=True)):
            for mask in masks:
                key = quarters[asked, band].astype(int) ^ mask
                counts = start[key + 1] - start[key]
                a = np.repeat(asked, counts)
                ends = np.cumsum(counts)
                b = order[np.arange(len(a)) + np.repeat(start[key] - ends + counts, counts)]
                near = _count_bits(codes[a] ^ codes[b]) <= RADIUS_OF_MANY
                found.append(np.column_stack([a[near], b[near]]))
        a, b = np.unique(np.vstack(found), axis=0).T
        return a, b, _count_bits(codes[a] ^ codes[b])

    return search


def _closest(owners, a, b, distances):
    """Keep of each hash asked for at most N_CLOSEST others, of other patches."""
    other = owners[a] != owners[b]
    a, b, distances = a[other], b[other], distances[other]
    order = np.lexsort((distances, a))
    a, b = a[order], b[order]
    rank = np.arange(len(a)) - np.searchsorted(a, a)
    return a[rank < N_CLOSEST], b[rank < N_CLOSEST]


def _count_bits(codes):
    if hasattr(np, "bitwise_count"):  # numpy >= 2
        return np.bitwise_count(codes)
    table = np.array([bin(each).count("1") for each in range(2**16)], dtype=np.uint8)
    return table[codes.view(np.uint16)].reshape(*codes.shape, 4).sum(axis=-1, dtype=np.uint8)


def _turned(thumbnails, owners, ways, entries):
    turned = [turn(thumbnails[owners[entry]], ways[entry]) for entry in entries]
    return np.array(turned, dtype=np.float32).reshape(-1, SIDE, SIDE)


def same_picture(one, other):
    """Tell which pairs of thumbnails show the same picture.

    Parameters
    ----------
    one, other : ndarray of shape (n_pairs, SIDE, SIDE), float32
        Grey levels.

    Returns
    -------
    ndarray of bool, shape (n_pairs,)
        Where, after alignment (Lucas and Kanade 1981: a shift and a stretch of each axis), the
        pictures correlate at least .95, and what is left of them without their coarse shades
        at least .93.
    """
    # Rough and cheap looks first: nearly all candidates of a large set are wrong.
    left = np.flatnonzero(_correlation(_blur(one, 2.0), _blur(other, 2.0)) > 0.7)
    for n_steps, least in ((1, 0.85), (4, MIN_CORRELATION)):
        a, b = _lay_over(one[left], other[left], n_steps)
        good = _correlation(a, b) >= least
        left, a, b = left[good], a[good], b[good]
    same = np.zeros(len(one), dtype=bool)
    same[left] = _correlation(_fine(a), _fine(b)) >= MIN_FINE_CORRELATION
    return same


def _lay_over(one, other, n_steps):
    shifts = _align(_blur(one, 1.0), _blur(other, 1.0), n_steps)
    return _blur(one, 0.7), _blur(_warp(other, shifts), 0.7)


def _blur(pictures, sigma):
    return gaussian_filter(pictures, (0, sigma, sigma))


def _fine(pictures):
    return pictures - _blur(pictures, 2.0)


def _correlation(one, other):
    a, b = (each[_INNER].reshape(len(each), _N_INNER) for each in (one, other))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.maximum(scale, 1e-6)


def _align(one, other, n_steps):
    """Return shift and stretch, in pixels at the edge, along columns and rows: (n_pairs, 4)."""
    shifts, target = np.zeros((len(one), 4), dtype=np.float32), _standardise(one)
    for _ in range(n_steps):
        moved = _standardise(_warp(other, shifts))
        by_row, by_column = np.gradient(moved, axis=(1, 2))
        slopes = np.stack([by_column, by_column * _U, by_row, by_row * _V], axis=1)
        slopes = slopes[:, :, 2:-2, 2:-2].reshape(len(one), 4, _N_INNER)
        rest = (target - moved)[_INNER].reshape(len(one), _N_INNER, 1)
        normal = slopes @ slopes.swapaxes(1, 2)
        ridge = 0.0025 * np.trace(normal, axis1=1, axis2=2) + 1e-6
        normal += ridge[:, None, None] * np.eye(4, dtype=np.float32)
        shifts += np.linalg.solve(normal, slopes @ rest)[..., 0]
        np.clip(shifts, -MAX_SHIFT, MAX_SHIFT, out=shifts)
    return shifts


def _standardise(pictures):
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 1e-6)


def _warp(pictures, shifts):
    """Look at pictures through a shifted and stretched frame; beyond their edge they go on."""
    shift = shifts[:, :, None, None]
    columns = np.clip(_COLUMNS + shift[:, 0] + shift[:, 1] * _U, 0, SIDE - 1.001)
    rows = np.clip(_ROWS + shift[:, 2] + shift[:, 3] * _V, 0, SIDE - 1.001)
    left, top = columns.astype(int), rows.astype(int)
    x, y, which = columns - left, rows - top, np.arange(len(pictures))[:, None, None]
    upper = pictures[which, top, left] * (1 - x) + pictures[which, top, left + 1] * x
    lower = pictures[which, top + 1, left] * (1 - x) + pictures[which, top + 1, left + 1] * x
    return upper * (1 - y) + lower * y
