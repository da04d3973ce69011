"""What an extraction is made of: columns to keep, a description, and how two of them differ."""

import hashlib
import json
import os
import uuid

import numpy as np
from sklearn.utils.validation import column_or_1d

from skbreast._chunk_runs import engine_versions
from skbreast._features_about import FORMAT, KINDS, MAX_CHUNK_BYTES
from skbreast._mismatches import name_mismatches
from skbreast._validation import check_groups, check_patches, is_references

__all__ = ["check_columns", "describe", "differences", "digest"]

DIGESTED_AT_ONCE = 100_000
COMPARED = ("n_patches", "chunk_size", "target_names")
TYPES = {  # of single values, by kind; bool is an int, and so comes first
    "flag": (bool, np.bool_),
    "integer": (int, np.integer),
    "number": (float, np.floating),
    "text": (str,),
}


def check_columns(X, y, groups):
    """Return the columns that are kept beside features.

    Parameters
    ----------
    X : array-like of str, shape (n_patches,)
        Patch references.
    y, groups : array-like of shape (n_patches,) or None
        Labels and patients.

    Returns
    -------
    dict of str to ndarray
        ``references`` and, where they were given, ``labels`` and ``patients``; each is of a kind
        of :data:`skbreast._features_about.KINDS`.

    Raises
    ------
    ValueError
        If they are no references, of another length, or of values that would not come back as
        they are.
    """
    if not is_references(X):
        raise ValueError(
            "X must be patch references; of pixels in memory, or in a dask array, the extractor's "
            "transform gives the features."
        )
    columns = {"references": check_patches(X)}
    n_samples = len(columns["references"])
    if y is not None:
        labels = _as_given(y)
        if len(labels) != n_samples:
            raise ValueError(f"y has {len(labels)} labels for {n_samples} patches.")
        columns["labels"] = _typed(labels, "y")
    if groups is not None:
        check_groups(groups, n_samples=n_samples)
        columns["patients"] = _typed(_as_given(groups), "groups")
    return columns


def _as_given(values):
    # Of a list of several kinds numpy would make text.
    return column_or_1d(np.asarray(values, dtype=None if hasattr(values, "dtype") else object))


def _typed(values, name):
    """Return values as the kind that they all are, or refuse them."""
    kinds = {_kind(each) for each in (values if values.dtype.kind == "O" else values[:1])}
    if kinds == {"integer", "number"}:  # as numpy does
        kinds = {"number"}
    kind = kinds.pop() if len(kinds) == 1 else None
    try:
        if kind in KINDS:
            values = list(map(str, values)) if kind == "text" else values
            typed = np.array(values, dtype=KINDS[kind])
            if kind == "text" or bool(np.all((typed == values) | (typed != typed))):
                return typed
    except OverflowError:
        pass  # a number of more than 64 bits
    said = sorted({type(each).__name__ for each in values})
    raise ValueError(
        f"{name} holds values of type {', '.join(said)}, which files do not give back as they are; "
        "give whole numbers of 64 bits, numbers, True and False, or text, for example "
        f"[str(each) for each in {name}]."
    )


def _kind(value):
    return next((kind for kind, types in TYPES.items() if isinstance(value, types)), None)


def describe(extractor, columns, chunk_size, target_names, folder):
    """Return all that decides an extraction, and what a reader wants to know, as JSON has it.

    Parameters
    ----------
    extractor : TransferFeatureExtractor
        Fitted, with a settled engine and precision.
    columns : dict of str to ndarray
        What :func:`check_columns` returned.
    chunk_size : int
        Patches a chunk.
    target_names : list of str or None
        Names of the classes.
    folder : str
        What relative references start from.

    Returns
    -------
    dict
        Its ``folder`` is None where no reference is relative; ``run`` is another one each time.

    Raises
    ------
    ValueError
        If a chunk would be too large for a file.
    """
    identity = extractor._identity()
    kinds = {np.dtype(kind): name for name, kind in KINDS.items()}
    references, names = columns["references"], extractor.get_feature_names_out().tolist()
    _check_chunk_bytes(min(chunk_size, len(references)), len(names))
    about = {
        "format": FORMAT,
        "run": uuid.uuid4().hex,
        "folder": None if all(map(os.path.isabs, references)) else folder,
        "first_reference": references[0],
        "n_patches": len(references),
        "chunk_size": chunk_size,
        "columns": {name: kinds[values.dtype] for name, values in columns.items()}
        | {"readable": "flag"},
        "data": {name: digest(values) for name, values in columns.items()},
        "extractor": identity,
        "versions": engine_versions(identity["engine"]),
        "target_names": None if target_names is None else [str(name) for name in target_names],
        "feature_names": names,
    }
    return json.loads(json.dumps(about))


def _check_chunk_bytes(n_rows, n_features):
    if 4 * n_rows * n_features > MAX_CHUNK_BYTES:
        raise ValueError(
            f"chunk_size: {n_rows} patches of {n_features} features are too much for a file; give "
            f"{MAX_CHUNK_BYTES // (4 * n_features)} or fewer."
        )


def digest(values):
    """Return the digest of a column, as 40 hexadecimal digits."""
    found = hashlib.sha256()
    for start in range(0, len(values), DIGESTED_AT_ONCE):
        part = json.dumps(values[start : start + DIGESTED_AT_ONCE].tolist())
        found.update(part.encode())
    return found.hexdigest()[:40]


def differences(there, here):
    """Say in what two descriptions differ; nothing if the one can be gone on with as the other.

    Parameters
    ----------
    there, here : dict
        What :func:`describe` returned then and now.

    Returns
    -------
    str
        The differences, with semicolons between.
    """
    said = list(name_mismatches(there["data"], here["data"]))
    if "other references" in said:
        said += name_mismatches(_first(there), _first(here))
    said += name_mismatches(_start(there), _start(here))
    olds, news = (
        each["extractor"] | each["versions"] | {name: each[name] for name in COMPARED}
        for each in (there, here)
    )
    keys = olds.pop("key", None), news.pop("key", None)
    others = list(name_mismatches(olds, news))
    if keys[0] != keys[1] and not others:  # it changes with all that is said, and with weights
        others.append("other weights")
    return "; ".join(said + others)


def _first(about):
    return {"the first reference is": about["first_reference"]}


def _start(about):
    return {"relative references start from": about["folder"]}
