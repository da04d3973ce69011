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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


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
            [sys.executable, "-m", "benchmarks.contest", function, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
        self.missing = self._answer().get("missing")

    def run(self):
        """Do the work once; return its ``seconds`` and the growth of memory in ``mebibytes``."""
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
        Medians of ``seconds`` and ``mebibytes``, or ``missing``.
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


def resident():
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def main(function, arguments):
    """Prepare, then work once for each line of standard input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the work prints is no answer
    module, _, name = function.partition(":")
    try:
        work = getattr(importlib.import_module(module), name)(**json.loads(arguments))
        work()  # compiles, fills caches
    except ImportError as error:
        print(json.dumps({"missing": error.name or str(error)}), file=answers)
        return
    print(json.dumps({}), file=answers)
    for _ in sys.stdin:
        before, start = resident(), time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "mebibytes": resident() - before}), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
