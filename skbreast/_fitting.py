"""The course of a training: batches, learning rate, epochs, early stopping. Names no Keras."""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from skbreast._augment import augment_patches
from skbreast._patches import PatchSource, ahead
from skbreast._teams import ALONE, RowsOfBatch

__all__ = [
    "BestWeights",
    "Course",
    "TrainingSet",
    "channel_statistics",
    "class_scores",
    "constant_rate",
    "cosine_rate",
    "extended",
    "run_phases",
    "train",
    "validate",
]

WARM_UP_SHARE = 0.05
STATISTICS_SAMPLE = 1024


@dataclass(frozen=True)
class TrainingSet:
    """What one training runs over.

    Attributes
    ----------
    source : PatchSource
        The patches.
    targets : ndarray of shape (n,), int32
        Class numbers.
    weights : ndarray of shape (n,), float32
        Sample weights, class weights multiplied in.
    """

    source: PatchSource
    targets: np.ndarray
    weights: np.ndarray


def cosine_rate(progress, peak):
    """Learning rate after a share `progress` (0…1) of all steps: linear warm-up, then a cosine.

    The cosine without restarts is that of Loshchilov & Hutter (2017).
    """
    if progress < WARM_UP_SHARE:
        return peak * max(progress, 1e-3) / WARM_UP_SHARE
    done = (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)
    return peak * (1 + math.cos(math.pi * done)) / 2


def constant_rate(progress, peak):
    """Learning rate where nobody knows how many steps will come."""
    return peak


def channel_statistics(source):
    """Mean and variance of each channel over at most 1,024 evenly spaced patches.

    A channel that never varies gets variance 1.
    """
    n_sampled = min(len(source), STATISTICS_SAMPLE)
    sampled = np.linspace(0, len(source) - 1, n_sampled).astype(int)
    # A patch at a time: all of them in float64 would take gigabytes where patches are large.
    patches = (source.take(sampled[i : i + 1]).astype(np.float64) for i in range(n_sampled))
    moments = [(patch.mean(axis=(0, 1, 2)), patch.var(axis=(0, 1, 2))) for patch in patches]
    means, variances = np.moveaxis(moments, 1, 0)
    variance = variances.mean(axis=0) + means.var(axis=0)
    return means.mean(axis=0), np.where(variance > 0, variance, 1.0)


def run_phases(
    program,
    phases,
    training_set,
    validation_set,
    *,
    seed,
    course=None,
    best=None,
    begin_epoch,
    team=ALONE,
    **options,
):
    """Train a program phase by phase, an epoch an iteration.

    Parameters
    ----------
    program : skbreast._keras.training.Program
        The network, reset or loaded.
    phases : list of dict
        For each phase ``phase``, ``epochs`` and ``learning_rate`` as :func:`train` takes them.
    training_set, validation_set : TrainingSet
        What it learns from, and what is only watched, which may be None.
    seed : int
        Decides order and augmentation.
    course : Course, optional
        Where to begin; it is kept up to date.
    best : BestWeights, optional
        Ends a phase early.
    begin_epoch : callable
        Called before each epoch.
    team : skbreast._teams.Alone
        Who trains together.
    **options
        What else :func:`train` takes.

    Yields
    ------
    dict of str to float
        What :func:`train` yields, and for a validation set what :func:`validate` returns.
    """
    course = course or Course()
    while course.phase < len(phases):
        phase = phases[course.phase]
        if best is not None and course.epoch == 0:
            best.waited = 0
        start = {"first_epoch": course.epoch, "optimizer_state": course.optimizer}
        options |= {"seed": (seed, course.phase), "team": team}
        rows = train(program, training_set, **start, **phase, **options)
        ended = False
        while not ended:
            begin_epoch()
            row = next(rows)
            if validation_set is not None:
                row |= validate(program, validation_set, options["batch_size"], team)
            stops = best is not None and best.stops_after(row, program)
            ended = stops or course.epoch + 1 == phase["epochs"]
            course.advance(ended)
            yield row


def train(
    program,
    training_set,
    *,
    phase,
    epochs,
    batch_size,
    learning_rate,
    augment,
    seed,
    schedule=cosine_rate,
    first_epoch=0,
    optimizer_state=None,
    team=ALONE,
):
    """Train a program, an epoch an iteration.

    Parameters
    ----------
    program : skbreast._keras.training.Program
        The network, reset or loaded.
    training_set : TrainingSet
        What it learns from.
    phase : str
        One of `program.phases`.
    epochs : int
        Number of epochs, which the learning-rate schedule spans.
    batch_size : int
        Patches a step, at most; batches of an epoch differ by one patch at most.
    learning_rate : float
        Peak of the schedule.
    augment : {None, "geometric", "stain"} or StainJitter
        See :func:`skbreast._augment.augment_patches`.
    seed : sequence of int
        Decides order and augmentation.
    schedule : callable
        The learning rate after a share of all steps: :func:`cosine_rate` or its like.
    first_epoch : int, default=0
        Number of epochs that were trained before.
    optimizer_state : list of ndarray, optional
        What the optimizer remembers; by default nothing.
    team : skbreast._teams.Alone
        Who trains together: each process reads its own rows of every batch.

    Yields
    ------
    dict of str to float
        ``loss``, ``accuracy`` (weighted means over the epoch) and ``learning_rate``.
    """
    step = program.start(phase, optimizer_state)
    n_batches = math.ceil(len(training_set.targets) / batch_size)
    for epoch in range(first_epoch, epochs):
        order = np.random.default_rng([*seed, epoch]).permutation(len(training_set.targets))
        batches = np.array_split(order, n_batches)
        prepare = partial(_prepare, training_set, augment, (*seed, epoch), team)
        results = []
        for number, batch in enumerate(ahead(prepare, enumerate(batches))):
            rate = schedule((epoch + number / n_batches) / epochs, learning_rate)
            whole = {} if team is ALONE else {"n_whole": len(batches[number])}
            share = training_set.weights[batches[number]].sum()
            results.append((share, *map(float, step(*batch, rate, **whole))))
        share, losses, accuracies = np.array(results).T
        yield {
            "loss": float(np.average(losses, weights=share)),
            "accuracy": float(np.average(accuracies, weights=share)),
            "learning_rate": rate,
        }


def _prepare(training_set, augment, seed, team, numbered_batch):
    number, batch = numbered_batch
    rng, rows = np.random.default_rng([*seed, number]), team.rows(len(batch))
    indices = batch[rows]
    if len(indices) < len(batch):
        rng = RowsOfBatch(rng, len(batch), rows)
    patches = augment_patches(training_set.source.take(indices), rng, augment)
    return patches, training_set.targets[indices], training_set.weights[indices]


def extended(history, row):
    """Return a history with one more epoch, NaN where the epoch or those before lack a series."""
    nothing = [math.nan] * len(next(iter(history.values()), []))
    names = dict.fromkeys([*history, *row])
    return {name: [*history.get(name, nothing), row.get(name, math.nan)] for name in names}


def class_scores(program, source, batch_size):
    """Return the program's ``(n, n_classes)`` float32 scores of all patches."""
    return np.concatenate([program.scores(patches) for _, patches in source.chunks(batch_size)])


def validate(program, training_set, batch_size, team=ALONE):
    """Return the weighted loss and accuracy on patches that are not learned from."""
    rows = team.rows(len(training_set.targets))
    targets, weights = training_set.targets[rows], training_set.weights[rows]
    sums = np.zeros(3)
    if len(targets):
        source = training_set.source
        part = PatchSource(source.X[rows], source.shape[:2])
        scores = class_scores(program, part, batch_size).astype(np.float64)
        sums[:] = _sum_losses(scores, targets, weights)
    loss, hits, total = team.total(sums)
    return {"val_loss": float(loss / total), "val_accuracy": float(hits / total)}


def _sum_losses(scores, targets, weights):
    scores = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    own = log_probabilities[np.arange(len(scores)), targets]
    hits = scores.argmax(axis=1) == targets
    return -(own * weights).sum(), (hits * weights.astype(float)).sum(), weights.sum(dtype=float)


@dataclass
class Course:
    """Where a training of several phases stands.

    Attributes
    ----------
    phase : int
        Number of the phase, from 0; that of phases where all are done.
    epoch : int
        Epochs of this phase that are done.
    optimizer : list of ndarray, optional
        What the optimizer remembers where the phase goes on.
    """

    phase: int = 0
    epoch: int = 0
    optimizer: list | None = None

    def advance(self, ended):
        """Note that an epoch is done, and whether its phase is."""
        self.optimizer = None
        self.phase, self.epoch = (self.phase + 1, 0) if ended else (self.phase, self.epoch + 1)


@dataclass
class BestWeights:
    """Early stopping: remembers the best epoch's weights.

    Attributes
    ----------
    patience : int
        Epochs without a lower validation loss before training stops.
    epoch : int
        The best epoch, counted from 1.
    """

    patience: int
    loss: float = math.inf
    weights: list = field(default_factory=list)
    waited: int = 0
    n_seen: int = 0
    epoch: int = 0

    def stops_after(self, row, program):
        """Take note of an epoch and tell whether training should stop."""
        self.n_seen += 1
        improved = row["val_loss"] < self.loss
        if improved or not self.weights:  # a first loss that is no number improves on nothing
            self.weights, self.epoch = program.get_weights(), self.n_seen
        self.loss = row["val_loss"] if improved else self.loss
        self.waited = 0 if improved else self.waited + 1
        return self.waited >= self.patience
