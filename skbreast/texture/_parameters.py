"""Checks of parameters that are sequences of numbers."""

from skbreast._validation import check_number

__all__ = ["check_numbers"]


def check_numbers(values, *, name, may_be_empty=False, **bounds):
    """Return different numbers as a list, or raise a ValueError that says what is allowed.

    Parameters
    ----------
    values : sequence of number
        What came.
    name : str
        The argument's name.
    may_be_empty : bool, default=False
        Whether no number at all is fine.
    **bounds
        Of each, as for :func:`skbreast._validation.check_number`.
    """
    is_sequence = hasattr(values, "__iter__") and not isinstance(values, str)
    is_sequence = is_sequence and getattr(values, "ndim", 1) > 0
    numbers = list(values) if is_sequence else []
    if is_sequence and (numbers or may_be_empty):
        numbers = [check_number(each, name=f"Each of {name}", **bounds) for each in numbers]
        if len(set(numbers)) == len(numbers):
            return numbers
    least = "" if may_be_empty else ", at least one"
    raise ValueError(f"{name} must be a sequence of different numbers{least}; got {values!r}.")
