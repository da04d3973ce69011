"""A gallery of patches: what a model got right and wrong, with label, score and patient."""

import math

import numpy as np
from sklearn.utils.validation import _num_samples

from skbreast._validation import check_number
from skbreast.plotting._choosing import choose_patches, describe_choice
from skbreast.plotting._gallery_tiles import (
    FONT_SIZE,
    draw_frame,
    look_at,
    shape_of,
    shrink,
    text_height,
    wrap_lines,
    write_problem,
)
from skbreast.plotting._gallery_words import kind_of, tell_score, unpack, write_caption
from skbreast.plotting._judging import judge_patches
from skbreast.plotting._shown import read_shown
from skbreast.plotting._style import INK, get_axes

__all__ = ["PatchGalleryDisplay"]

_TITLE_SIZE = 10


class PatchGalleryDisplay:
    """A gallery of patches with label, prediction, score and patient.

    Make it with `from_predictions` or `from_estimator`. A wrong patch has a thick orange frame
    and a cross, a right one a thin blue frame and a tick.

    Parameters
    ----------
    patches : list of ndarray of shape (height, width, 3), dtype uint8, or None
        What is shown, each in its own size; None where a patch cannot be read.
    captions : list of str
        What stands below each.
    kinds : list of {"right", "wrong"}
        What each is.
    problems : list of str or None, optional
        Why a patch cannot be read.
    rows : ndarray of int, optional
        Which patches of the data set these are.
    title : str, optional
        What stands over the gallery.
    n_columns : int, default=4
        Tiles side by side.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The picture.
    axes_ : ndarray of matplotlib Axes, shape (n_tiles,)
        One a tile; those left over are hidden.
    images_ : list of matplotlib AxesImage or None
        The patches.
    frames_ : list of matplotlib Rectangle
        Their frames.
    captions_, signs_ : list of matplotlib Text
        What stands below them, and their crosses and ticks.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.plotting import PatchGalleryDisplay
    >>> patches = make_patches(4, 4, patch_size=32, random_state=0)
    >>> score = patches.data.mean(axis=(1, 2, 3)) / 255
    >>> gallery = PatchGalleryDisplay.from_predictions(
    ...     patches.data, patches.target, score, patches.groups, show="unsure", n_patches=2,
    ...     target_names=patches.target_names,
    ... )
    >>> len(gallery.patches), gallery.title.splitlines()[0]
    (2, 'Least sure: 2 of 16')
    >>> import matplotlib.pyplot as plt
    >>> plt.close(gallery.figure_)
    """

    def __init__(
        self, *, patches, captions, kinds, problems=None, rows=None, title="", n_columns=4
    ):
        self.patches = patches
        self.captions = captions
        self.kinds = kinds
        self.problems = problems
        self.rows = rows
        self.title = title
        self.n_columns = n_columns

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true,
        y_score=None,
        groups=None,
        *,
        show="wrong",
        patient=None,
        n_patches=12,
        per_patient="auto",
        pos_label=None,
        threshold=None,
        target_names=None,
        random_state=0,
        n_columns=4,
        ax=None,
    ):
        """Choose patches by what was predicted, read them, and draw them.

        Parameters
        ----------
        X : array-like of n_patches
            Patch references, of which only those shown are read; or raw pixels
            ``(n_patches, height, width, channels)``, 0…255, or scaled ones, 0…1.
        y_true : array-like of shape (n_patches,), or Predictions
            Labels; the greater of two is the positive class. Or
            :class:`skbreast.evaluation.Predictions`, which know their rows of `X`, in place of
            labels, scores and groups.
        y_score : array-like of shape (n_patches,) or (n_patches, n_classes)
            Probabilities of the positive class, or of each class in the order of the sorted
            labels. 0…1.
        groups : array-like of shape (n_patches,), optional
            Patient ids. Without them no patient is named, and nothing is spread over patients.
        show : str, default="wrong"
            Which patches:

            - "any", "right", "wrong": drawn at random, so they stand for all such patches;
            - "false_positive", "false_negative": of two classes, drawn at random;
            - "sure": the highest probability of the predicted class, predicted classes in turn;
            - "unsure": the smallest difference between the two most probable classes;
            - "sure_wrong": wrong, and the smallest probability of the true class;
            - "threshold": of two classes, nearest to the threshold, its sides in turn;
            - "patient": one patient's, evenly spaced from the lowest score to the highest (of
              more than two classes: probability of the true class).
        patient : str or int, optional
            Only patches of this patient; needed by "patient".
        n_patches : int, default=12
            How many at most.
        per_patient : int, None or "auto", default="auto"
            How many patches of one patient, while there are others; None means any number.
        pos_label : int or str, optional
            The positive class, if not the greater of two; of more than two it is set against the
            rest.
        threshold : float, optional
            Probability of the positive class from which a patch is called positive, 0…1. By
            default 0.5; Predictions by default keep the decisions of their models.
        target_names : sequence of str, optional
            Name of each class, in the order of the labels.
        random_state : int or RandomState, default=0
            For what is drawn, and for ties.
        n_columns : int, default=4
            Tiles side by side.
        ax : array-like of matplotlib Axes, optional
            Where to draw, see `plot`.

        Returns
        -------
        PatchGalleryDisplay
            Drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed, or h5py for patches in HDF5 files.
        ValueError
            If an argument is out of its range or in another's place, lengths differ, `X` lacks rows
            that were predicted, `show` is not for so many classes, or the patient is unknown.

        Warns
        -----
        UserWarning
            If Predictions are of the first patches of `X` and of no others: that they were of
            another data set is more likely.
        """
        check_number(n_columns, name="n_columns", low=1, high=100, integer=True)
        decided, groups, rows, names = unpack(
            X, y_true, y_score, groups, pos_label, threshold, target_names
        )
        chosen, n_candidates = choose_patches(
            decided,
            groups,
            show=show,
            patient=patient,
            n_patches=n_patches,
            per_patient=per_patient,
            rows=rows,
            random_state=random_state,
        )
        patches, problems = read_shown(X, rows[chosen])
        text = describe_choice(decided, len(chosen), n_candidates, show=show, patient=patient)
        display = cls(
            patches=patches,
            captions=[write_caption(decided, groups, names, each) for each in chosen],
            kinds=[kind_of(decided, each) for each in chosen],
            problems=problems,
            rows=rows[chosen],
            title=f"{text}\n{tell_score(names)}",
            n_columns=n_columns,
        )
        return display.plot(ax)

    @classmethod
    def from_estimator(cls, estimator, X, y, groups=None, **options):
        """Let a fitted model judge patches, and show some of them.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`; its own decisions count unless a `threshold` is given.
        X : array-like of n_patches
            Patches that it was not trained on, as in `from_predictions`. All are judged.
        y : array-like of shape (n_patches,)
            Labels that the estimator knows.
        groups : array-like of shape (n_patches,), optional
            Patient ids.
        **options
            As in `from_predictions`.

        Returns
        -------
        PatchGalleryDisplay
            Drawn.

        Raises
        ------
        ImportError, ValueError
            As in `from_predictions`; also if the estimator gives no probabilities, or doesn't
            know a label.
        """
        groups = np.arange(_num_samples(y)) if groups is None else groups
        predictions = judge_patches(estimator, X, y, groups)
        return cls.from_predictions(X, predictions, **options)

    def plot(self, ax=None, *, tile_size=1.9):
        """Draw the gallery.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, optional
            At least one a patch; those left over are hidden. By default a new figure, which alone
            gets the title.
        tile_size : float, default=1.9
            Width of a new tile in inches.

        Returns
        -------
        PatchGalleryDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are fewer Axes than patches.
        """
        heights, widths = zip(*(shape_of(patch) for patch in self.patches or [None]), strict=True)
        whole = max(heights), max(widths)
        self.figure_, self.axes_ = self._make_axes(ax, tile_size, whole)
        self.images_, self.frames_, self.captions_, self.signs_ = [], [], [], []
        for each in self.axes_:
            each.set(xticks=[], yticks=[])
            each.spines[:].set_visible(False)
            each.patch.set_visible(False)
        for place, patch in enumerate(self.patches):
            self._draw(self.axes_[place], place, patch, whole)
            room = self.axes_[place].bbox.width if ax is not None else tile_size * self.figure_.dpi
            shrink(self.captions_[place], room)
        for each in self.axes_[max(len(self.patches), 1) :]:
            each.set_visible(False)
        if not self.patches:
            self.axes_[0].text(0.5, 0.5, "no such patch", ha="center", va="center", color=INK)
        if ax is None:  # the first layout knows the heights of captions, the second one heeds them
            self.figure_.draw_without_rendering()
        return self

    def _make_axes(self, ax, tile_size, whole):
        n_tiles = max(len(self.patches), 1)
        if ax is not None:
            given = np.ravel(np.asarray(ax, dtype=object))
            if given.size < n_tiles:
                raise ValueError(f"ax must hold at least {n_tiles} Axes; got {given.size}.")
            figure, axes = get_axes(given, n_columns=given.size)
            return figure, axes.ravel()
        n_columns = min(self.n_columns, n_tiles)
        n_rows = math.ceil(n_tiles / n_columns)
        title = wrap_lines(self.title, tile_size * n_columns, _TITLE_SIZE)
        n_lines = max((caption.count("\n") + 1 for caption in self.captions), default=0)
        height = tile_size * whole[0] / whole[1] + text_height(n_lines, FONT_SIZE) + 0.2
        height += text_height(title.count("\n") + 1, _TITLE_SIZE) / n_rows
        figure, axes = get_axes(n_rows=n_rows, n_columns=n_columns, size=(tile_size, height))
        figure.get_layout_engine().set(h_pad=0.06)  # a caption belongs to the patch above it
        figure.suptitle(title, fontsize=_TITLE_SIZE, color=INK, parse_math=False)
        return figure, axes.ravel()

    def _draw(self, ax, place, patch, whole):
        kind, (height, width) = self.kinds[place], shape_of(patch)
        if patch is None:
            height, width = whole
            problem = self.problems[place] if self.problems else "cannot be read"
            write_problem(ax, problem, whole)
            self.images_.append(None)
        else:
            self.images_.append(ax.imshow(patch, interpolation="antialiased"))
        frame, sign = draw_frame(ax, kind, height, width)
        self.frames_.append(frame)
        self.signs_.append(sign)
        look_at(ax, (height, width), whole)
        self.captions_.append(
            ax.set_xlabel(
                self.captions[place],
                fontsize=FONT_SIZE,
                color=INK,
                linespacing=1.2,
                parse_math=False,
            )
        )
