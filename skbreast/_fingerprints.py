"""What tells patches, files and weights apart: digests of their contents, states of files."""

import hashlib
import json
import os
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

from skbreast._validation import is_references
from skbreast.references import parse_reference

__all__ = [
    "digest_array",
    "digest_file",
    "digest_patches",
    "digest_text",
    "file_state",
    "patch_files",
    "reference_state",
]

SETTLED_NS = 2 * 10**9  # coarser than any file system's clock


def digest_array(array):
    """Digest of an array: its shape, its dtype and its numbers.

    Parameters
    ----------
    array : ndarray
        The pixels of a patch, or weights.

    Returns
    -------
    bytes
        20 of them.
    """
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.digest()[:20]


def digest_text(text):
    """Digest of a text, as 40 hexadecimal digits."""
    # names of files may hold bytes that are no text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def file_state(path):
    """Return what changes whenever a file does; None where there is none.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    tuple of int or None
        Size in bytes, number of the entry, and when contents and entry were changed, in
        nanoseconds (on Windows, when it was made).
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - asked of each of very many patches
    except OSError:
        return None
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def digest_patches(X):
    """Digest of pixels, or of references with the sizes and times of their files.

    Parameters
    ----------
    X : ndarray or sequence of str
        Patches or patch references.

    Returns
    -------
    str
        40 hexadecimal digits.
    """
    if not is_references(X):
        return digest_array(X).hex()
    return digest_text(json.dumps([[str(each) for each in X], patch_files(X)]))


def patch_files(references):
    """Return what shows that files of patches were changed.

    Parameters
    ----------
    references : sequence of str
        Patch references.

    Returns
    -------
    list of (str, (int, int) or None)
        For each file, in order, its path, size in bytes and time of the last change in
        nanoseconds; None where there is no file.
    """
    states = {}
    for path in {str(parse_reference(each).path) for each in references}:
        state = file_state(path)
        states[path] = None if state is None else (state[0], state[2])
    return sorted(states.items())


def digest_file(path):
    """Digest of a file's contents, as 40 hexadecimal digits; it is read once a process."""
    return _digest_file(os.fspath(path), file_state(path))


@lru_cache(maxsize=32)
def _digest_file(path, _state):
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:40]


def reference_state(reference):
    """Name of a patch that holds anywhere on the machine, and what changes when its file does.

    Parameters
    ----------
    reference : str
        A patch reference.

    Returns
    -------
    name : str
        The reference with an absolute path.
    state : str or None
        None where there is no file, or where it changed so lately that its times might not show
        the next change.
    """
    place = parse_reference(reference)
    path = os.path.abspath(place.path)  # noqa: PTH100 - asked of each of very many patches
    state = file_state(path)
    name = path if place.row is None else f"{path}#{place.row}"
    name = name.encode("utf-8", "backslashreplace").decode()  # names of files may be any bytes
    if state is None or time.time_ns() - max(state[2:]) < SETTLED_NS:
        return name, None
    return name, "{}:{}:{}:{}".format(*state)
