"""One view on patches: arrays and references alike, memory that stays flat, order that is kept."""

import threading
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from skbreast import _patches
from skbreast._patches import PatchSource, ahead, check_input_size, fit_patches
from skbreast.reading import PatchReadError


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(0, 256, (10, 12, 8, 3), dtype=np.uint8)


@pytest.fixture
def references(patches, save_patches, tmp_path):
    return save_patches(patches, tmp_path).astype(object)


@pytest.mark.parametrize("size", [None, (12, 8), (6, 6), (20, 10)])
def test_arrays_and_references_give_the_same(patches, references, size):
    from_array, from_files = PatchSource(patches, size), PatchSource(references, size)
    assert from_array.shape == from_files.shape == (*(size or (12, 8)), 3)
    assert len(from_array) == len(from_files) == 10
    assert from_array.dtype == from_files.dtype == np.uint8
    chosen = np.array([7, 0, 3])
    taken = from_array.take(chosen)
    assert taken.shape == (3, *from_array.shape)
    np.testing.assert_array_equal(taken, from_files.take(chosen))
    np.testing.assert_array_equal(from_files.kept().take(chosen), taken)
    np.testing.assert_array_equal(from_files.take(slice(2, 5)), from_array.take(slice(2, 5)))


def test_size_is_that_of_most_references(patches, references, tmp_path):
    Image.fromarray(patches[0, :5, :5]).save(tmp_path / "0.png")
    source = PatchSource(references)
    assert source.shape == (12, 8, 3)
    assert source.take(np.array([0])).shape == (1, 12, 8, 3)


@pytest.mark.parametrize("size", [(5, 5), (24, 16), (12, 4)])
def test_every_dtype_and_channel_is_resized_alike(patches, size):
    rgb = fit_patches(patches, size)
    grey = fit_patches(patches[..., 1:2], size)
    five = fit_patches(patches[..., [0, 1, 2, 1, 0]], size)
    number = fit_patches(patches.astype(np.float32), size)
    assert (grey.dtype, five.dtype, number.dtype) == (np.uint8, np.uint8, np.float32)
    np.testing.assert_array_equal(grey, rgb[..., 1:2])
    np.testing.assert_array_equal(five, rgb[..., [0, 1, 2, 1, 0]])
    np.testing.assert_allclose(number, rgb, atol=1.01)
    assert np.abs(number - rgb).mean() < 0.5


def test_shrinking_averages():
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 200).astype(np.float32)[None, :, :, None]
    shrunk = fit_patches(board, (2, 2))
    np.testing.assert_allclose(shrunk, 100, atol=15)


def test_right_size_is_not_copied(patches):
    assert fit_patches(patches, (12, 8)) is patches


def test_chunks_are_in_order_and_complete(patches, references):
    for source in (PatchSource(patches), PatchSource(references)):
        parts, chunks = zip(*source.chunks(4), strict=True)
        assert [len(chunk) for chunk in chunks] == [4, 4, 2]
        np.testing.assert_array_equal(np.concatenate(chunks), patches)
        assert [(part.start, part.stop) for part in parts] == [(0, 4), (4, 8), (8, 12)]


def test_kept_reads_little_once_and_much_never(patches, references, tmp_path, monkeypatch):
    kept = PatchSource(references).kept()
    assert kept.X.ndim == 4
    (tmp_path / "3.png").unlink()
    np.testing.assert_array_equal(kept.take(np.array([3])), patches[[3]])
    monkeypatch.setattr(_patches, "KEPT_BYTES", patches.nbytes - 1)
    source = PatchSource(references, (12, 8))
    assert source.kept() is source
    monkeypatch.setattr(_patches, "KEPT_BYTES", patches.nbytes)
    with pytest.raises(PatchReadError, match=r"3\.png"):
        PatchSource(references, (12, 8)).kept()


def test_limit_of_what_is_kept(references):
    assert _patches.KEPT_BYTES == 128 * 2**20
    many = np.repeat(references[:1], 128 * 2**20 // (1024 * 1024 * 3) + 1)
    source = PatchSource(many, (1024, 1024))
    assert source.kept() is source


def test_arrays_are_never_copied(patches):
    source = PatchSource(patches)
    assert source.kept() is source
    assert np.shares_memory(source.take(slice(0, 4)), patches)


def test_streaming_keeps_memory_flat(references):
    def peak(n_patches):
        source = PatchSource(np.resize(references, n_patches), (64, 64))
        tracemalloc.start()
        for _, chunk in source.chunks(16):
            assert chunk.shape[1:] == (64, 64, 3)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(32)  # what is loaded at first use
    assert peak(1600) < 1.5 * peak(160) < 20 * 16 * 64 * 64 * 3


def test_ahead_keeps_order_whatever_takes_long():
    def slow_first(number):
        time.sleep(0.05 if number == 0 else 0)
        return number

    assert list(ahead(slow_first, range(20))) == list(range(20))
    assert list(ahead(slow_first, [])) == []


def test_ahead_works_a_little_ahead_only():
    started = []
    results = ahead(lambda number: started.append(number) or number, iter(range(100)))
    assert next(results) == 0
    time.sleep(0.1)
    assert len(started) <= 4
    results.close()
    time.sleep(0.05)
    assert len(started) <= 4


def test_ahead_raises_where_the_result_would_have_come():
    def fail_at_three(number):
        if number == 3:
            raise RuntimeError("third")
        return number

    results = ahead(fail_at_three, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="third"):
        next(results)


def test_ahead_leaves_no_threads():
    before = threading.active_count()
    assert next(ahead(str, range(5))) == "0"
    list(ahead(str, range(5)))
    assert threading.active_count() == before


def test_input_size():
    assert check_input_size(None) is None
    assert check_input_size(32) == check_input_size(np.int64(32)) == (32, 32)
    assert check_input_size((32, 48)) == check_input_size([32, 48]) == (32, 48)


@pytest.mark.parametrize("size", [0, -1, 1.5, "32", True, (), (1,), (1, 2, 3), (8, 0), (8, None)])
def test_bad_input_size(size):
    with pytest.raises(ValueError, match=r"input_size must be None, .*; got"):
        check_input_size(size)
