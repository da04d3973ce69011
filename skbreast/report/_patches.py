"""The parts of a report that show patches: right and wrong ones, and what the model looked at."""

import numpy as np

from skbreast.inspection import activation_maps
from skbreast.plotting import PatchGalleryDisplay
from skbreast.report._blocks import Section, Text, Tile, Tiles
from skbreast.report._drawing import lay_over, show_patch

__all__ = ["gallery_section", "maps_section"]

KINDS = {
    "wrong": ("Wrong", "Drawn at random from all wrong decisions."),
    "sure_wrong": ("Wrong, and sure of it", "The probability of the true class is smallest here."),
    "right": ("Right", "Drawn at random from all right decisions."),
    "unsure": ("Least sure", "The two most probable classes are closest here."),
}

MAPS = "What the model looks at"
NOW = "the model of this page calls it"
FITTED_TO_ALL = (
    "The model of this page was fitted to all patches, these among them, after the folds were "
    "judged, and may decide otherwise now, which the tile then says: the maps show what it looks "
    "at, not how good it is."
)


def gallery_section(study, *, n_shown, random_state):
    """Return patches of each kind; of references only these are read."""
    blocks = []
    for show, (title, caption) in KINDS.items():
        shown = _choose(study, show, n_shown, random_state)
        if shown.patches:
            blocks += [
                Text(title, kind="heading"),
                Tiles([_tile(shown, place) for place in range(len(shown.patches))], caption),
            ]
    score = shown.title.splitlines()[-1]
    blocks.insert(0, Text(f"{score[0].upper()}{score[1:]}."))
    return Section("Patches", "patches", blocks)


def _choose(study, show, n_shown, random_state):
    import matplotlib.pyplot as plt

    shown = PatchGalleryDisplay.from_predictions(
        study.X,
        study.first,
        show=show,
        n_patches=n_shown,
        target_names=study.target_names,
        random_state=random_state,
    )
    plt.close(shown.figure_)
    return shown


def _tile(shown, place, *more, note=""):
    lines = shown.captions[place].splitlines() + ([note] if note else [])
    flagged = shown.kinds[place] == "wrong"
    lines.insert(0, "✗ wrong" if flagged else "✓ right")
    patch = shown.patches[place]
    if patch is None:
        return Tile([], [*lines, shown.problems[place]], flagged)
    return Tile([show_patch(patch, f"Patch: {', '.join(lines[1:])}"), *more], lines, flagged)


def maps_section(study, model, *, n_shown, random_state, fitted_to_all):
    """Return patches beside what moved the model's decision; None without a model or patches.

    Instead of a model, a sentence may say why there is none.
    """
    if isinstance(model, str):
        return Section(MAPS, "maps", [Text(model, tone="note")])
    if model is None or study.X is None:
        return None
    chosen = [
        _choose(study, show, max(1, n_shown // 2), random_state) for show in ("sure_wrong", "right")
    ]
    tiles, methods = [], {}
    for shown in chosen:
        for tile, method in _map_shown(study, model, shown):
            tiles.append(tile)
            methods[method] = None
    if not tiles:
        return None
    caption = (
        f"{', '.join(methods)}: on the right, in grey, what speaks for the class that stands below "
        "as predicted, from dark to bright; each patch by its own scale."
    )
    blocks = [Tiles(tiles, caption, paired=True)]
    if fitted_to_all:
        blocks.append(Text(FITTED_TO_ALL, tone="note"))
    return Section(MAPS, "maps", blocks)


def _map_shown(study, model, shown):
    places = [place for place, patch in enumerate(shown.patches) if patch is not None]
    if not places:
        return []
    X, named = study.X[shown.rows[places]], _named_classes(study, shown)[places]
    classes = np.asarray(model.classes_)[list(study.class_order)]  # as this page counts them
    maps, method = _map(model, X, classes[named])
    pictures = [
        show_patch(lay_over(shown.patches[place], values), f"{method} of the patch before")
        for place, values in zip(places, maps, strict=True)
    ]
    now = model.predict(X)
    changed = [f"{NOW} {study.target_names[np.flatnonzero(classes == each)[0]]}" for each in now]
    notes = np.where(now == classes[named], "", changed).tolist()
    return [
        (_tile(shown, place, picture, note=note), method)
        for place, picture, note in zip(places, pictures, notes, strict=True)
    ]


def _named_classes(study, shown):
    """Return the number of the class that each tile says was predicted."""
    found = study.first
    right = found.y_true == found.y_pred
    positions = [
        np.flatnonzero((study.rows == row) & (right == (kind == "right")))[0]
        for row, kind in zip(shown.rows, shown.kinds, strict=True)
    ]
    return found.y_pred[positions].astype(int)


def _map(model, X, classes):
    """Return maps in 0…1 and how they were made: by covering where there are no feature maps."""
    options = {"target_class": classes, "normalize": "patch"}
    try:
        return activation_maps(model, X, **options), "Grad-CAM"
    except ValueError:  # says that it has none; whatever else is wrong is raised by the next line
        return activation_maps(model, X, method="occlusion", **options), "Occlusion"
