import io
import sys

import numpy as np
import pytest
from PIL import Image

from skbreast import _decoding, _png
from skbreast._decoding import DECODER_ERRORS, decode_image
from skbreast.reading import read_patch

SOUND, DAMAGED, CUT = "sound", "damaged", "cut"


@pytest.fixture
def pillow_alone(monkeypatch):
    """Return a function that decodes as where imagecodecs is not installed."""

    def decode(data):
        with monkeypatch.context() as patch:
            patch.setattr(_decoding, "decode_plain_png", lambda data, size: None)
            return pixels_or_none(data)

    return decode


def pixels_or_none(data):
    try:
        return decode_image(io.BytesIO(data))
    except DECODER_ERRORS:
        return None


def as_png(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


@pytest.fixture
def some_png():
    pixels = np.random.default_rng(0).integers(0, 256, (13, 11, 3)).astype(np.uint8)
    return as_png(pixels), pixels


def test_real_patches_have_the_pixels_of_pillow(real_data, pillow_alone):
    small = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))[::37]
    large = sorted((real_data / "breakhis_originals").glob("*.png"))[:8]
    assert len(small) > 100
    assert large
    for path in (*small, *large):
        data = path.read_bytes()
        assert _png.decode_plain_png(data, pillow_alone(data).shape[:2]) is not None
        np.testing.assert_array_equal(read_patch(path), pillow_alone(data))


@pytest.mark.parametrize("how", [DAMAGED, CUT])
def test_broken_files_are_told_as_by_pillow(some_png, pillow_alone, how, capfd):
    rng, data = np.random.default_rng(1), some_png[0]
    outcomes = []
    for _ in range(300):
        broken = bytearray(data)
        if how == CUT:
            broken = broken[: rng.integers(34, len(data) - 13)]
        else:
            broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        found = pixels_or_none(bytes(broken))
        expected = pillow_alone(bytes(broken))
        assert (found is None) == (expected is None)
        if found is not None:
            np.testing.assert_array_equal(found, expected)
        outcomes.append(found is None)
    assert sum(outcomes) > 200
    assert capfd.readouterr() == ("", "")  # no library talks behind our back


@pytest.mark.parametrize(
    "options", [{"transparency": (0, 0, 0)}, {"icc_profile": b"x" * 200}, {"interlace": 1}]
)
def test_other_pngs_are_left_to_pillow(some_png, monkeypatch, options):
    asked = []
    monkeypatch.setattr(_decoding, "decode_plain_png", lambda data, size: asked.append(size))
    data = as_png(some_png[1], **options)
    if "interlace" in options:  # Pillow writes none; so it is only claimed
        data = data[:28] + b"\1" + data[29:]
    pixels_or_none(data)
    assert not asked
    decode_image(io.BytesIO(some_png[0]))
    assert asked == [(13, 11)]


def test_without_imagecodecs_pillow_decodes(some_png, monkeypatch):
    data, pixels = some_png
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setattr(_png, "_decoder", _png._decoder.__wrapped__)
    assert _png.decode_plain_png(data, (13, 11)) is None
    np.testing.assert_array_equal(decode_image(io.BytesIO(data)), pixels)


def test_a_size_that_is_not_the_headers_is_refused(some_png):
    assert _png.decode_plain_png(some_png[0], (13, 11)) is not None
    assert _png.decode_plain_png(some_png[0], (11, 13)) is None
