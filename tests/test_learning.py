"""How a training runs for its user: passes, interruption, validation weights, callbacks."""

import pickle
import signal
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skbreast import PatchCNNClassifier
from skbreast._keras import training
from skbreast.datasets import make_patches
from skbreast.exceptions import TrainingInterruptedWarning, UnknownPatientsWarning


def make_classifier(**parameters):
    return PatchCNNClassifier(
        **({"max_epochs": 3, "batch_size": 8, "random_state": 0} | parameters)
    )


@pytest.fixture(scope="module")
def patches():
    bunch = make_patches(8, 3, patch_size=16, mpp=1.6, difficulty=0.0, random_state=0)
    return bunch.data, bunch.target


def same_weights(first, second):
    return all(map(np.array_equal, first.weights_, second.weights_))


# Passes


def test_partial_fit_goes_on_from_where_it_is(patches):
    X, y = patches
    model = make_classifier()
    for _ in range(12):
        model.partial_fit(X, y, classes=[0, 1])
    assert model.n_iter_ == len(model.history_["loss"]) == 12
    assert model.history_["loss"][-1] < 0.5 * model.history_["loss"][0]
    assert set(model.history_["learning_rate"]) == {model.learning_rate}
    assert model.score(X, y) > 0.9


def test_partial_fit_remembers_the_optimizer(patches, monkeypatch):
    X, y = patches
    whole = make_classifier().partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    forgetful = make_classifier().partial_fit(X, y, classes=[0, 1])
    forgetful._partial_state["optimizer"] = None
    assert not same_weights(whole, forgetful.partial_fit(X, y))


def test_partial_fit_needs_its_classes_once(patches):
    X, y = patches
    names = np.array(["benign", "malignant"])[y]
    model = make_classifier().partial_fit(X[:4], names[:4], classes=["malignant", "benign"])
    assert model.classes_.tolist() == ["benign", "malignant"]
    one = names == "benign"
    model.partial_fit(X[one], names[one])
    with pytest.raises(ValueError, match="y holds labels that classes lacks: \\['other'\\]"):
        model.partial_fit(X[:1], ["other"])
    with pytest.raises(ValueError, match=r"classes=.* differ from those of the first call"):
        model.partial_fit(X, names, classes=["benign", "other"])
    with pytest.raises(ValueError, match="classes holds one class, 1"):
        make_classifier().partial_fit(X, y, classes=[1])
    with pytest.raises(ValueError, match="class_weight must be None or a dict"):
        make_classifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        make_classifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="early_stopping must be False"):
        make_classifier(early_stopping=True).partial_fit(X, y, classes=[0, 1])


def test_partial_fit_is_seeded_and_weighted(patches):
    X, y = patches
    first, second = (make_classifier().partial_fit(X, y, classes=[0, 1]) for _ in range(2))
    assert same_weights(first, second)
    half = np.arange(len(y)) % 2
    weighted = make_classifier().partial_fit(X, y, classes=[0, 1], sample_weight=half)
    kept = half == 1
    assert same_weights(weighted, make_classifier().partial_fit(X[kept], y[kept], classes=[0, 1]))


@pytest.mark.parametrize("next_step", ["fit", "partial_fit"])
def test_a_pickle_goes_on_with_the_same_bits(patches, next_step):
    X, y = patches
    model = make_classifier(random_state=np.random.RandomState(0))
    model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    for each in (model, restored):
        make_classifier(max_epochs=1).fit(X, y)  # which uses the same network
        getattr(each, next_step)(X, y)
    assert same_weights(model, restored)


def test_fit_and_partial_fit_in_turn(patches):
    X, y = patches
    fitted = make_classifier().fit(X, y)
    again = make_classifier().fit(X, y).partial_fit(X, y)
    assert again.n_iter_ == 4
    assert not same_weights(fitted, again)
    assert same_weights(fitted, again.fit(X, y))


def test_a_failed_partial_fit_changes_nothing(patches):
    X, y = patches
    model = make_classifier().partial_fit(X, y, classes=[0, 1])
    before = dict(vars(model))
    with pytest.raises(ValueError, match="patches of 1 channels"):
        model.partial_fit(X[..., :1], y)
    assert vars(model) == before


# Interruption


def interrupt_at_step(monkeypatch, number):
    """Press Ctrl-C, as the kernel does it, before a step of the training."""
    start, steps = training.Program.start, []

    def counted(program, *arguments):
        step = start(program, *arguments)

        def stepped(*batch):
            steps.append(None)
            if len(steps) == number:
                signal.raise_signal(signal.SIGINT)
            return step(*batch)

        return stepped

    monkeypatch.setattr(training.Program, "start", counted)


@pytest.mark.parametrize(("step", "n_epochs"), [(1, 0), (2, 0), (4, 1), (7, 2)])
def test_interruption_keeps_what_was_learned(patches, monkeypatch, step, n_epochs):
    X, y = patches  # 24 patches are 3 steps an epoch
    interrupt_at_step(monkeypatch, step)
    model = make_classifier()
    with pytest.warns(TrainingInterruptedWarning, match=f"in epoch {n_epochs + 1}; the") as told:
        model.fit(X, y)
    assert told[0].filename == __file__
    assert model.n_iter_ == model.best_epoch_ == len(model.history_["loss"]) == n_epochs
    assert model.predict_proba(X).shape == (24, 2)
    monkeypatch.undo()
    assert same_weights(clone(model).fit(X, y), make_classifier().fit(X, y))


def test_interruption_restores_the_best_weights(patches, monkeypatch):
    X, y = patches
    interrupt_at_step(monkeypatch, 7)
    model = make_classifier(early_stopping=True)
    with pytest.warns(TrainingInterruptedWarning):
        model.fit(X, y, X_val=X, y_val=y)
    losses = model.history_["val_loss"]
    assert model.best_epoch_ == 1 + np.argmin(losses)


def test_interruption_as_an_error_leaves_the_classifier_as_it_was(patches, monkeypatch):
    X, y = patches
    model = make_classifier()
    interrupt_at_step(monkeypatch, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterruptedWarning)
        with pytest.raises(TrainingInterruptedWarning):
            model.fit(X, y)
    assert not hasattr(model, "weights_")


# Validation patches


def test_a_split_without_patients_is_told(patches):
    X, y = patches[0].copy(), patches[1]  # of a copy nobody knows the patients
    with pytest.warns(UnknownPatientsWarning, match="pass groups") as told:
        make_classifier(early_stopping=True).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_classifier(early_stopping=True).fit(X, y, groups=range(len(y)))
        make_classifier(early_stopping=True).fit(X, y, X_val=X, y_val=y)
    assert [each.filename for each in told] == [__file__]


def test_another_scale_is_told(patches):
    X, y = patches
    with pytest.warns(UserWarning, match="X goes up to 2.. and X_val to 1; give both") as told:
        make_classifier(max_epochs=1).fit(X, y, X_val=X / X.max(), y_val=y)
    assert told[0].filename == __file__
    model = make_classifier(max_epochs=1, warm_start=True).fit(X, y)
    for method in (model.fit, model.partial_fit):
        with pytest.warns(UserWarning, match="X looks scaled to 0…1") as told:
            method(X / 255, y)
        assert told[0].filename == __file__


def test_weights_of_validation_patches(patches):
    X, y = patches
    first, second = slice(0, 12), slice(12, 24)
    weights = np.r_[np.ones(12), np.zeros(12)]
    weighted = make_classifier().fit(X, y, X_val=X[:24], y_val=y[:24], sample_weight_val=weights)
    expected = make_classifier().fit(X, y, X_val=X[first], y_val=y[first])
    assert weighted.history_["val_loss"] == pytest.approx(expected.history_["val_loss"], rel=1e-5)
    other = make_classifier().fit(X, y, X_val=X[second], y_val=y[second])
    assert other.history_["val_loss"] != pytest.approx(expected.history_["val_loss"], rel=1e-3)
    with pytest.raises(ValueError, match="sample_weight_val is given without X_val"):
        make_classifier().fit(X, y, sample_weight_val=weights)
    with pytest.raises(ValueError, match=r"[Ss]ample.weights?.*at least one"):
        make_classifier().fit(X, y, X_val=X, y_val=y, sample_weight_val=np.zeros(24))


# Callbacks of scikit-learn 1.9


class Recorder:
    """Notes what it is told; wants to stop after so many epochs."""

    def __init__(self, stop_after=99):
        self.events, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name}")
        if context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) >= self.stop_after
        return None


def test_callbacks_see_every_epoch_and_change_nothing(patches):
    pytest.importorskip("sklearn.callback", reason="callbacks come with scikit-learn 1.9")
    X, y = patches
    recorder = Recorder()
    model = make_classifier().set_callbacks(recorder).fit(X, y)
    epochs = ["begin epoch", "end epoch"] * 3
    assert recorder.events == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert recorder.scores[-1] == model.score(X, y)
    assert same_weights(model, make_classifier().fit(X, y))


def test_a_callback_may_stop(patches):
    pytest.importorskip("sklearn.callback", reason="callbacks come with scikit-learn 1.9")
    X, y = patches
    model = make_classifier(max_epochs=9).set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert model.n_iter_ == 2
    assert model.score(X, y) >= 0


def test_a_callback_may_fit_another_network(patches):
    pytest.importorskip("sklearn.callback", reason="callbacks come with scikit-learn 1.9")
    X, y = patches

    class Nested(Recorder):
        def on_fit_task_end(self, estimator, context):
            make_classifier(random_state=1).fit(X, y).partial_fit(X, y).predict(X)

    model = make_classifier().set_callbacks(Nested()).fit(X, y)
    assert same_weights(model, make_classifier().fit(X, y))


def test_callbacks_are_told_of_a_fit_that_fails(patches):
    pytest.importorskip("sklearn.callback", reason="callbacks come with scikit-learn 1.9")
    X, y = patches

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("the callback fails")

    failing = Failing()
    model = make_classifier().set_callbacks(failing)
    with pytest.raises(RuntimeError, match="the callback fails"):
        model.fit(X, y)
    assert failing.events[-1] == "teardown"
    assert not hasattr(model, "weights_")


def test_scoring_monitor_records_epochs(patches):
    callback = pytest.importorskip("sklearn.callback", reason="comes with scikit-learn 1.9")
    X, y = patches
    monitor = callback.ScoringMonitor(scoring="roc_auc")
    make_classifier().set_callbacks(monitor).fit(X, y)
    scores = [row["roc_auc"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 3
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.works("Callbacks inside a search, in processes as well", kind="arrays")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scoring_monitor_sees_epochs_inside_a_search(patches, n_jobs):
    callback = pytest.importorskip("sklearn.callback", reason="comes with scikit-learn 1.9")
    X, y = patches
    monitor = callback.ScoringMonitor(scoring="roc_auc")
    model = make_classifier().set_callbacks(monitor)
    GridSearchCV(model, {"batch_size": [8, 16]}, cv=2, n_jobs=n_jobs).fit(X, y)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(epochs) == 5 * 3
    assert all(0 <= row["roc_auc"] <= 1 for row in epochs)


@pytest.mark.works("Callbacks inside a search, in processes as well", kind="arrays")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_bar_shows_epochs_inside_a_search(patches, n_jobs, monkeypatch):
    callback = pytest.importorskip("sklearn.callback", reason="comes with scikit-learn 1.9")
    import rich.progress

    X, y = patches
    parts_shown = {}
    update = rich.progress.Progress.update

    def noted(progress, task_id, **changes):
        update(progress, task_id, **changes)
        task = progress._tasks[task_id]
        parts_shown.setdefault(task.description, set()).add(round(task.percentage))

    monkeypatch.setattr(rich.progress.Progress, "update", noted)
    search = GridSearchCV(make_classifier(), {"batch_size": [8, 16]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(callback.ProgressBar()).fit(X, y)
    fits = [parts for name, parts in parts_shown.items() if "PatchCNNClassifier - fit" in name]
    assert len(fits) == 5
    assert all({33, 67, 100} <= parts for parts in fits)
