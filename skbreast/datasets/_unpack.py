"""Unpack an archive from a stranger: only plain files, only inside the folder, never half."""

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from skbreast.datasets._download import progress_bar

__all__ = ["gunzip", "unpack"]

BLOCK_BYTES = 1 << 20
_DAMAGED = (
    EOFError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
)


def unpack(archive, folder, *, max_bytes, progress=True):
    """Unpack a tar or zip archive to `folder`, all of it or nothing.

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
        raise ValueError(f"{archive} is damaged or incomplete: {error}.") from error
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
        raise ValueError(f"{archive} is damaged or incomplete: {error}.") from error
    finally:
        workplace.unlink(missing_ok=True)


def _members(file, archive):
    """Yield ``(name, opener)`` of each member; opener is None for a folder."""
    if zipfile.is_zipfile(file):
        file.seek(0)
        yield from _zip_members(file, archive)
        return
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:*") as tar:
        for member in tar:
            if not (member.isreg() or member.isdir()):
                raise _refusal(archive, member.name, "is a link or a device")
            yield member.name, None if member.isdir() else lambda m=member: tar.extractfile(m)


def _zip_members(file, archive):
    with zipfile.ZipFile(file) as zipped:
        for member in zipped.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, member.filename, "is a link or a device")
            if member.flag_bits & 1:
                raise _refusal(archive, member.filename, "is encrypted")
            yield member.filename, None if member.is_dir() else lambda m=member: zipped.open(m)


def _extract(members, workplace, max_bytes, archive):
    left = max_bytes
    for name, opener in members:
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
    return ValueError(f"{archive}: the member {name!r} {why}; nothing was unpacked.")


def _only_folder(workplace, name):
    """Return the folder `name` in `workplace` if it holds everything, else `workplace` itself."""
    others = [
        entry.name
        for entry in workplace.iterdir()
        if entry.name not in (name, "__MACOSX") and not entry.name.startswith(".")
    ]
    inner = workplace / name
    return inner if inner.is_dir() and not others else workplace
