"""Which patches a gallery shows: known answers on a handful, and rules on many."""

import numpy as np
import pytest

from skbreast.plotting._choosing import (
    _ORDERS,
    SHOW,
    choose_patches,
    decide,
    describe_choice,
    interleave,
    spread,
)

#                    0    1     2    3     4     5
TRUTH = np.array([0, 0, 0, 1, 1, 1])
SCORE = np.array([0.1, 0.45, 0.8, 0.3, 0.55, 0.95])


@pytest.fixture
def decided():
    return decide(TRUTH, SCORE)


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    groups = rng.choice(list("abcdefghij"), 2000, p=[0.55] + [0.05] * 9)
    truth = rng.integers(0, 2, 2000)
    return decide(truth, np.round(rng.random(2000), 2)), groups


def test_labels_become_numbers_and_scores_decisions():
    decided = decide(["low", "high", "low"], [0.2, 0.5, 0.7])
    assert decided.y_true.tolist() == [1, 0, 1]
    assert decided.y_pred.tolist() == [0, 1, 1]
    assert decided.score.tolist() == [0.2, 0.5, 0.7]
    assert decide([0, 1, 1], [0.2, 0.5, 0.7], threshold=0.6).y_pred.tolist() == [0, 0, 1]


def test_of_three_classes_the_most_probable_one_counts():
    proba = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.45, 0.35]]
    decided = decide([0, 1, 2], proba)
    assert decided.y_pred.tolist() == [0, 2, 1]
    assert decided.score.tolist() == [0.7, 0.6, 0.45]
    assert choose_patches(decided, show="sure_wrong")[0].tolist() == [1, 2]
    assert choose_patches(decided, show="unsure")[0].tolist() == [2, 1, 0]


def test_decisions_of_the_models_stand_unless_a_threshold_is_given():
    own = np.array([1, 1, 1])
    assert decide([0, 1, 1], [0.2, 0.3, 0.7], y_pred=own).y_pred.tolist() == [1, 1, 1]
    kept = decide([0, 1, 1], [0.2, 0.3, 0.7], y_pred=own, threshold=0.25)
    assert kept.y_pred.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 1], [0.2, 1.7]), "between 0 and 1"),
        (([0, 1, 2], np.eye(3), None, 0.3), "threshold parts two classes, and here are 3"),
        (([0, 1], [0.2, 0.7], None, 2), "threshold must be a number"),
    ],
)
def test_what_cannot_be_judged_is_refused(arguments, words):
    y_true, y_score, *more = arguments
    options = dict(zip(("y_pred", "threshold"), more, strict=False))
    with pytest.raises(ValueError, match=words):
        decide(y_true, y_score, **options)


@pytest.mark.parametrize(
    ("show", "rows"),
    [
        ("any", {0, 1, 2, 3, 4, 5}),
        ("right", {0, 1, 4, 5}),
        ("wrong", {2, 3}),
        ("false_positive", {2}),
        ("false_negative", {3}),
    ],
)
def test_drawn_ones_are_all_of_their_kind(decided, show, rows):
    chosen, n_candidates = choose_patches(decided, show=show)
    assert sorted(chosen) == sorted(rows)
    assert n_candidates == len(rows)


@pytest.mark.parametrize(
    ("show", "rows"),
    [
        ("sure", [5, 0, 2, 3, 4, 1]),  # predicted 1, 0, 1, 0, 1, 0
        ("unsure", [1, 4, 3, 2, 0, 5]),
        ("sure_wrong", [2, 3]),  # 0.2 of the truth, 0.3 of it
        ("threshold", [1, 4, 3, 2, 0, 5]),  # below, above, below, …
    ],
)
def test_ranked_ones_are_in_their_order(show, rows):
    score = SCORE + np.array([0, 0.01, 0, 0, 0, 0.01])  # no two equally far from the middle
    assert choose_patches(decide(TRUTH, score), show=show)[0].tolist() == rows


def test_the_threshold_is_what_patches_are_near_to(decided):
    moved = decide(TRUTH, SCORE, threshold=0.9)
    assert choose_patches(moved, show="threshold", n_patches=2)[0].tolist() == [5, 2]
    assert choose_patches(decided, show="threshold", n_patches=2)[0].tolist() != [5, 2]


def test_one_patient_is_shown_from_the_lowest_score_to_the_highest():
    decided = decide([0, 1] * 5, np.arange(10)[::-1] / 10)
    groups = np.array([7] * 9 + [8])
    chosen, n_candidates = choose_patches(
        decided, groups, show="patient", patient="7", n_patches=3, per_patient=1
    )
    assert (chosen.tolist(), n_candidates) == ([8, 4, 0], 9)
    all_of_it = choose_patches(decided, groups, show="patient", patient=7, n_patches=20)[0]
    assert all_of_it.tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_other_choices_can_keep_to_a_patient(many):
    decided, groups = many
    chosen, n_candidates = choose_patches(decided, groups, show="wrong", patient="c")
    assert set(groups[chosen]) == {"c"}
    assert len(chosen) == 12
    assert n_candidates == np.count_nonzero((decided.y_true != decided.y_pred) & (groups == "c"))


def test_patients_share_a_gallery_while_there_are_others(many):
    decided, groups = many
    for show in set(SHOW) - {"patient"}:
        chosen, _ = choose_patches(decided, groups, show=show, per_patient=2)
        assert len(set(chosen)) == 12
        assert np.unique(groups[chosen], return_counts=True)[1].max() <= 2, show
    free, _ = choose_patches(decided, groups, show="any", per_patient=None)
    assert np.count_nonzero(groups[free] == "a") > 2


def test_the_limit_gives_way_where_there_are_no_others():
    order, patients = np.arange(7), np.array([0, 0, 0, 0, 0, 1, 2])
    assert spread(order, patients, 3, 1).tolist() == [0, 5, 6]
    assert spread(order, patients, 5, 1).tolist() == [0, 1, 2, 5, 6]
    assert spread(order, patients, 99, 1).tolist() == order.tolist()
    assert spread(order[::-1], patients, 4, 2).tolist() == [6, 5, 4, 3]


def test_classes_take_turns():
    assert interleave(np.array([4, 3, 2, 1, 0]), np.array([0, 1, 0, 0, 0])).tolist() == [
        4, 1, 3, 2, 0,
    ]  # fmt: skip


def test_ties_are_drawn_the_same_by_the_same_seed(many):
    decided, _ = many
    draws = [
        choose_patches(decided, show="sure", random_state=seed)[0].tolist() for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    certainty = decided.y_proba.max(axis=1)
    assert sorted(certainty[draws[0]]) == sorted(certainty[draws[2]])


def test_a_patch_that_was_tested_twice_is_shown_once():
    decided = decide([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.9])
    chosen, n_candidates = choose_patches(decided, show="sure_wrong", rows=np.array([5, 5, 2, 1]))
    assert (chosen.tolist(), n_candidates) == ([0, 2], 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"show": "best"}, "show must be one of 'any', 'right'"),
        ({"n_patches": 0}, "n_patches must be an integer"),
        ({"per_patient": 0}, "per_patient must be an integer"),
        ({"show": "patient"}, "needs patient="),
        ({"patient": "a"}, "needs groups"),
        ({"patient": "z", "groups": list("aabbcc")}, "'z' is not among the 3 patients.*'a', 'b'"),
        ({"groups": ["a"]}, "1 entries for 6 patches"),
    ],
)
def test_errors_say_what_to_do(decided, options, words):
    with pytest.raises(ValueError, match=words):
        choose_patches(decided, **options)


@pytest.mark.parametrize("show", ["false_positive", "false_negative", "threshold"])
def test_what_is_for_two_classes_is_refused_for_three(show):
    with pytest.raises(ValueError, match="is for two classes, and here are 3"):
        choose_patches(decide([0, 1, 2], np.eye(3)), show=show)


def test_every_choice_has_a_name_and_an_order(decided):
    assert list(SHOW) == list(_ORDERS)
    for show in SHOW:
        text = describe_choice(decided, 2, 1234, show=show, patient="p1")
        assert text.endswith(": 2 of 1,234")
        assert "p1" in text
        assert "{" not in text
