"""One view on patches, whether they come as an array or as references that are read when needed."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from skimage.transform import resize

from skbreast.reading import fit_patch, most_common_size, read_patches

__all__ = ["PatchSource", "ahead"]

READ_WORKERS = 2
KEPT_BYTES = 128 * 2**20
CHUNK = 1024


class PatchSource:
    """Patches of one size, taken by index.

    Parameters
    ----------
    X : ndarray
        Checked patches: 4-D numbers or 1-D references (see
        :func:`skbreast._validation.check_patches`).
    size : tuple of (int, int), optional
        Height and width of what is given out; by default the size that most patches have.

    Attributes
    ----------
    shape : tuple of (int, int, int)
        Height, width and channels of a patch.
    """

    def __init__(self, X, size=None):
        self.X = X
        channels = X.shape[3] if X.ndim == 4 else 3
        height, width = size or (X.shape[1:3] if X.ndim == 4 else most_common_size(X))
        self.shape = (int(height), int(width), int(channels))

    def __len__(self):
        return len(self.X)

    @property
    def dtype(self):
        """Numpy dtype of the patches."""
        return self.X.dtype if self.X.ndim == 4 else np.dtype(np.uint8)

    def take(self, indices):
        """Return the patches at `indices` as one ``(n, height, width, channels)`` array."""
        chosen = self.X[indices]
        if chosen.ndim == 1:
            return read_patches(chosen, size=self.shape[:2], n_jobs=1)
        return fit_patches(chosen, self.shape[:2])

    def kept(self):
        """Return a source whose references are read once, if all patches take little memory.

        What would need more than 128 MiB stays on disk and is read whenever it is asked for, so
        memory is flat however many references there are.
        """
        if self.X.ndim == 4 or len(self) * int(np.prod(self.shape)) > KEPT_BYTES:
            return self
        return PatchSource(np.concatenate([chunk for _, chunk in self.chunks()]))

    def chunks(self, chunk_size=CHUNK):
        """Yield ``(slice, patches)`` in order, reading ahead of whoever consumes them."""
        slices = [slice(start, start + chunk_size) for start in range(0, len(self), chunk_size)]
        return zip(slices, ahead(self.take, slices), strict=True)


def fit_patches(patches, size):
    """Bring an array of patches to one height and width, keeping its dtype."""
    if patches.shape[1:3] == tuple(size):
        return patches
    if patches.dtype == np.uint8 and patches.shape[3] == 3:
        return np.stack([fit_patch(patch, size) for patch in patches])
    resized = [resize(patch, size, order=1, preserve_range=True) for patch in patches]
    return np.stack(resized).astype(patches.dtype)


def ahead(function, items, *, workers=READ_WORKERS):
    """Yield ``function(item)`` in order while threads work on the next few.

    At most ``workers + 1`` results wait at a time, so a slow consumer does not pile up memory.
    An exception surfaces where its result would have come.
    """
    items = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="skbreast") as pool:
        pending = deque(pool.submit(function, item) for item in islice(items, workers + 1))
        try:
            while pending:
                yield pending.popleft().result()
                pending.extend(pool.submit(function, item) for item in islice(items, 1))
        finally:
            for future in pending:
                future.cancel()
