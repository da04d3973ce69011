"""`TransferFeatureExtractor`: a frozen pretrained network as a transformer."""

import copy
import os
from functools import partial

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbreast._engines import EngineError, resolve_engine
from skbreast._extraction import KnownFeatures, extract
from skbreast._fingerprints import digest_text
from skbreast._lazy import is_lazy, map_blocks, one_like
from skbreast._open_engines import get_engine
from skbreast._patches import check_input_size
from skbreast._progress import progress_bar
from skbreast._recipes import Recipe
from skbreast._validation import (
    check_choice,
    check_feature_names_in,
    check_n_jobs,
    check_number,
    check_patches,
    keep_feature_count,
    warn_if_scaled,
)
from skbreast.feature_store import as_absolute, check_memory
from skbreast.reading import patch_size
from skbreast.registry import PREPROCESSING, check_side, check_weights, get_backbone

__all__ = ["TransferFeatureExtractor"]


class TransferFeatureExtractor(TransformerMixin, BaseEstimator):
    """Turn patches into features with a frozen pretrained network.

    Patches are ``(n, height, width, channels)`` arrays of 3 channels (or 1, which is repeated),
    uint8 0…255 or float on the same scale, 1-D arrays of patch references, or 2-D rows. The right
    pre-processing of each backbone is inside: never scale pixels yourself. Of dask arrays and bags
    the features are lazy, see Notes.

    Parameters
    ----------
    backbone : str or keras.Model, default="efficientnet_lite0"
        A name of :func:`skbreast.registry.list_backbones`; the default works offline. Or a Keras
        network for RGB pictures of any size.
    weights : "imagenet", None or path, default="imagenet"
        Published weights (packaged for efficientnet_lite0, downloaded for the others), random
        ones, or a Keras weights file (``.weights.h5`` or ``.h5``). Not used for a network.
    layers : str or tuple of str, default="middle"
        Which maps are pooled and joined: "last", "middle" (the blocks between a third and three
        quarters of the depth), "all", the name of a block ("block1", …), or several names. The
        middle of a network trained on photographs tells tissue apart better than its end.
        For a network, names of its layers; "middle" and "all" then mean "last".
    pooling : {"avg", "max"}, default="avg"
        How a map becomes one number a channel.
    input_size : int or (int, int), optional
        Height and width in pixels at which patches enter. By default the size that the backbone
        was trained on for patches longer than half of it, and half of it for smaller ones.
    preprocessing : str, default="auto"
        "auto" is the backbone's own, and "raw" (pixels 0…255) for a network. Otherwise a key of
        :data:`skbreast.registry.PREPROCESSING`.
    image_shape : (int, int, int), optional
        Height, width and channels of 2-D rows. By default a row of d features is a grey picture
        one pixel high.
    engine : {"auto", "keras", "openvino", "onnxruntime"}, default="auto"
        What runs the network. "auto" is Keras where TensorFlow has a GPU, else OpenVINO where it
        is installed (``pip install "skbreast[openvino]"``), which is several times faster on
        processors, else ONNX Runtime (``"skbreast[onnx]"``), else Keras.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        What the network computes in. "auto" is bfloat16 where OpenVINO runs on a processor that
        computes in it, or TensorFlow on a GPU that does, else float32.
    memory : path-like, joblib.Memory or FeatureStore, optional
        Where features are kept, so that a patch goes through a network once, whichever call, fit
        or process asks for it: a folder, or a :class:`skbreast.feature_store.FeatureStore`. By
        default nothing is kept.
    n_jobs : int, optional
        Number of joblib's workers among which patches are divided. None means 1, or what
        :func:`joblib.parallel_config` says. One worker uses all cores already; several are for
        clusters.
    batch_size : int, default=64
        Patches that are read and run at a time.
    random_state : int, RandomState instance or None, default=None
        Decides the weights when `weights` is None.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    n_features_in_ : int
        Numbers in a patch of `fit`; not set by references, which `fit` does not read.
    seed_ : int
        What `random_state` gave. There is no other fitted state.
    engine_ : str
        What runs the network on this machine.
    precision_ : str
        What it computes in.

    See Also
    --------
    skbreast.PatchCNNClassifier : Learns its own features, or fine-tunes a backbone.
    skbreast.extraction.extract_features : Features of any number of patches, in files.

    Notes
    -----
    `transform` of a dask array (patches, rows or references) or of a dask bag of references
    returns a dask array in the same blocks, and nothing is computed before it is asked for. A step
    of a pipeline that looks at it twice computes it twice, unless `memory` is set. The engine and
    the precision are those of the process that calls `transform`, so that all workers agree, and
    relative references, weights and `memory` start from the folder that it works in.

    Examples
    --------
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> patches = make_patches(2, 2, patch_size=32, random_state=0)
    >>> TransferFeatureExtractor(layers="block4").fit_transform(patches.data).shape
    (4, 80)
    """

    def __init__(
        self,
        backbone="efficientnet_lite0",
        *,
        weights="imagenet",
        layers="middle",
        pooling="avg",
        input_size=None,
        preprocessing="auto",
        image_shape=None,
        engine="auto",
        precision="auto",
        memory=None,
        n_jobs=None,
        batch_size=64,
        random_state=None,
        verbose=0,
    ):
        self.backbone = backbone
        self.weights = weights
        self.layers = layers
        self.pooling = pooling
        self.input_size = input_size
        self.preprocessing = preprocessing
        self.image_shape = image_shape
        self.engine = engine
        self.precision = precision
        self.memory = memory
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check patches and parameters; nothing is learned and the network is not opened.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.
        y : None
            Ignored.

        Returns
        -------
        self : TransferFeatureExtractor
            The transformer.

        Raises
        ------
        ValueError
            If an argument or parameter is not as documented; the message names it.
        """
        self._check_parameters()
        X = one_like(X) if is_lazy(X) else X
        patches = self._check_patches(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        keep_feature_count(self, X, patches, reset=True)
        self.seed_ = seed
        return self

    def transform(self, X):
        """Compute the features of patches.

        Parameters
        ----------
        X : array-like, dask.array.Array or dask.bag.Bag
            Patches, patch references or rows; a bag holds references.

        Returns
        -------
        ndarray or dask.array.Array of shape (n_patches, n_features), float32
            The pooled maps, block by block; see :meth:`get_feature_names_out`. A dask array if X
            is of dask.
        """
        check_is_fitted(self, "seed_")
        if is_lazy(X):
            return self._transform_lazily(X)
        patches = self._check_patches(X)
        keep_feature_count(self, X, patches, reset=False)
        n_jobs = min(effective_n_jobs(self.n_jobs), len(patches))
        if n_jobs == 1:
            return self._extract(patches)
        parts = np.array_split(patches, n_jobs)
        return np.concatenate(
            Parallel(n_jobs=self.n_jobs)(delayed(self._extract)(part) for part in parts)
        )

    def _transform_lazily(self, X):
        one = one_like(X)
        keep_feature_count(self, one, self._check_patches(one), reset=False)
        return map_blocks(self._for_workers(), X, sum(self._widths()))

    def _for_workers(self):
        """Return a copy that computes the same in any process, whatever is installed there."""
        worker = copy.copy(self)
        worker.weights = self._absolute_weights()
        worker.engine, worker.precision = self._resolved()
        worker.n_jobs, worker.verbose, worker.memory = 1, 0, as_absolute(check_memory(self.memory))
        return worker

    def _absolute_weights(self):
        """Return `weights` so that a path means the same file in any working folder."""
        named = self._row() is None or self.weights is None or self.weights == "imagenet"
        return self.weights if named else os.path.abspath(self.weights)  # noqa: PTH100

    def _identity(self):
        """Return all that decides the bits of features but versions, as JSON has it."""
        recipe, (engine, precision), size = self._recipe(), self._resolved(), self.input_size
        return {
            "network": recipe.description,
            "key": recipe.key,
            "preprocessing": recipe.preprocessing,
            "input_size": None if size is None else list(check_input_size(size)),
            "engine": engine,
            "precision": precision,
            "batch_size": int(self.batch_size),
        }

    @property
    def engine_(self):
        """What runs the network on this machine."""
        return self._resolved()[0]

    @property
    def precision_(self):
        """What the network computes in on this machine."""
        return self._resolved()[1]

    def get_feature_names_out(self, input_features=None):
        """Return names that say which block and channel a feature is.

        Parameters
        ----------
        input_features : array-like of str, optional
            Only checked.

        Returns
        -------
        ndarray of str objects
            ``"<backbone>_<block>_<channel>"``.
        """
        check_is_fitted(self, "seed_")
        check_feature_names_in(self, input_features)
        prefix = self.backbone if isinstance(self.backbone, str) else self.backbone.name
        names = [
            f"{prefix}_{block}_{channel}"
            for block, width in zip(self._blocks(), self._widths(), strict=True)
            for channel in range(width)
        ]
        return np.array(names, dtype=object)

    def _widths(self):
        return _open(self._recipe(), *self._resolved()).widths

    def _check_parameters(self):
        if isinstance(self.backbone, str | os.PathLike):
            name = os.fspath(self.backbone)
            if name.lower().endswith((".keras", ".h5", ".hdf5")):
                raise ValueError(
                    f"backbone={name!r} is a saved model, and loading one can run code "
                    "hidden in it (CVE-2025-1550 and others). Build the network yourself and pass "
                    "the keras.Model, or name a backbone and give weights=<weights file>."
                )
            get_backbone(self.backbone)
        elif not (callable(self.backbone) and hasattr(self.backbone, "input_shape")):
            raise ValueError(
                f"backbone must be a name or a keras.Model; got {type(self.backbone).__name__}."
            )
        check_weights(self.weights, words=("imagenet",))
        self._check_layers()
        size, row = check_input_size(self.input_size), self._row()
        if size is not None and row is not None:
            check_side(row, size)
        check_choice(self.pooling, name="pooling", choices=("avg", "max"))
        check_choice(self.preprocessing, name="preprocessing", choices=("auto", *PREPROCESSING))
        check_number(self.batch_size, name="batch_size", low=1, integer=True)
        check_n_jobs(self.n_jobs)
        resolve_engine(self.engine, self.precision)
        check_memory(self.memory)

    def _check_layers(self):
        names = (self.layers,) if isinstance(self.layers, str) else self.layers
        several = isinstance(names, tuple | list) and len(names) > 0
        if not several or not all(isinstance(name, str) for name in names):
            raise ValueError(
                "layers must be 'last', 'middle', 'all', or one or several names of blocks; got "
                f"{self.layers!r}."
            )

    def _check_patches(self, X):
        patches = check_patches(X, image_shape=self.image_shape)
        if self.image_shape is None and np.asarray(X).ndim == 2:
            patches = patches.reshape(len(patches), 1, -1, 1)
        if patches.ndim == 4 and patches.shape[3] not in (1, 3):
            raise ValueError(
                f"X has patches of {patches.shape[3]} channels; {type(self).__name__} takes RGB "
                "(3 channels) or grey (1)."
            )
        warn_if_scaled(X, patches)
        return patches

    def _row(self):
        return get_backbone(self.backbone) if isinstance(self.backbone, str) else None

    def _blocks(self):
        row = self._row()
        if isinstance(self.layers, str) and self.layers in ("middle", "all"):
            if row is None:
                return ("last",)
            return row.middle_blocks if self.layers == "middle" else row.block_names
        return (self.layers,) if isinstance(self.layers, str) else tuple(self.layers)

    def _recipe(self):
        row, preprocessing = self._row(), self.preprocessing
        if preprocessing == "auto":
            preprocessing = row.preprocessing if row else "raw"
        seed = self.seed_ if self.weights is None else 0
        return Recipe(
            self.backbone, self.weights, self._blocks(), self.pooling, preprocessing, seed
        )

    def _resolved(self):
        """Engine and precision; "auto" is Keras where OpenVINO refuses a network of the user's."""
        check_is_fitted(self, "seed_")
        engine, precision = resolve_engine(self.engine, self.precision, gpu=_gpu_precision)
        # Every backbone of ours was tried with OpenVINO, not with the converter to ONNX.
        doubtful = self._row() is None or engine == "onnxruntime"
        if self.engine == "auto" and engine != "keras" and doubtful:
            try:
                _open(self._recipe(), engine, precision)
            except EngineError:
                return resolve_engine("keras", self.precision, gpu=_gpu_precision)
        return engine, precision

    def _extract(self, patches):
        recipe, (engine, precision) = self._recipe(), self._resolved()
        store = check_memory(self.memory)
        open_engine = partial(_open, recipe, engine, precision)
        parts = []
        # In float32 engines agree, in bfloat16 each rounds in its own way.
        rounding = precision if precision == "float32" else f"{precision} by {engine}"
        with progress_bar(f"{engine}, {precision}", len(patches), show=self.verbose) as advance:
            for size, rows in self._rows_by_size(patches):
                known = store and KnownFeatures(
                    store,
                    digest_text(f"{recipe.key} {size} {rounding}"),
                    f"{recipe.description}; {size[0]} x {size[1]} pixels; {rounding}",
                )
                features = extract(
                    patches if len(rows) == len(patches) else patches[rows],
                    size,
                    open_engine,
                    batch_size=self.batch_size,
                    known=known,
                    advance=advance,
                )
                parts.append((rows, features))
        return _scattered(parts, len(patches))

    def _fixed_size(self):
        """Height and width that a user's network insists on, if it does."""
        sides = self.backbone.input_shape[1:3]
        return None if None in sides else sides

    def _rows_by_size(self, patches):
        """Split patches by the size at which they enter, which depends on their own size alone."""
        row = self._row()
        size = check_input_size(self.input_size) or (None if row else self._fixed_size())
        if size is not None:
            return [(size, np.arange(len(patches)))]
        if patches.ndim == 4:
            sizes = np.tile(patches.shape[1:3], (len(patches), 1))
        else:
            sizes = np.array([patch_size(reference) for reference in patches])
        if row is None:
            kinds, kind = np.unique(sizes, axis=0, return_inverse=True)
            each = enumerate(map(tuple, kinds.tolist()))
            return [(size, np.flatnonzero(kind.ravel() == number)) for number, size in each]
        longest = sizes.max(axis=1)
        small = longest <= row.input_size // 2
        split = [(max(row.input_size // 2, row.min_size), small), (row.input_size, ~small)]
        return [((side, side), np.flatnonzero(rows)) for side, rows in split if rows.any()]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Not one_d_array: scikit-learn's checks would take it to mean numbers in one dimension.
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _open(recipe, engine, precision):
    """Return what runs a recipe's network."""
    if engine == "keras":
        from skbreast._keras.frozen import get_frozen

        return get_frozen(recipe, precision)
    return get_engine(recipe, engine, precision, partial(_write, recipe))


def _write(recipe, engine, path):
    """Write a recipe's network for an engine, and return the widths of its blocks."""
    from skbreast._keras.export import WRITERS
    from skbreast._keras.frozen import get_frozen

    network = get_frozen(recipe)
    try:
        WRITERS[engine](network, path)
    except (OSError, MemoryError, ImportError):
        raise  # for a reason that may pass
    except Exception as error:
        # Converters raise many kinds; whichever it is, they do not know the network's parts.
        raise EngineError(str(error)) from error
    return network.widths


def _gpu_precision():
    from skbreast._keras.devices import gpu_precision

    return gpu_precision()


def _scattered(parts, n_rows):
    if len(parts) == 1:
        return parts[0][1]
    features = np.empty((n_rows, parts[0][1].shape[1]), dtype=np.float32)
    for rows, values in parts:
        features[rows] = values
    return features
