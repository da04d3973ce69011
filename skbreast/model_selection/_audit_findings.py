"""From what was read to findings: each a row of the report."""

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skbreast._validation import name_some
from skbreast.model_selection._color_shortcut import SUSPICIOUS_AUC
from skbreast.model_selection._leakage import leakage_report

__all__ = ["KINDS", "SEVERITIES", "Finding", "copy_findings", "find_shared_tests",
           "patch_findings", "patient_findings", "set_findings", "split_findings"]  # fmt: skip

SEVERITIES = ("error", "warning", "note")
KINDS = {
    "patient_on_both_sides": ("error", "patients on both sides of the split"),
    "patch_on_both_sides": ("error", "patches on both sides of the split"),
    "copies_across_sides": ("error", "pictures with copies on both sides of the split"),
    "copies_across_patients": ("error", "pictures that stand under several patients"),
    "patients_share_pictures": ("error", "sets of patient ids that share pictures: one patient?"),
    "label_conflict": ("error", "pictures under several labels"),
    "copies_without_patients": ("error", "pictures with copies that no patient id keeps together"),
    "copies_together": ("warning", "pictures with copies of one patient or on one side"),
    "look_alike_ids": ("warning", "pairs of patient ids that look alike"),
    "unreadable": ("warning", "patches that cannot be read"),
    "black": ("warning", "black patches"),
    "single_colour": ("warning", "patches of one colour"),
    "odd_size": ("warning", "patches of another size"),
    "class_on_one_side": ("warning", "classes that one side of the split lacks"),
    "class_of_one_patient": ("warning", "classes that one patient alone has"),
    "colour_shortcut": ("warning", f"label predicted by colour alone, AUC {SUSPICIOUS_AUC:g} up"),
    "blank": ("note", "blank patches (background)"),
    "in_no_part": ("note", "patches that no part of the split has"),
}
"""Kinds of findings in order of importance: severity, and what is counted."""
_MATCHES = {
    "identical": "identical pixels",
    "turned": "identical but for turns or mirroring",
    "near": "nearly the same: recompressed, resized, brighter, cropped or taken twice",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; a row of :meth:`AuditReport.to_frame`.

    Attributes
    ----------
    kind : str
        See the table of :func:`audit_patches`.
    severity : {"error", "warning", "note"}
        "error" where it inflates figures.
    rows : tuple of int
        The patches, by their row in X.
    patches : tuple of str
        Their references, or "row 12" for arrays.
    patients, labels : tuple of str
        Of these patches, each once.
    detail : str
        What was found, in words.
    """

    kind: str
    severity: str
    rows: tuple
    patches: tuple
    patients: tuple
    labels: tuple
    detail: str

    def to_dict(self):
        """Return the finding as plain numbers, strings and lists, ready for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(self).items()}  # fmt: skip


def _finding(data, kind, rows, detail, *, patients=None, severity=None):
    rows = np.asarray(rows, dtype=int)
    return Finding(
        kind=kind,
        severity=severity or KINDS[kind][0],
        rows=tuple(rows.tolist()),
        patches=tuple(data.name(row) for row in rows),
        patients=data.patients_of(rows) if patients is None else tuple(map(str, patients)),
        labels=data.labels_of(rows),
        detail=detail,
    )


def copy_findings(data, copies, folds):
    """Return the findings about pictures that stand in the data more than once."""
    places = _places(copies, folds)
    findings = []
    for number, rows in enumerate(copies.members()):
        match = _MATCHES[copies.matches[number]]
        n_patients, labels = len(data.patients_of(rows)), data.labels_of(rows)
        kinds = []
        if number in places:
            kinds.append(
                ("copies_across_sides", f"{match}; in {name_some(places[number], write=str)}")
            )
        if n_patients > 1:
            kinds.append(("copies_across_patients", match))
        if not kinds and data.patients is None and not folds:
            kinds.append(("copies_without_patients", match))
        if not kinds:
            kinds.append(("copies_together", match))
        if len(labels) > 1:
            kinds.append(("label_conflict", f"{match}; labels {name_some(labels)}"))
        findings += [_finding(data, kind, rows, detail) for kind, detail in kinds]
    return findings


def _places(copies, folds):
    """Map pictures to the titles of the pairs of parts that both have them."""
    places = {}
    for fold in folds:
        for title, one, other in fold.pairs():
            for picture in _shared_pictures(copies, one, other):
                places.setdefault(picture, []).append(title)
    return places


def _shared_pictures(copies, one, other):
    # a patch on both sides by itself is another finding
    shared = np.intersect1d(one, other, assume_unique=True)
    sides = [np.setdiff1d(each, shared, assume_unique=True) for each in (one, other)]
    pictures = [np.unique(copies.pictures[each]) for each in sides]
    both = np.intersect1d(*pictures, assume_unique=True)
    return both[both >= 0].tolist()


def find_shared_tests(copies, folds):
    """Return, for each pair of parts, how many patches of the second have a copy in the first.

    Returns
    -------
    dict of str to (int, int)
        By title: patches with a copy, and all patches of the second part.
    """
    return {
        title: (int(np.isin(copies.pictures[other], _shared_pictures(copies, one, other)).sum()),
                len(other))
        for fold in folds
        for title, one, other in fold.pairs()
    }  # fmt: skip


def patient_findings(data, copies):
    """Return the findings about patient ids: those that share pictures, those that look alike."""
    if data.patients is None:
        return []
    findings = [_shared_finding(data, copies, each) for each in _sharing_patients(data, copies)]
    ids = list(data.patient_ids)
    alike = leakage_report(ids, ids).look_alikes
    for pair in sorted({tuple(sorted(pair, key=repr)) for pair in alike}, key=repr):
        codes = [data.patient_ids.index(each) for each in pair]
        n = [int((data.patients == code).sum()) for code in codes]
        detail = f"{pair[0]!r} ({n[0]} patches) and {pair[1]!r} ({n[1]}): one patient?"
        findings.append(_finding(data, "look_alike_ids", [], detail, patients=pair))
    return findings


def _sharing_patients(data, copies):
    """Return arrays of patient numbers that pictures join, directly or through others."""
    n = len(data.patient_ids)
    links = [
        (codes[0], other)
        for rows in copies.members()
        for codes in [np.unique(data.patients[rows])]
        for other in codes[1:]
    ]
    if not links:
        return []
    graph = coo_array((np.ones(len(links)), np.transpose(links)), shape=(n, n))
    components = connected_components(graph, directed=False)[1]
    several = np.flatnonzero(np.bincount(components) > 1)
    return [np.flatnonzero(components == each) for each in several]


def _shared_finding(data, copies, codes):
    ours = np.flatnonzero(np.isin(data.patients, codes) & (copies.pictures >= 0))
    pairs = np.unique(np.column_stack([copies.pictures[ours], data.patients[ours]]), axis=0)
    shared = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    rows = ours[np.isin(copies.pictures[ours], shared)]
    counts = [f"{(data.patients[rows] == code).sum()} of {(data.patients == code).sum()} patches "
              f"of {data.patient_ids[code]!r}" for code in codes]  # fmt: skip
    pictures = "picture" if len(shared) == 1 else "pictures"
    detail = f"{len(shared)} {pictures} shared: {name_some(counts, write=str)}"
    ids = [data.patient_ids[code] for code in codes]
    return _finding(data, "patients_share_pictures", rows, detail, patients=ids)


def split_findings(data, folds, reports):
    """Return the findings about a split: patients, patches and classes of its parts.

    Parameters
    ----------
    data : AuditedData
        Names, patients and labels.
    folds : list of Fold
        The split.
    reports : dict of str to LeakageReport
        By title of a pair of parts; empty where there are no patient ids.
    """
    findings, shared = [], {}
    for fold in folds:
        for title, one, other in fold.pairs():
            both = np.intersect1d(one, other)
            if len(both):
                findings.append(_finding(data, "patch_on_both_sides", both, f"in {title}"))
            for patient in reports[title].shared_patients if title in reports else ():
                shared.setdefault(patient, []).append((title, one, other))
            findings += _lacking_classes(data, title, one, other)
    for patient, places in shared.items():
        mine = data.patients == data.patient_ids.index(patient)
        titles = [f"{title} ({mine[one].sum()}/{mine[other].sum()} patches)"
                  for title, one, other in places]  # fmt: skip
        rows, detail = np.flatnonzero(mine), f"in {name_some(titles, write=str)}"
        findings.append(_finding(data, "patient_on_both_sides", rows, detail))
    return findings + _unused(data, folds)


def _lacking_classes(data, title, one, other):
    if data.labels is None:
        return []
    have = [set(data.labels[side].tolist()) for side in (one, other)]
    names = [data.label_names[code] for code in sorted(have[0] ^ have[1])]
    detail = f"one side of {title} lacks class {name_some(names)}"
    return [_finding(data, "class_on_one_side", [], detail)] if names else []


def _unused(data, folds):
    if not folds:
        return []
    used = np.concatenate([rows for fold in folds for rows in fold.parts.values()])
    unused = np.setdiff1d(np.arange(data.n_patches), used)
    detail = f"{len(unused)} of {data.n_patches} patches"
    return [_finding(data, "in_no_part", unused, detail)] if len(unused) else []


def patch_findings(data, reading, expected_size, odd_rows):
    """Return the findings about single patches: unreadable, without structure, of another size."""
    findings = [
        _finding(data, "unreadable", [row], cause) for row, cause in sorted(reading.errors.items())
    ]
    flats = [(name, row) for row, name in enumerate(reading.flats) if name]
    for name, row in sorted(flats):
        color = ", ".join(f"{each:.0f}" for each in reading.moments[row, :3])
        findings.append(_finding(data, name, [row], f"mean colour ({color})"))
    for row in odd_rows.tolist():
        (height, width), wanted = reading.sizes[row].tolist(), expected_size
        detail = f"{height} x {width} pixels, not {wanted[0]} x {wanted[1]}"
        findings.append(_finding(data, "odd_size", [row], detail))
    return findings


def set_findings(data, shortcut):
    """Return the findings about the whole set: classes of one patient, and colour."""
    findings = []
    if data.labels is not None and data.patients is not None:
        pairs = np.unique(np.column_stack([data.labels, data.patients]), axis=0)
        for code, n in sorted(Counter(pairs[:, 0].tolist()).items()):
            if n == 1:
                rows = np.flatnonzero(data.labels == code)
                detail = f"all {len(rows)} patches of {data.label_names[code]!r} are of one patient"
                findings.append(_finding(data, "class_of_one_patient", rows, detail))
    if shortcut.auc is not None and shortcut.auc >= SUSPICIOUS_AUC:
        findings.append(_finding(data, "colour_shortcut", [], str(shortcut)))
    return findings
