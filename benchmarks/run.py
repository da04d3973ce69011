"""Time this library beside what one would otherwise take, and write the tables of the docs.

python -m benchmarks.run [--quick] [--rounds 5] [--only frozen,training] [--write]

Every side works in a process of its own, in turn with the others, so that a machine that slows
down slows all of them; what is shown are medians, and how many times as fast as each peer we are.
"""

import argparse
import json
import os
import platform
import sys
from importlib import import_module, metadata
from pathlib import Path

from benchmarks.contest import ROOT, contest

sys.path.insert(0, str(ROOT / "docs"))

from make_tables import list_table

SUBJECTS = ("frozen", "files", "training", "searches")
PACKAGES = (
    "skbreast", "tensorflow", "keras", "openvino", "onnxruntime", "torch", "timm", "embetter",
    "scikeras", "skorch", "scikit-learn", "numpy",
)  # fmt: skip
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.rst"


def machine():
    """Return what the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "bfloat16": [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def measure(subjects, rounds, *, quick):
    """Return ``{title: {side: medians}}``, a contest at a time."""
    results = {}
    for subject in subjects:
        for title, sides, n in import_module(f"benchmarks.{subject}").contests(quick):
            found = contest(sides, rounds)
            for name, (_, options) in sides.items():
                found[name]["n"] = options.get("n", n)
            results[title] = found
            print(table({title: results[title]}), flush=True)
    return results


def table(results):
    """Return contests as a reStructuredText table; the first side of each is ours."""
    rows = []
    for title, each in results.items():
        own = next(iter(each.values()))
        for number, (name, side) in enumerate(each.items()):
            cells = ["" if number else title, f"``{name}``" if "(" in name else name]
            if "missing" in side:
                cells += [f"not installed: {side['missing']}", ""]
            else:
                rate = side["n"] / side["seconds"]
                ratio = own["n"] / own["seconds"] / rate
                cells += [f"{rate:,.0f}", f"{ratio:.2f}" if number else ""]
            rows.append(cells)
    return list_table(("what", "side", "patches a second", "ours is so many times as fast"), rows)


def note(facts, rounds):
    """Return where the figures come from, as text."""
    versions = ", ".join(f"{name} {version or '-'}" for name, version in facts["packages"].items())
    native = ", ".join(facts["bfloat16"]) or "none"
    return (
        f"Medians of {rounds} alternating rounds on {facts['cores']} cores of {facts['processor']} "
        f"(bfloat16: {native}), Python {facts['python']}; {versions}.\n"
    )


def main(arguments):
    """Measure, print, and write if asked to."""
    results = measure(arguments.only.split(","), arguments.rounds, quick=arguments.quick)
    facts = machine()
    print(note(facts, arguments.rounds))
    if arguments.write:
        content = {"machine": facts, "rounds": arguments.rounds, "contests": results}
        RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(f"{table(results)}\n{note(facts, arguments.rounds)}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer contests, fewer patches")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(SUBJECTS), help="subjects, comma-separated")
    parser.add_argument("--write", action="store_true", help="the results, and the docs' table")
    main(parser.parse_args())
