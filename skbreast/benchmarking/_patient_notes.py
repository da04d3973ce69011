"""What to know of the patients beside the figures of a benchmark."""

import numpy as np

from skbreast._guards import warn_of_folds
from skbreast._loaded import find_patients

__all__ = ["tell_patients"]

ENOUGH = 20  # of a class; with fewer, intervals are too short (docs/statistics.rst)


def tell_patients(bunch):
    """Return sentences on leaking folds and on few patients, and warn of leaking folds.

    Parameters
    ----------
    bunch : Bunch
        With `data`, `target`, `target_names`, `groups` and `folds`.

    Returns
    -------
    list of str
    """
    if bunch.groups is None:
        return ["There are no patient ids: patches count as patients, and figures may be inflated."]
    known = find_patients(bunch.data)  # what the loader said, if groups say something else
    leaks = warn_of_folds(bunch.folds, bunch.groups if known is None else known)
    return [*filter(None, [leaks]), *_tell_few(bunch)]


def _tell_few(bunch):
    tested = np.unique(np.concatenate([test for _, test in bunch.folds]))
    target, groups = np.asarray(bunch.target)[tested], np.asarray(bunch.groups)[tested]
    counts = {number: len(np.unique(groups[target == number])) for number in np.unique(target)}
    few = {number: n for number, n in counts.items() if n < ENOUGH}
    if not few:
        return []
    named = ", ".join(f"{_class_name(bunch, number)} {n}" for number, n in few.items())
    return [f"Patients tested of a class are few ({named}): intervals are rough guesses."]


def _class_name(bunch, number):
    names = bunch.get("target_names")
    return str(number if names is None or number >= len(names) else names[number])
