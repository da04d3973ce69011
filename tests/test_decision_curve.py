"""Net benefits counted by hand."""

import numpy as np
import pytest

from skbreast.metrics import decision_curve

Y_TRUE = np.array([0, 0, 0, 1, 1])
Y_PROB = np.array([0.1, 0.3, 0.6, 0.4, 0.9])


def test_net_benefit_by_hand():
    curve = decision_curve(Y_TRUE, Y_PROB, thresholds=[0, 0.2, 0.4, 0.5, 0.8])
    # hits and false alarms: 2 3, 2 2, 2 1, 1 1, 1 0; odds 0, 1/4, 2/3, 1, 4
    expected = [2 / 5, (2 - 2 / 4) / 5, (2 - 2 / 3) / 5, 0, 1 / 5]
    np.testing.assert_allclose(curve.model, expected, atol=1e-15)
    everybody = [0.4, 0.4 - 0.6 / 4, 0.4 - 0.6 * 2 / 3, 0.4 - 0.6, 0.4 - 0.6 * 4]
    np.testing.assert_allclose(curve.treat_all, everybody, atol=1e-15)
    assert curve.treat_none.tolist() == [0] * 5


def test_a_perfect_model_is_worth_the_share_of_positives():
    curve = decision_curve(Y_TRUE, Y_TRUE.astype(float))
    assert curve.thresholds.tolist() == [each / 100 for each in range(1, 100)]
    np.testing.assert_allclose(curve.model, 0.4)


def test_a_model_that_knows_nothing_is_everybody_or_nobody():
    curve = decision_curve(Y_TRUE, np.full(5, 0.4))
    acts = curve.thresholds <= 0.4
    np.testing.assert_allclose(curve.model, np.where(acts, curve.treat_all, 0), atol=1e-15)


def test_weights_are_as_copies():
    rng = np.random.default_rng(0)
    y_true, y_prob, weights = rng.integers(0, 2, 60), rng.random(60), rng.integers(0, 4, 60)
    copies = np.repeat(np.arange(60), weights)
    weighted = decision_curve(y_true, y_prob, sample_weight=weights)
    copied = decision_curve(y_true[copies], y_prob[copies])
    np.testing.assert_allclose(weighted.model, copied.model, atol=1e-12)
    np.testing.assert_allclose(weighted.treat_all, copied.treat_all, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": [0.5, 1.0]}, "thresholds must be one-dimensional, from 0 to below 1"),
        ({"thresholds": [-0.1]}, "thresholds must be"),
        ({"thresholds": [[0.1]]}, "thresholds must be one-dimensional"),
        ({"y_score": [-3, 1, 2, 0, 1]}, "y_score must lie between 0 and 1"),
        ({"sample_weight": [0] * 5}, "[Ss]ample.weight"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        decision_curve(**({"y_true": Y_TRUE, "y_score": Y_PROB} | options))
