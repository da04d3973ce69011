"""Tables of what was measured, as Markdown and for the documentation."""

HEADER = (
    "side", "seconds", "a second", "ours is so many times as fast", "memory at its peak, MiB",
    "after the first time, MiB",
)  # fmt: skip


def rows(contest):
    """Return the cells of a contest, a row a side.

    Parameters
    ----------
    contest : dict
        From :meth:`benchmarks.contest.Contest.measure`.

    Returns
    -------
    list of tuple of str
        Cells below `HEADER`.
    """
    sides = contest["sides"]
    own = next(iter(sides.values()))
    return [_row(name, side, own, contest) for name, side in sides.items()]


def _row(name, side, own, contest):
    if "missing" in side:
        return name, f"not installed: {side['missing']}", "", "", "", ""
    per_second = side["n"] / side["seconds"]
    times = "" if side is own else own["n"] / own["seconds"] / per_second
    allowed = contest["allowed"] if side is own else {}
    return (
        name,
        f"{side['seconds']:.2f}",
        f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}",
        _goal(times, f"{times:.2f}", contest["wanted"].get(name), least=True) if times else "",
        _goal(side["peak"], f"{side['peak']:+,.0f}", allowed.get("peak"), least=False),
        _goal(side["growth"], f"{side['growth']:+,.0f}", allowed.get("growth"), least=False),
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
        f"Python {facts['python']}; {versions}. Memory is what a process holds above what it held "
        "before its first work."
    )


def markdown(content):
    """Return all that was measured as a page of Markdown."""
    parts = ["# What was measured", where(content)]
    for title, contest in content["contests"].items():
        lines = [HEADER, ("---",) * len(HEADER), *rows(contest)]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts += [f"## {title[0].upper()}{title[1:]}", table, contest["note"]]
    return "\n\n".join(part for part in parts if part) + "\n"
