"""Features that were extracted to files, as something to index, fit on and hand to dask."""

import errno
from functools import cached_property, partial

import numpy as np

from skbreast._feature_files import find_files
from skbreast._features_about import KINDS, check_about, chunk_rows, n_chunks
from skbreast._validation import import_optional

__all__ = ["ExtractedFeatures", "FeatureRows", "open_features", "read_chunk"]


def open_features(path):
    """Open what :func:`extract_features` or ``skbreast extract`` wrote; the features stay on disk.

    Parameters
    ----------
    path : path-like
        The folder, which ends in ``.zarr`` or ``.parquet``.

    Returns
    -------
    ExtractedFeatures

    Raises
    ------
    ValueError
        If there is no whole extraction at `path`, or it is damaged. Chunks are read when they are
        asked for, and what is wrong within one is told then.
    ImportError
        If the package of the format is not installed.

    Examples
    --------
    Fit on features that never were in memory as a whole, in a single pass:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from skimage.io import imsave
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.extraction import extract_features, open_features
    >>> patches = make_patches(2, 3, patch_size=32, random_state=0)
    >>> folder = Path(tempfile.mkdtemp())
    >>> names = [str(folder / f"{number}.png") for number in range(6)]
    >>> for name, patch in zip(names, patches.data):
    ...     imsave(name, patch, check_contrast=False)
    >>> extractor = TransferFeatureExtractor(layers="block2", input_size=32)
    >>> out = folder / "features.zarr"
    >>> _ = extract_features(extractor, names, out, y=patches.target, chunk_size=4)
    >>> found = open_features(out)
    >>> model = SGDClassifier(loss="log_loss", random_state=0)
    >>> for rows in found.chunks():
    ...     _ = model.partial_fit(found.features[rows], found.labels[rows], classes=[0, 1])
    >>> model.predict(found.features).shape
    (6,)
    """
    files = find_files(path)
    about = files.read_about()
    if about is None:
        raise ValueError(f"{files.path} holds no extracted features.")
    check_about(about, files.path)
    files.check(about)
    n_missing = n_chunks(about) - sum(number < n_chunks(about) for number in files.done(about))
    if n_missing:
        raise ValueError(
            f"{files.path} is not finished: {n_missing} of {n_chunks(about)} chunks are missing; "
            "extract again with the same arguments, and it goes on where it was."
        )
    return ExtractedFeatures(files, about)


class ExtractedFeatures:
    """Features on disk, with what was kept beside them; see :func:`open_features`.

    Attributes
    ----------
    path : pathlib.Path
        Where the files are.
    about : dict
        How they were made: extractor, engine, precision, versions, digests of the data; in
        ``"folder"`` what relative references start from, None if there are none.
    """

    def __init__(self, files, about):
        self._files, self.about = files, about
        self.path = files.path

    def __repr__(self):
        n_patches, n_features = self.features.shape
        return f"{type(self).__name__}({str(self.path)!r}: {n_patches} x {n_features})"

    def __len__(self):
        return self.about["n_patches"]

    @property
    def features(self):
        """FeatureRows of shape (n_patches, n_features), float32, read when they are indexed."""
        return FeatureRows(self._files, self.about)

    @cached_property
    def labels(self):
        """Labels as an ndarray of shape (n_patches,); None if none were given."""
        return self._column("labels")

    @cached_property
    def groups(self):
        """Patient ids as an ndarray of shape (n_patches,); None if none were given."""
        return self._column("patients")

    @cached_property
    def references(self):
        """Patch references as they were given, an ndarray of str objects.

        Relative ones start from ``about["folder"]``.
        """
        return self._column("references")

    @cached_property
    def readable(self):
        """Booleans of shape (n_patches,), False for patches whose features are NaN."""
        return self._column("readable")

    @property
    def feature_names(self):
        """Names of the columns, an ndarray of str objects."""
        return np.array(self.about["feature_names"], dtype=object)

    @property
    def target_names(self):
        """Names of the classes; None if none were given."""
        return self.about["target_names"]

    def chunks(self):
        """Yield the slices of rows that lie in a file each, in order."""
        size = self.about["chunk_size"]
        for start in range(0, len(self), size):
            yield slice(start, min(start + size, len(self)))

    def to_dask(self):
        """Return the features as a lazy dask array in the same chunks."""
        array = import_optional("dask.array", extra="dask", purpose="to_dask")
        size, rows = self.about["chunk_size"], self.features
        name = f"features-{self.path.name}-{array.core.tokenize(self.about, str(self.path))}"
        return array.from_array(rows, chunks=(size, -1), name=name, meta=np.empty((0, 0), "f4"))

    def _column(self, name):
        if name not in self.about["columns"]:
            return None
        numbers = range(n_chunks(self.about))
        read = partial(read_chunk, self._files, self.about)
        return np.concatenate([read(number, name) for number in numbers])


class FeatureRows:
    """A matrix in files, read where it is indexed.

    scikit-learn takes it for X: what splits by rows reads those rows only, and what needs a matrix
    gets one. A pickle of it holds the path alone.

    Attributes
    ----------
    shape : tuple of (int, int)
    dtype : numpy.dtype
        float32.
    ndim : int
        2.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(self, files, about):
        self._files, self._size = files, about["chunk_size"]
        self.shape = (about["n_patches"], len(about["feature_names"]))

    def __repr__(self):
        return f"{type(self).__name__}({str(self._files.path)!r}, shape={self.shape})"

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("Features in files can only be read into a new array.")
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, key):
        rows, *rest = key if isinstance(key, tuple) else (key,)
        rest = [each for each in rest if each is not Ellipsis] or [slice(None)]
        if len(rest) > 1:
            raise IndexError(f"Features have two dimensions; got the index {key!r}.")
        if isinstance(rows, slice) or rows is Ellipsis:
            rows = np.arange(len(self))[slice(None) if rows is Ellipsis else rows]
        elif np.ndim(rows) == 0:
            return self._take(self._checked([rows]))[0][rest[0]]
        return self._take(self._checked(rows))[:, rest[0]]

    def _checked(self, rows):
        rows = np.asarray(rows)
        if rows.dtype == bool and rows.shape != (len(self),):
            raise IndexError(f"A mask of {rows.shape} does not fit {len(self)} rows.")
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        rows = rows.astype(np.intp) if rows.size == 0 else rows
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise IndexError(f"Rows are chosen by one dimension of integers; got {rows.dtype}.")
        if rows.size and not (-len(self) <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"There are {len(self)} rows, counted from 0.")
        return np.where(rows < 0, rows + len(self), rows)

    def _take(self, rows):
        found = np.empty((len(rows), self.shape[1]), dtype=self.dtype)
        numbers = rows // self._size
        order = np.argsort(numbers, kind="stable")
        ends = np.flatnonzero(np.diff(numbers[order])) + 1
        for where in np.split(order, ends) if len(rows) else ():
            number = int(numbers[where[0]])
            shape = min(self._size, len(self) - number * self._size), self.shape[1]
            chunk = _read(self._files, number, "features", shape, self.dtype)
            found[where] = chunk[rows[where] - number * self._size]
        return found


def read_chunk(files, about, number, name):
    """Return a column of a chunk that is kept beside the features.

    Raises
    ------
    ValueError
        If it is not to be read, or not what `about` says.
    """
    return _read(files, number, name, (chunk_rows(about, number),), KINDS[about["columns"][name]])


def _read(files, number, name, shape, dtype):
    try:
        values = files.read(number, name, shape[0])
        if values.shape != shape or values.dtype != dtype:
            raise ValueError(f"it holds {values.dtype} of shape {values.shape}")
    except ImportError:
        raise
    except Exception as error:  # damaged bytes raise all kinds
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise  # a disk or network, which may work again
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f"{name} of chunk {number} in {files.path} cannot be read ({why}); delete "
            f"{files.file(number, name)}, and extract again with the same arguments."
        ) from error
    return values
