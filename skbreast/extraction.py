"""Features of any number of patches in chunked files, which a killed run goes on with."""

from contextlib import contextmanager
from pathlib import Path

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skbreast._chunk_runs import GOES_ON, ChunkWork, run_here, run_on_cluster
from skbreast._extracted import ExtractedFeatures, FeatureRows, open_features, read_chunk
from skbreast._extraction_about import check_columns, describe, differences
from skbreast._feature_files import clear, find_files, holds_something
from skbreast._features_about import CLEARED, check_about, chunk_rows, n_chunks
from skbreast._files import forget_parts
from skbreast._lazy import in_folder
from skbreast._progress import progress_bar
from skbreast._validation import check_choice, check_number, import_optional
from skbreast.reading import PatchReadError, iterate_patches
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["ExtractedFeatures", "FeatureRows", "extract_features", "open_features"]


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
        What makes features; it need not be fitted. Its `n_jobs` and its `memory` are not used:
        what a store holds may come from other versions, engines and batches than those that stand
        in the files.
    X : array-like of str, shape (n_patches,)
        Patch references. They are not read before their turn. Relative ones start from the
        folder that this process works in, which must be the same when one goes on.
    out : path-like
        A folder that ends in ``.zarr`` (arrays; the extra ``zarr``) or ``.parquet`` (a table; the
        extra ``parquet``). On a cluster all workers must see it under the same name. A symbolic
        link to a folder is followed, and stays.
    y : array-like of shape (n_patches,), optional
        Labels, kept beside the features: all whole numbers, numbers, True and False, or text.
    groups : array-like of shape (n_patches,), optional
        Patient ids, kept beside the features, of the same kinds.
    target_names : list of str, optional
        Names of the classes, kept as well.
    chunk_size : int, default=4096
        Patches a file, of no more than 2 GB of features. A worker that is killed loses one chunk;
        memory grows with it.
    scheduler : str or distributed.Client, optional
        Address of a dask scheduler, as ``"tcp://host:8786"``, or a client of it. By default the
        work is done in this process, which uses all cores.
    on_error : {"raise", "nan"}, default="raise"
        A patch that cannot be read ends the call, or has NaN for features. One that got NaN in an
        earlier call is left as it is with "nan", and tried again with "raise".
    overwrite : bool, default=False
        Delete what an earlier extraction wrote to `out`, and begin anew. If anything else is in
        the folder nothing is deleted, and the call refused. To go on later, leave it out.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    ExtractedFeatures
        As :func:`open_features` returns it.

    Raises
    ------
    ValueError
        If an argument is not as documented, if `out` holds anything else or is damaged, or if it
        holds features of other patches, of another extractor, or of other versions of what
        computes them. If the extractor's weights are random and another call would have others.
    skbreast.reading.PatchReadError
        If a patch cannot be read; the message names it. What was finished is kept.
    OSError
        If a file cannot be written, the cluster is gone, or another call overwrites the folder.
        What was finished is kept.
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
    columns, folder = check_columns(X, y, groups), str(Path.cwd())
    extractor = _fitted(extractor)._for_workers()
    extractor.memory = None
    about = describe(extractor, columns, int(chunk_size), target_names, folder)
    with _connected(scheduler) as client:
        _make_room(files, about, overwrite)
        forget_parts(files.path, deep=True)
        begun = files.begin(about)
        _check_same(begun, about, files)  # somebody may have been faster
        _finish(ChunkWork(extractor, files, begun, folder, on_error), columns, client, show)
        forget_parts(files.path, deep=True)
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
        named = isinstance(extractor.backbone, str)
        if named and extractor.weights is None and extractor.random_state is None:
            raise ValueError(
                "extractor has random weights (weights=None) and no random_state, so no other "
                "call could go on with what it computes; give it a random_state."
            ) from None
        return clone(extractor).fit(["reference"])  # which is not read


def _make_room(files, about, overwrite):
    """Leave what can be gone on with; refuse what cannot, or delete it."""
    there = files.read_about()
    if there is None:
        if holds_something(files.path):
            raise ValueError(f"{files.path} holds something else; give another folder.")
    elif overwrite or there == CLEARED:
        clear(files)
    else:
        _check_same(there, about, files)


def _check_same(there, about, files):
    check_about(there, files.path)
    said = differences(there, about)
    if said:
        raise ValueError(
            f"{files.path} holds another extraction ({said}), which cannot be gone on with; "
            "give another folder, or overwrite."
        )


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
    about, done = work.about, work.files.done(work.about)
    n_done, n_unreadable = len(done), 0
    with progress_bar("Features", about["n_patches"], show=show) as advance:
        try:
            if work.on_error == "raise":
                _try_again(work, columns, done)
            advance(sum(chunk_rows(about, number) for number in done))
            n_done = len(done)
            for number, unreadable in _runs(work, columns, client, done):
                n_done, n_unreadable = n_done + 1, n_unreadable + unreadable
                said = f"{n_unreadable} unreadable" if n_unreadable else ""
                advance(chunk_rows(about, number), said)
        except PatchReadError as error:
            raise PatchReadError(
                f"{error} {n_done} of {n_chunks(about)} chunks are finished and kept: {GOES_ON}; "
                "with on_error='nan' such patches have NaN for features."
            ) from error


def _runs(work, columns, client, done):
    left = (number for number in range(n_chunks(work.about)) if number not in done)
    chunks = ((number, _of_chunk(work, columns, number)) for number in left)
    return run_here(work, chunks) if client is None else run_on_cluster(work, chunks, client)


def _of_chunk(work, columns, number):
    size = work.about["chunk_size"]
    return {name: each[number * size : (number + 1) * size] for name, each in columns.items()}


def _try_again(work, columns, done):
    """Read what an earlier call could not; forget chunks in which all can be read by now."""
    for number in sorted(done):
        readable = read_chunk(work.files, work.about, number, "readable")
        if readable.all():
            continue
        names = _of_chunk(work, columns, number)["references"][~readable]
        found = iterate_patches(in_folder(names, work.folder))
        errors = {place: each for place, each in found if isinstance(each, PatchReadError)}
        if errors:
            raise errors[min(errors)]
        work.files.forget(number)
        done.discard(number)
