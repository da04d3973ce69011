"""Colour, texture and nuclei of patches: how far they carry before anything is learned.

Each transformer turns patches, or references to them, into named numbers, and has a function that
does the same with arrays.
"""

from skbreast.texture._color_features import ColorFeatures, color_features
from skbreast.texture._color_moments import color_moments
from skbreast.texture._morphometry import NucleiFeatures, nuclei_features
from skbreast.texture._pftas import PFTASFeatures, pftas_features
from skbreast.texture._texture_features import TextureFeatures, texture_features

__all__ = [
    "ColorFeatures",
    "NucleiFeatures",
    "PFTASFeatures",
    "TextureFeatures",
    "color_features",
    "color_moments",
    "nuclei_features",
    "pftas_features",
    "texture_features",
]
