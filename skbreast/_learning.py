"""One training as users meet it: history, progress, callbacks, early stopping, interruption."""

import numpy as np

from skbreast._callbacks import EpochTasks
from skbreast._fitting import BestWeights, Course, constant_rate, extended, run_phases, train
from skbreast._progress import progress_bar
from skbreast._resuming import open_memory
from skbreast._teams import ALONE
from skbreast._warn import warn_user
from skbreast.exceptions import TrainingInterruptedWarning

__all__ = ["learn", "learn_once"]

SHOWN = ("loss", "val_loss", "accuracy", "val_accuracy")  # first what a narrow terminal keeps


def learn(estimator, program, phases, training, validation, *, samples, history, seed, team=ALONE):
    """Train a program and keep on the estimator what came of it.

    With a `checkpoint` it is kept on disk after every epoch, and goes on where one of the same
    training was killed or interrupted; when it ends, the file is deleted.

    It sets `history_`, `n_iter_`, `best_epoch_` and `weights_`. An interruption from the keyboard
    ends the training early, with a :class:`TrainingInterruptedWarning`; turned into an error, that
    warning makes the whole fit fail.

    Parameters
    ----------
    estimator : PatchCNNClassifier
        In its `fit`, everything else set.
    program : skbreast._keras.training.Program
        The network, reset or loaded.
    phases : list of dict
        See :func:`skbreast._fitting.run_phases`.
    training, validation : TrainingSet
        What is learned from, and what is only watched, which may be None.
    samples : Samples
        What is learned from, as callbacks want it.
    history : dict of str to list of float
        Of the fit that this one goes on from.
    seed : int
        Decides order and augmentation.
    team : skbreast._teams.Alone
        Who trains together.
    """
    n_epochs = sum(phase["epochs"] for phase in phases)
    best = BestWeights(estimator.patience) if estimator.early_stopping else None
    course = Course()
    estimator.history_ = {"loss": [], "accuracy": [], "learning_rate": []} | history
    where = {"course": course, "best": best, "seed": seed, "team": team}
    memory = open_memory(estimator, program, phases, training, validation, **where)
    memory.recall()
    tasks = EpochTasks(
        estimator, n_epochs, X=samples.X, y=samples.y, sample_weight=samples.sample_weight
    )
    rows = run_phases(
        program,
        phases,
        training,
        validation,
        **where,
        begin_epoch=tasks.begin_epoch,
        batch_size=estimator.batch_size,
        augment=estimator.augment,
    )
    try:
        with progress_bar("Training", n_epochs, show=estimator.verbose) as advance:
            advance(len(estimator.history_["loss"]) - len(history.get("loss", ())))
            for row in rows:
                _note_epoch(estimator, row, advance)
                stops = tasks.end_epoch(lambda: _fitted_state(estimator, program))
                if team.total([float(bool(stops))])[0]:  # in whichever process
                    break
                memory.keep()
    except KeyboardInterrupt:
        if team.n_processes > 1:  # what the others cannot know of, and none of them may keep
            raise
        interrupted = True
        _warn_of_interruption(estimator)
    else:
        interrupted = False
    finally:
        rows.close()
    vars(estimator).update(_fitted_state(estimator, program))
    if best is not None and best.weights:
        best_epoch = len(history.get("loss", ())) + best.epoch
        vars(estimator).update(best_epoch_=best_epoch, weights_=best.weights)
    tasks.end()
    if not interrupted:
        memory.forget()


def learn_once(estimator, program, phase, training, state):
    """Train a program for one pass at a constant rate, and keep on the estimator what came of it.

    Parameters
    ----------
    estimator : PatchCNNClassifier
        In its `partial_fit`, with a `history_`.
    program : skbreast._keras.training.Program
        The network, reset or loaded.
    phase : dict
        Its ``phase`` and ``learning_rate``, as :func:`skbreast._fitting.train` takes them.
    training : TrainingSet
        What is learned from.
    state : dict
        ``seed``, the number of ``calls`` before, and the ``optimizer``'s memory of them.

    Returns
    -------
    dict
        The state for the next call.
    """
    seed = (state["seed"], state["calls"])
    program.reseed(np.random.default_rng(seed))  # others may have used the network in between
    rows = train(
        program,
        training,
        **phase | {"epochs": 1},
        batch_size=estimator.batch_size,
        augment=estimator.augment,
        seed=seed,
        schedule=constant_rate,
        optimizer_state=state["optimizer"],
    )
    _note_epoch(estimator, next(rows))
    vars(estimator).update(_fitted_state(estimator, program))
    optimizer = program.optimizer_state(phase["phase"])
    return {"seed": state["seed"], "calls": state["calls"] + 1, "optimizer": optimizer}


def _note_epoch(estimator, row, advance=lambda note: None):
    estimator.history_ = extended(estimator.history_, row)
    shown = [name for name in SHOWN if name in row]
    advance(note=", ".join(f"{name} {row[name]:.3f}" for name in shown))


def _warn_of_interruption(estimator):
    goes_on = estimator.checkpoint is not None and not estimator.warm_start  # which begins here
    warn_user(
        f"Training was interrupted in epoch {len(estimator.history_['loss']) + 1}; the classifier "
        "keeps what it learned until then."
        + (" The next fit of the same goes on there." if goes_on else ""),
        TrainingInterruptedWarning,
    )


def _fitted_state(estimator, program):
    """Return the attributes that an estimator has whose training ends here."""
    n_iter = len(estimator.history_["loss"])
    return {"n_iter_": n_iter, "best_epoch_": n_iter, "weights_": program.get_weights()}
