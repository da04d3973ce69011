"""Which panels are drawn of a Display that has one by patch and one by patient."""

from skbreast._validation import check_choice

__all__ = ["check_level", "choose_panels"]

_LEVELS = (None, "patch", "patient")
HINT = "level='patch' or level='patient' draws one panel alone"  # where axes are too few


def check_level(level, why_no_patients):
    """Refuse a level that there is not, and "patient" where there is a reason against it."""
    check_choice(level, name="level", choices=_LEVELS)
    if level == "patient" and why_no_patients:
        raise ValueError(f"level='patient' has nothing to draw: {why_no_patients}.")


def choose_panels(by_patch, by_patient, level, *, why_no_patients):
    """Return what is drawn by its level: both panels where `level` is None, else one.

    Parameters
    ----------
    by_patch : object
        The panel of patches.
    by_patient : object or None
        The panel of patients, if there is one.
    level : {None, "patch", "patient"}
        Which to draw.
    why_no_patients : str
        Why there is no panel of patients.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ValueError
        If there is no such level, or no panel of it.
    """
    why_not = why_no_patients or "there is no panel by patient"
    check_level(level, "" if by_patient is not None else why_not)
    panels = {"patch": by_patch}
    if by_patient is not None:
        panels["patient"] = by_patient
    return panels if level is None else {level: panels[level]}
