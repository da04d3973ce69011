"""The manifest of a model file: what it is, who wrote it, and a digest of each member."""

import hashlib
import json
import platform
from importlib.metadata import version

import skbreast
from skbreast._versions import versions
from skbreast.persistence._arrays import check_array
from skbreast.persistence._errors import Refused
from skbreast.persistence._schema import parse_json

__all__ = ["FORMAT", "NAME", "check_manifest", "make_manifest", "refuse_newer"]

NAME = "manifest.json"
FORMAT = 2
READ_SINCE = "0.1.0"  # the first skbreast that reads this format
_KIND = "skbreast model"
_LONGEST_TEXT = 500


def make_manifest(model, classes, members):
    """Describe a model file.

    Parameters
    ----------
    model : estimator or dict of str to estimator
        What it holds.
    classes : iterable of str
        Classes of all its objects.
    members : dict of str to bytes
        Its other members.

    Returns
    -------
    bytes
        JSON.
    """
    manifest = {
        "kind": _KIND,
        "format": FORMAT,
        "needs": {"skbreast": READ_SINCE},
        "versions": {**versions(), "skops": version("skops"), "Python": platform.python_version()},
        "holds": _describe(model),
        "classes": sorted(classes),
        "members": {name: _measure(name, content) for name, content in members.items()},
    }
    return json.dumps(manifest, indent=1).encode()


def _describe(model):
    if isinstance(model, dict):
        return {str(name): _describe(each) for name, each in model.items()}
    parameters = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    return {
        "class": f"{type(model).__module__}.{type(model).__name__}",
        "parameters": {name: _write(value) for name, value in parameters.items()},
    }


def _write(value):
    if value is None or type(value) in (bool, int, float, str):
        return value
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _measure(name, content):
    measured = {"n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if name.endswith(".npy"):
        measured["dtype"], measured["shape"] = check_array(content)
    return measured


def check_manifest(archive):
    """Compare the members of a file with its manifest, and check the headers of its arrays.

    Parameters
    ----------
    archive : Archive
        The file.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ValueError
        If it does not fit.
    """
    manifest = parse_json(archive.read(NAME))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{NAME} is of another format than the seal")
    others = {name: None for name in archive.names if name != NAME}
    for name in others:
        others[name] = _measure(name, archive.read(name))
    if manifest.get("members") != others:
        raise ValueError(f"{NAME} describes other members")
    return manifest


def refuse_newer(version, archive_of):
    """Say which skbreast a file of a newer format needs.

    Parameters
    ----------
    version : int
        Of its format.
    archive_of : callable
        Opens the file as an archive.

    Raises
    ------
    Refused
        Always.
    """
    try:
        needs = (
            f"skbreast {parse_json(archive_of().read(NAME))['needs']['skbreast']!s:.20} or newer"
        )
    except Exception:  # nobody knows how a newer format looks
        needs = "a newer skbreast"
    raise Refused(
        f"is of format {version}; this is skbreast {skbreast.__version__}, which reads formats up "
        f"to {FORMAT}. Install {needs}."
    )
