"""Build pretrained networks from the rows of the registry, and fill in their weights."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from skbreast._keras.efficientnet_lite import efficientnet_lite0, load_torch_weights
from skbreast._torch_weights import packaged_weights, read_torch_weights
from skbreast._validation import import_optional
from skbreast.registry import BACKBONES, PREPROCESSING

__all__ = ["block_output", "build_backbone", "load_weights", "preprocess"]


def preprocess(x, convention):
    """Turn pixels 0…255 into what a network was trained on, inside the graph.

    Parameters
    ----------
    x : KerasTensor of shape (n, h, w, 3)
        Raw pixels.
    convention : str
        Key of :data:`skbreast.registry.PREPROCESSING`.

    Returns
    -------
    KerasTensor of shape (n, h, w, 3)
    """
    row = PREPROCESSING[convention]
    if row.reverse_channels:
        x = x[..., ::-1]
    mean, scale = np.broadcast_to(row.mean, 3), np.broadcast_to(row.scale, 3)
    offset = -mean * scale
    return layers.Rescaling(scale.tolist(), offset.tolist(), name="preprocess", dtype="float32")(x)


def build_backbone(row, *, weights, include_top=False):
    """Build a network of the registry for pictures of any size.

    Parameters
    ----------
    row : Backbone
        Row of the registry.
    weights : None, "imagenet" or path
        Random, the published ones, or a Keras weights file.
    include_top : bool, default=False
        Whether the ImageNet classifier stands on top; then pictures must have `row.input_size`.

    Returns
    -------
    keras.Model
        The network, without pre-processing.

    Raises
    ------
    ValueError
        If the weights cannot be had or do not fit.
    """
    options = dict(row.options)
    side = row.input_size if include_top else None
    network = _builder(row)(
        weights=None, include_top=include_top, input_shape=(side, side, 3), **options
    )
    if weights is None:
        return network
    if weights != "imagenet":
        return load_weights(network, weights)
    return _load_imagenet(network, row, include_top=include_top)


def _builder(row):
    if row.builder == "efficientnet_lite0":
        return efficientnet_lite0
    return getattr(keras.applications, row.builder)


def _load_imagenet(network, row, *, include_top):
    if row.packaged:
        load_torch_weights(network, read_torch_weights(packaged_weights()))
        return network
    try:
        donor = _builder(row)(weights="imagenet", include_top=include_top, **dict(row.options))
    except Exception as error:
        # Keras raises a bare Exception when a download fails.
        offline = ", ".join(name for name, each in BACKBONES.items() if each.packaged)
        raise ValueError(
            f"The ImageNet weights of {row.name} could not be downloaded ({error}). Give "
            f"weights=<path of a Keras weights file>, or take a backbone whose weights are "
            f"installed: {offline}."
        ) from error
    network.set_weights(donor.get_weights())
    return network


def load_weights(network, path):
    """Load a Keras weights file, which holds arrays only, into a network.

    Parameters
    ----------
    network : keras.Model
        The network.
    path : str or path-like
        A ``.weights.h5`` or legacy ``.h5`` weights file.

    Returns
    -------
    keras.Model
        `network`.

    Raises
    ------
    ValueError
        If the file is a whole model, is missing, is damaged, or does not fit the network.
    """
    path = Path(path)
    _check_weights_file(path)
    _refuse_surplus(path, network)
    try:
        network.load_weights(path)
    except Exception as error:
        # Keras and h5py raise many kinds here; whichever it is, the file is what is wrong.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"weights={str(path)!r} cannot be loaded into {network.name}: {reason}"
        ) from error
    return network


def _check_weights_file(path):
    if path.suffix == ".keras":
        raise ValueError(
            f"weights={str(path)!r} is a whole Keras model, which can run code when it is loaded "
            "(CVE-2025-1550 and others); save the weights alone, with "
            "model.save_weights('<name>.weights.h5'), and give that file."
        )
    if path.suffix != ".h5":
        raise ValueError(
            f"weights={str(path)!r} is no Keras weights file: None, 'imagenet', or a file that "
            "ends in .weights.h5 or .h5 is expected."
        )
    if not path.is_file():
        raise ValueError(f"weights={str(path)!r} does not exist or is no file.")
    h5py = import_optional("h5py", extra="pcam", purpose="Reading Keras weights")
    try:
        with h5py.File(path, "r") as file:
            _refuse_foreign_data(file, h5py)
    except (OSError, KeyError, RuntimeError, SystemError) as error:
        raise ValueError(
            f"weights={str(path)!r} is no HDF5 file, or is damaged: {error}"
        ) from error


def _refuse_foreign_data(file, h5py):
    """Refuse HDF5 members that would make the reader open other files."""

    def find(name, link):  # h5py loses what is raised in here
        if not isinstance(link, h5py.HardLink):
            return f"holds a link to other data: {name!r}"
        member = file[name]
        if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
            return f"keeps {name!r} in another file"
        return None

    reason = file.visititems_links(find)
    if reason is not None:
        raise ValueError(f"weights={file.filename!r} {reason}.")


def _refuse_surplus(path, network):
    """Refuse arrays that would be left over: Keras fills in what it finds and skips the rest."""
    import h5py

    n_arrays = 0

    def count(name, member):
        nonlocal n_arrays
        of_layer = name.startswith("layers/") and isinstance(member, h5py.Dataset)
        n_arrays += of_layer and member.dtype.kind == "f"  # not the states of seeds

    with h5py.File(path, "r") as file:
        file.visititems(count)
    if n_arrays > len(network.weights):
        raise ValueError(
            f"weights={str(path)!r} is of another network: it holds {n_arrays} arrays, "
            f"{network.name} has {len(network.weights)}."
        )


def block_output(network, row, block):
    """Tensor where a block of a network ends.

    Parameters
    ----------
    network : keras.Model
        The network.
    row : Backbone or None
        Its row of the registry, if it comes from there.
    block : str
        ``"last"``, ``"block<number>"`` of the row, or the name of a layer.

    Returns
    -------
    KerasTensor of shape (n, h, w, d)

    Raises
    ------
    ValueError
        If there is no such block, or it is not a feature map.
    """
    if block == "last":
        return _check_map(network.outputs[0], block, network)
    known = dict(zip(row.block_names, row.blocks, strict=False)) if row else {}
    layer, _, side = known.get(block, block).partition(".")
    try:
        tensor = getattr(network.get_layer(layer), side or "output")
    except ValueError:
        names = ", ".join(row.block_names) if row else "'last'"
        # Keras lists every layer of the network: pages that would stand above this sentence.
        raise ValueError(
            f"layers: {block!r} is neither a block ({names}) nor a layer of {network.name}."
        ) from None
    return _check_map(tensor, block, network)


def _check_map(tensor, block, network):
    if isinstance(tensor, list) or len(tensor.shape) != 4:
        raise ValueError(f"layers: {block!r} of {network.name} gives no feature map (n, h, w, d).")
    return tensor
