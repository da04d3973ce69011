"""Write files so that a name never belongs to half a file."""

import contextlib
import errno
import os
import re
import shutil
import time
import uuid
from pathlib import Path

__all__ = [
    "check_writable",
    "forget_parts",
    "name_of_part",
    "write_text",
    "written_together",
    "written_whole",
]

ABANDONED_SECONDS = 60  # far longer than a file is being written
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
STAGE = re.compile(r"\.[0-9a-f]{32}\.new")
PART = re.compile(r"\.(?P<name>.+)\.[0-9a-f]+\.part", re.DOTALL)


@contextlib.contextmanager
def written_whole(path):
    """Give a temporary name beside `path`, moved to `path` when the block ends well.

    Parameters
    ----------
    path : str or path-like
        The file to be; its folder is made if needed, and an older file stays until the end.

    Yields
    ------
    pathlib.Path
        An empty file to write to; removed if the block raises.

    Raises
    ------
    OSError
        If a folder bears the name, or the file cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; the name of a file is expected.")
    check_writable(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    part.touch(exist_ok=False)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # the name must not outlive a power cut without its bytes
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        why = f"{error.strerror}; an earlier file stays as it was"
        raise OSError(error.errno, why, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def written_together(folder, *, last):
    """Give a folder for files that belong together, moved to `folder` when the block ends well.

    Parameters
    ----------
    folder : path-like
        Where the files are to be; it is made if needed. Older ones stay until the end.
    last : str
        Name of the file without which the others are nothing: it goes first and comes last.

    Yields
    ------
    pathlib.Path
        An empty folder to write to, on the same file system; removed if the block raises.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _forget_stages(folder)
    stage = folder / f".{uuid.uuid4().hex}.new"
    stage.mkdir()
    try:
        yield stage
        (folder / last).unlink(missing_ok=True)
        for path in sorted(stage.iterdir(), key=lambda each: each.name == last):
            path.replace(folder / path.name)
        _sync_folder(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _forget_stages(folder):
    """Delete what killed writers of many files left."""
    for stage in folder.glob(".*.new"):
        with contextlib.suppress(OSError):
            times = [each.stat().st_mtime for each in (stage, *stage.iterdir())]
            if STAGE.fullmatch(stage.name) and time.time() - max(times) > ABANDONED_SECONDS:
                shutil.rmtree(stage)


def _sync_folder(folder):
    """Have a folder's names on the disk, where the system can do so."""
    with contextlib.suppress(OSError):  # Windows has no such thing, nor have some file systems
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_writable(folder):
    """Refuse a folder that files could not go into, whether it exists already or not.

    Parameters
    ----------
    folder : pathlib.Path
        Where files are to go.

    Raises
    ------
    OSError
        If the folder, or the nearest one above it that exists, is a file or cannot be written to.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise NotADirectoryError(f"{existing} is a file; a folder is expected.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(f"{existing} cannot be written to; give another folder.")


def write_text(path, text):
    """Write a UTF-8 text file whole."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def name_of_part(name):
    """Return the name that a temporary file of :func:`written_whole` was to get; else None."""
    match = PART.fullmatch(name)
    return match and match["name"]


def forget_parts(folder, name=None, *, deep=False):
    """Delete the temporary files of writers that were killed; those of living ones stay.

    Parameters
    ----------
    folder : path-like
        Where they are; nothing happens if there is no such folder.
    name : str, optional
        The file that they were to be; by default any.
    deep : bool, default=False
        Whether to look in the folders below, too.
    """
    for part in Path(folder).glob("**/.*.part" if deep else ".*.part"):
        meant = name_of_part(part.name)
        with contextlib.suppress(OSError):  # another process may have been faster
            old = time.time() - part.stat().st_mtime > ABANDONED_SECONDS
            if old and meant is not None and name in (None, meant):
                part.unlink()
