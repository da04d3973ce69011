"""`ActivationMapDisplay`: patches, and beside each where its score comes from."""

import math
import textwrap

import numpy as np

from skbreast._validation import check_number, check_patches, import_optional, name_some
from skbreast.inspection import activation_maps
from skbreast.plotting._shown import read_shown, shorten
from skbreast.plotting._style import INK, get_axes
from skbreast.reading import fit_patch

__all__ = ["ActivationMapDisplay"]

_FONT_SIZE = 9
_MAX_PATCHES = 64
_GAP = 0.06
_BAR_WIDTH = 0.9
_LUMINANCE = (0.299, 0.587, 0.114)
_UNITS = {
    "patch": "share of each patch's highest",
    "all": "share of the highest of all",
}
_WHERE = {
    "gradcam": "what a place adds to its raw score",
    "gradcam++": "no unit, but patches can be compared",
    "occlusion": "where the patch is covered",
}


class ActivationMapDisplay:
    """Patches, and beside each the same in grey with its map over it.

    Where the map is low it is transparent. All maps share one colour bar.

    It is recommended to use :meth:`from_estimator`. All arguments are kept as attributes.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, height, width, 3), uint8
        The patches.
    maps : ndarray of shape (n_patches, height, width)
        A number a pixel; where any is below zero, colours differ for both signs.
    titles : sequence of str, optional
        Above each patch.
    map_titles : sequence of str, optional
        Above each map.
    label : str, default=""
        What the numbers of the maps are, beside the colour bar.
    n_columns : int, default=2
        Patches side by side, each with its map.
    alpha : float, default=0.75
        How much of the grey patch the highest number covers, above 0 and at most 1.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    axes_ : ndarray of matplotlib Axes, shape (n_patches, 2)
        Those of each patch and its map.
    images_ : list of matplotlib AxesImage
        The patches.
    greys_ : list of matplotlib AxesImage
        The patches in grey, under the maps.
    overlays_ : list of matplotlib AxesImage
        The maps; their arrays are the numbers.
    colorbar_ : matplotlib Colorbar
        The colour bar.

    See Also
    --------
    skbreast.inspection.activation_maps : The maps as arrays.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbreast import TransferFeatureExtractor
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.plotting import ActivationMapDisplay
    >>> patches = make_patches(4, 4, patch_size=32, random_state=0)
    >>> model = make_pipeline(TransferFeatureExtractor(layers="block4"), LogisticRegression())
    >>> model = model.fit(patches.data, patches.target)
    >>> display = ActivationMapDisplay.from_estimator(
    ...     model, patches.data[:2], patches.target[:2], target_names=patches.target_names
    ... )
    >>> display.titles
    ['label benign', 'label benign']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, *, patches, maps, titles=None, map_titles=None, label="", n_columns=2, alpha=0.75
    ):
        self.patches = patches
        self.maps = maps
        self.titles = titles
        self.map_titles = map_titles
        self.label = label
        self.n_columns = n_columns
        self.alpha = alpha

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        method="gradcam",
        target_class=None,
        target_names=None,
        normalize=None,
        n_columns=2,
        alpha=0.75,
        ax=None,
        **options,
    ):
        """Compute the maps of patches, and draw them.

        Parameters
        ----------
        estimator : classifier
            Fitted; see :func:`skbreast.inspection.activation_maps` for which.
        X : array-like of n_patches
            Patches or references, at most 64: all are drawn. Arrays hold raw pixels, 0…255, or
            scaled ones, 0…1. Where a step in front changes the stain, the patches are drawn as
            they were before.
        y : array-like of shape (n_patches,), optional
            Labels that the estimator knows, for the titles.
        method : {"gradcam", "gradcam++", "occlusion"}, default="gradcam"
            How the maps are made.
        target_class : label or array-like of shape (n_patches,), optional
            The class whose score is mapped. By default what `estimator` predicts.
        target_names : sequence of str, optional
            Name of each class, in the order of `classes_`.
        normalize : {None, "patch", "all"}, default=None
            None keeps the unit of the scores. "patch" shows the pattern of each map, however weak.
        n_columns : int, default=2
            Patches side by side, each with its map.
        alpha : float, default=0.75
            How much of the grey patch the highest number covers, above 0 and at most 1.
        ax : array-like of matplotlib Axes, optional
            Where to draw, see :meth:`plot`.
        **options
            For :func:`skbreast.inspection.activation_maps`.

        Returns
        -------
        ActivationMapDisplay
            Drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If an argument is not as documented, there are too many patches, or `y` holds a label
            that the estimator does not know; what `activation_maps` raises.
        """
        import_optional("matplotlib", extra="plot", purpose="A picture")
        _check_drawing(n_columns, alpha)
        X = _check_few(X)
        predicted = np.asarray(estimator.predict(X))
        name_of = _names(estimator, target_names)
        options |= {"method": method, "normalize": normalize}
        shown = predicted if target_class is None else target_class
        maps = activation_maps(estimator, X, target_class=shown, **options)
        display = cls(
            patches=_read(X, maps.shape[1:]),
            maps=maps,
            titles=None if y is None else _label_titles(y, name_of, n_patches=len(maps)),
            map_titles=_predicted_titles(estimator, X, predicted, name_of),
            label=_describe(method, target_class, maps, normalize, name_of),
            n_columns=n_columns,
            alpha=alpha,
        )
        return display.plot(ax)

    def plot(self, ax=None, *, cmap=None, tile_size=2.0):
        """Draw the patches and the maps.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, optional
            Two a patch, in order: that of the patch, that of the map. By default a new figure.
        cmap : str or matplotlib Colormap, optional
            By default "viridis", and "PuOr_r" for maps with both signs.
        tile_size : float, default=2.0
            Width of a new picture in inches.

        Returns
        -------
        ActivationMapDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is another number of Axes than two a patch, or lengths differ.
        """
        import_optional("matplotlib", extra="plot", purpose="A picture")
        _check_drawing(self.n_columns, self.alpha)
        self._check_numbers()
        self.figure_, self.axes_ = self._make_axes(ax, tile_size)
        norm, cmap = self._colours(cmap)
        room = tile_size * self.figure_.dpi if ax is None else None
        self.images_, self.greys_, self.overlays_ = [], [], []
        for number, (left, right) in enumerate(self.axes_):
            self._draw(left, right, number, norm, cmap, room)
        self.colorbar_ = self._draw_colorbar(norm, cmap)
        return self

    def _check_numbers(self):
        n_patches = len(self.patches)
        if np.shape(self.maps) != np.shape(self.patches)[:3] or not n_patches:
            raise ValueError(
                "maps must have the patches' number, height and width; got "
                f"{np.shape(self.maps)} for patches of shape {np.shape(self.patches)}."
            )
        for name in ("titles", "map_titles"):
            texts = getattr(self, name)
            if texts is not None and len(texts) != n_patches:
                raise ValueError(f"{name} has {len(texts)} entries for {n_patches} patches.")

    def _make_axes(self, ax, tile_size):
        n_patches = len(self.patches)
        if ax is not None:
            return get_axes(ax, n_rows=n_patches, n_columns=2)
        n_columns = min(self.n_columns, n_patches)
        n_rows = math.ceil(n_patches / n_columns)
        height, width = np.shape(self.maps)[1:]
        n_lines = max((text.count("\n") + 1 for text in self._texts()), default=0)
        size = (tile_size, tile_size * height / width + n_lines * 1.3 * _FONT_SIZE / 72 + 0.1)
        # A patch and its map belong together: a narrow empty column parts them from the next.
        ratios = [1, 1, _GAP] * n_columns
        figure, axes = get_axes(
            n_rows=n_rows, n_columns=len(ratios), size=size, width_ratios=ratios
        )
        figure.set_size_inches(tile_size * sum(ratios) + _BAR_WIDTH, figure.get_figheight())
        axes = axes.reshape(-1, 3)
        for unused in (*axes[:, 2], *axes[n_patches:, :2].ravel()):
            unused.remove()
        return figure, axes[:n_patches, :2]

    def _texts(self):
        return [*(self.titles or ()), *(self.map_titles or ())]

    def _colours(self, cmap):
        import matplotlib as mpl

        highest = float(np.abs(self.maps).max()) or 1.0
        signed = np.min(self.maps) < 0
        norm = mpl.colors.Normalize(-highest if signed else 0.0, highest)
        default = "PuOr_r" if signed else "viridis"
        return norm, mpl.colormaps.get_cmap(default if cmap is None else cmap)

    def _draw(self, left, right, number, norm, cmap, room):
        patch, numbers = self.patches[number], self.maps[number]
        grey = np.asarray(patch, dtype=np.float64) @ _LUMINANCE
        # From half of the highest on, colours are as strong as they get.
        opacity = self.alpha * np.clip(2 * np.abs(numbers) / norm.vmax, 0, 1)
        self.images_.append(left.imshow(patch, interpolation="antialiased"))
        self.greys_.append(
            right.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        )
        self.overlays_.append(right.imshow(numbers, cmap=cmap, norm=norm, alpha=opacity))
        for axes, titles in ((left, self.titles), (right, self.map_titles)):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if titles is not None:
                text = axes.set_title(
                    titles[number], fontsize=_FONT_SIZE, color=INK, loc="left", parse_math=False
                )
                _shrink(text, axes.bbox.width if room is None else room)

    def _draw_colorbar(self, norm, cmap):
        import matplotlib as mpl

        mappable = mpl.cm.ScalarMappable(norm, cmap)
        axes = list(self.axes_.ravel())
        n_rows = len({each.get_subplotspec().rowspan for each in axes})
        bar = self.figure_.colorbar(mappable, ax=axes, pad=0.02, aspect=15 * n_rows)
        label = _wrapped(self.label, self.figure_.get_figheight())
        bar.set_label(label, fontsize=_FONT_SIZE, color=INK, parse_math=False)
        bar.ax.tick_params(labelsize=_FONT_SIZE - 1)
        bar.outline.set_visible(False)
        return bar


def _shrink(text, width):
    """Make a title small enough for its picture, in pixels: names of classes may be long."""
    needed = text.get_window_extent().width
    if needed > 0.92 * width:
        text.set_fontsize(text.get_fontsize() * 0.92 * width / needed)


def _wrapped(text, length):
    """Break lines that are longer than `length` inches; a letter is about half as wide as high."""
    n_letters = max(10, int(length * 72 / (0.6 * _FONT_SIZE)))
    return "\n".join(textwrap.fill(line, n_letters) for line in text.splitlines())


def _check_drawing(n_columns, alpha):
    check_number(n_columns, name="n_columns", low=1, integer=True)
    check_number(alpha, name="alpha", low=0, high=1, open_low=True)


def _check_few(X):
    X = check_patches(X)
    if len(X) > _MAX_PATCHES:
        raise ValueError(
            f"X holds {len(X)} patches; at most {_MAX_PATCHES} are drawn: choose some, as in X[:8]."
        )
    return X


def _read(X, size):
    patches, problems = read_shown(X, np.arange(len(X)))
    for problem in filter(None, problems):
        raise ValueError(problem)
    return np.stack([fit_patch(patch, tuple(size)) for patch in patches])


def _names(estimator, target_names):
    """Return a function from a label to the name of its class."""
    labels = np.asarray(estimator.classes_).tolist()
    names = labels if target_names is None else list(target_names)
    if len(names) != len(labels):
        raise ValueError(f"target_names has {len(names)} entries for {len(labels)} classes.")
    names = dict(zip(labels, map(shorten, names), strict=True))
    return names.__getitem__


def _label_titles(y, name_of, *, n_patches):
    labels = np.asarray(y).tolist()
    if np.shape(y) != (n_patches,):
        raise ValueError(f"y must have {n_patches} entries, one a patch; got shape {np.shape(y)}.")
    try:
        return [f"label {name_of(label)}" for label in labels]
    except KeyError:
        raise ValueError(
            f"y must hold labels that the estimator knows; got {name_some(sorted(set(labels)))}."
        ) from None


def _predicted_titles(estimator, X, predicted, name_of):
    titles = [f"predicted {name_of(label)}" for label in predicted.tolist()]
    if not hasattr(estimator, "predict_proba"):
        return titles
    numbers = np.searchsorted(estimator.classes_, predicted)
    sure = estimator.predict_proba(X)[np.arange(len(numbers)), numbers]
    return [f"{title}\nprobability {share:.2f}" for title, share in zip(titles, sure, strict=True)]


def _describe(method, target_class, maps, normalize, name_of):
    """Return what the numbers of the maps are."""
    of = "the predicted class"
    if target_class is not None:
        of = name_of(target_class) if np.ndim(target_class) == 0 else "the class"
    what = f"fall of the score of {of}" if method == "occlusion" else f"speaks for {of}"
    if np.min(maps) < 0:
        what += ", below 0 a rise" if method == "occlusion" else ", below 0 against it"
    return f"{what}\n({_UNITS.get(normalize, _WHERE[method])})"
