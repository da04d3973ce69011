"""Draws of whole patients, and what becomes of the figures over them."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn.utils import check_consistent_length, check_random_state

from skbreast._patients import by_patient
from skbreast.metrics._limits import check_labels

__all__ = [
    "UndefinedIntervalError",
    "check_resampled",
    "count_draws",
    "draw_patients",
    "least_patients",
    "logit_interval",
    "percentile_interval",
    "rows_of",
    "strata_of",
]


class UndefinedIntervalError(ValueError):
    """A metric cannot be judged on the patients, or on most resamples of them."""


def check_resampled(arrays, groups, folds=None):
    """Return arrays, their patients, and the fold of each row as a number (or None)."""
    if not arrays:
        raise ValueError("patient_bootstrap needs at least one array for the metric.")
    if groups is None:
        raise ValueError(
            "groups is None: give the patient of each patch, or numpy.arange(n_patches) to say "
            "that every patch is its own patient."
        )
    arrays = [np.asarray(array) for array in arrays]
    check_consistent_length(*arrays)
    patients = by_patient(groups, n_samples=len(arrays[0]))
    if len(patients.ids) < 2:
        raise ValueError("groups names one patient only; an interval over patients needs two.")
    if folds is not None:
        folds = check_labels(folds, name="folds")
        check_consistent_length(arrays[0], folds)
        folds = np.unique(folds, return_inverse=True)[1]
    return arrays, patients, folds


def strata_of(stratify, patients):
    """Return an int a patient: equal where their patches have the same set of labels."""
    if stratify is None:
        return np.zeros(len(patients.ids), dtype=np.intp)
    labels = check_labels(stratify, name="stratify")
    check_consistent_length(labels, patients.codes)
    classes, codes = np.unique(labels, return_inverse=True)
    has_class = np.zeros((len(patients.ids), len(classes)), dtype=bool)
    has_class[patients.codes, codes] = True
    return np.unique(has_class, axis=0, return_inverse=True)[1].ravel()


def least_patients(stratify, patients):
    """Return the number of patients who have the class that fewest have; without labels, of all."""
    if stratify is None:
        return len(patients.ids)
    codes = np.unique(check_labels(stratify, name="stratify"), return_inverse=True)[1]
    pairs = np.unique(np.column_stack([codes, patients.codes]), axis=0)
    return np.bincount(pairs[:, 0]).min()


def draw_patients(strata, n_resamples, random_state, *, block=1):
    """Yield patients drawn with replacement within strata.

    Parameters
    ----------
    strata : ndarray of shape (n_patients,), int
        Stratum of each patient.
    n_resamples : int
        How many resamples are drawn in all.
    random_state : int, RandomState instance or None
        Seed; the draws don't depend on `block`.
    block : int, default=1
        How many resamples come at a time.

    Yields
    ------
    ndarray of shape (block or fewer, n_patients), int
    """
    random_state = check_random_state(random_state)
    by_stratum = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    for done in range(0, n_resamples, block):
        shape = (min(block, n_resamples - done), len(size))
        yield by_stratum[first + random_state.randint(0, size, size=shape)]


def count_draws(drawn):
    """Return how often each patient was drawn.

    Parameters
    ----------
    drawn : ndarray of shape (n_resamples, n_patients), int
        From :func:`draw_patients`.

    Returns
    -------
    ndarray of shape (n_patients, n_resamples), float64
        Whole numbers; a column a resample.
    """
    n_resamples, n_patients = drawn.shape
    cells = drawn * n_resamples + np.arange(n_resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=n_patients * n_resamples)
    return counts.reshape(n_patients, n_resamples).astype(np.float64)


def rows_of(drawn, patients):
    """Return the rows of the drawn patients, and for each row which draw it belongs to."""
    counts = patients.counts[drawn]
    copies = np.repeat(np.arange(len(drawn)), counts)
    within = np.arange(len(copies)) - np.repeat(np.cumsum(counts) - counts, counts)
    return patients.order[patients.starts[drawn][copies] + within], copies


def percentile_interval(values, confidence_level):
    """Return the ends between which the middle share of the defined values lies.

    Also returns how many are undefined, and raises an UndefinedIntervalError if most are.
    """
    defined = _keep_defined(values)
    tail = (1 - confidence_level) / 2
    # Quarters: the difference of two large numbers, by which is interpolated, has to be a number.
    low, high = 4 * np.quantile(defined / 4, [tail, 1 - tail])
    return float(low), float(high), len(values) - len(defined)


def logit_interval(values, confidence_level, *, estimate, n_degrees, n_least):
    """Return the ends of a Student interval on the scale of log odds, of a figure in [0, 1].

    As :func:`percentile_interval` otherwise. At 0 or 1 log odds have no scale: the far end is then
    the binomial bound [1]_ of `n_least` hits in a row, the patients of the rarest class. Without
    degrees of freedom, each patient being a stratum, nothing can vary and nothing is known: 0 to 1.

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26(4), 404-413, 1934.
    """
    defined = _keep_defined(values)
    if min(estimate, defined.min()) < 0 or max(estimate, defined.max()) > 1:
        raise ValueError("interval='logit' is for metrics that lie between 0 and 1.")
    n_undefined = len(values) - len(defined)
    if n_degrees < 1 or len(defined) < 2:
        return 0.0, 1.0, n_undefined
    if estimate in (0, 1):
        far = ((1 - confidence_level) / 2) ** (1 / n_least)
        return (far, 1.0, n_undefined) if estimate else (0.0, 1 - far, n_undefined)
    error = defined.std(ddof=1) / (estimate * (1 - estimate))
    half_width = error * student.ppf((1 + confidence_level) / 2, n_degrees)
    low, high = expit(logit(estimate) + np.array([-half_width, half_width]))
    return float(low), float(high), n_undefined


def _keep_defined(values):
    defined = values[np.isfinite(values)]
    n_undefined = len(values) - len(defined)
    if n_undefined > len(values) / 2:
        raise UndefinedIntervalError(
            f"metric is undefined in {n_undefined} of {len(values)} resamples of patients: too few "
            "patients for it, or of a class; try stratify=y."
        )
    return defined
