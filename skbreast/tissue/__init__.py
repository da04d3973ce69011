"""What a patch shows: how much tissue, whether it's in focus, whether a pen has been over it."""

from skbreast.tissue._blur_and_ink import blur_score, ink_fraction
from skbreast.tissue._filter import TissueFilter
from skbreast.tissue._masks import tissue_fraction, tissue_mask, tissue_threshold
from skbreast.tissue._report import TissueReport

__all__ = [
    "TissueFilter",
    "TissueReport",
    "blur_score",
    "ink_fraction",
    "tissue_fraction",
    "tissue_mask",
    "tissue_threshold",
]
