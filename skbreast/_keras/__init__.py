"""The one door to Keras and TensorFlow; importing this package starts them, quietly.

TensorFlow greets its users from C++ before any Python setting can reach it. What it writes while
it starts is held back, known greetings are dropped, and everything else (errors, warnings of a
driver, …) is passed on when it has started. Only if it aborts the whole process is that lost: set
``TF_CPP_MIN_LOG_LEVEL`` to see it. A user who sets ``TF_CPP_MIN_LOG_LEVEL`` has it all their way.
"""

import contextlib
import os
import re
import sys
import tempfile

GREETINGS = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|oneDNN custom operations are on"
    rb"|Could not find cuda drivers on your machine"
    rb"|This TensorFlow binary is optimized to use available CPU instructions"
    rb"|^To enable the following instructions: .* rebuild TensorFlow"
    rb"|failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR \(303\)"
)


@contextlib.contextmanager
def held_back(pattern=GREETINGS):
    """Hold back what is written to standard error, and pass on what does not match at the end."""
    try:
        terminal = os.dup(2)
    except OSError:  # a process without a standard error, such as pythonw
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            kept.seek(0)
            for line in kept:
                if not pattern.search(line):
                    os.write(2, line)


def _start():
    import keras

    if "TF_CONFIG" not in os.environ:  # processes join others before their first operation
        keras.ops.zeros(1)  # which finds the devices, and greets again


if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
    _start()
else:
    with held_back():
        _start()
