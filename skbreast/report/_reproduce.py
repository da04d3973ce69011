"""The parts of a report that say how to get it again, and what it does not say."""

import platform

from skbreast._computing import computing_of
from skbreast._notice import RESEARCH_ONLY
from skbreast._versions import versions
from skbreast.report._blocks import Section, Table, Text

__all__ = ["limits_section", "reproduce_section"]


def reproduce_section(study, *, command, random_state, model=None):
    """Return command, seed, digest of the split, how networks are computed, and versions."""
    blocks = []
    if command:
        blocks += [Text("Command:"), Text(command, kind="code")]
    rows = [
        ["seed", str(random_state)],
        ["digest of the split", study.digest],
        ["Python", platform.python_version()],
        ["system", f"{platform.system()} {platform.machine()}"],
        *_networks(model),
        *([name, version] for name, version in versions().items()),
    ]
    digest = "The digest tells splits apart: it is of fold, patient and row of each tested patch."
    blocks.append(Table(["what", "which"], rows, digest))
    return Section("How to reproduce", "reproduce", blocks)


def _networks(model):
    found = computing_of(model)
    return [[each["network"], f"{each['engine']}, {each['precision']}"] for each in found]


def limits_section(study, *, command):
    """Return what a reader should not take the figures for."""
    lines = [
        RESEARCH_ONLY,
        f"Intervals say how much the figures hang on which {study.units} were tested. They do not "
        "say how the model does on patients of another hospital, scanner or stain.",
        "A patch is not a diagnosis: these are figures of cut-out squares, chosen by whoever made "
        "the data set.",
    ]
    if not study.has_patients:
        lines.insert(1, "Without patient ids nobody knows how much the figures are inflated.")
    private = {
        "patient ids stand in this page as the data set has them": study.has_patients,
        "the command holds paths": bool(command),
    }
    text = ", and ".join(each for each, is_so in private.items() if is_so)
    if text:
        lines.append(f"{text[0].upper()}{text[1:]}: think of that before you pass it on.")
    return Section("Limits", "limits", [Text(line) for line in lines])
