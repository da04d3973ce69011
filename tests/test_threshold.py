"""The threshold for a wanted sensitivity: by hand, patients whole, and in simulation."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.evaluation import cross_validate_patients
from skbreast.exceptions import PatientLeakageWarning
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.texture import ColorFeatures


class Raw(ClassifierMixin, BaseEstimator):
    """Takes the first column for the probability, so that scores are known beforehand."""

    def fit(self, X, y, *, groups=None):
        self.classes_ = np.unique(y)
        self.groups_ = groups
        self.n_fitted_ = len(y)
        return self

    def predict_proba(self, X):
        return np.c_[1 - X[:, 0], X[:, 0]]

    def predict(self, X):
        return self.classes_[(X[:, 0] >= 0.5).astype(int)]


class Spy(StratifiedGroupKFold):
    """Notes the patients of both sides, those that copies of it see, too."""

    seen = []  # noqa: RUF012 (it is shared on purpose)

    def split(self, X, y=None, groups=None):
        for train, test in super().split(X, y, groups):
            self.seen.append((set(groups[train]), set(groups[test])))
            yield train, test


@pytest.fixture(autouse=True)
def _nothing_seen():
    Spy.seen.clear()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def simulate(n_patients, seed, *, n_patches=20, by_patient=True):
    """Draw patients whose patches share a shift, half of them with the disease."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), n_patches)
    y = patients % 2 if by_patient else rng.integers(0, 2, len(patients))
    shift = rng.normal(scale=0.7, size=n_patients)[patients]
    return (1.5 * y + shift + rng.normal(size=len(y)))[:, None], y, patients


# Known answers

SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.15, 0.25, 0.35])
LABELS = np.array([0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("sensitivity", "threshold", "reached", "specificity"),
    [
        (1.0, 0.2, 1.0, 2 / 7),
        (0.81, 0.2, 1.0, 2 / 7),
        (0.8, 0.4, 0.8, 5 / 7),
        (0.6, 0.6, 0.6, 6 / 7),
        (0.2, 0.9, 0.2, 1.0),
        (0.01, 0.9, 0.2, 1.0),
    ],
)
def test_threshold_by_hand(sensitivity, threshold, reached, specificity):
    model = SensitivityThresholdClassifierCV(Raw(), sensitivity=sensitivity, cv=3, random_state=0)
    model.fit(SCORES[:, None], LABELS)
    assert model.threshold_ == threshold
    assert model.sensitivity_ == pytest.approx(reached)
    assert model.specificity_ == pytest.approx(specificity)
    assert model.estimator_.n_fitted_ == len(LABELS)
    np.testing.assert_array_equal(model.predict(SCORES[:, None]) == 1, threshold <= SCORES)


def test_threshold_of_patients_by_hand():
    means = np.array([0.1, 0.3, 0.5, 0.7, 0.2, 0.6])
    scores = np.stack([means - 0.1, means + 0.1], axis=1).ravel()
    patients = np.repeat(list("abcdef"), 2)
    y = np.repeat([0, 1, 0, 1, 0, 1], 2)
    model = SensitivityThresholdClassifierCV(Raw(), sensitivity=0.66, by="patient", cv=2)
    model.fit(scores[:, None], y, groups=patients)
    assert model.threshold_ == pytest.approx(0.6)
    assert (model.sensitivity_, model.specificity_) == (pytest.approx(2 / 3), 1.0)
    ids, labels = model.predict_patients(scores[::-1, None], patients[::-1])
    assert ids.tolist() == list("abcdef")
    assert labels.tolist() == [0, 0, 0, 1, 0, 1]
    highest = clone(model).set_params(aggregate="max").fit(scores[:, None], y, groups=patients)
    assert highest.threshold_ == pytest.approx(0.7)


def test_the_positive_class_may_be_the_first():
    names = np.array(["malignant", "normal"])[1 - LABELS]
    by_name = SensitivityThresholdClassifierCV(
        LogisticRegression(), sensitivity=0.8, cv=3, random_state=0, pos_label="malignant"
    ).fit(SCORES[:, None], names)
    by_number = clone(by_name).set_params(pos_label=None).fit(SCORES[:, None], LABELS)
    assert by_name.threshold_ == pytest.approx(by_number.threshold_)
    expected = np.array(["normal", "malignant"])[by_number.predict(SCORES[:, None])]
    np.testing.assert_array_equal(by_name.predict(SCORES[:, None]), expected)
    margin = clone(by_name).set_params(estimator=LinearSVC()).fit(SCORES[:, None], names)
    assert not hasattr(margin, "predict_proba")
    assert (margin.predict(SCORES[:, None])[SCORES > 0.85] == "malignant").all()
    assert margin.sensitivity_ >= 0.8


def test_it_is_cross_val_predict_and_a_fixed_threshold():
    X, y, patients = simulate(30, 0)
    folds = StratifiedGroupKFold(4)
    scores = cross_val_predict(
        LogisticRegression(), X, y, groups=patients, cv=folds, method="predict_proba"
    )[:, 1]
    model = SensitivityThresholdClassifierCV(LogisticRegression(), sensitivity=0.9, cv=folds)
    model.fit(X, y, groups=patients)
    assert np.mean(scores[y == 1] >= model.threshold_) == model.sensitivity_ >= 0.9
    assert np.mean(scores[y == 1] > model.threshold_) < 0.9
    assert np.mean(scores[y == 0] < model.threshold_) == model.specificity_
    fixed = FixedThresholdClassifier(LogisticRegression(), threshold=model.threshold_).fit(X, y)
    np.testing.assert_array_equal(fixed.predict(X), model.predict(X))
    np.testing.assert_array_equal(fixed.predict_proba(X), model.predict_proba(X))


# Patients


def test_no_patient_straddles():
    X, y, patients = simulate(20, 0)
    spy = Spy(4, shuffle=True, random_state=0)
    SensitivityThresholdClassifierCV(LogisticRegression(), cv=spy).fit(X, y, groups=patients)
    assert len(spy.seen) == 4
    assert not any(train & test for train, test in spy.seen)
    assert set().union(*(test for _, test in spy.seen)) == set(patients)


class Remembers(Raw):
    """Says 1 for whoever it was fitted on."""

    def fit(self, X, y, *, groups=None):
        super().fit(X, y, groups=groups)
        self.known_ = np.unique(X[:, 1])
        return self

    def predict_proba(self, X):
        known = np.isin(X[:, 1], self.known_).astype(float)
        return np.c_[1 - known, known]


def test_by_default_nobody_is_scored_by_who_has_seen_them():
    X, y, patients = simulate(20, 0)
    X = np.c_[X, patients]
    model = SensitivityThresholdClassifierCV(Remembers()).fit(X, y, groups=patients)
    assert model.threshold_ == 0
    leaking = SensitivityThresholdClassifierCV(Remembers()).fit(X, y)
    assert leaking.threshold_ == 1


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_folds_that_leak_are_told():
    X, y, patients = simulate(20, 0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = SensitivityThresholdClassifierCV(LogisticRegression(), cv=folds)
    with pytest.warns(PatientLeakageWarning, match="5 of 5 folds .* 20 of 20"):
        model.fit(X, y, groups=patients)


@pytest.mark.parametrize("by", ["patch", "patient"])
def test_held_out_sensitivity_is_near_the_wanted_one(by):
    """A memory of its training patches would choose a threshold that misses most new ones."""
    out_of_fold, in_sample = [], []
    for seed in range(12):
        X, y, patients = simulate(300, seed, n_patches=8)
        train = patients < 150
        neighbours = KNeighborsClassifier(15)
        model = SensitivityThresholdClassifierCV(
            neighbours, sensitivity=0.9, by=by, random_state=seed
        ).fit(X[train], y[train], groups=patients[train])
        if by == "patch":
            found = model.predict(X[~train])[y[~train] == 1]
        else:
            ids, labels = model.predict_patients(X[~train], patients[~train])
            found = labels[ids % 2 == 1]
        out_of_fold.append(found.mean())
        seen = KNeighborsClassifier(1, weights="distance").fit(X[train], y[train])
        in_sample.append((seen.predict_proba(X[~train])[y[~train] == 1, 1] >= 1.0).mean())
    assert np.mean(out_of_fold) == pytest.approx(0.9, abs=0.035)
    assert np.mean(in_sample) < 0.8


@pytest.mark.usefixtures("routing")
def test_the_best_average_over_folds_is_another_threshold():
    """Why TunedThresholdClassifierCV does not serve: it misses its aim, and pays in specificity."""
    wanted, reached, specificities = 0.9, [], []

    def constrained(y_true, y_pred):
        found = recall_score(y_true, y_pred)
        return recall_score(y_true, y_pred, pos_label=0) if found >= wanted else found - 1

    for seed in range(8):
        X, y, patients = simulate(60, seed)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        ours = SensitivityThresholdClassifierCV(LogisticRegression(), sensitivity=wanted, cv=folds)
        tuned = TunedThresholdClassifierCV(
            LogisticRegression(), scoring=make_scorer(constrained), cv=folds
        )
        for model in (ours, tuned):
            model.fit(X, y, groups=patients)
        scores = np.empty(len(y))
        for train, test in folds.split(X, y, patients):
            fitted = LogisticRegression().fit(X[train], y[train])
            scores[test] = fitted.predict_proba(X[test])[:, 1]
        above = [scores >= each for each in (ours.threshold_, tuned.best_threshold_)]
        reached.append([each[y == 1].mean() for each in above])
        specificities.append([(~each)[y == 0].mean() for each in above])
    ours, tuned = np.array(reached).T
    assert ours == pytest.approx(wanted, abs=1 / 600)
    assert np.abs(tuned - wanted).max() > 0.03
    ours, tuned = np.mean(specificities, axis=0)
    assert ours > tuned + 0.05


# What it is given


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sensitivity": 0}, "sensitivity must be a number above 0 and at most 1; got 0"),
        ({"sensitivity": 1.1}, "sensitivity must be a number above 0 and at most 1; got 1.1"),
        ({"by": "slide"}, "by must be one of 'patch', 'patient'; got 'slide'"),
        ({"aggregate": "median"}, "aggregate must be one of"),
        ({"cv": 1}, "cv must be an integer at least 2; got 1"),
        ({"cv": 21}, "cv=21 folds need at least 21 patients; there are 20"),
        ({"pos_label": 7}, r"pos_label=7 is not one of the classes \[0, 1\]"),
        ({"response_method": "predict"}, "response_method must be one of"),
        ({"n_jobs": 0}, "n_jobs must be None or an integer other than 0"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    X, y, patients = simulate(20, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(LogisticRegression(), **parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, groups=patients)


def test_labels_and_groups_that_do_not_fit_are_refused():
    X, y, patients = simulate(10, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(LogisticRegression(), by="patient")
    with pytest.raises(ValueError, match="by='patient' needs groups"):
        model.fit(X, y)
    mixed = y.copy()
    mixed[0] = 1 - mixed[0]
    with pytest.raises(ValueError, match="y has several labels for 1 of 10 patients"):
        model.fit(X, mixed, groups=patients)
    with pytest.raises(ValueError, match="groups has 39 entries for 40 patches"):
        model.fit(X, y, groups=patients[1:])
    with pytest.raises(ValueError, match="y holds one class"):
        model.fit(X, np.ones_like(y), groups=patients)
    one = np.array([patient == 1 for patient in patients]).astype(int)
    with pytest.raises(ValueError, match="training part without one of the classes"):
        model.fit(X, one, groups=patients)


# Metadata, without and with routing


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_groups_and_weights_reach_the_classifier(n_jobs):
    X, y, patients = simulate(20, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(Raw(), n_jobs=n_jobs).fit(X, y, groups=patients)
    np.testing.assert_array_equal(model.estimator_.groups_, patients)
    heavy = np.where(y == 1, 50.0, 1.0)
    plain = SensitivityThresholdClassifierCV(LogisticRegression(), n_jobs=n_jobs, random_state=0)
    weighted = clone(plain).fit(X, y, groups=patients, sample_weight=heavy)
    assert weighted.threshold_ > plain.fit(X, y, groups=patients).threshold_ + 0.1


def test_groups_reach_steps_and_searches():
    X, y, patients = simulate(20, 0, n_patches=4)
    pipeline = make_pipeline(StandardScaler(), Raw())
    model = SensitivityThresholdClassifierCV(pipeline).fit(X, y, groups=patients)
    np.testing.assert_array_equal(model.estimator_[-1].groups_, patients)
    spy = Spy(2)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=spy)
    for inner in (search, make_pipeline(StandardScaler(), search)):
        Spy.seen.clear()
        SensitivityThresholdClassifierCV(inner, cv=3, random_state=0).fit(X, y, groups=patients)
        assert len(spy.seen) == 2 * (3 + 1)
        assert not any(train & test for train, test in spy.seen)
        assert set().union(*spy.seen[-1]) == set(patients)


def test_cross_validate_without_routing():
    X, y, patients = simulate(20, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(Raw(), cv=3, random_state=0)
    folds = StratifiedGroupKFold(2)
    scores = cross_validate(
        model, X, y, groups=patients, params={"groups": patients}, cv=folds,
        return_estimator=True, scoring="recall", error_score="raise",
    )  # fmt: skip
    for fitted, (train, _) in zip(scores["estimator"], folds.split(X, y, patients), strict=True):
        np.testing.assert_array_equal(fitted.estimator_.groups_, patients[train])


@pytest.mark.usefixtures("routing")
def test_cross_validate_with_routing():
    X, y, patients = simulate(20, 0, n_patches=4)
    folds = StratifiedGroupKFold(2)
    for request in (True, False):
        inner = Raw().set_fit_request(groups=request)
        model = SensitivityThresholdClassifierCV(inner, cv=3, random_state=0)
        scores = cross_validate(
            model, X, y, params={"groups": patients}, cv=folds, return_estimator=True
        )
        for fitted, (train, _) in zip(
            scores["estimator"], folds.split(X, y, patients), strict=True
        ):
            given = fitted.estimator_.groups_
            np.testing.assert_array_equal(given, patients[train] if request else None)
    unset = SensitivityThresholdClassifierCV(Raw(), cv=3, random_state=0)
    with pytest.raises(UnsetMetadataPassedError, match="groups"):
        unset.fit(X, y, groups=patients)
    no_interest = SensitivityThresholdClassifierCV(LogisticRegression(), n_jobs=2)
    assert no_interest.fit(X, y, groups=patients).sensitivity_ >= 0.95
    takes_weights = LogisticRegression().set_fit_request(sample_weight=True)
    weighted = SensitivityThresholdClassifierCV(takes_weights, random_state=0)
    heavy = np.where(y == 1, 50.0, 1.0)
    threshold = weighted.fit(X, y, groups=patients, sample_weight=heavy).threshold_
    assert threshold > weighted.fit(X, y, groups=patients).threshold_ + 0.1


# Company


def test_clone_and_pickle():
    X, y, patients = simulate(20, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(LogisticRegression(), random_state=3)
    model.fit(X, y, groups=patients)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert clone(model).fit(X, y, groups=patients).threshold_ == model.threshold_
    assert model.n_features_in_ == 1
    assert model.score(X, y) > 0.5


@pytest.mark.filterwarnings("error::skbreast.exceptions.UnknownPatientsWarning")
def test_networks_and_pipelines_on_patches(save_patches, tmp_path):
    bunch = make_patches(12, 4, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)
    references = save_patches(bunch.data, tmp_path)
    network = PatchCNNClassifier(max_epochs=1, batch_size=8, early_stopping=True, random_state=0)
    colour = make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression())
    for estimator, X in ((colour, bunch.data), (colour, references), (network, references)):
        model = SensitivityThresholdClassifierCV(estimator, cv=2, by="patient", random_state=0)
        model.fit(X, bunch.target, groups=bunch.groups)
        assert model.sensitivity_ >= 0.95
        assert set(model.predict(X)) <= {0, 1}
        assert len(model.predict_patients(X, bunch.groups)[0]) == 12


@pytest.mark.parametrize("aggregate", ["mean", "max", "top_k"])
@pytest.mark.parametrize("response_method", ["predict_proba", "decision_function"])
def test_a_patient_of_one_patch_is_judged_as_the_patch_is(aggregate, response_method):
    X, y, patients = simulate(30, 0, n_patches=4)
    model = SensitivityThresholdClassifierCV(
        LogisticRegression(),
        by="patient",
        aggregate=aggregate,
        response_method=response_method,
        random_state=0,
    ).fit(X, y, groups=patients)
    _, labels = model.predict_patients(X, np.arange(len(y)))
    np.testing.assert_array_equal(labels, model.predict(X))


def test_votes_have_no_threshold_of_scores():
    X, y, patients = simulate(10, 0, n_patches=4)
    with pytest.raises(ValueError, match="aggregate must be one of 'mean', 'max', 'top_k'"):
        SensitivityThresholdClassifierCV(LogisticRegression(), aggregate="vote").fit(
            X, y, groups=patients
        )


def test_a_cross_validation_sees_the_chosen_threshold():
    X, y, patients = simulate(60, 0, n_patches=6)
    plain, sensitive = (
        cross_validate_patients(model, X, y, patients, cv=3)
        for model in (
            LogisticRegression(),
            SensitivityThresholdClassifierCV(
                LogisticRegression(), sensitivity=0.98, random_state=0
            ),
        )
    )
    found = [np.mean(each.y_pred[each.y_true == 1] == 1) for each in (plain, sensitive)]
    assert found[0] < 0.9 < 0.95 < found[1]
