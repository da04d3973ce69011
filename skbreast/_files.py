"""Write files so that a name never belongs to half a file."""

import contextlib
import uuid
from pathlib import Path

__all__ = ["write_text", "written_whole"]


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
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(f"{path.parent} is a file; a folder is expected.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    part.touch(exist_ok=False)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path, text):
    """Write a UTF-8 text file whole."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
