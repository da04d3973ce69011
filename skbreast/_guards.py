"""Warnings of patients on both sides of a split, and of patient ids that were left behind."""

import numpy as np

from skbreast._loaded import find_patients, note_told, was_told
from skbreast._patients import shared_patients
from skbreast._validation import name_some
from skbreast._warn import warn_user
from skbreast.exceptions import PatientLeakageWarning, UnknownPatientsWarning

__all__ = ["warn_of_folds", "warn_of_missing_groups", "warn_of_shared_patients"]


def warn_of_shared_patients(training, held_out, *, what, advice):
    """Warn if patients stand on both sides, and count them.

    Parameters
    ----------
    training, held_out : array-like
        Patient ids of the patches of each side.
    what : str
        What was split, the subject of the sentence.
    advice : str
        What to do, a sentence.
    """
    shared = shared_patients(training, held_out)
    if len(shared):
        warn_user(
            f"{what} has patients on both sides, {len(shared)} of the {len(np.unique(held_out))} "
            f"held out ({name_some(shared)}), so its figures are too good. {advice}",
            PatientLeakageWarning,
        )


def warn_of_folds(folds, groups):
    """Warn once if folds have patients on both sides, and count them.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Training and test rows.
    groups : ndarray of shape (n_patches,)
        Patient ids.

    Returns
    -------
    str
        What was said; empty if no patient is on both sides.
    """
    shared = [shared_patients(groups[train], groups[test]) for train, test in folds]
    n_leaking = sum(len(each) > 0 for each in shared)
    if not n_leaking:
        return ""
    patients = sorted(set().union(*shared))
    message = (
        f"{n_leaking} of {len(folds)} folds have patients on both sides, {len(patients)} of "
        f"{len(np.unique(groups))} ({name_some(patients)}), so their figures are too "
        "good. Split by groups, for instance with StratifiedGroupKFold."
    )
    warn_user(message, PatientLeakageWarning)
    return message


def warn_of_missing_groups(X, *, what):
    """Say once a data set that its loader knew the patients, where nobody passed them on.

    Parameters
    ----------
    X : array-like
        Patches or references.
    what : str
        What goes on without, the subject of the sentence.

    Returns
    -------
    ndarray of shape (n_patches,) or None
        The patients that the loader knew.
    """
    patients = find_patients(X)
    if patients is not None and not was_told(X):
        warn_user(
            f"{what} takes every patch for its own patient, since groups is None, although the "
            f"loader of these patches knows their {len(np.unique(patients))} patients: pass the "
            "groups that stand beside data.",
            UnknownPatientsWarning,
        )
        note_told(X)  # not before: as an error it shall be raised again
    return patients
