"""Which classes a model file may hold: data, and nothing that runs."""

import numpy as np
from scipy import special

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
_SCIKIT_LEARN = {
    f"sklearn.{module}.{name}"
    for module, names in {
        "calibration": "CalibratedClassifierCV",
        "cluster._kmeans": "KMeans MiniBatchKMeans",
        "compose._column_transformer": "ColumnTransformer",
        "compose._target": "TransformedTargetRegressor",
        "covariance._empirical_covariance": "EmpiricalCovariance",
        "covariance._shrunk_covariance": "LedoitWolf OAS ShrunkCovariance",
        "cross_decomposition._pls": "CCA PLSCanonical PLSRegression PLSSVD",
        "decomposition._factor_analysis": "FactorAnalysis",
        "decomposition._fastica": "FastICA",
        "decomposition._incremental_pca": "IncrementalPCA",
        "decomposition._kernel_pca": "KernelPCA",
        "decomposition._pca": "PCA",
        "decomposition._truncated_svd": "TruncatedSVD",
        "discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
        "dummy": "DummyClassifier DummyRegressor",
        "ensemble._bagging": "BaggingClassifier BaggingRegressor",
        "ensemble._stacking": "StackingClassifier StackingRegressor",
        "ensemble._voting": "VotingClassifier VotingRegressor",
        "ensemble._weight_boosting": "AdaBoostClassifier AdaBoostRegressor",
        "feature_selection._from_model": "SelectFromModel",
        "feature_selection._rfe": "RFE RFECV",
        "feature_selection._sequential": "SequentialFeatureSelector",
        "feature_selection._univariate_selection": (
            "GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest SelectPercentile"
        ),
        "feature_selection._variance_threshold": "VarianceThreshold",
        "frozen._frozen": "FrozenEstimator",
        "impute._base": "MissingIndicator SimpleImputer",
        "isotonic": "IsotonicRegression",
        "kernel_approximation": "AdditiveChi2Sampler Nystroem RBFSampler SkewedChi2Sampler",
        "linear_model._base": "LinearRegression",
        "linear_model._bayes": "ARDRegression BayesianRidge",
        "linear_model._coordinate_descent": (
            "ElasticNet ElasticNetCV Lasso LassoCV MultiTaskElasticNet MultiTaskElasticNetCV "
            "MultiTaskLasso MultiTaskLassoCV"
        ),
        "linear_model._glm.glm": "GammaRegressor PoissonRegressor TweedieRegressor",
        "linear_model._huber": "HuberRegressor",
        "linear_model._least_angle": "Lars LarsCV LassoLars LassoLarsCV LassoLarsIC",
        "linear_model._logistic": "LogisticRegression LogisticRegressionCV",
        "linear_model._omp": "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV",
        "linear_model._passive_aggressive": (
            "PassiveAggressiveClassifier PassiveAggressiveRegressor"
        ),
        "linear_model._perceptron": "Perceptron",
        "linear_model._quantile": "QuantileRegressor",
        "linear_model._ransac": "RANSACRegressor",
        "linear_model._ridge": "Ridge RidgeCV RidgeClassifier RidgeClassifierCV",
        "linear_model._stochastic_gradient": "SGDClassifier SGDOneClassSVM SGDRegressor",
        "linear_model._theil_sen": "TheilSenRegressor",
        "mixture._bayesian_mixture": "BayesianGaussianMixture",
        "mixture._gaussian_mixture": "GaussianMixture",
        "model_selection._classification_threshold": (
            "FixedThresholdClassifier TunedThresholdClassifierCV"
        ),
        "model_selection._search": "GridSearchCV RandomizedSearchCV",
        "multiclass": "OneVsOneClassifier OneVsRestClassifier",
        "naive_bayes": "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB",
        "neighbors._classification": "KNeighborsClassifier",
        "neighbors._regression": "KNeighborsRegressor",
        "neural_network._multilayer_perceptron": "MLPClassifier MLPRegressor",
        "pipeline": "FeatureUnion Pipeline",
        "preprocessing._data": (
            "Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PowerTransformer "
            "QuantileTransformer RobustScaler StandardScaler"
        ),
        "preprocessing._function_transformer": "FunctionTransformer",
        "preprocessing._label": "LabelBinarizer LabelEncoder",
        "random_projection": "GaussianRandomProjection",
        "semi_supervised._self_training": "SelfTrainingClassifier",
        "svm._classes": "LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR",
    }.items()
    for name in names.split()
}
"""Estimators that predict with numpy, which keeps to its arrays, or have rules in `_compiled`.

A name is added only once its prediction was read: compiled code, and sparse matrices that are put
together from what was learned, go wherever forged numbers send them.
"""

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
        return full in _OWN or full in _PARTS or full in _SCIKIT_LEARN
    if loader == "FunctionNode":
        home = _UFUNC_HOMES.get(module)
        return full in _FUNCTIONS or isinstance(getattr(home, name, None), np.ufunc)
    if loader == "LossNode":  # skops has their list
        return full.startswith(_LOSSES) and full.count(".") == _LOSSES[0].count(".")
    return full in _BY_LOADER.get(loader, ())
