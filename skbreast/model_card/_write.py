"""`write_model_card`: the facts of a model in two files."""

import json
from pathlib import Path

from skbreast._files import write_text
from skbreast.model_card._facts import model_facts
from skbreast.model_card._text import LIBRARY, card_text
from skbreast.results import write_json

__all__ = ["write_model_card"]


def write_model_card(path, model, predictions=None, **about):
    """Write a model card: Markdown for people and hubs, and JSON with the same facts.

    Names of classes, folders and models may hold anything: they stay text, in the Markdown, in
    its front matter and in the HTML that is made of it. Patients are counted, not named.

    Parameters
    ----------
    path : str or path-like
        The Markdown file, such as ``"model_card.md"``; a hub wants ``"README.md"``. The JSON goes
        beside it, as ``"model_card.json"``.
    model : estimator
        The fitted model.
    predictions : Predictions or dict of str to Predictions, optional
        What the model said of patches that it was not trained on, or what several models said,
        baselines among them: from :func:`skbreast.evaluation.cross_validate_models`.
    **about
        What :func:`model_facts` takes.

    Returns
    -------
    pathlib.Path
        The Markdown file.

    Raises
    ------
    ValueError
        If `path` does not end in ``.md``, if it or the JSON beside it would replace a file that is
        no model card, or if an argument is not as documented.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_models, make_baselines, make_folds
    >>> from skbreast.model_card import write_model_card
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> X, y, groups = patches.data, patches.target, patches.groups
    >>> models = make_baselines()
    >>> folds = make_folds(X, y, groups, n_splits=2)
    >>> predictions = cross_validate_models(models, X, y, groups, folds=folds)
    >>> path = write_model_card(
    ...     f"{mkdtemp()}/model_card.md", models["colour"].fit(X, y), predictions,
    ...     chosen="colour", source="invented patches", n_resamples=50,
    ... )
    >>> "not for diagnosis" in path.read_text(encoding="utf-8")
    True
    """
    path = Path(path)
    if path.suffix.lower() != ".md":
        raise ValueError(f"path must be the name of a Markdown file, *.md; got {str(path)!r}.")
    for file, is_ours in ((path, _is_text), (path.with_suffix(".json"), _is_facts)):
        if file.is_file() and not is_ours(file):
            raise ValueError(
                f"{file} exists and is no model card, so it is not replaced; give another path."
            )
    facts = model_facts(model, predictions, **about)
    write_json(path.with_suffix(".json"), facts)
    write_text(path, card_text(facts))
    return path


def _is_text(path):
    text = path.read_bytes().decode("utf-8", "replace")
    return text.startswith("---") and f'library_name: "{LIBRARY}"' in text.splitlines()


def _is_facts(path):
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"card", "model", "intended_use"} <= found.keys()
