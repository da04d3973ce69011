"""The archive of a model file: a zip without surprises, and the seal that ends it."""

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib

from skbreast.persistence._errors import Refused

__all__ = ["MAX_BYTES", "Archive", "read_bounded", "read_seal", "write_sealed"]

MAX_BYTES = 2**31
MAX_RATIO = 200  # of unpacked to packed bytes
MAX_JSON = 2**24  # bytes of a schema or a manifest: 100,000 objects
_NAMES = {
    1: re.compile(r"schema\.json|[0-9]{1,20}\.npy"),
    2: re.compile(r"manifest\.json|schema\.json|arrays/(0|[1-9][0-9]{0,8})\.npy"),
}
_SEAL = "skbreast model, format {:d}, sha256 "
_SEALED = re.compile(rb"skbreast model, format ([0-9]{1,4}), sha256 ([0-9a-f]{64})\Z")
_SEAL_ROOM = 128
_N_DIGITS = 64
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip knows: files shall not hang on the clock


def write_sealed(path, members, *, version):
    """Write members, of which only JSON is compressed, and the seal.

    Parameters
    ----------
    path : pathlib.Path
        The file, overwritten.
    members : dict of str to bytes
        Contents by name.
    version : int
        Of the format.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, _compression(name, content))
        archive.comment = _SEAL.format(version).encode() + b"0" * _N_DIGITS
    with path.open("r+b") as file:
        n_sealed = file.seek(-_N_DIGITS, os.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256()
        while n_sealed:
            part = file.read(min(n_sealed, 2**20))
            digest.update(part)
            n_sealed -= len(part)
        file.seek(-_N_DIGITS, os.SEEK_END)
        file.write(digest.hexdigest().encode())
        file.flush()
        os.fsync(file.fileno())


def _compression(name, content):
    """Compress texts, unless there is so little in them that they look like a trap."""
    if not name.endswith(".json") or len(content) > len(zlib.compress(content)) * MAX_RATIO / 2:
        return zipfile.ZIP_STORED
    return zipfile.ZIP_DEFLATED


def read_bounded(path, max_bytes):
    """Read a file that is not longer than it may be.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    max_bytes : int
        How long it may be.

    Returns
    -------
    bytes

    Raises
    ------
    Refused
        If it is longer, or no plain file.
    OSError
        If it cannot be read.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise Refused("is no plain file.")
        n_bytes = about.st_size
        if n_bytes > max_bytes:
            raise Refused(
                f"has {n_bytes:,} bytes, more than max_bytes={max_bytes:,}; if it is yours and "
                "memory is enough, give a larger one."
            )
        content = file.read(n_bytes + 1)
    if len(content) != n_bytes:
        raise Refused("changed while it was read.")
    return content


def _open_at_once(path, flags):
    """Open without waiting for whoever writes to a pipe; Windows has none by name."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_seal(content):
    """Return the version of the format that a seal names, or None where there is no seal.

    Raises
    ------
    ValueError
        If the seal does not fit what it seals.
    """
    found = _SEALED.search(content[-_SEAL_ROOM:])
    if found is None:
        return None
    sealed = memoryview(content)[:-_N_DIGITS]
    if hashlib.sha256(sealed).hexdigest().encode() != found[2]:
        raise ValueError("its seal does not fit, so bytes of it were changed")
    return int(found[1])


class Archive:
    """The members of a model file, whose names and sizes are judged before anything is read.

    Parameters
    ----------
    content : bytes
        The file.
    version : int
        Of the format.
    max_bytes : int
        How much the members may take together.

    Attributes
    ----------
    names : list of str
        The members, in order.

    Raises
    ------
    ValueError, zipfile.BadZipFile
        If it is no archive of this format.
    """

    def __init__(self, content, *, version, max_bytes):
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        self._members = {each.filename: each for each in self._zip.infolist()}
        self.names = list(self._members)
        if len(self.names) != len(self._zip.infolist()):
            raise ValueError("two of its members bear the same name")
        for each in self._members.values():
            _check_member(each, version)
        _check_sizes(self._members.values(), len(content), max_bytes)

    def read(self, name):
        """Return the bytes of a member."""
        if name not in self._members:
            raise ValueError(f"it has no {name}")
        content = self._zip.read(name)
        if len(content) != self._members[name].file_size:
            raise ValueError(f"{name} is shorter than it says")
        return content

    @property
    def arrays(self):
        """Names of the members that are arrays."""
        return [name for name in self.names if name.endswith(".npy")]


def _check_member(member, version):
    # orig_filename: what stands there, up to and behind a zero byte
    if not _NAMES[version].fullmatch(member.orig_filename):
        raise ValueError(f"it has a member {member.orig_filename!r}")
    if member.flag_bits & ~0x800:  # encrypted, patched, or sized afterwards
        raise ValueError(f"{member.filename} is stored in a way that is not ours")
    may_be_packed = version == 1 or member.filename.endswith(".json")
    allowed = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) if may_be_packed else (zipfile.ZIP_STORED,)
    if member.compress_type not in allowed:
        raise ValueError(f"{member.filename} is compressed in a way that is not ours")
    if member.filename.endswith(".json") and member.file_size > MAX_JSON:
        raise ValueError(f"{member.filename} has {member.file_size:,} bytes")
    if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
        raise ValueError(f"{member.filename} has two sizes")


def _check_sizes(members, n_bytes, max_bytes):
    if sum(each.compress_size for each in members) > n_bytes:
        raise ValueError("its members take more room than it has")
    n_unpacked = sum(each.file_size for each in members)
    if n_unpacked > min(max_bytes, n_bytes * MAX_RATIO):
        raise ValueError(f"its {n_bytes:,} bytes unpack to {n_unpacked:,}")
