"""Time this library beside what one would otherwise take.

python -m benchmarks.run [--quick] [--rounds 5] [--only frozen,training] [--write]

Every side works in a process of its own, in turn with the others, so that a machine that slows
down slows all of them; what is shown are medians, and how many times as fast as each peer we are.
"""

import argparse
import json
import os
import platform
from importlib import import_module, metadata
from pathlib import Path

from benchmarks.contest import ROOT
from benchmarks.tables import markdown

SUBJECTS = (
    "frozen", "files", "workers", "training", "searches", "start", "growth", "audit", "stain",
    "texture",
)  # fmt: skip
PACKAGES = (
    "skbreast", "tensorflow", "keras", "openvino", "onnxruntime", "torch", "timm", "embetter",
    "scikeras", "skorch", "scikit-learn", "numpy",
)  # fmt: skip
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "benchmarks" / "RESULTS.md"


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


def measured(machine, rounds):
    """Return the contests that were measured in the same way before, and are not measured now."""
    if not RESULTS.exists():
        return {}
    before = json.loads(RESULTS.read_text(encoding="utf-8"))
    same = before["machine"] == machine and before["rounds"] == rounds
    return before["contests"] if same else {}


def main(arguments):
    """Measure, print, and write if asked to."""
    content = {"machine": machine(), "rounds": arguments.rounds}
    content["contests"] = measured(**content) if arguments.write else {}
    for subject in arguments.only.split(","):
        for contest in import_module(f"benchmarks.{subject}").contests(arguments.quick):
            found = {contest.title: contest.measure(arguments.rounds)}
            content["contests"] |= found
            print(markdown(content | {"contests": found}), flush=True)
            if arguments.write:
                RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
                PAGE.write_text(markdown(content), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer contests, fewer patches")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(SUBJECTS), help="subjects, comma-separated")
    parser.add_argument("--write", action="store_true", help="results.json and RESULTS.md")
    main(parser.parse_args())
