"""The report: what stands in it, that it asks for nothing, and what it refuses."""

import re
from html import escape

import numpy as np
import pytest

from skbreast.datasets import make_patches
from skbreast.evaluation import (
    Predictions,
    cross_validate_models,
    make_baselines,
    make_folds,
    make_model,
    summarise,
)
from skbreast.model_selection import audit_patches
from skbreast.report import write_report
from skbreast.report._judged import check_judged

TEXTS = {"source": "", "about": "", "protocol": ""}


@pytest.fixture(scope="module")
def patches():
    return make_patches(8, 6, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def predictions(patches):
    X, y, groups = patches.data, patches.target, patches.groups
    models = make_baselines() | {"cnn": make_model("cnn", max_epochs=2, random_state=0)}
    folds = make_folds(X, y, groups, n_splits=2)
    return cross_validate_models(models, X, y, groups, folds=folds)


@pytest.fixture(scope="module")
def page(patches, predictions, tmp_path_factory):
    model = make_model("cnn", max_epochs=1, random_state=0).fit(patches.data, patches.target)
    path = write_report(
        tmp_path_factory.mktemp("report") / "report.html",
        predictions,
        patches.data,
        model=model,
        fitted_to_all=True,
        audit=audit_patches(patches.data, patches.target, patches.groups),
        target_names=patches.target_names,
        source="invented patients",
        protocol="Two folds by patient.",
        threshold=0.5,
        command="skbreast train <data> --out model",
        n_shown=4,
        n_resamples=50,
        random_state=3,
    )
    return path.read_text(encoding="utf-8")


def _judged(predictions, **options):
    given = {"X": None, "figures": None, "chosen": None, "target_names": None, "texts": TEXTS}
    given["threshold"] = None
    resampling = {"n_resamples": 20, "random_state": 0}
    return check_judged(predictions, **given | options, resampling=resampling)


def test_it_holds_every_part(page):
    titles = re.findall(r"<h2 id=\"\w+\">([^<]*)</h2>", page)
    assert titles == [
        "Results", "Data", "Training", "ROC and calibration", "Decisions", "Patches",
        "What the model looks at", "Patients", "How to reproduce", "Limits",
    ]  # fmt: skip
    assert "Audit of the data" in page
    assert escape("skbreast train <data> --out model") in page
    assert "Two folds by patient." in page
    assert page.index('<h2 id="results">') < page.index('<h2 id="data">')


def test_figures_are_those_of_the_predictions(page, predictions):
    found = summarise(predictions["cnn"], n_resamples=50, random_state=3)["auc"]
    assert f"{found.estimate:.3f}\n[{found.low:.3f}, {found.high:.3f}]" in page
    assert "Differences to colour on the same patches" in page


def test_it_asks_nobody_for_anything(page):
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"", page)
    assert not re.findall(r"url\((?!data:)", page)
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert len(page.encode()) < 5_000_000


def test_every_picture_says_what_it_shows(page, predictions):
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) > 15
    alts = [re.search(r'alt="([^"]*)"', each)[1] for each in pictures]
    assert all(len(alt) > 10 for alt in alts)
    [by_patient] = [alt for alt in alts if "by patient, AUC" in alt]
    found = summarise(predictions["cnn"], n_resamples=50, random_state=3)["patient_auc"]
    assert f"AUC {found.estimate:.3f} [" in by_patient
    assert sum("called malignant" in alt for alt in alts) == 2
    assert all(re.search(r'width="\d+" height="\d+"', each) for each in pictures)


def test_names_from_outside_are_text(patches, predictions, tmp_path):
    path = write_report(
        tmp_path / "report.html",
        predictions["colour"],
        chosen="<script>alert(1)</script>",
        target_names=["<b>be$nign_{$</b>", "$malignant_{$"],
        source="<img src=x onerror=alert(2)>",
        n_resamples=20,
    )
    page = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    assert "<b>be$nign" not in page
    assert "<img src=x" not in page
    assert 'id="patches"' not in page  # no patches were given
    assert 'id="maps"' not in page


def test_the_same_split_has_the_same_digest(predictions):
    digest = _judged(predictions).digest
    assert re.fullmatch(r"[0-9a-f]{16}", digest)
    shuffled = {"m": predictions["cnn"].take(np.random.default_rng(0).permutation(48))}
    assert _judged(shuffled).digest == digest
    other = predictions["cnn"].take(slice(1, None))
    assert _judged({"m": other}).digest != digest


def test_the_harder_baseline_is_what_has_to_be_beaten(predictions):
    assert _judged(predictions).reference == "colour"
    assert _judged(predictions).chosen == "cnn"
    assert _judged(predictions, chosen="colour").reference == "dummy"
    assert _judged(predictions["cnn"]).reference is None


def test_without_patients_it_warns(patches, predictions, tmp_path):
    found = predictions["colour"]
    alone = Predictions(
        found.y_true, found.y_proba, found.y_pred, found.rows, found.folds, found.rows
    )
    page = write_report(tmp_path / "r.html", alone, n_resamples=20).read_text(encoding="utf-8")
    assert "There are no patient ids" in page
    assert '<h2 id="patients">' not in page


def test_more_classes_and_patches_that_cannot_be_read(tmp_path, save_patches):
    patches = make_patches(12, 3, patch_size=32, random_state=0)
    X = save_patches(patches.data, tmp_path)
    for path in X[:20]:
        open(path, "w").close()  # noqa: PTH123 - a damaged file
    rng = np.random.default_rng(0)
    y_true = np.repeat(np.arange(12) % 3, 3)
    y_proba = rng.dirichlet(np.ones(3), size=36)
    y_proba[np.arange(36), y_true] += 0.2
    y_proba /= y_proba.sum(axis=1, keepdims=True)
    found = Predictions(
        y_true, y_proba, y_proba.argmax(axis=1), patches.groups, np.zeros(36, int), np.arange(36)
    )
    path = write_report(tmp_path / "r.html", found, X, n_resamples=20)
    page = path.read_text(encoding="utf-8")
    assert "cannot be read" in page
    assert '<button type="button">called</button>' in page


def test_a_pipeline_without_a_network_is_mapped_by_covering(patches, predictions, tmp_path):
    model = make_model("colour").fit(patches.data, patches.target)
    page = write_report(
        tmp_path / "r.html", predictions, patches.data, chosen="colour", model=model,
        n_shown=2, n_resamples=20,
    ).read_text(encoding="utf-8")  # fmt: skip
    assert "Occlusion" in page
    assert "was fitted to all patches" not in page


def _invented(y_true, scores, groups, **options):
    y_true, scores = np.asarray(y_true), np.asarray(scores)
    y_proba = np.column_stack([1 - scores, scores])
    y_pred = options.pop("y_pred", (scores >= 0.5).astype(int))
    rows = np.arange(len(y_true))
    folds = np.zeros(len(y_true), dtype=int)
    return Predictions(y_true, y_proba, y_pred, np.asarray(groups), folds, rows, **options)


def _page(tmp_path, *arguments, **options):
    path = write_report(tmp_path / "r.html", *arguments, n_resamples=20, **options)
    return path.read_text(encoding="utf-8")


def test_patches_of_one_class_have_no_curve_but_a_page(tmp_path):
    found = _invented([0] * 12, np.linspace(0, 0.4, 12), np.repeat(["a", "b", "c"], 4))
    page = _page(tmp_path, found)
    assert "There is no ROC curve" in page
    assert "Confusion matrix" in page


def test_one_patch_a_patient_is_no_missing_patient(tmp_path):
    groups = [f"pat{number}" for number in range(12)]
    page = _page(tmp_path, _invented(np.arange(12) % 2, np.linspace(0, 1, 12), groups))
    assert "There are no patient ids" not in page
    assert '<h2 id="patients">' in page


def test_a_model_with_a_threshold_of_its_own_is_not_marked_at_half(tmp_path):
    y_true, scores = np.repeat([0, 1], 8), np.repeat([0.1, 0.3], 8)
    groups = np.repeat(["a", "b", "c", "d"], 4)
    own = _invented(y_true, scores, groups, y_pred=(scores >= 0.2).astype(int))
    assert _judged(own).threshold is None
    assert _judged(own, threshold=0.2).threshold == 0.2
    assert _judged(_invented(y_true, scores, groups)).threshold == 0.5
    page = _page(tmp_path, own)
    assert "decided by the mean score from 0.5" in page
    page = _page(tmp_path, own, threshold=0.2)
    assert "decided by the mean score from 0.2. Of 0: 100% called 0" in page


def test_a_model_without_mistakes_is_mapped(tmp_path, patches):
    found = _invented(patches.target, patches.target * 0.8 + 0.1, patches.groups)
    model = make_model("colour").fit(patches.data, patches.target)
    page = _page(tmp_path, found, patches.data, model=model, n_shown=1)
    assert "Occlusion: on the right" in page
    assert "✗ wrong" not in page


def test_what_cannot_be_printed_is_written_out(tmp_path):
    ids = np.repeat(["a\x00\u202eb", "caf\udce9", "$x_{$", "d"], 4)
    page = _page(tmp_path, _invented(np.repeat([0, 1], 8), np.linspace(0, 1, 16), ids))
    assert r"a\x00\u202eb" in page
    assert r"caf\udce9" in page
    assert "\x00" not in page
    assert "\u202e" not in page


def test_histories_that_cannot_be_drawn_are_left_out(tmp_path):
    found = _invented(
        np.repeat([0, 1], 8), np.linspace(0, 1, 16), np.repeat(list("abcd"), 4), histories={0: {}}
    )
    assert '<h2 id="training">' not in _page(tmp_path, found)


def test_models_judged_on_different_patches_are_refused(predictions, tmp_path):
    others = {"a": predictions["cnn"], "b": predictions["cnn"].take(slice(28))}
    with pytest.raises(ValueError, match="'a' and 'b' are of different patches"):
        write_report(tmp_path / "r.html", others, n_resamples=20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_shown": 0}, "n_shown must be an integer at least 1"),
        ({"threshold": 2}, "threshold must be a number at least 0 and at most 1"),
        ({"chosen": "svm"}, "chosen must be one of dummy, colour, cnn; got 'svm'"),
        ({"target_names": ["a"]}, "target_names has 1 names for 2 classes"),
        ({"X": np.zeros((3, 8, 8, 3), np.uint8)}, "X has 3 patches, but the predictions speak"),
    ],
)
def test_what_does_not_fit_is_said_before_a_file_is_written(
    predictions, tmp_path, options, message
):
    with pytest.raises(ValueError, match=message):
        write_report(tmp_path / "r.html", predictions, n_resamples=20, **options)
    assert not list(tmp_path.iterdir())


def test_predictions_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ValueError, match="predictions must be Predictions, or a dict of them"):
        write_report(tmp_path / "r.html", {"m": [0.5, 0.5]})


def test_a_report_that_is_too_large_says_what_to_do(patches, predictions, tmp_path, monkeypatch):
    monkeypatch.setattr("skbreast.report._page.MAX_BYTES", 1000)
    with pytest.raises(
        ValueError, match=r"would have .* MB, and .* show fewer patches with n_shown"
    ):
        write_report(tmp_path / "r.html", predictions["colour"], n_resamples=20)
    assert not (tmp_path / "r.html").exists()
