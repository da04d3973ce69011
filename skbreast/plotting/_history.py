"""`TrainingHistoryDisplay`: loss, metrics and learning rate of one or several trainings."""

import numpy as np
from sklearn.exceptions import NotFittedError

from skbreast._unwrap import last_step
from skbreast._validation import check_choice, name_some
from skbreast.plotting._history_legend import GIVEN, KEPT, LOWEST, legend_handles
from skbreast.plotting._history_lines import (
    TRAINING,
    draw_line,
    drawable,
    label_panel,
    scale_loss,
)
from skbreast.plotting._history_series import (
    RATE,
    check_epoch,
    check_history,
    find_restarts,
    list_runs,
    lowest_epoch,
    mean_of_runs,
    name_panels,
)
from skbreast.plotting._style import (
    CLASS_COLORS,
    FAINT,
    INK,
    as_written,
    class_color,
    get_axes,
)

__all__ = ["TrainingHistoryDisplay"]


class TrainingHistoryDisplay:
    """Loss, metrics and learning rate against epoch, of one training or of several.

    Make it with :meth:`from_estimator` or :meth:`from_histories`.

    Parameters
    ----------
    histories : list of dict of str to array-like of shape (n_epochs,)
        A run each: ``loss``, metrics, their ``val_`` twins, ``learning_rate``; NaN where an epoch
        has no value.
    best_epochs : list of int or None, optional
        An epoch to mark in each run, counted from 1.
    best_label : str, default="best epoch"
        What is special about these epochs.
    names : list of str, optional
        Names of the runs; "run 1", "run 2", … by default.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    axes_ : ndarray of shape (n_panels,) of matplotlib Axes
        Those of the panels.
    panels_ : list of str
        "loss", metrics, "learning_rate", in the order of `axes_`.
    lines_, validation_lines_ : dict of str to list of matplotlib Line2D
        Lines by panel; a run each, where it has the series.
    mean_lines_ : dict of str to dict of str to matplotlib Line2D
        The means of several runs by panel, by "training" and "validation"; of the series that all
        runs have.
    best_markers_ : dict of str to list of matplotlib Line2D
        Marks of the best epochs by panel.
    restart_lines_ : list of matplotlib Line2D
        Where the learning rate of a single run starts anew.
    legend_ : matplotlib Legend
        The legend, above the first panel.

    See Also
    --------
    skbreast.PatchCNNClassifier : Keeps a training's course in `history_`.

    Examples
    --------
    >>> from skbreast.plotting import TrainingHistoryDisplay
    >>> first = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.7, 0.6, 0.65]}
    >>> second = {"loss": [0.7, 0.4], "val_loss": [0.8, 0.6]}
    >>> display = TrainingHistoryDisplay.from_histories({"fold 1": first, "fold 2": second})
    >>> display.best_epochs
    [2, 2]
    >>> display.panels_
    ['loss']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, histories, best_epochs=None, best_label=GIVEN, names=None):
        self.histories = histories
        self.best_epochs = best_epochs
        self.best_label = best_label
        self.names = names

    @classmethod
    def from_estimator(cls, estimator, *, names=None, ax=None, panels=None):
        """Draw the training of a fitted classifier, or of several.

        Parameters
        ----------
        estimator : PatchCNNClassifier, Pipeline or search, or a sequence of them
            A fitted classifier with a `history_`; a pipeline whose last step is one; a search
            whose `best_estimator_` is one. Several, such as ``cross_validate(...,
            return_estimator=True)["estimator"]``, are drawn over each other.
        names : sequence of str, optional
            Names of several runs.
        ax, panels
            As in :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The epoch marked in each run is the one whose weights were kept.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If an estimator has no `history_`.
        """
        several = isinstance(estimator, list | tuple)
        fitted = [_find_trained(each) for each in (estimator if several else [estimator])]
        display = cls._checked(
            [each.history_ for each in fitted],
            [getattr(each, "best_epoch_", None) for each in fitted],
            KEPT,
            names,
        )
        return display.plot(ax, panels=panels)

    @classmethod
    def from_histories(cls, histories, *, best_epochs=None, names=None, ax=None, panels=None):
        """Draw one or several histories.

        Parameters
        ----------
        histories : dict, sequence of dicts, or dict of dicts
            A history (dict of lists, an entry an epoch: `history_`, or Keras' `History.history`),
            several, or several by name.
        best_epochs : int or sequence of int, optional
            An epoch to mark in each run, counted from 1, or None in its place. By default that of
            the lowest ``val_loss``, where there is one.
        names : sequence of str, optional
            Names of several runs.
        ax, panels
            As in :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If a history is not as described, or counts differ.
        """
        histories, names = list_runs(histories, names)
        if best_epochs is None:
            return cls._checked(histories, None, LOWEST, names).plot(ax, panels=panels)
        best_epochs = [best_epochs] if np.ndim(best_epochs) == 0 else list(best_epochs)
        return cls._checked(histories, best_epochs, GIVEN, names).plot(ax, panels=panels)

    @classmethod
    def _checked(cls, histories, best_epochs, best_label, names):
        if not histories:
            raise ValueError(
                "histories is empty; give at least one run (models other than networks have none)."
            )
        histories = [
            check_history(history, name=f"histories[{number}]" if len(histories) > 1 else "history")
            for number, history in enumerate(histories)
        ]
        if best_epochs is None:
            best_epochs = [lowest_epoch(history) for history in histories]
        for given, what in ((best_epochs, "best_epochs"), (names, "names")):
            if given is not None and len(given) != len(histories):
                raise ValueError(f"{what} has {len(given)} entries for {len(histories)} runs.")
        for best, history in zip(best_epochs, histories, strict=True):
            check_epoch(best, history)
        names = None if names is None else [str(name) for name in names]
        return cls(histories=histories, best_epochs=best_epochs, best_label=best_label, names=names)

    def plot(self, ax=None, *, panels=None, loss_scale="auto"):
        """Draw a panel for the loss, for each metric, and a slim one for the learning rate.

        Training is dashed, validation solid, in one colour a run. Several runs are faint, with the
        mean over the epochs that all of them have in bold. Up to eight runs are named.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, optional
            As many as there are panels. By default new ones, below each other.
        panels : sequence of str, optional
            What to draw of "loss", metrics and "learning_rate"; everything by default.
        loss_scale : {"auto", "linear", "log"}, default="auto"
            Scale of the loss. "auto" is "log" where the highest loss is more than five times the
            lowest: the first epochs would otherwise flatten all others.

        Returns
        -------
        self : TrainingHistoryDisplay
            With artists.

        Raises
        ------
        ValueError
            If the runs have nothing to draw, lack a panel, or `ax` has another number of axes.
        """
        check_choice(loss_scale, name="loss_scale", choices=("auto", "linear", "log"))
        panels = self._choose(panels)
        slim = 0.4 if RATE in panels[1:] else 1
        heights = [slim if panel == RATE else 1 for panel in panels]
        self.figure_, axes = get_axes(
            ax,
            n_rows=len(panels),
            size=(6.4, 2.9 * sum(heights) / len(heights) + 0.3),
            sharex=True,
            height_ratios=heights,
        )
        self.panels_ = panels
        self.axes_ = axes.ravel()
        self.lines_, self.validation_lines_, self.mean_lines_ = {}, {}, {}
        self.best_markers_, self.restart_lines_ = {}, []
        for panel, axis in zip(panels, self.axes_, strict=True):
            self._draw_panel(axis, panel)
            label_panel(axis, panel)
            if panel == "loss":
                scale_loss(axis, loss_scale, self._all_losses())
        self._set_epochs(axes[:, 0], labelled=axes[-1:, 0] if ax is None else axes[:, 0])
        self._mark_restarts()
        self._add_legend(axes[0, 0])
        as_written(self.axes_)
        return self

    @property
    def _n_epochs(self):
        return max(len(values) for history in self.histories for values in history.values())

    def _choose(self, panels):
        found = name_panels(self.histories)
        if not found:
            raise ValueError("The histories have neither a loss nor a metric nor a learning rate.")
        if panels is None:
            return found
        panels = [panels] if isinstance(panels, str) else list(panels)
        if not panels:
            raise ValueError(f"panels is empty; take some of {name_some(found)}.")
        return [check_choice(panel, name="panels", choices=found) for panel in panels]

    def _all_losses(self):
        names = ("loss", "val_loss")
        return np.concatenate(
            [run[name] for run in self.histories for name in names if name in run]
        )

    def _color(self, run):
        return class_color(run) if len(self.histories) <= len(CLASS_COLORS) else FAINT

    def _draw_panel(self, ax, panel):
        several = len(self.histories) > 1
        alpha = 0.5 if several else 1
        twin = f"val_{panel}"
        validated = any(twin in history for history in self.histories)
        styles = {
            panel: TRAINING if validated else {"linewidth": 1.8},
            twin: {"linewidth": 1.2 if several else 2},
        }
        for name, style in styles.items():
            lines = [
                draw_line(
                    ax,
                    drawable(history[name], panel),
                    color=self._color(run),
                    alpha=alpha,
                    **style,
                )
                for run, history in enumerate(self.histories)
                if name in history
            ]
            (self.lines_ if name == panel else self.validation_lines_)[panel] = lines
        self.mean_lines_[panel] = self._draw_means(ax, panel, styles) if several else {}
        if panel != RATE:
            self.best_markers_[panel] = self._mark_best(ax, panel)

    def _draw_means(self, ax, panel, styles):
        lines = {}
        for kind, (name, style) in zip(("training", "validation"), styles.items(), strict=True):
            if panel != RATE and all(name in history for history in self.histories):
                mean = mean_of_runs([history[name] for history in self.histories])
                bold = style | {"linewidth": 1.5 if "linestyle" in style else 2.6}
                lines[kind] = draw_line(ax, mean, color=INK, zorder=3, **bold)
        return lines

    def _mark_best(self, ax, panel):
        markers = []
        for run, (history, best) in enumerate(zip(self.histories, self._bests, strict=True)):
            values = [
                history[name][best - 1]
                for name in (f"val_{panel}", panel)
                if best and name in history
            ]
            values = [value for value in values if np.isfinite(value)]
            if not values:
                continue
            if len(self.histories) == 1:
                ax.axvline(best, color=FAINT, linewidth=0.8, zorder=1)
            style = {"markersize": 8, "color": self._color(run), "markeredgecolor": "white"}
            markers += ax.plot([best], values[:1], "D", zorder=4, **style)
        return markers

    @property
    def _bests(self):
        return self.best_epochs or [None] * len(self.histories)

    def _mark_restarts(self):
        if len(self.histories) > 1 or RATE not in self.histories[0]:
            return
        for epoch in find_restarts(self.histories[0][RATE]):
            for ax in self.axes_:
                line = ax.axvline(epoch - 0.5, color=INK, linewidth=1, linestyle=":", zorder=1)
                self.restart_lines_.append(line)

    def _set_epochs(self, axes, *, labelled):
        from matplotlib.ticker import MaxNLocator

        for ax in axes:
            ax.xaxis.set_major_locator(
                MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
            )
            margin = max(0.5, 0.02 * self._n_epochs)
            ax.set_xlim(1 - margin, self._n_epochs + margin)
        for ax in labelled:
            ax.set_xlabel("Epoch")

    def _add_legend(self, ax):
        colors = [self._color(run) for run in range(len(self.histories))]
        handles = legend_handles(self, colors, self._bests)
        self.legend_ = ax.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2 if len(handles) == 4 else 3,
            frameon=False,
            fontsize="small",
        )


def _find_trained(estimator):
    """Return the classifier inside pipelines and searches that has a history."""
    trained = last_step(estimator)
    if not getattr(trained, "history_", None):
        raise NotFittedError(
            "estimator must be a fitted PatchCNNClassifier, or a fitted pipeline or search that "
            f"ends in one; this {type(trained).__name__} has no history_."
        )
    return trained
