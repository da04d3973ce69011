"""Patient-level figures against answers worked out by hand."""

import time

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, roc_auc_score

from skbreast.metrics import (
    BootstrapInterval,
    patient_accuracies,
    patient_bootstrap,
    patient_labels,
    patient_recognition_rate,
    patient_scores,
)

# patient "a": .1 .6 .8   patient "b": .9   patient "c": .2 .4; rows shuffled
SCORES = np.array([0.6, 0.2, 0.9, 0.8, 0.4, 0.1])
PATIENTS = np.array(["a", "c", "b", "a", "c", "a"])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [0.5, 0.9, 0.3]),
        ({"aggregate": "max"}, [0.8, 0.9, 0.4]),
        ({"aggregate": "top_k", "top_k": 2}, [0.7, 0.9, 0.3]),
        ({"aggregate": "top_k", "top_k": 1}, [0.8, 0.9, 0.4]),
        ({"aggregate": "top_k", "top_k": 99}, [0.5, 0.9, 0.3]),
        ({"aggregate": "vote"}, [2 / 3, 1, 0]),
        ({"aggregate": "vote", "threshold": 0.4}, [2 / 3, 1, 1 / 2]),
    ],
)
def test_scores_by_hand(parameters, expected):
    ids, scores = patient_scores(SCORES, PATIENTS, **parameters)
    assert ids.tolist() == ["a", "b", "c"]
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected)


@pytest.mark.parametrize("aggregate", ["mean", "max", "top_k", "vote"])
def test_equal_patches_give_equal_scores_however_many(aggregate):
    groups = np.repeat(np.arange(9), np.arange(1, 10))
    _, scores = patient_scores(np.full(45, 0.7), groups, aggregate=aggregate, top_k=3)
    assert len(set(scores)) == 1


@pytest.mark.parametrize("aggregate", ["mean", "max", "top_k", "vote"])
def test_columns_of_classes_are_aggregated_like_single_columns(aggregate):
    rng = np.random.default_rng(0)
    y_score = rng.dirichlet([1, 1, 1], size=200)
    groups = rng.integers(0, 23, size=200)
    ids, scores = patient_scores(y_score, groups, aggregate=aggregate, top_k=3)
    assert scores.shape == (23, 3)
    for column in range(3):
        alone_ids, alone = patient_scores(y_score[:, column], groups, aggregate=aggregate, top_k=3)
        np.testing.assert_array_equal(ids, alone_ids)
        np.testing.assert_array_equal(scores[:, column], alone)


def test_scores_agree_with_a_loop_over_patients():
    rng = np.random.default_rng(1)
    y_score, groups = rng.random(500), rng.integers(0, 40, size=500)
    loops = {
        "mean": np.mean,
        "max": np.max,
        "top_k": lambda scores: np.sort(scores)[-4:].mean(),
        "vote": lambda scores: np.mean(scores >= 0.5),
    }
    for aggregate, loop in loops.items():
        ids, scores = patient_scores(y_score, groups, aggregate=aggregate, top_k=4)
        np.testing.assert_allclose(scores, [loop(y_score[groups == each]) for each in ids])


def test_one_patient():
    ids, scores = patient_scores([0.2, 0.4], ["x", "x"])
    assert ids.tolist() == ["x"]
    np.testing.assert_allclose(scores, [0.3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, np.nan], ["a", "b"]), "y_score contains NaN"),
        (([0.1, 0.2, 0.3], ["a", "b"]), "groups has 2 entries for 3 patches"),
        (([0.1, 0.2], np.array(["a", None], dtype=object)), "groups lacks the patient of 1"),
        (([0.1, 0.2], np.array(["a", 1], dtype=object)), "give all ids as str"),
    ],
)
def test_bad_scores_or_groups_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        patient_scores(*arguments)


@pytest.mark.parametrize(
    "parameters", [{"aggregate": "median"}, {"top_k": 0}, {"top_k": 1.5}, {"threshold": "high"}]
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises((ValueError, TypeError), match=next(iter(parameters))):
        patient_scores(SCORES, PATIENTS, **parameters)


def test_labels():
    ids, labels = patient_labels([1, 0, 2, 1, 0, 1], PATIENTS)
    assert ids.tolist() == ["a", "b", "c"]
    assert labels.tolist() == [1, 2, 0]


def test_several_labels_of_a_patient_are_refused_by_name():
    with pytest.raises(ValueError, match=r"for 2 of 3 patients \('a', 'c'\)"):
        patient_labels([1, 0, 2, 0, 1, 1], PATIENTS)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_are_refused(missing):
    for labels in ([1, missing], ["M", missing], np.array(["M", missing], dtype=object)):
        with pytest.raises(ValueError, match=r"y lacks 1 labels \(first at row 1\)"):
            patient_labels(labels, ["a", "b"])
        with pytest.raises(ValueError, match="y_true lacks 1 labels"):
            patient_accuracies(labels, ["M", "nan"], ["a", "b"])


def test_recognition_rate_by_hand():
    # patient "a" 1 of 2 right, "b" 1 of 1, "c" 0 of 3: the mean is .5, the patch accuracy 1/3
    groups = ["c", "a", "c", "b", "a", "c"]
    y_true = [0, 0, 1, 1, 1, 1]
    y_pred = [1, 0, 0, 1, 0, 0]
    ids, accuracies = patient_accuracies(y_true, y_pred, groups)
    assert ids.tolist() == ["a", "b", "c"]
    assert accuracies.tolist() == [0.5, 1.0, 0.0]
    assert patient_recognition_rate(y_true, y_pred, groups) == 0.5
    assert accuracy_score(y_true, y_pred) == pytest.approx(1 / 3)


def test_recognition_rate_of_words():
    assert patient_recognition_rate(["B", "M"], ["B", "B"], [1, 2]) == 0.5


def test_probabilities_or_other_kinds_of_labels_are_refused():
    with pytest.raises(ValueError, match=r"[Uu]nknown label type|Mix type"):
        patient_accuracies([0, 1], [0.2, 0.7], ["a", "b"])
    with pytest.raises(ValueError, match="Mix of label input types"):
        patient_accuracies(["0", "1"], [0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        patient_accuracies([0, 1, 1], [0, 1], ["a", "b", "c"])


def correlated_patches(rng, *, n_patients=30, n_patches=20, patient_sd=1.0):
    """Return one value a patch, alike within a patient, whose true mean is 0."""
    of_patient = rng.normal(0, patient_sd, size=n_patients)
    values = np.repeat(of_patient, n_patches) + rng.normal(0, 1, size=n_patients * n_patches)
    return values, np.repeat(np.arange(n_patients), n_patches)


def test_interval_covers_the_truth_by_patients_and_not_by_patches():
    rng = np.random.default_rng(0)
    covered = {"patients": 0, "patches": 0}
    for trial in range(60):
        values, groups = correlated_patches(rng)
        for unit, ids in (("patients", groups), ("patches", np.arange(len(values)))):
            interval = patient_bootstrap(
                np.mean, values, groups=ids, n_resamples=200, random_state=trial
            )
            covered[unit] += interval.low <= 0 <= interval.high
    assert covered["patients"] >= 51  # 95 % wanted; fewer than 51 of 60 has a chance of 1 in 500
    assert covered["patches"] <= 35  # the standard error is a fourth of the true one


def test_interval_is_that_of_the_theory():
    values, groups = correlated_patches(np.random.default_rng(3), n_patients=200)
    of_patient = values.reshape(200, 20).mean(axis=1)
    half_width = 1.96 * of_patient.std() / np.sqrt(200)
    interval = patient_bootstrap(np.mean, values, groups=groups, random_state=0)
    assert interval.estimate == values.mean()
    assert interval.high - interval.low == pytest.approx(2 * half_width, rel=0.08)
    narrower = patient_bootstrap(
        np.mean, values, groups=groups, confidence_level=0.5, random_state=0
    )
    assert interval.low < narrower.low < narrower.high < interval.high


def test_every_resample_holds_whole_patients():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(["a", "b", "c", "d"], [1, 2, 5, 9]))
    seen = []

    def check(rows):
        patients, counts = np.unique(groups[rows], return_counts=True)
        seen.append(dict(zip(patients, counts, strict=True)))
        assert sum(seen[-1][each] // np.sum(groups == each) for each in patients) == 4
        assert all(seen[-1][each] % np.sum(groups == each) == 0 for each in patients)
        return 0.0

    patient_bootstrap(check, np.arange(17), groups=groups, n_resamples=50, random_state=0)
    assert len({str(each) for each in seen}) > 10


def test_a_patient_drawn_twice_is_as_one_of_twice_the_weight():
    rng = np.random.default_rng(0)
    y_true, y_score = rng.integers(0, 2, size=300), rng.random(300)
    groups = rng.integers(0, 25, size=300)
    weighted = []

    def check(y, scores, rows):
        weight = np.bincount(rows, minlength=300)
        weighted.append(roc_auc_score(y_true, y_score, sample_weight=weight))
        assert roc_auc_score(y, scores) == pytest.approx(weighted[-1])
        return weighted[-1]

    interval = patient_bootstrap(
        check, y_true, y_score, np.arange(300), groups=groups, n_resamples=50, random_state=0
    )
    plain = patient_bootstrap(
        roc_auc_score, y_true, y_score, groups=groups, n_resamples=50, random_state=0
    )
    assert (plain.low, plain.high) == pytest.approx((interval.low, interval.high))


def test_a_metric_of_patients_sees_two_patients_where_one_is_drawn_twice():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, size=(2, 200))
    groups = rng.permutation(np.repeat(np.arange(12), 17)[:200])
    ids, accuracies = patient_accuracies(y_true, y_pred, groups)
    expected = patient_bootstrap(np.mean, accuracies, groups=ids, n_resamples=300, random_state=0)
    interval = patient_bootstrap(
        patient_recognition_rate, y_true, y_pred, groups=groups, n_resamples=300, random_state=0
    )
    assert interval.estimate == pytest.approx(expected.estimate)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_same_seed_same_interval_and_no_global_seed():
    values, groups = correlated_patches(np.random.default_rng(0))
    state = np.random.get_state()[1].copy()  # noqa: NPY002 (it must stay untouched)
    first, second = (
        patient_bootstrap(np.mean, values, groups=groups, n_resamples=50, random_state=7)
        for _ in range(2)
    )
    assert first == second
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


# one of four patients is malignant: a third of the draws hold one class only
FOUR_PATIENTS = np.repeat(["a", "b", "c", "d"], 3)
RARE_LABEL = np.repeat([0, 0, 0, 1], 3)


def test_undefined_resamples_are_counted():
    y_score = np.linspace(0, 1, 12)
    interval = patient_bootstrap(
        roc_auc_score, RARE_LABEL, y_score, groups=FOUR_PATIENTS, n_resamples=500, random_state=0
    )
    chance = (3 / 4) ** 4 + (1 / 4) ** 4  # no malignant patient, or no benign one
    assert interval.n_undefined == pytest.approx(500 * chance, abs=50)
    assert f"({interval.n_undefined} of 500 resamples undefined)" in str(interval)


def test_strata_keep_every_class_in_every_resample():
    interval = patient_bootstrap(
        roc_auc_score,
        RARE_LABEL,
        np.linspace(0, 1, 12)[::-1],
        groups=FOUR_PATIENTS,
        stratify=RARE_LABEL,
        n_resamples=200,
        random_state=0,
    )
    assert interval.n_undefined == 0
    assert interval == BootstrapInterval(0.0, 0.0, 0.0, 0.95, 4, 200, 0)


def test_strata_of_patients_with_several_labels_are_their_sets_of_labels():
    y = np.array([0, 1, 0, 1, 0, 0, 0, 0])
    groups = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
    seen = []

    def check(labels):
        seen.append(labels.sum())
        return 0.0

    patient_bootstrap(check, y, groups=groups, stratify=y, n_resamples=40, random_state=0)
    assert set(seen) == {2}  # always two patients of the kind {0, 1}, one such patch each


def test_metrics_that_warn_are_undefined_too():
    y_true = np.ones(12, dtype=int)
    y_pred = np.repeat([1, 0, 0, 0], 3)  # precision has no denominator where "a" isn't drawn
    interval = patient_bootstrap(
        precision_score, y_true, y_pred, groups=FOUR_PATIENTS, n_resamples=300, random_state=0
    )
    assert interval.n_undefined == pytest.approx(300 * (3 / 4) ** 4, abs=35)
    assert interval.low == 1.0


def test_more_than_half_undefined_raises():
    def rarely(rows):
        if len(set(rows)) < 4:
            raise ValueError("all four patients are needed")
        return 1.0

    with pytest.raises(ValueError, match=r"undefined in \d+ of 100 resamples.*stratify"):
        patient_bootstrap(rarely, np.arange(4), groups=np.arange(4), n_resamples=100)


def test_several_classes():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 3, size=300)
    y_score = rng.dirichlet([1, 1, 1], size=300)

    def auc(labels, scores):
        return roc_auc_score(labels, scores, multi_class="ovr")

    interval = patient_bootstrap(
        auc, y_true, y_score, groups=np.arange(300) % 20, n_resamples=50, random_state=0
    )
    assert interval.estimate == auc(y_true, y_score)
    assert interval.low < interval.estimate < interval.high


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (([1, 2],), {"groups": None}, "groups is None.*numpy.arange"),
        ((), {"groups": [1, 2]}, "at least one array"),
        (([1, 2],), {"groups": ["a", "a"]}, "one patient only"),
        (([1, 2], [1, 2, 3]), {"groups": ["a", "b"]}, "inconsistent numbers"),
        (([1, 2],), {"groups": ["a", "b"], "n_resamples": 0}, "n_resamples"),
        (([1, 2],), {"groups": ["a", "b"], "confidence_level": 1.0}, "confidence_level"),
        (([1, np.nan],), {"groups": ["a", "b"]}, "metric is nan on the data themselves"),
    ],
)
def test_bad_bootstraps_are_refused(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        patient_bootstrap(lambda *given: np.mean(given[0]), *arrays, **options)


def test_metric_must_return_one_number():
    with pytest.raises(TypeError, match="one number"):
        patient_bootstrap(np.sort, [1, 2], groups=["a", "b"])


def test_fast_enough_for_a_whole_test_set():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 194, size=7000)
    y_true, y_score = rng.integers(0, 2, size=7000), rng.random(7000)
    start = time.perf_counter()
    patient_bootstrap(roc_auc_score, y_true, y_score, groups=groups, n_resamples=100)
    patient_bootstrap(
        balanced_accuracy_score, y_true, y_score > 0.5, groups=groups, n_resamples=100
    )
    assert time.perf_counter() - start < 5  # half a second alone; the machine may be busy


def test_equal_scores_stay_tied_whatever_the_number_of_patches():
    groups = np.repeat(["a", "b", "c"], [3, 5, 7])
    scores = patient_scores(np.full(15, 0.7), groups)[1]

    assert scores.tolist() == [0.7, 0.7, 0.7]
