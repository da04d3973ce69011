"""`activation_maps`: where in each patch the score of a class comes from."""

import numbers

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skbreast._fit_input import check_like_fitted
from skbreast._patches import PatchSource, fit_patches
from skbreast._validation import check_choice, check_flag, check_number, check_patches, name_some
from skbreast.classifier import PatchCNNClassifier
from skbreast.inspection._linear import feature_weights
from skbreast.inspection._occlusion import occlusion_maps
from skbreast.inspection._parts import take_apart, without_memory
from skbreast.inspection._weights import COMBINE, gradcam, scaled
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["activation_maps"]

METHODS = (*COMBINE, "occlusion")
WINDOWS_A_SIDE = 6
# One block before the last, whose cells of 8 pixels smear a map over half a small patch: of a
# planted square of 16 pixels' side the map then holds .72 instead of .45 within its very borders.
SHARPER_LAYERS = {"small": "block3"}


def activation_maps(
    estimator,
    X,
    *,
    method="gradcam",
    target_class=None,
    layer=None,
    window=None,
    stride=None,
    fill="mean",
    signed=False,
    normalize=None,
    batch_size=32,
):
    """Map where in each patch the score of a class comes from.

    A map says what moved *this classifier*, not what the tissue is. Maps of a classifier that is
    no better than chance look as convincing as any.

    Parameters
    ----------
    estimator : classifier
        Fitted: a :class:`skbreast.PatchCNNClassifier` of any architecture; a pipeline of a
        :class:`skbreast.TransferFeatureExtractor` (average pooling), scalers, feature selectors
        or PCA, and a linear model with `coef_`; or, for "occlusion", any classifier of patches.
        Searches and classes that choose a threshold are unwrapped. Steps in front that give
        pictures, such as a stain normaliser, are applied first: the maps are of their pictures.
    X : array-like
        Patches ``(n_patches, height, width, channels)``, raw pixels 0…255, or a 1-D collection of
        patch references.
    method : {"gradcam", "gradcam++", "occlusion"}, default="gradcam"
        "gradcam": feature maps, weighted by the score's gradients. For a pipeline with a linear
        model this is its class activation map, exactly. "gradcam++": weights each pixel of
        the gradients, which finds several places more evenly; evidence against the class is
        left out. "occlusion": by how much the score falls when a window is covered; slow, but it
        asks nothing of the classifier, and resolves as finely as the window.
    target_class : label or array-like of shape (n_patches,), optional
        The class, or one for each patch, from `classes_`. By default what `estimator` predicts.
    layer : str, optional
        Which maps of a :class:`skbreast.PatchCNNClassifier` are weighted: "block1", "block2", …,
        "last", or in a network of the user's the name of a layer. By default "block3" of "small",
        and else the last ones, which know most and resolve least: a pixel of the map is then 4
        pixels of the patch for "small" and "resnet", and 32 for most backbones.
    window : int or (int, int), optional
        Height and width in pixels of what "occlusion" covers. By default a sixth of the patch.
    stride : int or (int, int), optional
        Pixels from one window to the next, at most its size. By default half of it.
    fill : "mean", number or sequence of numbers, default="mean"
        What it is covered with: the mean colour of the patch, or a colour, channel by channel.
    signed : bool, default=False
        Whether evidence against the class is kept, below zero; otherwise it is set to zero.
    normalize : {None, "patch", "all"}, default=None
        None keeps the unit of the scores, in which patches can be compared; "all" divides by the
        largest magnitude, "patch" by that of each patch, which can no longer be compared then.
    batch_size : int, default=32
        Patches at a time in "gradcam" and "gradcam++".

    Returns
    -------
    ndarray of shape (n_patches, height, width), float32
        Maps at the patches' size, or for references at the size that most of them have; enlarged
        bilinearly. "gradcam": what each place adds to the raw score of the class, of two classes
        to the log-odds. With ``layer="last"``, if global average pooling and a dense layer follow,
        as in all but callables, the mean of a signed map is the score less the layer's bias; of a
        pipeline it is the decision function itself, and each pixel is what the model would say
        if the whole patch looked like this place. "gradcam++": no unit but that patches can be
        compared. "occlusion": the fall of the decision function, or of the probability where
        there is none. At least 0 unless `signed`.

    Raises
    ------
    ValueError
        If an argument is not as documented, or the estimator has no maps for the method; the
        message names what to do.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skbreast.plotting.ActivationMapDisplay : Draws them over the patches.

    Notes
    -----
    Networks compute in float32 here, also those that were trained in bfloat16. The mean of a signed
    map is the score only nearly, then: of invented patches within 1e-6 of the largest score for a
    network in float32, 0.03 % if the sides of the patches are no whole multiples of the maps'
    cells, 0.4 % in bfloat16; for a pipeline within 0.3 % in float32, and 7 % in bfloat16.

    Raw scores are differentiated, never the softmax, whose gradients vanish where it is sure; one
    that a network of the user's computes by other means than a layer or an activation of Keras' is
    not recognised.

    The score of two classes is their difference, so the signed map ("gradcam", "occlusion") of
    one class is that of the other with the sign changed.

    The networks of ours show each patch twice, as it is and by its own mean and contrast. Something
    that changes the mean of the whole patch is seen all over it then, and a map says so.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
       Gradient-Based Localization", ICCV 2017.
    .. [2] A. Chattopadhay et al., "Grad-CAM++: Generalized Gradient-Based Visual Explanations for
       Deep Convolutional Networks", WACV 2018.
    .. [3] B. Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
    .. [4] M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks",
       ECCV 2014.
    .. [5] J. Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.inspection import activation_maps
    >>> patches = make_patches(4, 4, patch_size=32, random_state=0)
    >>> model = make_pipeline(TransferFeatureExtractor(layers="block4"), LogisticRegression())
    >>> maps = activation_maps(model.fit(patches.data, patches.target), patches.data[:3])
    >>> maps.shape, maps.dtype, bool(maps.min() >= 0)
    ((3, 32, 32), dtype('float32'), True)
    """
    window, stride = _check_options(method, layer, window, stride, signed, normalize)
    check_number(batch_size, name="batch_size", low=1, integer=True)
    check_is_fitted(estimator)
    patches = _check_pictures(X)
    classes = _class_numbers(estimator, X, target_class, n_patches=len(patches))
    parts = take_apart(estimator)
    for step in parts.front:
        patches = step.transform(patches)
    source = PatchSource(patches)
    if method == "occlusion":
        window, stride = _settle_windows(window, stride, source.shape[:2])
        model, fill = without_memory(parts.model), _check_fill(fill, source.shape[2])
        maps = occlusion_maps(model, source, classes, window=window, stride=stride, fill=fill)
    elif isinstance(parts.network, PatchCNNClassifier) and not parts.rest:
        maps = _of_network(parts.network, source, classes, COMBINE[method], layer, batch_size)
    elif isinstance(parts.network, TransferFeatureExtractor):
        if layer is not None:
            raise ValueError(
                "layer is for PatchCNNClassifier; the maps of a TransferFeatureExtractor are those "
                f"of its own parameter layers; got {layer!r}."
            )
        maps = _of_pipeline(parts, source, classes, COMBINE[method], batch_size)
    else:
        raise ValueError(
            f"method={method!r} needs a PatchCNNClassifier, or a pipeline of a "
            f"TransferFeatureExtractor and a linear model; got {_name(parts)}. "
            "method='occlusion' takes any classifier."
        )
    return scaled(maps if signed else np.maximum(maps, 0), normalize)


def _of_network(classifier, source, classes, combine, layer, batch_size):
    from skbreast._keras.activation import class_maps

    patches = check_like_fitted(classifier, source.X, n_channels=classifier.patch_shape_[2])
    seen = PatchSource(patches, classifier.patch_shape_[:2])
    batches = ((part, classes[rows]) for rows, part in seen.chunks(batch_size))
    if layer is None and isinstance(classifier.architecture, str):
        layer = SHARPER_LAYERS.get(classifier.architecture)
    structure = (classifier.architecture, classifier.patch_shape_, len(classifier.classes_))
    maps = class_maps(structure, classifier.weights_, batches, combine, layer=layer)
    return _enlarged(maps, source.shape[:2])


def _of_pipeline(parts, source, classes, combine, batch_size):
    from skbreast._keras.activation import frozen_maps

    extractor = parts.network
    if extractor.pooling != "avg":
        raise ValueError(
            "estimator: class activation maps need TransferFeatureExtractor(pooling='avg'); got "
            f"pooling={extractor.pooling!r}. method='occlusion' takes any classifier."
        )
    weights, constants = feature_weights(parts.rest, classes)
    maps = np.zeros((len(source), *source.shape[:2]), dtype=np.float32)
    if combine is gradcam:
        # Zero is no level of a feature to start from: scalers have moved it, to everywhere else.
        maps += constants[:, None, None].astype(np.float32)
    batches = _network_inputs(extractor, source.X, batch_size)
    for rows, blocks in frozen_maps(extractor._recipe(), batches):
        ends = np.cumsum([block.shape[3] for block in blocks])[:-1]
        for block, part in zip(blocks, np.split(weights[rows], ends, axis=1), strict=True):
            # Of the mean of a map, each pixel's share.
            gradients = (part / np.prod(block.shape[1:3])).astype(np.float32)[:, None, None]
            found = combine(block, np.broadcast_to(gradients, block.shape))
            maps[rows] += _enlarged(found, source.shape[:2])
    return maps


def _network_inputs(extractor, X, batch_size):
    """Yield rows and RGB pictures of the size at which they enter the network."""
    patches = extractor._check_patches(X)
    for size, rows in extractor._rows_by_size(patches):
        for part, pictures in PatchSource(patches[rows], size).chunks(batch_size):
            grey = pictures.shape[3] == 1
            yield rows[part], np.repeat(pictures, 3, axis=3) if grey else pictures


def _enlarged(maps, size):
    return fit_patches(np.asarray(maps, dtype=np.float32)[..., None], size)[..., 0]


def _check_options(method, layer, window, stride, signed, normalize):
    check_choice(method, name="method", choices=METHODS)
    check_choice(normalize, name="normalize", choices=(None, "patch", "all"))
    check_flag(signed, name="signed")
    given = {"layer": layer, "window": window, "stride": stride}
    idle = ("layer",) if method == "occlusion" else ("window", "stride")
    for name in idle:
        if given[name] is not None:
            raise ValueError(
                f"{name} has no effect on method={method!r}; leave it out or take another method."
            )
    if layer is not None and not isinstance(layer, str):
        raise ValueError(f"layer must be None or the name of a block or layer; got {layer!r}.")
    return _check_sides(window, name="window"), _check_sides(stride, name="stride")


def _check_sides(value, *, name):
    if value is None:
        return None
    sides = tuple(value) if isinstance(value, tuple | list | np.ndarray) else (value, value)
    whole = all(isinstance(side, numbers.Integral) and side >= 1 for side in sides)
    if len(sides) != 2 or not whole or any(isinstance(side, bool) for side in sides):
        raise ValueError(
            f"{name} must be None, an integer of at least 1, or (height, width) of such; got "
            f"{value!r}."
        )
    return tuple(int(side) for side in sides)


def _settle_windows(window, stride, sides):
    """Return windows and strides where None stood, and refuse those that do not fit patches."""
    if window is None:
        window = tuple(max(1, round(side / WINDOWS_A_SIDE)) for side in sides)
    if any(np.greater(window, sides)):
        raise ValueError(f"window={window} is larger than the patches, {sides[0]} x {sides[1]}.")
    if stride is None:
        stride = tuple(max(1, side // 2) for side in window)
    if any(np.greater(stride, window)):
        raise ValueError(f"stride={stride} leaves pixels out between windows of {window}.")
    return window, stride


def _check_fill(fill, n_channels):
    if isinstance(fill, str):
        return check_choice(fill, name="fill", choices=("mean",))
    try:
        color = np.asarray(fill, dtype=np.float64)
    except (TypeError, ValueError):
        color = np.empty((0,))
    if color.shape not in ((), (1,), (n_channels,)):
        raise ValueError(
            f"fill must be 'mean', a number or {n_channels} numbers, one a channel; got {fill!r}."
        )
    return color


def _check_pictures(X):
    patches = check_patches(X)
    if patches.ndim == 4 and np.ndim(X) == 2:
        raise ValueError(
            f"X holds rows of {patches.shape[3]} numbers; maps need patches (n_patches, height, "
            "width, channels) or references: reshape the rows."
        )
    return patches


def _class_numbers(estimator, X, target_class, *, n_patches):
    """Return the number of the class of each patch."""
    if not hasattr(estimator, "classes_"):
        raise ValueError(f"estimator must be a classifier; got {type(estimator).__name__}.")
    known = np.asarray(estimator.classes_).tolist()
    labels = estimator.predict(X) if target_class is None else target_class
    labels = np.asarray([labels] * n_patches if np.ndim(labels) == 0 else labels)
    if labels.shape != (n_patches,):
        raise ValueError(
            f"target_class must be one label, or one for each of {n_patches} patches; got shape "
            f"{labels.shape}."
        )
    unknown = [label for label in dict.fromkeys(labels.tolist()) if label not in known]
    if unknown:
        raise ValueError(
            f"target_class must be among the classes {name_some(known)}; got {name_some(unknown)}."
        )
    return np.array([known.index(label) for label in labels.tolist()])


def _name(parts):
    steps = [each for each in (parts.network, *parts.rest) if each is not None]
    return " and ".join(type(each).__name__ for each in steps)
