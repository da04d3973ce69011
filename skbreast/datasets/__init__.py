"""Data sets of breast patches: ``load_*`` reads, ``fetch_*`` may download, ``make_*`` invents."""

from skbreast.datasets._breakhis import load_breakhis
from skbreast.datasets._fetch import fetch_breakhis, fetch_idc, fetch_pcam, get_data_home
from skbreast.datasets._folder import load_patch_folder
from skbreast.datasets._idc import load_idc
from skbreast.datasets._pcam import load_pcam
from skbreast.datasets._protocols import PROTOCOLS, load_protocol
from skbreast.datasets._recognise import LOADERS, load_patches, recognise
from skbreast.datasets._synthetic import make_patches

__all__ = [
    "LOADERS",
    "PROTOCOLS",
    "fetch_breakhis",
    "fetch_idc",
    "fetch_pcam",
    "get_data_home",
    "load_breakhis",
    "load_idc",
    "load_patch_folder",
    "load_patches",
    "load_pcam",
    "load_protocol",
    "make_patches",
    "recognise",
]
