"""Pictures for a page: drawings panel by panel, so that a telephone can stack them, and patches."""

import base64
from io import BytesIO

import numpy as np

from skbreast.report._blocks import Picture

__all__ = ["draw_panels", "lay_over", "show_patch"]

DPI = 160  # sharp on screens of twice the usual density
CSS_DPI = 96
SMALL_SIDE = 96  # up to which a patch is kept as it is
LARGEST_SIDE = 256
LUMINANCE = (0.299, 0.587, 0.114)
OPACITY = 0.75


def draw_panels(display, alts, *, size=(4.8, 4.2), **options):
    """Draw a Display anew, each of its Axes as a picture of its own.

    Parameters
    ----------
    display : Display
        Drawn by pyplot, whose figure is closed.
    alts : list of str
        What to read in place of each picture.
    size : tuple of (float, float)
        Width and height of each in inches.
    **options
        For its `plot`.

    Returns
    -------
    list of Picture
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    plt.close(display.figure_)
    with plt.style.context("default"):  # a page is light, whatever the user's style is
        figures = [Figure(figsize=size, layout="constrained") for _ in range(_n_axes(display))]
        axes = [figure.subplots() for figure in figures]
        display.plot(axes if len(axes) > 1 else axes[0], **options)
        return [_as_picture(figure, alt) for figure, alt in zip(figures, alts, strict=True)]


def _n_axes(display):
    axes = getattr(display, "axes_", None)
    return 1 if axes is None else len(axes)


def _as_picture(figure, alt):
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    width, height = (round(inches * CSS_DPI) for inches in figure.get_size_inches())
    return Picture(_data_uri(file, "png"), alt, width, height)


def show_patch(patch, alt):
    """Return a patch as a picture, shrunk to what a page shows.

    Parameters
    ----------
    patch : ndarray of shape (height, width, 3) or (height, width, 1), uint8
        Pixels.
    alt : str
        What to read in its place.

    Returns
    -------
    Picture
    """
    from PIL import Image

    image = Image.fromarray(np.squeeze(patch, axis=2) if patch.shape[2] == 1 else patch)
    file = BytesIO()
    if max(image.size) <= SMALL_SIDE:
        image.save(file, "PNG", optimize=True)
        return Picture(_data_uri(file, "png"), alt, *image.size)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    image.save(file, "JPEG", quality=88, subsampling=0)
    return Picture(_data_uri(file, "jpeg"), alt, *image.size)


def lay_over(patch, values):
    """Return a patch in grey with a map in colours over it, the more opaque the higher it is.

    Parameters
    ----------
    patch : ndarray of shape (height, width, 3), uint8
        Pixels.
    values : ndarray of shape (height, width), float
        0…1; of another size it is brought to that of the patch.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
    """
    from matplotlib import colormaps
    from skimage.transform import resize

    values = np.clip(resize(values, patch.shape[:2], order=1), 0, 1)
    colors = colormaps["viridis"](values)[..., :3] * 255
    grey = (patch @ np.array(LUMINANCE))[..., None]
    return np.rint(grey + OPACITY * values[..., None] * (colors - grey)).astype(np.uint8)


def _data_uri(file, kind):
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
