"""A strip of patients, sorted by score, with the spread of their patches."""

from dataclasses import dataclass

import numpy as np

from skbreast._patients import by_patient
from skbreast._validation import check_number
from skbreast.metrics import patient_scores
from skbreast.metrics._patient_figures import TIED_DECIMALS
from skbreast.plotting._judging import judge_patches, own_threshold
from skbreast.plotting._predictions_input import (
    DecisionValues,
    check_predictions,
    check_two_classes,
)
from skbreast.plotting._shown import shorten_apart
from skbreast.plotting._style import INK, as_written, class_color, get_axes, tidy

__all__ = ["PatientScoreDisplay", "PatientSpreads"]

_MARKERS = ("o", "D")  # in print, where colours are gone, classes differ by their marker
_STRIP = "patients of a strip"
_SHIFT = 0.2  # of a patient's two classes, from the middle between two patients
_MOST_NAMED = 40  # patients, on the x axis
_LONGEST_ROW = 30  # letters of class names that stand beside the rest of the legend


@dataclass(frozen=True, eq=False)
class PatientSpreads:
    """The spread of scores of each patient's patches of one class, an entry a spread.

    Attributes
    ----------
    ranks : ndarray of shape (n_spreads,), int
        Place of the patient, 0 for the lowest score; twice where a patient has both classes.
    labels : ndarray of shape (n_spreads,), int
        Class 0 or 1.
    scores : ndarray of shape (n_spreads,), float64
        The aggregate of the patches' scores, a mean by default.
    quantiles : ndarray of shape (n_spreads, 4), float64
        Lowest score, quartiles, highest score.
    n_patches : ndarray of shape (n_spreads,), int
        How many patches there are.
    """

    ranks: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    quantiles: np.ndarray
    n_patches: np.ndarray


class PatientScoreDisplay:
    """Patients sorted by score, with the spread of their patches.

    A thin line reaches from a patient's lowest to the highest patch, a thick one from the first to
    the third quartile; the marker is the mean. Patients who have patches of both classes have a
    line for each, side by side. A ring marks a mean on the wrong side of the threshold. Make one
    with :meth:`from_predictions` or :meth:`from_estimator`.

    Parameters
    ----------
    spreads : PatientSpreads
        What is drawn.
    patient_ids : ndarray of shape (n_patients,)
        Sorted by score.
    class_names : tuple of (str, str)
        Names of the negative and the positive class.
    threshold : float or None
        The score from which a patient counts as positive.
    aggregate : str, default="mean"
        What the markers are.

    Attributes
    ----------
    figure_, ax_ : matplotlib Figure and Axes
        Where it is drawn.
    axes_ : ndarray of shape (1,) of matplotlib Axes
        The same Axes, as the other Displays have theirs.
    ranges_, quartiles_ : list of matplotlib LineCollection
        Thin and thick lines of each class.
    markers_ : list of matplotlib Line2D
        The means of each class.
    wrong_ : matplotlib Line2D or None
        The rings.
    threshold_line_ : matplotlib Line2D or None
        The threshold.

    Notes
    -----
    Scores of several folds come from different models; they stand on one axis here as they would
    under one threshold.

    Examples
    --------
    >>> from skbreast.plotting import PatientScoreDisplay
    >>> display = PatientScoreDisplay.from_predictions(
    ...     [0, 0, 1, 1], [0.3, 0.1, 0.9, 0.5], ["a", "a", "b", "b"]
    ... )
    >>> display.spreads.scores.round(2).tolist(), display.n_wrong
    ([0.2, 0.7], 0)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, spreads, patient_ids, class_names, threshold=0.5, aggregate="mean"):
        self.spreads = spreads
        self.patient_ids = patient_ids
        self.class_names = class_names
        self.threshold = threshold
        self.aggregate = aggregate

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_score=None,
        groups=None,
        *,
        folds=None,
        pos_label=None,
        target_names=None,
        aggregate="mean",
        threshold=0.5,
        ax=None,
        marker_kwargs=None,
    ):
        """Sort patients by the score of their patches, and draw them.

        Parameters
        ----------
        y_true : array-like of shape (n_patches,) or Predictions
            Labels; or all predictions in place of the arrays, from
            :func:`skbreast.evaluation.cross_validate_patients`.
        y_score : array-like of shape (n_patches,) or (n_patches, 2), optional
            Scores of the positive class, or of both.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        folds : array-like of shape (n_patches,), optional
            Accepted as in the other Displays; patches of a patient are drawn together.
        pos_label : int or str, optional
            The positive class; the greater label of two by default. Of more than two classes it has
            to be given, and is set against the rest.
        target_names : sequence of str, optional
            Names of the classes, in the order of the sorted labels.
        aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
            How patches' scores become the marker, see :func:`skbreast.metrics.patient_scores`.
        threshold : float or None, default=0.5
            The score from which a marker lies on the side of the positive class; None draws no line
            and marks nobody as wrong.
        ax : matplotlib Axes, optional
            Where to draw.
        marker_kwargs : dict, optional
            For the markers.

        Returns
        -------
        PatientScoreDisplay
            Drawn.

        Raises
        ------
        ValueError
            If predictions are not as documented, or there are more than two classes and no
            `pos_label`.
        """
        judged = check_predictions(
            y_true, y_score, groups, folds=folds, pos_label=pos_label, target_names=target_names
        )
        check_two_classes(judged, what="PatientScoreDisplay")
        if threshold is not None:
            check_number(threshold, name="threshold", low=-np.inf)
        if aggregate == "vote" and judged.cut != 0.5:
            raise ValueError(
                'aggregate="vote" gives shares of patches, and this model gives decision values, '
                'which are not on that scale: take "mean", "max" or "top_k".'
            )
        spreads, patient_ids = _measure(judged, aggregate)
        display = cls(
            spreads=spreads,
            patient_ids=patient_ids,
            class_names=judged.class_names,
            threshold=threshold,
            aggregate=aggregate,
        )
        return display.plot(ax, marker_kwargs=marker_kwargs)

    @classmethod
    def from_estimator(cls, estimator, X, y, groups, **options):
        """Let a fitted estimator judge patches that it was not fitted on, and draw their scores.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`; or with `decision_function`, whose values are then the
            scores, and 0 the threshold by default.
        X : array-like of n_patches
            Patches or references, of other patients than those of the training.
        y : array-like of shape (n_patches,)
            Labels.
        groups : array-like of shape (n_patches,)
            Patient ids.
        **options
            As in :meth:`from_predictions`, except `folds`.

        Returns
        -------
        PatientScoreDisplay
            Drawn.
        """
        said = judge_patches(estimator, X, y, groups, decisions=True)
        usual = {"threshold": 0.0} if isinstance(said, DecisionValues) else {}
        options = usual | own_threshold(estimator, said, options) | options
        return cls.from_predictions(said, **options)

    @property
    def is_wrong(self):
        """Mask of the spreads whose marker lies on the wrong side of the threshold."""
        if self.threshold is None:
            return np.zeros(len(self.spreads.scores), dtype=bool)
        return (self.spreads.scores >= self.threshold) != (self.spreads.labels == 1)

    @property
    def n_wrong(self):
        """How many spreads lie on the wrong side; of patients of one class, how many patients."""
        return int(self.is_wrong.sum())

    def plot(self, ax=None, *, marker_kwargs=None):
        """Draw the strip.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw.
        marker_kwargs : dict, optional
            For the markers.

        Returns
        -------
        PatientScoreDisplay
            Itself.
        """
        n_patients = len(self.patient_ids)
        width = float(np.clip(0.19 * n_patients, 6, 9.5))
        self.figure_, axes = get_axes(ax, size=(width, 4.2))
        self.axes_, self.ax_ = axes.ravel(), tidy(axes[0, 0], grid="y")
        if any(line.get_gid() == _STRIP for line in self.ax_.lines):
            raise ValueError(
                "ax shows the patients of another model already, in an order of their own; give "
                "each strip Axes of its own."
            )
        scale = float(np.clip(width * 45 / n_patients, 1, 6))  # points that a patient's line takes
        x = self._positions()
        self.ranges_, self.quartiles_, self.markers_ = [], [], []
        for label in (0, 1):
            self._draw_class(label, x, scale, marker_kwargs or {})
        self.wrong_ = self._ring_wrong(x, scale)
        self.threshold_line_ = self._draw_threshold()
        self._label()
        as_written(self.axes_)
        return self

    def _positions(self):
        """Return the spreads' places on the x axis: 1, 2, …; two classes beside each other."""
        ranks = self.spreads.ranks
        shared = np.bincount(ranks)[ranks] > 1
        return 1 + ranks + shared * np.where(self.spreads.labels == 1, _SHIFT, -_SHIFT)

    def _draw_class(self, label, x, scale, marker_kwargs):
        of_class = self.spreads.labels == label
        x, color = x[of_class], class_color(label)
        low, first, third, high = self.spreads.quantiles[of_class].T
        lines = {"color": color, "zorder": 2}
        thin, thick = 0.25 * scale, 0.8 * scale
        self.ranges_.append(self.ax_.vlines(x, low, high, linewidth=thin, alpha=0.6, **lines))
        self.quartiles_.append(
            self.ax_.vlines(x, first, third, linewidth=thick, alpha=0.5, **lines)
        )
        style = {
            "color": color,
            "marker": _MARKERS[label],
            "markersize": 2 + scale,
            "markeredgecolor": "white",
            "markeredgewidth": 0.12 * scale,
            "linestyle": "none",
            "label": self.class_names[label],
            "zorder": 3,
            **marker_kwargs,
            "gid": _STRIP,
        }
        self.markers_.extend(self.ax_.plot(x, self.spreads.scores[of_class], **style))

    def _ring_wrong(self, x, scale):
        if not self.n_wrong:
            return None
        [rings] = self.ax_.plot(
            x[self.is_wrong],
            self.spreads.scores[self.is_wrong],
            "o",
            markersize=5 + 1.3 * scale,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=1.1,
            label="wrong side",
            zorder=4,
        )
        return rings

    def _draw_threshold(self):
        if self.threshold is None:
            return None
        label = f"threshold {self.threshold:.3g}"
        return self.ax_.axhline(
            self.threshold, color=INK, linewidth=1.2, linestyle="--", label=label, zorder=1.5
        )

    def _label(self):
        n_patients, spreads = len(self.patient_ids), self.spreads
        title = f"{n_patients:,} patients, {spreads.n_patches.sum():,} patches"
        if self.threshold is not None:
            what = "" if len(spreads.ranks) == n_patients else " markers"
            title += f"; {self.n_wrong:,} of {len(spreads.ranks):,}{what} on the wrong side"
        one_row = sum(map(len, self.class_names)) <= _LONGEST_ROW
        pad = 26 if one_row else 42
        self.ax_.set_title(title, loc="left", fontsize=10, color=INK, pad=pad)
        self.ax_.legend(
            loc="lower left",
            bbox_to_anchor=(-0.01, 1.0),
            ncols=4 if one_row else 2,
            fontsize=8.5,
            frameon=False,
            columnspacing=1.2,
            handletextpad=0.3,
            borderaxespad=0.2,
        )
        self.ax_.set(
            xlim=(0.3, n_patients + 0.7),
            ylabel=f"Score of {self.class_names[1]} (marker: {self.aggregate})",
            xlabel="Patients, sorted by score",
        )
        if spreads.quantiles.min() >= 0 and spreads.quantiles.max() <= 1:
            self.ax_.set_ylim(-0.03, 1.03)
        self._name_patients(n_patients)

    def _name_patients(self, n_patients):
        """Write ids where they fit, else ranks."""
        if n_patients <= _MOST_NAMED:
            names = shorten_apart(self.patient_ids)
            turned = sum(map(len, names)) > 40
            rotation = 90 if turned else 0
            self.ax_.set_xticks(range(1, n_patients + 1), names, rotation=rotation, fontsize=8)
        else:
            self.ax_.set_xlabel("Rank of the patient by score")


def _measure(judged, aggregate):
    """Return the spread of each patient and class, and the patients in order."""
    patients = by_patient(judged.groups, n_samples=len(judged.groups))
    _, scores = patient_scores(judged.y_score, judged.groups, aggregate=aggregate)
    scores = scores.round(TIED_DECIMALS)
    order = np.argsort(scores, kind="stable")
    rank_of = np.empty(len(order), dtype=np.intp)
    rank_of[order] = np.arange(len(order))
    spread_of = 2 * rank_of[patients.codes] + judged.y_true
    keys, of_spread = patient_scores(judged.y_score, spread_of, aggregate=aggregate)
    of_spread = of_spread.round(TIED_DECIMALS)  # so that 0.5 is not now below, now above it
    cells = by_patient(spread_of, n_samples=len(spread_of))
    quantiles = _quantiles(judged.y_score, cells)
    return (
        PatientSpreads(keys // 2, keys % 2, of_spread, quantiles, cells.counts),
        patients.ids[order],
    )


def _quantiles(y_score, cells):
    """Return lowest, quartiles and highest of each cell, as numpy.quantile has them."""
    ascending = y_score[np.lexsort((y_score, cells.codes))]
    places = cells.starts[:, None] + (cells.counts[:, None] - 1) * np.array([0, 0.25, 0.75, 1])
    return np.interp(places, np.arange(len(ascending)), ascending)
