"""Features of any number of patches in chunked files, which a killed run goes on with."""

import hashlib
import json
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skbreast._chunk_runs import ChunkWork, engine_versions, run_here, run_on_cluster
from skbreast._extracted import FORMAT, ExtractedFeatures, FeatureRows, open_features
from skbreast._feature_files import KINDS, find_files, forget_parts, n_chunks
from skbreast._progress import progress_bar
from skbreast._validation import (
    check_choice,
    check_groups,
    check_number,
    check_patches,
    import_optional,
    is_references,
)
from skbreast.reading import PatchReadError
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["ExtractedFeatures", "FeatureRows", "extract_features", "open_features"]

HASHED_AT_ONCE = 100_000
COMPARED = ("chunk_size", "target_names")


def extract_features(
    extractor,
    X,
    out,
    *,
    y=None,
    groups=None,
    target_names=None,
    chunk_size=4096,
    scheduler=None,
    on_error="raise",
    overwrite=False,
    show=False,
):
    """Compute features of patches into files, a chunk at a time, here or on a dask cluster.

    What is written is kept: the same call goes on where an earlier one was killed, ran out of disk
    or met a broken file, and the content is the same in the end as if nothing had happened.

    Parameters
    ----------
    extractor : TransferFeatureExtractor
        What makes features; it need not be fitted. Its `memory` is used, its `n_jobs` is not.
    X : array-like of str, shape (n_patches,)
        Patch references. They are not read before their turn.
    out : path-like
        A folder that ends in ``.zarr`` (arrays; the extra ``zarr``) or ``.parquet`` (a table; the
        extra ``parquet``). On a cluster all workers must see it under the same name.
    y : array-like of shape (n_patches,), optional
        Labels, kept beside the features.
    groups : array-like of shape (n_patches,), optional
        Patient ids, kept beside the features.
    target_names : list of str, optional
        Names of the classes, kept as well.
    chunk_size : int, default=4096
        Patches a file. A worker that is killed loses one chunk; memory grows with it.
    scheduler : str or distributed.Client, optional
        Address of a dask scheduler, as ``"tcp://host:8786"``, or a client of it. By default the
        work is done in this process, which uses all cores.
    on_error : {"raise", "nan"}, default="raise"
        A patch that cannot be read ends the call, or has NaN for features.
    overwrite : bool, default=False
        Delete what an earlier extraction wrote to `out`, and begin anew.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    ExtractedFeatures
        As :func:`open_features` returns it.

    Raises
    ------
    ValueError
        If an argument is not as documented, if `out` holds anything else, or if it holds features
        of other patches, of another extractor, or of other versions of what computes them.
    skbreast.reading.PatchReadError
        If a patch cannot be read; the message names it. What was finished is kept.
    OSError
        If a file cannot be written, or the cluster is gone. What was finished is kept.
    ImportError
        If the package of the format, or dask, is not installed.

    See Also
    --------
    TransferFeatureExtractor.transform : Of a dask array or bag it returns a lazy dask array.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skimage.io import imsave
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.extraction import extract_features
    >>> patches = make_patches(2, 3, patch_size=32, random_state=0)
    >>> folder = Path(tempfile.mkdtemp())
    >>> names = [str(folder / f"{number}.png") for number in range(6)]
    >>> for name, patch in zip(names, patches.data):
    ...     imsave(name, patch, check_contrast=False)
    >>> extractor = TransferFeatureExtractor(layers="block2", input_size=32)
    >>> found = extract_features(extractor, names, folder / "features.zarr", y=patches.target)
    >>> found.features.shape, found.labels.shape
    ((6, 24), (6,))
    """
    files = find_files(out)
    check_choice(on_error, name="on_error", choices=("raise", "nan"))
    check_number(chunk_size, name="chunk_size", low=1, integer=True)
    columns = _check_columns(X, y, groups)
    extractor = _fitted(extractor)._for_workers()
    about = _describe(extractor, columns, int(chunk_size), target_names)
    with _connected(scheduler) as client:
        _make_room(files, about, overwrite)
        forget_parts(files.path)
        files.begin(about)
        work = ChunkWork(extractor, files, about, str(Path.cwd()), on_error)
        _finish(work, columns, client, show)
        forget_parts(files.path)
    return open_features(out)


def _fitted(extractor):
    if not isinstance(extractor, TransferFeatureExtractor):
        raise ValueError(
            f"extractor must be a TransferFeatureExtractor; got {type(extractor).__name__}."
        )
    try:
        check_is_fitted(extractor)
        return extractor
    except NotFittedError:
        return clone(extractor).fit(["reference"])  # which is not read


def _check_columns(X, y, groups):
    if not is_references(X):
        raise ValueError(
            "X must be patch references; of pixels in memory, or in a dask array, the extractor's "
            "transform gives the features."
        )
    columns = {"references": check_patches(X)}
    n_samples = len(columns["references"])
    if y is not None:
        columns["labels"] = _typed(column_or_1d(y))
        if len(columns["labels"]) != n_samples:
            raise ValueError(f"y has {len(columns['labels'])} labels for {n_samples} patches.")
    if groups is not None:
        columns["patients"] = _typed(check_groups(groups, n_samples=n_samples))
    return columns


def _typed(values):
    kind = {"b": "flag", "i": "integer", "u": "integer", "f": "number"}.get(values.dtype.kind)
    return np.array(values if kind else list(map(str, values)), dtype=KINDS[kind or "text"])


def _describe(extractor, columns, chunk_size, target_names):
    """Return all that decides an extraction, and what a reader wants to know, as JSON has it."""
    identity = extractor._identity()
    kinds = {np.dtype(kind): name for name, kind in KINDS.items()}
    about = {
        "format": FORMAT,
        "n_patches": len(columns["references"]),
        "chunk_size": chunk_size,
        "columns": {name: kinds[values.dtype] for name, values in columns.items()}
        | {"readable": "flag"},
        "data": {name: _digest(values) for name, values in columns.items()},
        "extractor": identity,
        "versions": engine_versions(identity["engine"]),
        "target_names": None if target_names is None else [str(name) for name in target_names],
        "feature_names": extractor.get_feature_names_out().tolist(),
    }
    return json.loads(json.dumps(about))


def _digest(values):
    digest = hashlib.sha256()
    for start in range(0, len(values), HASHED_AT_ONCE):
        part = json.dumps(values[start : start + HASHED_AT_ONCE].tolist())
        digest.update(part.encode())
    return digest.hexdigest()[:40]


def _make_room(files, about, overwrite):
    """Leave what can be gone on with; refuse what cannot, or move it out of the way."""
    there = files.read_about() if files.path.is_dir() else None
    if there is None:
        if files.path.exists() and (not files.path.is_dir() or _holds_something(files.path)):
            raise ValueError(f"{files.path} holds something else; give another folder.")
        return
    if overwrite:
        doomed = files.path.with_name(f".{files.path.name}.{uuid.uuid4().hex}.old")
        files.path.rename(doomed)
        shutil.rmtree(doomed)
        return
    differences = _differences(there, about)
    if differences:
        raise ValueError(
            f"{files.path} holds another extraction ({differences}), which cannot be gone on with; "
            "give another folder, or overwrite."
        )


def _holds_something(folder):
    return any(not path.name.endswith(".part") for path in folder.iterdir())


def _differences(there, here):
    """Say in what two descriptions differ."""
    if there.get("format") != FORMAT:
        return f"format {there.get('format')} there, {FORMAT} here"
    data = [name for name in here["data"] if there["data"].get(name) != here["data"][name]]
    data += [name for name in there["data"] if name not in here["data"]]
    said = [f"other {', '.join(data)}"] if data else []
    olds, news = (
        each["extractor"] | each["versions"] | {name: each[name] for name in COMPARED}
        for each in (there, here)
    )
    other = [name for name in {**olds, **news} if olds.get(name) != news.get(name)]
    if "key" in other:  # it changes with all that is said, and with weights
        other.remove("key")
        said += [] if other else ["other weights"]
    said += [f"{name} {olds.get(name)!r} there, {news.get(name)!r} here" for name in other]
    return "; ".join(said)


@contextmanager
def _connected(scheduler):
    """Give a client of a cluster, or None; one that was made here is closed again."""
    if scheduler is None:
        yield None
        return
    distributed = import_optional("distributed", extra="dask", purpose="A scheduler")
    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    if not isinstance(scheduler, str):
        raise ValueError(
            f"scheduler must be None, an address or a distributed.Client; got {scheduler!r}."
        )
    try:
        client = distributed.Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(
            f"There is no scheduler at {scheduler!r} ({error}); start one with `dask scheduler`, "
            "whose first lines say its address."
        ) from error
    with client:
        yield client


def _finish(work, columns, client, show):
    """Compute the chunks that are not there."""
    about, done = work.about, work.files.done()
    size, n_patches = about["chunk_size"], about["n_patches"]

    def n_rows(number):
        return min(size, n_patches - number * size)

    def of_chunk(number):
        return {name: each[number * size : (number + 1) * size] for name, each in columns.items()}

    left = (number for number in range(n_chunks(about)) if number not in done)
    chunks = ((number, of_chunk(number)) for number in left)
    runs = run_here(work, chunks) if client is None else run_on_cluster(work, chunks, client)
    n_done, n_unreadable = len(done), 0
    with progress_bar("Features", n_patches, show=show) as advance:
        advance(sum(map(n_rows, done)))
        try:
            for number, unreadable in runs:
                n_done, n_unreadable = n_done + 1, n_unreadable + unreadable
                advance(n_rows(number), f"{n_unreadable} unreadable" if n_unreadable else "")
        except PatchReadError as error:
            raise PatchReadError(
                f"{error} {n_done} of {n_chunks(about)} chunks are finished and kept: the same "
                "call goes on from there; with on_error='nan' such patches have NaN for features."
            ) from error
