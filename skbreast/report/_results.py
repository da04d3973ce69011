"""The parts of a report that say how good the models are, and how sure that is."""

from skbreast._differences import compare_predictions
from skbreast.report._blocks import Section, Table, Text
from skbreast.results import FIGURE_TITLES, RARE, RARE_LEGEND, results_table

__all__ = ["ABOUT_FIGURES", "headline_cards", "results_section"]

FEW_PATIENTS = 10
ABOUT_FIGURES = {
    "auc": "chance that a patch of the class has a higher score than one without",
    "balanced_accuracy": "mean over classes of the share of patches that is recognised",
    "f1": "harmonic mean of precision and recall of the patches",
    "accuracy": "share of patches that is right",
    "patient_recognition_rate": "share of a patient's patches that is right, mean over patients",
    "patient_auc": "the same as AUC, of patients by their mean score, within a fold",
}


def headline_cards(figures):
    """Return the figures of a model as cards: a title, the estimate, and its interval."""
    return [
        {
            "title": FIGURE_TITLES[name],
            "figure": f"{figures[name].estimate:.3f}",
            "about": f"{figures[name].low:.3f} to {figures[name].high:.3f} (95 %)",
        }
        for name in FIGURE_TITLES
        if name in figures
    ]


def results_section(judged, *, n_resamples, random_state):
    """Return the table of figures, and that of differences to what has to be beaten."""
    header, *rows = results_table(judged.figures)
    caption = "Figures with 95 % bootstrap intervals over patients in brackets."
    blocks = [Text(judged.protocol)] if judged.protocol else []
    blocks.append(Table(header, [[name, *map(_in_lines, cells)] for name, *cells in rows], caption))
    blocks += [Text(RARE_LEGEND)] if any(RARE in cell for row in rows for cell in row) else []
    names = {name for each in judged.figures.values() for name in each}
    meanings = [f"{FIGURE_TITLES[n]}: {ABOUT_FIGURES[n]}" for n in FIGURE_TITLES if n in names]
    blocks.append(Text(". ".join(f"{each[0].upper()}{each[1:]}" for each in meanings) + "."))
    n_patients = len(set(judged.first.groups.tolist()))
    if n_patients < FEW_PATIENTS:
        few = f"Only {n_patients} patients: the intervals are rough guesses."
        blocks.append(Text(few, tone="warning"))
    reference = judged.reference
    if reference is not None:
        blocks += _differences(judged, reference, n_resamples, random_state)
    return Section("Results", "results", blocks)


def _differences(judged, reference, n_resamples, random_state):
    found = {
        name: compare_predictions(
            each, judged.predictions[reference], n_resamples=n_resamples, random_state=random_state
        )
        for name, each in judged.predictions.items()
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
        "patients; p of permutation tests, which hold their level where patients are few and may "
        "then disagree with the interval, not corrected for their number."
    )
    return [Table(header, rows, caption)]


def _difference(found):
    if found is None:
        return "—"
    interval = f"[{found.low:+.3f}, {found.high:+.3f}]"
    return f"{found.difference:+.3f}\n{interval}\np = {found.p_value:.2g}"


def _in_lines(cell):
    """Put an interval below its figure, so that tables fit a telephone."""
    return cell.replace(" [", "\n[", 1)
