"""Metrics by name give what slow and plain callables of the same meaning give."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    recall_score,
    roc_auc_score,
)

from skbreast.metrics import (
    _resampled_metrics,
    patient_auc,
    patient_bootstrap,
    patient_recognition_rate,
)
from skbreast.metrics._resampled_metrics import METRIC_NAMES
from skbreast.metrics._resampling import count_draws, draw_patients

FIELDS = ("estimate", "low", "high")


def _several(metric):
    """Where only one class was drawn the metric is undefined."""

    def judged(y_true, output):
        return metric(y_true, output) if len(np.unique(y_true)) > 1 else np.nan

    return judged


def _f1(y_true, y_pred):
    return f1_score(y_true, y_pred) if (y_true == 1).any() else np.nan


def _f1_macro(y_true, y_pred):
    return f1_score(y_true, y_pred, average="macro", labels=np.unique([*y_true, *y_pred]))


def _auc(y_true, score):
    if score.ndim == 1:
        return roc_auc_score(y_true, score)
    return np.mean([roc_auc_score(y_true == each, score[:, each]) for each in np.unique(y_true)])


def _brier(y_true, score):
    if score.ndim == 1:
        return np.mean((score - y_true) ** 2)
    return np.mean(((score - np.eye(score.shape[1])[y_true]) ** 2).sum(axis=1))


def _share_of(label):
    def share(y_true, y_pred):
        return np.mean(y_pred[y_true == label] == label) if (y_true == label).any() else np.nan

    return share


PLAIN = {
    "accuracy": accuracy_score,
    "balanced_accuracy": _several(
        lambda y_true, y_pred: recall_score(
            y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0
        )
    ),
    "f1": _f1,
    "f1_macro": _several(_f1_macro),
    "sensitivity": _share_of(1),
    "specificity": _share_of(0),
    "roc_auc": _several(_auc),
    "brier_score": _brier,
    "patient_recognition_rate": patient_recognition_rate,
    "patient_auc": patient_auc,
}


def _data(seed, *, n_classes=2, of_patients=False):
    """Return labels, predictions, tied probabilities, patients of 1 to 12 patches, their folds."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(24), rng.integers(1, 13, size=24)))
    n_patches = len(groups)
    y_true = rng.integers(0, n_classes, size=24)[groups]
    if not of_patients:
        y_true = np.where(rng.random(n_patches) < 0.3, rng.integers(0, n_classes), y_true)
    proba = rng.dirichlet(np.ones(n_classes), size=n_patches).round(1) + np.eye(n_classes)[y_true]
    proba = (proba / 2).round(2)  # many ties
    y_pred = np.where(rng.random(n_patches) < 0.6, y_true, rng.integers(0, n_classes, n_patches))
    return y_true, y_pred, proba[:, 1] if n_classes == 2 else proba, groups, (groups * 7) % 3


def _output(name, y_pred, score):
    return score if name in ("roc_auc", "patient_auc", "brier_score") else y_pred


def _assert_same(name, plain, y_true, output, **options):
    named, called = (
        patient_bootstrap(metric, y_true, output, n_resamples=40, random_state=5, **options)
        for metric in (name, plain)
    )
    for field in FIELDS:
        assert getattr(named, field) == pytest.approx(getattr(called, field), abs=1e-12)
    assert named.n_undefined == called.n_undefined


@pytest.mark.parametrize("with_folds", [False, True])
@pytest.mark.parametrize("name", METRIC_NAMES)
def test_two_classes(name, with_folds):
    for seed in range(6):
        y_true, y_pred, score, groups, folds = _data(seed, of_patients=name == "patient_auc")
        _assert_same(
            name, PLAIN[name], y_true, _output(name, y_pred, score), groups=groups,
            folds=folds if with_folds else None, stratify=y_true if seed % 2 else None,
        )  # fmt: skip


@pytest.mark.parametrize("with_folds", [False, True])
@pytest.mark.parametrize(
    "name", [each for each in METRIC_NAMES if each not in ("sensitivity", "specificity")]
)
def test_three_classes(name, with_folds):
    plain = PLAIN["f1_macro"] if name == "f1" else PLAIN[name]
    if name == "patient_auc":
        plain = _patient_auc_of_numbers
    for seed in range(3):
        y_true, y_pred, score, groups, folds = _data(
            seed, n_classes=3, of_patients=name == "patient_auc"
        )
        _assert_same(
            name, plain, y_true, _output(name, y_pred, score), groups=groups,
            folds=folds if with_folds else None,
        )  # fmt: skip


def _patient_auc_of_numbers(y_true, score, groups):
    means = np.array([score[groups == each].mean(axis=0) for each in np.unique(groups)]).round(12)
    labels = np.array([y_true[groups == each][0] for each in np.unique(groups)])
    return _several(_auc)(labels, means)


def test_many_folds_without_meaning_are_left_out_alike():
    # two patients a fold: most folds lack a class in most resamples
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(16), 4)
    y_true, score = (np.arange(16) % 2)[groups], rng.random(64).round(1)
    for name in METRIC_NAMES:
        output = _output(name, (score > 0.5).astype(int), score)
        _assert_same(name, PLAIN[name], y_true, output, groups=groups, folds=groups // 2)


def test_a_patient_of_several_folds_is_judged_in_each():
    # as in repeated cross-validation: every patch twice, each repeat with a split of its own
    rng = np.random.default_rng(0)
    groups = np.tile(np.repeat(np.arange(12), 3), 2)
    y_true, score = (np.arange(12) % 2)[groups], rng.random(72)
    folds = np.repeat([0, 1], 36)
    for name in METRIC_NAMES:
        output = _output(name, (score > 0.5).astype(int), score)
        _assert_same(name, PLAIN[name], y_true, output, groups=groups, folds=folds)


@pytest.mark.parametrize("kind", [np.array(["B", "M"]), np.array([1, 2]), np.array([False, True])])
def test_the_greater_label_is_the_positive_one(kind):
    y_true, y_pred, score, groups, folds = _data(0)
    for name in METRIC_NAMES:
        if name == "patient_auc":
            continue
        output = _output(name, y_pred, score)
        named = kind[output] if output is y_pred else output
        assert patient_bootstrap(
            name, kind[y_true], named, groups=groups, folds=folds, n_resamples=20, random_state=0
        ) == patient_bootstrap(
            name, y_true, output, groups=groups, folds=folds, n_resamples=20, random_state=0
        )


def test_two_columns_are_as_their_second():
    y_true, _, score, groups, _ = _data(0)
    options = {"groups": groups, "n_resamples": 20, "random_state": 0}
    for name in ("roc_auc", "brier_score"):
        assert patient_bootstrap(name, y_true, score, **options) == patient_bootstrap(
            name, y_true, np.column_stack([1 - score, score]), **options
        )


def test_means_that_only_rounding_tells_apart_are_tied():
    groups = np.repeat([0, 1, 2, 3, 4, 5], [3, 5, 7, 9, 2, 11])
    y_true = (np.arange(6) % 2)[groups]
    score = np.resize([0.1, 0.7], len(groups))
    for each in range(6):
        score[groups == each] = np.resize([0.1, 0.7, 0.4], (groups == each).sum())
    score[groups == 4] = [0.1, 0.7]
    score = np.where(np.isin(groups, [1, 2, 3, 5]), 0.4, score)
    interval = patient_bootstrap(
        "patient_auc", y_true, score, groups=groups, stratify=y_true, n_resamples=50
    )
    assert (interval.estimate, interval.low, interval.high) == (0.5, 0.5, 0.5)


def test_blocks_change_nothing(monkeypatch):
    y_true, _, score, groups, folds = _data(1)
    options = {"groups": groups, "folds": folds, "n_resamples": 57, "random_state": 3}
    whole = patient_bootstrap("roc_auc", y_true, score, **options)
    monkeypatch.setattr(_resampled_metrics, "BLOCK_BYTES", 2**15)
    assert patient_bootstrap("roc_auc", y_true, score, **options) == whole


def test_draws_are_the_same_one_by_one_and_in_blocks():
    strata = np.array([0, 1, 0, 2, 1, 1, 0])
    ones = np.concatenate(list(draw_patients(strata, 30, 4)))
    blocks = np.concatenate(list(draw_patients(strata, 30, 4, block=8)))
    np.testing.assert_array_equal(ones, blocks)
    counts = count_draws(ones)
    np.testing.assert_array_equal(counts[2], (ones == 2).sum(axis=1))
    for stratum in range(3):
        assert (counts[strata == stratum].sum(axis=0) == (strata == stratum).sum()).all()


def test_memory_stays_bounded_for_all_patches_of_idc():
    rng = np.random.default_rng(0)
    n_patches = 277_524
    y_true, score = rng.integers(0, 2, size=n_patches), rng.random(n_patches)
    for groups in (np.arange(n_patches) % 279, np.arange(n_patches)):
        tracemalloc.start()
        patient_bootstrap("roc_auc", y_true, score, groups=groups, n_resamples=20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**28  # 20 resamples of all patches at once take 177 MB an array


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("auroc", ([0, 1], [0, 1]), "metric must be one of .*'roc_auc'.*got 'auroc'"),
        ("accuracy", ([0, 1], [0.2, 0.8]), "y_pred must hold labels, not scores; it has 0.2"),
        ("accuracy", ([0, 1],), "'accuracy' takes two arrays"),
        ("sensitivity", ([0, 1, 2], [0, 1, 2]), "'sensitivity' needs two classes; there are 3"),
        ("roc_auc", ([0, 1, 2], [0.1, 0.2, 0.3]), "has 3 classes and y_score stands for 2"),
        ("roc_auc", (["a", "b", "a"], np.eye(3)), "has 2 classes and y_score stands for 3"),
        ("roc_auc", ([0, 1], [np.nan, 0.3]), "y_score contains NaN"),
        ("brier_score", ([0, 1], [-2, 3]), "y_prob must lie between 0 and 1; it reaches from -2"),
        ("roc_auc", ([1, 1], [0.1, 0.3]), "metric is nan on the data themselves"),
    ],
)
def test_what_a_name_cannot_take_is_refused(name, arrays, message):
    with pytest.raises(ValueError, match=message):
        patient_bootstrap(name, *arrays, groups=np.arange(len(arrays[0])))


def test_patient_auc_names_patients_of_several_labels():
    with pytest.raises(ValueError, match=r"for 1 of 2 patients \('x'\)"):
        patient_bootstrap("patient_auc", [0, 1, 1], [0.1, 0.2, 0.3], groups=["x", "x", "y"])


def test_a_callable_is_taken_over_folds_too():
    y_true, _, score, groups, folds = _data(2)
    interval = patient_bootstrap(
        average_precision_score, y_true, score, groups=groups, folds=folds, n_resamples=20
    )
    expected = [average_precision_score(y_true[folds == f], score[folds == f]) for f in range(3)]
    assert interval.estimate == pytest.approx(np.mean(expected))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        patient_bootstrap(recall_score, y_true, y_true, groups=groups, folds=folds[1:])


def _patients(rng, n_patients, *, distance, positive_every=2):
    """Return labels, scores and ids of patients whose patches resemble each other.

    The true AUC is that of two normal distributions `distance` apart, each of variance 2.
    """
    groups = np.repeat(np.arange(n_patients), rng.integers(10, 31, size=n_patients))
    y_true = (np.arange(n_patients) % positive_every == 0)[groups].astype(int)
    of_patient, of_patch = rng.normal(size=n_patients)[groups], rng.normal(size=len(groups))
    return y_true, distance * (y_true - 0.5) + of_patient + of_patch, groups


def _coverage(metric, truth, *, n_simulations, n_patients, naive=False, n_resamples=400, **options):
    distance, positive_every = options.pop("distance"), options.pop("positive_every", 2)
    covered = 0
    for seed in range(n_simulations):
        y_true, score, groups = _patients(
            np.random.default_rng(seed), n_patients, distance=distance,
            positive_every=positive_every,
        )  # fmt: skip
        output = score if metric == "roc_auc" else (score > 0).astype(int)
        interval = patient_bootstrap(
            metric, y_true, output, groups=np.arange(len(groups)) if naive else groups,
            stratify=y_true, n_resamples=n_resamples, random_state=seed, **options,
        )  # fmt: skip
        covered += interval.low <= truth <= interval.high
    return covered / n_simulations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "truth", "interval"),
    [
        ("roc_auc", norm.cdf(1.2 / 2), "percentile"),
        ("patient_recognition_rate", norm.cdf(0.6 / np.sqrt(2)), "percentile"),
        ("patient_recognition_rate", norm.cdf(0.6 / np.sqrt(2)), "logit"),
    ],
)
def test_intervals_cover_the_truth_by_patient_and_not_by_patch(metric, truth, interval):
    # 1,000 simulations tell 95 % to within 1.4 points, so both bounds can fail
    simulation = {"distance": 1.2, "n_patients": 50, "interval": interval}
    assert 0.92 < _coverage(metric, truth, n_simulations=1000, **simulation) < 0.98
    simulation |= {"naive": True, "n_simulations": 150, "n_resamples": 200}
    assert _coverage(metric, truth, **simulation) < 0.7


@pytest.mark.slow
def test_few_positive_patients_and_a_good_model_want_log_odds():
    simulation = {"distance": 3.5, "n_patients": 20, "positive_every": 4, "n_simulations": 600}
    percentile, log_odds = (
        _coverage("roc_auc", norm.cdf(3.5 / 2), interval=interval, **simulation)
        for interval in ("percentile", "logit")
    )
    assert percentile < 0.82  # five positive patients: far from 95 %, as the documentation says
    assert log_odds > percentile + 0.05


def test_log_odds_by_hand():
    y_true, y_pred = np.zeros(40, int), np.repeat([0, 1, 0, 0], 10)
    groups = np.repeat(np.arange(4), 10)
    interval = patient_bootstrap(
        "accuracy", y_true, y_pred, groups=groups, interval="logit", n_resamples=20_000,
        random_state=0,
    )  # fmt: skip
    # standard deviation sqrt(.75 * .25 / 4), three degrees of freedom: t = 3.18245
    half_width = 3.18245 * np.sqrt(0.75 * 0.25 / 4) / (0.75 * 0.25)
    ends = 1 / (1 + np.exp(-(np.log(3) + np.array([-half_width, half_width]))))
    np.testing.assert_allclose([interval.low, interval.high], ends, atol=0.01)


def test_log_odds_at_the_end_of_the_scale_and_beyond():
    perfect = patient_bootstrap(
        "accuracy", [0, 1, 1], [0, 1, 1], groups=[0, 1, 2], interval="logit", n_resamples=20
    )
    assert perfect.high == 1
    assert perfect.low == pytest.approx(0.025 ** (1 / 3))  # three of three: Clopper & Pearson
    mixed = patient_bootstrap(  # four patients have each class, though strata are smaller
        "accuracy", [0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1, 0, 1],
        groups=[0, 0, 1, 1, 2, 2, 3, 4], stratify=[0, 1, 0, 1, 0, 1, 0, 1], interval="logit",
        n_resamples=20,
    )  # fmt: skip
    assert mixed.low == pytest.approx(0.025 ** (1 / 4))
    hopeless = patient_bootstrap(
        "accuracy", [0, 1, 1], [1, 0, 0], groups=[0, 1, 2], interval="logit", n_resamples=20
    )
    assert (hopeless.low, hopeless.high) == (0, pytest.approx(1 - 0.025 ** (1 / 3)))
    alone = patient_bootstrap(
        "accuracy", [0, 1], [0, 0], groups=[0, 1], stratify=[0, 1], interval="logit", n_resamples=20
    )
    assert (alone.low, alone.high) == (0, 1)  # a patient a stratum: nothing varies
    with pytest.raises(ValueError, match="interval='logit' is for metrics that lie between 0"):
        patient_bootstrap(np.sum, [3, 4, 5], groups=[0, 1, 2], interval="logit", n_resamples=20)
    with pytest.raises(ValueError, match="interval must be one of 'percentile', 'logit'"):
        patient_bootstrap(np.sum, [3, 4, 5], groups=[0, 1, 2], interval="bca")
