"""The part of a report that says whose patches these are."""

import numpy as np

from skbreast._patients import by_patient
from skbreast.report._blocks import Html, Section, Table, Text
from skbreast.report._results import WITHOUT_PATIENTS

__all__ = ["data_section"]

WITHOUT_SPLIT = "The audit looked at these patches among themselves, at no split."


def data_section(study, audit):
    """Return the data card: source, patches and patients by class, and what the audit found.

    Parameters
    ----------
    study : skbreast.report._study.Study
        What was judged.
    audit : AuditReport, str or None
        Of the same patches; or a sentence that says why there is none.
    """
    blocks = [Text(line) for line in _source(study)]
    header, count = ("class", "patches", "share", "patients"), f"{len(study.target_names)} classes"
    blocks += [
        Table(header, _balance(study), "Patches judged here, by class.", count),
        _patients(study),
    ]
    return Section("Data", "data", blocks + _audit(audit))


def _audit(audit):
    if audit is None:
        return []
    if isinstance(audit, str):
        return [Text(audit, tone="warning")]
    among = [] if audit.n_folds else [Text(WITHOUT_SPLIT)]
    return [*among, Html(audit.to_html(heading_level=3))]


def _source(study):
    lines = [f"Source: {study.source.rstrip('.')}."] if study.source else []
    if study.about:
        lines.append(study.about)
    return lines


def _balance(study):
    y, groups = study.first.y_true, study.first.groups
    rows = []
    for number, name in enumerate(study.target_names):
        of_class = y == number
        n_patients = len(np.unique(groups[of_class])) if study.has_patients else "unknown"
        rows.append([name, f"{of_class.sum():,}", f"{of_class.mean():.1%}", _count(n_patients)])
    total = len(np.unique(groups)) if study.has_patients else "unknown"
    return [*rows, ["all", f"{len(y):,}", "100%", _count(total)]]


def _count(number):
    return number if isinstance(number, str) else f"{number:,}"


def _patients(study):
    if not study.has_patients:
        return Text(WITHOUT_PATIENTS, tone="warning")
    counts = by_patient(study.first.groups, n_samples=len(study.first.groups)).counts
    return Text(
        f"Patches a patient: least {counts.min():,}, median {np.median(counts):,g}, most "
        f"{counts.max():,}."
    )
