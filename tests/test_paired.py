"""Two models on the same patients: by hand, against plain loops, and under the null."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, roc_auc_score

from skbreast.metrics import compare_models, patient_bootstrap, patient_recognition_rate
from skbreast.metrics._resampled_metrics import METRIC_NAMES


def _two_models(seed, *, n_patients=24):
    """Return labels of patients, and scores of two models that err on the same patients."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_patients), rng.integers(5, 16, size=n_patients))
    y_true, n_patches = (np.arange(n_patients) % 2)[groups], len(groups)
    shared = rng.normal(size=n_patients)[groups] + 0.7 * rng.normal(size=n_patches)
    scores = [
        y_true + shared + 0.7 * (rng.normal(size=n_patients)[groups] + rng.normal(size=n_patches))
        for _ in range(2)
    ]
    return y_true, *(1 / (1 + np.exp(0.5 - each)) for each in scores), groups


def test_a_difference_by_hand():
    # accuracies by patient: 1 and 1, 1 and 0, 1/2 and 0: means 5/6 and 1/3
    y_true, groups = np.zeros(6, int), np.repeat(["a", "b", "c"], 2)
    first, second = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 1, 1, 1, 1])
    for metric, n_resamples in (
        ("patient_recognition_rate", 4000),
        (patient_recognition_rate, 500),
    ):
        result = compare_models(
            metric, y_true, first, second, groups=groups, n_resamples=n_resamples, random_state=0
        )
        assert result.difference == pytest.approx(0.5)
        assert (result.low, result.high) == pytest.approx((0, 1))
        # only a draw of "a" thrice has no difference, of 27; none has a negative one
        assert result.p_value == pytest.approx(2 / 27, abs=0.03)
        assert (result.n_patients, result.n_resamples, result.n_undefined) == (3, n_resamples, 0)


def test_a_permutation_by_hand():
    # "b" and "c" speak for the first model: of their four signs two give a difference as large
    y_true, groups = np.zeros(6, int), np.repeat(["a", "b", "c"], 2)
    first, second = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 1, 1, 1, 1])
    for metric, n_resamples in (
        ("patient_recognition_rate", 4000),
        (patient_recognition_rate, 500),
    ):
        result = compare_models(
            metric, y_true, first, second, groups=groups, method="permutation",
            n_resamples=n_resamples, random_state=0,
        )  # fmt: skip
        assert result.p_value == pytest.approx(0.5, abs=0.06)
        assert (result.difference, result.low, result.high) == (pytest.approx(0.5), None, None)


def test_no_p_value_is_zero_and_equal_models_do_not_differ():
    y_true, groups = np.tile([0, 1], 40), np.repeat(np.arange(20), 4)
    for method in ("bootstrap", "permutation"):
        options = {"groups": groups, "method": method, "n_resamples": 99, "random_state": 0}
        apart = compare_models("accuracy", y_true, y_true, 1 - y_true, **options)
        assert apart.p_value == {"bootstrap": 2 / 100, "permutation": 1 / 100}[method]
        same = compare_models("roc_auc", y_true, y_true, y_true, **options)
        assert (same.difference, same.p_value) == (0, 1)


@pytest.mark.parametrize("with_folds", [False, True])
@pytest.mark.parametrize("name", METRIC_NAMES)
def test_the_bootstrap_draws_the_same_patients_for_both(name, with_folds):
    y_true, first, second, groups = _two_models(0)
    folds = groups % 3 if with_folds else None
    if name not in ("roc_auc", "patient_auc", "brier_score"):
        first, second = (first > 0.5).astype(int), (second > 0.5).astype(int)
    options = {"groups": groups, "folds": folds, "n_resamples": 60, "random_state": 1}
    result = compare_models(name, y_true, first, second, stratify=y_true, **options)

    one, other = (
        patient_bootstrap(name, y_true, each, stratify=y_true, **options)
        for each in (first, second)
    )
    assert result.difference == pytest.approx(one.estimate - other.estimate, abs=1e-12)
    assert result.low < result.difference < result.high


@pytest.mark.parametrize("method", ["bootstrap", "permutation"])
@pytest.mark.parametrize("with_folds", [False, True])
def test_names_and_callables_agree(method, with_folds):
    y_true, first, second, groups = _two_models(1)
    folds = groups % 3 if with_folds else None
    labels = [(each > 0.5).astype(int) for each in (first, second)]
    # ranks within folds, which a callable has to be given and a name makes itself
    ranks = np.empty((2, len(y_true)))
    for fold in np.unique(groups % 3) if with_folds else [slice(None)]:
        rows = groups % 3 == fold if with_folds else fold
        for row, scores in enumerate((first, second)):
            ranks[row, rows] = rankdata(scores[rows])
    options = {"groups": groups, "method": method, "folds": folds}
    options |= {"n_resamples": 60, "random_state": 2}
    for name, metric, outputs in (
        ("accuracy", accuracy_score, labels),
        ("patient_recognition_rate", patient_recognition_rate, labels),
        ("roc_auc", roc_auc_score, ranks),
        ("brier_score", lambda y, p: np.mean((y - p) ** 2), (first, second)),
    ):
        named = compare_models(name, y_true, *outputs, **options)
        called = compare_models(metric, y_true, *outputs, **options)
        for field in ("difference", "p_value", "low", "high", "n_undefined"):
            assert getattr(named, field) == pytest.approx(getattr(called, field), abs=1e-12)


def test_scales_of_scores_do_not_matter_to_an_auc():
    y_true, first, second, groups = _two_models(2)
    for name in ("roc_auc", "patient_auc"):
        for method in ("bootstrap", "permutation"):
            options = {"groups": groups, "method": method, "n_resamples": 100, "random_state": 0}
            result = compare_models(name, y_true, first, second, **options)
            scaled = compare_models(name, y_true, first, 100 + 8 * second, **options)
            assert scaled.p_value == result.p_value


def test_columns_of_classes_are_exchanged_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 6)
    y_true = groups % 3
    first, second = rng.dirichlet(np.ones(3), size=(2, 120))
    options = {"groups": groups, "method": "permutation", "n_resamples": 60, "random_state": 0}
    named = compare_models("brier_score", y_true, first, second, **options)
    called = compare_models(
        lambda y, p: np.mean(((p - np.eye(3)[y]) ** 2).sum(axis=1)),
        y_true,
        first,
        second,
        **options,
    )
    assert named.p_value == called.p_value
    assert named.difference == pytest.approx(called.difference)


def test_undefined_resamples_are_counted():
    y_true, groups = np.repeat([0, 0, 0, 1], 3), np.repeat(np.arange(4), 3)
    first, second = np.linspace(0, 1, 12), np.linspace(0, 1, 12)[::-1]
    options = {"groups": groups, "n_resamples": 300, "random_state": 0}
    result = compare_models("roc_auc", y_true, first, second, **options)
    called = compare_models(roc_auc_score, y_true, first, second, **options)
    assert result.n_undefined == called.n_undefined == pytest.approx(300 * 0.32, abs=40)
    assert f"{result.n_undefined} of 300 resamples undefined" in str(result)
    stratified = compare_models("roc_auc", y_true, first, second, stratify=y_true, **options)
    assert stratified.n_undefined == 0


def test_results_read_well():
    y_true, first, second, groups = _two_models(3)
    options = {"groups": groups, "n_resamples": 100, "random_state": 0}
    text = str(compare_models("roc_auc", y_true, first, second, **options))
    assert "[" in text
    assert text.endswith("(bootstrap, 24 patients)")
    text = str(compare_models("roc_auc", y_true, first, second, method="permutation", **options))
    assert "[" not in text
    assert text.endswith("(permutation, 24 patients)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "delong"}, "method must be one of 'bootstrap', 'permutation'"),
        ({"groups": None}, "groups is None"),
        ({"groups": [0, 0, 0]}, "one patient only"),
        ({"confidence_level": 2}, "confidence_level"),
        ({"n_resamples": 0}, "n_resamples"),
        ({"second": [1, 0]}, "inconsistent numbers"),
        ({"metric": "roc_auc", "y_true": [1, 1, 1]}, "metric differs by nan on the data"),
    ],
)
def test_bad_comparisons_are_refused(options, message):
    arguments = {"metric": "accuracy", "y_true": [0, 1, 1], "first": [0, 1, 0], "second": [1, 1, 0]}
    arguments |= {"groups": [0, 1, 2]} | options
    with pytest.raises(ValueError, match=message):
        compare_models(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["bootstrap", "permutation"])
@pytest.mark.parametrize("metric", ["roc_auc", "patient_recognition_rate"])
def test_equal_models_are_told_apart_one_time_in_twenty(metric, method):
    n_simulations, found, found_by_patch = 600, 0, 0
    for seed in range(n_simulations):
        y_true, first, second, groups = _two_models(seed, n_patients=50)
        if metric != "roc_auc":
            first, second = first > 0.5, second > 0.5
        options = {"method": method, "n_resamples": 300, "random_state": seed}
        found += (
            compare_models(
                metric, y_true.astype(bool), first, second, groups=groups, **options
            ).p_value
            <= 0.05
        )
        if seed < 100:
            patches = np.arange(len(groups))
            found_by_patch += (
                compare_models(
                    metric, y_true.astype(bool), first, second, groups=patches, **options
                ).p_value
                <= 0.05
            )
    assert 0.03 <= found / n_simulations <= 0.08  # .05 is known to within .009
    assert found_by_patch >= 20  # of 100, where patches are taken as independent


def test_a_better_model_is_found():
    rng = np.random.default_rng(0)
    y_true, first, _, groups = _two_models(4, n_patients=60)
    worse = first + rng.normal(0, 0.4, size=len(first))
    for method in ("bootstrap", "permutation"):
        result = compare_models(
            "roc_auc", y_true, first, worse, groups=groups, method=method, n_resamples=500,
            random_state=0,
        )  # fmt: skip
        assert result.difference > 0.02
        assert result.p_value < 0.01
