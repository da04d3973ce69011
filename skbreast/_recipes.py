"""All that decides which features a frozen network makes of a patch, and its key."""

import importlib.metadata
import json
import marshal
import os
from dataclasses import dataclass
from functools import cached_property

from skbreast._fingerprints import digest_array, digest_file, digest_text, file_state
from skbreast._torch_weights import packaged_weights
from skbreast.registry import get_backbone

__all__ = ["Recipe"]

VERSION = 1  # to be raised when the same patch and recipe begin to give other features


@dataclass(frozen=True)
class Recipe:
    """A frozen network and what is taken from it.

    Attributes
    ----------
    backbone : str or keras.Model
        A backbone of the registry, or a network for RGB pictures.
    weights : None, "imagenet" or path
        Where the weights of a named backbone come from.
    blocks : tuple of str
        Blocks or layers whose pooled maps are joined.
    pooling : {"avg", "max"}
        How a map becomes one number a channel.
    preprocessing : str
        Key of :data:`skbreast.registry.PREPROCESSING`.
    seed : int
        Decides the weights when `weights` is None.
    """

    backbone: object
    weights: object
    blocks: tuple[str, ...]
    pooling: str
    preprocessing: str
    seed: int

    @property
    def row(self):
        """Row of the registry, None for a network of the user's."""
        return get_backbone(self.backbone) if isinstance(self.backbone, str) else None

    @property
    def lasting(self):
        """Whether another process is likely to meet the same weights again."""
        return self.row is not None and self.weights is not None

    @property
    def description(self):
        """What it is, for people."""
        name = self.backbone if self.row else self.backbone.name
        given = self.row is not None and self.weights is not None
        weights = os.fspath(self.weights) if given else "own weights"
        text = f"{name} ({weights}): {', '.join(self.blocks)}; {self.pooling}"
        return text.encode("utf-8", "backslashreplace").decode()  # a path may be any bytes

    @cached_property
    def key(self):
        """Digest of everything, the weights themselves included."""
        network = _named(self) if self.row else _of_user(self.backbone)
        rest = (VERSION, self.blocks, self.pooling, self.preprocessing)
        return digest_text(json.dumps([network, *rest]))


def _named(recipe):
    row, weights = recipe.row, recipe.weights
    keras = importlib.metadata.version("keras")
    if weights is None:
        return [row.builder, row.options, "random", recipe.seed, keras]
    if weights != "imagenet":
        found = file_state(weights) is not None  # else whoever reads it says what is wrong
        return [row.builder, row.options, digest_file(weights) if found else os.fspath(weights)]
    if row.packaged:
        return [row.builder, row.options, digest_file(packaged_weights())]
    return [row.builder, row.options, "imagenet", keras]  # Keras checks what it downloads


def _of_user(network):
    try:
        structure = network.to_json()
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            f"backbone: {network.name} cannot be described ({error}), so its features cannot be "
            "told from others'; give its class a get_config method, or set memory=None and "
            "engine='keras'."
        ) from error
    weights = (digest_array(array).hex() for array in network.get_weights())
    return [structure, *_own_code(network), *weights]


def _own_code(network):
    """Digests of the code of layers that are not Keras' own: a notebook may define them anew."""
    kinds = {base for layer in network._flatten_layers() for base in type(layer).__mro__}
    functions = [
        (f"{kind.__module__}.{kind.__qualname__}.{name}", value.__code__)
        for kind in kinds
        if kind.__module__.partition(".")[0] not in ("keras", "tensorflow", "builtins")
        for name, value in vars(kind).items()
        if hasattr(value, "__code__")
    ]
    # Version 2 of the format does not depend on who else holds a reference.
    return sorted(f"{name} {marshal.dumps(code, 2).hex()}" for name, code in functions)
