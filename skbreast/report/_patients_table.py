"""The part of a report in which every patient has a row."""

import numpy as np

from skbreast._patients import by_patient
from skbreast.metrics import patient_scores
from skbreast.report._blocks import Cell, Section, Table, Text

__all__ = ["patients_section"]

MAX_ROWS = 2000


def patients_section(study):
    """Return a table of the patients that a reader may sort, the worst recognised first."""
    found = study.first
    patients = by_patient(found.groups, n_samples=len(found.groups))
    right = found.y_true == found.y_pred
    shares = np.add.reduceat(right[patients.order], patients.starts) / patients.counts
    order = np.lexsort((patients.ids.astype(str), shares))[:MAX_ROWS]
    header, columns = _columns(study, patients)
    rows = [
        [
            str(patients.ids[row]),
            Cell(f"{patients.counts[row]:,}", int(patients.counts[row])),
            *(column(row) for column in columns),
            Cell(f"{shares[row]:.0%}", round(float(shares[row]), 6)),
        ]
        for row in order
    ]
    caption = f"What {study.chosen} said of each patient; press a heading to sort by it."
    n_more = len(patients.ids) - len(order)
    count = f"{len(order):,} of {len(patients.ids):,} patients" if n_more else _count(len(order))
    table = Table(["patient", "patches", *header, "right"], rows, caption, count, sortable=True)
    more = [Text(f"{n_more:,} more patients, none recognised worse, are left out.")]
    return Section("Patients", "patients", [table, *(more if n_more else [])])


def _count(n_patients):
    return f"{n_patients:,} {'patient' if n_patients == 1 else 'patients'}"


def _columns(study, patients):
    found = study.first
    rows_of = np.split(patients.order, patients.starts[1:])
    if not study.is_binary:

        def label(row):
            return _names(study, found.y_true[rows_of[row]])

        def decision(row):
            return _names(study, found.y_pred[rows_of[row]])

        return ["label", "called"], [label, decision]
    positive = study.target_names[1]
    _, scores = patient_scores(found.y_proba[:, 1], found.groups)
    shares = np.add.reduceat(found.y_true[patients.order] == 1, patients.starts) / patients.counts

    def share(row):
        return Cell(f"{shares[row]:.0%}", round(float(shares[row]), 6))

    def score(row):
        return Cell(f"{scores[row]:.3f}", round(float(scores[row]), 6))

    return [f"{positive}, share of patches", "mean score"], [share, score]


def _names(study, numbers):
    present, counts = np.unique(numbers, return_counts=True)
    several = zip(present, counts, strict=True)
    if len(present) == 1:
        return study.target_names[int(present[0])]
    return ", ".join(f"{count} {study.target_names[int(each)]}" for each, count in several)
