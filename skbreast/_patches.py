"""One view on patches, whether they come as an array or as references that are read when needed."""

import numbers
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from PIL import Image

from skbreast.hardware import usable_threads
from skbreast.reading import fit_patch, most_common_size, read_patches

__all__ = ["PatchSource", "ahead", "check_input_size"]

KEPT_BYTES = 128 * 2**20
CHUNK = 1024


def check_input_size(input_size):
    """Return ``(height, width)`` of an `input_size` parameter; None stays None."""
    if input_size is None:
        return None
    several = isinstance(input_size, tuple | list | np.ndarray)
    sides = tuple(input_size) if several else (input_size, input_size)
    whole = all(isinstance(side, numbers.Integral) and side >= 1 for side in sides)
    if len(sides) != 2 or not whole or any(isinstance(side, bool) for side in sides):
        raise ValueError(
            "input_size must be None, an integer of at least 1, or (height, width) of such; got "
            f"{input_size!r}."
        )
    return tuple(int(side) for side in sides)


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
    return np.stack([_resize_channels(patch, size) for patch in patches])


def _resize_channels(patch, size):
    """Resize as :func:`skbreast.reading.fit_patch` does, whatever the dtype and channels."""
    images = (
        Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(patch, 2, 0)
    )
    height, width = size
    resized = [image.resize((width, height), Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image) for image in resized], axis=2)


def ahead(function, items, *, workers=None):
    """Yield ``function(item)`` in order while threads work on the next few.

    There are as many as may compute here, but at least two. At most one result more waits at a
    time, so a slow consumer does not pile up memory.
    An exception surfaces where its result would have come.
    """
    items, workers = iter(items), workers or max(2, usable_threads())
    with ThreadPoolExecutor(workers, thread_name_prefix="skbreast") as pool:
        pending = deque(pool.submit(function, item) for item in islice(items, workers + 1))
        try:
            while pending:
                yield pending.popleft().result()
                pending.extend(pool.submit(function, item) for item in islice(items, 1))
        finally:
            for future in pending:
                future.cancel()
