"""The picture of activation maps: what its artists hold, and that its words have room."""

import matplotlib as mpl  # noqa: TID253
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline

from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.inspection import activation_maps
from skbreast.plotting import ActivationMapDisplay
from skbreast.texture import ColorFeatures


@pytest.fixture(autouse=True)
def _figures_closed():
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def bunch():
    return make_patches(4, 3, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def model(bunch):
    network = PatchCNNClassifier(max_epochs=1, precision="float32", random_state=0)
    return network.fit(bunch.data, bunch.target)


def numbers(n_patches=3, low=0.0, side=16):
    rng = np.random.default_rng(0)
    patches = rng.integers(256, size=(n_patches, side, side, 3)).astype(np.uint8)
    maps = rng.uniform(low, 2, size=(n_patches, side, side))
    maps[0, 0, 0] = 2
    return {"patches": patches, "maps": maps}


def texts_of(display):
    axes = display.axes_.ravel()
    found = [text for each in axes for text in (each.title, each._left_title) if text.get_text()]
    bar = display.colorbar_.ax
    low, high = bar.get_ylim()
    ticks = [tick.label2 for tick in bar.yaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [*found, bar.yaxis.label, *ticks]


def assert_no_overlap(display):
    figure = display.figure_
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in texts_of(display)]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width + 1
        assert box.y1 <= figure.bbox.height + 1
        for other in boxes[:number]:
            width = min(box.x1, other.x1) - max(box.x0, other.x0)
            height = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert width <= 0.5 or height <= 0.5


def test_artists_hold_patches_and_maps():
    given = numbers()
    display = ActivationMapDisplay(**given, label="units")
    assert display.plot() is display
    assert display.axes_.shape == (3, 2)
    for number in range(3):
        np.testing.assert_array_equal(display.images_[number].get_array(), given["patches"][number])
        np.testing.assert_array_equal(display.overlays_[number].get_array(), given["maps"][number])
        assert display.images_[number].axes is display.axes_[number, 0]
        assert display.overlays_[number].axes is display.axes_[number, 1]
    assert len(display.figure_.axes) == 7  # with the colour bar; what is left over is gone
    assert display.colorbar_.ax.get_ylabel() == "units"


def test_what_is_low_is_transparent():
    given = numbers()
    given["maps"][0, :4] = 0
    display = ActivationMapDisplay(**given, alpha=0.5).plot()
    opacity = display.overlays_[0].get_alpha()
    assert not opacity[:4].any()
    assert opacity.max() == 0.5
    assert display.overlays_[0].norm.vmin == 0
    assert display.overlays_[0].norm.vmax == display.colorbar_.vmax == given["maps"].max()


def test_both_signs_have_colours_of_their_own():
    display = ActivationMapDisplay(**numbers(low=-1.0)).plot()
    norm = display.overlays_[0].norm
    assert (norm.vmin, norm.vmax) == (-2, 2)
    assert display.overlays_[0].cmap.name == "PuOr_r"
    assert ActivationMapDisplay(**numbers()).plot().overlays_[0].cmap.name == "viridis"


def test_empty_maps_are_drawn_too():
    given = numbers()
    display = ActivationMapDisplay(patches=given["patches"], maps=0 * given["maps"]).plot()
    assert not display.overlays_[0].get_alpha().any()


def test_own_axes_are_used():
    figure = mpl.figure.Figure()
    axes = figure.subplots(2, 3)
    display = ActivationMapDisplay(**numbers()).plot(axes)
    assert display.figure_ is figure
    assert display.axes_.ravel().tolist() == axes.ravel().tolist()
    with pytest.raises(ValueError, match="ax must hold 6 Axes"):
        ActivationMapDisplay(**numbers()).plot(axes[:1])


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_words_do_not_overlap(n_columns):
    titles = ["label W" + 18 * "W", "label benign", "label malignant"]
    map_titles = ["predicted " + 19 * "W" + "\nprobability 0.99", "predicted a", "predicted b"]
    display = ActivationMapDisplay(
        **numbers(low=-1.0),
        titles=titles,
        map_titles=map_titles,
        label="fall of the score of the predicted class\n(where the patch is covered)",
        n_columns=n_columns,
    )
    assert_no_overlap(display.plot())


def test_from_estimator_draws_the_maps_of_the_function(model, bunch):
    X, y = bunch.data[:4], bunch.target[:4]
    before = dict(mpl.rcParams)
    display = ActivationMapDisplay.from_estimator(
        model, X, y, method="gradcam++", target_names=bunch.target_names, layer="block3"
    )
    assert dict(mpl.rcParams) == before
    np.testing.assert_array_equal(
        display.maps, activation_maps(model, X, method="gradcam++", layer="block3")
    )
    np.testing.assert_array_equal(display.patches, X)
    assert display.titles == [f"label {bunch.target_names[label]}" for label in y]
    shares = model.predict_proba(X).max(axis=1)
    for text, label, share in zip(display.map_titles, model.predict(X), shares, strict=True):
        assert text == f"predicted {bunch.target_names[label]}\nprobability {share:.2f}"
    assert "the predicted class" in display.label
    assert_no_overlap(display)


def test_from_estimator_names_the_class_that_was_asked_for(model, bunch):
    display = ActivationMapDisplay.from_estimator(
        model, bunch.data[:2], target_class=1, target_names=bunch.target_names, signed=True
    )
    assert display.titles is None
    assert display.label.startswith("speaks for malignant, below 0 against it\n")
    assert display.maps.min() < 0


def test_references_are_drawn(model, bunch, tmp_path, save_patches):
    references = save_patches(bunch.data[:2], tmp_path)
    display = ActivationMapDisplay.from_estimator(model, references)
    np.testing.assert_array_equal(display.patches, bunch.data[:2])


def test_models_without_probabilities_and_other_methods(bunch):
    model = make_pipeline(ColorFeatures(), RidgeClassifier()).fit(bunch.data, bunch.target)
    display = ActivationMapDisplay.from_estimator(
        model, bunch.data[:2], method="occlusion", window=16, normalize="patch"
    )
    assert display.map_titles[0] in ("predicted 0", "predicted 1")
    assert "share of each patch's highest" in display.label


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_columns": 0}, "n_columns"),
        ({"alpha": 0}, "alpha"),
        ({"y": [0]}, "y must have 2 entries"),
        ({"y": [0, 7]}, "y must hold labels that the estimator knows"),
        ({"target_names": ["a"]}, "target_names has 1 entries for 2 classes"),
    ],
)
def test_arguments_are_checked(options, words, bunch):
    model = make_pipeline(ColorFeatures(), LogisticRegression(max_iter=5000))
    model.fit(bunch.data, bunch.target)
    with pytest.raises(ValueError, match=words):
        ActivationMapDisplay.from_estimator(model, bunch.data[:2], method="occlusion", **options)


def test_a_thousand_patches_are_too_many(model, bunch):
    with pytest.raises(ValueError, match="at most 64 are drawn"):
        ActivationMapDisplay.from_estimator(model, bunch.data.repeat(6, axis=0))


def test_numbers_must_fit():
    given = numbers()
    with pytest.raises(ValueError, match="maps must have the patches' number"):
        ActivationMapDisplay(patches=given["patches"], maps=given["maps"][:2]).plot()
    with pytest.raises(ValueError, match="titles has 1 entries for 3 patches"):
        ActivationMapDisplay(**given, titles=["a"]).plot()
