"""Data sets of breast patches: ``load_*`` reads, ``fetch_*`` may download, ``make_*`` invents."""

from skbreast.datasets._breakhis import load_breakhis
from skbreast.datasets._folder import load_patch_folder
from skbreast.datasets._idc import load_idc
from skbreast.datasets._pcam import load_pcam

# fetch_* (from _fetch.py) and make_patches (from _synthetic.py) join here.

__all__ = [
    "load_breakhis",
    "load_idc",
    "load_patch_folder",
    "load_pcam",
]
