"""Write files so that a name never belongs to half a file."""

import contextlib
import os
import uuid
from pathlib import Path

__all__ = ["check_writable", "write_text", "written_whole"]


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
    finally:
        part.unlink(missing_ok=True)


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
