"""Chunks of an extraction, computed here or by the workers of a dask cluster."""

import contextlib
import pickle
import platform
import zlib
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice

import numpy as np

import skbreast
from skbreast._lazy import in_folder
from skbreast._validation import import_optional
from skbreast.reading import PatchReadError, iterate_patches

__all__ = ["GOES_ON", "ChunkWork", "engine_versions", "run_here", "run_on_cluster"]

ENGINE_PACKAGES = {
    "keras": ("keras", "tensorflow"),
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime",),
}
PATIENCE_SECONDS = 60  # for a worker
GOES_ON = "the same call without overwrite goes on from there"


def engine_versions(engine):
    """Return the versions of the packages that the bits of features hang on."""
    names = ("pillow", *ENGINE_PACKAGES[engine])
    return {"skbreast": skbreast.__version__, **{name: version(name) for name in names}}


@dataclass(frozen=True)
class ChunkWork:
    """What is to be done with every chunk.

    Attributes
    ----------
    extractor : TransferFeatureExtractor
        Fitted, with a settled engine and precision.
    files : object
        One of :data:`skbreast._feature_files.FILES`.
    about : dict
        What all chunks have in common.
    folder : str
        What relative references start from.
    on_error : {"raise", "nan"}
        What becomes of a patch that cannot be read.
    """

    extractor: object
    files: object
    about: dict
    folder: str
    on_error: str

    def run(self, number, columns):
        """Compute and write a chunk, and return how many of its patches cannot be read."""
        self._check_same_network()
        features, readable = self._features(in_folder(columns["references"], self.folder))
        computed = {"features": features, "readable": readable}
        written = {name: _as_text(each) for name, each in columns.items()} | computed
        self._check_same_extraction(number)
        try:
            with ThreadPoolExecutor(1) as thread:  # an interrupt waits for the end of it
                thread.submit(self.files.write, number, written).result()
        except OSError as error:
            raise OSError(
                f"Chunk {number} cannot be written to {self.files.path} ({error}); those before "
                f"it are kept, and {GOES_ON}."
            ) from error
        return int(np.sum(~readable))

    def _features(self, references):
        readable = np.ones(len(references), dtype=bool)
        try:
            return self.extractor.transform(references), readable
        except PatchReadError:
            if self.on_error == "raise":
                raise
        for position, patch in iterate_patches(references):
            readable[position] = not isinstance(patch, PatchReadError)
        shape = len(references), len(self.about["feature_names"])
        features = np.full(shape, np.nan, dtype=np.float32)
        if readable.any():
            features[readable] = self.extractor.transform(references[readable])
        return features, readable

    def _check_same_extraction(self, number):
        """Refuse to write into what was begun since, as a task that was cancelled late might."""
        if self.files.read_about() != self.about:
            raise OSError(
                f"Chunk {number} is not written, since another extraction was begun in "
                f"{self.files.path} meanwhile, or it was deleted; give each its own folder."
            )

    def _check_same_network(self):
        """Refuse to mix features of other weights or versions, where workers have such."""
        extractor = self.extractor._identity()
        here = {"extractor": extractor, "versions": engine_versions(extractor["engine"])}
        for name, mine in here.items():
            if mine != self.about[name]:
                raise ValueError(
                    f"A worker on {platform.node()} differs in {name} from the process that began "
                    f"the extraction: {mine} there, {self.about[name]} here; give all workers the "
                    "same packages and weights."
                )


def _as_text(values):
    """Return texts that can be written: names of files may hold bytes that are no text."""
    if values.dtype != object:
        return values
    texts = [each.encode("utf-8", "backslashreplace").decode() for each in values]
    return np.array(texts, dtype=object)


def run_here(work, chunks):
    """Yield ``(number, n_unreadable)`` of each ``(number, columns)``, one after the other."""
    for number, columns in chunks:
        yield number, work.run(number, columns)


def run_on_cluster(work, chunks, client):
    """Yield ``(number, n_unreadable)`` of each ``(number, columns)``, in any order.

    A few chunks a worker are under way at a time, so the scheduler has little to keep.
    """
    distributed = import_optional("distributed", extra="dask", purpose="A dask cluster")
    try:
        yield from _stream(work, chunks, client)
    except distributed.KilledWorker as error:
        raise OSError(
            "A chunk killed several workers, most likely for want of memory: give them more, or "
            f"take smaller chunks or batches; {GOES_ON}. ({error})"
        ) from error
    except (distributed.comm.CommClosedError, CancelledError, distributed.CancelledError) as error:
        raise OSError(
            "The scheduler ended or was restarted; the chunks that are finished are kept, and "
            f"{GOES_ON}."
        ) from error


def _stream(work, chunks, client):
    shared = client.submit(_as_it_is, work, pure=False)
    waiting = {}
    try:
        while True:
            free = 2 * sum(client.nthreads().values()) + 2 - len(waiting)
            for number, columns in islice(chunks, max(0, free)):
                packed = zlib.compress(pickle.dumps(columns), 1)  # dask logs what it sends
                waiting[client.submit(_run, shared, number, packed, pure=False)] = number
            if not waiting:
                return
            for future in _first_done(client, waiting):
                number = waiting.pop(future)
                yield number, future.result()
                _check_seen(work.files, number)
    finally:
        with contextlib.suppress(OSError, TimeoutError, CancelledError):
            client.cancel([*waiting, shared])


def _as_it_is(work):
    return work


def _run(work, number, packed):
    return work.run(number, pickle.loads(zlib.decompress(packed)))


def _first_done(client, futures):
    distributed = import_optional("distributed", extra="dask", purpose="A dask cluster")
    while True:
        try:
            with client.as_current():
                how = {"timeout": PATIENCE_SECONDS, "return_when": "FIRST_COMPLETED"}
                return distributed.wait(list(futures), **how).done
        except TimeoutError:
            if not client.nthreads():
                raise OSError(
                    f"The scheduler {client.scheduler.address} has had no workers for "
                    f"{PATIENCE_SECONDS} seconds; start some (dask worker "
                    f"{client.scheduler.address}), and {GOES_ON}."
                ) from None


def _check_seen(files, number):
    if not files.has(number):
        raise OSError(
            f"A worker wrote chunk {number} to {files.path}, which is not to be seen here; "
            "give a folder on a file system that all workers and this machine share."
        )
