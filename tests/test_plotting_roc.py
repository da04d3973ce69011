"""ROC curves with known areas, bands as of a plain loop, and the input that Displays share."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc, roc_auc_score, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbreast._patients import by_patient
from skbreast.evaluation import Predictions, summarise
from skbreast.metrics._resampling import draw_patients, rows_of, strata_of
from skbreast.plotting import PatientRocDisplay
from skbreast.plotting._bands import FALSE_POSITIVE_RATES, roc_band
from skbreast.plotting._predictions_input import check_predictions, of_patients

mpl = pytest.importorskip("matplotlib")
Figure = pytest.importorskip("matplotlib.figure").Figure


def _predictions(n_classes=2, *, n_patients=16, mixed=False, classes=None):
    rng = np.random.default_rng(0)
    groups = np.repeat([f"p{number:02}" for number in range(n_patients)], 6)
    y_true = np.repeat(np.arange(n_patients) // 2 % n_classes, 6)
    if mixed:
        y_true = rng.permutation(y_true)
    y_proba = rng.dirichlet(np.ones(n_classes), size=len(y_true)).round(2)  # with ties
    y_proba[np.arange(len(y_true)), y_true] += 0.3
    y_proba /= y_proba.sum(axis=1, keepdims=True)
    folds = np.repeat(np.arange(n_patients) % 2, 6)
    return Predictions(y_true, y_proba, y_proba.argmax(axis=1), groups, folds, classes=classes)


def _axes(n=2):
    return Figure(figsize=(4.8 * n, 4.6), layout="constrained").subplots(1, n)


def _at_rates(y_true, y_score):
    return np.interp(FALSE_POSITIVE_RATES, *roc_curve(y_true, y_score)[:2])


def test_a_curve_of_four_patches_is_the_known_one():
    y_true, y_score = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8])
    mean, low, high = roc_band(y_true, y_score, groups=np.arange(4), n_resamples=50, random_state=0)
    # One of two positives lies above both negatives, the other above one of them.
    assert mean[FALSE_POSITIVE_RATES < 0.5] == pytest.approx(0.5)
    assert mean[FALSE_POSITIVE_RATES >= 0.5] == pytest.approx(1)
    assert (low <= mean).all()
    assert (mean <= high).all()


def test_a_mean_curve_averages_the_folds_and_never_compares_their_scores():
    said = _predictions()
    score = said.y_proba[:, 1]
    shifted = np.where(said.folds == 1, 5 + score, score)
    mean, *_ = roc_band(said.y_true, shifted, groups=said.groups, folds=said.folds, n_resamples=5)
    each = [
        _at_rates(said.y_true[said.folds == fold], score[said.folds == fold]) for fold in (0, 1)
    ]
    np.testing.assert_allclose(mean, np.mean(each, axis=0))


def test_a_band_is_that_of_a_plain_loop_over_resamples():
    said = _predictions(mixed=True)
    score = said.y_proba[:, 1]
    _, low, high = roc_band(
        said.y_true, score, groups=said.groups, n_resamples=40, confidence_level=0.8, random_state=3
    )
    patients = by_patient(said.groups, n_samples=len(score))
    curves = []
    for [drawn] in draw_patients(strata_of(said.y_true, patients), 40, 3):
        rows, _ = rows_of(drawn, patients)
        curves.append(_at_rates(said.y_true[rows], score[rows]))
    # At a vertical step itself the loop and the counts may round to either side of it.
    steps = np.quantile(curves, [0.1, 0.9], axis=0)
    assert np.mean(np.isclose(low, steps[0])) > 0.95
    assert np.mean(np.isclose(high, steps[1])) > 0.95


def test_a_fold_of_one_class_is_left_out():
    y_true, y_score = np.array([0, 1, 0, 1, 1, 1]), np.array([0.1, 0.9, 0.2, 0.8, 0.1, 0.1])
    mean, *_ = roc_band(
        y_true, y_score, groups=np.arange(6), folds=[0, 0, 0, 0, 1, 1], n_resamples=20
    )
    assert mean == pytest.approx(1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_areas_are_those_of_summarise(n_classes):
    said = _predictions(n_classes, n_patients=24)
    display = PatientRocDisplay.from_predictions(said, n_resamples=60, ax=_axes())
    figures = summarise(said, n_resamples=60)
    assert display.by_patch.auc == figures["auc"]
    curve = display.by_patch
    assert auc(curve.fpr, curve.tpr) == pytest.approx(curve.auc.estimate, abs=0.004)
    if n_classes == 2:
        assert display.by_patient.auc == figures["patient_auc"]
    text = display.axes_[0].get_legend().get_texts()[0].get_text()
    interval = figures["auc"]
    assert text == f"AUC {interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def test_arrays_and_predictions_say_the_same():
    said = _predictions()
    one = PatientRocDisplay.from_predictions(said, n_resamples=20, ax=_axes())
    other = PatientRocDisplay.from_predictions(
        said.y_true,
        said.y_proba[:, 1],
        said.groups,
        folds=said.folds,
        n_resamples=20,
        ax=_axes(),
    )
    assert one.by_patient.auc == other.by_patient.auc
    np.testing.assert_array_equal(one.by_patch.low, other.by_patch.low)


def test_patients_with_both_labels_have_no_curve_and_the_title_says_so():
    display = PatientRocDisplay.from_predictions(
        _predictions(mixed=True), n_resamples=20, ax=_axes(1)
    )
    assert display.by_patient is None
    assert len(display.axes_) == 1
    title = display.axes_[0].get_title(loc="left").replace("\n", " ")
    assert "16 of 16 patients have patches of both classes" in title


def test_patches_that_are_their_own_patients_are_not_drawn_twice():
    said = _predictions()
    display = PatientRocDisplay.from_predictions(
        said.y_true, said.y_proba, np.arange(len(said.y_true)), n_resamples=20, ax=_axes(1)
    )
    assert display.why_no_patients == "every patch counts as its own patient"


def test_an_operating_point_lies_where_the_threshold_puts_it():
    y_true = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    y_score = np.array([0.1, 0.2, 0.3, 0.9, 0.1, 0.5, 0.8, 0.8, 0.9, 0.9])
    display = PatientRocDisplay.from_predictions(
        y_true, y_score, np.repeat(np.arange(5), 2), threshold=0.5, n_resamples=30, ax=_axes()
    )
    assert display.by_patch.sensitivity.estimate == pytest.approx(5 / 6)
    assert display.by_patch.specificity.estimate == pytest.approx(3 / 4)
    [x], [y] = display.points_[0].get_data()
    assert (x, y) == (pytest.approx(0.25), pytest.approx(5 / 6))
    # By patient: means 0.15, 0.6 and 0.3, 0.8, 0.9.
    assert display.by_patient.sensitivity.estimate == pytest.approx(2 / 3)
    assert display.by_patient.specificity.estimate == pytest.approx(1 / 2)


def test_models_share_axes_with_colours_of_their_own_and_one_line_of_chance():
    before = dict(mpl.rcParams)
    said = _predictions()
    first = PatientRocDisplay.from_predictions(said, name="one", n_resamples=20, ax=_axes())
    second = PatientRocDisplay.from_predictions(
        said, name="two", n_resamples=20, ax=first.axes_, band_kwargs={"alpha": 0.1}
    )
    assert first.lines_[0].get_color() != second.lines_[0].get_color()
    assert second.bands_[0].get_alpha() == 0.1
    assert len(first.axes_[0].lines) == 3
    texts = [text.get_text() for text in first.axes_[0].get_legend().get_texts()]
    assert [text.split(":")[0] for text in texts] == ["one", "two"]
    assert dict(mpl.rcParams) == before


LONG_NAMES = [
    "a frozen EfficientNetV2-B0 with logistic regression",
    "random forest on colour features",
    "weak",
]


def _draw_three(ax, said, **options):
    for name in LONG_NAMES:
        options = {"threshold": 0.5, "n_resamples": 20, **options}
        display = PatientRocDisplay.from_predictions(said, name=name, ax=ax, **options)
        ax = display.axes_
    return display


def _assert_legends_cover_nothing(display, *, least=2.0):
    """Legends lie below their axes' labels, in the figure, beside each other; axes keep `least`."""
    figure = display.figure_
    figure.draw_without_rendering()
    figure.draw_without_rendering()  # a tight layout goes by the last drawing
    whole, before = figure.bbox, None
    for ax in display.axes_:
        legend = ax.get_legend().get_window_extent()
        assert legend.y1 <= ax.xaxis.label.get_window_extent().y0 + 2
        assert legend.y0 >= whole.y0 - 1
        assert legend.x0 >= whole.x0 - 1
        assert legend.x1 <= whole.x1 + 1
        assert before is None or before.x1 <= legend.x0
        before = legend
        title = ax._left_title.get_window_extent()
        assert title.y1 <= whole.y1 + 1
        assert title.x1 <= whole.x1 + 1
        assert not title.overlaps(ax.bbox)
        assert min(ax.bbox.size) >= least * figure.dpi


@pytest.fixture
def plt():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("mixed", [False, True])
def test_legends_of_three_models_cover_nothing_in_a_figure_that_grows(plt, mixed):
    one = PatientRocDisplay.from_predictions(_predictions(mixed=mixed), n_resamples=20)
    alone = one.figure_.get_figheight()
    display = _draw_three(None, _predictions(mixed=mixed))
    _assert_legends_cover_nothing(display, least=3.2)
    assert display.figure_.get_figheight() > alone + 0.8


def test_legends_leave_room_for_curves_in_a_figure_of_fixed_size():
    figures = [Figure(figsize=(4.8, 4.2), layout="constrained") for _ in range(2)]
    axes = [figure.subplots() for figure in figures]
    display = PatientRocDisplay.from_predictions(
        _predictions(), name="transfer", threshold=0.5, n_resamples=20, ax=axes
    )
    for figure, ax in zip(figures, axes, strict=True):
        display.figure_, display.axes_ = figure, np.array([ax])
        _assert_legends_cover_nothing(display, least=2.3)
        assert figure.get_size_inches().tolist() == [4.8, 4.2]


@pytest.mark.parametrize("layout", [None, "tight"])
def test_legends_cover_nothing_whatever_moves_the_axes(layout):
    axes = Figure(figsize=(10, 6), layout=layout).subplots(1, 2)
    _assert_legends_cover_nothing(_draw_three(axes, _predictions()), least=1.5)


def test_legends_keep_off_axes_below():
    axes = Figure(figsize=(9, 10)).subplots(2, 2)
    display = PatientRocDisplay.from_predictions(
        _predictions(), name=LONG_NAMES[0], n_resamples=20, ax=axes[0]
    )
    display.figure_.draw_without_rendering()
    for above, below in axes.T:
        assert above.get_legend().get_window_extent().y0 > below.bbox.y1


def test_a_level_is_drawn_alone():
    said, options = _predictions(), {"n_resamples": 20}
    both = PatientRocDisplay.from_predictions(said, ax=_axes(), **options)
    [ax] = [_axes(1)]
    display = PatientRocDisplay.from_predictions(said, level="patient", ax=ax, **options)
    assert display.axes_.tolist() == [ax]
    assert ax.get_title(loc="left") == both.axes_[1].get_title(loc="left")
    np.testing.assert_array_equal(display.lines_[0].get_ydata()[1:], display.by_patient.tpr)
    np.testing.assert_array_equal(display.by_patch.tpr, both.by_patch.tpr)
    patch = display.plot(_axes(1), level="patch").axes_[0]
    assert patch.get_title(loc="left").startswith("ROC by patch")
    with pytest.raises(ValueError, match=r"got 1: level='patch' or level='patient' draws one"):
        display.plot(_axes(1))
    with pytest.raises(ValueError, match="level must be one of None, 'patch', 'patient'"):
        display.plot(_axes(1), level="patients")


def test_a_level_that_there_is_not_says_why():
    said = _predictions(mixed=True)
    match = "level='patient' has nothing to draw: 16 of 16 patients have patches of both classes"
    with pytest.raises(ValueError, match=match):
        PatientRocDisplay.from_predictions(said, level="patient", n_resamples=20, ax=_axes(1))
    display = PatientRocDisplay.from_predictions(said, level="patch", n_resamples=20, ax=_axes(1))
    assert "No curve" not in display.axes_[0].get_title(loc="left")
    with pytest.raises(ValueError, match=match):
        display.plot(_axes(1), level="patient")


def test_a_band_without_width_is_explained():
    y_true, groups = np.repeat([0, 1], 8), np.repeat(np.arange(8), 2)
    noise = np.random.default_rng(0).random(16)
    for scores, hint in ((y_true + noise, True), (0.2 * y_true + noise, False)):
        display = PatientRocDisplay.from_predictions(
            y_true, scores, groups, n_resamples=50, level="patch", ax=_axes(1)
        )
        text = display.axes_[0].get_legend().get_texts()[0].get_text()
        assert text.endswith("no band: see brackets") == hint


def test_an_estimator_is_asked_in_its_own_labels():
    rng = np.random.default_rng(0)
    y = np.repeat(["benign", "malignant"], 30)
    X = rng.normal(size=(60, 2)) + (y == "malignant")[:, None]
    groups = np.arange(60) // 5
    model = LogisticRegression().fit(X, y)
    display = PatientRocDisplay.from_estimator(model, X, y, groups, n_resamples=20, ax=_axes())
    expected = auc(*roc_curve(y == "malignant", model.predict_proba(X)[:, 1])[:2])
    assert display.by_patch.auc.estimate == pytest.approx(expected)
    assert display.name == "LogisticRegression"
    assert display.class_names == ("benign", "malignant")
    with pytest.raises(ValueError, match="not fitted on: 'other'"):
        PatientRocDisplay.from_estimator(model, X[:2], ["benign", "other"], groups[:2])
    with pytest.raises(ValueError, match="groups is missing"):
        PatientRocDisplay.from_estimator(model, X, y, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PatientRocDisplay.from_estimator(model, X[:9], y, groups)


def test_the_lesser_label_can_be_the_positive_one():
    said = _predictions(classes=np.array(["cancer", "healthy"]))
    judged = check_predictions(said, pos_label="cancer")
    np.testing.assert_array_equal(judged.y_true, said.y_true == 0)
    np.testing.assert_array_equal(judged.y_score, said.y_proba[:, 0])
    np.testing.assert_array_equal(judged.y_pred, said.y_pred == 0)
    assert judged.class_names == ("healthy", "cancer")


def test_one_of_three_classes_is_set_against_the_rest():
    said = _predictions(3)
    judged = check_predictions(said, pos_label=1, target_names=["a", "b", "c"])
    np.testing.assert_array_equal(judged.y_true, said.y_true == 1)
    np.testing.assert_array_equal(judged.y_score, said.y_proba[:, 1])
    assert judged.class_names == ("the rest", "b")


def test_a_patient_judged_by_two_models_has_a_row_for_each():
    judged = check_predictions(
        [0, 0, 1, 0], [0.2, 0.4, 0.9, 0.6], ["a", "a", "b", "a"], folds=["x", "x", "x", "y"]
    )
    patients = of_patients(judged)
    assert patients.groups.tolist() == ["a", "b", "a"]
    assert patients.folds.tolist() == [0, 0, 1]
    np.testing.assert_allclose(patients.y_score, [0.3, 0.9, 0.6])
    assert patients.y_true.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0, 1],), {}, "y_score is missing"),
        (([0, 1], [0.1, 0.9]), {}, "groups is missing"),
        (([0, 1], [0.1, 0.9], ["a"]), {}, "groups has 1 entries for 2 patches"),
        (([0, 1], [0.1, 0.9], ["a", "b"]), {"pos_label": 2}, r"pos_label must be one of \[0, 1\]"),
        (([0, 1], [0.1, 0.9], "ab"), {}, "groups must be one-dimensional"),
        (([0, 1], [0.1, 0.9], [1, 2]), {"target_names": ["a"]}, "target_names must hold 2 names"),
        (([0, 1], [0.1, 0.9], [1, 2]), {"folds": [1]}, "inconsistent numbers of samples"),
        (([0, 1, 2], np.eye(3), [1, 2, 3]), {"threshold": 0.5}, "A threshold shows two classes"),
        (([0, 0], [0.1, 0.9], [1, 2]), {}, "needs patches of two classes; here all are class 0"),
        (([0, 1], [0.1, 0.9], [1, 2]), {"folds": [0, 1]}, "here no fold has more than one"),
        (([0.1, 0.9], [0, 1], [1, 2]), {}, r"must hold labels, and it has 0\.1"),
        (([0, 1], ["a", "b"], [0.1, 0.9]), {}, "it has 'a': are y_score and groups in each"),
    ],
)
def test_errors_say_what_is_wrong(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        PatientRocDisplay.from_predictions(*arguments, **options)


def test_predictions_come_alone():
    with pytest.raises(ValueError, match="part of Predictions"):
        PatientRocDisplay.from_predictions(_predictions(), [0.5])


@pytest.mark.parametrize("kind", [dict, list])
def test_predictions_of_several_models_are_given_one_at_a_time(kind):
    said = _predictions()
    several = {"transfer": said, "colour": said} if kind is dict else [said, said]
    with pytest.raises(ValueError, match=r"give one, as in predictions\[('transfer'|0)\]"):
        PatientRocDisplay.from_predictions(several)
    with pytest.raises(ValueError, match="Predictions take the place of y_true, y_score"):
        PatientRocDisplay.from_predictions(said.y_true, said)


def test_a_model_without_probabilities_gives_decision_values():
    rng = np.random.default_rng(0)
    y = np.repeat(["benign", "malignant"], 30)
    X = rng.normal(size=(60, 2)) + (y == "malignant")[:, None]
    groups = np.arange(60) // 5
    scaled = make_pipeline(StandardScaler(), LinearSVC()).fit(X, y)
    search = GridSearchCV(scaled, {"linearsvc__C": [0.1]}, cv=2).fit(X, y)
    for model in (scaled, search):
        values = model.decision_function(X)
        display = PatientRocDisplay.from_estimator(
            model, X, y, groups, threshold=0.25, n_resamples=20, ax=_axes()
        )
        assert display.by_patch.auc.estimate == pytest.approx(roc_auc_score(y, values))
        positive = values[y == "malignant"] >= 0.25
        assert display.by_patch.sensitivity.estimate == pytest.approx(positive.mean())
        by_patient = values.reshape(12, 5).mean(axis=1)
        expected = roc_auc_score(np.repeat([0, 1], 6), by_patient)
        assert display.by_patient.auc.estimate == pytest.approx(expected)
        turned = PatientRocDisplay.from_estimator(
            model, X, y, groups, pos_label="benign", n_resamples=20, ax=_axes()
        )
        assert turned.by_patch.auc.estimate == pytest.approx(roc_auc_score(y, values))


def test_decision_values_of_three_classes_are_refused():
    X, y = np.arange(12.0)[:, None], np.repeat([0, 1, 2], 4)
    model = LinearSVC().fit(X, y)
    with pytest.raises(ValueError, match="predict_proba for more than two classes; LinearSVC"):
        PatientRocDisplay.from_estimator(model, X, y, np.arange(12))
