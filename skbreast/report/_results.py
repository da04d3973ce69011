"""The parts of a report that say how good the models are, and how sure that is."""

from skbreast._differences import compare_predictions
from skbreast.report._blocks import Section, Table, Text
from skbreast.results import FIGURE_TITLES, RARE, RARE_LEGEND, results_table

__all__ = ["WITHOUT_PATIENTS", "headline_cards", "results_section"]

FEW_PATIENTS = 10
ABOUT_FIGURES = {
    "balanced_accuracy": "mean over classes of the share of patches that is recognised",
    "accuracy": "share of patches that is right",
    "patient_recognition_rate": "share of a patient's patches that is right, mean over patients",
    "patient_auc": "the same as AUC, of patients by their mean score, within a fold",
}
ABOUT_MODELS = {
    "dummy": "dummy answers with the shares of the classes, whatever the patch shows",
    "colour": "colour knows mean and deviation of a patch's colours, and no shape",
}
WITHOUT_PATIENTS = (
    "There are no patient ids: patches of one patient may have been trained on and tested on. "
    "Figures may be inflated, and intervals, which are over patches here, too narrow."
)
NO_INTERVAL = "—"


def headline_cards(study):
    """Return the figures of the chosen model as cards: title, figure, interval, what to beat."""
    cards = []
    for name, figure in _in_order(study.figures[study.chosen]).items():
        others = study.figures.get(study.reference, {})
        interval = f"95 % interval {figure.low:.3f} to {figure.high:.3f}"
        cards.append(
            {
                "title": FIGURE_TITLES[name],
                "figure": f"{figure.estimate:.3f}",
                "about": "" if name == "f1" and _is_silent(study, study.chosen) else interval,
                "beside": _beside(study.reference, others.get(name)),
            }
        )
    return cards


def _beside(reference, figure):
    if figure is None:
        return ""
    return f"{'colour alone' if reference == 'colour' else reference}: {figure.estimate:.3f}"


def _in_order(figures):
    return {name: figures[name] for name in FIGURE_TITLES if name in figures}


def _is_silent(study, model):
    """Tell whether a model calls no patch positive: its F1 is then 0 whoever is tested."""
    return study.is_binary and not (study.predictions[model].y_pred == 1).any()


def results_section(study, *, n_resamples, random_state):
    """Return the table of figures, and that of differences to what has to be beaten."""
    blocks = [Text(study.protocol)] if study.protocol else []
    if not study.has_patients:
        blocks.append(Text(WITHOUT_PATIENTS, tone="warning"))
    elif study.n_units < FEW_PATIENTS:
        few = f"Only {study.n_units} patients: the intervals are rough guesses."
        blocks.append(Text(few, tone="warning"))
    blocks += _figures(study)
    reference = study.reference
    if reference is not None:
        blocks += _differences(study, reference, n_resamples, random_state)
    return Section("Results", "results", blocks)


def _figures(study):
    header, *rows = results_table(study.figures)
    caption = f"Figures with 95 % bootstrap intervals over {study.units} in brackets."
    silent = [name for name in study.predictions if _is_silent(study, name)]
    rows = [
        [name, *(_in_lines(cell) for cell in _without_f1_interval(header, cells, name in silent))]
        for name, *cells in rows
    ]
    blocks = [Table(header, rows, caption, _count_models(rows))]
    blocks += [Text(RARE_LEGEND)] if any(RARE in cell for row in rows for cell in row) else []
    if silent and FIGURE_TITLES["f1"] in header:
        calls = "calls" if len(silent) == 1 else "call"
        blocks.append(
            Text(
                f"{' and '.join(silent)} {calls} no patch {study.target_names[1]}: F1 is then 0 "
                "whoever is tested, and has no interval."
            )
        )
    names = {name for each in study.figures.values() for name in each}
    blocks.append(Text(_sentences(_meanings(study, _in_order(dict.fromkeys(names))))))
    models = [ABOUT_MODELS[name] for name in ABOUT_MODELS if name in study.predictions]
    return blocks + ([Text(f"{'; '.join(models)}: what has to be beaten.")] if models else [])


def _without_f1_interval(header, cells, is_silent):
    """Replace the interval of an F1 that is 0 by definition; the figure itself stays."""
    for title, cell in zip(header[1:], cells, strict=True):
        estimate, bracket, _ = cell.partition(" [")
        dropped = is_silent and bracket and title == FIGURE_TITLES["f1"]
        yield f"{estimate}\n{NO_INTERVAL}" if dropped else cell


def _meanings(study, names):
    if study.is_binary:
        negative, positive = study.target_names
        about = {
            "auc": f"chance that a patch of {positive} has a higher score than one of {negative}",
            "f1": f"harmonic mean of precision and recall of the patches of {positive}",
        }
    else:
        about = {
            "auc": "chance that a patch of a class has a higher score for it than one of another, "
            "mean over classes",
            "f1": "harmonic mean of precision and recall, mean over classes",
        }
    return [f"{FIGURE_TITLES[name]}: {(about | ABOUT_FIGURES)[name]}" for name in names]


def _sentences(texts):
    return " ".join(f"{each[:1].upper()}{each[1:]}." for each in texts)


def _count_models(rows):
    return f"{len(rows)} {'model' if len(rows) == 1 else 'models'}"


def _differences(study, reference, n_resamples, random_state):
    found = {
        name: compare_predictions(
            each, study.predictions[reference], n_resamples=n_resamples, random_state=random_state
        )
        for name, each in study.predictions.items()
        if name != reference
    }
    names = [name for name in FIGURE_TITLES if any(name in each for each in found.values())]
    header = ["model", *(FIGURE_TITLES[name] for name in names)]
    rows = [
        [model, *(_difference(figures.get(name)) for name in names)]
        for model, figures in found.items()
    ]
    caption = (
        f"Differences to {reference} on the same patches, with 95 % bootstrap intervals over "
        f"{study.units}; p of permutation tests, which hold their level where {study.units} are "
        "few and may then disagree with the interval, not corrected for their number."
    )
    return [Table(header, rows, caption, _count_models(rows))]


def _difference(found):
    if found is None:
        return "—"
    interval = f"[{found.low:+.3f}, {found.high:+.3f}]"
    return f"{found.difference:+.3f}\n{interval}\np = {found.p_value:.2g}"


def _in_lines(cell):
    """Put an interval below its figure, so that tables fit a telephone."""
    return cell.replace(" [", "\n[", 1)
