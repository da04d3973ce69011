"""What the headers of image files say: format, size, orientation; no pixel is decoded here.

Only PNG, JPEG, TIFF and BMP are known, told apart by their first bytes and never by their names.
Files come from strangers, so every number is checked before it is used.
"""

import io
import struct
from dataclasses import dataclass

__all__ = ["ImageHeader", "TiffDirectory", "read_header", "read_tiff_directory"]

ORIENTATION_TAG = 274
MAX_TIFF_ENTRIES = 4096
_TIFF_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TIFF_TYPE_BYTES |= {13: 4, 16: 8, 17: 8, 18: 8}
_TIFF_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_PLAIN_PNG = bytes([8, 2, 0, 0, 0])  # bit depth, colour type, compression, filter, interlace
_PLAIN_PNG_CHUNKS = frozenset(
    {b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"bKGD", b"eXIf", b"pHYs", b"tEXt", b"tIME"}
)


@dataclass(frozen=True)
class ImageHeader:
    """Format and stored size of an image, and how it is to be turned for viewing."""

    format: str
    stored_size: tuple[int, int]
    orientation: int = 1
    exif_offsets: tuple[int, ...] = ()
    plain: bool = False  # a PNG of 8-bit RGB, without transparency or compressed metadata

    @property
    def size(self):
        """``(height, width)`` as it is viewed: orientations 5 to 8 swap the sides."""
        height, width = self.stored_size
        return (width, height) if self.orientation >= 5 else (height, width)


@dataclass(frozen=True)
class TiffDirectory:
    """One page's tags: ``{tag: (type, count, value field)}``, still packed."""

    byte_order: str
    big: bool
    entries: dict
    next_offset: int

    def integer(self, tag, stream, default=None):
        """First value of an integer tag."""
        if tag not in self.entries:
            return default
        kind, count, field = self.entries[tag]
        if kind not in _TIFF_INTEGERS or count < 1:
            raise ValueError(f"its TIFF tag {tag} is no integer")
        n_bytes = _TIFF_TYPE_BYTES[kind]
        if n_bytes * count > len(field):
            stream.seek(self.offset(tag))
            field = stream.read(n_bytes)
        return struct.unpack(self.byte_order + _TIFF_INTEGERS[kind], field[:n_bytes])[0]

    def offset(self, tag):
        """Where the values of `tag` start in the file, None if they lie in the tag itself."""
        kind, count, field = self.entries[tag]
        if _TIFF_TYPE_BYTES.get(kind, 1) * count <= len(field):
            return None
        return struct.unpack(self.byte_order + ("Q" if self.big else "I"), field)[0]

    def n_bytes(self, tag):
        """How long the values of `tag` are."""
        kind, count, _ = self.entries[tag]
        return _TIFF_TYPE_BYTES.get(kind, 1) * count


def read_header(stream):
    """Read the header of an image file.

    Parameters
    ----------
    stream : binary file object
        Seekable, opened for reading.

    Returns
    -------
    ImageHeader

    Raises
    ------
    ValueError, struct.error
        If it is none of the four formats, broken, cut off, animated or has several pages.
    """
    stream.seek(0)
    magic = stream.read(8)
    if not magic:
        raise ValueError("the file is empty")
    for prefix, reader in _READERS:
        if magic.startswith(prefix):
            header = reader(stream)
            if min(header.stored_size) < 1:
                raise ValueError(f"its {header.format} header claims a size of zero")
            return header
    if magic == b"\x89HDF\r\n\x1a\n":
        raise ValueError("an HDF5 file needs a row, as in 'cohort.h5#0'")
    raise ValueError("it is no PNG, JPEG, TIFF or BMP image")


def _read_exactly(stream, n_bytes):
    data = stream.read(n_bytes)
    if len(data) < n_bytes:
        raise ValueError("the file is truncated")
    return data


def _read_png(stream):
    length, kind, width, height = struct.unpack(">I4sII", _read_exactly(stream, 16))
    if kind != b"IHDR" or length != 13:
        raise ValueError("its PNG header is broken")
    plain = _read_exactly(stream, 5) == _PLAIN_PNG
    stream.seek(33)
    orientation = 1
    while True:
        length, kind = struct.unpack(">I4s", _read_exactly(stream, 8))
        if kind in (b"IDAT", b"IEND"):
            return ImageHeader("PNG", (height, width), orientation, plain=plain)
        plain = plain and kind in _PLAIN_PNG_CHUNKS
        if kind == b"acTL":
            raise ValueError("it is an animated PNG, a patch is one image")
        end = stream.tell() + length + 4
        if kind == b"eXIf" and length < 2**16:
            orientation = _exif_orientation(stream.read(length))
        stream.seek(end)


def _read_jpeg(stream):
    stream.seek(2)
    size, orientation, exif_offsets = None, 1, []
    while True:
        prefix, marker = _read_exactly(stream, 2)
        if prefix != 0xFF:
            raise ValueError("its JPEG header is broken")
        if marker == 0xFF:
            stream.seek(-1, io.SEEK_CUR)
        elif marker == 0xDA:
            break
        elif marker not in _JPEG_STANDALONE:
            start = stream.tell()
            (length,) = struct.unpack(">H", _read_exactly(stream, 2))
            if marker in _JPEG_FRAMES:
                size = struct.unpack(">xHH", _read_exactly(stream, 5))
            elif marker == 0xE1 and stream.read(6) == b"Exif\0\0":
                exif_offsets.append(start + 2)
                if len(exif_offsets) == 1:
                    orientation = _exif_orientation(stream.read(max(0, length - 8)))
            stream.seek(start + length)
    if size is None:
        raise ValueError("its JPEG header gives no size")
    return ImageHeader("JPEG", size, orientation, tuple(exif_offsets))


def _read_tiff(stream):
    directory = read_tiff_directory(stream)
    if directory.next_offset:
        raise ValueError("the TIFF has several pages, a patch is one image")
    height, width = (directory.integer(tag, stream, 0) for tag in (257, 256))
    orientation = directory.integer(ORIENTATION_TAG, stream, 1)
    return ImageHeader("TIFF", (height, width), orientation if orientation <= 8 else 1)


def _read_bmp(stream):
    stream.seek(14)
    (header_bytes,) = struct.unpack("<I", _read_exactly(stream, 4))
    if header_bytes == 12:
        width, height = struct.unpack("<HH", _read_exactly(stream, 4))
    else:
        width, height = struct.unpack("<ii", _read_exactly(stream, 8))
    return ImageHeader("BMP", (abs(height), width))


def read_tiff_directory(stream):
    """Read the tags of the first page of a TIFF or BigTIFF, or of an EXIF block."""
    stream.seek(0)
    order = {b"II": "<", b"MM": ">"}[_read_exactly(stream, 2)]
    (version,) = struct.unpack(order + "H", _read_exactly(stream, 2))
    big = version == 43
    word, count_code, field_bytes = ("Q", "Q", 8) if big else ("I", "H", 4)
    if big:
        _read_exactly(stream, 4)
    (start,) = struct.unpack(order + word, _read_exactly(stream, field_bytes))
    if start >= 2**63:
        raise ValueError("the file is truncated")
    stream.seek(start)
    (n_entries,) = struct.unpack(order + count_code, _read_exactly(stream, 8 if big else 2))
    if n_entries > MAX_TIFF_ENTRIES:
        raise ValueError(f"the TIFF claims {n_entries} tags")
    entry = struct.Struct(f"{order}HH{word}{field_bytes}s")
    packed = _read_exactly(stream, entry.size * n_entries)
    entries = {tag: tuple(rest) for tag, *rest in entry.iter_unpack(packed)}
    (next_offset,) = struct.unpack(order + word, _read_exactly(stream, field_bytes))
    return TiffDirectory(order, big, entries, next_offset)


def _exif_orientation(block):
    """Orientation of an EXIF block; a broken block turns nothing, for the pixels may be sound."""
    try:
        stream = io.BytesIO(block)
        orientation = read_tiff_directory(stream).integer(ORIENTATION_TAG, stream, 1)
    except (ValueError, KeyError, struct.error):
        return 1
    return orientation if 1 <= orientation <= 8 else 1


_READERS = (
    (b"\x89PNG\r\n\x1a\n", _read_png),
    (b"\xff\xd8\xff", _read_jpeg),
    (b"II*\0", _read_tiff),
    (b"MM\0*", _read_tiff),
    (b"II+\0", _read_tiff),
    (b"MM\0+", _read_tiff),
    (b"BM", _read_bmp),
)
