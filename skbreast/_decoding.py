"""From the bytes of one image file to uint8 RGB pixels, whatever a stranger put into the file.

Pillow's decoders are called one by one, by the file's first bytes: nothing is guessed, no other
format is ever parsed, and metadata, where Pillow would warn, are taken out of its sight.
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from skbreast._headers import read_header, read_tiff_directory
from skbreast._png import decode_plain_png

__all__ = ["DECODER_ERRORS", "MAX_PIXELS", "as_rgb", "check_n_pixels", "decode_image"]

MAX_PIXELS = 2**26  # 8192 x 8192, under the size at which Pillow begins to warn
MAX_FILE_BYTES = 2**30
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    Warning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_DECODERS = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
}
# The array's axes (height, width) after each EXIF orientation, 1 to 8.
_TURNS = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
_TIFF_SINGLE_TAGS = frozenset({256, 257, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323})
_TIFF_DECODING_TAGS = _TIFF_SINGLE_TAGS | {258, 273, 279, 320, 324, 325, 332, 338, 339, 347, 530}
_TIFF_SAMPLES = {2: "signed", 3: "floating-point", 5: "complex", 6: "complex"}


def check_n_pixels(size):
    """Raise a ValueError if an image of this ``(height, width)`` is too large to be a patch."""
    height, width = size
    if height * width > MAX_PIXELS:
        raise ValueError(
            f"its header claims {height} x {width} pixels, more than the {MAX_PIXELS:,} allowed"
        )


def decode_image(stream):
    """Decode one image file to RGB.

    Parameters
    ----------
    stream : binary file object
        Seekable, opened for reading.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        Turned as its EXIF orientation says.

    Raises
    ------
    one of DECODER_ERRORS
        If it cannot be decoded; the size is checked before any pixel is decoded.
    """
    header = read_header(stream)
    check_n_pixels(header.stored_size)
    if stream.seek(0, io.SEEK_END) > MAX_FILE_BYTES:
        raise ValueError(f"the file is larger than the {MAX_FILE_BYTES:,} bytes allowed")
    stream.seek(0)
    data = stream.read()
    if header.format == "TIFF":
        data = _lean_tiff(data)
    elif header.exif_offsets:
        data = _hide_exif(data, header.exif_offsets)
    pixels = decode_plain_png(data, header.stored_size) if header.plain else None
    if pixels is None:
        with _DECODERS[header.format](io.BytesIO(data)) as image:
            if (image.height, image.width) != header.stored_size:
                raise ValueError("its headers contradict each other about the size")
            pixels = _image_to_rgb(image)
    return np.ascontiguousarray(_TURNS[header.orientation or 1](pixels))


def _image_to_rgb(image):
    image.load()
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return as_rgb(np.asarray(image).astype(np.uint16)[:, :, np.newaxis])
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, patches have 8 or 16 a channel")
    if "transparency" in image.info or image.mode in ("RGBA", "RGBa", "LA", "La", "PA"):
        return as_rgb(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def as_rgb(pixels):
    """Turn grey, RGB or RGBA pixels of 8 or 16 bits into 8-bit RGB.

    Parameters
    ----------
    pixels : ndarray of shape (..., channels), dtype uint8 or uint16
        1 channel is grey, 2 are grey and alpha, 3 RGB, 4 RGB and alpha. Of 16 bits the upper 8
        are kept, as scikit-image and Pillow do. Alpha is laid over white, a slide's background.

    Returns
    -------
    ndarray of shape (..., 3), dtype uint8

    Raises
    ------
    ValueError
        For another dtype or number of channels.
    """
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise ValueError(f"its pixels are {pixels.dtype}, patches are uint8 or uint16")
    n_channels = pixels.shape[-1]
    if not 1 <= n_channels <= 4:
        raise ValueError(f"its pixels have {n_channels} channels, patches have 1 to 4")
    if pixels.dtype.itemsize == 2:
        pixels = (pixels >> 8).astype(np.uint8)
    if n_channels in (2, 4):
        alpha = pixels[..., -1:].astype(np.uint16)
        blended = pixels[..., :-1] * alpha + 255 * (255 - alpha)
        pixels = ((blended + 127) // 255).astype(np.uint8)
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def _hide_exif(data, offsets):
    # Pillow parses EXIF for the resolution and warns, without the file's name, where it is broken.
    data = bytearray(data)
    for offset in offsets:
        data[offset : offset + 6] = bytes(6)
    return data


def _lean_tiff(data):
    """Point a TIFF at a new directory that holds nothing but what decoding needs, checked."""
    stream = io.BytesIO(data)
    directory = read_tiff_directory(stream)
    samples = _TIFF_SAMPLES.get(directory.integer(339, stream, 1))
    if samples is not None:
        raise ValueError(f"its pixels are {samples} numbers, patches are 8- or 16-bit integers")
    if directory.integer(262, stream, 1) == 0 and directory.integer(258, stream, 1) > 8:
        raise ValueError("its 16-bit grey counts from white to black, which is not supported")
    if directory.integer(284, stream, 1) == 2 and directory.integer(258, stream, 1) > 8:
        raise ValueError("its 16-bit channels lie in separate planes, which is not supported")
    if directory.integer(322, stream, 1) * directory.integer(323, stream, 1) > MAX_PIXELS:
        raise ValueError(f"its header claims tiles of more than the {MAX_PIXELS:,} pixels allowed")
    tags = sorted(_TIFF_DECODING_TAGS.intersection(directory.entries))
    _check_tiff_tags(directory, tags, len(data))
    word, count_code, field_bytes = ("Q", "Q", 8) if directory.big else ("I", "H", 4)
    data += bytes(-len(data) % 8)
    entry = struct.Struct(f"{directory.byte_order}HH{word}{field_bytes}s")
    packed = b"".join(entry.pack(tag, *directory.entries[tag]) for tag in tags)
    n_entries = struct.pack(directory.byte_order + count_code, len(tags))
    start = struct.pack(directory.byte_order + word, len(data))
    return b"".join(
        [data[:field_bytes], start, data[2 * field_bytes :], n_entries, packed, bytes(8)]
    )


def _check_tiff_tags(directory, tags, n_file_bytes):
    # What is refused here would make Pillow warn, without the file's name, and go on.
    repeated = [tag for tag in tags if tag in _TIFF_SINGLE_TAGS and directory.entries[tag][1] != 1]
    if repeated:
        n_values = directory.entries[repeated[0]][1]
        raise ValueError(f"its TIFF tag {repeated[0]} has {n_values} values instead of 1")
    outside = [tag for tag in tags if directory.offset(tag) is not None]
    if any(directory.offset(tag) + directory.n_bytes(tag) > n_file_bytes for tag in outside):
        raise ValueError("the file is truncated")
    if sum(directory.n_bytes(tag) for tag in outside) > n_file_bytes:
        raise ValueError("its TIFF tags overlap")
