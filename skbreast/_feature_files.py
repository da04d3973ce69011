"""Features in many files: a file a chunk, in zarr's format or in parquet's.

Both classes have the same few methods. A chunk is written whole or not at all, so those that are
there are what is done; what all chunks have in common, `about`, is written before the first.
"""

import os
from pathlib import Path

from skbreast._features_about import CLEARED
from skbreast._files import name_of_part
from skbreast._parquet_files import ParquetFiles
from skbreast._zarr_files import ZarrFiles

__all__ = ["FILES", "ParquetFiles", "ZarrFiles", "clear", "find_files", "holds_something"]

FILES = {".zarr": ZarrFiles, ".parquet": ParquetFiles}


def find_files(path):
    """Return the files that a path names by its ending.

    Raises
    ------
    ValueError
        If it ends otherwise.
    """
    kind = FILES.get(Path(path).suffix.lower())
    if kind is None:
        raise ValueError(
            f"{path} must end in {' or '.join(FILES)}, which says how features are kept."
        )
    return kind(Path(path).expanduser().absolute())


def holds_something(path):
    """Tell whether there is anything at a path but an empty folder and what killed writers left."""
    if not path.is_dir():
        return path.exists() or path.is_symlink()  # one that leads nowhere
    return any(name_of_part(each.name) is None for each in path.iterdir())


def clear(files):
    """Delete what an extraction wrote, and nothing else; the folder itself stays.

    Killed in the middle, it leaves a note in the place of `about`, so that the next call knows
    what the rest is. A symbolic link to the folder stays as well.

    Parameters
    ----------
    files : object
        One of :data:`FILES`, whose `about` is there.

    Raises
    ------
    ValueError
        If the folder holds anything that no extraction writes; then nothing is deleted.
    OSError
        If something cannot be deleted.
    """
    folders, own = _own_entries(files)
    card = files.path / files.card_name
    files.write_about(CLEARED)  # so those who still write know that it is no longer theirs
    try:
        for path in own:
            if path != card:
                path.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()
        card.unlink()
    except OSError as error:
        raise OSError(
            f"{files.path} cannot be emptied ({error}); where somebody still writes to it, wait a "
            "minute. The same call goes on."
        ) from error


def _own_entries(files):
    """Return folders and files that an extraction wrote, or raise if there are others."""
    folders, own = [], []
    for folder, below, names in os.walk(files.path):
        for name in (*below, *names):
            path = Path(folder, name)
            final = path.with_name(name_of_part(name) or name)
            relative = final.relative_to(files.path).as_posix()
            known = files.FOLDERS.__contains__ if name in below else files.OWN.fullmatch
            if path.is_symlink() or not known(relative):
                raise ValueError(
                    f"{files.path} cannot be overwritten, since {path.relative_to(files.path)} in "
                    "it is no part of an extraction; move that elsewhere, or give another folder."
                )
            (folders if name in below else own).append(path)
    return folders, own
