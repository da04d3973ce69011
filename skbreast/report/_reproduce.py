"""The parts of a report that say how to get it again, and what it does not say."""

import platform

from skbreast._versions import versions
from skbreast.report._blocks import Section, Table, Text

__all__ = ["RESEARCH_ONLY", "limits_section", "reproduce_section"]

RESEARCH_ONLY = "For research only; not a medical device, not for diagnosis."


def reproduce_section(judged, *, command, random_state):
    """Return command, seed, digest of the split and versions."""
    blocks = []
    if command:
        blocks += [Text("Command:"), Text(command, kind="code")]
    rows = [
        ["seed", str(random_state)],
        ["digest of the split (fold, patient, row of each tested patch)", judged.digest],
        ["Python", platform.python_version()],
        ["system", f"{platform.system()} {platform.machine()}"],
        *([name, version] for name, version in versions().items()),
    ]
    blocks.append(Table(["what", "which"], rows))
    return Section("How to reproduce", "reproduce", blocks)


def limits_section(judged):
    """Return what a reader should not take the figures for."""
    lines = [
        RESEARCH_ONLY,
        "Intervals say how much the figures hang on which patients were tested. They do not say "
        "how the model does on patients of another hospital, scanner or stain.",
        "A patch is not a diagnosis: these are figures of cut-out squares, chosen by whoever made "
        "the data set.",
        "Patient ids stand in this page as the data set has them, and the command holds paths: "
        "think of that before you pass it on.",
    ]
    if not judged.has_patients:
        lines.insert(1, "Without patient ids nobody knows how much the figures are inflated.")
    return Section("Limits", "limits", [Text(line) for line in lines])
