"""Where in a patch a fitted classifier finds what it says: maps that speak for a class."""

from skbreast.inspection._activation import activation_maps

__all__ = ["activation_maps"]
