"""Colour and texture features of patches: how far they carry before anything is learned."""

from skbreast.texture._color_features import ColorFeatures, color_moments
from skbreast.texture._texture_features import TextureFeatures, texture_features

__all__ = ["ColorFeatures", "TextureFeatures", "color_moments", "texture_features"]
