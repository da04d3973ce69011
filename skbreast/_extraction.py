"""From patches to features, in a stream: read, look up, run, keep."""

import contextlib
import threading
import time
from functools import partial
from itertools import chain

import numpy as np

from skbreast._fingerprints import digest_array, reference_state
from skbreast._patches import ahead, fit_patches
from skbreast._warn import warn_user
from skbreast.reading import fit_patch, iterate_patches, read_patches

__all__ = ["KnownFeatures", "extract"]

KEPT_AT_ONCE = 256
KEPT_AFTER_SECONDS = 5.0


class KnownFeatures:
    """What a store knows of one network.

    Parameters
    ----------
    store : skbreast.feature_store.FeatureStore
        The store.
    network : str
        Key of the network.
    description : str
        What it is, for people.
    """

    def __init__(self, store, network, description):
        self.store, self.network, self.description = store, network, description
        self._waiting, self._since, self._error = [], time.monotonic(), None

    def identify(self, X):
        """Return the digests of patches, and the pixels that had to be read for it, by position."""
        if X.ndim == 4:
            return [digest_array(patch) for patch in X], {}
        names, states = zip(*map(reference_state, X), strict=True)
        asked = {name: state for name, state in zip(names, states, strict=True) if state}
        known = self.store.get_files(asked)
        digests = [known.get(name) for name in names]
        unknown = [number for number, digest in enumerate(digests) if digest is None]
        pixels = dict(zip(unknown, _read(X[unknown]), strict=True))
        for number, patch in pixels.items():
            digests[number] = digest_array(patch)
        found = {names[number]: digests[number] for number in unknown if states[number]}
        if found:
            settled = {name: asked[name] for name in found}
            self._write(self.store.put_files, settled, list(found.values()))
        return digests, pixels

    def get(self, digests):
        """Return the features that are known, by digest."""
        return self.store.get(self.network, list(dict.fromkeys(digests)))

    def keep(self, digests, features):
        """Keep features; what is kept together is handed over every few seconds."""
        self._waiting += zip(digests, features, strict=True)
        late = time.monotonic() - self._since > KEPT_AFTER_SECONDS
        if len(self._waiting) >= KEPT_AT_ONCE or late:
            self.flush()

    def close(self):
        """Hand over what is waiting, note that the network was of use, and say what went wrong."""
        self.flush()
        with contextlib.suppress(OSError):  # a store that is only read serves all the same
            self.store.mark_used(self.network)
        if self._error is not None:  # here, since threads know nothing of the user's line
            warn_user(f"Features are not kept: {self._error}", UserWarning)

    def flush(self):
        """Hand over what is waiting."""
        waiting, self._waiting, self._since = self._waiting, [], time.monotonic()
        if waiting:
            digests, features = zip(*waiting, strict=True)
            put = partial(self.store.put, description=self.description)
            self._write(put, self.network, digests, np.stack(features))

    def _write(self, put, *what):
        """Write to the store; a full disk must not cost the features that were computed."""
        if self._error is not None:
            return
        try:
            put(*what)
        except OSError as error:
            self._error = error


def extract(X, size, open_engine, *, batch_size, known=None, advance):
    """Compute the features of patches.

    Parameters
    ----------
    X : ndarray
        Checked patches or references.
    size : tuple of (int, int)
        Height and width at which they enter the network.
    open_engine : callable
        Returns the engine; called if a patch is not known.
    batch_size : int
        Patches that are read and run at a time.
    known : KnownFeatures, optional
        Features that need not be computed.
    advance : callable
        Told how many patches are done.

    Returns
    -------
    ndarray of shape (len(X), n_features), float32
    """
    features = _Rows(len(X))

    def load(start):
        part = X[start : start + batch_size]
        return start, *(_fresh(part, size) if known is None else _missing(part, size, known))

    failures = []

    def to_compute():
        try:
            for start, missing, digests, pixels, found in ahead(load, range(0, len(X), batch_size)):
                if found:
                    features.put(start + np.array(list(found)), np.stack([*found.values()]))
                    advance(len(found))
                if len(missing):
                    yield (start + missing, digests), pixels
        except Exception as error:
            failures.append(error)  # raised when what is under way has come to its end

    try:
        for (rows, digests), computed in _run(open_engine, to_compute()):
            features.put(rows, computed)
            if known is not None:
                known.keep(digests, computed)
            advance(len(rows))
    finally:
        if known is not None:
            known.close()
    if failures:
        raise failures[0]
    return features.array


def _run(open_engine, batches):
    """Run an engine that is opened only if there is a first batch."""
    first = next(batches, None)
    if first is not None:
        yield from open_engine().run(chain([first], batches))


def _fresh(X, size):
    pixels = read_patches(X, size=size, n_jobs=1) if X.ndim == 1 else fit_patches(X, size)
    return np.arange(len(X)), None, _as_input(pixels), {}


def _missing(X, size, known):
    """Look patches up; return places, digests and pixels of the missing, and what is known."""
    digests, pixels = known.identify(X)
    features = known.get(digests)
    found = {
        number: features[digest] for number, digest in enumerate(digests) if digest in features
    }
    missing = np.array([number for number in range(len(X)) if number not in found], dtype=int)
    if not len(missing):
        return missing, [], None, found
    if X.ndim == 4:
        batch = fit_patches(X[missing], size)
    else:
        unread = [number for number in missing if number not in pixels]
        for number, patch in zip(unread, _read(X[unread]), strict=True):
            pixels[number] = patch
            digests[number] = digest_array(patch)  # the file may have changed since
        batch = np.stack([fit_patch(pixels[number], size) for number in missing])
    return missing, [digests[number] for number in missing], _as_input(batch), found


def _read(references):
    """Read references at the size that they have, in order."""
    patches = [None] * len(references)
    for position, patch in iterate_patches(references):
        if isinstance(patch, Exception):
            raise patch
        patches[position] = patch
    return patches


def _as_input(pixels):
    """Bring pixels to what engines take: RGB, uint8 or float32."""
    if pixels.dtype not in (np.uint8, np.float32):
        pixels = pixels.astype(np.float32)
    return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels


class _Rows:
    """An array that is made when its width is known."""

    def __init__(self, n_rows):
        self.n_rows, self.array, self._lock = n_rows, None, threading.Lock()

    def put(self, rows, values):
        with self._lock:
            if self.array is None:
                self.array = np.empty((self.n_rows, values.shape[1]), dtype=np.float32)
            if values.shape[1] != self.array.shape[1]:
                raise OSError(
                    f"memory: the feature store holds {values.shape[1]} features of a patch where "
                    f"there are {self.array.shape[1]}; it is broken, delete its file."
                )
            self.array[rows] = values
