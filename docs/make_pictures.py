"""Make the pictures of the documentation, from real patches where there are any.

``conf.py`` calls :func:`write_all`, which draws IDC and BreakHis where the environment variable
``SKBREAST_TEST_DATA`` names a folder that holds them, and invented patches elsewhere; each caption
says which. ``python docs/make_pictures.py`` makes anew the two that stand in the README, from
invented patches only.
"""

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch

import skbreast
from skbreast import PatchCNNClassifier, plotting
from skbreast._validation import import_optional
from skbreast.datasets import load_breakhis, load_idc, make_patches
from skbreast.evaluation import cross_validate_models, make_folds, make_model
from skbreast.model_selection import audit_patches
from skbreast.networks import build_network
from skbreast.report import write_report

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS)]

from make_tables import list_table  # noqa: E402 (it stands beside this file)

FOR_README = DOCS / "pictures"
DEFAULT_DATA = DOCS.parents[1] / "shared" / "data"
IDC, BREAKHIS = "IDC_regular_ps50_idx5", "BreaKHis_v1"
PARTS = ("plotting", "inspection", "report")  # of the package, that draw
DPI, CSS_PIXELS = 160, 92  # of a saved inch, and of one on the page
WIDEST = 800  # pixels, what the page has room for
STARTS = ("Conv2D", "GlobalAveragePooling2D")  # of a row in the table of layers
NETWORK, FROZEN, COLOUR = "small network", "frozen network", "colour"


@dataclass(frozen=True)
class Study:
    """Patches, and what models said of those whose patients they had not seen.

    Attributes
    ----------
    about : str
        Whose patches these are.
    patches : Bunch
        They.
    folds : list of (ndarray, ndarray)
        Training and test rows.
    predictions : dict of str to Predictions
        By model, the one that pictures are about first.
    model : estimator
        It, fitted to the training rows of the first fold.
    """

    about: str
    patches: Bunch
    folds: list
    predictions: dict
    model: object

    @property
    def judged(self):
        """Predictions of the model that pictures are about."""
        return next(iter(self.predictions.values()))

    @property
    def names(self):
        """Names of the classes, as all Displays take them."""
        return {"target_names": self.patches.target_names}

    def describe(self, what):
        """Return a caption: what is shown, and of whom."""
        n_patients = len(np.unique(self.patches.groups))
        return f"{what} {self.about}: {len(self.patches.target):,} patches, {n_patients} patients."


# Data: real where they are. Each study is small enough for two busy cores.


def data_root():
    """Return the folder where real patches would lie."""
    return Path(os.environ.get("SKBREAST_TEST_DATA", DEFAULT_DATA))


def invent():
    """Return invented patches, and what to call them."""
    patches = make_patches(30, 16, patch_size=48, difficulty=0.5, random_state=0)
    return patches, "Invented patches"


def load_small():
    """Return patches for a network from scratch: labels belong to patches."""
    root = data_root() / IDC
    if not root.is_dir():
        return invent()
    return load_idc(root, max_patches=1200), "IDC, a part"


def load_labelled_patients():
    """Return patches for a frozen network: labels belong to patients."""
    root = data_root() / BREAKHIS
    if not root.is_dir():
        return invent()
    return load_breakhis(root, magnification=200), "BreakHis 200X, a part"


def study(patches, about, models, *, n_splits=3):
    """Return the study of some models on some patches, the first of them fitted once more."""
    arrays = patches.data, patches.target, patches.groups
    folds = make_folds(*arrays, n_splits=n_splits, random_state=0)
    predictions = cross_validate_models(models, *arrays, folds=folds)
    train, first = folds[0][0], next(iter(models))
    groups = {"groups": patches.groups[train]} if first == NETWORK else {}
    model = models[first].fit(patches.data[train], patches.target[train], **groups)
    return Study(about, patches, folds, predictions, model)


def study_network(load=load_small):
    """Return the study of the small network beside colour."""
    options = {"early_stopping": True, "validation_fraction": 0.2, "patience": 4}
    network = PatchCNNClassifier(max_epochs=12, batch_size=32, random_state=0, **options)
    return study(*load(), {NETWORK: network, COLOUR: make_model("colour")})


def study_frozen(memory, load=load_labelled_patients):
    """Return the study of a frozen network beside colour."""
    frozen = make_model("transfer", memory=memory)
    return study(*load(), {FROZEN: frozen, COLOUR: make_model("colour")})


# Pictures: a function each, from a study to a Display, what to read in its place, and a caption.


def _draw_history(study):
    histories = {f"fold {fold + 1}": each for fold, each in study.judged.histories.items()}
    display = plotting.TrainingHistoryDisplay.from_histories(histories)
    alt = "Loss, accuracy and learning rate against epoch: three folds and their mean"
    return display, alt, study.describe("The small network in three folds.")


def _draw_roc(study):
    display = None
    for name, predictions in reversed(study.predictions.items()):
        display = plotting.PatientRocDisplay.from_predictions(
            predictions, name=name, ax=None if display is None else display.axes_, **study.names
        )
    alt = "ROC curves of two models by patch and by patient, with bands over patients"
    model, other = study.predictions
    return display, alt, study.describe(f"{model.capitalize()} and {other}, three folds.")


def _draw_confusion(study):
    display = plotting.PatientConfusionDisplay.from_predictions(study.judged, **study.names)
    alt = "Confusion matrices by patch and by patient, with counts and shares of the true class"
    return display, alt, study.describe("Frozen network, patches out of fold.")


def _draw_scores(study):
    display = plotting.PatientScoreDisplay.from_predictions(study.judged, **study.names)
    alt = "A strip of patients sorted by score, each with the spread of the patches"
    return display, alt, study.describe("Frozen network, patches out of fold.")


def _draw_calibration(study):
    display = plotting.PatientCalibrationDisplay.from_predictions(study.judged, **study.names)
    alt = "Observed share against predicted probability, with intervals over patients"
    return display, alt, study.describe("Small network, patches out of fold.")


def _draw_right(study):
    return _draw_gallery(study, "right", "Drawn at random from the right decisions.")


def _draw_wrong(study):
    return _draw_gallery(study, "wrong", "Drawn at random from the wrong decisions.")


def _draw_sure_wrong(study):
    return _draw_gallery(study, "sure_wrong", "Wrong, and most sure of it; two a patient at most.")


def _draw_gallery(study, show, caption, n_patches=10):
    display = plotting.PatchGalleryDisplay.from_predictions(
        study.patches.data, study.judged, show=show, n_patches=n_patches, n_columns=5, **study.names
    )
    alt = f"{n_patches} patches with label, prediction, score and patient; {show.replace('_', ' ')}"
    return display, alt, study.describe(caption)


def _draw_features(study):
    extractor, arrays = study.model[0], (study.patches.data, study.patches.target)
    display = plotting.FeatureMapDisplay.from_estimator(
        extractor, *arrays, study.patches.groups, **study.names
    )
    alt = "Features of patches on two axes, coloured by label and by patient"
    return display, alt, study.describe("Features of the frozen network.")


def _draw_maps(study, n_patches=6):
    tested, y = study.folds[0][1], study.patches.target
    rows = np.concatenate([tested[y[tested] == label][::7][: n_patches // 2] for label in (0, 1)])
    display = plotting.ActivationMapDisplay.from_estimator(
        study.model, study.patches.data[rows], y[rows], n_columns=2, **study.names
    )
    alt = f"{n_patches} patches, and beside each its map in colours over the patch in grey"
    return display, alt, study.describe("Small network, Grad-CAM on patches of the first fold.")


OF_NETWORK = {
    "history": _draw_history,
    "calibration": _draw_calibration,
    "right": _draw_right,
    "wrong": _draw_wrong,
    "sure_wrong": _draw_sure_wrong,
    "maps": _draw_maps,
}
OF_FROZEN = {
    "roc": _draw_roc,
    "confusion": _draw_confusion,
    "scores": _draw_scores,
    "features": _draw_features,
}
OF_README = {"roc": _draw_roc, "scores": _draw_scores}


# Other than pictures: the summary of the network, the diagram of an estimator, an example report.


def list_layers(architecture="small", input_shape=(50, 50, 3)):
    """Return a row a group of layers of a network: what they are, their output, their weights."""
    groups = []
    for layer in build_network(architecture, input_shape, 2).layers:
        if type(layer).__name__ in STARTS or layer.name == "standardise" or not groups:
            groups.append([])
        groups[-1].append(layer)
    return [
        (
            ", ".join(_name_layer(layer) for layer in group),
            " x ".join(str(side) for side in group[-1].output.shape[1:]),
            f"{sum(layer.count_params() for layer in group):,}",
        )
        for group in groups
    ]


def _name_layer(layer):
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    name = type(layer).__name__.removesuffix("Layer").removesuffix("2D")
    return f"{name} {size[0]} x {size[1]}" if size else name


def write_layers(folder):
    """Write the summary of the small network as a table."""
    rows = list_layers()
    total = sum(int(count.replace(",", "")) for *_, count in rows)
    rows.append(("all", "", f"{total:,}"))
    table = list_table(("layers", "output", "parameters"), rows)
    (folder / "layers.rst").write_text(table, encoding="utf-8")


def write_diagram(folder):
    """Write what a notebook shows of an estimator."""
    (folder / "estimator.html").write_text(make_model("transfer")._repr_html_(), encoding="utf-8")


def write_example_report(folder, study):
    """Write the report of a study, which the documentation links to."""
    folder.mkdir()
    arrays = study.patches.data, study.patches.target
    write_report(
        folder / "example_report.html",
        study.predictions,
        study.patches.data,
        model=clone(study.model).fit(*arrays),
        fitted_to_all=True,
        source=study.about,
        protocol="Three folds; patients stay whole.",
        audit=audit_patches(*arrays, study.patches.groups, split=study.folds, **study.names),
        threshold=0.5,
        **study.names,
    )


# Writing: everything, or what the README shows.


def draw(figures, study, folder, *, as_figures=True):
    """Write pictures of a study as PNG, and for Sphinx each as a figure with its caption."""
    import matplotlib.pyplot as plt

    for name, make in figures.items():
        display, alt, caption = make(study)
        path = folder / f"{name}.png"
        display.figure_.savefig(path, dpi=DPI, metadata={"Software": None})
        width = min(WIDEST, round(display.figure_.get_figwidth() * CSS_PIXELS))
        plt.close(display.figure_)
        if as_figures:
            lines = [f".. figure:: /_build/pictures/{path.name}", f"   :alt: {alt}"]
            lines += [f"   :width: {width}px", "", f"   {caption}", ""]
            (folder / f"{name}.rst").write_text("\n".join(lines), encoding="utf-8")


def digest():
    """Return what makes pictures look other: the code that draws, the version, which data exist.

    Not the models; after a change to those, delete ``docs/_build/pictures``.
    """
    package = Path(skbreast.__file__).parent
    sources = [path for part in PARTS for path in sorted((package / part).rglob("*.*"))]
    sources = [path for path in sources if path.suffix in (".py", ".j2", ".css", ".js")]
    text = b"".join(path.read_bytes() for path in [Path(__file__), *sources])
    real = [str((data_root() / name).is_dir()) for name in (IDC, BREAKHIS)]
    return hashlib.sha256(text + "".join([skbreast.__version__, *real]).encode()).hexdigest()


def write_all(folder):
    """Write all pictures, with their captions, into a folder, unless it holds them already.

    Parameters
    ----------
    folder : path-like
        Emptied where something has changed; about two minutes on two cores.

    Raises
    ------
    ImportError
        If matplotlib or Jinja2 is missing.
    """
    folder, current = Path(folder), digest()
    stamp = folder / "digest.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == current:
        return
    use_files_only()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_layers(folder)
    write_diagram(folder)
    draw(OF_NETWORK, study_network(), folder)
    with TemporaryDirectory() as memory:
        frozen = study_frozen(memory)
        draw(OF_FROZEN, frozen, folder)
        write_example_report(folder / "extra", frozen)
    stamp.write_text(current, encoding="utf-8")


def write_readme_pictures(folder=FOR_README):
    """Write the pictures of the README, from invented patches."""
    use_files_only()
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as memory:
        draw(OF_README, study_frozen(memory, load=invent), folder, as_figures=False)


def use_files_only():
    """Let matplotlib draw into files, or say how to get it."""
    import_optional("matplotlib", extra="docs", purpose="Drawing for the documentation").use("agg")


if __name__ == "__main__":
    write_readme_pictures()
