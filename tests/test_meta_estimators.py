"""Everything of scikit-learn that takes an estimator takes ours: each is run, on small data.

`docs/make_compatibility.py` makes the table "What works with what" out of the results.
"""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.texture import ColorFeatures

SIZE = 16


def network(**parameters):
    defaults = {"max_epochs": 2, "batch_size": 8, "random_state": 0}
    return PatchCNNClassifier(**(defaults | parameters))


def features():
    return TransferFeatureExtractor(layers="block1", input_size=32)


def transfer():
    return make_pipeline(features(), StandardScaler(), LogisticRegression())


@pytest.fixture(scope="module")
def bunch():
    return make_patches(8, 4, patch_size=SIZE, mpp=1.6, difficulty=0.0, random_state=0)


@pytest.fixture(scope="module")
def inputs(bunch, save_patches, tmp_path_factory):
    """Give the same patches as arrays, as references and as rows."""
    references = save_patches(bunch.data, tmp_path_factory.mktemp("patches"))
    rows = bunch.data.reshape(len(bunch.data), -1)
    return {"arrays": bunch.data, "references": references, "rows": rows}


@pytest.fixture(params=["arrays", "references", "rows"])
def kind(request):
    return request.param


@pytest.fixture(params=["network", "transfer"])
def model(request, kind):
    estimator = {"network": network, "transfer": transfer}[request.param]()
    return on(estimator, kind)


@pytest.fixture
def X(inputs, kind):  # noqa: N802
    return inputs[kind]


@pytest.fixture(scope="module")
def y(bunch):
    return bunch.target


@pytest.fixture(scope="module")
def groups(bunch):
    return bunch.groups


def on(estimator, kind):
    """Tell an estimator, or the first step of a pipeline, the shape of rows."""
    if kind == "rows":
        first = estimator.steps[0][1] if hasattr(estimator, "steps") else estimator
        first.set_params(image_shape=(SIZE, SIZE, 3))
    return estimator


def learns(fitted, X, y):
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (len(y), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert set(fitted.predict(X)) <= set(y)


def parameter_of(model, network_name, transfer_name):
    return network_name if isinstance(model, PatchCNNClassifier) else transfer_name


# Searches and validation


def grid(model):
    name = parameter_of(model, "learning_rate", "logisticregression__C")
    return {name: [0.01, 0.001]}


@pytest.mark.works("GridSearchCV")
def test_grid_search(model, X, y, groups):
    search = GridSearchCV(model, grid(model), cv=StratifiedGroupKFold(2), scoring="roc_auc")
    learns(search.fit(X, y, groups=groups), X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.works("RandomizedSearchCV")
def test_randomized_search(model, X, y):
    search = RandomizedSearchCV(model, grid(model), n_iter=2, cv=2, random_state=0)
    learns(search.fit(X, y), X, y)


@pytest.mark.works("HalvingGridSearchCV")
def test_halving_search(model, X, y):
    search = HalvingGridSearchCV(model, grid(model), cv=2, min_resources=16, random_state=0)
    learns(search.fit(X, y), X, y)


@pytest.mark.works("cross_validate, cross_val_predict")
def test_cross_validation(model, X, y, groups):
    folds = StratifiedGroupKFold(2)
    scores = cross_validate(model, X, y, groups=groups, cv=folds, scoring=["roc_auc", "f1"])
    assert np.isfinite(scores["test_roc_auc"]).all()
    predicted = cross_val_predict(model, X, y, groups=groups, cv=folds, method="predict_proba")
    assert predicted.shape == (len(y), 2)


@pytest.mark.works("learning_curve, validation_curve")
def test_curves(model, X, y):
    sizes, _, scores = learning_curve(
        model, X, y, train_sizes=[0.5, 1.0], cv=2, shuffle=True, random_state=0
    )
    assert scores.shape == (2, 2)
    assert np.isfinite(scores).all()
    assert len(sizes) == 2
    ((name, values),) = grid(model).items()
    _, scores = validation_curve(model, X, y, param_name=name, param_range=values, cv=2)
    assert np.isfinite(scores).all()


@pytest.mark.works("Optuna's OptunaSearchCV")
@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
def test_optuna_search(model, X, y):
    optuna = pytest.importorskip("optuna", reason="needs optuna-integration")
    sklearn_side = pytest.importorskip("optuna_integration.sklearn")
    ((name, (high, low)),) = grid(model).items()
    space = {name: optuna.distributions.FloatDistribution(low, high, log=True)}
    search = sklearn_side.OptunaSearchCV(model, space, n_trials=2, cv=2, random_state=0)
    learns(search.fit(X, y), X, y)


@pytest.mark.works("permutation_test_score")
def test_permutation_test(model, X, y):
    _, scores, p_value = permutation_test_score(model, X, y, cv=2, n_permutations=2)
    assert len(scores) == 2
    assert 0 < p_value <= 1


# Calibration and thresholds


@pytest.mark.works("CalibratedClassifierCV")
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibration(model, X, y, method):
    if method == "temperature":
        pytest.importorskip("sklearn", minversion="1.8", reason="came with scikit-learn 1.8")
    learns(CalibratedClassifierCV(model, method=method, cv=2).fit(X, y), X, y)


@pytest.mark.works("TunedThresholdClassifierCV")
def test_tuned_threshold(model, X, y):
    tuned = TunedThresholdClassifierCV(model, cv=2, thresholds=5).fit(X, y)
    learns(tuned, X, y)


@pytest.mark.works("FixedThresholdClassifier")
def test_fixed_threshold(model, X, y):
    always = FixedThresholdClassifier(model, threshold=0.0, response_method="predict_proba")
    assert (always.fit(X, y).predict(X) == 1).all()


# Ensembles


def simple(kind):
    """Return features that have nothing to do with networks, for company."""
    return StandardScaler() if kind == "rows" else ColorFeatures()


def company(kind):
    return make_pipeline(simple(kind), StandardScaler(), LogisticRegression())


@pytest.mark.works("VotingClassifier")
def test_voting(model, X, y, kind):
    voting = VotingClassifier([("model", model), ("company", company(kind))], voting="soft")
    learns(voting.fit(X, y), X, y)


@pytest.mark.works("StackingClassifier")
def test_stacking(model, X, y, kind):
    stacking = StackingClassifier([("model", model), ("company", company(kind))], cv=2)
    learns(stacking.fit(X, y), X, y)


@pytest.mark.works("OneVsRestClassifier")
def test_one_against_the_rest(model, X, y):
    three = np.arange(len(y)) % 3
    one_vs_rest = OneVsRestClassifier(model).fit(X, three)
    assert one_vs_rest.predict_proba(X).shape == (len(y), 3)


# scikit-learn checks these for two dimensions by itself, so they take rows.


@pytest.mark.works("BaggingClassifier")
@pytest.mark.parametrize("kind", ["rows"])
def test_bagging(model, X, y):
    learns(BaggingClassifier(model, n_estimators=2, random_state=0).fit(X, y), X, y)


@pytest.mark.works("SelfTrainingClassifier")
@pytest.mark.parametrize("kind", ["rows"])
def test_self_training(model, X, y):
    some = np.where(np.arange(len(y)) % 4 == 0, -1, y)
    learns(SelfTrainingClassifier(model, max_iter=2).fit(X, some), X, y)


@pytest.mark.works("permutation_importance")
@pytest.mark.parametrize("kind", ["rows"])
def test_permutation_importance(y, kind):
    X = np.random.default_rng(0).normal(size=(len(y), 4))
    X[:, 2] = y
    fitted = network(max_epochs=20, learning_rate=0.02).fit(X, y)
    found = permutation_importance(fitted, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 2


# Composition


@pytest.mark.works("Pipeline, FeatureUnion")
def test_feature_union(X, y, kind):
    both = FeatureUnion([("deep", on(features(), kind)), ("simple", simple(kind))])
    model = make_pipeline(both, StandardScaler(), LogisticRegression()).fit(X, y)
    learns(model, X, y)
    names = model[0].get_feature_names_out()
    assert len(names) == model[0].transform(X).shape[1] == len(set(names))


@pytest.mark.works("ColumnTransformer")
@pytest.mark.parametrize("kind", ["references"])
def test_column_transformer(X, y, kind):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"patch": X, "age": np.linspace(40, 80, len(y))})
    columns = ColumnTransformer(
        [("deep", features(), "patch"), ("rest", StandardScaler(), ["age"])]
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, y)
    learns(model, frame, y)


@pytest.mark.works("MultiOutputClassifier")
def test_several_outputs_take_a_network_each(model, X, y):
    two = np.c_[y, np.arange(len(y)) % 2]
    predicted = MultiOutputClassifier(model).fit(X, two).predict(X)
    assert predicted.shape == two.shape


def test_one_network_refuses_several_outputs(inputs, y):
    with pytest.raises(ValueError, match="y should be a 1d array, got an array of shape"):
        network().fit(inputs["arrays"], np.c_[y, 1 - y])


# Displays


@pytest.mark.works("Displays: ROC, DET, precision-recall, confusion matrix, calibration")
@pytest.mark.parametrize(
    "display",
    [
        RocCurveDisplay,
        DetCurveDisplay,
        PrecisionRecallDisplay,
        ConfusionMatrixDisplay,
        CalibrationDisplay,
    ],
)
def test_displays(model, X, y, display):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    drawn = display.from_estimator(clone(model).fit(X, y), X, y, ax=figure.subplots())
    assert drawn.figure_ is figure
    assert figure.axes[0].has_data()


# Friends


@pytest.mark.works("imbalanced-learn's Pipeline")
def test_imbalanced_learn(X, y, kind):
    pytest.importorskip("imblearn", reason="needs imbalanced-learn")
    from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
    from imblearn.under_sampling import RandomUnderSampler

    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:5]]
    model = make_imbalanced_pipeline(
        on(features(), kind), RandomUnderSampler(random_state=0), LogisticRegression()
    )
    learns(model.fit(X[few], y[few]), X, y)
