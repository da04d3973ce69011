"""Copies are found whatever was done to them, and tissue that resembles is none."""

import io

import numpy as np
import pytest
from PIL import Image

from skbreast.datasets import load_breakhis, load_idc, make_patches
from skbreast.model_selection import _near_duplicates
from skbreast.model_selection._duplicates import digest_turned, group_copies, turn
from skbreast.model_selection._near_duplicates import (
    find_near,
    hash_thumbnail,
    make_thumbnail,
    same_picture,
)
from skbreast.reading import read_patch, read_patches


def as_jpeg(patch, quality=80):
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(patch)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def resized(patch, factor):
    height, width = patch.shape[:2]
    size = round(width * factor), round(height * factor)
    return np.asarray(Image.fromarray(patch).resize(size, Image.Resampling.BILINEAR))


ALTERATIONS = {
    "JPEG, quality 80": as_jpeg,
    "JPEG, quality 50": lambda patch: as_jpeg(patch, 50),
    "97 %": lambda patch: resized(patch, 0.97),
    "110 %": lambda patch: resized(patch, 1.1),
    "brighter": lambda patch: np.clip(patch * 1.05, 0, 255).astype(np.uint8),
    "darker": lambda patch: (patch * 0.9).astype(np.uint8),
    "a pixel off each side": lambda patch: patch[1:-1, 1:-1],
    "two pixels off one side": lambda patch: patch[2:, :],
    "turned, JPEG": lambda patch: as_jpeg(np.rot90(patch)),
    "mirrored, turned, JPEG": lambda patch: as_jpeg(np.rot90(patch[:, ::-1], 3)),
}


def near_pairs(patches):
    thumbnails = np.stack([make_thumbnail(patch) for patch in patches])
    pairs = find_near(thumbnails, [hash_thumbnail(each) for each in thumbnails])
    return {(min(pair), max(pair)) for pair in pairs.tolist()}


@pytest.fixture(scope="module")
def tissue(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    return list(read_patches(idc.data[::35], size=(50, 50)))


def test_digest_is_that_of_all_eight_ways_to_turn():
    patch = np.random.default_rng(0).integers(256, size=(7, 9, 3)).astype(np.uint8)
    ways = [digest_turned(turn(patch, number)) for number in range(8)]
    assert len({digest for digest, _ in ways}) == 1
    assert len({number for _, number in ways}) == 8
    other = patch.copy()
    other[3, 4, 1] ^= 1
    assert digest_turned(other)[0] != ways[0][0]


def test_digest_of_equal_edges():
    patch = np.full((9, 9, 3), 255, dtype=np.uint8)
    patch[3, 5] = 0
    assert len({digest_turned(turn(patch, number))[0] for number in range(8)}) == 1


def test_a_transposed_shape_is_another_picture():
    flat = np.arange(48, dtype=np.uint8)
    assert digest_turned(flat.reshape(4, 4, 3))[0] != digest_turned(flat.reshape(2, 8, 3))[0]


def test_groups_join_through_near_pairs():
    digests = [b"a", b"b", b"a", None, b"c", None, b"d", b"d", b"e", b"e"]
    turned = np.array([0, 0, 0, 0, 0, 0, 1, 1, 0, 5])
    copies = group_copies(digests, turned, np.array([[1, 2]]))
    assert [rows.tolist() for rows in copies.members()] == [[0, 1, 2], [6, 7], [8, 9]]
    assert copies.matches == ["near", "identical", "turned"]
    assert copies.pictures.tolist() == [0, 0, 0, -1, -1, -1, 1, 1, 2, 2]


def test_no_copies():
    copies = group_copies([b"a", None], np.zeros(2, dtype=int), np.empty((0, 2), dtype=int))
    assert copies.matches == []
    assert copies.members() == []


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_altered_tissue_is_found(tissue, alteration):
    n = len(tissue)
    altered = [ALTERATIONS[alteration](patch) for patch in tissue]
    pairs = near_pairs(tissue + altered)
    assert all(other - one == n for one, other in pairs)
    assert len(pairs) >= (0.93 if alteration.startswith("two") else 0.99) * n


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_false_alarm_on_invented_tissue(size, seed):
    patches = make_patches(50, 8, patch_size=size, random_state=seed).data
    assert near_pairs(patches) == set()


@pytest.mark.parametrize(
    ("magnification", "known"),
    # fields that were photographed twice, as eyes confirm: 24 and 26 of a papillary carcinoma,
    # 2 and 11 of a tubular adenoma
    [(100, {("100-024", "100-026"), ("100-002", "100-011")}), (200, set())],
)
def test_real_breakhis(real_data, magnification, known):
    breakhis = load_breakhis(real_data / "BreaKHis_v1", magnification=magnification)
    pairs = near_pairs([read_patch(each) for each in breakhis.data])
    found = {tuple(breakhis.data[row][-11:-4] for row in pair) for pair in pairs}
    assert found == known
    assert all(breakhis.groups[one] == breakhis.groups[other] for one, other in pairs)


def test_without_counting_in_numpy(monkeypatch, tissue):
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    codes = np.array([0, 1, 2**64 - 1, 0b1011 << 40], dtype=np.uint64)
    assert _near_duplicates._count_bits(codes[None]).tolist() == [[0, 1, 64, 3]]
    altered = [as_jpeg(patch) for patch in tissue[:20]]
    assert near_pairs(tissue[:20] + altered) == {(row, row + 20) for row in range(20)}


def test_blocks_change_nothing(monkeypatch, tissue):
    patches = tissue[:30] + [as_jpeg(patch) for patch in tissue[:30]]
    whole = near_pairs(patches)
    monkeypatch.setattr(_near_duplicates, "_BLOCK", 200)
    assert near_pairs(patches) == whole == {(row, row + 30) for row in range(30)}


def test_the_search_of_very_many_finds_all_within_its_radius(monkeypatch):
    rng = np.random.default_rng(0)
    codes = rng.integers(2**63, size=3000).astype(np.uint64)
    for row in range(500):
        flips = sum(1 << int(bit) for bit in rng.choice(64, size=row % 13, replace=False))
        codes[row + 1000] = codes[row] ^ np.uint64(flips)
    a, b, distances = _near_duplicates._search_bands(codes)(np.arange(500))
    found = set(zip(a.tolist(), b.tolist(), distances.tolist(), strict=True))
    wanted = {(row, row + 1000, row % 13) for row in range(500) if row % 13 <= 10}
    assert wanted <= found
    monkeypatch.setattr(_near_duplicates, "RADIUS", _near_duplicates.RADIUS_OF_MANY)
    assert found == set(zip(*map(np.ndarray.tolist, _near_duplicates._search_all(codes)(
        np.arange(500))), strict=True))  # fmt: skip


def test_very_many_patches_are_searched_otherwise(monkeypatch, tissue):
    monkeypatch.setattr(_near_duplicates, "MANY", 10)
    altered = [as_jpeg(np.rot90(patch)) for patch in tissue[:30]]
    assert near_pairs(tissue[:30] + altered) == {(row, row + 30) for row in range(30)}


def test_very_many_copies_of_one_picture_are_joined(tissue):
    patches = [as_jpeg(tissue[0], quality) for quality in range(30, 96)]
    thumbnails = np.stack([make_thumbnail(patch) for patch in patches])
    pairs = find_near(thumbnails, [hash_thumbnail(each) for each in thumbnails])
    digests = [digest_turned(patch)[0] for patch in patches]
    copies = group_copies(digests, np.zeros(len(patches), dtype=int), pairs)
    assert copies.pictures.tolist() == [0] * len(patches)


def test_nothing_to_compare():
    assert same_picture(*np.zeros((2, 0, 32, 32), np.float32)).shape == (0,)
    assert find_near(np.zeros((2, 32, 32), np.uint8), [[], []]).shape == (0, 2)
    flat = np.full((1, 32, 32), 7.0, np.float32)
    assert not same_picture(flat, flat).any()
