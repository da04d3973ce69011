"""Patches from files: known pixels in every format, and every way a file can be bad."""

import os
import pickle
import struct
import warnings
import zlib

import joblib
import numpy as np
import pytest
import skimage.io
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import NotFittedError

from skbreast.reading import (
    PatchReader,
    PatchReadError,
    fit_patch,
    most_common_size,
    patch_size,
    read_patch,
    read_patches,
)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(image, name, **options):
        path = tmp_path / name
        image.save(path, **options)
        return str(path)

    return save


def grey16(values):
    return Image.fromarray(np.array(values, dtype=np.uint16))


def png(*chunks):
    """A PNG file of these ``(kind, data)`` chunks."""
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def png_header(width, height, depth=8, color=2):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)


# Real patches


def test_idc_patches_are_read_as_scikit_image_reads_them(real_data):
    folder = real_data / "IDC_regular_ps50_idx5"
    paths = sorted(folder.glob("*/*/*.png"))[::71]
    for path in paths:
        patch = read_patch(path)
        np.testing.assert_array_equal(patch, skimage.io.imread(path)[..., :3])
        assert patch.dtype == np.uint8
        assert patch.flags.c_contiguous
        assert patch_size(path) == patch.shape[:2]


def test_edge_patches_of_idc_are_brought_to_the_common_size(real_data):
    paths = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))
    sizes = {path: patch_size(path) for path in paths}
    odd = [path for path in paths if sizes[path] != (50, 50)]
    assert odd
    mixed = [*odd[:3], *paths[:20]]
    assert most_common_size(mixed) == (50, 50)
    patches = read_patches(mixed, fit="pad")
    assert patches.shape == (len(mixed), 50, 50, 3)
    np.testing.assert_array_equal(patches[0], fit_patch(read_patch(odd[0]), (50, 50), "pad"))


@pytest.mark.parametrize("pattern", ["breakhis_originals/*.png", "ucsb_folders/train/*/*.jpg"])
def test_larger_patches(real_data, pattern):
    paths = sorted(real_data.glob(pattern))[:6]
    for path in paths:
        np.testing.assert_array_equal(read_patch(path), skimage.io.imread(path))
    serial = read_patches(paths, size=(115, 175))
    np.testing.assert_array_equal(serial, read_patches(paths, size=(115, 175), n_jobs=2))
    assert abs(serial[0].mean() - read_patch(paths[0]).mean()) < 1


def test_rows_of_pcam(real_data):
    h5py = pytest.importorskip("h5py")
    path = real_data / "pcam" / "camelyonpatch_level_2_split_valid_x.h5"
    rows = np.random.default_rng(0).integers(0, 50, 150)
    references = [f"{path}#{row}" for row in rows]
    with h5py.File(path, "r") as file:
        expected = file["x"][:][rows]
    np.testing.assert_array_equal(read_patches(references), expected)
    np.testing.assert_array_equal(read_patches(references, n_jobs=3), expected)
    np.testing.assert_array_equal(read_patch(references[7]), expected[7])
    assert patch_size(references[0]) == (96, 96)


def test_a_slide_is_no_patch(real_data):
    with pytest.raises(PatchReadError, match=r"CMU-1-Small-Region\.svs.*several pages"):
        read_patch(real_data / "slides" / "CMU-1-Small-Region.svs")


# Formats and conversions


LOSSLESS = [
    ("a.png", {}),
    ("a.bmp", {}),
    ("a.tif", {}),
    ("a.tiff", {"compression": "tiff_lzw"}),
    ("a.tiff", {"compression": "tiff_adobe_deflate"}),
    ("a.tiff", {"compression": "packbits"}),
    ("a.tiff", {"big_tiff": True}),
    ("a.tif", {"dpi": (300, 300), "description": "biopsy", "software": "scanner"}),
    ("wrong ending.jpg", {"format": "PNG"}),
    ("block #7, h5#3 ü.png", {}),
]


@pytest.mark.parametrize(("name", "options"), LOSSLESS)
def test_lossless_formats_keep_every_pixel(pixels, save, name, options):
    path = save(Image.fromarray(pixels), name, **options)
    np.testing.assert_array_equal(read_patch(path), pixels)
    assert patch_size(path) == (20, 30)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30, "dpi": (72, 72)}])
def test_jpeg_is_decoded_as_pillow_does(pixels, save, options):
    path = save(Image.fromarray(pixels), "a.jpeg", **options)
    with Image.open(path) as image:
        np.testing.assert_array_equal(read_patch(path), np.asarray(image))
    assert patch_size(path) == (20, 30)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_grey_becomes_three_equal_channels(save, name):
    path = save(Image.fromarray(np.array([[0, 7], [128, 255]], np.uint8)), name)
    expected = np.repeat(np.array([[0, 7], [128, 255]], np.uint8)[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_patch(path), expected)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_black_and_white(save, name):
    path = save(Image.fromarray(np.array([[True, False, True]])), name)
    assert read_patch(path).tolist() == [[[255] * 3, [0] * 3, [255] * 3]]


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_palettes_are_looked_up(save, name):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([0, 1, 2])
    assert read_patch(save(image, name))[0].tolist() == [list(RED), list(GREEN), list(BLUE)]


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 128])])
def test_transparent_palette_entries_are_laid_over_white(save, transparency):
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([0, 1, 2])
    blue = BLUE if transparency == 1 else (127, 127, 255)
    path = save(image, "a.png", transparency=transparency)
    assert read_patch(path)[0].tolist() == [list(RED), list(WHITE), list(blue)]


def test_one_transparent_colour_is_white(save):
    image = Image.fromarray(np.array([[RED, GREEN]], np.uint8))
    assert read_patch(save(image, "a.png", transparency=GREEN))[0].tolist() == [
        [255, 0, 0],
        [255] * 3,
    ]
    image = Image.fromarray(np.array([[10, 20]], np.uint8))
    assert read_patch(save(image, "b.png", transparency=10))[0].tolist() == [[255] * 3, [20] * 3]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_alpha_is_laid_over_white(save, name):
    rgba = np.array([[(*RED, 255), (*RED, 0), (*RED, 51), (0, 0, 0, 128)]], np.uint8)
    expected = [[255, 0, 0], [255, 255, 255], [255, 204, 204], [127, 127, 127]]
    assert read_patch(save(Image.fromarray(rgba), name))[0].tolist() == expected
    grey = np.array([[(0, 255), (0, 0), (100, 51)]], np.uint8)
    expected = [[0] * 3, [255] * 3, [224] * 3]
    assert read_patch(save(Image.fromarray(grey), name))[0].tolist() == expected


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_of_16_bit_grey_the_upper_8_are_kept(save, name):
    path = save(grey16([[0, 255, 256, 257 * 200, 65535]]), name)
    assert read_patch(path)[0, :, 1].tolist() == [0, 0, 1, 200, 255]


def test_of_16_bit_colour_the_upper_8_are_kept(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    values = np.array([[[0, 255, 256], [257 * 200, 65535, 511]]], np.uint16)
    expected = [[[0, 0, 1], [200, 255, 1]]]
    for options in ({}, {"byteorder": ">"}, {"bigtiff": True}, {"compression": "zlib"}):
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", **options)
        assert read_patch(tmp_path / "a.tif").tolist() == expected
    rows = b"\0" + values.astype(">u2").tobytes()
    content = png(png_header(2, 1, 16), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    (tmp_path / "a.png").write_bytes(content)
    assert read_patch(tmp_path / "a.png").tolist() == expected


@pytest.mark.parametrize(
    ("array", "options", "cause"),
    [
        (np.zeros((4, 5), np.float32), {}, "floating-point"),
        (np.zeros((4, 5, 3), np.float32), {"photometric": "rgb"}, "floating-point"),
        (np.zeros((4, 5), np.int16), {}, "signed"),
        (np.zeros((4, 5), np.uint32), {}, "32 bits|broken|unknown"),
        (np.zeros((4, 5), np.uint16), {"photometric": "miniswhite"}, "white to black"),
        (
            np.zeros((3, 4, 5), np.uint16),
            {"photometric": "rgb", "planarconfig": "separate"},
            "separate planes",
        ),
        (np.zeros((2, 4, 5, 3), np.uint8), {"photometric": "rgb"}, "several pages"),
    ],
)
def test_tiffs_of_unknown_range_or_several_pages_are_refused(tmp_path, array, options, cause):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    with pytest.raises(PatchReadError, match=rf"a\.tif.*({cause})"):
        read_patch(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.tif", "a.jpg"])
def test_cmyk_becomes_rgb(save, name):
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(read_patch(save(image, name))[8, 8].astype(int) - RED).max() <= 3


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.ppm", "a.eps", "a.ico"])
def test_other_formats_are_never_parsed(pixels, save, name):
    path = save(Image.fromarray(pixels), name)
    with pytest.raises(PatchReadError, match=r"no PNG, JPEG, TIFF or BMP"):
        read_patch(path)


def test_animated_and_multi_page_files_are_refused(pixels, save):
    image = Image.fromarray(pixels)
    more = [Image.fromarray(255 - pixels)]
    for name, cause in (("a.png", "animated"), ("a.tif", "several pages")):
        path = save(image, name, save_all=True, append_images=more)
        for read in (read_patch, patch_size):
            with pytest.raises(PatchReadError, match=cause):
                read(path)


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_exif_orientation_is_applied(save, name, orientation):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16], upright[:8, 16:], upright[8:, :16] = RED, GREEN, BLUE
    turned_back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation: PIL transpose
    image = Image.fromarray(upright)
    if orientation > 1:
        image = image.transpose(Image.Transpose(turned_back[orientation]))
    exif = Image.Exif()
    exif[274] = orientation
    path = save(
        image, name, exif=exif, **({"quality": 95, "subsampling": 0} if name == "a.jpg" else {})
    )
    patch = read_patch(path)
    assert np.abs(patch.astype(int) - upright).max() <= (60 if name == "a.jpg" else 0)
    assert patch_size(path) == (16, 32)


def test_broken_exif_neither_stops_nor_warns(pixels, save, tmp_path):
    for block in (
        b"",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\xff\xff",
    ):
        path = save(Image.fromarray(pixels), "a.jpg", exif=b"Exif\0\0" + block)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_patch(path).shape == (20, 30, 3)


# Files that are bad


def assert_unreadable(reference, cause):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PatchReadError, match=cause) as caught:
            read_patch(reference)
    assert repr(str(reference)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
@pytest.mark.parametrize("tenths", range(10))
def test_truncated_files(pixels, save, name, tenths):
    path = save(Image.fromarray(pixels), name)
    size = os.path.getsize(path)  # noqa: PTH202
    os.truncate(path, size * tenths // 10)
    assert_unreadable(path, "." if tenths else "the file is empty")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
def test_damaged_files_raise_nothing_else(pixels, save, tmp_path, name):
    content = np.fromfile(save(Image.fromarray(pixels[:8, :8]), name), np.uint8)
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged"
    for _ in range(200):
        damaged = content.copy()
        where = rng.integers(0, len(content), 3) if rng.random() < 0.5 else rng.integers(0, 60, 3)
        damaged[where] = rng.choice([0, 1, 127, 128, 255], 3)
        damaged.tofile(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                assert read_patch(path).dtype == np.uint8
            except PatchReadError as error:
                assert str(path) in str(error)  # noqa: PT017


def test_what_is_no_image(tmp_path):
    (tmp_path / "a.png").write_text("patient,class\n1,0\n")
    assert_unreadable(tmp_path / "a.png", "no PNG, JPEG, TIFF or BMP")
    assert_unreadable(tmp_path / "none.png", "there is no such file")
    assert_unreadable(tmp_path, "it is a directory")
    assert_unreadable("a\0b.png", "null")
    assert_unreadable(tmp_path / ("a" * 400 + ".png"), "too long")


def test_a_pipe_is_not_waited_for(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes on this system")
    os.mkfifo(tmp_path / "a.png")
    assert_unreadable(tmp_path / "a.png", "no regular file")


def test_a_forbidden_file(pixels, save):
    path = save(Image.fromarray(pixels), "a.png")
    os.chmod(path, 0)  # noqa: PTH101
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert_unreadable(path, "permission is denied")


def test_errors_are_value_errors_and_travel_between_processes():
    with pytest.raises(ValueError, match="no such file") as caught:
        read_patch("none.png")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is PatchReadError
    assert str(copy) == str(caught.value)


def bombs():
    ihdr = png_header(50_000, 50_000)
    yield "a.png", png(ihdr, (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    frame = struct.pack(">BHHB", 8, 50_000, 50_000, 1) + b"\1\x11\0"
    yield "a.jpg", b"\xff\xd8\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + b"\xff\xda"
    yield "a.bmp", b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 50_000, -50_000, 1, 24) + bytes(24)
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, 50_000) for tag in (256, 257))
    yield "a.tif", b"II*\0\x08\0\0\0\x02\0" + tags + bytes(4)
    tags = [(256, 10), (257, 10), (322, 50_000), (323, 50_000)]
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    yield "tiles.tif", b"II*\0\x08\0\0\0\x04\0" + tags + bytes(4)


@pytest.mark.parametrize(("name", "content"), list(bombs()))
def test_bombs_are_not_lit(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert_unreadable(tmp_path / name, "header claims .* more than the 67,108,864")


def test_a_text_bomb_in_a_png(tmp_path):
    text = b"Comment\0\0" + zlib.compress(bytes(2**27))
    rows = zlib.compress(bytes(4))
    content = png(png_header(1, 1), (b"zTXt", text), (b"IDAT", rows), (b"IEND", b""))
    (tmp_path / "a.png").write_bytes(content)
    assert_unreadable(tmp_path / "a.png", "[Tt]oo large")


def test_pillows_settings_are_left_alone(pixels, save):
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    read_patches([save(Image.fromarray(pixels), "a.png")] * 3, n_jobs=2)
    assert (Image.MAX_IMAGE_PIXELS, warnings.filters) == before


# HDF5


@pytest.fixture
def write_h5(tmp_path):
    h5py = pytest.importorskip("h5py")

    def write(name="cohort.h5", **arrays):
        with h5py.File(tmp_path / name, "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return tmp_path / name

    return write


@pytest.fixture
def stack():
    return np.random.default_rng(1).integers(0, 256, (90, 4, 5, 3), dtype=np.uint8)


def test_the_array_is_x_or_the_only_one(write_h5, stack):
    labels = np.zeros(90)
    for arrays in ({"x": stack, "other": stack[::-1]}, {"images": stack, "y": labels}):
        path = write_h5(**arrays)
        np.testing.assert_array_equal(read_patch(f"{path}#3"), stack[3])
        assert patch_size(f"{path}#3") == (4, 5)
    path = write_h5(**{"group/images": stack})
    np.testing.assert_array_equal(read_patch(f"{path}#3"), stack[3])


def test_order_and_repeats_are_kept_across_files(write_h5, stack, pixels, save):
    first, second = write_h5("a.h5", x=stack), write_h5("b #1.hdf5", x=255 - stack)
    image = save(Image.fromarray(pixels[:4, :5]), "a.png")
    rng = np.random.default_rng(0)
    rows, files = rng.integers(0, 90, 200), rng.integers(0, 3, 200)
    references = [
        [f"{first}#{r}", f"{second}#{r}", image][f] for r, f in zip(rows, files, strict=True)
    ]
    known = [
        [stack[r], 255 - stack[r], pixels[:4, :5]][f] for r, f in zip(rows, files, strict=True)
    ]
    for n_jobs in (None, 1, 3):
        np.testing.assert_array_equal(read_patches(references, n_jobs=n_jobs), known)


def test_arrays_are_read_in_blocks(write_h5, stack, monkeypatch):
    monkeypatch.setattr("skbreast._stacks.MAX_BLOCK_BYTES", 200)
    path = write_h5(x=stack)
    rows = [5, 4, 4, 80, 6, 7, 8]
    np.testing.assert_array_equal(read_patches([f"{path}#{row}" for row in rows]), stack[rows])


def test_channels_and_depths_of_arrays(write_h5):
    sixteen = np.array([257 * 200, 255, 65535], np.uint16).reshape(1, 1, 1, 3)
    assert read_patch(f"{write_h5(x=sixteen)}#0").tolist() == [[[200, 0, 255]]]
    grey = np.array([7], np.uint8).reshape(1, 1, 1, 1)
    assert read_patch(f"{write_h5(x=grey)}#0").tolist() == [[[7, 7, 7]]]
    clear = np.array([*RED, 0], np.uint8).reshape(1, 1, 1, 4)
    assert read_patch(f"{write_h5(x=clear)}#0").tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize(
    ("arrays", "cause"),
    [
        ({"x": np.zeros((2, 4, 5, 3), np.float32)}, "float32"),
        ({"x": np.zeros((2, 4, 5, 7), np.uint8)}, "7 channels"),
        ({"x": np.zeros((2, 0, 5, 3), np.uint8)}, "size of zero"),
        ({"x": np.zeros((2, 3, 4, 5), "S3")}, "S3"),
        ({"x": np.zeros((2, 5), np.uint8)}, "named 'x'.*found none"),
        ({k: np.zeros((2, 4, 5, 3), np.uint8) for k in "ab"}, "found 'a', 'b'"),
    ],
)
def test_arrays_that_hold_no_patches(write_h5, arrays, cause):
    assert_unreadable(f"{write_h5(**arrays)}#0", cause)


def test_bad_hdf5_files(write_h5, stack, tmp_path):
    path = write_h5(x=stack)
    assert_unreadable(f"{path}#90", "the file has 90 rows, counted from 0")
    assert_unreadable(path, "an HDF5 file needs a row")
    assert_unreadable(f"{tmp_path}/none.h5#0", "no such file")
    content = path.read_bytes()
    for tenths in range(10):
        path.write_bytes(content[: len(content) * tenths // 10])
        assert_unreadable(f"{path}#0", ".")
    (tmp_path / "text.h5").write_text("no HDF5")
    assert_unreadable(f"{tmp_path}/text.h5#0", "signature")


def test_arrays_that_lie_in_other_files_are_refused(tmp_path, stack, write_h5):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(3 * 60))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        external = [(str(tmp_path / "secret"), 0, 180)]
        file.create_dataset("x", (3, 4, 5, 3), np.uint8, external=external)
    assert_unreadable(f"{tmp_path}/a.h5#0", "from other files")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["x"] = h5py.ExternalLink(str(write_h5(x=stack)), "x")
    assert_unreadable(f"{tmp_path}/b.h5#0", "found none")


def test_huge_arrays_are_refused_by_their_header(tmp_path):
    h5py = pytest.importorskip("h5py")
    for name, shape, cause in (
        ("a.h5", (2, 50_000, 50_000, 3), "header claims"),
        ("b.h5", (50_000, 100, 100, 3), "chunks are larger"),
    ):
        with h5py.File(tmp_path / name, "w") as file:
            chunks = (1, 64, 64, 3) if name == "a.h5" else (50_000, 100, 100, 3)
            file.create_dataset("x", shape, np.uint8, chunks=chunks)
        assert_unreadable(f"{tmp_path}/{name}#0", cause)


# Sizes


def test_fit_patch_returns_a_patch_of_the_right_size_itself(pixels):
    for fit in ("resize", "pad"):
        assert fit_patch(pixels, (20, 30), fit) is pixels


def test_resizing_averages_when_it_shrinks():
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2] = 255
    small = fit_patch(stripes, (10, 10), "resize")
    assert np.abs(small[:, 1:-1].astype(int) - 127).max() <= 2
    even = np.full((7, 9, 3), 93, np.uint8)
    np.testing.assert_array_equal(fit_patch(even, (20, 5)), np.full((20, 5, 3), 93))


def test_padding_centres_on_white():
    patch = np.zeros((2, 4, 3), np.uint8)
    padded = fit_patch(patch, (5, 4), "pad")
    assert padded[:, 0, 0].tolist() == [255, 0, 0, 255, 255]


def test_padding_shrinks_what_is_too_large_and_keeps_its_proportions():
    patch = np.zeros((40, 20, 3), np.uint8)
    padded = fit_patch(patch, (10, 10), "pad")
    black = (padded == 0).all(axis=2)
    assert black[:, 2:7].all()
    assert black.sum() == 50
    assert fit_patch(np.zeros((1000, 1, 3), np.uint8), (4, 4), "pad").shape == (4, 4, 3)


def test_most_common_size(pixels, save):
    image = Image.fromarray(pixels)
    small = save(image.resize((10, 10)), "small.png")
    large = save(image.resize((12, 11)), "large.png")
    assert most_common_size([small, small, large]) == (10, 10)
    assert most_common_size([small, large, large, small]) == (11, 12)
    assert most_common_size([large] * 3 + [small] * 3000) == (10, 10)
    assert most_common_size(np.zeros((2, 7, 9, 3), np.uint8)) == (7, 9)
    with pytest.raises(PatchReadError, match="none"):
        most_common_size([small, "none.png"])
    assert most_common_size([small, "none.png"], on_error="blank") == (10, 10)
    with pytest.raises(PatchReadError, match="none"):
        most_common_size(["none.png"], on_error="blank")


# Many patches


@pytest.fixture
def folder(tmp_path):
    """150 patches of one grey each: its position."""
    for position in range(150):
        patch = Image.new("RGB", (8, 8 if position % 10 else 6), (position,) * 3)
        patch.save(tmp_path / f"{position}.png")
    return np.array([str(tmp_path / f"{position}.png") for position in range(150)], dtype=object)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_order_is_kept(folder, n_jobs):
    shuffled = np.random.default_rng(0).permutation(150)
    patches = read_patches(folder[shuffled], n_jobs=n_jobs)
    assert patches.shape == (150, 8, 8, 3)
    np.testing.assert_array_equal(
        patches, np.broadcast_to(shuffled[:, None, None, None], patches.shape)
    )


@pytest.mark.parametrize("backend", ["loky", "threading", "sequential"])
def test_every_backend_fills_the_one_array(folder, backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        patches = read_patches(folder)
    assert patches[:, 4, 4, 0].tolist() == list(range(150))


def test_a_bad_patch_raises(folder):
    folder[77] = "missing #77.png"
    for n_jobs in (1, 2):
        with pytest.raises(PatchReadError, match=r"missing #77\.png"):
            read_patches(folder, size=(8, 8), n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bad_patches_become_white_with_one_warning(folder, n_jobs):
    bad = [3, 77, 78, 149]
    folder[bad] = [f"missing {position}.png" for position in bad]
    with pytest.warns(UserWarning, match="blank") as caught:
        patches = read_patches(folder, on_error="blank", n_jobs=n_jobs)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith("4 of 150 patches could not be read and are blank (white): ")
    assert "'missing 3.png', 'missing 77.png', 'missing 78.png', …" in message
    assert message.endswith("Cannot read patch 'missing 3.png': there is no such file.")
    assert caught[0].filename == __file__
    expected = np.arange(150)
    expected[bad] = 255
    np.testing.assert_array_equal(patches[:, 4, 4, 0], expected)


def test_only_the_bad_rows_of_an_array_are_blank(write_h5, stack):
    path = write_h5(x=stack)
    references = [f"{path}#{row}" for row in (5, 90, 2, 10**15)] + ["none.h5#1"]
    with pytest.warns(UserWarning, match="3 of 5 patches"):
        patches = read_patches(references, on_error="blank")
    np.testing.assert_array_equal(patches[[0, 2]], stack[[5, 2]])
    assert (patches[[1, 3, 4]] == 255).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "crop"}, "fit must be one of 'resize', 'pad'"),
        ({"on_error": "ignore"}, "on_error must be one of 'raise', 'blank'"),
        *[
            ({"size": size}, r"size must be None or \(height, width\)")
            for size in (50, (50,), (50, 0), (50.0, 50), "50", (50, 50, 3), (10**5, 10**5))
        ],
    ],
)
def test_arguments_are_checked(folder, options, message):
    with pytest.raises(ValueError, match=message):
        read_patches(folder, **options)


def test_only_references_are_read(folder):
    with pytest.raises(ValueError, match="1-D collection of patch references"):
        read_patches(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="single string"):
        read_patches(folder[0])


# The transformer


def test_patch_reader_learns_the_size_of_the_training_patches(folder):
    reader = PatchReader().fit(folder[1:10])
    assert reader.patch_shape_ == (8, 8, 3)
    assert reader.transform(folder[[10, 3]]).shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(reader.transform(folder), read_patches(folder, size=(8, 8)))
    assert PatchReader(size=[5, 4]).fit(folder).patch_shape_ == (5, 4, 3)


def test_patch_reader_passes_on_its_parameters(folder):
    folder[1] = "missing.png"
    reader = PatchReader(size=(8, 8), fitting="pad", on_error="blank", n_jobs=2)
    with pytest.warns(UserWarning, match="1 of 150"):
        patches = reader.fit_transform(folder)
    assert patches[10, 0, 0, 0] == 255
    assert patches[10, 4, 4, 0] == 10


def test_patch_reader_takes_arrays_too(stack):
    reader = PatchReader(size=(4, 5)).fit(stack)
    np.testing.assert_array_equal(reader.transform(stack), stack)
    grey = reader.transform(stack[..., :1])
    np.testing.assert_array_equal(grey, np.repeat(stack[..., :1], 3, axis=-1))
    assert PatchReader(size=(8, 8)).fit_transform(stack).shape == (90, 8, 8, 3)
    for wrong in (stack / 255, stack[:, :, :, [0] * 5]):
        with pytest.raises(ValueError, match="references or a uint8 array of 1 to 4 channels"):
            reader.transform(wrong)


def test_patch_reader_is_a_proper_estimator(folder):
    reader = PatchReader(size=(8, 8))
    with pytest.raises(NotFittedError):
        reader.transform(folder)
    assert clone(reader).get_params() == reader.get_params()
    fitted = pickle.loads(pickle.dumps(reader.fit(folder)))
    np.testing.assert_array_equal(fitted.transform(folder), reader.transform(folder))
    pipeline = make_pipeline(reader, FunctionTransformer(lambda X: X.mean(axis=(1, 2))))
    np.testing.assert_array_equal(pipeline.fit_transform(folder)[:, 0], np.arange(150))
    tags = reader.__sklearn_tags__()
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array


@pytest.mark.parametrize("options", [{"fitting": "crop"}, {"on_error": "skip"}, {"size": 5}])
def test_patch_reader_checks_its_parameters(folder, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        PatchReader(**options).fit(folder)
