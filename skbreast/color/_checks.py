"""What is checked of looks: named tuples of arrays, one row a patch."""

import numpy as np

__all__ = ["check_looks", "constant"]


def check_looks(looks, target, *, n_patches):
    """Raise a ValueError if looks aren't of all patches or of one, or a target isn't one."""
    if {len(each) for each in looks} - {1, n_patches}:
        lengths = " and ".join(str(len(each)) for each in looks)
        raise ValueError(f"There are {n_patches} patches, but looks of {lengths}; give 1 or all.")
    if any(len(each) != 1 or not np.isfinite(each).all() for each in target):
        raise ValueError("target must be one row of finite numbers; a blank patch is no target.")


def constant(looks):
    """Return looks whose arrays cannot be written to."""
    arrays = [np.array(each, dtype=np.float64) for each in looks]
    for each in arrays:
        each.setflags(write=False)
    return type(looks)(*arrays)
