"""Our networks as Keras models, for those who train them in their own way."""

from skbreast._validation import check_choice
from skbreast.registry import ARCHITECTURES, BACKBONES

__all__ = ["build_network"]


def build_network(architecture, input_shape, n_classes, *, activation="softmax"):
    """Build a network of `PatchCNNClassifier`, uncompiled and untrained.

    Parameters
    ----------
    architecture : str
        "small", "resnet", or a backbone's name (:func:`skbreast.registry.list_backbones`), whose
        weights are random here.
    input_shape : tuple of (int, int, int)
        Height, width and channels of the patches, which go in as pixels 0…255.
    n_classes : int
        Number of classes.
    activation : {"softmax", None}, default="softmax"
        Whether the outputs are probabilities or raw scores.

    Returns
    -------
    keras.Model
        From ``(n, height, width, channels)`` to ``(n, n_classes)``, float32.

    Raises
    ------
    ValueError
        If there is no such architecture or activation.

    Examples
    --------
    >>> from skbreast.networks import build_network
    >>> build_network("small", (50, 50, 3), 2).output_shape
    (None, 2)
    """
    check_choice(architecture, name="architecture", choices=(*ARCHITECTURES, *BACKBONES))
    check_choice(activation, name="activation", choices=("softmax", None))
    from skbreast._keras.networks import build_network as build
    from skbreast._keras.networks import keras_normalisation, with_softmax

    network = build(architecture, tuple(input_shape), n_classes, normalisation=keras_normalisation)
    return network if activation is None else with_softmax(network)
