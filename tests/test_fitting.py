"""The course of a training, without Keras: schedule, statistics, epochs, early stopping."""

import math

import numpy as np
import pytest

from skbreast._fitting import (
    BestWeights,
    TrainingSet,
    channel_statistics,
    class_scores,
    cosine_rate,
    train,
    validate,
)
from skbreast._patches import PatchSource


class Recorder:
    """Stands where the network stands: scores by pixel value, notes what it is given."""

    def __init__(self):
        self.batches, self.phases = [], []

    def start(self, phase, optimizer_state=None):
        self.phases.append(phase)

        def step(patches, targets, weights, rate):
            self.batches.append((patches[:, 0, 0, 0].copy(), targets, weights, rate))
            return float(patches[:, 0, 0, 0].mean()), float(weights.mean())

        return step

    def scores(self, patches):
        value = patches[:, 0, 0, 0].astype(np.float32)
        return np.stack([np.zeros_like(value), value - 4], axis=1)

    def get_weights(self):
        return [np.array(len(self.batches))]


@pytest.fixture
def training_set():
    patches = np.arange(10, dtype=np.uint8).repeat(4).reshape(10, 2, 2, 1)
    weights = np.linspace(0.5, 2, 10).astype(np.float32)
    return TrainingSet(PatchSource(patches), np.arange(10, dtype=np.int32) % 2, weights)


def run(training_set, *, epochs=3, batch_size=4, seed=(1, 0), learning_rate=0.1):
    recorder = Recorder()
    rows = list(
        train(
            recorder,
            training_set,
            phase="all",
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            augment=None,
            seed=seed,
        )
    )
    return recorder, rows


def test_schedule_by_hand():
    assert cosine_rate(0, 1.0) == pytest.approx(0.02)
    assert cosine_rate(0.025, 1.0) == pytest.approx(0.5)
    assert cosine_rate(0.05, 3.0) == pytest.approx(3.0)
    assert cosine_rate(0.525, 1.0) == pytest.approx(0.5)
    assert cosine_rate(1.0, 1.0) == pytest.approx(0.0)
    rates = [cosine_rate(progress, 1.0) for progress in np.linspace(0, 1, 201)]
    assert rates == sorted(rates[:11]) + sorted(rates[11:], reverse=True)
    assert all(0 <= rate <= 1 for rate in rates)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_statistics_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    patches = (rng.random((30, 7, 5, 3)) * (50, 100, 200) + (1, 20, 3)).astype(dtype)
    mean, variance = channel_statistics(PatchSource(patches))
    wide = patches.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance, wide.var(axis=(0, 1, 2)), rtol=1e-10)


def test_statistics_of_a_channel_that_never_varies():
    patches = np.random.default_rng(0).integers(0, 256, (20, 3, 3, 3), dtype=np.uint8)
    patches[..., 1] = 7
    mean, variance = channel_statistics(PatchSource(patches))
    assert (mean[1], variance[1]) == (7, 1)


def test_statistics_ask_an_even_sample():
    patches = np.zeros((5000, 1, 1, 1), dtype=np.float32)
    patches[2500:] = 2
    mean, variance = channel_statistics(PatchSource(patches))
    assert (mean[0], variance[0]) == (1, 1)


def test_every_epoch_sees_every_patch_once(training_set):
    recorder, rows = run(training_set)
    assert recorder.phases == ["all"]
    assert len(rows) == 3
    epochs = [recorder.batches[start : start + 3] for start in (0, 3, 6)]
    orders = []
    for epoch in epochs:
        values, targets, weights, _ = (
            np.concatenate(p) for p in zip(*((v, t, w, [r]) for v, t, w, r in epoch), strict=True)
        )
        assert sorted(values) == list(range(10))
        np.testing.assert_array_equal(targets, values % 2)
        np.testing.assert_array_equal(weights, training_set.weights[values])
        assert sorted(len(batch[0]) for batch in epoch) == [3, 3, 4]
        orders.append(tuple(values))
    assert len(set(orders)) == 3
    assert tuple(range(10)) not in orders


def test_values_of_an_epoch_are_weighted_means(training_set):
    recorder, rows = run(training_set, epochs=1)
    shares = np.array([batch[2].sum() for batch in recorder.batches])
    losses = np.array([batch[0].mean() for batch in recorder.batches])
    assert rows[0]["loss"] == pytest.approx((shares * losses).sum() / shares.sum(), rel=1e-6)
    assert set(rows[0]) == {"loss", "accuracy", "learning_rate"}


def test_rates_follow_the_schedule_over_all_epochs(training_set):
    recorder, rows = run(training_set, epochs=2)
    rates = [batch[3] for batch in recorder.batches]
    assert rates == pytest.approx([cosine_rate(step / 6, 0.1) for step in range(6)])
    assert [row["learning_rate"] for row in rows] == [rates[2], rates[5]]


def test_seed_decides_the_order(training_set):
    def order(seed):
        return [batch[0].tolist() for batch in run(training_set, seed=seed)[0].batches]

    assert order((1, 0)) == order((1, 0))
    assert order((1, 0)) != order((2, 0))
    assert order((1, 0)) != order((1, 1))


def test_augmentation_differs_by_epoch_and_is_seeded():
    patches = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1).repeat(8, axis=0)
    whole = TrainingSet(PatchSource(patches), np.zeros(8, np.int32), np.ones(8, np.float32))

    class Keeper(Recorder):
        def start(self, phase, optimizer_state=None):
            return lambda patches, *_: (float(self.batches.append(patches) or 0), 0.0)

    def seen(augment):
        keeper = Keeper()
        list(
            train(
                keeper,
                whole,
                phase="all",
                epochs=2,
                batch_size=8,
                learning_rate=1,
                augment=augment,
                seed=(0,),
            )
        )
        return np.stack(keeper.batches)

    np.testing.assert_array_equal(seen("geometric"), seen("geometric"))
    assert (seen("geometric")[0] != seen("geometric")[1]).any()
    np.testing.assert_array_equal(seen(None)[1], patches)


def test_scores_are_in_order_whatever_the_batches(training_set):
    scores = class_scores(Recorder(), training_set.source, 3)
    np.testing.assert_array_equal(scores[:, 1], np.arange(10) - 4)


def test_validation_by_hand(training_set):
    values = validate(Recorder(), training_set, 4)
    weights = training_set.weights
    margins = (np.arange(10) - 4) * np.where(np.arange(10) % 2, 1, -1)
    losses = np.log1p(np.exp(-margins.astype(float)))
    predicted = np.arange(10) > 4
    assert values["val_loss"] == pytest.approx((weights * losses).sum() / weights.sum())
    hits = predicted == (np.arange(10) % 2 == 1)
    assert values["val_accuracy"] == pytest.approx((weights * hits).sum() / weights.sum())


def test_validation_survives_huge_scores(training_set):
    class Sure(Recorder):
        def scores(self, patches):
            return super().scores(patches) * np.float32(1e30)

    assert math.isfinite(validate(Sure(), training_set, 4)["val_loss"])


def stops(losses, patience):
    recorder, best = Recorder(), BestWeights(patience)
    answers = []
    for loss in losses:
        recorder.batches.append(None)
        answers.append(best.stops_after({"val_loss": loss}, recorder))
    return best, answers


def test_early_stopping_by_hand():
    best, answers = stops([3, 2, 2, 1, 5, 1, 0.5], patience=2)
    assert answers == [False, False, False, False, False, True, False]
    assert (best.epoch, best.loss, best.weights[0]) == (7, 0.5, 7)
    best, answers = stops([3, 4], patience=1)
    assert answers == [False, True]
    assert (best.epoch, best.weights[0]) == (1, 1)


def test_early_stopping_keeps_weights_even_of_a_training_that_diverges():
    best, answers = stops([math.nan, math.nan, math.nan], patience=2)
    assert answers == [False, True, True]
    assert (best.epoch, best.weights[0]) == (1, 1)
    best, _ = stops([math.nan, 2.0, math.nan], patience=2)
    assert (best.epoch, best.loss) == (2, 2.0)
