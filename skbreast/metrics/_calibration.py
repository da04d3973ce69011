"""Do probabilities mean what they say: expected calibration error, and reliability by patient."""

from dataclasses import dataclass

import numpy as np

from skbreast._validation import check_choice
from skbreast.metrics._class_numbers import check_share, number_scored
from skbreast.metrics._limits import MOST_CELLS, check_bins, check_resampling, check_weights
from skbreast.metrics._resampling import check_resampled, count_draws, draw_patients, strata_of

__all__ = [
    "PatientReliability",
    "check_probabilities",
    "expected_calibration_error",
    "patient_reliability",
]

_BLOCK_CELLS = 2**21  # drawn patients at a time


@dataclass(frozen=True, slots=True, eq=False)
class PatientReliability:
    """Observed against predicted frequency, from :func:`patient_reliability`.

    Bins without patches are left out.

    Attributes
    ----------
    bin_low, bin_high : ndarray of shape (n_bins,), float64
        The ends of each bin; the upper one belongs to it.
    mean_predicted : ndarray of shape (n_bins,), float64
        Mean probability of the bin's patches.
    observed : ndarray of shape (n_bins,), float64
        Share of positive patches among them.
    low, high : ndarray of shape (n_bins,), float64
        Interval of that share over patients; NaN where the patches are of a single patient.
    n_patches, n_patients : ndarray of shape (n_bins,), int
        How many patches, and patients, are in the bin.
    """

    bin_low: np.ndarray
    bin_high: np.ndarray
    mean_predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_patches: np.ndarray
    n_patients: np.ndarray


def expected_calibration_error(
    y_true, y_prob, *, n_bins=10, strategy="uniform", sample_weight=None
):
    """Return the mean distance of predicted probabilities from observed frequencies.

    Patches are put in bins by their probability; a bin's distance is that of the mean probability
    from the share of positives, and it counts by the bin's share of the patches [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one.
    y_prob : array-like of shape (n_patches,) or (n_patches, 2)
        Probabilities of the positive class, in [0, 1], or of both.
    n_bins : int, default=10
        How many bins there are, up to 10,000.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or with equally many patches.
    sample_weight : array-like of shape (n_patches,), default=None
        Weights; with :func:`patient_weights` patients count the same.

    Returns
    -------
    float
        In [0, 1]; 0 is perfect.

    Raises
    ------
    ValueError
        If there are more than two classes, a probability is out of [0, 1], weights are negative
        or add up to 0, or a parameter is out of its range.

    Notes
    -----
    The figure depends on the bins, and grows with their number since noise counts as error: a
    well calibrated model has more than 0. Compare models on the same patches and bins only.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities
       using Bayesian binning", AAAI, 2901-2907, 2015.

    Examples
    --------
    >>> from skbreast.metrics import expected_calibration_error
    >>> round(expected_calibration_error([0, 0, 1, 1], [0.1, 0.1, 0.9, 0.7]), 3)
    0.15
    """
    y_true, y_prob = check_probabilities(y_true, y_prob)
    weights = check_weights(sample_weight, n_samples=len(y_true))
    edges, bins = _assign_bins(y_prob, n_bins, strategy)
    surplus = np.bincount(bins, weights=weights * (y_prob - y_true), minlength=len(edges) - 1)
    return float(np.abs(surplus).sum() / weights.sum())


def patient_reliability(
    y_true,
    y_prob,
    groups,
    *,
    n_bins=10,
    strategy="uniform",
    n_resamples=2000,
    confidence_level=0.95,
    stratify=None,
    random_state=None,
):
    """Return observed frequencies of bins of probabilities, with intervals that count patients.

    Parameters
    ----------
    y_true : array-like of shape (n_patches,)
        Labels of two classes; the greater is the positive one.
    y_prob : array-like of shape (n_patches,) or (n_patches, 2)
        Probabilities of the positive class, in [0, 1], or of both.
    groups : array-like of shape (n_patches,)
        Patient ids.
    n_bins : int, default=10
        How many bins there are, up to 10,000.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or with equally many patches.
    n_resamples : int, default=2000
        How many resamples of patients are drawn; with the bins that hold patches they may make
        2**27 numbers, 1 GiB.
    confidence_level : float, default=0.95
        Of the intervals, between 0 and 1.
    stratify : array-like of shape (n_patches,), default=None
        Labels within which patients are drawn, as in :func:`patient_bootstrap`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    PatientReliability
        Arrays with an entry a bin that holds patches.

    Raises
    ------
    ValueError
        As in :func:`expected_calibration_error` and :func:`patient_bootstrap`.

    Notes
    -----
    The bins are those of the data and stay as they are. A resample in which a bin is empty says
    nothing about it. Intervals are percentile intervals, each for itself; those of a bin with a
    handful of patients are too short, and `n_patients` says which these are.

    Examples
    --------
    >>> from skbreast.metrics import patient_reliability
    >>> reliability = patient_reliability(
    ...     [0, 0, 1, 1, 0, 1], [0.2, 0.1, 0.7, 0.9, 0.8, 0.9], ["a", "b", "c", "c", "d", "d"],
    ...     n_bins=2, random_state=0,
    ... )
    >>> reliability.mean_predicted.round(3).tolist(), reliability.observed.tolist()
    ([0.15, 0.825], [0.0, 0.75])
    >>> reliability.n_patches.tolist(), reliability.n_patients.tolist()
    ([2, 4], [2, 2])
    """
    check_resampling(n_resamples, confidence_level)
    y_true, y_prob = check_probabilities(y_true, y_prob)
    _, patients, _ = check_resampled([y_true, y_prob], groups)
    edges, bins = _assign_bins(y_prob, n_bins, strategy)
    filled, bins = np.unique(bins, return_inverse=True)
    if len(filled) * n_resamples > MOST_CELLS:
        raise ValueError(
            f"n_resamples={n_resamples:,} of {len(filled):,} bins would take too much memory; at "
            f"most {MOST_CELLS // len(filled):,} resamples are possible, or give fewer n_bins."
        )
    sizes, hits, sums = (
        _by_bin_and_patient(bins, patients, weights)
        for weights in (np.ones(len(bins)), y_true, y_prob)
    )
    low, high = _intervals(
        sizes, hits, draws=(strata_of(stratify, patients), n_resamples, random_state),
        confidence_level=confidence_level,
    )  # fmt: skip
    n_patches, n_patients = sizes.sum(axis=1).astype(np.intp), (sizes > 0).sum(axis=1)
    predicted, observed = sums.sum(axis=1) / n_patches, hits.sum(axis=1) / n_patches
    return PatientReliability(
        edges[filled], edges[filled + 1], predicted, observed, low, high, n_patches, n_patients
    )


def check_probabilities(y_true, y_prob, *, name="y_prob"):
    """Return labels as 0 and 1 and the probabilities of 1, of two classes."""
    y_true, y_prob, n_classes = number_scored(y_true, y_prob, name=name)
    if n_classes > 2:
        raise ValueError(
            f"{name} has {n_classes} columns; give one class's probabilities at a time."
        )
    return y_true, check_share(y_prob, name=name)


def _assign_bins(y_prob, n_bins, strategy):
    check_bins(n_bins)
    check_choice(strategy, name="strategy", choices=("uniform", "quantile"))
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        edges = np.quantile(y_prob, edges)
    return edges, np.searchsorted(edges[1:-1], y_prob)


def _by_bin_and_patient(bins, patients, weights):
    n_patients, n_bins = len(patients.ids), bins.max() + 1
    cells = bins * n_patients + patients.codes
    table = np.bincount(cells, weights=weights, minlength=n_bins * n_patients)
    return table.reshape(n_bins, n_patients)


def _intervals(sizes, hits, *, draws, confidence_level):
    """Percentile intervals of each bin's share over resamples of patients."""
    block = max(1, _BLOCK_CELLS // max(sizes.shape))
    shares = []
    for drawn in draw_patients(*draws, block=block):
        counts = count_draws(drawn)
        n_drawn = sizes @ counts
        shares.append(np.where(n_drawn > 0, hits @ counts / np.maximum(n_drawn, 1), np.nan))
    tail = (1 - confidence_level) / 2
    shares = np.concatenate(shares, axis=1)
    several = (sizes > 0).sum(axis=1) > 1
    ends = np.full((2, len(sizes)), np.nan)
    for number in np.flatnonzero(several & ~np.isnan(shares).all(axis=1)):
        ends[:, number] = np.nanquantile(shares[number], [tail, 1 - tail])
    return ends
