"""Observed against predicted frequency, with intervals over patients, above a histogram."""

import numpy as np
from sklearn.calibration import CalibrationDisplay

from skbreast.metrics import expected_calibration_error, patient_reliability, patient_weights
from skbreast.plotting._judging import judge_patches
from skbreast.plotting._legend import grow_for_legends, legend_below
from skbreast.plotting._predictions_input import (
    check_predictions,
    check_two_classes,
)
from skbreast.plotting._style import FAINT, INK, as_written, class_color, get_axes, tidy

__all__ = ["PatientCalibrationDisplay"]

_CURVE = "skbreast-calibration-curve"
_SIZE = (5.0, 2.7)  # of a panel in inches, without the legend


class PatientCalibrationDisplay:
    """Do probabilities mean what they say: observed against predicted frequency.

    Points are bins of patches; their intervals come from resamples of patients, each with all its
    patches. Hollow points rest on a single patient, which says nothing about others. Below are the
    patches' scores. Make one with :meth:`from_predictions` or :meth:`from_estimator`; several
    models share axes by ``ax=first.axes_``.

    Parameters
    ----------
    reliability : PatientReliability
        From :func:`skbreast.metrics.patient_reliability`.
    ece : float
        Expected calibration error of patches.
    patient_ece : float
        The same, every patient weighing the same.
    y_prob : ndarray of shape (n_patches,)
        Probabilities, for the histogram.
    n_patients : int
        How many patients there are.
    class_names : tuple of (str, str)
        Names of the negative and the positive class.
    confidence_level : float, default=0.95
        Of the intervals.
    name : str, optional
        Of the model, in the legend.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Where it is drawn.
    axes_ : ndarray of shape (2,) or (1,) of matplotlib Axes
        Of the points and of the histogram, if there is one.
    line_ : matplotlib Line2D
        The points.
    intervals_ : matplotlib LineCollection
        Their intervals.
    histogram_ : matplotlib StepPatch or None
        The histogram.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Points without patients; it draws these.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_patients, make_model
    >>> from skbreast.plotting import PatientCalibrationDisplay
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> predictions = cross_validate_patients(
    ...     make_model("colour"), patches.data, patches.target, patches.groups, cv=2
    ... )
    >>> display = PatientCalibrationDisplay.from_predictions(predictions, n_bins=5)
    >>> int(display.reliability.n_patches.sum())
    32
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        reliability,
        ece,
        patient_ece,
        y_prob,
        n_patients,
        class_names,
        confidence_level=0.95,
        name=None,
    ):
        self.reliability = reliability
        self.ece = ece
        self.patient_ece = patient_ece
        self.y_prob = y_prob
        self.n_patients = n_patients
        self.class_names = class_names
        self.confidence_level = confidence_level
        self.name = name

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_prob=None,
        groups=None,
        *,
        folds=None,
        pos_label=None,
        target_names=None,
        n_bins=10,
        strategy="uniform",
        n_resamples=1000,
        confidence_level=0.95,
        random_state=0,
        name=None,
        ax=None,
        line_kwargs=None,
    ):
        """Compute and draw how well probabilities are calibrated.

        Parameters
        ----------
        y_true : array-like of shape (n_patches,) or Predictions
            Labels; or all predictions in place of the arrays, from
            :func:`skbreast.evaluation.cross_validate_patients`.
        y_prob : array-like of shape (n_patches,) or (n_patches, 2), optional
            Probabilities of the positive class, in [0, 1], or of both.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        folds : array-like of shape (n_patches,), optional
            Accepted as in the other Displays; a probability means the same in every fold, so that
            folds are taken together.
        pos_label : int or str, optional
            The positive class; the greater label of two by default. Of more than two classes it has
            to be given, and is set against the rest.
        target_names : sequence of str, optional
            Names of the classes, in the order of the sorted labels.
        n_bins, strategy
            As in :func:`skbreast.metrics.patient_reliability`.
        n_resamples : int, default=1000
            Resamples of patients, within those that have the same labels.
        confidence_level : float, default=0.95
            Of the intervals, in (0, 1).
        random_state : int, RandomState instance or None, default=0
            Seed of the resampling.
        name : str, optional
            Of the model, in the legend.
        ax : matplotlib Axes or array of them, optional
            Where to draw: two, or one for the points alone.
        line_kwargs : dict, optional
            For the points.

        Returns
        -------
        PatientCalibrationDisplay
            Drawn.

        Raises
        ------
        ValueError
            If predictions are not as documented, there are more than two classes and no
            `pos_label`, or fewer than two patients.
        """
        judged = check_predictions(
            y_true, y_prob, groups, folds=folds, pos_label=pos_label, target_names=target_names
        )
        check_two_classes(judged, what="PatientCalibrationDisplay")
        arrays, bins = (judged.y_true, judged.y_score), {"n_bins": n_bins, "strategy": strategy}
        weights = patient_weights(judged.groups)
        display = cls(
            reliability=patient_reliability(
                *arrays,
                judged.groups,
                n_resamples=n_resamples,
                confidence_level=confidence_level,
                stratify=judged.y_true,
                random_state=random_state,
                **bins,
            ),
            ece=expected_calibration_error(*arrays, **bins),
            patient_ece=expected_calibration_error(*arrays, **bins, sample_weight=weights),
            y_prob=judged.y_score,
            n_patients=judged.n_patients,
            class_names=judged.class_names,
            confidence_level=confidence_level,
            name=name,
        )
        return display.plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def from_estimator(cls, estimator, X, y, groups, *, name=None, **options):
        """Let a fitted estimator judge patches that it was not fitted on, and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`.
        X : array-like of n_patches
            Patches or references, of other patients than those of the training.
        y : array-like of shape (n_patches,)
            Labels.
        groups : array-like of shape (n_patches,)
            Patient ids.
        name : str, optional
            Of the model; by default its class's.
        **options
            As in :meth:`from_predictions`, except `folds`.

        Returns
        -------
        PatientCalibrationDisplay
            Drawn.
        """
        name = type(estimator).__name__ if name is None else name
        return cls.from_predictions(judge_patches(estimator, X, y, groups), name=name, **options)

    def plot(self, ax=None, *, name=None, line_kwargs=None):
        """Draw the points and the histogram.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, optional
            Where to draw: two, or one for the points alone. Models that are there already stay.
        name : str, optional
            Of the model, in the legend; by default the one that was given before.
        line_kwargs : dict, optional
            For the points.

        Returns
        -------
        PatientCalibrationDisplay
            Itself.
        """
        alone = ax is not None and np.size(ax) == 1
        new = {} if alone else {"sharex": True, "gridspec_kw": {"height_ratios": [3.2, 1]}}
        self.figure_, axes = get_axes(ax, n_rows=1 if alone else 2, size=_SIZE, **new)
        self.axes_ = axes.ravel()
        n_drawn = sum(line.get_gid() == _CURVE for line in self.axes_[0].lines)
        self.line_ = self._draw_points(name, n_drawn, line_kwargs or {})
        self.intervals_ = self._draw_intervals(self.line_.get_color())
        self.histogram_ = None if alone else self._draw_histogram(self.line_.get_color())
        self._label()
        grow_for_legends(self.figure_, self.axes_[:1], 2 * _SIZE[1], new=ax is None)
        as_written(self.axes_)
        return self

    def _draw_points(self, name, n_drawn, line_kwargs):
        found = self.reliability
        name = self.name if name is None else name
        label = f"ECE {self.ece:.3f} (by patient {self.patient_ece:.3f})"
        style = {
            "color": class_color(n_drawn),
            "marker": "o",
            "markersize": 6,
            "linewidth": 1.3,
            "label": f"{name}: {label}" if name else label,
            "gid": _CURVE,
            **line_kwargs,
        }
        drawn = CalibrationDisplay(found.observed, found.mean_predicted, self.y_prob)
        line = drawn.plot(ax=self.axes_[0], ref_line=n_drawn == 0, **style).line_
        single = found.n_patients == 1
        self.axes_[0].plot(
            found.mean_predicted[single],
            found.observed[single],
            "o",
            markersize=line.get_markersize(),
            markerfacecolor="white",
            markeredgecolor=line.get_color(),
            zorder=3,
        )
        return line

    def _draw_intervals(self, color):
        found = self.reliability
        known = ~np.isnan(found.low)
        ends = found.mean_predicted[known], found.low[known], found.high[known]
        return self.axes_[0].vlines(*ends, color=color, linewidth=1.6, alpha=0.6)

    def _draw_histogram(self, color):
        counts, edges = np.histogram(self.y_prob, bins=20, range=(0, 1))
        return self.axes_[1].stairs(
            counts, edges, fill=True, facecolor=color, edgecolor=color, alpha=0.45
        )

    def _label(self):
        points, positive = tidy(self.axes_[0]), self.class_names[1]
        predicted = f"Predicted probability of {positive}"
        points.set(
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            ylabel=f"Observed share of {positive}",
            xlabel="",
        )
        level = f"{100 * self.confidence_level:.3g} % over {self.n_patients:,} patients"
        title = f"Calibration: {len(self.y_prob):,} patches; bars: {level}"
        points.set_title(title, loc="left", fontsize=10, color=INK)
        for line in points.lines:
            if line.get_label() == "Perfectly calibrated":
                line.set(color=FAINT, linestyle="--", linewidth=1, label="_perfect")
        self.axes_[-1].set_xlabel(predicted)
        legend_below(points)
        if len(self.axes_) == 2:
            tidy(self.axes_[1], grid="y").set_ylabel("Patches")
