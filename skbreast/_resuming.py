"""How a training is kept on disk and taken up again: what of it, and what it belongs to."""

import json

import numpy as np

from skbreast._checkpoint import Checkpoint, State
from skbreast._digests import describe
from skbreast._fingerprints import digest_array, digest_patches, digest_text, patch_files
from skbreast._versions import versions
from skbreast.stain._jitter import strengths_of

__all__ = ["Memory", "open_memory"]

# Of what scikit-learn does, samples and weights have digests of their own.
VERSIONS = ("skbreast", "keras", "tensorflow", "numpy")
BEST = ("loss", "waited", "n_seen", "epoch")


def open_memory(estimator, program, phases, training, validation, *, course, best, seed):
    """Return where a training is kept, which is nowhere if its estimator has no `checkpoint`.

    Parameters
    ----------
    estimator : PatchCNNClassifier
        In its `fit`, with the `history_` that this one goes on from.
    program : skbreast._keras.training.Program
        The network as it is before the first step.
    phases, training, validation, course, best, seed
        As for :func:`skbreast._fitting.run_phases`.

    Returns
    -------
    Memory
        Keeps weights, optimizer, states of random layers, history, early stopping and position.
    """
    checkpoint = None
    if estimator.checkpoint is not None:
        sets = {"": training} | ({} if validation is None else {"validation ": validation})
        text, whole = program.describe()
        checkpoint = Checkpoint(
            estimator.checkpoint,
            _settings(estimator, best)
            | {"phases": phases, "seed": seed, "network": digest_text(text)}
            | {name: value for kind, each in sets.items() for name, value in _data(kind, each)},
            _conditions(estimator, program, sets, code=not whole),
        )
    return Memory(checkpoint, estimator, program, phases, course, best)


def _settings(estimator, best):
    augment, precision = estimator.augment, estimator.precision
    return {
        "architecture": _name(estimator.architecture),
        "weights": estimator.weights,
        "precision": _name(precision),
        "batch_size": estimator.batch_size,
        "augment": strengths_of(augment) if hasattr(augment, "get_params") else augment,
        "patience": None if best is None else best.patience,
        "classes": digest_text(json.dumps(estimator.classes_.tolist(), default=str)),
        "history": digest_text(json.dumps(estimator.history_, default=float)),
    }


def _name(value):
    return value if isinstance(value, str) else getattr(value, "__qualname__", type(value).__name__)


def _data(kind, samples):
    """Yield digests of what a training sees; of many references their names, not the pixels."""
    source = samples.source
    yield f"{kind}patch shape", list(source.shape)
    if source.X.ndim == 4:
        yield f"{kind}patches", digest_patches(source.X)
    else:
        yield f"{kind}patches", digest_text(json.dumps(source.X.tolist()))
    yield f"{kind}labels", digest_array(samples.targets).hex()
    yield f"{kind}sample weights", digest_array(samples.weights).hex()


def _conditions(estimator, program, sets, *, code):
    found = versions()
    conditions = {name: found[name] for name in VERSIONS}
    conditions["precision_"] = estimator.precision_
    weights = [digest_array(array).hex() for array in program.get_weights()]
    conditions["first weights"] = digest_text(json.dumps(weights))
    for kind, samples in sets.items():
        if samples.source.X.ndim == 1:
            states = patch_files(samples.source.X)
            conditions[f"{kind}patch files (size or time)"] = digest_text(json.dumps(states))
    if code:
        conditions["code of architecture"] = digest_text(repr(describe(estimator.architecture)))
    return conditions


class Memory:
    """Keeps a training on disk; without a checkpoint it does nothing.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        The file.
    estimator : PatchCNNClassifier
        In its `fit`.
    program : skbreast._keras.training.Program
        The network.
    phases : list of dict
        See :func:`skbreast._fitting.run_phases`.
    course : Course
        Where the training stands.
    best : BestWeights or None
        Where early stopping stands.
    """

    def __init__(self, checkpoint, estimator, program, phases, course, best):
        self._checkpoint = checkpoint
        self._estimator, self._program, self._phases = estimator, program, phases
        self._course, self._best = course, best

    def recall(self):
        """Put everything back to where the training was; prove that it can be written.

        Raises
        ------
        OSError
            If it cannot be read or written.
        """
        if self._checkpoint is not None:
            state = self._checkpoint.load()
            if state is not None:
                self._restore(state)
            self._checkpoint.begin(state or self._state(optimizer=[]))

    def keep(self):
        """Write where the training stands after an epoch."""
        if self._checkpoint is not None:
            goes_on = self._course.epoch > 0
            phase = self._phases[self._course.phase]["phase"] if goes_on else None
            optimizer = self._program.optimizer_state(phase) if goes_on else []
            self._checkpoint.save(self._state(optimizer))

    def forget(self):
        """Delete the file: the training has ended."""
        if self._checkpoint is not None:
            self._checkpoint.remove()

    def _state(self, optimizer):
        best = self._best
        numbers = {
            "history": self._estimator.history_,
            "course": [self._course.phase, self._course.epoch],
            "best": None if best is None else {name: getattr(best, name) for name in BEST},
        }
        arrays = {
            "weights": self._program.get_weights(),
            "seeds": self._program.seed_states(),
            "optimizer": optimizer,
            "best": [] if best is None else best.weights,
        }
        return State(numbers, arrays)

    def _restore(self, state):
        like = self._program.get_weights()
        self._program.set_weights(_cast(state.arrays["weights"], like))
        self._program.set_seed_states(state.arrays["seeds"])
        self._course.phase, self._course.epoch = state.numbers["course"]
        self._course.optimizer = state.arrays["optimizer"]
        self._estimator.history_ = state.numbers["history"]
        if self._best is not None:
            vars(self._best).update(state.numbers["best"])
            self._best.weights = _cast(state.arrays["best"], like) if state.arrays["best"] else []


def _cast(arrays, like):
    """Return arrays in the dtypes of others, which the file may not know, as bfloat16."""
    pairs = zip(arrays, like, strict=True)
    return [np.asarray(array, dtype=other.dtype) for array, other in pairs]
