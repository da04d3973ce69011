"""`save`: take a model apart into data, write it, and see that it can be loaded."""

import errno
import io
import json
import zipfile
from pathlib import Path

import skops.io

from skbreast._files import written_whole
from skbreast.persistence._archive import MAX_BYTES, write_sealed
from skbreast.persistence._errors import naming
from skbreast.persistence._load import CAN_RUN, judge, make
from skbreast.persistence._manifest import FORMAT, NAME, make_manifest
from skbreast.persistence._schema import audit, canonical

__all__ = ["check_savable", "save"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def save(estimator, path):
    """Save a fitted estimator, a pipeline, or a dict of them.

    The file is written beside its target, loaded as a trial, and moved into place, so that no
    half-written file ever bears the name, and none that cannot be loaded.

    Parameters
    ----------
    estimator : estimator or dict of str to estimator
        What to save: of this package or of scikit-learn, one within another as one likes.
    path : str or path-like
        The file to write, by convention ``*.skops``.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If it holds what cannot be saved as plain data, such as a function, a Keras network, a
        sparse matrix, or a forest of scikit-learn; or the name is that of a pickle or the like.
    OSError
        If the file cannot be written, for one because the disk is full. An earlier file of that
        name stays as it was.

    See Also
    --------
    load : Reads it.
    skbreast.model_card.write_model_card : Says what the model is, for those who get it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skbreast
    >>> from skbreast.texture import ColorFeatures
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = skbreast.save(ColorFeatures(), Path(folder) / "colour.skops")
    ...     skbreast.load(path)
    ColorFeatures()
    """
    path = Path(path)
    if path.suffix.lower() in CAN_RUN:
        raise ValueError(
            f"{path}: `load` opens no {path.suffix} files, since they may run code; give the name "
            f"{path.with_suffix('.skops').name}."
        )
    members = _take_apart(estimator, path)
    try:
        with written_whole(path) as part:
            write_sealed(part, members, version=FORMAT)
            _try(part, path)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise OSError(
            error.errno, f"{error.strerror}; an earlier file stays as it was", str(path)
        ) from error
    return path


def check_savable(estimator, path):
    """Refuse a model that could not be saved once it is fitted, before hours go into it.

    Parameters
    ----------
    estimator : estimator or dict of str to estimator
        Fitted or not.
    path : path-like
        The file that is to be, for the message.

    Raises
    ------
    ValueError
        If it holds what cannot be saved as plain data.
    """
    _take_apart(estimator, Path(path))


def _take_apart(estimator, path):
    """Return the members of the file of a model: the manifest, the schema, and the arrays."""
    with naming(path, fault="cannot be written"):
        dumped = skops.io.dumps(estimator)
        archive = zipfile.ZipFile(io.BytesIO(dumped))
        schema, names = canonical(json.loads(archive.read("schema.json")))
        classes = audit(schema, names.values())
        text = json.dumps(schema, separators=(",", ":")).encode()
        members = {"schema.json": text}
        members |= {new: archive.read(old) for old, new in names.items()}
        return {NAME: make_manifest(estimator, classes, members), **members}


def _try(part, path):
    content = part.read_bytes()
    with naming(path, fault="is not written, since it could not be loaded again"):
        judge(content, max(MAX_BYTES, 2 * len(content)))
        make(content)
