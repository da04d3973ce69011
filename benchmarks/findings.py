"""What the pages on stain, tissue and texture say was measured, measured again.

``python -m benchmarks.findings --write`` writes findings.json, from which the figures of
docs/stain.rst, docs/tissue.rst and docs/texture.rst are made. The real patches lie in
SKBREAST_TEST_DATA. All of it takes some twenty minutes on one core; ``--only`` takes a part.
"""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

RESULTS = Path(__file__).resolve().with_suffix(".json")
PARTS = ("stain", "tissue", "texture")


def measure(part, data):
    """Return what one part finds, on one thread: many that wait for each other take longer."""
    module = importlib.import_module(f"benchmarks.findings_{part}")
    with threadpool_limits(1):
        return module.measure(data)


def merged(found):
    """Return what was found, beside the parts that were not measured now."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return {part: {**before, **found}[part] for part in PARTS if part in {**before, **found}}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    if not set(options.only) <= set(PARTS):
        parser.error(f"--only takes {', '.join(PARTS)}; got {', '.join(options.only)}.")
    if "SKBREAST_TEST_DATA" not in os.environ:
        parser.error("set SKBREAST_TEST_DATA to the folder of real patches.")
    return options


def main(arguments=None):
    options = parse(arguments)
    data = Path(os.environ["SKBREAST_TEST_DATA"])
    for part in options.only:
        found = {part: measure(part, data)}
        if options.write:
            text = json.dumps(merged(found), indent=1, ensure_ascii=False)
            RESULTS.write_text(text + "\n", encoding="utf-8")
        print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
