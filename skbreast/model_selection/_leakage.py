"""Patients on both sides of a split."""

import re
from collections import defaultdict
from dataclasses import dataclass

from sklearn.utils import check_consistent_length

from skbreast._patients import check_labels
from skbreast._validation import check_groups, name_some

__all__ = ["LeakageReport", "leakage_report"]


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What two parts of a split have in common, from :func:`leakage_report`.

    Attributes
    ----------
    n_patients_train, n_patients_test : int
        Patients on each side.
    shared_patients : tuple
        Ids that stand on both sides, sorted.
    n_patches_train_shared, n_patches_test_shared : int
        Patches of the shared patients on each side.
    share_of_test_patches : float
        Share of the test patches that belong to shared patients, in [0, 1].
    look_alikes : tuple of (id in train, id in test)
        Different ids that are one after removal of case, white space and leading zeros:
        possibly one patient under two names. They don't count as leaks by themselves.
    classes_only_in_train, classes_only_in_test : tuple
        Classes that the other side lacks; empty where no labels were given.
    """

    n_patients_train: int
    n_patients_test: int
    shared_patients: tuple
    n_patches_train_shared: int
    n_patches_test_shared: int
    share_of_test_patches: float
    look_alikes: tuple
    classes_only_in_train: tuple = ()
    classes_only_in_test: tuple = ()

    @property
    def leaks(self):
        """Whether any patient stands on both sides."""
        return bool(self.shared_patients)

    def __str__(self):
        lines = [f"{self.n_patients_train} training patients, {self.n_patients_test} test patients"]
        if self.leaks:
            lines.append(
                f"LEAK: {len(self.shared_patients)} on both sides "
                f"({name_some(self.shared_patients)}), with {self.n_patches_test_shared} test "
                f"patches ({self.share_of_test_patches:.1%})"
            )
        else:
            lines.append("no patient on both sides")
        if self.look_alikes:
            pairs = [f"{train!r} ~ {test!r}" for train, test in self.look_alikes]
            lines.append(f"look alike, check by hand: {name_some(pairs, write=str)}")
        one_sided = [
            f"only in {side}: {name_some(classes)}"
            for side, classes in (
                ("train", self.classes_only_in_train),
                ("test", self.classes_only_in_test),
            )
            if classes
        ]
        return "\n".join(lines + ([f"classes {'; '.join(one_sided)}"] if one_sided else []))


def leakage_report(groups_train, groups_test, *, y_train=None, y_test=None):
    """Tell which patients stand on both sides of a split, and how much rests on them.

    Parameters
    ----------
    groups_train, groups_test : array-like of shape (n_patches,)
        Patient ids of the patches of each part.
    y_train, y_test : array-like of shape (n_patches,), default=None
        Labels of the patches; with both given, classes that stand on one side only are reported.

    Returns
    -------
    LeakageReport
        Counts and ids; ``report.leaks`` is the verdict, ``print(report)`` the summary.

    Raises
    ------
    ValueError
        If a part is empty, a patient id or a label is missing, lengths differ, or labels are
        given for one part only.

    Examples
    --------
    >>> from skbreast.model_selection import leakage_report
    >>> report = leakage_report(["p1", "p1", "p2", "p03"], ["p2", "p3", "p4", "p4"])
    >>> report.leaks, report.shared_patients
    (True, ('p2',))
    >>> print(report)
    3 training patients, 3 test patients
    LEAK: 1 on both sides ('p2'), with 1 test patches (25.0%)
    look alike, check by hand: 'p03' ~ 'p3'
    """
    train, test = _check_side(groups_train, "groups_train"), _check_side(groups_test, "groups_test")
    if (y_train is None) != (y_test is None):
        raise ValueError("Labels are given for one part only; give y_train and y_test, or neither.")
    ids_train, ids_test, shared = set(train), set(test), set(train) & set(test)
    n_patches_test_shared = sum(each in shared for each in test)
    classes_train, classes_test = (
        _classes(labels, groups, name)
        for labels, groups, name in ((y_train, train, "y_train"), (y_test, test, "y_test"))
    )
    return LeakageReport(
        n_patients_train=len(ids_train),
        n_patients_test=len(ids_test),
        shared_patients=_sorted(shared),
        n_patches_train_shared=sum(each in shared for each in train),
        n_patches_test_shared=n_patches_test_shared,
        share_of_test_patches=n_patches_test_shared / len(test),
        look_alikes=_look_alikes(ids_train, ids_test),
        classes_only_in_train=_sorted(classes_train - classes_test),
        classes_only_in_test=_sorted(classes_test - classes_train),
    )


def _check_side(groups, name):
    if groups is None or not len(groups):
        raise ValueError(f"{name} is empty; give the patient of each patch.")
    return check_groups(groups, n_samples=len(groups), name=name).tolist()


def _classes(y, groups, name):
    if y is None:
        return set()
    y = check_labels(y, name=name)
    check_consistent_length(y, groups)
    return set(y.tolist())


def _look_alikes(ids_train, ids_test):
    by_plain_id = defaultdict(list)
    for each in ids_train:
        by_plain_id[_plain_id(each)].append(each)
    pairs = [
        (train, test)
        for test in ids_test
        for train in by_plain_id[_plain_id(test)]
        if train != test
    ]
    return tuple(sorted(pairs, key=lambda pair: (str(pair[0]), str(pair[1]))))


def _plain_id(patient_id):
    text = re.sub(r"\s+", "", str(patient_id)).casefold()
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def _sorted(values):
    # ids of one side may be int and of the other str, which cannot be compared
    return tuple(sorted(values, key=lambda value: (type(value).__name__, value)))
