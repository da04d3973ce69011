"""Train into a folder, and evaluate from it on patients that took no part."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skbreast import evaluation
from skbreast._digests import digest_estimator
from skbreast._files import check_writable, written_together
from skbreast._fingerprints import digest_text
from skbreast._fold_store import describe_folds
from skbreast._html import block, table
from skbreast._progress import progress_bar
from skbreast._training_record import (
    TRAINING_FILE,
    find_known,
    fingerprint_pictures,
    make_training_record,
    patients_of,
    read_training,
)
from skbreast.model_card import write_model_card
from skbreast.model_selection import patient_train_test_split
from skbreast.persistence import load, save
from skbreast.persistence._parameters import PLACES
from skbreast.persistence._save import check_savable
from skbreast.results import results_table, write_json, write_results

__all__ = ["RunResult", "evaluate_folder", "open_model", "train_into"]

MODEL_FILE = "model.skops"
BASELINES_FILE = "baselines.skops"
CARD_FILE = "model_card.md"
FIGURES_OF_COPIES = (
    "The figures are those of copies that were trained within the folds. The saved model has seen "
    "all their patients, so for itself there is no figure yet."
)


@dataclass(frozen=True)
class RunResult:
    """What :func:`train_into` or :func:`evaluate_folder` found.

    Attributes
    ----------
    figures : dict of str to dict of str to BootstrapInterval
        Figures by model, baselines first.
    predictions : dict of str to Predictions
        What the models said of each tested patch, a row of `X`.
    X : ndarray of shape (n_patches, ...)
        Patches or references that were judged.
    groups : ndarray of shape (n_patches,) of str, or None
        Their patients.
    target_names : list of str
        Names of the classes.
    chosen : str
        The model that is saved.
    model : estimator
        It, fitted: by :func:`train_into` to all of `X`, in :func:`evaluate_folder` to none of it.
    protocol : str
        How the figures were obtained, a sentence.
    counts : dict of str to int
        Of :func:`evaluate_folder`: "patches", "patients", and how many of each were left out:
        "known_patches", "known_patients".
    """

    figures: dict
    predictions: dict
    X: np.ndarray
    groups: np.ndarray | None
    target_names: list
    chosen: str
    model: object
    protocol: str
    counts: dict = field(default_factory=dict)

    def _repr_html_(self):
        header, *rows = results_table(self.figures)
        return block(self.protocol, table(header, rows, caption=f"Saved: {self.chosen}"))


def train_into(
    folder,
    bunch,
    models,
    *,
    n_splits=5,
    holdout=0.0,
    checkpoint=None,
    n_resamples=1000,
    random_state=0,
    show=False,
):
    """Cross-validate models beside the baselines, fit the first of them to all, and save it.

    Parameters
    ----------
    folder : path-like
        Where ``model.skops``, ``baselines.skops``, ``training.json``, ``results.json``,
        ``results.md``, ``model_card.md`` and ``model_card.json`` go.
    bunch : Bunch
        From a loader.
    models : dict of str to estimator
        Unfitted; the first is the one that is saved.
    n_splits : int, default=5
        Folds; whole patients where there are patient ids.
    holdout : float, default=0.0
        Share of the patients that take no part, for :func:`evaluate_folder` later.
    checkpoint : path-like, optional
        Folder in which is kept what ended folds gave, so that the same call goes on after a kill;
        it is emptied of that at the end. Networks keep their epochs where their own `checkpoint`
        says.
    n_resamples : int, default=1000
        Bootstrap resamples.
    random_state : int, default=0
        Seed of folds, hold-out and resampling.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    RunResult
        Figures, predictions and the fitted model.

    Raises
    ------
    ValueError
        If a model bears the name of a baseline, or the first could not be saved once fitted.
    OSError
        If the folder cannot be written into.
    """
    baselines = evaluation.make_baselines()
    if taken := models.keys() & baselines.keys():
        raise ValueError(f"models: {sorted(taken)[0]!r} is the name of a baseline; take another.")
    folder = Path(folder)
    check_writable(folder)  # before hours go into results
    check_savable(next(iter(models.values())), folder / "model.skops")
    present, y = np.unique(bunch.target, return_inverse=True)
    X, pictures, groups = bunch.data, fingerprint_pictures(bunch.data, show), patients_of(bunch)
    if holdout:
        units = pictures if groups is None else groups
        rows, _ = patient_train_test_split(
            np.arange(len(y)),
            groups=units,
            test_size=holdout,
            stratify=y,
            random_state=random_state,
        )
        X, y, pictures = X[rows], y[rows], pictures[rows]
        groups = None if groups is None else groups[rows]
    chosen = next(iter(models))
    classes = [str(name) for name in bunch.target_names[present]]
    folds = evaluation.make_folds(X, y, groups, n_splits=n_splits, random_state=random_state)
    # The baselines come last, so that what a model lacks, its weights for one, shows at once.
    in_turn = {**models, **baselines}
    kept = _kept_folds(checkpoint, X, y, groups, folds, models=in_turn)
    predictions = evaluation.cross_validate_models(
        in_turn, X, y, groups, folds=folds, checkpoint=kept, show=show
    )
    models = {**baselines, **models}
    predictions = {name: predictions[name] for name in models}
    figures = _summaries(predictions, n_resamples, random_state, show)
    protocol = _protocol(groups, len(y), n_splits)
    fitted = {
        name: _for_others(model) for name, model in _fit_to_all(models, X, y, groups, show).items()
    }
    model = fitted.pop(chosen)
    # Without its record the folder is no model: no old list of patients may meet a new model.
    with written_together(folder, last=TRAINING_FILE) as new:
        write_results(new, figures, note=protocol)
        save(model, new / MODEL_FILE)
        save(fitted, new / BASELINES_FILE)
        record = make_training_record(classes, pictures, groups, chosen, random_state)
        write_json(new / TRAINING_FILE, record)
        write_model_card(
            new / CARD_FILE,
            model,
            predictions,
            figures=figures,
            chosen=chosen,
            model_path=new / MODEL_FILE,
            source=_source_of(bunch),
            protocol=protocol,
            target_names=classes,
            limits=[FIGURES_OF_COPIES],
        )
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)  # by now nobody needs it
    return RunResult(figures, predictions, X, groups, classes, chosen, model, protocol)


def _kept_folds(checkpoint, *what, models):
    """Return the folder for the folds of one training, of which there may be many in one place."""
    if checkpoint is None:
        return None
    parts = [*describe_folds(*what).values(), *map(digest_estimator, models.values())]
    return Path(checkpoint).expanduser() / f"folds-{digest_text(' '.join(parts))[:16]}"


def _source_of(bunch):
    """Say which data set this is: its kind, and the title of its description."""
    title = str(bunch.get("DESCR") or "").strip().partition("\n")[0]
    return ": ".join(each for each in (str(bunch.get("kind") or ""), title) if each)


def _fit_to_all(models, X, y, groups, show):
    """Fit the baselines and the first model after them, which is the one to keep."""
    kept = list(models)[: len(evaluation.make_baselines()) + 1]
    with progress_bar("Fitting to all", len(kept), show=show) as advance:
        fitted = {}
        for name in kept:
            advance(0, note=name)
            fitted[name] = evaluation.fit_copy(models[name], X, y, groups)
            advance()
    return fitted


def _for_others(model):
    """Let a saved model show no progress and name no folder, whatever its training did."""
    changed = {}
    for name, value in model.get_params().items():
        last = name.rpartition("__")[2]
        if last == "verbose":
            changed[name] = type(value)(0)
        elif last in PLACES:
            changed[name] = None
    return model.set_params(**changed)


def evaluate_folder(folder, bunch, *, n_resamples=1000, random_state=0, show=False):
    """Evaluate a saved model and its baselines on patients that it was not trained on.

    Parameters
    ----------
    folder : path-like
        From :func:`train_into`.
    bunch : Bunch
        From a loader. Patients that the model was trained on are left out.
    n_resamples : int, default=1000
        Bootstrap resamples.
    random_state : int, default=0
        Seed of the resampling.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    RunResult
        Figures, predictions, the model, and how many patches were left out.

    Raises
    ------
    ValueError
        If fewer than two patients are left, or there are classes that the training did not have.
    """
    folder = Path(folder)
    record = read_training(folder)
    y = _class_numbers(bunch, record["classes"], folder)
    pictures, groups = fingerprint_pictures(bunch.data, show), patients_of(bunch)
    known = find_known(pictures, groups, record)
    units = pictures if groups is None else groups
    counts = {
        "patches": int((~known).sum()),
        "patients": len(np.unique(units[~known])),
        "known_patches": int(known.sum()),
        "known_patients": len(np.unique(units[known])),
    }
    if counts["patients"] < 2:
        what = "patches" if groups is None else "patients"
        raise ValueError(
            f"{counts['known_patients']} {what} of the data were in the training of {folder}, "
            f"which leaves {counts['patients']}; an honest figure takes at least two. Train with a "
            f"larger --holdout, or give other {what}."
        )
    X, y = bunch.data[~known], y[~known]
    groups = None if groups is None else groups[~known]
    models = {**load(folder / BASELINES_FILE), record["model"]: load(folder / MODEL_FILE)}
    predictions = {}
    with progress_bar("Predicting", len(models), show=show) as advance:
        for name, model in models.items():
            advance(0, note=name)
            predictions[name] = evaluation.predict_patches(model, X, y, groups)
            advance()
    figures = _summaries(predictions, n_resamples, random_state, show)
    protocol = _protocol_of_test(groups, counts)
    chosen = record["model"]
    return RunResult(
        figures, predictions, X, groups, record["classes"], chosen, models[chosen], protocol, counts
    )


def _class_numbers(bunch, classes, folder):
    """Return the labels of a data set by the numbers of the model, which knows classes by name."""
    names = bunch.target_names[bunch.target].astype(str)
    unknown = np.setdiff1d(names, classes)
    if len(unknown):
        raise ValueError(
            f"{folder} was trained on the classes {classes}; the data have others: "
            f"{unknown.tolist()}."
        )
    return np.array([classes.index(name) for name in names])


def open_model(folder):
    """Open the model that :func:`train_into` saved.

    Parameters
    ----------
    folder : path-like
        The folder.

    Returns
    -------
    model : estimator
        Fitted.
    classes : list of str
        Names of its classes, in the order of the columns of `predict_proba`.

    Raises
    ------
    ValueError
        If the folder holds no model, or a damaged one.
    """
    folder = Path(folder)
    record = read_training(folder)
    return load(folder / MODEL_FILE), record["classes"]


def _summaries(predictions, n_resamples, random_state, show):
    results = {}
    with progress_bar("Intervals", len(predictions), show=show) as advance:
        for name, each in predictions.items():
            results[name] = evaluation.summarise(
                each, n_resamples=n_resamples, random_state=random_state
            )
            advance(note=name)
    return results


def _protocol(groups, n_patches, n_splits):
    unit = "patches" if groups is None else "patients"
    who = "" if groups is None else f"{len(np.unique(groups))} patients, "
    note = "" if groups is not None else " There are no patient ids: figures may be inflated."
    return (
        f"{n_splits}-fold cross-validation by {unit}: {who}{n_patches} patches; means over folds, "
        f"95 % bootstrap intervals over {unit}.{note}"
    )


def _protocol_of_test(groups, counts):
    unit = "patches" if groups is None else "patients"
    who = "" if groups is None else f" of {counts['patients']} patients"
    return (
        f"A saved model, judged on {counts['patches']} patches{who} that it was not trained on; "
        f"{counts['known_patches']} others, {counts['known_patients']} {unit}, were left out since "
        f"it was trained on them; 95 % bootstrap intervals over {unit}."
    )
