"""Which classes a model file may hold: data, and nothing that runs."""

from functools import lru_cache

import numpy as np
from scipy import special
from sklearn.utils import all_estimators

__all__ = ["PATH", "TRUSTED", "is_allowed"]

PATH = "pathlib.Path"
_PATHS = (
    PATH,
    *(
        f"{home}.{kind}Path"
        for home in ("pathlib", "pathlib._local")
        for kind in ("Posix", "Windows")
    ),
)
_OWN = (
    "skbreast.classifier.PatchCNNClassifier",
    "skbreast.feature_store.FeatureStore",
    "skbreast.model_selection._threshold.SensitivityThresholdClassifierCV",
    "skbreast.reading.PatchReader",
    "skbreast.stain.MacenkoNormalizer",
    "skbreast.stain.ReinhardNormalizer",
    "skbreast.stain.StainJitter",
    "skbreast.stain.VahadaneNormalizer",
    "skbreast.texture.ColorFeatures",
    "skbreast.texture.NucleiFeatures",
    "skbreast.texture.PFTASFeatures",
    "skbreast.texture.TextureFeatures",
    "skbreast.tissue.TissueFilter",
    "skbreast.transfer.TransferFeatureExtractor",
)
_SPLITTERS = (
    "GroupKFold",
    "GroupShuffleSplit",
    "KFold",
    "LeaveOneGroupOut",
    "LeaveOneOut",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "ShuffleSplit",
    "StratifiedGroupKFold",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
)
_PARTS = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    *(f"sklearn.model_selection._split.{name}" for name in _SPLITTERS),
)
_FUNCTIONS = (
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
)
TRUSTED = (*_OWN, *_PARTS, *_FUNCTIONS, *_PATHS, "numpy.dtype")
"""What skops is told to trust beside scikit-learn's estimators, numbers and containers."""

_UFUNC_HOMES = {
    "numpy": np,
    "numpy._core._multiarray_umath": np,
    "numpy._core.umath": np,
    "numpy.core._multiarray_umath": np,
    "scipy.special": special,
    "scipy.special._special_ufuncs": special,
    "scipy.special._ufuncs": special,
}
_LOSSES = ("sklearn._loss._loss.", "sklearn.linear_model._sgd_fast.")
_NUMBERS = {
    f"numpy.{each.__name__}" for each in np.sctypeDict.values() if np.dtype(each).kind in "biufcSU"
}
_BY_LOADER = {
    "JsonNode": {"builtins.str"},
    "DictNode": {"builtins.dict", "collections.OrderedDict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "SetNode": {"builtins.set"},
    "SliceNode": {"builtins.slice"},
    "NdArrayNode": {"numpy.ndarray", *_NUMBERS},
    "DTypeNode": {"numpy.dtype"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "ConstructorFromReduceNode": set(_PATHS),
    "TypeNode": {*(f"builtins.{name}" for name in ("str", "int", "float", "bool")), *_NUMBERS},
}


def is_allowed(loader, module, name):
    """Tell whether skops' `loader` may make ``module.name``.

    Parameters
    ----------
    loader : str
        The kind of a node of skops' schema, such as ``"ObjectNode"``.
    module, name : str
        The class or function.

    Returns
    -------
    bool
    """
    full = f"{module}.{name}"
    if loader == "ObjectNode":
        return full in _OWN or full in _PARTS or full in _scikit_learn()
    if loader == "FunctionNode":
        home = _UFUNC_HOMES.get(module)
        return full in _FUNCTIONS or isinstance(getattr(home, name, None), np.ufunc)
    if loader == "LossNode":  # skops has their list
        return full.startswith(_LOSSES) and full.count(".") == _LOSSES[0].count(".")
    return full in _BY_LOADER.get(loader, ())


@lru_cache(maxsize=1)
def _scikit_learn():
    found = (each for _, each in all_estimators())
    return {
        f"{each.__module__}.{each.__name__}"
        for each in found
        if each.__module__.startswith("sklearn.")
    }
