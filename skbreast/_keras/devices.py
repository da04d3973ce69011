"""What TensorFlow can compute on."""

import tensorflow as tf

__all__ = ["gpu_precision", "list_devices"]

BFLOAT16_CAPABILITY = (8, 0)  # Ampere, the first to multiply in it


def list_devices():
    """Return the names of the devices that TensorFlow sees, such as ``"CPU"`` or a GPU's model."""
    return [
        _details(device).get("device_name", device.device_type)
        for device in tf.config.list_physical_devices()
    ]


def gpu_precision():
    """Return the precision that TensorFlow's GPU is fast in, None where it sees none."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    capability = min(_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus)
    return "bfloat16" if capability >= BFLOAT16_CAPABILITY else "float32"


def _details(device):
    return tf.config.experimental.get_device_details(device)
