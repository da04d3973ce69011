"""Fetch the published data sets: download once, verify, unpack, then read with the loaders."""

import os
import re
from pathlib import Path

from skbreast._validation import check_choice
from skbreast.datasets._breakhis import load_breakhis
from skbreast.datasets._download import download, file_digest, verify
from skbreast.datasets._idc import load_idc
from skbreast.datasets._pcam import load_pcam
from skbreast.datasets._unpack import gunzip, unpack

__all__ = ["fetch_breakhis", "fetch_idc", "fetch_pcam", "get_data_home"]

BREAKHIS_URL = "https://www.inf.ufpr.br/vri/databases"
IDC_URL = "https://andrewjanowczyk.com/wp-static"
PCAM_URL = "https://zenodo.org/records/2546921/files"
MAX_BYTES = 20 * 10**9

# As Zenodo lists them. The table in the authors' README has those of valid and test swapped
# (their issues 1 and 4); file names, not that table, are what everybody's results rest on.
PCAM_MD5 = {
    "camelyonpatch_level_2_split_train_x.h5.gz": "1571f514728f59376b705fc836ff4b63",
    "camelyonpatch_level_2_split_train_y.h5.gz": "35c2d7259d906cfc8143347bb8e05be7",
    "camelyonpatch_level_2_split_train_meta.csv": "5a3dd671e465cfd74b5b822125e65b0a",
    "camelyonpatch_level_2_split_valid_x.h5.gz": "d5b63470df7cfa627aeec8b9dc0c066e",
    "camelyonpatch_level_2_split_valid_y.h5.gz": "2b85f58b927af9964a4c15b8f7e8f179",
    "camelyonpatch_level_2_split_valid_meta.csv": "67589e00a4a37ec317f2d1932c7502ca",
    "camelyonpatch_level_2_split_test_x.h5.gz": "d8c2d60d490dbd479f8199bdfa0cf6ec",
    "camelyonpatch_level_2_split_test_y.h5.gz": "60a7035772fbdb7f34eb86d4420cf66a",
    "camelyonpatch_level_2_split_test_meta.csv": "3455fd69135b66734e1008f3af684566",
}


def get_data_home(data_home=None):
    """Return the folder that the data sets are fetched to, and make it if needed.

    Parameters
    ----------
    data_home : path-like, optional
        The folder. By default the environment variable ``SKBREAST_DATA``, else
        ``~/skbreast_data``.

    Returns
    -------
    Path
        The folder.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from skbreast.datasets import get_data_home
    >>> get_data_home(mkdtemp()).is_dir()
    True
    """
    if data_home is None:
        data_home = os.environ.get("SKBREAST_DATA") or Path("~", "skbreast_data")
    folder = Path(data_home).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch_breakhis(
    data_home=None,
    *,
    download_if_missing=True,
    base_url=BREAKHIS_URL,
    checksum=None,
    progress=True,
    **load,
):
    """Fetch BreakHis (about 4 GB) and read it with :func:`~skbreast.datasets.load_breakhis`.

    The archive ``BreaKHis_v1.tar.gz`` is downloaded once, unpacked to ``BreaKHis_v1`` in
    `data_home`, and removed. An archive that already lies in `data_home` is used.

    The authors publish no checksum. So the first download is trusted: its sha256 is written to
    ``BreaKHis_v1.tar.gz.sha256``, and a later download must agree with it. Give `checksum` if you
    know it from elsewhere.

    Parameters
    ----------
    data_home : path-like, optional
        Folder for the data; see :func:`~skbreast.datasets.get_data_home`.
    download_if_missing : bool, default=True
        False: raise an error instead of downloading.
    base_url : str, optional
        A mirror's folder; https, or http on this machine itself.
    checksum : str, optional
        What the archive must have, such as ``"sha256:…"``.
    progress : bool, default=True
        Show a progress bar on stderr.
    **load
        Passed on to the loader.

    Returns
    -------
    Bunch
        See :func:`~skbreast.datasets.load_breakhis`.

    Raises
    ------
    OSError
        If the data are missing and can't or mustn't be downloaded. An interrupted download is
        gone on with by the next call.
    ValueError
        If the checksum doesn't match, or the archive is damaged or unsafe.

    References
    ----------
    Spanhol et al., "A dataset for breast cancer histopathological image classification", IEEE
    Transactions on Biomedical Engineering 63 (2016).

    Examples
    --------
    >>> from skbreast.datasets import fetch_breakhis
    >>> breakhis = fetch_breakhis(magnification=100)  # doctest: +SKIP
    """
    url = f"{base_url.rstrip('/')}/BreaKHis_v1.tar.gz"
    folder = get_data_home(data_home) / "BreaKHis_v1"
    _fetch_folder(folder, url, download_if_missing, checksum, progress)
    return load_breakhis(folder, **load)


def fetch_idc(
    data_home=None,
    *,
    download_if_missing=True,
    base_url=IDC_URL,
    checksum=None,
    progress=True,
    **load,
):
    """Fetch the IDC patches and read them with :func:`~skbreast.datasets.load_idc`.

    The archive ``IDC_regular_ps50_idx5.zip`` is downloaded once, unpacked to
    ``IDC_regular_ps50_idx5`` in `data_home`, and removed. An archive that already lies in
    `data_home` is used.

    The authors publish no checksum. So the first download is trusted: its sha256 is written to
    ``IDC_regular_ps50_idx5.zip.sha256``, and a later download must agree with it. Give `checksum`
    if you know it from elsewhere.

    Parameters
    ----------
    data_home, download_if_missing, base_url, checksum, progress
        As of :func:`~skbreast.datasets.fetch_breakhis`.
    **load
        Passed on to the loader.

    Returns
    -------
    Bunch
        See :func:`~skbreast.datasets.load_idc`.

    Raises
    ------
    OSError, ValueError
        As :func:`~skbreast.datasets.fetch_breakhis`.

    References
    ----------
    Janowczyk and Madabhushi, "Deep learning for digital pathology image analysis: a
    comprehensive tutorial with selected use cases", Journal of Pathology Informatics 7 (2016).

    Examples
    --------
    >>> from skbreast.datasets import fetch_idc
    >>> idc = fetch_idc(max_patches=10_000, random_state=0)  # doctest: +SKIP
    """
    url = f"{base_url.rstrip('/')}/IDC_regular_ps50_idx5.zip"
    folder = get_data_home(data_home) / "IDC_regular_ps50_idx5"
    _fetch_folder(folder, url, download_if_missing, checksum, progress)
    return load_idc(folder, **load)


def fetch_pcam(
    data_home=None,
    *,
    split="train",
    download_if_missing=True,
    base_url=PCAM_URL,
    checksums=None,
    progress=True,
    **load,
):
    """Fetch a part of PatchCamelyon and read it with :func:`~skbreast.datasets.load_pcam`.

    Downloads the patches, labels and metadata of one part (train 6.4 GB, valid and test 0.8 GB
    each) from Zenodo, record 2546921, verifies their published md5 sums, and unpacks them to the
    folder ``pcam`` in `data_home`.

    Parameters
    ----------
    split : {"train", "valid", "test"}, default="train"
        Which part, by the names of the files on Zenodo.
    checksums : dict, optional
        ``{file name: "md5:…"}`` in place of the published sums, for a mirror with other files.
    data_home, download_if_missing, base_url, progress
        As of :func:`~skbreast.datasets.fetch_breakhis`.
    **load
        Passed on to the loader.

    Returns
    -------
    Bunch
        See :func:`~skbreast.datasets.load_pcam`.

    Raises
    ------
    OSError, ValueError
        As :func:`~skbreast.datasets.fetch_breakhis`.

    References
    ----------
    Veeling et al., "Rotation equivariant CNNs for digital pathology", MICCAI (2018).

    Examples
    --------
    >>> from skbreast.datasets import fetch_pcam
    >>> pcam = fetch_pcam(split="valid")  # doctest: +SKIP
    """
    check_choice(split, name="split", choices=("train", "valid", "test"))
    published = {name: f"md5:{digest}" for name, digest in PCAM_MD5.items()}
    checksums = published if checksums is None else checksums
    folder = get_data_home(data_home) / "pcam"
    for ending in ("meta.csv", "y.h5.gz", "x.h5.gz"):
        name = f"camelyonpatch_level_2_split_{split}_{ending}"
        if name not in checksums:
            raise ValueError(f"checksums must have an entry {name!r}; got {sorted(checksums)}.")
        if not (folder / name.removesuffix(".gz")).exists():
            url = f"{base_url.rstrip('/')}/{name}"
            _fetch_file(folder / name, url, download_if_missing, checksums[name], progress)
    return load_pcam(folder, split=split, **load)


def _fetch_file(path, url, download_if_missing, checksum, progress):
    """Get one file, and unpack it if its name ends in .gz."""
    if path.exists():
        verify(path, checksum, source=path)
    else:
        _check_may_download(path, url, download_if_missing)
        download(url, path, checksum=checksum, progress=progress)
    if path.suffix == ".gz":
        gunzip(path, path.with_suffix(""), max_bytes=MAX_BYTES, progress=progress)
        path.unlink()


def _fetch_folder(folder, url, download_if_missing, checksum, progress):
    """Get an archive, unpack it to `folder`, note its sha256, and remove it."""
    if folder.is_dir():
        return
    archive = folder.with_name(url.rpartition("/")[2])
    record = archive.with_name(archive.name + ".sha256")
    if checksum is None:
        checksum = _first_checksum(record)
    brought = archive.exists()
    if not brought:
        _check_may_download(folder, url, download_if_missing)
        download(url, archive, checksum=checksum, progress=progress)
    elif checksum is not None:
        verify(archive, checksum, source=archive)
    try:
        unpack(archive, folder, max_bytes=MAX_BYTES, progress=progress)
    except ValueError:
        if not brought:
            archive.unlink()
        raise
    record.write_text(f"{file_digest(archive)}  {archive.name}\n", encoding="ascii")
    if not brought:
        archive.unlink()


def _first_checksum(record):
    """Return the checksum that was noted when an archive was first unpacked, None if never."""
    if not record.exists():
        return None
    match = re.match(r"[0-9a-f]{64}\b", record.read_text(encoding="ascii", errors="replace"))
    if match is None:
        raise ValueError(f"{record} holds no sha256; remove it to trust the next download.")
    return f"sha256:{match[0]}"


def _check_may_download(path, url, download_if_missing):
    if not download_if_missing:
        raise FileNotFoundError(
            f"{path} is missing and download_if_missing=False; it can be had from {url}."
        )
