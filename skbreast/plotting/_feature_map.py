"""`FeatureMapDisplay`: features on two axes, coloured by label and by patient."""

import numpy as np

from skbreast._patients import by_patient
from skbreast._validation import check_number
from skbreast.plotting._embedding import embed_features, variance_share
from skbreast.plotting._feature_input import (
    check_features,
    check_names,
    choose_rows,
    find_transformer,
)
from skbreast.plotting._legend import grow_for_legends, legend_below
from skbreast.plotting._shown import shorten_apart
from skbreast.plotting._style import as_written, class_color, get_axes, tidy

__all__ = ["FeatureMapDisplay"]

OTHERS = "#C4C4C4"
_MOST_NAMED = 24
_SIZE = (5.2, 4.6)  # of a panel in inches, without its legend


class FeatureMapDisplay:
    """Features of patches on two axes, coloured by label and by patient, to see batch effects.

    Make it with :meth:`from_estimator` or :meth:`from_features`. Where patches lie together by
    patient (or by laboratory, scanner, stain) rather than by label, a model can learn the patient.
    Above each panel stands how much of the variance of the map lies between labels or patients.

    Parameters
    ----------
    embedding : ndarray of shape (n_patches, 2)
        A point a patch.
    axis_names : tuple of (str, str)
        Labels of the axes.
    y : ndarray of shape (n_patches,), optional
        Labels.
    groups : ndarray of shape (n_patches,), optional
        Patient ids.
    rows : ndarray of shape (n_patches,), optional
        Which of the patches that were given are shown.
    label_share, patient_share : VarianceShare, optional
        ``share`` of the variance that lies between labels or patients, what it is by ``chance``,
        and ``corrected`` for it.
    patient_share_within_labels : VarianceShare, optional
        Of what is left once each label's mean is taken away, what lies between its patients.
    target_names : sequence of str, optional
        Names of the labels in sorted order.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    axes_ : ndarray of shape (n_panels,) of matplotlib Axes
        By label and by patient, where they are known.
    panels_ : list of str
        "label" and "patient", in the order of `axes_`.
    points_ : dict of str to matplotlib PathCollection
        The patches of each panel, rasterised in vector files.
    centroids_ : matplotlib PathCollection
        The mean of each highlighted patient's shown patches.
    legends_ : dict of str to matplotlib Legend
        Below each panel; long names are shortened in their middle.

    See Also
    --------
    skbreast.stain.MacenkoNormalizer : Takes differences of stain away.

    Notes
    -----
    Patients differ for reasons other than batches: their disease does, and a patient whose patches
    all have one label shares in what the label explains. Therefore the share of patients is given
    among patches of one label, too. The chance that is corrected for is that of dealing labels to
    patches, not to patients: with a handful of patients, the share of labels is still flattered.
    A map keeps part of the features' variance only; UMAP's distances between clusters say little.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.plotting import FeatureMapDisplay
    >>> from skbreast.texture import ColorFeatures
    >>> patches = make_patches(6, 10, patch_size=16, random_state=0)
    >>> extractor = ColorFeatures().fit(patches.data)
    >>> display = FeatureMapDisplay.from_estimator(
    ...     extractor, patches.data, patches.target, patches.groups
    ... )
    >>> display.embedding.shape
    (60, 2)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        embedding,
        axis_names,
        y=None,
        groups=None,
        rows=None,
        label_share=None,
        patient_share=None,
        patient_share_within_labels=None,
        target_names=None,
    ):
        self.embedding = embedding
        self.axis_names = axis_names
        self.y = y
        self.groups = groups
        self.rows = rows
        self.label_share = label_share
        self.patient_share = patient_share
        self.patient_share_within_labels = patient_share_within_labels
        self.target_names = target_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        groups=None,
        *,
        method="pca",
        max_patches=2000,
        random_state=0,
        target_names=None,
        n_highlighted=8,
        ax=None,
    ):
        """Draw the features that a fitted transformer or pipeline makes of patches.

        Parameters
        ----------
        estimator : transformer, Pipeline or search
            A fitted transformer; a fitted pipeline, whose last step is left out where it predicts;
            or a search for the best of them.
        X : array-like or sequence of length n_patches
            What its `transform` takes. Only the patches that are shown go through it.
        y : array-like of shape (n_patches,), optional
            Labels.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        method, max_patches, random_state, target_names
            As in :meth:`from_features`.
        n_highlighted, ax
            As in :meth:`plot`.

        Returns
        -------
        FeatureMapDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the estimator makes no features, or arguments are not as described.
        """
        transformer = find_transformer(estimator)
        y, groups, rows = choose_rows(y, groups, len(X), max_patches, random_state)
        X = X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows]
        return cls._embedded(
            transformer.transform(X), y, groups, rows, method, random_state, target_names
        ).plot(ax, n_highlighted=n_highlighted)

    @classmethod
    def from_features(
        cls,
        features,
        y=None,
        groups=None,
        *,
        method="pca",
        max_patches=2000,
        random_state=0,
        target_names=None,
        n_highlighted=8,
        ax=None,
    ):
        """Draw features.

        Parameters
        ----------
        features : array-like of shape (n_patches, n_features)
            Finite numbers.
        y : array-like of shape (n_patches,), optional
            Labels, at most 20 different ones. Give `y`, `groups` or both.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        method : {"pca", "umap"} or transformer, default="pca"
            What brings features onto two axes. For "pca" and "umap" (``pip install umap-learn``)
            each feature is standardised first. A transformer gets them as they are: a fitted one
            transforms them, so that several maps can have the same axes; of another a clone is
            fitted.
        max_patches : int or None, default=2000
            How many patches are embedded and shown; every patient loses the same share of the
            others. None shows all.
        random_state : int, RandomState instance or None, default=0
            Decides which patches are shown, their order of drawing, and the embedding.
        target_names : sequence of str, optional
            Names of the labels in sorted order.
        n_highlighted, ax
            As in :meth:`plot`.

        Returns
        -------
        FeatureMapDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If arguments are not as described.
        ImportError
            If `method` is "umap" and umap-learn is not installed.
        """
        features = check_features(features)
        y, groups, rows = choose_rows(y, groups, len(features), max_patches, random_state)
        return cls._embedded(
            features[rows], y, groups, rows, method, random_state, target_names
        ).plot(ax, n_highlighted=n_highlighted)

    @classmethod
    def _embedded(cls, features, y, groups, rows, method, random_state, target_names):
        target_names = check_names(target_names, y)
        features = check_features(features)
        embedding, axis_names = embed_features(features, method=method, random_state=random_state)
        shares = {}
        if y is not None:
            shares["label_share"] = variance_share(embedding, y)
        if groups is not None:
            shares["patient_share"] = variance_share(embedding, groups)
        if len(shares) == 2:
            shares["patient_share_within_labels"] = variance_share(embedding, groups, within=y)
        return cls(
            embedding=embedding,
            axis_names=axis_names,
            y=y,
            groups=groups,
            rows=rows,
            target_names=target_names,
            **shares,
        )

    def plot(self, ax=None, *, n_highlighted=8):
        """Draw a panel coloured by label and one by patient, where they are known.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, optional
            As many as there are panels. By default new ones, beside each other.
        n_highlighted : int, default=8
            How many patients get a colour and a mark at the mean of their patches, those with most
            patches first; the others are grey. Colours repeat after eight; up to 24 are named.

        Returns
        -------
        self : FeatureMapDisplay
            With artists.
        """
        check_number(n_highlighted, name="n_highlighted", low=0, integer=True)
        known = (("label", self.y), ("patient", self.groups))
        self.panels_ = [name for name, ids in known if ids is not None]
        self.figure_, axes = get_axes(ax, n_columns=len(self.panels_), size=_SIZE)
        self.axes_ = axes.ravel()
        self.points_, self.legends_ = {}, {}
        for name, panel in zip(self.panels_, self.axes_, strict=True):
            if name == "label":
                self._draw_labels(panel)
            else:
                self._draw_patients(panel, n_highlighted)
        grow_for_legends(self.figure_, self.axes_, _SIZE[1], new=ax is None)
        as_written(self.axes_)
        return self

    def _draw_labels(self, ax):
        labels, codes = np.unique(self.y, return_inverse=True)
        self._draw_points(ax, "label", [class_color(code) for code in codes], np.zeros(len(codes)))
        names = self.target_names or labels
        counts = np.bincount(codes)
        entries = [
            (class_color(code), f"{name} ({count:,})")
            for code, (name, count) in enumerate(zip(names, counts, strict=True))
        ]
        title = f"By label\n{_percent(self.label_share)}"
        self._finish(ax, "label", title, entries, heading="label (patches)")

    def _draw_patients(self, ax, n_highlighted):
        patients = by_patient(self.groups, n_samples=len(self.embedding))
        largest = np.argsort(-patients.counts, kind="stable")[:n_highlighted]
        palette = np.full(len(patients.ids), OTHERS, dtype=object)
        palette[largest] = [class_color(place) for place in range(len(largest))]
        chosen = np.isin(patients.codes, largest)
        self._draw_points(ax, "patient", palette[patients.codes], chosen)
        means = [self.embedding[patients.codes == code].mean(axis=0) for code in largest]
        self.centroids_ = ax.scatter(
            *np.reshape(means, (-1, 2)).T,
            s=70,
            c=list(palette[largest]),
            marker="D",
            edgecolors="white",
            linewidths=1.5,
            zorder=4,
        )
        entries = _name_patients(patients, largest, palette)
        title = f"By patient\n{_percent(self.patient_share)}"
        if self.patient_share_within_labels is not None:
            within = _rounded(self.patient_share_within_labels.corrected)
            title += f"\n{within} beyond chance among patches of one label"
        self._finish(ax, "patient", title, entries, heading="patient (patches), diamond: mean")

    def _draw_points(self, ax, panel, colors, in_front):
        """Draw all points at once, in random order, so that no group lies over the others."""
        order = np.random.default_rng(0).permutation(len(self.embedding))
        order = order[np.argsort(in_front[order], kind="stable")]
        self.points_[panel] = ax.scatter(
            *self.embedding[order].T,
            s=np.clip(12_000 / len(order), 5, 25) * np.where(in_front[order], 1.6, 1),
            c=np.asarray(colors, dtype=object)[order].tolist(),
            alpha=0.7,
            linewidths=0,
            rasterized=True,
        )

    def _finish(self, ax, panel, title, entries, *, heading):
        from matplotlib.lines import Line2D

        tidy(ax)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        ax.set_aspect("equal", adjustable="datalim")  # distances are to be compared
        ax.set_title(title, fontsize="medium", loc="left")
        handles = [
            Line2D([], [], linestyle="none", marker="o", color=color, label=label)
            for color, label in entries
        ]
        self.legends_[panel] = legend_below(ax, title=heading, handles=handles, max_columns=3)


def _name_patients(patients, largest, palette):
    """Return a colour and a name for each patient that is named, and one line for all others."""
    named, more = largest[:_MOST_NAMED], largest[_MOST_NAMED:]
    names = shorten_apart(patients.ids[named])
    entries = [
        (palette[code], f"{name} ({patients.counts[code]:,})")
        for code, name in zip(named, names, strict=True)
    ]
    grey = np.setdiff1d(np.arange(len(patients.ids)), largest)
    for codes, color, what in ((more, palette[more][:1], "more"), (grey, [OTHERS], "others")):
        if len(codes):
            entries.append((color[0], f"{len(codes):,} {what} ({patients.counts[codes].sum():,})"))
    return entries


def _percent(share):
    return f"{_rounded(share.share)} of the variance ({_rounded(share.corrected)} beyond chance)"


def _rounded(share):
    return "unknown" if np.isnan(share) else f"{100 * max(share, 0):.0f} %"
