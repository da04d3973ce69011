"""OpenVINO without the usage statistics that it sends, unasked, whenever it is imported."""

import sys

from skbreast._validation import import_optional

__all__ = ["import_openvino"]

STATISTICS = "openvino_telemetry"


def import_openvino():
    """Import OpenVINO so that it takes its own stub in place of the package that sends statistics.

    Without this, `import openvino` starts a process that tells Google Analytics. Where somebody
    else has imported it before, it has told already, and nothing more is sent by what is done here.

    Returns
    -------
    module
        The package openvino.

    Raises
    ------
    ImportError
        With the install command, if it is missing.
    """
    hidden = "openvino" not in sys.modules and STATISTICS not in sys.modules
    if hidden:
        sys.modules[STATISTICS] = None  # which makes importing it fail
    try:
        return import_optional("openvino", extra="openvino", purpose="engine='openvino'")
    finally:
        if hidden:
            sys.modules.pop(STATISTICS, None)
