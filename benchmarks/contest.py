"""Several sides do the same work in turn, each in a process of its own.

A side is a function that prepares and returns the work, a function without arguments. It says which
package it misses by failing to import it.
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Contest:
    """Sides that do the same work, ours first.

    Parameters
    ----------
    title : str
        What the work is.
    sides : dict of str to (str, dict)
        ``"module:function"`` and its arguments by name. Of the arguments, "n" is how many patches
        the side goes through.
    n : int
        Patches that a side goes through which says no "n"; 1 where patches are not what counts.
    wanted : dict of str to float
        How many times as fast as a side ours is to be.
    allowed : dict of str to float
        MiB that ours may take, as "peak" and "growth".
    note : str
        What a reader should know.
    """

    title: str
    sides: dict
    n: int
    _: KW_ONLY
    wanted: dict = field(default_factory=dict)
    allowed: dict = field(default_factory=dict)
    note: str = ""

    def measure(self, rounds):
        """Let the sides work in turn; return what is to be kept."""
        found = contest(self.sides, rounds)
        for name, (_, arguments) in self.sides.items():
            found[name]["n"] = arguments.get("n", self.n)
        return {
            "wanted": self.wanted,
            "allowed": self.allowed,
            "note": self.note,
            "sides": found,
        }


class Side:
    """A process that has prepared its work and does it when asked.

    Parameters
    ----------
    function : str
        ``"module:function"``.
    arguments : dict
        What the function is called with.

    Attributes
    ----------
    missing : str or None
        What it lacks, if it cannot take part.
    """

    def __init__(self, function, arguments):
        self.process = subprocess.Popen(
            [_interpreter(function), "-m", "benchmarks.contest", function, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
        self.missing = self._answer().get("missing")

    def run(self):
        """Do the work once.

        Returns
        -------
        dict
            ``seconds``, and in MiB by how much memory was larger than before the first work: at its
            ``peak``, and after the first time (``growth``).
        """
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}.")
        return json.loads(line)


def _interpreter(function):
    """Return the Python of a side: of one that wants other versions, that of its variable.

    Of ``"benchmarks.stain:tiatoolbox"`` it is ``BENCH_PYTHON_TIATOOLBOX``.
    """
    return os.environ.get(f"BENCH_PYTHON_{function.partition(':')[2].upper()}", sys.executable)


def contest(sides, rounds):
    """Let sides work in turn.

    Parameters
    ----------
    sides : dict of str to (str, dict)
        Function and arguments by name.
    rounds : int
        How often each works.

    Returns
    -------
    dict of str to dict
        Medians of what :meth:`Side.run` returns, or ``missing``.
    """
    running = {name: Side(*side) for name, side in sides.items()}
    results = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in running.items():
            if side.missing is None:
                results[name].append(side.run())
    for side in running.values():
        side.close()
    return {
        name: _medians(results[name]) if side.missing is None else {"missing": side.missing}
        for name, side in running.items()
    }


def _medians(results):
    return {key: statistics.median(each[key] for each in results) for key in results[0]}


def memory(what):
    """Return the resident memory of this process in MiB: now (VmRSS) or at its peak (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 2**10
    raise KeyError(what)


def forget_peak():
    """Let the peak of this process's memory be counted from now."""
    Path("/proc/self/clear_refs").write_text("5")


def main(function, arguments):
    """Prepare, then work once for each line of standard input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the work prints is no answer
    module, _, name = function.partition(":")
    try:
        work = getattr(importlib.import_module(module), name)(**json.loads(arguments))
        forget_peak()
        before = memory("VmRSS")
        work()  # compiles, fills caches
        growth = memory("VmRSS") - before
    except ImportError as error:
        print(json.dumps({"missing": error.name or str(error)}), file=answers)
        return
    print(json.dumps({}), file=answers)
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        seconds, peak = time.perf_counter() - start, memory("VmHWM") - before
        print(json.dumps({"seconds": seconds, "peak": peak, "growth": growth}), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
