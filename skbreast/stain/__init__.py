"""Stain normalisation as transformers, and stain jitter for training."""

from skbreast.stain._jitter import StainJitter
from skbreast.stain._macenko import MacenkoNormalizer
from skbreast.stain._reinhard import ReinhardNormalizer
from skbreast.stain._vahadane import VahadaneNormalizer

__all__ = ["MacenkoNormalizer", "ReinhardNormalizer", "StainJitter", "VahadaneNormalizer"]
