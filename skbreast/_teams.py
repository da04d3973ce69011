"""Who trains one network: a process alone, or several that share every batch. Names no Keras."""

import contextlib

import numpy as np

__all__ = ["ALONE", "Alone", "RowsOfBatch", "part_of"]


def part_of(n, n_parts, first, last=None):
    """Return the slice of rows that a part is given of `n`, or that parts in a row are given.

    Parts lie one after the other, overlap nowhere, and differ by one row at most; those of fewer
    rows than parts may be empty.

    Parameters
    ----------
    n : int or tensor
        Number of rows.
    n_parts : int
        Number of parts.
    first : int
        Number of the part, from 0.
    last : int, optional
        Number after the last part; by default there is one.

    Returns
    -------
    slice
        The rows.
    """
    return slice(first * n // n_parts, (first + 1 if last is None else last) * n // n_parts)


class RowsOfBatch(np.random.Generator):
    """Draws for a whole batch and gives out some of its rows: those of one of several processes.

    So a patch is changed as it would be if one process had the whole batch.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the numbers come from.
    n_whole : int
        Rows of the whole batch.
    rows : slice
        The rows to give out; sizes that are asked for begin with their number.
    """

    def __init__(self, rng, n_whole, rows):
        super().__init__(rng.bit_generator)
        self._rng, self._n_whole, self._rows = rng, n_whole, rows

    def integers(self, *arguments, size, **options):
        """Draw integers."""
        return self._draw(self._rng.integers, *arguments, size=size, **options)

    def uniform(self, *arguments, size):
        """Draw evenly."""
        return self._draw(self._rng.uniform, *arguments, size=size)

    def standard_normal(self, size):
        """Draw from a normal distribution."""
        return self._draw(self._rng.standard_normal, size=size)

    def _draw(self, draw, *arguments, size, **options):
        _, *shape = np.atleast_1d(size)
        return draw(*arguments, size=(self._n_whole, *shape), **options)[self._rows]


class Alone:
    """A process that trains by itself; what several need is nothing here.

    Attributes
    ----------
    n_replicas : int
        Into how many parts each batch is split.
    n_processes, index : int
        Processes that train together, and the number of this one; number 0 is the chief.
    """

    n_replicas = n_processes = 1
    index = 0

    def training(self):
        """Return a context in which one network is trained."""
        return contextlib.nullcontext()

    def scope(self):
        """Return a context in which a network is built."""
        return contextlib.nullcontext()

    def rows(self, n):
        """Return the slice of a batch of `n` that this process takes."""
        first, n_own = self.index * self.n_replicas // self.n_processes, self.n_replicas
        return part_of(n, self.n_replicas, first, first + n_own // self.n_processes)

    def together(self):
        """Return a context that all leave in the same way, where one may fail and others not."""
        return contextlib.nullcontext()

    def to_the_end(self):
        """Return a context that others are told of where this process alone leaves it early."""
        return contextlib.nullcontext()

    def from_chief(self, compute):
        """Return what the chief computes; JSON must be able to hold it."""
        return compute()

    def bytes_from_chief(self, content):
        """Return the bytes that the chief has."""
        return content

    def total(self, numbers):
        """Return the sum over all processes of a float64 vector."""
        return numbers

    def check_same(self, describe):
        """Raise a ValueError, in all processes, if something is not the same in all."""


ALONE = Alone()
