"""Pictures for a page: drawings panel by panel, so that a telephone can stack them, and patches."""

import re
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from skbreast._html import data_uri, file_uri
from skbreast.report._blocks import Picture

__all__ = ["draw_panels", "lay_over", "show_patch", "shrink_picture"]

DPI = 160  # sharp on screens of twice the usual density
CSS_DPI = 96
SMALL_SIDE = 96  # up to which a patch is kept as it is
LARGEST_SIDE = 256
OPACITY = 0.75
SHRUNK_QUALITY = 75
# What Displays write of patients, and what it is where each patch counts as one.
WITHOUT_PATIENTS = (
    (r"\bover ([\d,]+)(\s)patients", r"over \1\2patches"),
    (r" \(by patient [^)]*\)", ""),
)


def draw_panels(display, alts, *, size=(4.8, 4.2), units="patients", beside=None):
    """Draw a Display anew, each of its Axes as a picture of its own.

    Parameters
    ----------
    display : Display
        Drawn by pyplot, whose figure is closed.
    alts : list of str
        What to read in place of each picture.
    size : tuple of (float, float)
        Width and height of each in inches, without a legend below it.
    units : {"patients", "patches"}
        What intervals resample.
    beside : tuple of (Display, dict), optional
        Another one, of as many panels, that is drawn over it, and options for its `plot`.

    Returns
    -------
    list of Picture
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    drawn = [(display, {})] + ([] if beside is None else [beside])
    for each, _ in drawn:
        plt.close(each.figure_)
    with plt.style.context("default"):  # a page is light, whatever the user's style is
        figures = [Figure(figsize=size, layout="constrained") for _ in range(_n_axes(display))]
        axes = [figure.subplots() for figure in figures]
        for each, options in drawn:
            each.plot(axes if len(axes) > 1 else axes[0], **options)
        if units != "patients":
            _reword(figures)
        _make_room(figures)
        return [_as_picture(figure, alt) for figure, alt in zip(figures, alts, strict=True)]


def _n_axes(display):
    axes = getattr(display, "axes_", None)
    return 1 if axes is None else len(axes)


def _reword(figures):
    from matplotlib.text import Text

    for text in (text for figure in figures for text in figure.findobj(Text)):
        for pattern, words in WITHOUT_PATIENTS:
            text.set_text(re.sub(pattern, words, text.get_text()))


def _make_room(figures):
    """Make figures as much higher as the largest legend is that stands below Axes."""
    extra = 0
    for ax in (ax for figure in figures for ax in figure.axes if ax.get_legend() is not None):
        ax.figure.draw_without_rendering()  # puts everything in its place
        legend = ax.get_legend().get_window_extent()
        if legend.y1 <= ax.get_window_extent().y0:
            extra = max(extra, legend.height / ax.figure.dpi)
    for figure in figures:
        figure.set_figheight(figure.get_figheight() + extra)


def _as_picture(figure, alt):
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    width, height = (round(inches * CSS_DPI) for inches in figure.get_size_inches())
    return Picture(file_uri(file.getvalue(), "image/png"), alt, width, height)


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
    image = Image.fromarray(np.squeeze(patch, axis=2) if patch.shape[2] == 1 else patch)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    if max(image.size) > SMALL_SIDE:
        return Picture(data_uri(pixels, quality=88), alt, *image.size, pixels)
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return Picture(file_uri(file.getvalue(), "image/png"), alt, *image.size, pixels)


def shrink_picture(picture, max_side):
    """Return a patch as a JPEG with sides of at most so many pixels; drawings stay as they are."""
    if picture.pixels is None:
        return picture
    return replace(picture, uri=data_uri(picture.pixels, max_side=max_side, quality=SHRUNK_QUALITY))


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
    grey = np.asarray(Image.fromarray(patch).convert("L"), dtype=np.float64)[..., None]
    return np.rint(grey + OPACITY * values[..., None] * (colors - grey)).astype(np.uint8)
