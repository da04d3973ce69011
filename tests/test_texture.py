"""All transformers of `skbreast.texture`: what they share, and images that want to break them."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skbreast.texture
from skbreast.reading import PatchReadError
from skbreast.texture import (
    ColorFeatures,
    NucleiFeatures,
    PFTASFeatures,
    TextureFeatures,
    color_features,
    nuclei_features,
    pftas_features,
    texture_features,
)

RICH_COLOURS = {"spaces": ["rgb", "lab", "hed"], "quantiles": [0.1, 0.5]}
TRANSFORMERS = {
    "colours": (ColorFeatures(), color_features),
    "rich colours": (ColorFeatures(**RICH_COLOURS), color_features),
    "texture": (TextureFeatures(), texture_features),
    "gabor": (TextureFeatures(radii=[1.5], gabor_wavelengths=[2, 9]), texture_features),
    "pftas": (PFTASFeatures(), pftas_features),
    "nuclei": (NucleiFeatures(), nuclei_features),
}


@pytest.fixture(params=TRANSFORMERS)
def both(request):
    transformer, function = TRANSFORMERS[request.param]
    return clone(transformer), function


@pytest.fixture
def transformer(both):
    return both[0]


@pytest.fixture
def patches():
    return np.random.default_rng(0).integers(0, 256, size=(7, 6, 9, 3), dtype=np.uint8)


@pytest.fixture
def references(patches, save_patches, tmp_path):
    return save_patches(patches, tmp_path)


def test_function_and_transformer_agree(both, patches):
    transformer, function = both
    parameters = transformer.get_params()
    found = function(patches, **parameters)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(transformer.fit_transform(patches), found)
    assert function(patches[:0], **parameters).shape == (0, found.shape[1])


def test_references_processes_and_tasks_do_not_show(transformer, patches, references, monkeypatch):
    whole = transformer.fit_transform(patches)
    monkeypatch.setattr("skbreast.texture._tasks._N_PATCHES", 3)
    for X in (patches, references):
        for n_jobs in (None, 2):
            found = transformer.set_params(n_jobs=n_jobs).fit_transform(X)
            np.testing.assert_array_equal(found, whole)
    np.testing.assert_array_equal(transformer.transform(patches[3:4]), whole[3:4])


def test_references_of_another_size_are_measured_in_it(
    transformer, patches, references, save_patches, tmp_path
):
    (tmp_path / "odd").mkdir()
    odd = save_patches(patches[:1, :4, :5], tmp_path / "odd")
    found = transformer.fit(references).transform([references[0], odd[0], *references[1:]])
    np.testing.assert_array_equal(found[1:2], transformer.transform(patches[:1, :4, :5]))
    np.testing.assert_array_equal(np.delete(found, 1, axis=0), transformer.transform(patches))


def test_names_and_frames(transformer, patches):
    pytest.importorskip("pandas")
    with pytest.raises(NotFittedError):
        transformer.get_feature_names_out()
    frame = transformer.set_output(transform="pandas").fit_transform(patches)
    names = transformer.get_feature_names_out()
    assert names.dtype == object
    assert frame.columns.tolist() == names.tolist()
    assert len(set(names)) == len(names)


def test_pickles_and_refusals(transformer, patches, references):
    transformer.fit(patches)
    again = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(again.transform(patches), transformer.transform(patches))
    with pytest.raises(ValueError, match=r"2 channels, but .*Features was fitted on patches of 3"):
        transformer.transform(patches[..., :2])
    with pytest.raises(PatchReadError, match=r"gone\.png"):
        transformer.transform([*references, "gone.png"])


def test_every_public_name_says_where_it_lives():
    for name in skbreast.texture.__all__:
        if name.endswith("Features"):
            assert getattr(skbreast.texture, name).__module__ == "skbreast.texture"


def _noise(random, shape):
    return random.integers(0, 256, size=shape)


def _one_channel_zero(random, shape):
    patches = random.integers(0, 256, size=shape)
    patches[..., random.integers(shape[-1])] = 0
    return patches


KINDS = {
    "constant": lambda random, shape: np.full(shape, random.integers(0, 256)),
    "one colour": lambda random, shape: np.zeros(shape, int) + random.integers(0, 256, shape[-1]),
    "noise": _noise,
    "black and white": lambda random, shape: random.integers(0, 2, size=shape) * 255,
    "nearly black": lambda random, shape: random.integers(0, 3, size=shape),
    "nearly white": lambda random, shape: 255 - random.integers(0, 3, size=shape),
    "one channel zero": _one_channel_zero,
    "ramp": lambda random, shape: np.arange(np.prod(shape)).reshape(shape) % 256,
    "one pixel": lambda random, shape: 255 * (np.arange(np.prod(shape)) == 0).reshape(shape),
}


@st.composite
def batches(draw, channels=(1, 2, 3, 3, 3, 4)):
    sides = st.integers(1, 40)
    shape = draw(st.integers(1, 3)), draw(sides), draw(sides), draw(st.sampled_from(channels))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    batch = KINDS[draw(st.sampled_from(sorted(KINDS)))](random, shape)
    is_scaled_by_chance = 0 < batch.max() <= 1
    as_float = draw(st.booleans()) and not is_scaled_by_chance
    return batch.astype(np.float32 if as_float else np.uint8)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", TRANSFORMERS)
@settings(max_examples=170, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_no_image_breaks_a_transformer(name, data):
    transformer = clone(TRANSFORMERS[name][0])
    batch = data.draw(batches(channels=(3,)) if name == "rich colours" else batches())
    features = transformer.fit_transform(batch)
    assert features.shape == (len(batch), len(transformer.get_feature_names_out()))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
