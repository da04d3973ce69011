"""The part of a report that says whose patches these are."""

import numpy as np

from skbreast._patients import by_patient
from skbreast.report._blocks import Html, Section, Table, Text

__all__ = ["data_section"]

WITHOUT_SPLIT = "The audit looked at these patches among themselves, at no split."


def data_section(judged, audit):
    """Return the data card: source, patches and patients by class, and what the audit found.

    Parameters
    ----------
    judged : skbreast.report._judged.Judged
        What was judged.
    audit : AuditReport or None
        Of the same patches.
    """
    blocks = [Text(line) for line in _source(judged)]
    blocks += [Table(("class", "patches", "share", "patients"), _balance(judged), "By class.")]
    blocks += [_patients(judged)]
    if audit is not None:
        if not audit.n_folds:
            blocks.append(Text(WITHOUT_SPLIT))
        blocks.append(Html(audit.to_html(heading_level=3)))
    return Section("Data", "data", blocks)


def _source(judged):
    lines = [f"Source: {judged.source}."] if judged.source else []
    if judged.about:
        lines.append(judged.about)
    return lines


def _balance(judged):
    y, groups = judged.first.y_true, judged.first.groups
    rows = []
    for number, name in enumerate(judged.target_names):
        of_class = y == number
        n_patients = len(np.unique(groups[of_class])) if judged.has_patients else "unknown"
        rows.append([name, f"{of_class.sum():,}", f"{of_class.mean():.1%}", _count(n_patients)])
    total = len(np.unique(groups)) if judged.has_patients else "unknown"
    return [*rows, ["all", f"{len(y):,}", "100%", _count(total)]]


def _count(number):
    return number if isinstance(number, str) else f"{number:,}"


def _patients(judged):
    if not judged.has_patients:
        return Text(
            "There are no patient ids: patches of one patient may have been trained on and tested "
            "on. Figures may be inflated, and intervals too narrow.",
            tone="warning",
        )
    counts = by_patient(judged.first.groups, n_samples=len(judged.first.groups)).counts
    return Text(
        f"Patches a patient: least {counts.min():,}, median {np.median(counts):,g}, most "
        f"{counts.max():,}."
    )
