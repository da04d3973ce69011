"""`PatchCNNClassifier`: a convolutional network behind fit, predict and predict_proba."""

import contextlib

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from skbreast._callbacks import CallbackSupportMixin, with_callbacks
from skbreast._classifier_fit import fit_part, fit_whole
from skbreast._classifier_network import score_patches

__all__ = ["PatchCNNClassifier"]


class PatchCNNClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
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
        a class, raw scores or a softmax, for raw pixels; it must build the same, anew, whenever it
        is called.
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
        Peak of the schedule, above 0 and at most 1: a short linear warm-up, then a cosine to 0.
        The optimizer is AdamW.
    class_weight : {None, "balanced"} or dict, default=None
        Weights by class label, as in scikit-learn.
    augment : {"stain", "geometric", None} or StainJitter, default="stain"
        Changes to training patches only: "geometric" flips and turns them by quarters; "stain"
        also jitters stain, brightness and contrast of uint8 RGB patches, and a
        :class:`skbreast.stain.StainJitter` does so as strongly as it says.
    early_stopping : bool, default=False
        Stop when the validation loss has not fallen for `patience` epochs, and restore the best
        epoch's weights. Validation patches are `X_val`, or split off.
    validation_fraction : float, default=0.15
        Share of the training patches, at most 0.5, that early stopping splits off when `X_val`
        is not given: whole patients if `groups` is given, stratified by class.
    patience : int, default=5
        Epochs that early stopping waits.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        What the network computes in; variables are float32 always. "auto" takes bfloat16 where
        the processor, or the GPU that TensorFlow uses, multiplies matrices in it. A callable
        decides for itself.
    distribute : {None, "mirrored", "multiworker"}, default=None
        Who shares the batches of `fit`: "mirrored" all GPUs of this process, "multiworker" the
        processes, on one host or several, that the environment variable ``TF_CONFIG`` names, all
        of which call `fit` with the same. The result is that of one device with whole batches,
        but for rounding. Predictions are each process's own. See :doc:`/distributed_training`.
    checkpoint : path-like, optional
        A folder in which `fit` keeps where it stands, after every epoch, in a file of its own for
        each fit. If it is killed, the next `fit` of the same patches, labels and parameters goes
        on there and ends with the same weights; when it ends, the file is deleted. Takes a
        `random_state`. See the notes.
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

    The name of a file in `checkpoint` is made of digests of patches (where they take more than
    128 MiB, of references), labels, weights, parameters and seed, so that folds, candidates and
    parallel fits can share a folder. One that was begun with other versions of skbreast, Keras,
    TensorFlow or numpy, another computed precision, other first weights, or patch files of other
    size or time, is left alone, with a warning that says what differs; so nothing is lost, and
    nothing of two kinds is mixed. The files hold numbers only, and every bit of them is checked.

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
        distribute=None,
        checkpoint=None,
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
        self.distribute = distribute
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        groups=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups_val=None,
    ):
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
            watches them. Patches that are split off keep their weights.
        sample_weight_val : array-like of shape (n_validation_patches,), optional
            Weight of each patch of `X_val`, which otherwise weigh the same.
        groups_val : array-like of shape (n_validation_patches,), optional
            Patient ids of `X_val`, to be compared with `groups`; nothing else hangs on them.

        Returns
        -------
        self : PatchCNNClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If an argument or parameter is not as documented; the message names it. The
            classifier is then what it was before.
        OSError
            If a file cannot be read, or the folder of `checkpoint` cannot be written when the
            training begins.
        ConnectionError
            If one of several processes does not come, ends or does not answer.
        RuntimeError
            If ``distribute="multiworker"`` comes too late in a process, or a port is taken.

        Warns
        -----
        CheckpointWarning
            If the file in `checkpoint` is damaged, or was begun under other conditions: the
            training starts anew. If it cannot be written after an epoch: the training goes on.
        TrainingInterruptedWarning
            If the training was interrupted from the keyboard: the classifier is fitted with what
            it had learned until then.
        UnknownPatientsWarning
            If early stopping splits off validation patches and `groups` is not given.
        PatientLeakageWarning
            If patients stand on both sides of that split, or in `X_val` as well; it counts them.
            Without `groups` they are known where `X` comes from a loader of this process.
        """
        validation = (X_val, y_val, sample_weight_val, groups_val)
        with _restored_on_error(self):
            return self._fit(X, y, sample_weight, groups, validation)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train the network for one pass over some patches, going on from where it is.

        The learning rate stays at `learning_rate`, since no end of the schedule is known. The
        first call fixes classes, size and standardisation of the patches, so let it see patches
        of every class. A backbone learns its upper blocks and its dense layer together. What the
        optimizer remembers, twice the size of the weights, stays on the classifier and in its
        pickles until the next `fit`. It keeps no checkpoints and trains in one process alone:
        `checkpoint` and `distribute` must be None.

        Parameters
        ----------
        X : array-like
            Patches, patch references or rows.
        y : array-like of shape (n_patches,)
            Class labels.
        classes : array-like of shape (n_classes,), optional
            All labels that will ever come; needed in the first call.
        sample_weight : array-like of shape (n_patches,), optional
            Weight of each patch in the loss, among the patches of this call; 0 leaves it out.

        Returns
        -------
        self : PatchCNNClassifier
            The classifier.

        Raises
        ------
        ValueError
            If an argument or parameter is not as documented; the message names it.
        """
        with _restored_on_error(self):
            fit_part(self, X, y, classes, sample_weight)
        return self

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
        scores = score_patches(self, X)
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
        scores = score_patches(self, X).astype(np.float64)
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
        scores = score_patches(self, X).astype(np.float64)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    @with_callbacks
    def _fit(self, X, y, sample_weight, groups, given_validation):
        fit_whole(self, X, y, sample_weight, groups, given_validation)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Not one_d_array: scikit-learn's checks would take it to mean numbers in one dimension.
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags


@contextlib.contextmanager
def _restored_on_error(estimator):
    """Leave an estimator as it was if its fit fails: half a new fit would predict nonsense."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
