"""`write_report`: what was found about a model, as one page."""

from skbreast._validation import check_number
from skbreast.report._arguments import check_audit, check_model, check_path, check_study
from skbreast.report._blocks import Section
from skbreast.report._curves import curves_section, decisions_section, training_section
from skbreast.report._data import data_section
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
    pos_label=None,
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
        From :func:`skbreast.evaluation.summarise`, by model; computed where they are missing, and
        anew where `pos_label` is not the greater label, of which they are.
    chosen : str, optional
        The model that the page is about; by default the first that is no baseline.
    model : estimator or str, optional
        It, fitted, to draw what it looks at; or a sentence that says why there is none.
    fitted_to_all : bool, default=False
        Whether `model` was fitted to these patches, which the page then says.
    audit : AuditReport or str, optional
        From :func:`skbreast.model_selection.audit_patches`; or a sentence that says why there is
        none.
    target_names : sequence of str, optional
        Names of the classes, in the order of the sorted labels.
    pos_label : int or str, optional
        Which of two labels is the positive class, throughout the page; the greater one by default.
        Labels are the `classes` of the predictions or, where these have none, 0 and 1.
    title : str, optional
        Of the page; by default the name of the model and "report".
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
        If an argument is not as documented, predictions are of different patches, or the page were
        larger than 5 MB even with few and small pictures of patches.

    Notes
    -----
    A page of more than 5 MB, which many a mail server refuses, is written with smaller pictures of
    patches and, where that is not enough, with fewer patches; it then says so.

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
    check_path(path)
    check_number(n_shown, name="n_shown", low=1, high=100, integer=True)
    if threshold is not None:
        check_number(threshold, name="threshold", low=0, high=1)
    check_audit(audit)
    resampling = {"n_resamples": n_resamples, "random_state": random_state}
    texts = {"source": source, "about": about, "protocol": protocol}
    study = check_study(
        predictions, X, figures, chosen, target_names, texts, resampling, threshold, pos_label
    )
    check_model(model, len(study.target_names))
    sections = [
        results_section(study, **resampling),
        data_section(study, audit),
        training_section(study),
        curves_section(study, **resampling),
        decisions_section(study),
        *_of_patches(study, model, fitted_to_all, n_shown, random_state),
        patients_section(study) if study.has_patients else None,
        reproduce_section(study, command=command, random_state=random_state, model=model),
        limits_section(study, command=command),
    ]
    return write_page(
        path,
        title=title or f"{study.chosen}: report",
        lead=_lead(study),
        notice=RESEARCH_ONLY,
        cards=headline_cards(study),
        sections=[each for each in sections if isinstance(each, Section)],
        footer=RESEARCH_ONLY,
    )


def _of_patches(study, model, fitted_to_all, n_shown, random_state):
    options = {"n_shown": n_shown, "random_state": random_state}
    return [
        None if study.X is None else gallery_section(study, **options),
        maps_section(study, model, fitted_to_all=fitted_to_all, **options),
    ]


def _lead(study):
    names = study.target_names
    classes = f"{names[1]} or {names[0]}?" if study.is_binary else f"{len(names)} classes."
    judged = f"The model {study.chosen}, judged on {len(study.first.y_true):,} patches"
    whose = f" of {study.n_units:,} patients" if study.has_patients else ", patients unknown"
    where = f" {study.source.rstrip('.')}." if study.source else ""
    return f"{classes[:1].upper()}{classes[1:]} {judged}{whose}.{where}"
