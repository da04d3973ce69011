"""Stain normalisers and the jitter as estimators: targets, groups, what cannot be measured."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skbreast import PatchCNNClassifier
from skbreast.color import (
    MACENKO_REFERENCE,
    REINHARD_REFERENCES,
    STAIN_VECTORS,
    VAHADANE_REFERENCE,
    color_statistics,
    jitter_stain,
    macenko_stains,
    mix_stains,
    vahadane_stains,
)
from skbreast.datasets import load_patch_folder, make_patches
from skbreast.evaluation import cross_validate_patients
from skbreast.exceptions import UnchangedPatchesWarning
from skbreast.persistence import load, save
from skbreast.stain import (
    MacenkoNormalizer,
    ReinhardNormalizer,
    StainJitter,
    VahadaneNormalizer,
)
from skbreast.texture import ColorFeatures
from skbreast.tissue import TissueFilter

NORMALIZERS = {
    "Macenko": MacenkoNormalizer(),
    "Vahadane": VahadaneNormalizer(),
    "Reinhard": ReinhardNormalizer(),
    "Reinhard's space": ReinhardNormalizer(space="lalphabeta"),
}


@pytest.fixture(params=NORMALIZERS)
def normalizer(request):
    return clone(NORMALIZERS[request.param])


@pytest.fixture(scope="module")
def bunch():
    return make_patches(4, 4, patch_size=48, random_state=0)


@pytest.fixture(scope="module")
def patches(bunch):
    return bunch.data


@pytest.fixture(scope="module")
def mixed(patches):
    """Patches, of which 2, 5, 6 and 9 have nothing to be measured."""
    mixed = patches.copy()
    mixed[2], mixed[5], mixed[6] = 244, 0, (200, 120, 180)
    mixed[9] = (20, 130, 60)
    return mixed


def unit(vectors):
    vectors = np.asarray(vectors, dtype=float)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def look(normalizer, patches):
    """What a normaliser measures, as rows."""
    if isinstance(normalizer, ReinhardNormalizer):
        return np.hstack(color_statistics(patches, space=normalizer.space))
    measure = macenko_stains if isinstance(normalizer, MacenkoNormalizer) else vahadane_stains
    stains = measure(patches)
    return np.hstack([stains.vectors.reshape(len(patches), 6), stains.strengths])


def test_patches_come_to_look_like_the_target(normalizer, patches):
    normalized = normalizer.fit_transform(patches)
    assert normalized.dtype == np.uint8
    assert normalized.shape == patches.shape
    before, after = look(normalizer, patches), look(normalizer, normalized)
    assert after.std(axis=0).max() < 0.5 * before.std(axis=0).max()
    np.testing.assert_allclose(
        np.median(after, axis=0), np.median(before, axis=0), rtol=0.3, atol=0.1
    )


def test_a_picture_brought_to_itself_stays(normalizer, patches):
    same = normalizer.fit_transform(patches[:1])
    change = same.astype(int) - patches[:1]
    assert np.abs(change).mean() < 0.1
    assert abs(change.mean()) < 0.1


@pytest.mark.parametrize("noise", [1, 2])
@pytest.mark.parametrize("stain", [[0.21, 0.84, 0.50], [0.65, 0.70, 0.29]])
def test_one_stain_and_noise_are_not_two_stains(patches, stain, noise):
    rng = np.random.default_rng(0)
    pure = mix_stains(rng.uniform(0.1, 0.3, (5, 48, 48, 1)), unit([stain]), background=240)
    pure = np.clip(np.rint(pure + rng.normal(0, noise, pure.shape)), 0, 255).astype(np.uint8)
    for normalizer in (MacenkoNormalizer(), VahadaneNormalizer()):
        normalized = normalizer.fit(patches).transform(pure)
        assert np.abs(normalized.astype(int) - pure).mean() < 3  # what is typical stays typical
        assert normalizer.n_unchanged_ == 0


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1024])
def test_a_border_has_no_say(normalizer, side):
    tissue = make_patches(2, 1, patch_size=64, random_state=1).data[:1]
    large = np.tile(tissue, (1, side // 64, side // 64, 1))
    bordered = large.copy()
    bordered[:, :, 0] = 243
    found = look(normalizer, bordered)
    # the column itself is a part of the picture, 1.6 % of it where that is smallest
    allowed = 1.5 if getattr(normalizer, "space", "") == "lab" else 0.05
    np.testing.assert_allclose(found, look(normalizer, large), rtol=0.1, atol=allowed)
    blank = np.full_like(large, 243)
    blank[:, :, 0] = large[:, :, 0]
    assert np.isnan(look(normalizer, blank)).all()


def test_the_target_may_be_one_picture_several_references_or_shipped(
    normalizer, patches, save_patches, tmp_path
):
    one = clone(normalizer).set_params(target=patches[3]).fit(patches)
    batch = clone(normalizer).set_params(target=patches[3:4]).fit(patches[:2])
    files = save_patches(patches[3:4], tmp_path)
    referred = clone(normalizer).set_params(target=files).fit(patches)
    expected = one.transform(patches)
    np.testing.assert_array_equal(batch.transform(patches), expected)
    np.testing.assert_array_equal(referred.transform(patches), expected)
    np.testing.assert_array_equal(clone(normalizer).fit(patches[3:4]).transform(patches), expected)
    shipped = clone(normalizer).set_params(target="reference").fit(patches)
    found = np.concatenate([np.ravel(each) for each in shipped._target()])
    row = look(normalizer, shipped.transform(patches))
    assert np.isfinite(row).all()
    reference = MACENKO_REFERENCE
    if isinstance(normalizer, VahadaneNormalizer):
        reference = VAHADANE_REFERENCE
    if isinstance(normalizer, ReinhardNormalizer):
        reference = REINHARD_REFERENCES[normalizer.space]
    np.testing.assert_array_equal(found, np.concatenate([np.ravel(each) for each in reference]))


def test_the_target_is_a_median(normalizer, patches):
    looks = look(normalizer, patches)
    found = np.concatenate([np.ravel(each) for each in normalizer.fit(patches)._target()])
    expected = np.median(looks, axis=0)
    mean = looks.mean(axis=0)
    if not isinstance(normalizer, ReinhardNormalizer):  # of vectors the length is 1 again
        for each in (expected, mean):
            each[:6] = unit(each[:6].reshape(2, 3)).ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert np.abs(mean - expected).max() > 1e-3


def test_a_patient_with_many_patches_counts_no_more(normalizer, patches):
    many = np.concatenate([patches, np.repeat(patches[:2], 20, axis=0)])
    groups = np.concatenate([np.arange(16), np.repeat([0, 1], 20)])
    balanced = clone(normalizer).fit(many, groups=groups)
    expected = clone(normalizer).fit(patches)
    for found, wanted in zip(balanced._target(), expected._target(), strict=True):
        np.testing.assert_allclose(found, wanted)


# --- what cannot be measured ----------------------------------------------------------------------


def test_what_has_no_stain_passes_and_is_counted_once(normalizer, mixed):
    normalizer.fit(mixed)
    with pytest.warns(UnchangedPatchesWarning, match=r"4 of 16 patches .*rows 2, 5, 6, 9") as told:
        normalized = normalizer.transform(mixed)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert normalizer.n_unchanged_ == 4
    changed = (normalized != mixed).reshape(16, -1).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~changed), [2, 5, 6, 9])


def test_counting_changes_no_estimator(normalizer, patches, mixed):
    normalizer.fit(patches)
    before = pickle.dumps(normalizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnchangedPatchesWarning)
        normalizer.transform(mixed)
    assert pickle.dumps(normalizer) == before
    assert normalizer.n_unchanged_ == 4
    normalizer.transform(patches)
    assert normalizer.n_unchanged_ == 0
    assert not hasattr(clone(normalizer), "n_unchanged_")
    assert not hasattr(pickle.loads(before), "n_unchanged_")


def test_nothing_to_learn_from_is_an_error(normalizer):
    blank = np.full((3, 20, 20, 3), 245, dtype=np.uint8)
    with pytest.raises(ValueError, match="X has no patch with two stains"):
        normalizer.fit(blank)
    with pytest.raises(ValueError, match="target has no patch with two stains"):
        normalizer.set_params(target=blank[0]).fit(blank)
    with pytest.warns(UnchangedPatchesWarning, match="3 of 3"):
        same = normalizer.set_params(target="reference").fit_transform(blank)
    np.testing.assert_array_equal(same, blank)


# --- groups ---------------------------------------------------------------------------------------


def test_a_group_is_measured_together(normalizer, patches):
    groups = np.repeat([1, 2], 8)
    normalizer.set_params(per="group", target="reference").fit(patches)
    together = normalizer.transform(patches, groups=groups)
    alone = normalizer.transform(patches[:8], groups=groups[:8])
    np.testing.assert_array_equal(together[:8], alone)
    # one map a group: what was equal before is equal after
    canvas = patches[:8].reshape(-1, 3)
    _, first, inverse = np.unique(canvas, axis=0, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(
        together[:8].reshape(-1, 3), together[:8].reshape(-1, 3)[first[inverse.ravel()]]
    )


def test_within_a_group_nothing_black_and_ink_are_left_alone(normalizer, mixed):
    normalizer.set_params(per="group", target="reference").fit(mixed)
    with pytest.warns(UnchangedPatchesWarning, match=r"4 of 16 .*rows 2, 5, 6, 9"):
        normalized = normalizer.transform(mixed, groups=np.zeros(16))
    changed = (normalized != mixed).reshape(16, -1).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~changed), [2, 5, 6, 9])


def test_ink_has_no_say_in_what_is_measured_of_a_group(normalizer, patches):
    inked = patches.copy()
    inked[3] = (30, 90, 220)
    normalizer.set_params(per="group", target="reference").fit(patches)
    without = normalizer.transform(np.delete(patches, 3, axis=0), groups=np.zeros(15))
    with pytest.warns(UnchangedPatchesWarning, match="1 of 16"):
        found = normalizer.transform(inked, groups=np.zeros(16))
    np.testing.assert_array_equal(np.delete(found, 3, axis=0), without)


def test_a_dict_says_whose_references_are(normalizer, loaded):
    owners = dict(zip(loaded.data, loaded.groups, strict=True))
    expected = clone(normalizer).set_params(per="group").fit(loaded.data).transform(loaded.data)
    known = clone(normalizer).set_params(per=owners)
    names = [str(each) for each in loaded.data]  # as another process has them
    np.testing.assert_array_equal(known.fit(names).transform(names), expected)
    model = make_pipeline(known, ColorFeatures(), LogisticRegression(max_iter=1000))
    folds = StratifiedGroupKFold(2)
    scores = cross_val_score(
        model, loaded.data, loaded.target, groups=loaded.groups, cv=folds, n_jobs=2
    )
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="per has no patient or slide id"):
        known.set_params(per={"another.png": 1}).fit(names)
    with pytest.raises(ValueError, match="X must be patch references"):
        known.fit(np.zeros((1, 8, 8, 3), dtype=np.uint8))


def test_patients_of_arrays_are_found_in_evaluation(normalizer, bunch):
    model = make_pipeline(
        normalizer.set_params(per="group"), ColorFeatures(), LogisticRegression(max_iter=1000)
    )
    patches = bunch.data.copy()  # as no loader gave them
    found = cross_validate_patients(model, patches, bunch.target, bunch.groups, cv=2)
    assert len(found.y_true) == 16


def test_an_odd_target_is_told():
    amounts = np.random.default_rng(0).choice([0.1, 0.6], (2, 40, 40, 2))
    tinted = mix_stains(amounts, [[0.6, 0.7, 0.35], [0.3, 0.55, 0.6]])
    with pytest.warns(UserWarning, match="does not absorb green most"):
        MacenkoNormalizer().fit(tinted)


def test_pipelines_may_ask_for_data_frames(normalizer, bunch):
    pandas = pytest.importorskip("pandas")
    model = make_pipeline(TissueFilter(), normalizer, ColorFeatures())
    frame = model.set_output(transform="pandas").fit_transform(bunch.data)
    assert isinstance(frame, pandas.DataFrame)
    assert frame.columns[0] == "mean_red"


def test_groups_that_nobody_knows_are_asked_for(normalizer, patches):
    patches = patches.copy()  # as no loader gave them
    normalizer.set_params(per="group")
    with pytest.raises(ValueError, match='per="group" needs groups'):
        normalizer.fit(patches)
    normalizer.fit(patches, groups=np.arange(16))
    with pytest.raises(ValueError, match='per="group" needs groups'):
        normalizer.transform(patches)


@pytest.fixture
def loaded(bunch, tmp_path):
    """The patches in folders by class and patient, as a loader gives them."""
    from PIL import Image

    for number, (patch, label, patient) in enumerate(
        zip(bunch.data, bunch.target, bunch.groups, strict=True)
    ):
        folder = tmp_path / f"class{label}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(patch).save(folder / f"{patient}_{number}.png")
    return load_patch_folder(tmp_path, groups_pattern=r"(.+)_\d+\.png")


def test_patients_that_a_loader_knew_are_found_in_cross_validation(normalizer, loaded):
    model = make_pipeline(
        normalizer.set_params(per="group"), ColorFeatures(), LogisticRegression(max_iter=1000)
    )
    folds = StratifiedGroupKFold(2)
    scores = cross_val_score(model, loaded.data, loaded.target, groups=loaded.groups, cv=folds)
    assert np.isfinite(scores).all()
    normalizer.fit(loaded.data)
    np.testing.assert_array_equal(
        normalizer.transform(loaded.data),
        normalizer.transform(loaded.data, groups=loaded.groups),
    )


def test_groups_are_routed(normalizer, patches, bunch):
    import sklearn

    normalizer.set_params(per="group")
    with sklearn.config_context(enable_metadata_routing=True):
        normalizer.set_fit_request(groups=True).set_transform_request(groups=True)
        model = make_pipeline(normalizer, ColorFeatures(), LogisticRegression(max_iter=1000))
        model.fit(patches, bunch.target, groups=bunch.groups)
        assert model.predict(patches, groups=bunch.groups).shape == (16,)


# --- input ----------------------------------------------------------------------------------------


def test_references_and_floats_are_the_same_patches(normalizer, patches, save_patches, tmp_path):
    expected = normalizer.fit(patches).transform(patches)
    references = save_patches(patches, tmp_path)
    np.testing.assert_array_equal(normalizer.transform(references), expected)
    np.testing.assert_array_equal(clone(normalizer).fit(references).transform(references), expected)
    np.testing.assert_array_equal(normalizer.transform(patches + 0.2), expected)


def test_references_of_other_sizes_are_brought_to_that_of_fit(
    normalizer, patches, save_patches, tmp_path
):
    references = save_patches(patches, tmp_path)
    (tmp_path / "large").mkdir()
    large = save_patches(patches.repeat(2, axis=1).repeat(2, axis=2), tmp_path / "large")
    normalizer.fit(references)
    assert normalizer.patch_size_ == (48, 48)
    assert normalizer.transform(large).shape == (16, 48, 48, 3)
    assert normalizer.transform(patches[:, :30, :20]).shape == (16, 30, 20, 3)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads_change_nothing(normalizer, mixed, n_jobs, monkeypatch):
    monkeypatch.setattr("skbreast.stain._normalizer._TASK_BYTES", 20_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnchangedPatchesWarning)
        expected = normalizer.fit_transform(mixed)
        found = clone(normalizer).set_params(n_jobs=n_jobs).fit_transform(mixed)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 30)), "RGB patches"),
        (np.zeros((4, 8, 8, 1), dtype=np.uint8), "RGB patches"),
        (np.full((2, 8, 8, 3), 0.5), "multiply what was scaled to 0…1 by 255"),
        (np.full((2, 8, 8, 3), -3.0), "raw pixels"),
        (np.full((2, 8, 8, 3), np.nan), "NaN"),
    ],
)
def test_other_input_is_refused(normalizer, X, message):
    normalizer.set_params(target="reference")
    with pytest.raises(ValueError, match=message):
        normalizer.fit(X)


@pytest.mark.parametrize(
    "bad",
    [
        {"target": "nobody"},
        {"target": 3},
        {"per": "slide"},
        {"background": 0},
        {"background": 300},
        {"min_density": -1},
        {"n_jobs": 0},
    ],
)
def test_parameters_out_of_range_are_named(normalizer, patches, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        normalizer.set_params(**bad).fit(patches)


@pytest.mark.parametrize(
    "bad",
    [
        MacenkoNormalizer(percentile=51),
        VahadaneNormalizer(sparsity=-1),
        ReinhardNormalizer(space="hsv"),
        MacenkoNormalizer(keep_residual=1),
    ],
)
def test_own_parameters_out_of_range_are_named(patches, bad):
    with pytest.raises(ValueError, match=r"percentile|sparsity|space|keep_residual"):
        bad.fit(patches)


def test_saved_and_loaded_it_is_the_same(normalizer, patches, tmp_path):
    expected = normalizer.fit(patches).transform(patches)
    again = load(save(make_pipeline(normalizer), tmp_path / "normalizer.skops"))
    np.testing.assert_array_equal(again.transform(patches), expected)


# --- the jitter -----------------------------------------------------------------------------------


def test_copies_follow_the_patches_with_their_labels(bunch):
    jitter = StainJitter(n_copies=2, random_state=0)
    X, y = jitter.fit_resample(bunch.data, bunch.target)
    np.testing.assert_array_equal(X[:16], bunch.data)
    np.testing.assert_array_equal(y, np.tile(bunch.target, 3))
    np.testing.assert_array_equal(jitter.sample_indices_, np.tile(np.arange(16), 3))
    assert (X[16:32] != X[32:]).any(axis=(1, 2, 3)).all()
    assert np.abs(X[16:32].astype(int) - X[:16]).mean() < 40
    copies, _ = jitter.set_params(keep_original=False).fit_resample(bunch.data, bunch.target)
    np.testing.assert_array_equal(copies, X[16:])


def test_same_seed_same_patches(bunch, save_patches, tmp_path):
    first, again, other = (
        StainJitter(random_state=seed).fit_resample(bunch.data, bunch.target)[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    references = save_patches(bunch.data, tmp_path)
    read, _ = StainJitter(random_state=1).fit_resample(references, bunch.target)
    np.testing.assert_array_equal(read, first)


def test_turned_stains_keep_their_amount_and_change_their_colour():
    stain = mix_stains(np.full((300, 1, 1, 1), 0.5), STAIN_VECTORS[1:2])
    none = {"stain_sigma": 0, "stain_shift": 0, "brightness": 0, "contrast": 0}
    turned = jitter_stain(stain, np.random.default_rng(0), stain_angle=10, **none)
    density = -np.log10(np.maximum(turned, 1) / 255).reshape(-1, 3)
    original = 0.5 * STAIN_VECTORS[1]
    cosine = density @ original / np.linalg.norm(density, axis=1) / np.linalg.norm(original)
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    # A direction in which light would grow is clipped at the empty slide, hence the tolerance.
    assert np.quantile(angles, 0.9) < 12
    assert np.median(angles) > 2
    still = jitter_stain(stain, np.random.default_rng(0), stain_angle=0, **none)
    np.testing.assert_array_equal(still, stain)


def test_jitter_in_front_of_features_touches_training_alone(bunch):
    pipeline = pytest.importorskip("imblearn.pipeline")
    jitter = StainJitter(n_copies=3, stain_sigma=0.3, random_state=0)
    model = pipeline.make_pipeline(jitter, ColorFeatures(), LogisticRegression(max_iter=5000))
    features = model.fit(bunch.data, bunch.target)[1:-1].transform(bunch.data)
    np.testing.assert_array_equal(features, ColorFeatures().fit_transform(bunch.data))
    assert model.predict(bunch.data).shape == (16,)
    assert len(model[0].sample_indices_) == 64


def test_the_classifier_takes_a_jitter_and_searches_its_strength(bunch):
    model = PatchCNNClassifier(max_epochs=1, random_state=0, augment=StainJitter(stain_sigma=0.0))
    grid = {"augment__stain_sigma": [0.0, 0.4], "augment__stain_angle": [0, 5]}
    search = GridSearchCV(model, grid, cv=2).fit(bunch.data, bunch.target)
    assert search.best_params_.keys() == grid.keys()
    plain = clone(model).set_params(augment="stain").fit(bunch.data, bunch.target)
    own = clone(model).set_params(augment=StainJitter()).fit(bunch.data, bunch.target)
    for ours, theirs in zip(own.weights_, plain.weights_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "bad",
    [
        {"n_copies": 0},
        {"keep_original": "yes"},
        {"stain_sigma": 1},
        {"stain_shift": -0.1},
        {"stain_angle": 45},
        {"brightness": None},
        {"contrast": 2},
        {"n_jobs": 0},
    ],
)
def test_strengths_out_of_range_are_named(bunch, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        StainJitter(**bad).fit_resample(bunch.data, bunch.target)
    if "stain" in next(iter(bad)):
        with pytest.raises(ValueError, match=next(iter(bad))):
            PatchCNNClassifier(augment=StainJitter(**bad)).fit(bunch.data, bunch.target)


def test_labels_of_another_length_are_refused(bunch):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        StainJitter().fit_resample(bunch.data, bunch.target[:-1])
