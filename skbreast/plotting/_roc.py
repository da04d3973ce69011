"""ROC curves by patch and by patient, with bands and intervals that count patients."""

import textwrap

import numpy as np
from sklearn.metrics import RocCurveDisplay

from skbreast._validation import check_number
from skbreast.plotting._judging import judge_patches, own_threshold
from skbreast.plotting._legend import grow_for_legends, legend_below
from skbreast.plotting._panels import HINT, check_level, choose_panels
from skbreast.plotting._predictions_input import check_predictions, check_two_classes
from skbreast.plotting._roc_curves import compute_curve, try_patients
from skbreast.plotting._style import FAINT, INK, as_written, class_color, get_axes, tidy

__all__ = ["PatientRocDisplay"]

_CURVE = "skbreast-roc-curve"
_BESIDE = "; points, means of folds too, may lie beside the mean curve"
_NO_BAND = ", no band: see brackets"  # every resample ranks the same patients rightly
_SIZE = (4.8, 4.6)  # of a panel in inches, without its legend
_PLURALS = {"patch": "patches", "patient": "patients"}


class PatientRocDisplay:
    """ROC curves by patch (left) and by patient (right).

    The band and the intervals come from resamples of patients, each with all its patches. Make one
    with :meth:`from_predictions` or :meth:`from_estimator`; several models share axes by ``ax``::

        first = PatientRocDisplay.from_predictions(predictions, name="network")
        PatientRocDisplay.from_predictions(baseline, name="colour", ax=first.axes_)

    Parameters
    ----------
    by_patch : RocCurve
        Of patches.
    by_patient : RocCurve, optional
        Of patients. Without it there is one panel only.
    why_no_patients : str, default=""
        Why it is missing, a note in the title.
    class_names : tuple of str
        Names of the classes.
    threshold : float, optional
        The score from which a patch, or a patient, counts as positive.
    name : str, optional
        Of the model, in the legend.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Where it is drawn.
    axes_ : ndarray of shape (n_panels,) of matplotlib Axes
        By patch and, if it exists, by patient; one where a `level` was chosen.
    lines_, bands_, points_ : list
        The curve, its band and its operating point (or None) of each panel.

    See Also
    --------
    sklearn.metrics.RocCurveDisplay : Curves without patients; it draws these.

    Notes
    -----
    Where a model ranks all patients rightly, so it does in every resample: the band has no width,
    and only the interval of the area in the legend says how little a few patients prove. The
    legend says so.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_patients, make_model
    >>> from skbreast.plotting import PatientRocDisplay
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> predictions = cross_validate_patients(
    ...     make_model("colour"), patches.data, patches.target, patches.groups, cv=2
    ... )
    >>> display = PatientRocDisplay.from_predictions(
    ...     predictions, target_names=patches.target_names, threshold=0.5, n_resamples=100
    ... )
    >>> len(display.axes_)
    2
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        by_patch,
        by_patient=None,
        why_no_patients="",
        class_names,
        threshold=None,
        name=None,
    ):
        self.by_patch = by_patch
        self.by_patient = by_patient
        self.why_no_patients = why_no_patients
        self.class_names = class_names
        self.threshold = threshold
        self.name = name

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
        threshold=None,
        n_resamples=1000,
        confidence_level=0.95,
        random_state=0,
        level=None,
        name=None,
        ax=None,
        curve_kwargs=None,
        band_kwargs=None,
    ):
        """Compute and draw the curves of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_patches,) or Predictions
            Labels; or all predictions in place of the arrays, from
            :func:`skbreast.evaluation.cross_validate_patients`.
        y_score : array-like of shape (n_patches,) or (n_patches, n_classes), optional
            Scores of the positive class, or of all classes in the order of the sorted labels.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        folds : array-like of shape (n_patches,), optional
            Which of several models judged the patch. Their scores are not compared with each
            other: the curve is the mean of the folds' curves at equal false positive rates, without
            folds of a single class.
        pos_label : int or str, optional
            The positive class; the greater label of two by default. With more than two classes it
            is set against the rest; without it the curve is the mean over the classes' curves
            against the rest.
        target_names : sequence of str, optional
            Names of the classes, in the order of the sorted labels.
        aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
            How patches' scores become the patient's, see :func:`skbreast.metrics.patient_scores`.
        threshold : float, optional
            Marks where scores from this one on count as positive: a mean over folds, which may
            lie beside the mean curve. Two classes only.
        n_resamples : int, default=1000
            Resamples of patients, within those that have the same labels.
        confidence_level : float, default=0.95
            Of the band and the intervals, in (0, 1).
        random_state : int, RandomState instance or None, default=0
            Seed of the resampling.
        level : {None, "patch", "patient"}, default=None
            Which curve to draw; None draws both.
        name : str, optional
            Of the model, in the legend.
        ax : matplotlib Axes or array of them, optional
            Where to draw: two, or one where a `level` is chosen or there is no curve by patient.
        curve_kwargs, band_kwargs : dict, optional
            For the lines and the bands.

        Returns
        -------
        PatientRocDisplay
            Drawn.

        Raises
        ------
        ValueError
            If predictions are not as documented, there are fewer than two patients, no fold has
            two classes, or `level` is "patient" and there is no curve by patient.
        """
        judged = check_predictions(
            y_true, y_score, groups, folds=folds, pos_label=pos_label, target_names=target_names
        )
        if threshold is not None:
            check_two_classes(judged, what="A threshold")
            check_number(threshold, name="threshold", low=-np.inf)
        options = {
            "threshold": threshold,
            "n_resamples": n_resamples,
            "confidence_level": confidence_level,
            "random_state": random_state,
        }
        by_patient, reason = try_patients(judged, aggregate, options)
        check_level(level, reason)
        display = cls(
            by_patch=compute_curve(judged, **options),
            by_patient=by_patient,
            why_no_patients=reason,
            class_names=judged.class_names,
            threshold=threshold,
            name=name,
        )
        return display.plot(ax, level=level, curve_kwargs=curve_kwargs, band_kwargs=band_kwargs)

    @classmethod
    def from_estimator(cls, estimator, X, y, groups, *, name=None, **options):
        """Let a fitted estimator judge patches that it was not fitted on, and draw its curves.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`; or, of two classes, with `decision_function`, whose
            values are then the scores.
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
        PatientRocDisplay
            Drawn.
        """
        name = type(estimator).__name__ if name is None else name
        said = judge_patches(estimator, X, y, groups, decisions=True)
        options = own_threshold(estimator, said, options) | options
        return cls.from_predictions(said, name=name, **options)

    def plot(self, ax=None, *, level=None, name=None, curve_kwargs=None, band_kwargs=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, optional
            Where to draw; curves that are there already stay, and colours go on. Axes of a figure
            without a layout engine are made lower where their legend would be cut off.
        level : {None, "patch", "patient"}, default=None
            Which curve to draw; None draws both.
        name : str, optional
            Of the model, in the legend; by default the one that was given before.
        curve_kwargs, band_kwargs : dict, optional
            For the lines and the bands.

        Returns
        -------
        PatientRocDisplay
            Itself.
        """
        name = self.name if name is None else name
        panels = choose_panels(
            self.by_patch, self.by_patient, level, why_no_patients=self.why_no_patients
        )
        self.figure_, axes = get_axes(
            ax, n_columns=len(panels), size=_SIZE, hint=HINT, layout="compressed"
        )
        self.axes_ = axes.ravel()
        self.lines_, self.bands_, self.points_ = [], [], []
        for panel, (unit, curve) in zip(self.axes_, panels.items(), strict=True):
            color = class_color(sum(line.get_gid() == _CURVE for line in panel.lines))
            label = f"AUC {_write(curve.auc)}{_NO_BAND if _has_no_band(curve) else ''}"
            style = {
                "color": color,
                "linewidth": 2,
                "label": f"{name}: {label}" if name else label,
                **(curve_kwargs or {}),
                "gid": _CURVE,
            }
            self.lines_.append(_draw_curve(panel, curve, style))
            self.bands_.append(_draw_band(panel, curve, style["color"], band_kwargs or {}))
            self.points_.append(self._draw_point(panel, curve, style["color"]))
            self._label(panel, curve, unit, alone=level is not None)
        grow_for_legends(self.figure_, self.axes_, _SIZE[1], new=ax is None)
        as_written(self.axes_)
        return self

    def _draw_point(self, ax, curve, color):
        if curve.sensitivity is None:
            return None
        label = (
            f"score ≥ {self.threshold:.3g}: sensitivity {_write(curve.sensitivity, 2)},\n"
            f"specificity {_write(curve.specificity, 2)}"
        )
        position = [1 - curve.specificity.estimate], [curve.sensitivity.estimate]
        [point] = ax.plot(
            *position,
            "o",
            markersize=9,
            color=color,
            markeredgecolor="white",
            label=label,
            zorder=4,
            clip_on=False,
        )
        return point

    def _label(self, ax, curve, unit, *, alone):
        tidy(ax)
        binary = len(self.class_names) == 2
        title = f"ROC by {unit}: {self._count_rows(curve, unit)}"
        if self.why_no_patients and not alone:
            title += f"\nNo curve by patient: {self.why_no_patients}"
        lines = [textwrap.fill(line, 46) for line in title.split("\n")]
        ax.set_title("\n".join(lines), loc="left", fontsize=10, color=INK)
        of_what = f"of {self.class_names[1]}" if binary else "mean over classes"
        ax.set(
            xlabel="False positive rate (1 − specificity)",
            ylabel=f"True positive rate (sensitivity)\n{of_what}",
        )
        found = f"{100 * curve.auc.confidence_level:.3g} % over {curve.auc.n_patients} patients"
        of_folds = f"means of {curve.n_folds} folds; " if curve.n_folds > 1 else ""
        beside = "" if curve.n_folds == 1 or curve.sensitivity is None else _BESIDE
        legend_below(ax, title=f"{of_folds}band and brackets: {found}{beside}".capitalize())

    def _count_rows(self, curve, unit):
        if len(curve.n_rows) > 2:
            return f"{sum(curve.n_rows):,} {_PLURALS[unit]} of {len(curve.n_rows)} classes"
        counts = zip(curve.n_rows, self.class_names, strict=True)
        return ", ".join(f"{count:,} of {each}" for count, each in counts)


def _has_no_band(curve):
    return bool(np.allclose(curve.low, curve.high, atol=1e-9))


def _draw_curve(ax, curve, style):
    """Draw with scikit-learn's Display: from (0, 0), and the line of chance under the first."""
    first = not any(line.get_gid() == _CURVE for line in ax.lines)
    return (
        RocCurveDisplay(fpr=np.append(0, curve.fpr), tpr=np.append(0, curve.tpr))
        .plot(
            ax,
            curve_kwargs=style,
            plot_chance_level=first,
            chance_level_kw={"color": FAINT, "linewidth": 1, "label": "_chance", "zorder": 1.5},
        )
        .line_
    )


def _draw_band(ax, curve, color, options):
    style = {"color": color, "alpha": 0.18, "linewidth": 0, **options}
    return ax.fill_between(curve.fpr, curve.low, curve.high, **style)


def _write(interval, n_decimals=3):
    figures = (interval.estimate, interval.low, interval.high)
    return "{:.{n}f} [{:.{n}f}, {:.{n}f}]".format(*figures, n=n_decimals)
