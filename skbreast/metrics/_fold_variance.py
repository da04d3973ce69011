"""An interval for the mean of cross-validated scores whose training sets overlap."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from skbreast.metrics._limits import check_floats, check_level

__all__ = ["FoldInterval", "corrected_fold_interval"]

LARGEST = 1e100  # score, so that its square is a number too
MOST = 1e15  # patches or patients


@dataclass(frozen=True, slots=True)
class FoldInterval:
    """A mean over folds with its interval, from :func:`corrected_fold_interval`.

    Attributes
    ----------
    mean : float
        Mean of the scores.
    low, high : float
        The ends of the interval.
    standard_error : float
        Corrected standard error of the mean.
    p_value : float
        Two-sided, against a mean of 0; of use where the scores are differences.
    n_folds : int
        How many scores there are, over all repeats.
    confidence_level : float
        In (0, 1).
    """

    mean: float
    low: float
    high: float
    standard_error: float
    p_value: float
    n_folds: int
    confidence_level: float = 0.95

    def __str__(self):
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.n_folds} folds)"


def corrected_fold_interval(scores, *, n_train, n_test, confidence_level=0.95):
    """Return the mean of scores over folds, with an interval that knows that folds overlap.

    Training sets of (repeated) cross-validation share most of their patients, so scores vary less
    from fold to fold than they would with other patients. The variance of the mean is therefore
    taken as ``(1 / n_folds + n_test / n_train)`` times that of the scores in place of
    ``1 / n_folds`` [1]_, with Student's t of ``n_folds - 1`` degrees of freedom.

    Parameters
    ----------
    scores : array-like of shape (n_folds,)
        A score a fold, over all repeats; or the difference of two models in each fold.
    n_train, n_test : number or array-like of shape (n_folds,)
        Sizes of the training and test parts; of several the ratio of the means counts. Patients,
        where folds are made of patients.
    confidence_level : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    FoldInterval
        The mean, the interval's ends, the standard error and a p-value against 0.

    Raises
    ------
    ValueError
        If there are fewer than two scores, one isn't finite or beyond 1e100, or a size isn't
        positive or beyond 1e15.

    Notes
    -----
    No unbiased estimate of this variance exists [2]_; the correction is a rule that is right on
    average where a score hardly depends on which patients were trained on. It tends to be a
    little wide for 10 or more folds, and says how a *procedure* would fare with other patients,
    where :func:`patient_bootstrap` takes the trained models as they are.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52(3),
       239-281, 2003.
    .. [2] Y. Bengio, Y. Grandvalet, "No unbiased estimator of the variance of K-fold
       cross-validation", Journal of Machine Learning Research 5, 1089-1105, 2004.

    Examples
    --------
    >>> from skbreast.metrics import corrected_fold_interval
    >>> print(corrected_fold_interval([0.8, 0.9, 0.85, 0.9, 0.8], n_train=80, n_test=20))
    0.850 [0.757, 0.943] (5 folds)
    """
    scores = check_floats(scores, name="scores")
    if scores.ndim != 1 or len(scores) < 2:
        raise ValueError(f"scores must be two or more in one dimension; got shape {scores.shape}.")
    if np.abs(scores).max() > LARGEST:
        raise ValueError(
            f"scores must lie between -{LARGEST:g} and {LARGEST:g}; they reach from "
            f"{scores.min():g} to {scores.max():g}."
        )
    check_level(confidence_level)
    ratio = _mean_size(n_test, name="n_test") / _mean_size(n_train, name="n_train")
    n_folds, mean = len(scores), np.clip(scores.mean(), scores.min(), scores.max())
    variance = scores.var(ddof=1) if np.ptp(scores) else 0  # equal scores would leave rounding
    standard_error = np.sqrt((1 / n_folds + ratio) * variance)
    half_width = standard_error * student.ppf((1 + confidence_level) / 2, n_folds - 1)
    return FoldInterval(
        float(mean), float(mean - half_width), float(mean + half_width), float(standard_error),
        _two_sided_p(mean, standard_error, n_folds), n_folds, confidence_level,
    )  # fmt: skip


def _two_sided_p(mean, standard_error, n_folds):
    if standard_error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * student.sf(abs(mean) / standard_error, n_folds - 1))


def _mean_size(size, *, name):
    sizes = np.asarray(size)
    inside = sizes.dtype.kind in "uif" and sizes.size and (sizes >= 1 / MOST).all()
    if not inside or (sizes > MOST).any():
        raise ValueError(
            f"{name} must be positive and at most {MOST:g}, a number or one a fold; got {size!r}."
        )
    return sizes.mean()
