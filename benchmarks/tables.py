"""Tables of what was measured, as Markdown and for the documentation."""

SPEED = ("side", "seconds", "a second", "ours is so many times as fast")
MEMORY = ("memory at its peak, MiB", "after the first time, MiB")


def table(contest):
    """Return a contest as lines of cells, the header first.

    Parameters
    ----------
    contest : dict
        From :meth:`benchmarks.contest.Contest.measure`.

    Returns
    -------
    list of tuple of str
        Memory is shown where some amount of it is allowed.
    """
    sides, allowed = contest["sides"], contest["allowed"]
    own = next(iter(sides.values()))
    lines = [(*SPEED, *(MEMORY if allowed else ()))]
    for name, side in sides.items():
        if "missing" in side:
            lines.append((name, f"not installed: {side['missing']}", *[""] * (len(lines[0]) - 2)))
            continue
        cells = _speed(side, own, contest["wanted"].get(name))
        if allowed:
            cells += _memory(side, allowed if side is own else {})
        lines.append((name, *cells))
    return lines


def _speed(side, own, wanted):
    per_second = side["n"] / side["seconds"]
    times = own["n"] / own["seconds"] / per_second
    return (
        f"{side['seconds']:.2f}",
        f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}",
        "" if side is own else _goal(times, f"{times:.2f}", wanted, least=True),
    )


def _memory(side, allowed):
    return tuple(
        _goal(side[key], f"{side[key]:+,.0f}", allowed.get(key), least=False)
        for key in ("peak", "growth")
    )


def _goal(value, text, goal, *, least):
    """Say beside a figure what it was to be, and whether it is."""
    if goal is None:
        return text
    reached = value >= goal if least else value <= goal
    aim = f"{'at least' if least else 'at most'} {goal:g}"
    return f"{text} ({aim})" if reached else f"**{text}** (missed: {aim})"


def where(content):
    """Return what the figures depend on, as a paragraph."""
    facts = content["machine"]
    versions = ", ".join(f"{name} {version or '-'}" for name, version in facts["packages"].items())
    return (
        f"Medians of {content['rounds']} alternating rounds on {facts['cores']} cores of "
        f"{facts['processor']} (bfloat16: {', '.join(facts['bfloat16']) or 'none'}), "
        f"Python {facts['python']}; {versions}. Where memory is shown, it is what a process holds "
        "above what it held before its first work."
    )


def markdown(content):
    """Return all that was measured as a page of Markdown."""
    parts = ["# What was measured", where(content)]
    for title, contest in content["contests"].items():
        header, *rest = table(contest)
        lines = [header, ("---",) * len(header), *rest]
        drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts += [f"## {title[0].upper()}{title[1:]}", drawn, contest["note"]]
    return "\n\n".join(part for part in parts if part) + "\n"
