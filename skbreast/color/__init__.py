"""Optical density and stains: pure functions on arrays whose last axis is red, green, blue."""

from skbreast.color._densities import has_stain
from skbreast.color._jitter import jitter_stain
from skbreast.color._macenko import macenko_stains
from skbreast.color._optical_density import (
    STAIN_VECTORS,
    optical_density_to_rgb,
    rgb_to_optical_density,
)
from skbreast.color._reinhard import (
    REINHARD_REFERENCES,
    ColorStatistics,
    color_statistics,
    exchange_colors,
)
from skbreast.color._stains import (
    MACENKO_REFERENCE,
    VAHADANE_REFERENCE,
    Stains,
    exchange_stains,
    mix_stains,
    stain_concentrations,
)
from skbreast.color._vahadane import vahadane_stains

__all__ = [
    "MACENKO_REFERENCE",
    "REINHARD_REFERENCES",
    "STAIN_VECTORS",
    "VAHADANE_REFERENCE",
    "ColorStatistics",
    "Stains",
    "color_statistics",
    "exchange_colors",
    "exchange_stains",
    "has_stain",
    "jitter_stain",
    "macenko_stains",
    "mix_stains",
    "optical_density_to_rgb",
    "rgb_to_optical_density",
    "stain_concentrations",
    "vahadane_stains",
]
