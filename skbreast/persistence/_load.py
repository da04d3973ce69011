"""`load`: judge a model file, then make the model."""

import io
from functools import partial
from pathlib import Path

import skops.io

from skbreast._validation import check_number
from skbreast.persistence._allowed import TRUSTED
from skbreast.persistence._archive import MAX_BYTES, Archive, read_bounded, read_seal
from skbreast.persistence._arrays import check_array
from skbreast.persistence._errors import Refused, naming
from skbreast.persistence._fitted import check_fitted
from skbreast.persistence._manifest import FORMAT, NAME, check_manifest, refuse_newer
from skbreast.persistence._parameters import settle_parameters
from skbreast.persistence._schema import audit, parse_json

__all__ = ["CAN_RUN", "judge", "load", "make"]

CAN_RUN = (".pkl", ".pickle", ".joblib", ".keras", ".h5", ".hdf5", ".pt", ".pth", ".dill")


def load(path, *, max_bytes=MAX_BYTES):
    """Load what :func:`save` wrote.

    Everything is checked before any object is made, and nothing in a file can run. That a file is
    whole does not say who wrote it: what a model answers is its maker's word.

    A loaded model writes nowhere: `memory` and `checkpoint` of each estimator in it are None, since
    the file would choose the folder. Set them again with `set_params`. Estimators of this package
    have the defaults of parameters that they did not have yet when they were saved.

    Parameters
    ----------
    path : str or path-like
        The file.
    max_bytes : int, default=2147483648
        The longest file to be loaded. Loading takes about three times the memory.

    Returns
    -------
    estimator or dict of str to estimator
        As it was saved, but for `memory` and `checkpoint`. Predictions are the same, bit for bit,
        on the same processor with the same versions.

    Raises
    ------
    ValueError
        If the file is no model file, is longer than `max_bytes`, is damaged (of format 2, which
        `save` writes, a single changed bit is found; of format 1, which has no seal, only what
        can no longer be read), is of a newer format, names a type that is not known to be data, or
        holds a fitted state that does not fit together. The message says which.
    OSError
        If the file cannot be read.

    Warns
    -----
    sklearn.exceptions.InconsistentVersionWarning
        If it was saved with another version of scikit-learn, whose estimators may differ.

    See Also
    --------
    save : Writes it, and has an example.
    """
    check_number(max_bytes, name="max_bytes", low=1, integer=True)
    path = Path(path)
    if path.suffix.lower() in CAN_RUN:
        raise ValueError(
            f"{path} may run code when it is loaded, so it is not opened; models are *.skops "
            "files written by skbreast.save."
        )
    with naming(path):
        content = read_bounded(path, max_bytes)
        judge(content, max_bytes)
        return make(content)


def judge(content, max_bytes):
    """Check a model file from its seal to its schema, without making anything.

    Parameters
    ----------
    content : bytes
        The file.
    max_bytes : int
        How much its members may take together.
    """
    version = read_seal(content)
    open_archive = partial(Archive, content, max_bytes=max_bytes)
    if version is None:
        _judge_first_format(open_archive)
    elif version > FORMAT:
        refuse_newer(version, partial(open_archive, version=FORMAT))
    else:
        archive = open_archive(version=version)
        manifest = check_manifest(archive)
        classes = audit(parse_json(archive.read("schema.json")), archive.arrays)
        if manifest.get("classes") != sorted(classes):
            raise ValueError(f"{NAME} names other classes than there are")
    if foreign := set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED):
        raise Refused(f"holds types that skops does not trust: {', '.join(sorted(foreign))}.")


def _judge_first_format(open_archive):
    archive = open_archive(version=1)
    for name in archive.arrays:
        check_array(archive.read(name))
    audit(parse_json(archive.read("schema.json")), archive.arrays)


def make(content):
    """Make the model of a file that was judged, and check what it learned.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    estimator or dict of str to estimator
    """
    try:
        model = skops.io.load(io.BytesIO(content), trusted=list(TRUSTED))
    except MemoryError:
        raise
    except Exception as error:  # of any class of scikit-learn
        raise ValueError(f"{type(error).__name__}: {error}") from error
    check_fitted(model)
    settle_parameters(model)
    return model
