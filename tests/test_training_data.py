"""Labels, weights and the inner split, from known answers."""

import numpy as np
import pytest

from skbreast._training_data import check_labels, combine_weights, split_off_validation
from skbreast.exceptions import UnknownPatientsWarning


def test_weights_are_multiplied():
    y = np.array(["a", "a", "a", "b"])
    weights = combine_weights([1, 2, 0, 1], {"a": 3, "b": 5}, y)
    np.testing.assert_allclose(weights, np.array([3, 6, 0, 5]) * 3 / 14, rtol=1e-6)
    np.testing.assert_allclose(combine_weights(None, "balanced", y), [2 / 3] * 3 + [2])
    assert combine_weights([7, 7, 0, 7], None, y).tolist() == [1, 1, 0, 1]
    assert combine_weights([1e-300, 1e-300, 0, 0], None, y).tolist() == [1, 1, 0, 0]


def test_impossible_weights_are_said():
    y = np.array([0, 1])
    with pytest.raises(ValueError, match="at least one"):
        combine_weights([0, 0], None, y)
    with pytest.raises(ValueError, match="negative or not finite"):
        combine_weights(None, {0: -1, 1: 1}, y)


def test_labels_are_counted():
    with pytest.raises(ValueError, match="y_val has 2 labels for 3 patches"):
        check_labels([0, 1], n_samples=3, name="y_val")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.3, 0.5])
def test_inner_split_keeps_patients_whole(seed, fraction):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat([f"p{number}" for number in range(20)], 15))
    targets = (rng.random(300) < 0.3).astype(int)
    rows, others = split_off_validation(targets, groups, fraction=fraction, seed=seed)
    assert not set(groups[rows]) & set(groups[others])
    assert sorted([*rows, *others]) == list(range(300))
    assert len(others) / 300 == pytest.approx(fraction, abs=0.1)
    assert targets[others].mean() == pytest.approx(targets.mean(), abs=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_inner_split_of_few_patients_of_one_class_each(seed):
    groups = np.repeat(list("abcdefgh"), 5)
    targets = np.repeat([0, 0, 0, 0, 0, 1, 1, 2, 2][:8], 5)
    targets[-5:] = 1
    rows, others = split_off_validation(targets, groups, fraction=0.15, seed=seed)
    assert not set(groups[rows]) & set(groups[others])
    assert set(targets[rows]) == set(targets[others]) == {0, 1}


def test_inner_split_without_groups_is_stratified():
    targets = np.repeat([0, 1], [160, 40])
    with pytest.warns(UnknownPatientsWarning, match="pass groups"):
        rows, others = split_off_validation(targets, None, fraction=0.15, seed=0)
    assert (len(rows), len(others)) == (170, 30)
    assert targets[others].sum() == 6
    with (
        pytest.warns(UnknownPatientsWarning),
        pytest.raises(ValueError, match=r"validation_fraction=0\.01: early stopping cannot"),
    ):
        split_off_validation(targets[150:170], None, fraction=0.01, seed=0)
