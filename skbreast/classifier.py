"""`PatchCNNClassifier`: a convolutional network behind fit, predict and predict_proba."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbreast._augment import AUGMENTATIONS
from skbreast._fitting import (
    BestWeights,
    TrainingSet,
    channel_statistics,
    class_scores,
    extended,
    train,
    validate,
)
from skbreast._patches import PatchSource, check_input_size
from skbreast._progress import progress_bar
from skbreast._training_data import check_labels, combine_weights, split_off_validation
from skbreast._validation import (
    check_choice,
    check_groups,
    check_number,
    check_patches,
    keep_feature_count,
    warn_if_raw,
    warn_if_scaled,
)
from skbreast.hardware import resolve_precision
from skbreast.registry import ARCHITECTURES, BACKBONES, check_side, check_weights

__all__ = ["PatchCNNClassifier"]

HEAD_SHARE = 0.25
TOP_RATE = 0.1


class PatchCNNClassifier(ClassifierMixin, BaseEstimator):
    """Classify patches with a convolutional network.

    Patches are ``(n, height, width, channels)`` arrays (uint8 0…255, or float on the same scale),
    1-D arrays of patch references, or 2-D rows. Pre-processing is inside, per network: never
    scale pixels yourself. From references, patches are read while the network trains, so memory
    stays flat however many there are.

    Parameters
    ----------
    architecture : str or callable, default="small"
        ``"small"``: four convolutions with batch normalisation, pooling between them, then global
        pooling and a dense layer. ``"resnet"``: a small residual network. A backbone's name
        (:func:`skbreast.registry.list_backbones`): fine-tuning, first the new dense layer alone
        for a quarter of the epochs, then the upper half of the backbone's blocks as well, at a
        tenth of the rate. Or ``build(input_shape, n_classes) -> keras.Model`` with one output
        a class, raw scores or a softmax, for raw pixels.
    weights : {"auto", "imagenet", None} or path, default="auto"
        For a backbone: "imagenet" (packaged for efficientnet_lite0, downloaded for others), a
        Keras weights file, or None for random ones. "auto" is "imagenet" for a backbone and
        None otherwise.
    input_size : int or (int, int), optional
        Height and width in pixels that the network sees. By default the size that most patches
        of `fit` have; patches of another size are resized (antialiased when shrunk).
    image_shape : (int, int, int), optional
        Height, width and channels of 2-D rows. By default a row of d features is one pixel of
        d channels.
    max_epochs : int, default=20
        Passes over the training patches; the learning-rate schedule spans them all.
    batch_size : int, default=64
        Patches a step.
    learning_rate : float, default=3e-3
        Peak of the schedule: a short linear warm-up, then a cosine to 0. The optimizer is AdamW.
    class_weight : {None, "balanced"} or dict, default=None
        Weights by class label, as in scikit-learn.
    augment : {"stain", "geometric", None}, default="stain"
        Changes to training patches only: "geometric" flips and turns them by quarters; "stain"
        also jitters stain, brightness and contrast of uint8 RGB patches.
    early_stopping : bool, default=False
        Stop when the validation loss has not fallen for `patience` epochs, and restore the best
        epoch's weights. Validation patches are `X_val`, or split off.
    validation_fraction : float, default=0.15
        Share of the training patches that early stopping splits off when `X_val` is not given:
        whole patients if `groups` is given, stratified by class.
    patience : int, default=5
        Epochs that early stopping waits.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        What the network computes in; variables are float32 always. "auto" takes bfloat16 where
        the processor multiplies matrices in it. A callable decides for itself.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last fit.
    random_state : int, RandomState instance or None, default=None
        Decides weights, order, augmentation and split. Global seeds stay as they were.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    history_ : dict of str to list of float
        ``loss``, ``accuracy``, ``learning_rate`` and, with validation patches, ``val_loss`` and
        ``val_accuracy``, an entry an epoch (NaN in the epochs of a warm start that had no
        validation patches). Training values are over augmented patches.
    n_iter_ : int
        Number of epochs run.
    best_epoch_ : int
        Epoch (counted from 1) whose weights were kept.
    patch_shape_ : tuple of (int, int, int)
        Height, width and channels that the network sees.
    n_features_in_ : int
        Numbers in a patch of `fit`: height x width x channels. From references, whose sizes
        may differ, those of `patch_shape_`.
    feature_names_in_ : ndarray of str
        Names of the columns, where `fit` got a data frame of rows.
    weights_ : list of ndarray
        The network's weights: the whole fitted state, with no live network in it.
    precision_ : str
        What the network computed in; "float32" stands for whatever a callable chose.

    See Also
    --------
    skbreast.TransferFeatureExtractor : A frozen pretrained network as a transformer.

    Notes
    -----
    Patches of one patient resemble each other. Pass `groups` (patient ids) whenever
    `early_stopping` splits off validation patches, and split by patient outside, too. Inside a
    search they reach `fit` by scikit-learn's metadata routing alone: with
    ``sklearn.set_config(enable_metadata_routing=True)`` and ``set_fit_request(groups=True)``.

    Examples
    --------
    >>> from skbreast import PatchCNNClassifier
    >>> from skbreast.datasets import make_patches
    >>> patches = make_patches(4, 4, patch_size=32, random_state=0)
    >>> model = PatchCNNClassifier(max_epochs=1, random_state=0)
    >>> model.fit(patches.data, patches.target).predict_proba(patches.data).shape
    (16, 2)
    """

    def __init__(
        self,
        architecture="small",
        *,
        weights="auto",
        input_size=None,
        image_shape=None,
        max_epochs=20,
        batch_size=64,
        learning_rate=3e-3,
        class_weight=None,
        augment="stain",
        early_stopping=False,
        validation_fraction=0.15,
        patience=5,
        precision="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.input_size = input_size
        self.image_shape = image_shape
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.class_weight = class_weight
        self.augment = augment
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.precision = precision
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, *, sample_weight=None, groups=None, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows; see the class.
        y : array-like of shape (n_patches,)
            Class labels, numbers or strings.
        sample_weight : array-like of shape (n_patches,), optional
            Weight of each patch in the loss; 0 leaves it out.
        groups : array-like of shape (n_patches,), optional
            Patient ids; early stopping then splits off whole patients.
        X_val, y_val : array-like, optional
            Validation patches: their loss and accuracy stand in `history_`, and early stopping
            watches them. They weigh the same each; patches that are split off keep their weights.

        Returns
        -------
        self : PatchCNNClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or parameter is not as documented; the message names it.
        """
        before = dict(vars(self))
        try:
            return self._fit(X, y, sample_weight, groups, X_val, y_val)
        except BaseException:  # an interruption from the keyboard as well
            # Half a new fit and half an old one would predict nonsense.
            vars(self).clear()
            vars(self).update(before)
            raise

    def predict(self, X):
        """Return the most probable class of each patch.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.

        Returns
        -------
        ndarray of shape (n_patches,)
            Labels from `classes_`.
        """
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]

    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.

        Returns
        -------
        ndarray of shape (n_patches, n_classes), float64
            Rows sum to 1; columns are in the order of `classes_`.
        """
        scores = self._scores(X).astype(np.float64)
        if scores.shape[1] == 2:
            positive = expit(scores[:, 1] - scores[:, 0])
            return np.column_stack([1 - positive, positive])
        return softmax(scores, axis=1)

    def decision_function(self, X):
        """Return the log-odds of the second class, or for more classes each one's raw score.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.

        Returns
        -------
        ndarray of shape (n_patches,) or (n_patches, n_classes), float64
            Above 0 means the second of two classes.
        """
        scores = self._scores(X).astype(np.float64)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def _fit(self, X, y, sample_weight, groups, X_val, y_val):
        self._check_parameters()
        X = self._check_patches(X, n_channels=None)
        n_channels = _count_channels(X)
        y = check_labels(y, n_samples=len(X))
        weights = combine_weights(sample_weight, self.class_weight, y)
        if groups is not None:
            groups = check_groups(groups, n_samples=len(X))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        kept = weights > 0
        if not kept.all():
            X, y, weights = X[kept], y[kept], weights[kept]
            groups = None if groups is None else groups[kept]
        classes, targets = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class, {classes.tolist()[0]!r}; at least 2 classes are needed."
            )
        previous = self._previous_state(classes, n_channels)
        self.classes_ = classes
        validation = self._given_validation(X_val, y_val, n_channels)
        if validation is None and self.early_stopping:
            rows, others = split_off_validation(
                targets, groups, fraction=self.validation_fraction, seed=seed
            )
            validation = (X[others], targets[others], weights[others])
            X, targets, weights = X[rows], targets[rows], weights[rows]
        source = PatchSource(X, self._network_size(X, previous)).kept()
        if self.architecture in BACKBONES:
            check_side(BACKBONES[self.architecture], source.shape[:2])
        self.patch_shape_ = source.shape
        if X.ndim == 1:
            self.n_features_in_ = int(np.prod(source.shape))
        training_set = TrainingSet(source, targets.astype(np.int32), weights)
        self._train(training_set, self._validation_set(validation), previous, seed)
        return self

    def _check_parameters(self):
        if not callable(self.architecture):
            known = (*ARCHITECTURES, *BACKBONES)
            check_choice(self.architecture, name="architecture", choices=known)
        check_weights(self.weights, words=("auto", "imagenet"))
        check_input_size(self.input_size)
        resolve_precision(self.precision)
        check_choice(self.augment, name="augment", choices=AUGMENTATIONS)
        check_number(self.max_epochs, name="max_epochs", low=1, integer=True)
        check_number(self.batch_size, name="batch_size", low=1, integer=True)
        check_number(self.patience, name="patience", low=1, integer=True)
        check_number(self.learning_rate, name="learning_rate", low=0, high=1, open_low=True)
        check_number(
            self.validation_fraction, name="validation_fraction", low=0, high=0.5, open_low=True
        )
        if self._resolved_weights() is not None and self.architecture not in BACKBONES:
            raise ValueError(
                f"weights={self.weights!r} is for a backbone; architecture="
                f"{self.architecture!r} starts from random weights (weights='auto' or None)."
            )

    def _check_patches(self, X, *, n_channels, name="X"):
        """Check patches: of a first `fit` if `n_channels` is None, else like those fitted on."""
        patches = check_patches(X, image_shape=self.image_shape)
        keep_feature_count(self, X, patches, reset=n_channels is None)
        given = _count_channels(patches)
        if n_channels is not None and given != n_channels:
            raise ValueError(
                f"{name} has patches of {given} channels; this {type(self).__name__} is fitted "
                f"on patches of {n_channels}."
                + (" Rows of pixels need image_shape." if patches.shape[1:3] == (1, 1) else "")
            )
        if self.architecture in BACKBONES:
            if given not in (1, 3):
                raise ValueError(
                    f"{name} has patches of {given} channels; architecture={self.architecture!r} "
                    "takes RGB (3 channels) or grey (1)."
                )
            warn_if_scaled(X, patches)
        return patches

    def _resolved_weights(self):
        if isinstance(self.weights, str) and self.weights == "auto":
            return "imagenet" if self.architecture in BACKBONES else None
        return self.weights

    def _previous_state(self, classes, n_channels):
        """Return what a warm start goes on from: weights, shape and history of the last fit."""
        if not self.warm_start or not hasattr(self, "weights_"):
            return None
        if not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start: y has the classes {classes.tolist()}, the last fit had "
                f"{self.classes_.tolist()}; they must be the same."
            )
        if n_channels != self.patch_shape_[2]:
            raise ValueError(
                f"warm_start: X has patches of {n_channels} channels, the last fit had "
                f"{self.patch_shape_[2]}; they must be the same."
            )
        return {"weights": self.weights_, "shape": self.patch_shape_, "history": self.history_}

    def _network_size(self, X, previous):
        if previous is not None:
            return previous["shape"][:2]
        return check_input_size(self.input_size)

    def _given_validation(self, X_val, y_val, n_channels):
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together.")
        if X_val is None:
            return None
        X_val = self._check_patches(X_val, n_channels=n_channels, name="X_val")
        y_val = check_labels(y_val, n_samples=len(X_val), name="y_val")
        unknown = np.setdiff1d(y_val, self.classes_)
        if len(unknown):
            raise ValueError(f"y_val holds classes that y lacks: {unknown.tolist()}.")
        return X_val, np.searchsorted(self.classes_, y_val), np.ones(len(X_val), np.float32)

    def _validation_set(self, validation):
        if validation is None:
            return None
        X, targets, weights = validation
        source = PatchSource(X, self.patch_shape_[:2]).kept()
        return TrainingSet(source, targets.astype(np.int32), weights)

    def _train(self, training_set, validation_set, previous, seed):
        own = not callable(self.architecture)
        self.precision_ = resolve_precision(self.precision) if own else "float32"
        program = self._program(fresh=True, seed=seed)
        rng = np.random.default_rng(seed)
        program.reset(rng, weights=None if previous else self._resolved_weights())
        if previous:
            self._load_previous(program, previous["weights"])
        else:
            program.standardise(*channel_statistics(training_set.source))
        self.history_ = dict(previous["history"]) if previous else {}
        best = BestWeights(self.patience) if self.early_stopping else None
        with progress_bar("Training", self.max_epochs, show=self.verbose) as advance:
            for number, phase in enumerate(self._plan(program)):
                if best:
                    best.waited = 0
                for row in train(
                    program,
                    training_set,
                    batch_size=self.batch_size,
                    augment=self.augment,
                    seed=(seed, number),
                    **phase,
                ):
                    if validation_set is not None:
                        row |= validate(program, validation_set, self.batch_size)
                    self._note_epoch(row, advance)
                    if best and best.stops_after(row, program):
                        break
        self.n_iter_ = len(self.history_["loss"])
        self.best_epoch_ = self.n_iter_ - (best.n_seen - best.epoch if best else 0)
        self.weights_ = best.weights if best else program.get_weights()

    def _load_previous(self, program, weights):
        try:
            program.set_weights(weights)
        except ValueError as error:
            raise ValueError(
                f"warm_start: the weights of the last fit do not fit architecture="
                f"{self.architecture!r}; it must be the same."
            ) from error

    def _note_epoch(self, row, advance):
        self.history_ = extended(self.history_, row)
        advance(note=" ".join(f"{name} {value:.3g}" for name, value in row.items()))

    def _plan(self, program):
        """Return the phases of the training: name, epochs, peak of the learning rate."""
        rate = self.learning_rate
        if program.phases == ("all",):
            return [{"phase": "all", "epochs": self.max_epochs, "learning_rate": rate}]
        n_head = max(1, round(HEAD_SHARE * self.max_epochs))
        n_top = self.max_epochs - n_head
        head = {"phase": "head", "epochs": n_head, "learning_rate": rate}
        top = {"phase": "top", "epochs": n_top, "learning_rate": TOP_RATE * rate}
        return [head, top] if n_top else [head]

    def _program(self, **options):
        from skbreast._keras.training import get_program

        shape, n_classes = self.patch_shape_, len(self.classes_)
        return get_program(self.architecture, shape, n_classes, self.precision_, **options)

    def _scores(self, X):
        check_is_fitted(self, "weights_")
        patches = self._check_patches(X, n_channels=self.patch_shape_[2])
        if self.architecture in ARCHITECTURES:  # whose first weights tell the scale of `fit`
            warn = warn_if_scaled if np.abs(self.weights_[0]).mean() > 1 else warn_if_raw
            warn(X, patches)
        source = PatchSource(patches, self.patch_shape_[:2])
        program = self._program()
        program.set_weights(self.weights_)
        return class_scores(program, source, self.batch_size)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Not one_d_array: scikit-learn's checks would take it to mean numbers in one dimension.
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags


def _count_channels(patches):
    return patches.shape[3] if patches.ndim == 4 else 3
