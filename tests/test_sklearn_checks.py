"""Run scikit-learn's own checks of every public estimator."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import skbreast
from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._pictures import PictureTransformer
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.reading import PatchReader
from skbreast.stain import (
    MacenkoNormalizer,
    ReinhardNormalizer,
    StainJitter,
    VahadaneNormalizer,
)
from skbreast.texture import ColorFeatures, NucleiFeatures, PFTASFeatures, TextureFeatures
from skbreast.tissue import TissueFilter

ESTIMATORS = [
    PatchCNNClassifier(max_epochs=8, learning_rate=0.02),
    TransferFeatureExtractor(layers="block1", input_size=32),
    ColorFeatures(),
    TextureFeatures(),
    TextureFeatures(gabor_wavelengths=[4]),
    PFTASFeatures(),
    NucleiFeatures(),
    SensitivityThresholdClassifierCV(LogisticRegression(), cv=2, random_state=0),
]

# As scikit-learn declares it for its own stochastic estimators: batches drawn from repeated
# samples are others than batches drawn from weighted ones.
EXPECTED_FAILURES = {
    "PatchCNNClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "batches of repeated samples are others"
    },
    # scikit-learn declares the first of its own threshold classifiers, too.
    "SensitivityThresholdClassifierCV": {
        "check_classifiers_train": "decisions are not those at probability .5",
    },
}


def _expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=_expected_failures)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# These take pictures or files alone, so scikit-learn, which checks with numbers in two dimensions,
# skips them whole. What needs no data is run here, the rest on patches in test_patch_checks.
FOR_PICTURES_ALONE = [
    PatchReader(),
    MacenkoNormalizer(),
    ReinhardNormalizer(),
    VahadaneNormalizer(),
    StainJitter(),
    TissueFilter(),
]
CHECKS_WITHOUT_DATA = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("name", CHECKS_WITHOUT_DATA)
@pytest.mark.parametrize("estimator", FOR_PICTURES_ALONE, ids=lambda each: type(each).__name__)
def test_scikit_learn_checks_without_data(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


def test_every_public_estimator_is_checked():
    found = set()
    for module in pkgutil.walk_packages(skbreast.__path__, "skbreast."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            members = vars(importlib.import_module(module.name)).values()
            found |= {each for each in members if inspect.isclass(each)}
    bases = {BaseEstimator, PictureTransformer}
    estimators = {each for each in found if issubclass(each, BaseEstimator)} - bases
    ours = {each for each in estimators if each.__module__.startswith("skbreast.")}
    assert ours == {type(estimator) for estimator in [*ESTIMATORS, *FOR_PICTURES_ALONE]}


def test_the_check_that_needs_an_environment_variable():
    pytest.importorskip("sklearn", minversion="1.9", reason="scikit-learn 1.9 has this check")
    code = textwrap.dedent("""
        import sys
        sys.path.insert(0, sys.argv[1])
        from test_sklearn_checks import ESTIMATORS, check_arrays_of_numpy
        for estimator in ESTIMATORS:
            check_arrays_of_numpy(estimator)
        print("passed")
        """)
    process = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.stdout == "passed\n", process.stderr


def check_arrays_of_numpy(estimator):
    """Check what scikit-learn skips where the array API is off."""
    name = type(estimator).__name__
    estimator_checks.check_array_api_input(name, clone(estimator), array_namespace="numpy")
