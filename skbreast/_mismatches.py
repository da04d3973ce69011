"""By what two descriptions of the same kind differ, in words."""

import re

__all__ = ["name_mismatches"]

DIGEST = re.compile("[0-9a-f]{40}")  # which tells people nothing


def name_mismatches(noted, own, form="{name} {noted!r} there, {own!r} here"):
    """Yield what differs between two descriptions.

    Parameters
    ----------
    noted, own : dict of str to object
        What was written once, and what holds now; a missing entry is None.
    form : str, optional
        How a difference is said, of `name`, `noted` and `own`. Of digests it is always "other
        <name>".

    Yields
    ------
    str
        In the order of `noted`, what `own` alone has last.

    Examples
    --------
    >>> from skbreast._mismatches import name_mismatches
    >>> list(name_mismatches({"engine": "keras", "size": 3}, {"engine": "openvino", "size": 3}))
    ["engine 'keras' there, 'openvino' here"]
    """
    for name in {**noted, **own}:
        pair = noted.get(name), own.get(name)
        if pair[0] != pair[1]:
            digests = any(isinstance(each, str) and DIGEST.fullmatch(each) for each in pair)
            said = form.format(name=name, noted=pair[0], own=pair[1])
            yield f"other {name}" if digests else said
