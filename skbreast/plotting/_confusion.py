"""Confusion matrices by patch and by patient, counts and shares of the true class in each cell."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

from skbreast._validation import check_number
from skbreast.metrics import patient_weights
from skbreast.metrics._class_numbers import check_share
from skbreast.plotting._judging import judge_patches, own_threshold
from skbreast.plotting._panels import HINT, check_level, choose_panels
from skbreast.plotting._predictions_input import (
    check_predictions,
    check_two_classes,
    n_mixed_patients,
    of_patients,
)
from skbreast.plotting._style import INK, as_written, get_axes

__all__ = ["ConfusionTable", "PatientConfusionDisplay"]

_ALONE = "every patch counts as its own patient"


@dataclass(frozen=True, eq=False)
class ConfusionTable:
    """One panel of a :class:`PatientConfusionDisplay`.

    Attributes
    ----------
    shares : ndarray of shape (n_classes, n_classes), float64
        Of the true class, a row, how much was given to each class, a column; 0 for a class that
        no row has.
    counts : ndarray of shape (n_classes, n_classes), int, or None
        The counts behind the shares; None where these are weighted.
    title : str
        What is counted.
    """

    shares: np.ndarray
    counts: np.ndarray | None
    title: str


class PatientConfusionDisplay:
    """Confusion matrices by patch (left) and by patient (right).

    Each cell tells the count and the share of its true class; the colour tells the share, on the
    same scale in both. A patient is given to the class of the mean score of the patches. Where
    patients have patches of several classes, patients have no class: the right matrix is then one
    of patches, each weighted by one over the number of its patient's, so that all patients weigh
    the same; shares are of the weight of the true class. A patient with few patches of a class
    then weighs little in its row. Make one with :meth:`from_predictions` or
    :meth:`from_estimator`.

    Parameters
    ----------
    by_patch : ConfusionTable
        Of patches.
    by_patient : ConfusionTable, optional
        Of patients, or of weighted patches; without it there is one panel only.
    class_names : tuple of str
        Names of the classes.
    threshold : float, optional
        The score from which the second class was chosen, for the label of the axis.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Where it is drawn.
    axes_ : ndarray of shape (n_panels,) of matplotlib Axes
        By patch and, if it exists, by patient; one where a `level` was chosen.
    images_ : list of matplotlib AxesImage
        The coloured cells, with their ``colorbar`` where there is one.
    texts_ : list of ndarray of shape (n_classes, n_classes) of matplotlib Text
        What is written in them.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : One matrix without patients; it draws these.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.evaluation import cross_validate_patients, make_model
    >>> from skbreast.plotting import PatientConfusionDisplay
    >>> patches = make_patches(8, 4, patch_size=32, random_state=0)
    >>> predictions = cross_validate_patients(
    ...     make_model("colour"), patches.data, patches.target, patches.groups, cv=2
    ... )
    >>> display = PatientConfusionDisplay.from_predictions(
    ...     predictions, target_names=patches.target_names
    ... )
    >>> int(display.by_patch.counts.sum()), int(display.by_patient.counts.sum())
    (32, 8)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, by_patch, by_patient=None, class_names, threshold=None):
        self.by_patch = by_patch
        self.by_patient = by_patient
        self.class_names = class_names
        self.threshold = threshold

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
        level=None,
        ax=None,
        cmap="Blues",
        values_format=None,
        colorbar=False,
        xticks_rotation=None,
        im_kw=None,
        text_kw=None,
    ):
        """Count and draw decisions.

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
            Which of several models judged the patch. A patient whom several judged counts once
            for each.
        pos_label : int or str, optional
            The positive class, which comes last; the greater label of two by default. With more
            than two classes it is set against the rest.
        target_names : sequence of str, optional
            Names of the classes, in the order of the sorted labels.
        aggregate : {"mean", "max", "top_k", "vote"}, default="mean"
            How patches' scores become the patient's, see :func:`skbreast.metrics.patient_scores`.
        threshold : float, optional
            The score from which a patch, or a patient, counts as positive. By default decisions on
            patches are the model's own, where `Predictions` hold them; otherwise, and of patients,
            the most probable class, of two the positive one from 0.5. Under ``aggregate="vote"``
            a patch votes for the positive class from it on, and a patient is it from half the
            votes on.
        level : {None, "patch", "patient"}, default=None
            Which matrix to draw; None draws both.
        ax : matplotlib Axes or array of them, optional
            Where to draw: two, or one where a `level` is chosen or every patch is its own patient.
        cmap, values_format, colorbar, xticks_rotation, im_kw, text_kw
            As in :meth:`plot`.

        Returns
        -------
        PatientConfusionDisplay
            Drawn.

        Raises
        ------
        ValueError
            If predictions are not as documented, a threshold comes with more than two classes,
            scores of two classes without a threshold lie outside [0, 1], or `level` is "patient"
            and every patch is its own patient.
        """
        judged = check_predictions(
            y_true, y_score, groups, folds=folds, pos_label=pos_label, target_names=target_names
        )
        if threshold is not None:
            check_two_classes(judged, what="A threshold")
            check_number(threshold, name="threshold", low=-np.inf)
            judged = replace(judged, cut=threshold, y_pred=None)
        elif judged.y_score.ndim == 1 and judged.cut == 0.5:
            check_share(judged.y_score, name="y_score without a threshold")
        y_pred = _decide(judged) if judged.y_pred is None else judged.y_pred
        n_patches = len(y_pred)
        by_patient = _count_patients(judged, y_pred, aggregate)
        check_level(level, _ALONE if by_patient is None else "")
        display = cls(
            by_patch=_count(judged, y_pred, title=f"By patch: {n_patches:,} patches"),
            by_patient=by_patient,
            class_names=judged.class_names,
            threshold=threshold,
        )
        return display.plot(
            ax,
            level=level,
            cmap=cmap,
            values_format=values_format,
            colorbar=colorbar,
            xticks_rotation=xticks_rotation,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    @classmethod
    def from_estimator(cls, estimator, X, y, groups, **options):
        """Let a fitted estimator judge patches that it was not fitted on, and count its decisions.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`; or, of two classes, with `decision_function`: a patient
            counts as positive from a score of 0 then, unless there is a `threshold`. Decisions on
            patches are those of its `predict`. A model that has a threshold of its own, such as
            :class:`sklearn.model_selection.FixedThresholdClassifier`, decides on patients by it,
            too.
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
        PatientConfusionDisplay
            Drawn.
        """
        said = judge_patches(estimator, X, y, groups, decisions=True)
        return cls.from_predictions(said, **(own_threshold(estimator, said, options) | options))

    def plot(
        self,
        ax=None,
        *,
        level=None,
        cmap="Blues",
        values_format=None,
        colorbar=False,
        xticks_rotation=None,
        im_kw=None,
        text_kw=None,
    ):
        """Draw the matrices.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, optional
            Where to draw.
        level : {None, "patch", "patient"}, default=None
            Which matrix to draw; None draws both.
        cmap : str or matplotlib Colormap, default="Blues"
            For shares from 0 to 1; one of rising or falling lightness also prints.
        values_format : str, optional
            Format specification of the shares, such as ".1%" or ".2f"; whole per cents by default.
        colorbar : bool, default=False
            Whether each matrix has a colour bar; the cells tell the shares already.
        xticks_rotation : {"vertical", "horizontal"} or float, optional
            Of the class names below; long ones are turned by default.
        im_kw, text_kw : dict, optional
            For the coloured cells, as for ``imshow``, and for the texts in them.

        Returns
        -------
        PatientConfusionDisplay
            Itself.
        """
        tables = choose_panels(self.by_patch, self.by_patient, level, why_no_patients=_ALONE)
        side = max(4.5, 1.5 + 0.55 * len(self.class_names))
        self.figure_, axes = get_axes(
            ax, n_columns=len(tables), size=(side, side), hint=HINT, layout="compressed"
        )
        self.axes_ = axes.ravel()
        if xticks_rotation is None:
            xticks_rotation = 45 if sum(map(len, self.class_names)) > 36 else 0
        self.images_, self.texts_ = [], []
        for panel, table in zip(self.axes_, tables.values(), strict=True):
            drawn = ConfusionMatrixDisplay(table.shares, display_labels=self.class_names).plot(
                ax=panel,
                cmap=cmap,
                colorbar=False,
                xticks_rotation=xticks_rotation,
                im_kw={"vmin": 0, "vmax": 1, **(im_kw or {})},
                text_kw={"fontsize": _font_size(len(self.class_names)), **(text_kw or {})},
            )
            _write_cells(drawn.text_, table, drawn.im_, values_format, text_kw or {})
            self._label(panel, table)
            if colorbar:  # as high as the matrix
                bar = panel.figure.colorbar(drawn.im_, ax=panel, fraction=0.046, pad=0.04)
                bar.set_label("Share of the true class")
            self.images_.append(drawn.im_)
            self.texts_.append(drawn.text_)
        as_written(self.axes_)
        return self

    def _label(self, ax, table):
        predicted = "Predicted class"
        if self.threshold is not None:
            predicted += f" ({self.class_names[1]} from a score of {self.threshold:.3g})"
        ax.set(xlabel=predicted, ylabel="True class")
        ax.set_title(table.title, loc="left", fontsize=10, color=INK)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        for label in ax.get_xticklabels():
            turned = label.get_rotation() not in (0, 90)
            label.set(
                ha="right" if turned else "center", rotation_mode="anchor" if turned else None
            )


def _decide(judged):
    """Return class numbers: from the cut on, or the most probable class."""
    if judged.y_score.ndim == 2:
        return judged.y_score.argmax(axis=1)
    return (judged.y_score >= judged.cut).astype(np.intp)


def _count_patients(judged, y_pred, aggregate):
    """Return the right table: of patients, of patches weighted by patient, or none."""
    n_patients = judged.n_patients
    if n_patients == len(y_pred):
        return None
    n_mixed = n_mixed_patients(judged)
    if n_mixed:
        title = (
            f"By patch, weighted: {n_patients:,} patients, each 1 in all\n"
            f"({n_mixed:,} of them have patches of several classes);\n"
            "shares are of each true class, after weighting"
        )
        return _count(judged, y_pred, title=title, weights=patient_weights(judged.groups))
    patients = of_patients(judged, aggregate=aggregate)
    n_judged = len(patients.y_true)
    title = f"By patient: {n_patients:,} patients"
    title += f", judged {n_judged:,} times" if n_judged > n_patients else ""
    binary = len(judged.class_names) == 2
    rule = f" from {patients.cut:.3g}" if binary else ", the highest one"
    title += f"\ndecided by the {aggregate} score{rule}"
    return _count(patients, _decide(patients), title=title)


def _count(judged, y_pred, *, title, weights=None):
    labels = np.arange(len(judged.class_names))
    counts = confusion_matrix(judged.y_true, y_pred, labels=labels, sample_weight=weights)
    of_class = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(of_class > 0, of_class, 1)
    return ConfusionTable(shares, counts if weights is None else None, title)


def _write_cells(texts, table, image, values_format, text_kw):
    """Write shares, and counts above them, in black or white, whichever the cell sets off more."""
    for cell, text in np.ndenumerate(texts):
        share = _write_share(table.shares[cell], values_format)
        if table.counts is not None:
            share = f"{table.counts[cell]:,}\n{share}" if table.counts[cell] else "0"
        text.set_text(share)
        if "color" not in text_kw:
            color = image.cmap(image.norm(table.shares[cell]))
            text.set_color("white" if _luminance(color) < 0.18 else "black")


def _write_share(share, values_format):
    if values_format is None:
        return f"{100 * share:.0f} %"
    try:
        return format(share, values_format)
    except (TypeError, ValueError):
        raise ValueError(
            'values_format is for shares, 0…1, such as ".1%" or ".2f" (counts are whole numbers '
            f"anyway); got {values_format!r}."
        ) from None


def _luminance(color):
    """Return the relative luminance of a colour, of which 0.18 is equally far from both ends.

    References
    ----------
    .. [1] World Wide Web Consortium, "Web Content Accessibility Guidelines (WCAG) 2.1", 2018.
    """
    channels = np.asarray(color[:3])
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _font_size(n_classes):
    return max(6, 15 - n_classes)
