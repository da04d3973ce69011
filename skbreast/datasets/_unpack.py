"""Unpack an archive from a stranger: only plain files, only inside the folder, never half."""

import gzip
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from skbreast.datasets._download import progress_bar

__all__ = ["gunzip", "unpack"]

BLOCK_BYTES = 1 << 20
MAX_READ_BYTES = 1 << 24
MAX_MEMBERS = 2_000_000  # the IDC archive, which holds everything twice, has half a million
_DAMAGED = (
    EOFError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    struct.error,
    UnicodeError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
)


def unpack(archive, folder, *, max_bytes, progress=True):
    """Unpack a zip archive, or a tar archive, plain or gzipped, to `folder`: all or nothing.

    If the archive holds a single folder of the same name, that becomes `folder`.

    Parameters
    ----------
    archive : path-like
        The archive; its content tells which kind it is.
    folder : path-like
        Where the files go; must not exist. Until all are there they stand in
        ``<folder>.unpacking``.
    max_bytes : int
        More than so many bytes are refused.
    progress : bool, default=True
        Show a progress bar on stderr.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If the archive is damaged, has a member that isn't a plain file or folder (links, devices),
        or that lies outside of it (absolute, ``..``), or is larger than `max_bytes`.
    OSError
        If its members' names contradict each other or are too long, or the disk is full.
    """
    archive, folder = Path(archive), Path(folder)
    workplace = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir(parents=True)
    try:
        with progress_bar(progress) as bar, bar.open(archive, "rb", description="unpack") as file:
            _extract(_members(file, archive), workplace, max_bytes, archive)
        return _only_folder(workplace, folder.name).replace(folder)
    except _DAMAGED as error:
        raise ValueError(f"{archive} is damaged or incomplete: {str(error)[:300]}.") from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def gunzip(archive, path, *, max_bytes, progress=True):
    """Unpack one gzip file to `path`, all of it or nothing; see :func:`unpack`."""
    archive, path = Path(archive), Path(path)
    workplace = path.with_name(path.name + ".unpacking")
    try:
        with (
            progress_bar(progress) as bar,
            bar.open(archive, "rb", description="unpack") as file,
            gzip.GzipFile(fileobj=file) as source,
        ):
            _copy(source, workplace, max_bytes, archive)
        return workplace.replace(path)
    except _DAMAGED as error:
        raise ValueError(f"{archive} is damaged or incomplete: {str(error)[:300]}.") from error
    finally:
        workplace.unlink(missing_ok=True)


def _members(file, archive):
    """Yield ``(name, opener)`` of each member; opener is None for a folder."""
    if zipfile.is_zipfile(file):
        file.seek(0)
        yield from _zip_members(file, archive)
        return
    file.seek(0)
    gzipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    plain = _Sips(gzip.GzipFile(fileobj=file) if gzipped else file)
    with tarfile.open(fileobj=plain, mode="r:") as tar:
        for member in tar:
            if not (member.isreg() or member.isdir()):
                raise _refusal(archive, member.name, "is a link or a device")
            yield member.name, None if member.isdir() else lambda m=member: tar.extractfile(m)


class _Sips:
    """A file that is read in small portions only: a tar's headers may claim gigabytes."""

    def __init__(self, file):
        self.file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, n_bytes):
        if not 0 <= n_bytes <= MAX_READ_BYTES:
            raise tarfile.ReadError(f"a header claims {n_bytes:,} bytes")
        return self.file.read(n_bytes)


def _zip_members(file, archive):
    with zipfile.ZipFile(file) as zipped:
        for member in zipped.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, member.filename, "is a link or a device")
            if member.flag_bits & 1:
                raise _refusal(archive, member.filename, "is encrypted")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refusal(archive, member.filename, "is packed by an unusual method")
            yield member.filename, None if member.is_dir() else lambda m=member: zipped.open(m)


def _extract(members, workplace, max_bytes, archive):
    left = max_bytes
    for number, (name, opener) in enumerate(members):
        if number == MAX_MEMBERS:
            raise ValueError(f"{archive} has more than {MAX_MEMBERS:,} members; nothing was kept.")
        target = workplace / _safe_path(name, archive)
        if opener is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with opener() as source:
            left -= _copy(source, target, left, archive)


def _safe_path(name, archive):
    """Return a member's name as a relative path below its folder, on any operating system."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.search(r"[:\0]", name):
        raise _refusal(archive, name, "would lie outside of its folder")
    return path


def _copy(source, target, max_bytes, archive):
    size = 0
    with target.open("wb") as file:
        while block := source.read(BLOCK_BYTES):
            size += len(block)
            if size > max_bytes:
                raise ValueError(f"{archive} unpacks to more bytes than allowed; nothing was kept.")
            file.write(block)
    return size


def _refusal(archive, name, why):
    return ValueError(f"{archive}: the member {name[:300]!r} {why}; nothing was unpacked.")


def _only_folder(workplace, name):
    """Return the folder `name` in `workplace` if it holds everything, else `workplace` itself."""
    others = [
        entry.name
        for entry in workplace.iterdir()
        if entry.name not in (name, "__MACOSX") and not entry.name.startswith(".")
    ]
    inner = workplace / name
    return inner if inner.is_dir() and not others else workplace
