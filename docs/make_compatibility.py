"""Make the table "What works with what" out of test results.

pytest --junitxml=results.xml
python docs/make_compatibility.py results.xml            # writes docs/compatibility.rst
python docs/make_compatibility.py results.xml --check    # fails where that file differs
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

from make_tables import list_table

PAGE = Path(__file__).resolve().parent / "compatibility.rst"
KINDS = ("arrays", "references", "rows")
CELLS = {"failed": "fails", "skipped": "not tested", "passed": "works"}
RANK = tuple(CELLS)


def read_results(path):
    """Return ``{(name, kind): state}`` of the tests that are marked for the table."""
    states = {}
    for case in ElementTree.parse(path).iter("testcase"):
        noted = {each.get("name"): each.get("value") for each in case.iter("property")}
        if "works" not in noted:
            continue
        key = (noted["works"], noted["kind"])
        states[key] = min(states.get(key, "passed"), _state(case), key=RANK.index)
    return states


def _state(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None:
        return "skipped"
    return "passed"


def table(states):
    """Return the table as reStructuredText."""
    names = sorted({name for name, _ in states}, key=str.casefold)
    rows = [(name, *(_cell(states.get((name, kind))) for kind in KINDS)) for name in names]
    return list_table(("what", "arrays (4-D)", "references", "rows (2-D)"), rows)


def _cell(state):
    return "–" if state is None else CELLS[state]


def main(results, check):
    """Write the table, or compare it with what stands there."""
    made = table(read_results(results))
    if not check:
        PAGE.write_text(made, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PAGE} is not what the tests say; make it anew with {Path(__file__).name}.")


if __name__ == "__main__":
    main(sys.argv[1], "--check" in sys.argv[2:])
