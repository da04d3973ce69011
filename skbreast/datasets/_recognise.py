"""Tell which data set a folder holds, and load it with the right loader."""

from pathlib import Path

from skbreast._validation import check_choice
from skbreast.datasets._breakhis import load_breakhis
from skbreast.datasets._folder import load_patch_folder
from skbreast.datasets._idc import load_idc
from skbreast.datasets._pcam import load_pcam

__all__ = ["LOADERS", "load_patches", "recognise"]

LOADERS = {
    "idc": load_idc,
    "breakhis": load_breakhis,
    "pcam": load_pcam,
    "folder": load_patch_folder,
}

# `folder` is what remains.
SIGNS = {
    "pcam": ("camelyonpatch_level_2_split_*.h5*",),
    "breakhis": ("SOB_*.png", "BreaKHis_v1", "histology_slides"),
    "idc": ("*/[01]/*_idx5_x*_y*_class[01].png", "IDC_regular_ps50_idx5/*/[01]"),
}


def recognise(root):
    """Tell which data set lies in a folder, from its names alone.

    Parameters
    ----------
    root : str or path-like
        The folder.

    Returns
    -------
    {"idc", "breakhis", "pcam", "folder"}
        "folder" if it looks like none of the published layouts.

    Raises
    ------
    ValueError
        If there is no such folder, or it holds several data sets.
    """
    try:
        root = Path(root)
        is_folder = root.is_dir()
    except (TypeError, ValueError) as error:  # a type that is no path, a NUL, half a surrogate
        raise ValueError(f"root must be the path of a folder; got {root!r}.") from error
    if not is_folder:
        raise ValueError(f"{root} is not a folder.")
    kinds = [
        kind
        for kind, patterns in SIGNS.items()
        if any(next(root.glob(pattern), None) for pattern in patterns)
    ]
    if len(kinds) > 1:
        raise ValueError(
            f"{root} holds several data sets ({', '.join(kinds)}); give the folder of one of them."
        )
    return kinds[0] if kinds else "folder"


def load_patches(root, *, kind="auto", **options):
    """Load a data set of any known layout.

    Parameters
    ----------
    root : str or path-like
        The folder.
    kind : {"auto", "idc", "breakhis", "pcam", "folder"}, default="auto"
        The layout; "auto" recognises it.
    **options
        For the loader of that layout, see :func:`load_idc`, :func:`load_breakhis`,
        :func:`load_pcam` and :func:`load_patch_folder`.

    Returns
    -------
    Bunch or (ndarray, ndarray)
        What the loader returns; a Bunch has `kind` as well.

    Raises
    ------
    ValueError
        If the folder is missing, the kind unknown, or the layout broken.
    TypeError
        If an option is not one of the loader's.

    Examples
    --------
    >>> from skbreast.datasets import load_patches
    >>> load_patches("IDC_regular_ps50_idx5").kind  # doctest: +SKIP
    'idc'
    """
    check_choice(kind, name="kind", choices=("auto", *LOADERS))
    if kind == "auto":
        kind = recognise(root)
    loaded = LOADERS[kind](root, **options)
    if not options.get("return_X_y"):
        loaded.kind = kind
    return loaded
