"""`TransferFeatureExtractor`: a frozen pretrained network as a transformer."""

import os

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbreast._patches import PatchSource, check_input_size
from skbreast._progress import progress_bar
from skbreast._validation import (
    check_choice,
    check_feature_names_in,
    check_number,
    check_patches,
    keep_feature_count,
    warn_if_scaled,
)
from skbreast.reading import patch_size
from skbreast.registry import PREPROCESSING, check_side, check_weights, get_backbone

__all__ = ["TransferFeatureExtractor"]


class TransferFeatureExtractor(TransformerMixin, BaseEstimator):
    """Turn patches into features with a frozen pretrained network.

    Patches are ``(n, height, width, channels)`` arrays of 3 channels (or 1, which is repeated),
    uint8 0…255 or float on the same scale, 1-D arrays of patch references, or 2-D rows. The right
    pre-processing of each backbone is inside: never scale pixels yourself.

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
    batch_size : int, default=64
        Patches that go through the network at a time.
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

    See Also
    --------
    skbreast.PatchCNNClassifier : Learns its own features, or fine-tunes a backbone.

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
        patches = self._check_patches(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        keep_feature_count(self, X, patches, reset=True)
        self.seed_ = seed
        return self

    def transform(self, X):
        """Compute the features of patches.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.

        Returns
        -------
        ndarray of shape (n_patches, n_features), float32
            The pooled maps, block by block; see :meth:`get_feature_names_out`.
        """
        check_is_fitted(self, "seed_")
        patches = self._check_patches(X)
        keep_feature_count(self, X, patches, reset=False)
        network = self._network()
        if patches.ndim == 4 and patches.shape[3] == 1:
            patches = np.broadcast_to(patches, (*patches.shape[:3], 3))
        features = np.empty((len(patches), sum(network.widths)), dtype=np.float32)
        with progress_bar("Extracting features", len(patches), show=self.verbose) as advance:
            for size, rows in self._rows_by_size(patches):
                chosen = patches if len(rows) == len(patches) else patches[rows]
                source = PatchSource(chosen, size)
                for part, batch in source.chunks(self.batch_size):
                    features[rows[part]] = network.features(batch)
                    advance(len(batch))
        return features

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
        widths = self._network().widths
        prefix = self.backbone if isinstance(self.backbone, str) else self.backbone.name
        names = [
            f"{prefix}_{block}_{channel}"
            for block, width in zip(self._blocks(), widths, strict=True)
            for channel in range(width)
        ]
        return np.array(names, dtype=object)

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

    def _network(self):
        from skbreast._keras.frozen import get_frozen

        row = self._row()
        preprocessing = self.preprocessing
        if preprocessing == "auto":
            preprocessing = row.preprocessing if row else "raw"
        return get_frozen(
            self.backbone,
            weights=self.weights,
            blocks=self._blocks(),
            pooling=self.pooling,
            preprocessing=preprocessing,
            seed=self.seed_ if self.weights is None else 0,
        )

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
