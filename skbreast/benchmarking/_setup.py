"""What a benchmark's folder was made of, so that no other data are mixed into it."""

import json
import re

from skbreast._fingerprints import digest_text
from skbreast._fold_store import describe_folds
from skbreast.results import write_json

__all__ = ["check_model_names", "check_setup"]

SETUP_FILE = "benchmark.json"


def check_model_names(models):
    """Refuse names that are no names of folders."""
    if not models:
        raise ValueError("models is empty; give at least one.")
    for name in models:
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", str(name)) is None:
            raise ValueError(
                f"models: {name!r} is no name; letters, digits, '.', '_' and '-' are allowed."
            )


def check_setup(out, bunch):
    """Note which patches and folds a benchmark is made of, or compare with what is noted.

    Parameters
    ----------
    out : pathlib.Path
        The benchmark's folder.
    bunch : Bunch
        With `data`, `target`, `groups` and `folds`.

    Returns
    -------
    str
        Digest of all of it.

    Raises
    ------
    ValueError
        If the folder was begun with others, holds files of another origin, or its note cannot be
        read.
    """
    if not bunch.get("folds"):
        raise ValueError("bunch has no folds; load it with load_protocol, or set them.")
    path = out / SETUP_FILE
    setup = describe_folds(bunch.data, bunch.target, bunch.groups, bunch.folds)
    _compare(path, setup, out) if path.exists() else _begin(path, setup, out)
    return digest_text(json.dumps(setup))


def _begin(path, setup, out):
    if out.exists() and any(out.iterdir()):
        raise ValueError(
            f"{out} holds files, but no {SETUP_FILE} of a benchmark; give a new folder."
        )
    write_json(path, setup)


def _compare(path, setup, out):
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error}); give a new folder.") from error
    other = [
        name for name in setup if not isinstance(noted, dict) or noted.get(name) != setup[name]
    ]
    if other:
        raise ValueError(
            f"{out} holds a benchmark of other {' and '.join(other)}; give another folder, or "
            "delete this one."
        )
