"""What TensorFlow can compute on."""

import tensorflow as tf

__all__ = ["list_devices"]


def list_devices():
    """Return the names of the devices that TensorFlow sees, such as ``"CPU"`` or a GPU's model."""
    names = []
    for device in tf.config.list_physical_devices():
        details = tf.config.experimental.get_device_details(device)
        names.append(details.get("device_name", device.device_type))
    return names
