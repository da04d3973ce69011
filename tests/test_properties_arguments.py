"""Whatever is handed to a public function: a finite answer, or one sentence on what is wrong."""

import datetime
import re
import warnings
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from skbreast import (
    color,
    datasets,
    evaluation,
    metrics,
    model_selection,
    reading,
    references,
    registry,
    stain,
    texture,
    tissue,
)
from skbreast.feature_store import FeatureStore, check_memory

h5py, pd = pytest.importorskip("h5py"), pytest.importorskip("pandas")
PATCHES = datasets.make_patches(4, 2, patch_size=24, random_state=0)
Y = np.array([0, 1, 0, 1, 1, 0, 0, 1])
SCORES = np.linspace(0.1, 0.9, 8)
GROUPS = np.array(list("aabbccdd"))
JUDGED = {"y_true": Y, "y_score": SCORES}
VECTORS = np.asarray(color.STAIN_VECTORS[:2], dtype=float)


def figure(y_true, y_score):
    return float(np.mean(y_true == (y_score > 0.5)))


def bootstrap(metric, y_true, y_score, **options):
    return metrics.patient_bootstrap(
        metric, y_true, y_score, n_resamples=20, random_state=0, **options
    )


def compare(**options):
    return metrics.compare_models(figure, **{"n_resamples": 20, "random_state": 0} | options)


def fitted(make):
    def call(X, **parameters):
        return make(**parameters).fit(X).transform(X)

    return call


STACK = PATCHES.data[:2]
STAINS = color.macenko_stains(STACK)
LOOKS = color.color_statistics(STACK)
# function, then arguments with which it works
CALLS = {
    "patient_scores": (
        metrics.patient_scores,
        {"y_score": SCORES, "groups": GROUPS, "aggregate": "mean", "top_k": 5, "threshold": 0.5},
    ),
    "patient_auc": (
        metrics.patient_auc,
        {
            "y_true": [0, 0, 1, 1, 1, 1, 0, 0],
            "y_score": SCORES,
            "groups": GROUPS,
            "aggregate": "mean",
            "top_k": 5,
            "threshold": 0.5,
        },
    ),
    "patient_labels": (metrics.patient_labels, {"y": [0, 0, 1, 1, 1, 1, 0, 0], "groups": GROUPS}),
    "patient_weights": (metrics.patient_weights, {"groups": GROUPS}),
    "patient_accuracies": (
        metrics.patient_accuracies,
        {"y_true": Y, "y_pred": Y, "groups": GROUPS},
    ),
    "patient_recognition_rate": (
        metrics.patient_recognition_rate,
        {"y_true": Y, "y_pred": Y, "groups": GROUPS},
    ),
    "sensitivity_at_specificity": (
        metrics.sensitivity_at_specificity,
        dict(**JUDGED, specificity=0.9, sample_weight=np.ones(8)),
    ),
    "specificity_at_sensitivity": (
        metrics.specificity_at_sensitivity,
        dict(**JUDGED, sensitivity=0.9, sample_weight=np.ones(8)),
    ),
    "threshold_at_sensitivity": (
        metrics.threshold_at_sensitivity,
        dict(**JUDGED, sensitivity=0.9, groups=None, aggregate="mean"),
    ),
    "decision_curve": (
        metrics.decision_curve,
        dict(**JUDGED, thresholds=[0.1, 0.5], sample_weight=np.ones(8)),
    ),
    "expected_calibration_error": (
        metrics.expected_calibration_error,
        {
            "y_true": Y,
            "y_prob": SCORES,
            "n_bins": 5,
            "strategy": "uniform",
            "sample_weight": np.ones(8),
        },
    ),
    "patient_reliability": (
        metrics.patient_reliability,
        {
            "y_true": Y,
            "y_prob": SCORES,
            "groups": GROUPS,
            "n_bins": 3,
            "strategy": "uniform",
            "n_resamples": 20,
            "confidence_level": 0.9,
            "stratify": None,
            "random_state": 0,
        },
    ),
    "patient_bootstrap": (
        bootstrap,
        dict(
            metric=figure,
            **JUDGED,
            groups=GROUPS,
            folds=None,
            confidence_level=0.9,
            stratify=None,
            interval="percentile",
        ),
    ),
    "compare_models": (
        compare,
        {
            "y_true": Y,
            "first": SCORES,
            "second": SCORES[::-1],
            "groups": GROUPS,
            "method": "bootstrap",
            "folds": None,
            "stratify": None,
            "n_resamples": 20,
            "confidence_level": 0.9,
            "random_state": 0,
        },
    ),
    "corrected_fold_interval": (
        metrics.corrected_fold_interval,
        {"scores": [0.7, 0.8, 0.9], "n_train": 80, "n_test": 20, "confidence_level": 0.9},
    ),
    "leakage_report": (
        model_selection.leakage_report,
        {"groups_train": ["a", "b"], "groups_test": ["c"], "y_train": [0, 1], "y_test": [1]},
    ),
    "patient_train_test_split": (
        lambda X, y, **o: model_selection.patient_train_test_split(X, y, **o),
        {
            "X": PATCHES.data,
            "y": Y,
            "groups": GROUPS,
            "test_size": 0.25,
            "stratify": None,
            "random_state": 0,
        },
    ),
    "audit_patches": (
        model_selection.audit_patches,
        {
            "X": PATCHES.data,
            "y": PATCHES.target,
            "groups": PATCHES.groups,
            "split": None,
            "target_names": ["a", "b"],
            "expected_size": (24, 24),
            "near_duplicates": False,
            "n_jobs": None,
            "show": False,
            "random_state": 0,
        },
    ),
    "color_statistics": (
        color.color_statistics,
        {"patches": STACK, "space": "lab", "background": 240.0, "min_density": 0.01},
    ),
    "exchange_colors": (
        color.exchange_colors,
        {
            "patches": STACK,
            "statistics": LOOKS,
            "target": color.color_statistics(STACK[:1]),
            "space": "lab",
        },
    ),
    "exchange_stains": (
        color.exchange_stains,
        {
            "patches": STACK,
            "stains": STAINS,
            "target": color.MACENKO_REFERENCE,
            "background": 240.0,
            "keep_residual": True,
        },
    ),
    "has_stain": (color.has_stain, {"patches": STACK, "background": 240.0, "min_density": 0.01}),
    "jitter_stain": (
        color.jitter_stain,
        {
            "patches": STACK,
            "rng": np.random.default_rng(0),
            "stain_sigma": 0.05,
            "stain_shift": 0.01,
            "stain_angle": 0.0,
            "brightness": 0.02,
            "contrast": 0.05,
        },
    ),
    "macenko_stains": (
        color.macenko_stains,
        {"patches": STACK, "background": 240.0, "min_density": 0.01, "percentile": 1.0},
    ),
    "vahadane_stains": (
        color.vahadane_stains,
        {"patches": STACK, "background": 240.0, "min_density": 0.01, "sparsity": 0.1},
    ),
    "mix_stains": (
        color.mix_stains,
        {"concentrations": np.ones((3, 2)), "vectors": VECTORS, "background": 255.0},
    ),
    "optical_density_to_rgb": (
        color.optical_density_to_rgb,
        {"optical_density": np.ones((2, 3)), "background": 255.0},
    ),
    "rgb_to_optical_density": (color.rgb_to_optical_density, {"rgb": STACK, "background": 255.0}),
    "stain_concentrations": (
        color.stain_concentrations,
        {"patches": STACK, "vectors": VECTORS, "background": 255.0},
    ),
    "color_features": (
        texture.color_features,
        {"patches": STACK, "spaces": ("rgb",), "quantiles": (0.5,), "n_jobs": None},
    ),
    "color_moments": (texture.color_moments, {"patches": STACK}),
    "nuclei_features": (
        texture.nuclei_features,
        {"patches": STACK, "min_area": 4, "min_contrast": 0.01, "smoothing": 0.5, "n_jobs": None},
    ),
    "pftas_features": (texture.pftas_features, {"patches": STACK, "n_jobs": None}),
    "texture_features": (
        texture.texture_features,
        {
            "patches": STACK,
            "radii": (1,),
            "distances": (1,),
            "n_levels": 8,
            "gabor_wavelengths": (4,),
            "n_jobs": None,
        },
    ),
    "blur_score": (tissue.blur_score, {"patches": STACK}),
    "ink_fraction": (tissue.ink_fraction, {"patches": STACK}),
    "tissue_fraction": (
        tissue.tissue_fraction,
        {"patches": STACK, "method": "otsu", "threshold": 0.1},
    ),
    "tissue_mask": (tissue.tissue_mask, {"patches": STACK, "method": "otsu", "threshold": None}),
    "tissue_threshold": (tissue.tissue_threshold, {"patches": STACK, "method": "otsu"}),
    "make_patches": (
        datasets.make_patches,
        {
            "n_patients": 2,
            "patches_per_patient": 1,
            "patch_size": 16,
            "mpp": 0.8,
            "positive_share": 0.5,
            "patient_labels": True,
            "difficulty": 0.25,
            "random_state": 0,
            "return_X_y": False,
        },
    ),
    "make_folds": (
        evaluation.make_folds,
        {"X": PATCHES.data, "y": Y, "groups": None, "n_splits": 2, "random_state": 0},
    ),
    "parse_reference": (references.parse_reference, {"reference": "a.png"}),
    "format_reference": (references.format_reference, {"path": "a.h5", "row": 3}),
    "fit_patch": (reading.fit_patch, {"patch": STACK[0], "size": (8, 8), "fit": "pad"}),
    "get_backbone": (registry.get_backbone, {"name": "resnet50", "argument": "backbone"}),
    "load_idc": (
        datasets.load_idc,
        {"root": "idc", "split": None, "splits_dir": None, "max_patches": None},
    ),
    "load_breakhis": (
        datasets.load_breakhis,
        {
            "root": "breakhis",
            "magnification": None,
            "classes": "binary",
            "folds_dir": None,
            "repair_aliases": True,
            "max_patches": None,
        },
    ),
    "load_patch_folder": (
        datasets.load_patch_folder,
        {"root": "classes", "split": None, "groups_pattern": None, "max_patches": None},
    ),
    "load_pcam": (datasets.load_pcam, {"root": "pcam", "split": "train", "max_patches": None}),
    "load_protocol": (
        datasets.load_protocol,
        {"root": "classes", "protocol": "auto", "kind": "auto", "n_splits": 2},
    ),
    "recognise": (datasets.recognise, {"root": "classes"}),
    "read_patch": (reading.read_patch, {"reference": "classes/a/1.png"}),
    "patch_size": (reading.patch_size, {"reference": "classes/a/1.png"}),
    "most_common_size": (reading.most_common_size, {"X": STACK, "on_error": "raise"}),
    "read_patches": (
        reading.read_patches,
        {
            "references": ["classes/a/1.png"],
            "size": (8, 8),
            "fit": "pad",
            "on_error": "raise",
            "n_jobs": None,
        },
    ),
    "FeatureStore": (FeatureStore, {"location": "somewhere", "max_bytes": None}),
    "check_memory": (check_memory, {"memory": None}),
    "ColorFeatures": (
        fitted(texture.ColorFeatures),
        {"X": STACK, "spaces": ("rgb",), "quantiles": (), "n_jobs": None},
    ),
    "TextureFeatures": (
        fitted(texture.TextureFeatures),
        {
            "X": STACK,
            "radii": (1,),
            "distances": (1,),
            "n_levels": 8,
            "gabor_wavelengths": (),
            "n_jobs": None,
        },
    ),
    "NucleiFeatures": (
        fitted(texture.NucleiFeatures),
        {"X": STACK, "min_area": 4, "min_contrast": 0.01, "smoothing": 0.5, "n_jobs": None},
    ),
    "PFTASFeatures": (fitted(texture.PFTASFeatures), {"X": STACK, "n_jobs": None}),
    "PatchReader": (
        fitted(reading.PatchReader),
        {"X": STACK, "size": (8, 8), "fitting": "pad", "on_error": "raise", "n_jobs": None},
    ),
    "TissueFilter": (
        fitted(tissue.TissueFilter),
        {
            "X": STACK,
            "min_tissue": 0.1,
            "max_blur": "auto",
            "max_ink": 0.1,
            "method": "otsu",
            "n_jobs": None,
        },
    ),
    "MacenkoNormalizer": (
        fitted(stain.MacenkoNormalizer),
        {
            "X": STACK,
            "target": None,
            "per": "patch",
            "background": 240.0,
            "min_density": 0.01,
            "percentile": 1.0,
            "keep_residual": True,
            "n_jobs": None,
        },
    ),
    "ReinhardNormalizer": (
        fitted(stain.ReinhardNormalizer),
        {
            "X": STACK,
            "target": None,
            "per": "patch",
            "space": "lab",
            "background": 240.0,
            "min_density": 0.01,
            "n_jobs": None,
        },
    ),
    "VahadaneNormalizer": (
        fitted(stain.VahadaneNormalizer),
        {
            "X": STACK,
            "target": None,
            "per": "patch",
            "background": 240.0,
            "min_density": 0.01,
            "sparsity": 0.1,
            "keep_residual": True,
            "n_jobs": None,
        },
    ),
}
# What one hands over by mistake, or by malice.
NASTY = [
    None, True, "", "abc", "a\0b", "\ud800", b"abc", object(), len, {"a": 1}, {1, 2}, range(8),
    np.nan, np.inf, -np.inf, -1, 0, 1, 3, 0.5, 1e308, 10**30, -(10**30), 2**31, 2**63, 1 + 1j,
    np.float64("nan"), np.datetime64("nat"), datetime.date(2020, 1, 1), pd.NA, np.array(3),
    [], [[]], [1, 2, None], ["a"], [0], [-1], [np.nan], [10**9], [0.5, "a"], [1, [2, 3]],
    (0, 0), (-1, 5), (10**9, 10**9), [1] * 8, [1] * 9, [2.5] * 8, ["a"] * 8, [b"a"] * 8,
    np.array([]), np.array([5]), np.arange(8), np.zeros(8), np.full(8, np.nan), [np.inf] * 8,
    np.full(8, None), np.ones(8, complex), np.array(["a"] * 8),
    np.ma.masked_array(np.zeros(8), mask=True),
    np.zeros((2, 2)), np.zeros((8, 3)), np.zeros((8, 2, 2)), np.zeros((0, 4, 4, 3), np.uint8),
    np.zeros((2, 24, 24, 3)), np.full((2, 24, 24, 3), np.nan), np.zeros((2, 24, 24), np.uint8),
    np.zeros((2, 24, 24, 5), np.uint8), np.zeros((2, 0, 24, 3), np.uint8),
    pd.Series([1, None]), pd.DataFrame({"a": [1] * 8}),
]  # fmt: skip
# Numbers near the ends of float64, and looks that aren't any: for metrics, colour and texture.
EXTREME = [
    10**400, -(10**400), 5e-324, -1e308, [10**400] * 8, [5e-324] * 8, [1e308] * 8,
    [1e308, -1e308] * 4, [1e-308, 1e308] * 4, np.array([[1e308, -1e308]] * 8),
    np.full((2, 24, 24, 3), 1e308), np.full((2, 24, 24, 3), np.float32(3e38)),
    np.tile([1e308, -1e308], (2, 24, 24, 2)), np.full((2, 24, 24, 3), None),
    np.full((3, 2), 1e308), np.full((2, 3), 1e308), np.full((2, 3), 5e-324),
    color.Stains(*(np.full(shape, 1e308) for shape in ((1, 2, 3), (1, 2)))),
    color.Stains(*(np.full(shape, 5e-324) for shape in ((2, 2, 3), (2, 2)))),
    color.Stains([[[1, 2, 3]] * 2], [[1, 1]]), color.Stains("a", None), color.Stains([1], [1]),
    color.Stains(np.ones((1, 2, 3)), [[0, 0]]), color.Stains([[[np.inf] * 3] * 2], [[1, -1]]),
    color.ColorStatistics(np.full((1, 3), 1e308), np.full((1, 3), 1e-308)),
    color.ColorStatistics(np.full((2, 3), 1000.0), np.full((2, 3), 1e-4)),
    color.ColorStatistics(np.full((1, 3), -1000), np.full((1, 3), 1000)),
    color.ColorStatistics([[np.nan] * 3] * 2, [[0] * 3] * 2), color.ColorStatistics(1, 2),
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    hnp.arrays(
        st.sampled_from([np.uint8, np.int64, np.float64, bool]), hnp.array_shapes(max_side=9)
    ),
)
# Numbers of things: large ones are a matter of patience and memory, not of checks.
COUNTS = {
    "n_bins", "n_resamples", "n_levels", "n_patients", "patches_per_patient", "min_area", "top_k",
    "n_jobs", "n_splits", "radii", "distances", "n_train", "n_test",
}  # fmt: skip
# Where NaN stands for what is not there: a blank patch has no stain, what is split may be anything.
MAY_LACK = {"color_statistics", "macenko_stains", "vahadane_stains", "patient_train_test_split"}
HANDING_ON = ("patient_bootstrap", "compare_models")  # what a metric says of the arrays
TOGETHER = (
    *(each for each in metrics.__all__[metrics.__all__.index("corrected_fold_interval"):]
      if each not in HANDING_ON),
    "exchange_colors", "exchange_stains", "mix_stains", "optical_density_to_rgb",
    "rgb_to_optical_density",
    "stain_concentrations", "color_features", "color_moments", "texture_features",
    "nuclei_features", "pftas_features", "ColorFeatures", "TextureFeatures", "NucleiFeatures",
    "PFTASFeatures",
)  # fmt: skip
# These name the argument; the others leave it to sentences of scikit-learn and numpy at times.
NAMING = (
    "make_patches", "parse_reference", "format_reference", "fit_patch", "PatchReader",
    "FeatureStore", "check_memory", "load_idc", "load_breakhis", "load_patch_folder", "load_pcam",
    "load_protocol", "recognise", "read_patches", "most_common_size", "read_patch", "patch_size",
    "color_statistics", "has_stain", "jitter_stain", "macenko_stains", "vahadane_stains",
    "tissue_fraction", "tissue_mask", "tissue_threshold", "blur_score", "ink_fraction",
    *TOGETHER,
)  # fmt: skip
SAID_BY_OTHERS = re.compile(
    "Expected 2D array|Expected a 2-dimensional|Found array with|Found input variables|cannot be "
    "used to seed|Seed must be between|should be a 1d array|Input should have at least|Complex data"
    "|could not convert|setting an array element|must be a string or a real number|[Pp]atch "
    "references? |PatchReader takes|Cannot read patch|Input contains|'numeric' is not compatible"
    "|dtype='numeric'|read_patches takes|is not a folder|Sample weights|values in data passed"
    "|patches must hold finite|could not broadcast"
)


def wrong_values(name):
    return NASTY + EXTREME if name in (*TOGETHER, *HANDING_ON) else NASTY


def numbers_in(answer):
    """Yield the arrays of floating-point numbers in an answer."""
    if isinstance(answer, float | np.floating):
        yield np.array(answer)
    elif isinstance(answer, np.ndarray):
        yield from [answer] * (answer.dtype.kind in "fc")
    elif isinstance(answer, dict):
        for each in answer.values():
            yield from numbers_in(each)
    elif isinstance(answer, tuple | list):
        for each in answer:
            yield from numbers_in(each)
    elif is_dataclass(answer) and not isinstance(answer, type):
        for field in fields(answer):
            yield from numbers_in(getattr(answer, field.name))


def is_large(value):
    try:
        if np.iscomplexobj(value):
            return False
        return bool(np.any(np.abs(np.asarray(value, dtype=float)) > 1000))
    except (TypeError, ValueError, OverflowError):
        return isinstance(value, int)


def check_sentence(name, argument, error):
    message = str(error)
    assert message, type(error)
    assert len(message) < 20_000, len(message)  # arrays are printed, of up to a thousand numbers
    if name in NAMING and isinstance(error, ValueError | TypeError):
        # What doesn't fit together is a matter of two arguments, of which either may be named.
        names = "|".join(CALLS[name][1]) if name in TOGETHER else argument
        named = re.search(rf"(?i)\b({names})\b", message)
        assert named or SAID_BY_OTHERS.search(message), message


def check_call(name, argument, value):
    function, arguments = CALLS[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            answer = function(**arguments | {argument: value})
    except (ValueError, TypeError, FileNotFoundError, NotADirectoryError) as error:
        check_sentence(name, argument, error)
    else:
        finite = all(np.isfinite(each).all() for each in numbers_in(answer))
        assert finite or name in MAY_LACK or argument == "groups", answer


ARGUMENTS = [(name, argument) for name, (_, arguments) in CALLS.items() for argument in arguments]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small data set of each kind."""
    folder = tmp_path_factory.mktemp("data")
    names = [f"idc/{p}/{c}/{p}_idx5_x1_y{c}_class{c}.png" for p in (1, 2) for c in (0, 1)]
    names += [f"breakhis/SOB_{kind}-14-{n}-100-001.png" for kind in ("B_A", "M_DC") for n in "12"]
    names += [f"classes/{kind}/{n}.png" for kind in "ab" for n in range(4)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(STACK[0]).save(folder / name)
    (folder / "pcam").mkdir()
    for name, array in (("x", np.zeros((4, 96, 96, 3), "u1")), ("y", np.zeros((4, 1, 1, 1), "u1"))):
        with h5py.File(
            folder / "pcam" / f"camelyonpatch_level_2_split_train_{name}.h5", "w"
        ) as file:
            file[name] = array
    return folder


@pytest.fixture(autouse=True)
def _in_the_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("name", CALLS)
def test_right_arguments_are_answered(name):
    function, arguments = CALLS[name]
    function(**arguments)


def test_exceptions_are_about_functions_that_there_are():
    assert set(NAMING) | MAY_LACK <= set(CALLS)


some_calls = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


LARGE = [2**31, 10**9, 2**63, 10**30, 10**400, np.int64(2**62)]
REFUSED_COUNTS = [
    (name, argument)
    for name, argument in ARGUMENTS
    if argument in ("n_bins", "n_levels", "n_jobs") and name != "PatchReader"  # reads no arrays
]
FREE_COUNTS = [each for each in ARGUMENTS if each[1] in ("top_k", "min_area")]


@pytest.mark.parametrize("value", LARGE, ids=lambda value: f"{len(str(value))} digits")
def test_a_number_of_things_beyond_all_measure_is_refused_at_once_or_works(value):
    assert len(REFUSED_COUNTS) > 15
    for name, argument in REFUSED_COUNTS:
        function, arguments = CALLS[name]
        with pytest.raises(ValueError, match=rf"\b{argument} must be"):
            function(**arguments | {argument: value})
    assert len(FREE_COUNTS) == 4
    for name, argument in FREE_COUNTS:
        function, arguments = CALLS[name]
        answer = function(**arguments | {argument: value})
        assert all(np.isfinite(each).all() for each in numbers_in(answer))


@pytest.mark.parametrize("value", LARGE, ids=lambda value: f"{len(str(value))} digits")
def test_resamples_beyond_all_measure_are_refused_at_once(value):
    for call in (
        lambda: metrics.patient_bootstrap(figure, Y, SCORES, groups=GROUPS, n_resamples=value),
        lambda: metrics.patient_bootstrap("roc_auc", Y, SCORES, groups=GROUPS, n_resamples=value),
        lambda: metrics.compare_models(
            "roc_auc", Y, SCORES, SCORES, groups=GROUPS, n_resamples=value, method="permutation"
        ),
        lambda: metrics.patient_reliability(Y, SCORES, GROUPS, n_resamples=value),
    ):
        with pytest.raises(ValueError, match="n_resamples must be an integer"):
            call()


def test_resamples_of_many_bins_are_refused_where_they_would_take_the_memory():
    rng = np.random.default_rng(0)
    y, scores, groups = rng.integers(0, 2, 20_000), rng.random(20_000), np.arange(20_000) // 100
    with pytest.raises(ValueError, match=r"n_resamples=1,000,000 of 8,\d+ bins would take too"):
        metrics.patient_reliability(y, scores, groups, n_bins=10_000, n_resamples=1_000_000)
    found = metrics.patient_reliability(y, scores, groups, n_bins=10_000, n_resamples=20)
    assert found.n_patches.sum() == 20_000


def test_figures_of_numbers_near_the_largest_are_right():
    most = np.finfo(float).max
    _, means = metrics.patient_scores([most, most, 0.0, -most], ["a", "a", "a", "b"])
    np.testing.assert_allclose(means, [most / 3 * 2, -most], rtol=1e-15)
    _, means = metrics.patient_scores([most, most, 0.0], list("aaa"), aggregate="top_k", top_k=2)
    np.testing.assert_allclose(means, most, rtol=1e-15)
    scores = np.array([-most, most, -most / 2, most / 4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.patient_auc([0, 1, 0, 1], scores, list("abcd")) == 1
        assert metrics.sensitivity_at_specificity([0, 1, 0, 1], scores) == 1
        assert metrics.threshold_at_sensitivity([0, 1, 0, 1], scores) == most / 4
        weights = np.full(4, most)
        same = metrics.expected_calibration_error([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.7])
        assert same == metrics.expected_calibration_error(
            [0, 1, 0, 1], [0.1, 0.9, 0.3, 0.7], sample_weight=weights
        )
        interval = metrics.patient_bootstrap(
            lambda values: values.max(), scores, groups=list("abcd"), n_resamples=50
        )
    assert (interval.estimate, interval.high) == (most, most)
    assert -most <= interval.low <= most


def test_a_mean_beyond_the_largest_number_is_told():
    with pytest.raises(ValueError, match="metric is inf on the data themselves"):
        metrics.patient_bootstrap(
            lambda values: 1.7e308, np.arange(4), groups=list("abcd"), folds=[0, 0, 1, 1]
        )


@some_calls
@given(st.sampled_from(ARGUMENTS), VALUES)
def test_a_wrong_argument_is_one_sentence_or_has_a_finite_answer(call, value):
    if call[1] not in COUNTS or not is_large(value):
        check_call(*call, value)


@pytest.mark.long
def test_every_argument_with_every_wrong_value():
    for name, argument in ARGUMENTS:
        for value in wrong_values(name):
            if argument not in COUNTS or not is_large(value):
                check_call(name, argument, value)
