"""What goes wrong with a model file, as one sentence that names it."""

import struct
import tokenize
import zipfile
import zlib
from contextlib import contextmanager

__all__ = ["FAULTS", "Refused", "naming"]

FAULTS = (
    zipfile.BadZipFile,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    ImportError,
    NotImplementedError,
    RecursionError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
)
"""What readers raise of content that no writer makes."""


class Refused(ValueError):  # noqa: N818 - it speaks for itself in `raise Refused`
    """A file that is not loaded for a reason other than damage; the text goes on after its name."""


LONGEST = 500  # characters of a cause: zipfile prints what it takes for a name, any length


@contextmanager
def naming(path, *, fault="is damaged or no model file"):
    """Turn what is raised within the block into one ValueError that begins with the path.

    Parameters
    ----------
    path : path-like
        The file.
    fault : str
        What to say of faults, before their cause.
    """
    try:
        yield
    except Refused as error:
        raise ValueError(f"{path} {error}") from error
    except FAULTS as error:
        what = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        what = what if len(what) <= LONGEST else f"{what[:LONGEST]}…"
        raise ValueError(f"{path} {fault}: {what}.") from error
