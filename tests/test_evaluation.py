"""Figures from known predictions, and folds that no patient straddles."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold

from skbreast import PatchCNNClassifier, evaluation
from skbreast.datasets import make_patches
from skbreast.evaluation import (
    Predictions,
    cross_validate_models,
    make_baselines,
    make_folds,
    make_model,
    summarise,
)
from skbreast.metrics import patient_labels, patient_recognition_rate, patient_scores


def _predictions(n_classes=2, n_patients=12, *, patient_labels=True):
    rng = np.random.default_rng(0)
    groups = np.repeat([f"p{number}" for number in range(n_patients)], 5)
    y_true = np.repeat(np.arange(n_patients) % n_classes, 5)
    if not patient_labels:
        y_true = rng.permutation(y_true)
    y_proba = rng.dirichlet(np.ones(n_classes), size=len(y_true))
    y_proba[np.arange(len(y_true)), y_true] += 0.3
    y_proba /= y_proba.sum(axis=1, keepdims=True)
    folds = np.arange(len(y_true)) // 5 >= n_patients // 2
    folds = folds.astype(int)
    return Predictions(y_true, y_proba, y_proba.argmax(axis=1), groups, folds)


def test_an_f1_of_rare_negatives_lies_within_its_interval():
    # Resamples often hold folds without negatives; left out, they would leave lower figures.
    y_true = np.repeat(np.arange(50) % 10 > 0, 4).astype(int)
    folds = np.repeat(np.arange(50) // 10, 4)
    constant = Predictions(
        y_true, np.tile([0.1, 0.9], (200, 1)), np.ones(200, int), np.repeat(np.arange(50), 4), folds
    )
    f1 = summarise(constant, n_resamples=400)["f1"]
    assert f1.estimate == pytest.approx(2 * 0.9 / 1.9)
    assert f1.low < f1.estimate - 0.01
    assert f1.high > f1.estimate + 0.001


def test_figures_of_two_classes_are_those_of_scikit_learn_within_folds():
    each = _predictions()
    figures = summarise(each, n_resamples=50)

    first = each.folds == 0
    parts = [first, ~first]
    auc = [roc_auc_score(each.y_true[p], each.y_proba[p, 1]) for p in parts]
    balanced = [balanced_accuracy_score(each.y_true[p], each.y_pred[p]) for p in parts]
    f1 = [f1_score(each.y_true[p], each.y_pred[p]) for p in parts]
    assert figures["auc"].estimate == pytest.approx(np.mean(auc))
    assert figures["balanced_accuracy"].estimate == pytest.approx(np.mean(balanced))
    assert figures["f1"].estimate == pytest.approx(np.mean(f1))
    assert figures["patient_recognition_rate"].estimate == pytest.approx(
        patient_recognition_rate(each.y_true, each.y_pred, each.groups)
    )
    patient_auc = []
    for part in parts:
        _, scores = patient_scores(each.y_proba[part, 1], each.groups[part])
        _, labels = patient_labels(each.y_true[part], each.groups[part])
        patient_auc.append(roc_auc_score(labels, scores))
    assert figures["patient_auc"].estimate == pytest.approx(np.mean(patient_auc))
    for interval in figures.values():
        assert interval.low <= interval.estimate <= interval.high
        assert interval.n_patients == 12


def test_a_dummy_ranks_no_patient_above_another():
    each = _predictions(n_patients=13)
    same = np.full_like(each.y_proba, 0.7)
    folds = np.zeros(len(each.y_true), dtype=int)
    sizes = np.arange(len(each.y_true)) % 15 > 1  # patients of different sizes round differently
    dummy = Predictions(
        each.y_true[sizes], same[sizes], each.y_pred[sizes], each.groups[sizes], folds[sizes]
    )

    assert summarise(dummy, n_resamples=20)["patient_auc"].estimate == 0.5


def test_patients_with_both_labels_have_no_patient_auc():
    assert "patient_auc" not in summarise(_predictions(patient_labels=False), n_resamples=20)


def test_more_classes_are_judged_one_against_the_rest():
    each = _predictions(n_classes=3)
    figures = summarise(each, n_resamples=20)

    auc = [
        roc_auc_score(each.y_true[p], each.y_proba[p], multi_class="ovr")
        for p in (each.folds == 0, each.folds == 1)
    ]
    assert figures["auc"].estimate == pytest.approx(np.mean(auc))
    assert "patient_auc" not in figures


def test_a_fold_without_one_of_three_classes_is_judged_on_the_others():
    each = _predictions(n_classes=3)
    kept = (each.folds == 0) | (each.y_true < 2)
    less = each.take(kept)
    figures = summarise(less, n_resamples=20)

    second = less.folds == 1
    columns = [
        roc_auc_score(less.y_true[second] == number, less.y_proba[second, number])
        for number in (0, 1)
    ]
    first = roc_auc_score(less.y_true[~second], less.y_proba[~second], multi_class="ovr")
    assert figures["auc"].estimate == pytest.approx((first + np.mean(columns)) / 2)


def test_without_patients_the_recognition_rate_is_called_accuracy():
    each = _predictions()
    single = replace(each, groups=np.arange(len(each.groups)))
    figures = summarise(single, n_resamples=20)

    assert "patient_recognition_rate" not in figures
    assert "patient_auc" not in figures
    assert figures["accuracy"].estimate == pytest.approx(np.mean(each.y_true == each.y_pred))


def test_groups_reach_a_model_that_knows_them():
    class Asks(DummyClassifier):
        def fit(self, X, y, groups=None):
            self.groups_ = groups
            return super().fit(X, y)

    y, groups = np.array([0, 1]), np.array(["a", "b"])
    assert evaluation.fit_copy(Asks(), y, y, groups).groups_ is groups
    assert not hasattr(evaluation.fit_copy(DummyClassifier(), y, y, groups), "groups_")


def test_one_class_leaves_what_can_be_said():
    each = _predictions()
    only = each.y_true == 1
    one = each.take(only)

    assert list(summarise(one, n_resamples=20)) == ["patient_recognition_rate"]


def test_no_patient_straddles_a_fold():
    bunch = make_patches(10, 4, patch_size=16, random_state=0)
    folds = make_folds(bunch.data, bunch.target, bunch.groups, n_splits=5)

    seen = np.concatenate([test for _, test in folds])
    assert sorted(seen) == list(range(len(bunch.target)))
    for train, test in folds:
        assert not set(bunch.groups[train]) & set(bunch.groups[test])


def test_too_few_patients_are_said():
    y, groups = np.array([0, 1] * 3), np.repeat(["a", "b", "c"], 2)
    with pytest.raises(ValueError, match="5 folds need at least 5 patients; there are 3"):
        make_folds(y, y, groups, n_splits=5)


def test_a_fold_that_takes_a_class_away_is_said():
    y, groups = np.repeat([0, 1], [8, 2]), np.repeat(["a", "b", "c", "d", "e"], 2)
    with pytest.raises(ValueError, match="ask for fewer folds"):
        make_folds(y, y, groups, n_splits=5)


class _Recorder(DummyClassifier):
    """Notes what it was trained on, to show that nobody judges a patient that it knows."""

    def fit(self, X, y):
        self.trained_on_ = X
        return super().fit(X, y)

    def predict_proba(self, X):
        assert not set(self.trained_on_) & set(X)
        return super().predict_proba(X)


def test_each_patch_is_judged_once_by_a_model_that_never_saw_its_patient():
    groups = np.repeat(list("abcdefghijkl"), 3)
    y = np.repeat([0, 1, 1] * 4, 3)
    folds = make_folds(groups, y, groups, n_splits=2)
    models = {"recorder": _Recorder(strategy="prior")}

    result = cross_validate_models(models, groups, y, groups, folds=folds)["recorder"]

    assert sorted(result.groups) == sorted(groups)
    shares = [y[train].mean() for train, _ in folds]
    np.testing.assert_allclose(result.y_proba[:, 1], [shares[fold] for fold in result.folds])


class _Failing(DummyClassifier):
    """Fits as often as it may, all copies together."""

    n_left = 0

    def fit(self, X, y):
        if type(self).n_left == 0:
            raise RuntimeError("no more")
        type(self).n_left -= 1
        return super().fit(X, y)


@pytest.mark.parametrize("with_groups", [True, False])
def test_what_ended_folds_gave_is_kept(tmp_path, with_groups):
    groups = np.repeat(np.array(list("abcdefghijkl"), dtype=object), 3)
    y = np.repeat([0, 1, 1] * 4, 3)
    X = np.arange(len(y))[:, None]
    by = groups if with_groups else None
    folds = make_folds(X, y, groups, n_splits=3)
    models = {"../first": _Failing(strategy="prior"), "second": _Failing(strategy="uniform")}
    models["second"].set_params(random_state=0)

    def run(n_fits, y=y, folds=folds, **options):
        _Failing.n_left = n_fits
        return cross_validate_models(models, X, y, by, folds=folds, **options)

    expected = run(6)
    with pytest.raises(RuntimeError, match="no more"):
        run(4, checkpoint=tmp_path / "kept")
    for n_fits in (2, 0):
        found = run(n_fits, checkpoint=tmp_path / "kept")
        for name, predictions in expected.items():
            for column in ("y_proba", "y_pred", "y_true", "groups", "folds", "rows"):
                kept, given = (getattr(each[name], column) for each in (found, expected))
                np.testing.assert_array_equal(kept, given)
                assert kept.dtype == getattr(predictions, column).dtype
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(RuntimeError, match="no more"):
        run(0, y=1 - y, checkpoint=tmp_path / "kept")
    with pytest.raises(RuntimeError, match="no more"):
        run(0, folds=folds[::-1], checkpoint=tmp_path / "kept")
    models["../first"].set_params(strategy="stratified", random_state=1)
    with pytest.raises(RuntimeError, match="no more"):
        run(0, checkpoint=tmp_path / "kept")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="a folder is expected"):
        run(0, checkpoint=tmp_path / "file")


def test_models_beat_the_baselines_on_invented_patients():
    bunch = make_patches(20, 8, patch_size=48, random_state=0)
    folds = make_folds(bunch.data, bunch.target, bunch.groups, n_splits=2)
    models = {**make_baselines(), "transfer": make_model("transfer")}

    results = cross_validate_models(models, bunch.data, bunch.target, bunch.groups, folds=folds)
    auc = {name: summarise(each, n_resamples=50)["auc"].estimate for name, each in results.items()}

    assert auc["dummy"] == pytest.approx(0.5)
    assert auc["transfer"] > 0.85
    assert auc["transfer"] > auc["colour"] + 0.1


def test_models_by_name():
    assert isinstance(make_model("cnn"), PatchCNNClassifier)
    assert make_model("densenet121", max_epochs=3, random_state=1).max_epochs == 3
    assert make_model("resnet").architecture == "resnet"
    assert next(iter(make_model("transfer").named_steps)) == "transferfeatureextractor"
    with pytest.raises(ValueError, match="model must be one of dummy, colour"):
        make_model("magic")
    assert set(evaluation.make_baselines()) == {"dummy", "colour"}


def test_networks_leave_the_course_of_their_training():
    patches = make_patches(8, 2, patch_size=32, random_state=0)
    X, y, groups = patches.data, patches.target, patches.groups
    network = make_model("macenko-cnn", max_epochs=2, random_state=0)
    search = GridSearchCV(network, {"patchcnnclassifier__max_epochs": [1]}, cv=GroupKFold(2))
    folds = make_folds(X, y, groups, n_splits=2)
    models = {"cnn": network, "search": search, "colour": make_baselines()["colour"]}
    found = cross_validate_models(models, X, y, groups, folds=folds)

    assert found["colour"].histories == {}
    assert {fold: len(each["loss"]) for fold, each in found["cnn"].histories.items()} == {
        0: 2,
        1: 2,
    }
    assert {fold: len(each["loss"]) for fold, each in found["search"].histories.items()} == {
        0: 1,
        1: 1,
    }
    assert found["cnn"].take(slice(3)).histories == found["cnn"].histories


@pytest.mark.parametrize(
    "history", [[{"loss": 1}], {"loss": "abc"}, {"a": [1], "b": [1, 2]}, {}, 3]
)
def test_another_history_is_not_kept(history):
    model = DummyClassifier(strategy="prior").fit(np.zeros((4, 1)), [0, 1, 0, 1])
    model.history_ = history
    y = np.array([0, 1, 0, 1])
    assert evaluation.predict_patches(model, np.zeros((4, 1)), y).histories == {}
    model.history_ = {"loss": [np.float32(0.5)]}
    assert evaluation.predict_patches(model, np.zeros((4, 1)), y).histories == {0: {"loss": [0.5]}}
