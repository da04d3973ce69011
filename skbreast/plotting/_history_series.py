"""The numbers of a training's course: checked, named, averaged; where its schedule restarts."""

from collections.abc import Mapping

import numpy as np

from skbreast._predictions import Predictions

__all__ = [
    "RATE",
    "check_epoch",
    "check_history",
    "find_restarts",
    "list_runs",
    "lowest_epoch",
    "mean_of_runs",
    "name_panels",
]

RATE = "learning_rate"
OLD_NAMES = {"lr": RATE}  # before Keras 3


def check_history(history, *, name="history"):
    """Return a history as a dict of arrays, an entry an epoch.

    Parameters
    ----------
    history : dict of str to sequence of float
        As `history_` of a classifier, or `History.history` of Keras.
    name : str
        What an error calls it.

    Returns
    -------
    dict of str to ndarray of shape (n_epochs,), float64
        Keras' old name of the learning rate is replaced.

    Raises
    ------
    ValueError
        If it is no dict, has no epoch, or its series differ in length or hold no numbers.
    """
    if not isinstance(history, Mapping) or not history:
        raise ValueError(
            f"{name} must be a dict of lists, one number an epoch, such as history_ or Keras' "
            f"History.history; got {history!r:.60}."
        )
    try:
        series = {
            OLD_NAMES.get(key, key): np.asarray(values, dtype=np.float64)
            for key, values in history.items()
        }
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something other than lists of numbers.") from error
    shapes = {values.shape for values in series.values()}
    if len(shapes) > 1 or next(iter(shapes)) == (0,) or len(next(iter(shapes))) != 1:
        lengths = ", ".join(f"{key} {values.shape}" for key, values in series.items())
        raise ValueError(f"{name} must hold lists of one length, at least 1; got {lengths}.")
    return series


def name_panels(histories):
    """Return what there is to draw: "loss", metrics, "learning_rate", in this order.

    A metric is a series that has a ``val_`` twin or lies in 0…1, in any of the runs.

    Parameters
    ----------
    histories : list of dict of str to ndarray
        What :func:`check_history` returns, a run each.
    """
    names = dict.fromkeys(key.removeprefix("val_") for history in histories for key in history)
    metrics = [name for name in names if name not in ("loss", RATE) and _is_drawn(name, histories)]
    return ["loss"] * ("loss" in names) + metrics + [RATE] * (RATE in names)


def _is_drawn(name, histories):
    if any(f"val_{name}" in history for history in histories):
        return True
    values = np.concatenate([history[name] for history in histories if name in history])
    values = values[np.isfinite(values)]
    return len(values) > 0 and values.min() >= 0 and values.max() <= 1


def mean_of_runs(series):
    """Return the mean over runs, of the epochs that every run has.

    Runs that early stopping ended sooner would otherwise leave a mean of those that went on, which
    jumps where one drops out.

    Parameters
    ----------
    series : list of ndarray of shape (n_epochs,)
        A series of each run; lengths may differ.

    Returns
    -------
    ndarray of shape (n_epochs of the shortest run,), float64
        NaN where a run has NaN.

    Examples
    --------
    >>> from skbreast.plotting._history_series import mean_of_runs
    >>> mean_of_runs([[1.0, 2.0, 3.0], [3.0, 4.0]]).tolist()
    [2.0, 3.0]
    """
    shared = min(map(len, series))
    return np.mean([values[:shared] for values in series], axis=0)


def find_restarts(rates):
    """Return the epochs (counted from 1) in which a learning rate rises that had fallen before.

    There a schedule begins anew: fine-tuning goes on to further layers, or a warm start to another
    fit. A warm-up at the start is none; a change without a rise cannot be seen in the rates.

    Parameters
    ----------
    rates : array-like of shape (n_epochs,)
        A learning rate an epoch.

    Examples
    --------
    >>> from skbreast.plotting._history_series import find_restarts
    >>> find_restarts([1e-3, 3e-3, 1e-3, 1e-4, 2e-4, 1e-4])
    [5]
    """
    steps = np.diff(np.asarray(rates, dtype=np.float64))
    fell, restarts = False, []
    for position, step in enumerate(steps):
        if step > 0 and fell:
            restarts.append(position + 2)
        fell = step < 0 or (fell and step == 0)
    return restarts


def lowest_epoch(history):
    """Return the epoch (counted from 1) of the lowest ``val_loss``, or None if there is none."""
    losses = history.get("val_loss", np.array([np.nan]))
    return None if np.isnan(losses).all() else int(np.nanargmin(losses)) + 1


def check_epoch(best, history):
    """Raise a ValueError unless a best epoch is one of a history's, counted from 1, or None."""
    n_epochs = len(next(iter(history.values())))
    if best is not None and best not in range(1, n_epochs + 1):
        raise ValueError(f"best_epochs must lie in 1…{n_epochs}, or be None; got {best!r}.")


def list_runs(histories, names):
    """Return histories as a list, and the names of the runs."""
    runs = list(histories.values()) if isinstance(histories, Mapping) else histories
    for each in runs if isinstance(runs, list | tuple) else [runs]:
        _refuse_others(each)
    if isinstance(histories, Mapping):
        if histories and not any(isinstance(run, Mapping) for run in runs):
            return [histories], names
        return runs, list(histories) if names is None else names
    return list(histories), names


def _refuse_others(history):
    """Say where the histories are of what holds some."""
    if isinstance(history, Predictions):
        raise ValueError(
            "histories must be dicts of lists, and here are Predictions: give "
            "predictions.histories, a history a fold where models are networks."
        )
    if hasattr(history, "fit"):
        raise ValueError(
            f"histories must be dicts of lists, and here is a {type(history).__name__}: give it "
            "to from_estimator."
        )
