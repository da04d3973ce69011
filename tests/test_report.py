"""The report: what stands in it, that it asks for nothing, and what it refuses."""

import re
from base64 import b64decode
from dataclasses import replace
from html import escape
from importlib.metadata import version
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score

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
from skbreast.plotting import PatientCalibrationDisplay, PatientRocDisplay
from skbreast.report import write_report
from skbreast.report._arguments import check_study
from skbreast.report._blocks import Section, Text, Tile, Tiles
from skbreast.report._curves import curves_section
from skbreast.report._drawing import _reword, show_patch
from skbreast.report._page import write_page
from skbreast.report._results import headline_cards, results_section

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
    return check_study(predictions, **given | options, resampling=resampling)


def test_it_holds_every_part(page):
    titles = re.findall(r"<h2 id=\"\w+\">([^<]*)</h2>", page)
    assert titles == [
        "Results", "Data", "Training", "ROC and calibration", "Decisions", "Patches",
        "What the model looks at", "Patients", "How to reproduce", "Limits",
    ]  # fmt: skip
    assert "Audit of the data" in page
    assert escape("skbreast train <data> --out model") in page
    assert "Two folds by patient." in page
    assert f"keras {version('keras')}, tensorflow {version('tensorflow')}, " in page
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
        (
            {"target_names": ["a"]},
            r"must hold 2 names, .* classes 0, 1 in this order; got 1: \['a'\]",
        ),
        ({"target_names": "ab"}, "got the single text 'ab'"),
        ({"pos_label": "benign"}, r"pos_label must be one of \[0, 1\]; got 'benign'"),
        ({"figures": {"auc": 0.5}}, "figures must be a dict by model of what summarise returns"),
        ({"audit": 3}, "audit must be an AuditReport, .* or a sentence; got int"),
        (
            {"model": make_model("colour")},
            "must be a fitted classifier, .* call its fit first",
        ),
        ({"X": np.zeros((3, 8, 8, 3), np.uint8)}, "X has 3 patches, but the predictions speak"),
    ],
)
def test_what_does_not_fit_is_said_before_a_file_is_written(
    predictions, tmp_path, options, message
):
    with pytest.raises(ValueError, match=message):
        write_report(tmp_path / "r.html", predictions, n_resamples=20, **options)
    assert not list(tmp_path.iterdir())


def test_arguments_in_each_other_s_place_are_told_apart(patches, predictions, tmp_path):
    X, y, found = patches.data, patches.target, predictions["colour"]
    path = tmp_path / "r.html"
    for arguments, message in [
        (
            (y, X),
            "path must be the name of a file, .* type ndarray: write_report takes path",
        ),
        ((found, path), "path must be the name of a file, .* of the type Predictions"),
        (
            (path, y, X),
            "must be Predictions, or a dict of them by model, .* got ndarray",
        ),
        ((path, {}), "got an empty dict"),
        ((path, {"m": [0.5, 0.5]}), r"predictions\['m'\] must be Predictions, .*; got list"),
        ((path, {1: found}), "names of models as keys; got 1"),
        ((path, {"m": found.take(slice(0))}), "predictions of 'm' hold no patches"),
        ((path, found, 3), "X has 0 patches"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_report(*arguments)
    assert not list(tmp_path.iterdir())


def test_a_model_of_other_classes_is_refused(patches, predictions, tmp_path):
    model = make_model("colour").fit(patches.data, np.arange(len(patches.data)) % 3)
    with pytest.raises(ValueError, match="model knows 3 classes, and the predictions are of 2"):
        write_report(tmp_path / "r.html", predictions, patches.data, model=model, n_resamples=20)


# Its size


def _tiles(n_tiles, side):
    rng = np.random.default_rng(0)
    for number in range(n_tiles):
        flagged = number < n_tiles - 2
        patch = rng.integers(0, 256, (side, side, 3)).astype(np.uint8)
        pictures = [show_patch(patch, f"Patch {number}"), show_patch(patch, "Map")]
        yield Tile(pictures, ["✗ wrong" if flagged else "✓ right"], flagged)


def _write_within(max_bytes, folder, sections, monkeypatch):
    monkeypatch.setattr("skbreast.report._page.MAX_BYTES", max_bytes)
    texts = {"title": "t", "lead": "l", "notice": "n", "cards": [], "footer": "f"}
    page = write_page(folder / "r.html", sections=sections, **texts).read_text(encoding="utf-8")
    assert len(page.encode()) <= max_bytes
    return page


def test_a_page_that_is_too_large_shrinks_and_says_so(tmp_path, monkeypatch):
    tiles = Section("Patches", "patches", [Tiles(list(_tiles(10, 80)))])
    sections = [tiles, Section("Limits", "limits", [Text("limits")])]
    whole = _write_within(5_000_000, tmp_path, sections, monkeypatch)
    assert "more coarsely" not in whole
    n_bytes = len(whole.encode())
    said = "stored more coarsely here, with sides of at most"

    smaller = _write_within(n_bytes - 10_000, tmp_path, sections, monkeypatch)
    assert smaller.count(said) == 1
    assert f"{said} 192 pixels.</p>" in smaller
    assert smaller.count('<li class="tile') == 10
    sides = {max(Image.open(file).size) for file in _files(smaller)}
    assert sides == {80}

    fewer = _write_within(n_bytes // 12, tmp_path, sections, monkeypatch)
    [(side, kept)] = re.findall(rf"{said} (\d+) pixels, and (\d+) of 10 are shown.", fewer)
    assert fewer.count('<li class="tile') == int(kept) < 10
    assert {max(Image.open(file).size) for file in _files(fewer)} == {int(side)}
    assert fewer.index("Patch 0") < fewer.index("Patch 8")  # a wrong one, and a right one
    assert "✓ right" in fewer


def _files(page):
    return [
        BytesIO(b64decode(each)) for each in re.findall(r'"data:image/\w+;base64,([^"]+)', page)
    ]


def test_a_report_shrinks_rather_than_fail(patches, predictions, tmp_path, monkeypatch):
    model = make_model("colour").fit(patches.data, patches.target)
    given = predictions["colour"], patches.data
    whole = _page(tmp_path, *given, model=model, n_shown=12)
    monkeypatch.setattr("skbreast.report._page.MAX_BYTES", len(whole.encode()) - 10_000)
    page = _page(tmp_path, *given, model=model, n_shown=12)
    for anchor in ("patches", "maps"):
        assert "stored more coarsely here" in _section(page, anchor)
        assert _section(page, anchor).count("<img") == _section(whole, anchor).count("<img")


def test_a_report_that_cannot_shrink_so_far_says_why(predictions, tmp_path, monkeypatch):
    monkeypatch.setattr("skbreast.report._page.MAX_BYTES", 1000)
    message = r"would have .* MB even with the fewest and smallest pictures of patches, and 0.001 "
    with pytest.raises(ValueError, match=message):
        _page(tmp_path, predictions["colour"])
    assert not (tmp_path / "r.html").exists()


# The positive class


def _section(page, anchor):
    return page.partition(f'<h2 id="{anchor}">')[2].partition("</section>")[0]


@pytest.fixture(scope="module")
def sides(patches, predictions, tmp_path_factory):
    """Two pages of one study, of which either class is the positive one."""
    model = make_model("cnn", max_epochs=1, random_state=0).fit(patches.data, patches.target)
    return [
        _page(
            tmp_path_factory.mktemp("side"), predictions, patches.data, model=model, n_shown=2,
            threshold=0.4, target_names=patches.target_names, pos_label=pos_label,
        )
        for pos_label in (1, 0)
    ]  # fmt: skip


def test_the_positive_class_is_the_same_all_over_the_page(sides, predictions):
    of_malignant, of_benign = sides
    assert "Malignant or benign?" in of_malignant
    assert "Benign or malignant?" in of_benign
    assert "a patch of benign has a higher score than one of malignant" in of_benign
    assert "Observed share of benign" in of_benign
    assert "seven in ten are benign" in of_benign
    assert "Decided for benign from 0.4" in of_benign
    assert "Score: probability of benign." in of_benign
    assert ">benign, share of patches</button>" in of_benign
    assert "malignant, share" not in of_benign
    found = predictions["cnn"]
    called = (found.y_proba[:, 0] >= 0.4)[found.y_true == 0].mean()
    assert f"Of benign: {1 - called:.0%} called malignant, {called:.0%} called benign" in of_benign


def test_figures_are_of_the_positive_class(sides, predictions):
    found = predictions["colour"]
    folds = [found.take(found.folds == fold) for fold in (0, 1)]
    for page, label in zip(sides, (1, 0), strict=True):
        f1 = np.mean([f1_score(each.y_true, each.y_pred, pos_label=label) for each in folds])
        [cells] = re.findall(r'<tr><th scope="row">colour</th>(.*?)</tr>', page, flags=re.S)
        assert re.findall(r"<td>([\d.]+)", cells)[2] == f"{f1:.3f}"


def test_scores_of_patients_are_of_the_positive_class(sides):
    scores = []
    for page in sides:
        rows = re.findall(r"<tr><th scope=\"row\">(patient-\d+)</th>(.*?)</tr>", page)
        values = {who: re.findall(r'data-value="([\d.]+)"', cells) for who, cells in rows}
        scores.append({who: float(each[2]) for who, each in values.items()})
    assert len(scores[0]) == 8
    for who, score in scores[0].items():
        assert scores[1][who] == pytest.approx(1 - score, abs=2e-6)


def test_maps_stay_those_of_the_predicted_class(sides):
    of_malignant, of_benign = (
        set(re.findall(r'src="([^"]+)" alt="Grad-CAM', _section(page, "maps"))) for page in sides
    )
    assert len(of_malignant) == 2  # a wrong decision and a right one
    assert of_malignant == of_benign
    notes = [page.count("the model of this page calls it") for page in sides]
    assert notes[0] == notes[1]


def test_labels_name_the_positive_class(predictions):
    named = replace(predictions["cnn"], classes=np.array(["b", "m"]))
    study = _judged(named, pos_label="b")
    assert study.target_names == ["m", "b"]
    assert study.first.classes.tolist() == ["m", "b"]
    assert study.class_order == (1, 0)
    np.testing.assert_array_equal(study.first.y_true, 1 - named.y_true)
    np.testing.assert_array_equal(study.first.y_proba, named.y_proba[:, ::-1])
    assert study.digest == _judged(named).digest
    assert _judged(named, pos_label="m").first is named
    figures = {"model": summarise(named, n_resamples=20)}
    assert _judged(named, figures=figures).figures == figures
    of_other = _judged(named, figures=figures, pos_label="b").figures["model"]
    assert of_other["f1"] != figures["model"]["f1"]


def test_of_three_classes_none_is_the_positive_one():
    y_true = np.arange(9) % 3
    rows, folds = np.arange(9), np.zeros(9, int)
    found = Predictions(y_true, np.eye(3)[y_true], y_true, rows // 3, folds, rows)
    with pytest.raises(ValueError, match="pos_label is for two classes; there are 3"):
        _judged(found, pos_label=1)


# What is read beside the pictures


def _pictures(page, words):
    """Return the pixels of pictures whose text holds some words."""
    found = re.findall(r'<img[^>]*src="data:image/png;base64,([^"]+)" alt="([^"]*)"', page)
    files = [BytesIO(b64decode(content)) for content, alt in found if words in alt]
    return [np.asarray(Image.open(file).convert("RGB")).astype(int) for file in files]


def _has_orange(pixels):
    return (np.abs(pixels - (213, 94, 0)).sum(axis=2) < 30).sum() > 100


def _curves(predictions):
    """Return the ROC curves of a page: their pictures and the caption."""
    study = _judged(predictions)
    return curves_section(study, n_resamples=20, random_state=0).blocks[0]


def test_colour_is_drawn_beside_the_chosen_model(page, predictions):
    area = summarise(predictions["colour"], n_resamples=50, random_state=3)["auc"]
    assert f"; dashed that of colour, AUC {area.estimate:.3f}" in page
    curves = _pictures(page, "ROC curve of cnn")
    assert len(curves) == 2
    assert all(map(_has_orange, curves))
    alone = _curves({name: predictions[name] for name in ("dummy", "cnn")})
    assert len(alone.pictures) == 2
    for picture in alone.pictures:
        assert "dashed" not in picture.alt
        [file] = _files(f'"{picture.uri}"')
        assert not _has_orange(np.asarray(Image.open(file).convert("RGB")).astype(int))


def test_a_band_without_width_is_explained_where_there_is_one(page):
    assert "has no width" not in page
    y_true, groups = np.repeat([0, 1], 20), np.repeat(np.arange(10), 4)
    perfect = _curves(_invented(y_true, np.linspace(0, 1, 40), groups)).caption
    assert "The band of model by patch has no width: it ranks all rightly" in perfect
    assert "The band of model by patient has no width: it ranks all rightly" in perfect
    constant = _curves(_invented(y_true, np.full(40, 0.3), groups)).caption
    assert "The band of model by patch has no width: its curve is the same in every" in constant
    assert "rightly" not in constant


def test_an_f1_that_is_zero_by_definition_has_no_interval():
    y_true, groups = np.repeat([0, 1], 20), np.repeat(np.arange(10), 4)
    scores = np.random.default_rng(0).uniform(0, 0.4, 40)
    silent = _invented(y_true, scores, groups)
    heard = _invented(y_true, scores + 0.5 * (np.arange(40) % 2), groups)
    study = _judged({"silent": silent, "dummy": heard}, target_names=["no", "yes"])
    blocks = results_section(study, n_resamples=20, random_state=0).blocks
    table = next(block for block in blocks if block.kind == "table")
    of_silent, of_heard = (dict(zip(table.header, row, strict=True)) for row in table.rows)
    assert of_silent["F1"] == "0.000\n—"
    assert all("[" in of_silent[title] for title in ("AUC", "balanced accuracy"))
    assert "[" in of_heard["F1"]
    texts = [block.text for block in blocks if block.kind == "text"]
    assert (
        "silent calls no patch yes: F1 is then 0 whoever is tested, and has no interval." in texts
    )
    [card] = [card for card in headline_cards(study) if card["title"] == "F1"]
    assert (card["figure"], card["about"]) == ("0.000", "")


def test_cards_stand_beside_what_has_to_be_beaten(page, predictions):
    area = summarise(predictions["colour"], n_resamples=50, random_state=3)["auc"].estimate
    cards = page.partition('<dl class="cards">')[2].partition("</dl>")[0]
    assert f"colour alone: {area:.3f}" in cards
    assert cards.count("95 % interval") == 5
    assert page.index("not for diagnosis") < page.index('<dl class="cards">')


def test_tables_tell_how_many_rows_they_have(page):
    counts = re.findall(r'<span class="count">([^<]*)</span>', page)
    assert counts == ["3 models.", "2 models.", "2 classes.", "8 patients."]


def test_a_sentence_may_stand_for_what_failed(predictions, tmp_path):
    page = _page(tmp_path, predictions["colour"], audit="No audit: <why>.", model="No maps: why.")
    assert '<p class="warning">No audit: &lt;why&gt;.</p>' in page
    assert '<p class="note">No maps: why.</p>' in _section(page, "maps")


# Without patients


def _without_patients(found):
    return replace(found, groups=found.rows)


def test_without_patients_intervals_are_over_patches(predictions, tmp_path):
    given = {name: _without_patients(each) for name, each in predictions.items()}
    page = _page(tmp_path, given, command="skbreast")
    assert page.count("There are no patient ids") == 2
    assert not re.findall(r"over (?:[\d,]+ )?patients", page)
    for words in ("resamples of patients", "which patients were tested", "Only 8 patients"):
        assert words not in page
    assert "intervals over patches in brackets" in page
    assert "resamples of patches." in page
    assert "Patient ids stand in this page" not in page
    assert "The command holds paths: think of that" in page


def test_without_patients_pictures_say_patches(predictions):
    import matplotlib.pyplot as plt
    from matplotlib import text

    found = _without_patients(predictions["cnn"])
    for make in (PatientCalibrationDisplay, PatientRocDisplay):
        display = make.from_predictions(found, name="cnn", n_resamples=20)
        _reword([display.figure_])
        texts = " ".join(each.get_text() for each in display.figure_.findobj(text.Text))
        plt.close(display.figure_)
        assert "over 48 patches" in texts
        assert "48 patients" not in texts
        assert "by patient 0" not in texts
