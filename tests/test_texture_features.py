"""Texture features: known answers, the same from arrays and files, any chunks and processes."""

import pickle
import warnings

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2gray, rgb2hed
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union

from skbreast.datasets import load_idc, make_patches
from skbreast.persistence import load, save
from skbreast.reading import PatchReadError, read_patches
from skbreast.texture import ColorFeatures, TextureFeatures, texture_features

TASKS = "skbreast.texture._tasks"
OF_SCIKIT_IMAGE = ["contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy"]
PROPERTIES = [
    *OF_SCIKIT_IMAGE, "variance", "sum_variance", "sum_entropy", "difference_variance",
    "difference_entropy", "information1", "information2",
]  # fmt: skip
PLANES = ["grey", "haematoxylin", "eosin"]


def named(patches, **parameters):
    """Compute features as a dict from name to the values of all patches."""
    transformer = TextureFeatures(**parameters).fit(patches)
    return dict(
        zip(transformer.get_feature_names_out(), transformer.transform(patches).T, strict=True)
    )


def pairs_by_hand(levels, distance):
    """Yield the pairs of levels in each of the four directions, both ways around."""
    height, width = levels.shape
    diagonal = round(distance / 2**0.5)
    for down, right in (
        (0, distance),
        (-diagonal, diagonal),
        (-distance, 0),
        (-diagonal, -diagonal),
    ):
        yield [
            pair
            for y in range(height)
            for x in range(width)
            if 0 <= y + down < height and 0 <= x + right < width
            for pair in (
                (levels[y, x], levels[y + down, x + right]),
                (levels[y + down, x + right], levels[y, x]),
            )
        ]


def properties_by_hand(pairs):
    first, second = np.array(pairs, dtype=float).T
    _, counts = np.unique(pairs, axis=0, return_counts=True)
    shares = counts / counts.sum()
    apart = first - second
    marginal, joint = entropy(first), -(shares * np.log(shares)).sum()
    return [
        (apart**2).mean(),
        np.abs(apart).mean(),
        (1 / (1 + apart**2)).mean(),
        np.sqrt((shares**2).sum()),
        np.corrcoef(first, second)[0, 1],
        joint,
        first.var(),
        (first + second).var(),
        entropy(first + second),
        np.abs(apart).var(),
        entropy(np.abs(apart)),
        (joint - 2 * marginal) / marginal,
        np.sqrt(1 - np.exp(-2 * (2 * marginal - joint))),
    ]


def entropy(values):
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return -(shares * np.log(shares)).sum()


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(0, 256, size=(7, 6, 9, 3), dtype=np.uint8)


@pytest.fixture
def references(patches, save_patches, tmp_path):
    return save_patches(patches, tmp_path)


@pytest.mark.parametrize("distance", [1, 3])
@pytest.mark.parametrize("n_levels", [4, 32])
def test_cooccurrence_by_hand(distance, n_levels):
    image = np.random.default_rng(1).integers(0, 256, size=(7, 9), dtype=np.uint8)
    levels = image // (256 // n_levels)
    expected = np.mean(
        [properties_by_hand(pairs) for pairs in pairs_by_hand(levels.astype(int), distance)], axis=0
    )
    found = named(image[None, :, :, None], distances=[distance], n_levels=n_levels)
    for name, value in zip(PROPERTIES, expected, strict=True):
        assert found[f"glcm_grey_distance{distance}_{name}"][0] == pytest.approx(value, rel=1e-5)


def test_haralicks_features_are_those_of_mahotas():
    haralick = pytest.importorskip("mahotas.features").haralick
    image = np.random.default_rng(2).integers(0, 256, size=(20, 30), dtype=np.uint8)
    found = named(image[None, :, :, None], distances=[1], n_levels=16)
    theirs = haralick(image // 16)  # each angle; entropies in bits
    bits = np.log(2)
    expected = {
        "contrast": theirs[:, 1],
        "correlation": theirs[:, 2],
        "variance": theirs[:, 3],
        "homogeneity": theirs[:, 4],
        "sum_variance": theirs[:, 6],
        "sum_entropy": bits * theirs[:, 7],
        "entropy": bits * theirs[:, 8],
        "difference_entropy": bits * theirs[:, 10],
        "information1": theirs[:, 11],
        "information2": np.sqrt(1 - (1 - theirs[:, 12] ** 2) ** bits),
    }
    for name, values in expected.items():
        value = found[f"glcm_grey_distance1_{name}"][0]
        assert value == pytest.approx(values.mean(), rel=1e-4), name


def test_patterns_of_an_edge_by_hand():
    """Left half dark, right half bright: three pixels' columns know what lies beside them."""
    patch = np.zeros((1, 10, 10, 1), dtype=np.uint8)
    patch[:, :, 5:] = 200
    found = named(patch, radii=[1])
    # neighbours as bright as the pixel count as brighter, so dark pixels see 8 everywhere; the
    # first bright column sees 5: itself along the edge, above and below, and the right side
    assert found["lbp_grey_radius1_8of8"][0] == pytest.approx(0.9)
    assert found["lbp_grey_radius1_5of8"][0] == pytest.approx(0.1)


def test_a_bright_dot_by_hand():
    patch = np.full((1, 11, 11, 1), 50, dtype=np.uint8)
    patch[:, 5, 5] = 250
    assert named(patch, radii=[1])["lbp_grey_radius1_0of8"][0] == pytest.approx(1 / 121)


def patterns_by_scikit_image(plane, radius):
    margin = int(np.ceil(radius))
    mirrored = np.pad(plane, margin, mode="reflect")
    patterns = local_binary_pattern(mirrored, 8, radius, method="uniform")
    inside = patterns[margin:-margin, margin:-margin]
    return np.bincount(inside.astype(int).ravel(), minlength=10) / plane.size


def properties_by_scikit_image(plane, distance, n_levels):
    levels = (plane.astype(int) * n_levels // 256).astype(np.uint8)
    angles = np.arange(4) * np.pi / 4
    matrices = graycomatrix(levels, [distance], angles, n_levels, symmetric=True)
    return [graycoprops(matrices, name).mean() for name in OF_SCIKIT_IMAGE]


def features_by_scikit_image(patch, radii=(1, 2, 3), distances=(1, 3), n_levels=32):
    """Measure one patch plainly, the way a loop over patches does."""
    stains = rgb2hed(patch)[..., :2] * 255 / 0.1
    planes = [rgb2gray(patch) * 255, stains[..., 0], stains[..., 1]]
    features = []
    for plane in np.clip(np.rint(planes), 0, 255).astype(np.uint8):
        features += [patterns_by_scikit_image(plane, radius) for radius in radii]
        features += [properties_by_scikit_image(plane, each, n_levels) for each in distances]
    return np.concatenate(features)


def assert_as_scikit_image(patches, **parameters):
    expected = [features_by_scikit_image(patch, **parameters) for patch in patches]
    names = TextureFeatures(**parameters).fit(patches).get_feature_names_out()
    # of scikit-image's properties alone
    known = [name.startswith("lbp") or name.endswith(tuple(OF_SCIKIT_IMAGE)) for name in names]
    known &= ~np.array([name.endswith(("sum_entropy", "difference_entropy")) for name in names])
    np.testing.assert_allclose(
        texture_features(patches, **parameters)[:, known], expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("n_levels", [2, 32, 256])
@pytest.mark.parametrize("shape", [(4, 4), (6, 17), (33, 20)])
def test_random_patches_as_scikit_image(shape, n_levels):
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, size=(3, *shape, 3), dtype=np.uint8)
    flat = random.integers(180, 184, size=(3, *shape, 3), dtype=np.uint8)  # many neighbours alike
    patches = np.concatenate([noise, flat, np.full((1, *shape, 3), [200, 90, 150], np.uint8)])
    assert_as_scikit_image(patches, radii=(0.5, 1, 2.4, 7), n_levels=n_levels)


def test_synthetic_patches_as_scikit_image():
    assert_as_scikit_image(make_patches(3, 3, patch_size=48, random_state=0).data)


def test_real_patches_as_scikit_image(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    assert_as_scikit_image(read_patches(idc.data[::150], size=(50, 50)))


def test_every_histogram_sums_to_one(patches):
    found = named(patches, radii=[1, 1.5, 4])
    for plane in PLANES:
        for radius in ("1", "1.5", "4"):
            shares = [v for k, v in found.items() if k.startswith(f"lbp_{plane}_radius{radius}_")]
            assert len(shares) == 10
            np.testing.assert_allclose(np.sum(shares, axis=0), 1, rtol=1e-6)


def test_stains_are_told_apart():
    """Haematoxylin in stripes on a plain ground is texture of haematoxylin, not of eosin."""
    from skimage.color import hed2rgb

    hed = np.full((16, 16, 3), 0.0)
    hed[..., 1] = 0.03
    hed[:, ::2, 0] = 0.06
    rgb = np.rint(255 * hed2rgb(hed)).astype(np.uint8)
    found = named(rgb[None])
    assert found["glcm_haematoxylin_distance1_contrast"][0] > 100
    assert found["glcm_eosin_distance1_contrast"][0] < 2
    swapped = np.rint(255 * hed2rgb(hed[..., [1, 0, 2]])).astype(np.uint8)
    found = named(swapped[None])
    assert found["glcm_eosin_distance1_contrast"][0] > 100
    assert found["glcm_haematoxylin_distance1_contrast"][0] < 2


def test_turned_and_mirrored_patches_are_alike():
    patch = np.random.default_rng(0).integers(0, 256, size=(12, 12, 3), dtype=np.uint8)
    turned = np.stack([patch, patch[::-1], patch[:, ::-1], patch.transpose(1, 0, 2)])
    features = texture_features(turned)
    np.testing.assert_allclose(features[1:], features[[0, 0, 0]], rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 2), (4, 4)])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_odd_patches_give_finite_numbers_without_a_warning(size, n_channels):
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, n_channels), dtype=np.uint8)
    blank = [np.full((1, *size, n_channels), value, dtype=np.uint8) for value in (0, 1, 127, 255)]
    one_channel = np.zeros_like(noise)
    one_channel[..., 0] = 200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = texture_features(np.concatenate([noise, *blank, one_channel]))
    assert np.isfinite(features).all()


def test_plain_patches_are_plain():
    plain = np.stack(
        [np.full((8, 8, 3), colour) for colour in ([0] * 3, [255] * 3, [200, 90, 150])]
    )
    for patches in (plain.astype(np.uint8), plain[:, :1, :1].astype(np.uint8)):
        for name, values in named(patches).items():
            last = name.rsplit("_", 1)[1]
            plain_value = last in ("8of8", "homogeneity", "energy", "correlation")
            np.testing.assert_allclose(values, float(plain_value), err_msg=name)


def test_angles_without_pairs_do_not_count():
    row = np.array([0, 255] * 4, dtype=np.uint8).reshape(1, 1, 8, 1)
    assert named(row, distances=[1])["glcm_grey_distance1_contrast"][0] == 31**2


def test_chunks_and_processes_do_not_show(patches, references, monkeypatch):
    whole = texture_features(patches)
    np.testing.assert_array_equal(texture_features(patches[3:4]), whole[3:4])
    np.testing.assert_array_equal(texture_features(patches, n_jobs=2), whole)
    for n_patches, n_cells, n_pixels in ((3, 1, 100), (1, 2**14, 1)):
        monkeypatch.setattr(f"{TASKS}._N_PATCHES", n_patches)
        monkeypatch.setattr("skbreast.texture._cooccurrence._N_CELLS", n_cells)
        monkeypatch.setattr("skbreast.texture._patterns._N_PIXELS", n_pixels)
        np.testing.assert_array_equal(texture_features(patches), whole)
        np.testing.assert_array_equal(texture_features(patches, n_jobs=2), whole)
        for n_jobs in (None, 2):
            transformer = TextureFeatures(n_jobs=n_jobs).fit(references)
            np.testing.assert_array_equal(transformer.transform(references), whole)


def test_a_patch_of_another_size_keeps_its_own_features(patches, references, tmp_path):
    odd = str(tmp_path / "edge.png")
    Image.fromarray(patches[0, :4, :5]).save(odd)
    found = TextureFeatures().fit_transform([references[0], odd, *references[1:]])
    np.testing.assert_array_equal(found[1:2], texture_features(patches[:1, :4, :5]))
    np.testing.assert_array_equal(np.delete(found, 1, axis=0), texture_features(patches))


def test_only_one_chunk_of_pixels_is_held(patches, references, monkeypatch):
    held = []

    def spied(references):
        held.append(len(references))
        return read(references)

    import skbreast.texture._tasks as module

    read = module.read_same_size
    monkeypatch.setattr(module, "read_same_size", spied)
    monkeypatch.setattr(module, "_N_PATCHES", 3)
    TextureFeatures().fit_transform(references)
    assert held == [3, 3, 1]


def test_floats_are_taken_on_the_scale_of_bytes(patches):
    expected = texture_features(patches)
    np.testing.assert_array_equal(texture_features(patches.astype(np.float32)), expected)
    np.testing.assert_array_equal(texture_features(patches.astype(np.int64)), expected)
    off = np.float32(0.4) * np.where(patches == 255, -1, 1)
    np.testing.assert_array_equal(texture_features(patches + off), expected)
    black = np.zeros((1, 4, 4, 3), dtype=np.float32)
    np.testing.assert_array_equal(texture_features(black), texture_features(black.astype(np.uint8)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X / 255, r"got values of float\d\d from 0 to 1; multiply .* by 255"),
        (lambda X: X / 127.5 - 1, r"from -1 to 1\."),
        (lambda X: X * 257.0, r"from 0 to 65535\."),
        (lambda X: X * np.nan, "nan|NaN"),
    ],
)
def test_other_scales_are_refused(change, message):
    patches = np.array([0, 255] * 8, dtype=np.uint8).reshape(1, 4, 4, 1)
    with pytest.raises(ValueError, match=message):
        texture_features(change(patches))
    for action in (TextureFeatures().fit, TextureFeatures().fit(patches).transform):
        with pytest.raises(ValueError, match=message):
            action(change(patches))


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 0, 4, 3), (2, 4, 4, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="at least one pixel and channel"):
        texture_features(np.zeros(shape))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"radii": []}, "radii must be a sequence of different numbers"),
        ({"radii": 1}, "radii must be a sequence of different numbers"),
        ({"radii": "12"}, "radii must be a sequence of different numbers"),
        ({"radii": [1, 1]}, "radii must be a sequence of different numbers"),
        ({"radii": [0]}, "Each of radii must be a number above 0 and at most 64; got 0"),
        ({"distances": [1.5]}, "Each of distances must be an integer at least 1"),
        ({"distances": [65]}, "Each of distances must be an integer .* at most 64; got 65"),
        ({"n_levels": 1}, "n_levels must be an integer at least 2 and at most 256; got 1"),
        ({"n_jobs": 0}, "n_jobs must be None or an integer other than 0"),
    ],
)
def test_parameters_out_of_range_are_refused(patches, parameters, message):
    with pytest.raises(ValueError, match=message):
        texture_features(patches, **parameters)
    with pytest.raises(ValueError, match=message):
        TextureFeatures(**parameters).fit(patches)


def test_names(patches, references):
    names = TextureFeatures().fit(patches).get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == 3 * (3 * 10 + 2 * 13)
    assert TextureFeatures().fit(references).get_feature_names_out().tolist() == names
    assert names[0] == "lbp_grey_radius1_0of8"
    assert names[-1] == "glcm_eosin_distance3_information2"
    grey = TextureFeatures().fit(patches[..., :1]).get_feature_names_out()
    assert grey.tolist() == names[: len(grey)]
    with pytest.raises(NotFittedError):
        TextureFeatures().get_feature_names_out()


def test_set_output(patches):
    pytest.importorskip("pandas")
    frame = TextureFeatures(radii=[2]).set_output(transform="pandas").fit_transform(patches)
    assert frame.columns[0] == "lbp_grey_radius2_0of8"
    np.testing.assert_array_equal(frame.to_numpy(), texture_features(patches, radii=[2]))


def test_what_was_seen_in_fit(patches, references):
    features = TextureFeatures().fit(patches)
    assert features.n_features_in_ == 6 * 9 * 3
    with pytest.raises(ValueError, match="2 channels, but TextureFeatures was fitted on"):
        features.transform(patches[..., :2])
    assert not hasattr(features.fit(references), "n_features_in_")
    np.testing.assert_array_equal(features.transform(patches), texture_features(patches))


def test_a_missing_file_is_named(references):
    with pytest.raises(PatchReadError, match=r"gone\.png"):
        TextureFeatures().fit(references).transform([*references, "gone.png"])


def test_clone_and_pickle(patches):
    features = TextureFeatures(radii=[2], n_levels=16).fit(patches)
    assert clone(features).get_params()["radii"] == [2]
    again = pickle.loads(pickle.dumps(features))
    np.testing.assert_array_equal(again.transform(patches), features.transform(patches))


def test_saved_files_name_public_places(patches, tmp_path):
    assert ColorFeatures.__module__ == TextureFeatures.__module__ == "skbreast.texture"
    colour = ColorFeatures().fit(patches)
    again = load(save(colour, tmp_path / "colour.skops"))
    np.testing.assert_array_equal(again.transform(patches), colour.transform(patches))


@pytest.mark.slow
def test_texture_and_colour_carry_further_than_colour_on_real_patches(real_data):
    paths = sorted((real_data / "IDC_regular_ps50_idx5").glob("*/*/*.png"))[::4]
    references = np.array([str(path) for path in paths], dtype=object)
    y = np.array([int(path.parent.name) for path in paths])
    groups = np.array([path.parents[1].name for path in paths])

    def auc(features):
        model = make_pipeline(features, HistGradientBoostingClassifier(random_state=0))
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, groups)
        scores = cross_val_score(model, features_of, y, cv=list(folds), scoring="roc_auc")
        return scores.mean()

    features_of = make_union(ColorFeatures(), TextureFeatures()).fit_transform(references)
    both = auc("passthrough")
    features_of = features_of[:, :6]
    assert both > 0.87
    assert both > auc("passthrough") + 0.01
