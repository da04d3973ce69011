"""What the legend of a course of training says: lines, best epochs, restarts, runs by name."""

from skbreast.plotting._history_lines import TRAINING
from skbreast.plotting._style import CLASS_COLORS, FAINT, INK

__all__ = ["GIVEN", "KEPT", "LOWEST", "legend_handles"]

KEPT, LOWEST, GIVEN = "weights kept", "lowest validation loss", "best epoch"


def legend_handles(display, colors, bests):
    """Return what the legend of a TrainingHistoryDisplay explains, from its lines and marks."""
    from matplotlib.lines import Line2D

    several = len(display.histories) > 1
    color = INK if several else colors[0]
    validated = any(display.validation_lines_.values())
    train = TRAINING if validated else {"linewidth": 1.8}
    dots = {"color": color, "marker": "o", "markersize": 3.5}
    handles = [Line2D([], [], label=_name_line(display, "training"), **dots, **train)]
    if validated:
        label = _name_line(display, "validation")
        handles.append(Line2D([], [], linewidth=2, label=label, **dots))
    if any(display.best_markers_.values()):
        handles.append(_best_handle(display, several, colors, bests))
    if display.restart_lines_:
        label = "learning rate starts anew"
        handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=":", label=label))
    return handles + (_run_handles(display, colors, bests) if several else [])


def _name_line(display, kind):
    averaged = any(kind in means for means in display.mean_lines_.values())
    return f"mean {kind}" if averaged else kind


def _best_handle(display, several, colors, bests):
    from matplotlib.lines import Line2D

    where = "" if several or display.best_label == GIVEN else f"epoch {bests[0]}: "
    label = where + display.best_label
    if not several and display.best_label == GIVEN:
        label = f"{GIVEN}: {bests[0]}"
    color = INK if several else colors[0]
    style = {"linestyle": "none", "marker": "D", "markersize": 8, "markeredgecolor": "white"}
    return Line2D([], [], color=color, label=label, **style)


def _run_handles(display, colors, bests):
    from matplotlib.lines import Line2D

    count = len(display.histories)
    if count > len(CLASS_COLORS):
        return [Line2D([], [], color=FAINT, alpha=0.5, label=f"each of {count} runs")]
    names = display.names or [f"run {number + 1}" for number in range(count)]
    return [
        Line2D([], [], color=colors[run], label=name + (f" (epoch {best})" if best else ""))
        for run, (name, best) in enumerate(zip(names, bests, strict=True))
    ]
