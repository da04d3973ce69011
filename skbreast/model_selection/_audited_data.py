"""What a user says about patches, labels and patients, as numbers with names for them."""

from dataclasses import dataclass

import numpy as np

from skbreast._patients import check_labels
from skbreast._validation import check_groups

__all__ = ["AuditedData", "describe_data"]


@dataclass(frozen=True)
class AuditedData:
    """What the user said about the patches, as numbers, with names for them."""

    references: np.ndarray | None
    n_patches: int
    labels: np.ndarray | None
    label_names: list
    patients: np.ndarray | None
    patient_ids: list

    def name(self, row):
        """Name one patch."""
        return f"row {row}" if self.references is None else str(self.references[row])

    def patients_of(self, rows):
        """Return the patient ids of patches, as sorted strings."""
        return _names_of(self.patients, self.patient_ids, rows)

    def labels_of(self, rows):
        """Return the labels of patches, as sorted strings."""
        return _names_of(self.labels, self.label_names, rows)

    def patches_per_class(self):
        """Map class names to numbers of patches."""
        if self.labels is None:
            return {}
        counts = np.bincount(self.labels, minlength=len(self.label_names))
        return dict(zip(self.label_names, counts.tolist(), strict=True))

    def patients_per_class(self):
        """Map class names to numbers of patients that have any patch of it."""
        if self.labels is None or self.patients is None:
            return {}
        pairs = np.unique(np.column_stack([self.labels, self.patients]), axis=0)
        counts = np.bincount(pairs[:, 0], minlength=len(self.label_names))
        return dict(zip(self.label_names, counts.tolist(), strict=True))

    def patches_per_patient(self):
        """Return the least, the median and the largest number of patches of a patient."""
        if self.patients is None:
            return None
        counts = np.bincount(self.patients)
        return int(counts.min()), float(np.median(counts)), int(counts.max())


def _names_of(codes, names, rows):
    if codes is None:
        return ()
    return tuple(sorted({str(names[code]) for code in codes[rows].tolist()}))


def describe_data(patches, y, groups, target_names):
    n_patches = len(patches)
    labels, label_names, patients, patient_ids = None, [], None, []
    if groups is not None:
        groups = check_groups(groups, n_samples=n_patches)
        patients, patient_ids = _number(groups.tolist())
    if y is not None:
        y = check_labels(y, name="y")
        if len(y) != n_patches:
            raise ValueError(f"y has {len(y)} entries for {n_patches} patches.")
        labels, values = _number(y.tolist())
        label_names = _label_names(values, target_names)
    references = patches if patches.ndim == 1 else None
    return AuditedData(references, n_patches, labels, label_names, patients, patient_ids)


def _number(values):
    """Return the number of each value among those that occur, and these, sorted."""
    # ids of some rows may be int and of others str, which cannot be compared
    found = sorted(set(values), key=lambda value: (type(value).__name__, value))
    numbers = {value: number for number, value in enumerate(found)}
    return np.array([numbers[value] for value in values]), found


def _label_names(values, target_names):
    if target_names is None:
        return [str(value) for value in values]
    names = [str(name) for name in target_names]
    known = [isinstance(value, int) and 0 <= value < len(names) for value in values]
    if not all(known):
        wrong = values[known.index(False)]
        raise ValueError(
            f"target_names has {len(names)} names, for labels from 0 below that; y has {wrong!r}."
        )
    return [names[value] for value in values]
