"""`write_report`: what was found about a model, as one page."""

from skbreast._validation import check_number
from skbreast.report._blocks import Section
from skbreast.report._curves import curves_section, decisions_section, training_section
from skbreast.report._data import data_section
from skbreast.report._judged import check_judged
from skbreast.report._page import write_page
from skbreast.report._patches import gallery_section, maps_section
from skbreast.report._patients_table import patients_section
from skbreast.report._reproduce import RESEARCH_ONLY, limits_section, reproduce_section
from skbreast.report._results import headline_cards, results_section

__all__ = ["write_report"]


def write_report(
    path,
    predictions,
    X=None,
    *,
    figures=None,
    chosen=None,
    model=None,
    fitted_to_all=False,
    audit=None,
    target_names=None,
    title=None,
    source="",
    about="",
    protocol="",
    threshold=None,
    command="",
    n_shown=12,
    n_resamples=1000,
    random_state=0,
):
    """Write one self-contained HTML page about a model and what it has to beat.

    The page loads nothing from anywhere and forbids it, so that it can be kept, sent and opened
    without a network. It can be read on a telephone and printed.

    Parameters
    ----------
    path : str or path-like
        The file to be, such as ``"report.html"``; written whole or not at all.
    predictions : Predictions or dict of str to Predictions
        Of one model, or of several for the same patches, by name: from
        :func:`skbreast.evaluation.cross_validate_patients` or `cross_validate_models`. A model
        named "colour" or "dummy" is what the others are compared with.
    X : array-like of n_patches, optional
        The patches or references that were judged, which `rows` of the predictions count; of
        references only those shown are read. Without it the page has no patches.
    figures : dict of str to dict of str to BootstrapInterval, optional
        From :func:`skbreast.evaluation.summarise`, by model; computed where they are missing.
    chosen : str, optional
        The model that the page is about; by default the first that is no baseline.
    model : estimator, optional
        It, fitted, to draw what it looks at.
    fitted_to_all : bool, default=False
        Whether `model` was fitted to these patches, which the page then says.
    audit : AuditReport, optional
        From :func:`skbreast.model_selection.audit_patches`.
    target_names : sequence of str, optional
        Names of the classes.
    title : str, optional
        Of the page.
    source, about, protocol : str, optional
        Where the patches are from, what they are, and how they were split: sentences.
    threshold : float, optional
        Score of the positive one of two classes from which to decide for it, 0…1. By default
        decisions are the model's own, and 0.5 is marked if that is where they part.
    command : str, optional
        What to type to get the same again.
    n_shown : int, default=12
        Patches of each kind.
    n_resamples : int, default=1000
        Bootstrap resamples of patients.
    random_state : int, default=0
        Seed of the resampling and of what is drawn to be shown.

    Returns
    -------
    pathlib.Path
        Where the page is.

    Raises
    ------
    ImportError
        If Jinja2 or matplotlib is not installed.
    ValueError
        If the predictions are of different patches, names don't fit, or the page were larger than
        5 MB.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_models, make_baselines, make_folds
    >>> from skbreast.report import write_report
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> X, y, groups = patches.data, patches.target, patches.groups
    >>> folds = make_folds(X, y, groups, n_splits=2)
    >>> predictions = cross_validate_models(make_baselines(), X, y, groups, folds=folds)
    >>> path = write_report(
    ...     f"{mkdtemp()}/report.html", predictions, X, chosen="colour", n_resamples=50,
    ...     target_names=patches.target_names,
    ... )
    >>> path.read_text(encoding="utf-8").startswith("<!doctype html>")
    True
    """
    resampling = {"n_resamples": n_resamples, "random_state": random_state}
    texts = {"source": source, "about": about, "protocol": protocol}
    check_number(n_shown, name="n_shown", low=1, high=100, integer=True)
    if threshold is not None:
        check_number(threshold, name="threshold", low=0, high=1)
    judged = check_judged(
        predictions, X, figures, chosen, target_names, texts, resampling, threshold
    )
    sections = [
        results_section(judged, **resampling),
        data_section(judged, audit),
        training_section(judged),
        curves_section(judged, **resampling),
        decisions_section(judged),
        *_of_patches(judged, model, fitted_to_all, n_shown, random_state),
        patients_section(judged) if judged.has_patients else None,
        reproduce_section(judged, command=command, random_state=random_state),
        limits_section(judged),
    ]
    return write_page(
        path,
        title=title or f"{judged.chosen}: report",
        lead=_lead(judged),
        cards=headline_cards(judged.figures[judged.chosen]),
        sections=[each for each in sections if isinstance(each, Section)],
        footer=RESEARCH_ONLY,
    )


def _of_patches(judged, model, fitted_to_all, n_shown, random_state):
    if judged.X is None:
        return []
    options = {"n_shown": n_shown, "random_state": random_state}
    return [
        gallery_section(judged, **options),
        maps_section(judged, model, fitted_to_all=fitted_to_all, **options),
    ]


def _lead(judged):
    n_patients = len(set(judged.first.groups.tolist()))
    whose = f" of {n_patients:,} patients" if judged.has_patients else ""
    where = f" ({judged.source})" if judged.source else ""
    return f"{judged.chosen}, judged on {len(judged.first.y_true):,} patches{whose}{where}"
