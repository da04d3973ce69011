"""Mutated image files: pixels or a `PatchReadError`, never a crash, a hang or a leak.

By hand: ``python tests/test_fuzz_images.py 2000`` sums up what comes of 2,000 files.
"""

import io
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_fuzz_mutations import (
    claim_png_size,
    guard,
    inflate_png,
    mutate,
    mutate_jpeg_segment,
    mutate_png_chunk,
    mutate_tiff_tag,
    run_guarded,
    show,
    shuffle_png_chunks,
)

from skbreast.datasets import make_patches
from skbreast.reading import PatchReadError, patch_size, read_patch, read_patches

SEED = int(os.environ.get("SKBREAST_FUZZ_SEED", "1"))
N_LONG = 2000
N_SHORT = 180
BY_FORMAT = {
    "png": (mutate_png_chunk, shuffle_png_chunks, claim_png_size, inflate_png),
    "jpg": (mutate_jpeg_segment,),
    "tif": (mutate_tiff_tag,),
}
# Name and how Pillow saves it; the last three are refused as they are.
SAVED = {
    "plain.png": {},
    "turned.png": {"exif": True},
    "palette.png": {"mode": "P", "transparency": 3},
    "alpha.png": {"mode": "RGBA"},
    "grey.png": {"mode": "L"},
    "deep.png": {"mode": "I;16"},
    "black and white.png": {"mode": "1"},
    "plain.jpg": {"quality": 80},
    "progressive.jpg": {"progressive": True, "exif": True},
    "grey.jpg": {"mode": "L"},
    "cmyk.jpg": {"mode": "CMYK"},
    "plain.tif": {},
    "lzw.tif": {"compression": "tiff_lzw", "exif": True},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "packbits.tif": {"compression": "packbits"},
    "jpeg.tif": {"compression": "jpeg"},
    "fax.tif": {"mode": "1", "compression": "group4"},
    "palette.tif": {"mode": "P"},
    "deep.tif": {"mode": "I;16"},
    "big.tif": {"big_tiff": True},
    "cmyk.tif": {"mode": "CMYK", "compression": "tiff_lzw"},
    "plain.bmp": {},
    "palette.bmp": {"mode": "P"},
    "black and white.bmp": {"mode": "1"},
    "plain.gif": {"mode": "P"},
    "plain.webp": {},
    "plain.ppm": {},
}


def make_sources(real_data):
    """Return the files that are mutated, ``{name: bytes}``: invented ones, and real ones if any."""
    patch = make_patches(1, 1, patch_size=40, random_state=0).data[0]
    sources = {name: _saved(patch, name, **options) for name, options in SAVED.items()}
    sources["tiles.tif"] = _tiled(patch)
    for pattern in ("IDC_*/*/1/*.png", "ucsb_folders/train/*/*.jpg", "breakhis_originals/*.png"):
        paths = sorted(Path(real_data).glob(pattern))[:2] if real_data else []
        sources |= {f"real {path.name}": path.read_bytes() for path in paths}
    return sources


def _saved(patch, name, *, mode="RGB", exif=False, **options):
    image = Image.fromarray(patch)
    if mode == "I;16":
        image = Image.fromarray(patch[..., 0].astype(np.uint16) * 257)
    elif mode != "RGB":
        image = image.convert(mode)
    if exif:
        block = Image.Exif()
        block[274], block[305] = 6, "a scanner"
        options["exif"] = block
    stream, formats = io.BytesIO(), {"jpg": "JPEG", "tif": "TIFF"}
    ending = name.rpartition(".")[2]
    image.save(stream, format=formats.get(ending, ending.upper()), **options)
    return stream.getvalue()


def _tiled(patch):
    import tifffile

    stream = io.BytesIO()
    pixels = np.tile(patch, (2, 2, 1))
    tifffile.imwrite(stream, pixels, photometric="rgb", tile=(32, 32), compression="zlib")
    return stream.getvalue()


def draw_case(number, sources):
    """Return the file that a case mutates, the mutation, and what came of it."""
    rng = np.random.default_rng([SEED, number])
    names = sorted(sources)
    name = names[number % len(names)]
    extra = BY_FORMAT.get(name.rpartition(".")[2], ())
    mutation, data = mutate(sources[name], rng, list(sources.values()), extra)
    return name, mutation, data


def open_case(number, sources, folder):
    """Open one mutated file every way, and say what came of it."""
    name, mutation, data = draw_case(number, sources)
    path = Path(folder, f"case.{name.rpartition('.')[2]}")
    path.write_bytes(data)
    outcome = "refused"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            patch = read_patch(path)
    except PatchReadError as error:
        check_message(str(error), path)
    else:
        outcome = "read"
        assert patch.dtype == np.uint8
        assert patch.shape == (*patch_size(path), 3)
        assert patch.flags.c_contiguous
    if number % 10 == 0:
        check_blanks(path, outcome)
    return {"kind": name.rpartition(".")[2], "mutation": mutation, "outcome": outcome}


def check_message(message, path):
    assert message.startswith(f"Cannot read patch {str(path)!r}: ")
    assert message.isprintable()
    assert len(message) < 400 + len(str(path))


def check_blanks(path, outcome):
    """In threads a broken file is a white patch."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".* are blank", category=UserWarning)
        patches = read_patches([str(path)] * 3, size=(8, 8), on_error="blank", n_jobs=2)
    assert outcome == "read" or (patches == 255).all()


def check_run(cases, crashes, totals, n_cases):
    assert crashes == []
    assert len(cases) == n_cases
    outcomes = [each["outcome"] for each in cases.values()]
    assert set(outcomes) == {"read", "refused"}
    # libtiff writes its complaints to stderr, and Pillow lets it; nobody else does.
    assert {each["kind"] for each in cases.values() if each["said"]} <= {"tif"}
    (total,) = totals
    assert total["after"]["descriptors"] == total["before"]["descriptors"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_a_mutated_image_is_pixels_or_a_documented_error(real_data):
    check_run(*run_guarded(__file__, N_SHORT, real_data), N_SHORT)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_2000_mutated_images_are_pixels_or_documented_errors(real_data):
    check_run(*run_guarded(__file__, N_LONG, real_data), N_LONG)


def test_what_is_mutated_is_read_when_it_is_whole(tmp_path, real_data):
    for name, data in make_sources(real_data).items():
        path = tmp_path / name
        path.write_bytes(data)
        if path.suffix in (".gif", ".webp", ".ppm"):
            with pytest.raises(PatchReadError, match="no PNG, JPEG, TIFF or BMP"):
                read_patch(path)
        else:
            assert read_patch(path).ndim == 3


def main(start, stop, real_data=None):
    sources = make_sources(real_data or os.environ.get("SKBREAST_TEST_DATA"))
    with tempfile.TemporaryDirectory() as folder:
        guard(range(int(start), int(stop)), lambda number: open_case(number, sources, folder))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        show(*run_guarded(__file__, int(sys.argv[1]), crashes_allowed=50))
    else:
        main(*sys.argv[1:])
