"""Nuclei: drawn discs and ellipses of known number, area and shape; nothing where nothing is."""

import numpy as np
import pytest
from skimage.color import hed2rgb
from skimage.draw import disk, ellipse
from skimage.measure import label, regionprops

from skbreast.datasets import make_patches
from skbreast.texture import NucleiFeatures, nuclei_features
from skbreast.texture._objects import find_objects, group_quantiles

STROMA, NUCLEUS = (230, 160, 200), (90, 60, 140)


def named(patches, **parameters):
    features = NucleiFeatures(**parameters).fit(patches)
    return dict(zip(features.get_feature_names_out(), features.transform(patches).T, strict=True))


def draw(*shapes, size=100):
    patch = np.full((size, size, 3), STROMA, dtype=np.uint8)
    for rows, columns in shapes:
        patch[rows, columns] = NUCLEUS
    return patch[None]


def test_discs_of_known_number_and_area():
    radii = [5, 8, 8, 12]
    places = [(15, 15), (15, 60), (60, 15), (65, 65)]
    discs = [disk(place, radius) for place, radius in zip(places, radii, strict=True)]
    areas = [len(rows) for rows, _ in discs]
    found = named(draw(*discs), smoothing=0)
    assert found["nuclei_per_10000_pixels"][0] == 4
    assert found["nuclei_area_fraction"][0] == pytest.approx(sum(areas) / 10_000)
    assert found["nuclei_area_mean"][0] == pytest.approx(np.mean(areas))
    assert found["nuclei_area_std"][0] == pytest.approx(np.std(areas))
    assert found["nuclei_area_median"][0] == pytest.approx(np.median(areas))
    assert found["nuclei_area_quantile0.9"][0] == pytest.approx(np.quantile(areas, 0.9))
    assert found["nuclei_eccentricity_mean"][0] < 0.05
    smoothed = named(draw(*discs))  # what is a pixel wide comes and goes
    assert smoothed["nuclei_per_10000_pixels"][0] == 4
    assert smoothed["nuclei_area_mean"][0] == pytest.approx(np.mean(areas), rel=0.1)


@pytest.mark.parametrize("angle", [0, np.pi / 3, np.pi / 2])
@pytest.mark.parametrize(("longer", "shorter"), [(20, 10), (24, 8), (15, 15)])
def test_ellipses_of_known_eccentricity(longer, shorter, angle):
    found = named(draw(ellipse(50, 50, longer, shorter, rotation=angle)))
    expected = np.sqrt(1 - (shorter / longer) ** 2)
    assert found["nuclei_eccentricity_mean"][0] == pytest.approx(
        expected, abs=0.1 if longer == 15 else 0.01
    )
    assert found["nuclei_eccentricity_std"][0] == 0
    assert found["nuclei_area_mean"][0] == pytest.approx(np.pi * longer * shorter, rel=0.05)


def test_density_inside_is_that_of_the_stain():
    stains = np.zeros((60, 60, 3))
    stains[..., 1] = 0.02
    stains[5:20, 5:20, 0], stains[30:50, 30:50, 0] = 0.05, 0.07
    patch = np.rint(255 * hed2rgb(stains)).astype(np.uint8)[None]
    found = named(patch, smoothing=0)
    inside = stains[stains[..., 0] > 0][:, 0]
    assert found["nuclei_density_mean"][0] == pytest.approx(inside.mean(), abs=0.002)
    assert found["nuclei_density_std"][0] == pytest.approx(inside.std(), abs=0.002)


def test_specks_are_left_out():
    patch = draw(disk((30, 30), 10), (slice(70, 72), slice(70, 72)))
    counts = [
        named(patch, min_area=min_area, smoothing=0)["nuclei_per_10000_pixels"][0]
        for min_area in (4, 5, 1000)
    ]
    assert counts == [2, 1, 0]


@pytest.mark.parametrize(
    ("colour", "sigma"),
    [
        *((colour, 0) for colour in (STROMA, NUCLEUS, (255, 255, 255), (0, 0, 0), (0, 255, 0))),
        *((colour, 8) for colour in (STROMA, (255, 255, 255), (240, 240, 240), (200, 120, 180))),
        (NUCLEUS, 4),  # noise of dark pixels is more in density
    ],
)
def test_noise_without_nuclei_has_none(colour, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, size=(3, 50, 50, 3))
    patches = np.clip(np.rint(np.array(colour) + noise), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(nuclei_features(patches), 0)


def test_neighbours_in_the_batch_are_not_connected():
    dark = draw(disk((50, 50), 20))
    plain = draw()
    found = named(np.concatenate([dark, dark, plain, dark]))
    assert found["nuclei_per_10000_pixels"].tolist() == [1, 1, 0, 1]
    assert len(set(found["nuclei_area_mean"][[0, 1, 3]])) == 1


def test_objects_are_those_of_scikit_image():
    masks = np.random.default_rng(0).random((5, 40, 40)) < 0.35
    mask, area, eccentricity, inside = find_objects(masks, min_area=3)
    for number, each in enumerate(masks):
        regions = [region for region in regionprops(label(each)) if region.area >= 3]
        assert sorted(area[mask == number]) == sorted(region.area for region in regions)
        np.testing.assert_allclose(
            np.sort(eccentricity[mask == number]),
            np.sort([region.eccentricity for region in regions]),
            atol=1e-6,
        )
        assert inside[number].sum() == sum(region.area for region in regions)


def test_quantiles_are_those_of_numpy():
    random = np.random.default_rng(0)
    values, group = random.random(50), random.integers(0, 7, size=50)
    for quantile in (0, 0.3, 0.5, 0.9, 1):
        found = group_quantiles(values, group, 9, quantile)
        expected = [np.quantile(values[group == each], quantile) for each in range(7)]
        np.testing.assert_allclose(found, [*expected, 0, 0])


def test_patches_of_one_channel_by_their_darkness():
    patch = np.full((1, 50, 50, 1), 220, dtype=np.uint8)
    patch[:, 10:20, 10:20] = patch[:, 30:36, 30:40] = 60
    found = named(patch, smoothing=0)
    assert found["nuclei_per_10000_pixels"][0] == 2 * 4
    assert found["nuclei_area_mean"][0] == 80


def test_drawn_tissue_has_nuclei():
    patches = make_patches(3, 3, patch_size=64, random_state=0).data
    found = named(patches, min_area=10)
    assert (found["nuclei_per_10000_pixels"] > 0).all()
    assert (found["nuclei_area_fraction"] < 0.7).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_area": 0}, "min_area must be an integer at least 1; got 0"),
        ({"min_contrast": -1}, "min_contrast must be a number at least 0 and at most 1000; got -1"),
        ({"smoothing": 65}, "smoothing must be a number at least 0 and at most 64; got 65"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        nuclei_features(draw(), **parameters)
    with pytest.raises(ValueError, match=message):
        NucleiFeatures(**parameters).fit(draw())
