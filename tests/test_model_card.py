"""A model card says what is known, and shows whatever users named as text."""

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skbreast
from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._split_digest import split_digest
from skbreast.datasets import make_patches
from skbreast.evaluation import cross_validate_models, make_baselines, make_folds, summarise
from skbreast.model_card import model_facts, write_model_card
from skbreast.model_card._markdown import front_matter, plain_text, printable
from skbreast.model_selection import SensitivityThresholdClassifierCV
from skbreast.report import write_report
from skbreast.texture import ColorFeatures

NASTY = "<script>alert('x')</script> | `rm -rf` **b** [l](http://e.org) www.e.org \\| a@b.org"
NASTY += " &lt; $x$ <!-- --> ![i](j) ~~s~~ # \u202e \x1b[31m \udc80 é"


@pytest.fixture(scope="module")
def study():
    """Patches, a fitted model, and what it and the baselines said of them."""
    patches = make_patches(8, 4, patch_size=24, random_state=0)
    X, y, groups = patches.data, patches.target, patches.groups
    models = {
        **make_baselines(),
        "mine": make_pipeline(ColorFeatures(), LogisticRegression(max_iter=2000)),
    }
    folds = make_folds(X, y, groups, n_splits=2)
    predictions = cross_validate_models(models, X, y, groups, folds=folds)
    return patches, models["mine"].fit(X, y), predictions


class _Page(HTMLParser):
    """Tags of a page, the text of it, and the texts of the cells of tables."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.cells, self.in_cell = set(), "", [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.in_cell = tag in ("td", "th")
        self.cells += [""] if self.in_cell else []

    def handle_endtag(self, tag):
        self.in_cell = False

    def handle_data(self, data):
        self.text += data
        if self.in_cell:
            self.cells[-1] += data


def render(text):
    """Render as hubs do: tables, links that are no markup, and HTML let through."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return _Page(parser.render(text))


def split_card(path):
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_card_has_the_facts_in_both_files(study, tmp_path):
    patches, model, predictions = study
    saved = skbreast.save(model, tmp_path / "model.skops")

    path = write_model_card(
        tmp_path / "model_card.md",
        model,
        predictions,
        model_path=saved,
        source="invented patches",
        protocol="Two folds by patient.",
        target_names=patches.target_names,
        licence="CC-BY-4.0",
        data_licence="none needed",
        limits=["Only two stains."],
        n_resamples=50,
    )

    facts = json.loads((tmp_path / "model_card.json").read_text())
    assert facts["name"] == "mine"
    assert facts["data"]["n_patches"] == 32
    assert facts["data"]["n_patients"] == 8
    assert facts["data"]["classes"][1] == {"name": "malignant", "n_patches": 16, "n_patients": 4}
    assert facts["split"]["digest"] == split_digest(predictions["mine"])
    assert facts["split"]["n_folds"] == 2
    assert list(facts["figures"]) == ["dummy", "colour", "mine"]
    auc = summarise(predictions["mine"], n_resamples=50)["auc"]
    assert facts["figures"]["mine"]["auc"]["estimate"] == auc.estimate
    assert facts["figures"]["mine"]["auc"]["low"] == auc.low
    assert facts["model"]["class"] == "sklearn.pipeline.Pipeline"
    assert facts["model"]["parameters"]["logisticregression__C"] == "1.0"
    assert facts["model"]["computing"] == []
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    assert facts["model"]["file"] == {
        "name": "model.skops", "n_bytes": saved.stat().st_size, "sha256": digest,
    }  # fmt: skip
    assert facts["versions"]["skbreast"] == skbreast.__version__
    assert "not for diagnosis" in facts["intended_use"][0]

    front, body = split_card(path)
    assert front["license"] == "cc-by-4.0"
    metrics = front["model-index"][0]["results"][0]["metrics"]
    assert metrics[0] == {"type": "auc", "name": "AUC", "value": auc.estimate}
    page = render(body)
    for what in (
        "not for diagnosis", "invented patches", "none needed", "Only two stains.", digest,
        "Two folds by patient.", facts["split"]["digest"], f"[{auc.low:.3f}, {auc.high:.3f}]",
        "CC-BY-4.0", "95 % bootstrap intervals over patients",
    ):  # fmt: skip
        assert what in page.text


def test_patients_are_counted_not_named(study, tmp_path):
    patches, model, predictions = study
    path = write_model_card(tmp_path / "card.md", model, predictions, n_resamples=20)
    for file in (path, path.with_suffix(".json")):
        text = file.read_text()
        assert not any(str(each) in text for each in np.unique(patches.groups))


def test_without_patients_the_card_says_so(study, tmp_path):
    patches, model, _ = study
    X, y = patches.data, patches.target
    folds = make_folds(X, y, None, n_splits=2)
    found = cross_validate_models({"mine": model}, X, y, folds=folds)
    facts = model_facts(model, found, n_resamples=20)
    assert facts["data"]["n_patients"] is None
    assert "no patient ids" in facts["limits"][0]
    path = write_model_card(tmp_path / "card.md", model, found, n_resamples=20)
    assert "bootstrap intervals over patches" in path.read_text()


def test_a_model_that_was_not_judged_is_said_to_be(study, tmp_path):
    path = write_model_card(tmp_path / "card.md", study[1])
    front, body = split_card(path)
    assert "model-index" not in front
    assert front["license"] == "unknown"
    assert "the model was not judged" in render(body).text


def test_whatever_users_name_stays_text(study, tmp_path):
    _, _, predictions = study
    model = make_pipeline(
        TransferFeatureExtractor(weights=f"/home/{NASTY}/secret`<b>.h5", layers=NASTY),
        LogisticRegression(),
    )
    predictions = {NASTY: predictions["mine"], "colour": predictions["colour"]}
    saved = tmp_path / "m<b>|`.skops"
    saved.write_bytes(b"x")

    path = write_model_card(
        tmp_path / "card.md",
        model,
        predictions,
        model_path=saved,
        source=NASTY,
        protocol=NASTY,
        target_names=[NASTY, f"{NASTY}\n\n# heading\n\n---\n"],
        licence=NASTY,
        data_licence=NASTY,
        limits=[NASTY],
        n_resamples=20,
    )

    front, body = split_card(path)
    shown = printable(NASTY)
    assert front["license"] == "other"
    assert front["license_name"] == front["model-index"][0]["name"] == shown
    page = render(body)
    allowed = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert page.tags <= allowed | {"code"}
    assert page.text.count(shown) >= 9
    assert shown in page.cells
    assert f"{shown} # heading ---" in page.cells
    assert "m<b>|`.skops" in page.cells
    assert "/home" not in page.text
    assert body.count("`") == body.count("\\`") + 2  # the digest alone is code
    whole = render(path.read_text(encoding="utf-8"))  # by who knows of no front matter
    assert whole.tags <= allowed | {"code", "hr"}
    json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))


def test_plain_text_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    alphabet = [chr(each) for each in range(33, 127)] + ["é", "…", " "]
    for _ in range(300):
        text = printable("".join(rng.choice(alphabet, rng.integers(1, 12))))
        page = render(f"a {plain_text(text)} z")
        assert page.text.strip() == f"a {text} z".strip()
        assert page.tags == {"p"}
        cells = render(f"| h |\n| --- |\n| {plain_text(text)} |").cells
        assert cells == ["h", text]


def test_what_cannot_be_printed_is_written_out():
    assert printable("a\n\tb\x1b\u202e\udc80") == "a b\\x1b\\u202e\\udc80"


def test_front_matter_is_read_as_it_was_written():
    content = {"a": NASTY.encode("ascii", "ignore").decode().replace("\x1b", ""), "b": [1.5, None]}
    text = front_matter({**content, "c": {"d": "é: #"}})
    assert yaml.safe_load(text.strip("-")) == {**content, "c": {"d": "é: #"}}
    assert not re.search(r"[<>`*|]", text)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (TransferFeatureExtractor(), ("efficientnet_lite0", "ImageNet", "Apache-2.0")),
        (TransferFeatureExtractor("vgg16"), ("vgg16", "ImageNet", "CC-BY-4.0")),
        (TransferFeatureExtractor("vgg16", weights=None), ("vgg16", None, None)),
        (TransferFeatureExtractor(weights="a/b.h5"), ("efficientnet_lite0", "'b.h5'", "not known")),
        (PatchCNNClassifier("densenet121"), ("densenet121", "ImageNet", "BSD-3-Clause")),
        (PatchCNNClassifier(), ("small", None, None)),
    ],
)
def test_the_licence_of_pretrained_weights_is_known(model, expected):
    (found,) = model_facts(make_pipeline(model, LogisticRegression()))["licence"]["weights"]
    assert (found["network"], found["weights"], found["licence"]) == expected


class _Placed(BaseEstimator):
    def __init__(self, places=None, checkpoint=None, memory=None):
        self.places = places
        self.checkpoint = checkpoint
        self.memory = memory


@pytest.mark.parametrize(
    ("places", "written"),
    [
        ("/home/anna/a.h5", "'a.h5'"),
        (Path("/home/anna/a.h5"), "'a.h5'"),
        (r"C:\Users\anna\a.h5", "'a.h5'"),
        (["/home/anna/a.h5", 1], "['a.h5', 1]"),
        ((Path("/home/anna/a.h5"), None), "('a.h5', None)"),
        ({"one": "/home/anna/a.h5", "/home/anna": 2}, "{'one': 'a.h5', 'anna': 2}"),
        ({"deep": [{"er": ["/home/anna/a.h5"]}]}, "{'deep': [{'er': ['a.h5']}]}"),
    ],
)
def test_of_a_path_wherever_it_is_the_last_part_is_kept(places, written):
    model = make_pipeline(_Placed(places, checkpoint="/home/anna", memory="/home/anna"))
    parameters = model_facts(model)["model"]["parameters"]
    assert parameters["_placed__places"] == written
    assert {"_placed__checkpoint", "_placed__memory", "memory"}.isdisjoint(parameters)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", '{"figures": {}}'),
        ("results.json", "[1]"),
        ("results.json", "hello"),
        ("results.md", "# My results"),
        ("results.md", "---\nlicense: mit\n---\n# Another model"),
    ],
)
def test_what_is_no_card_is_not_replaced(study, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=rf"{name} exists and is no model card"):
        write_model_card(tmp_path / "results.md", study[1])
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == content


def test_networks_in_thresholds_are_found_once():
    model = SensitivityThresholdClassifierCV(
        make_pipeline(TransferFeatureExtractor(), LogisticRegression())
    )
    model.estimator_ = model.estimator
    assert len(model_facts(model)["licence"]["weights"]) == 1
    assert model_facts(make_pipeline(ColorFeatures()))["licence"]["weights"] == []


def test_figures_that_are_not_numbers_are_null(study):
    _, model, predictions = study
    figures = {"mine": summarise(predictions["mine"], n_resamples=20)}
    figures["mine"]["auc"] = replace(figures["mine"]["auc"], low=float("nan"))
    facts = model_facts(model, predictions["mine"], chosen="mine", figures=figures)
    assert facts["figures"]["mine"]["auc"]["low"] is None
    json.dumps(facts, allow_nan=False)


def test_the_digest_is_that_of_the_report(study, tmp_path):
    _, _, predictions = study
    digest = split_digest(predictions["mine"])
    assert re.fullmatch("[0-9a-f]{16}", digest)
    page = write_report(tmp_path / "report.html", predictions, chosen="mine", n_resamples=20)
    assert digest in page.read_text(encoding="utf-8")
    shuffled = predictions["mine"].take(np.random.default_rng(0).permutation(32))
    assert split_digest(shuffled) == digest
    other = predictions["mine"].at_rows(predictions["mine"].rows[::-1].copy())
    assert split_digest(other) != digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "card.txt"}, "path must be the name of a Markdown file"),
        ({"model": "model"}, "model must be an estimator; got str"),
        ({"predictions": [1]}, "predictions must be Predictions"),
        ({"predictions": {}}, "predictions must be Predictions"),
        ({"chosen": "nobody"}, "chosen must be one of dummy, colour, mine; got 'nobody'"),
        ({"target_names": ["a"]}, "target_names has 1 names for 2 classes"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(study, tmp_path, arguments, message):
    _, model, predictions = study
    given = {"path": "card.md", "model": model, "predictions": predictions, **arguments}
    with pytest.raises(ValueError, match=message):
        write_model_card(tmp_path / given.pop("path"), n_resamples=10, **given)
    assert not list(tmp_path.iterdir())


def test_an_older_card_stays_where_the_new_one_fails(study, tmp_path):
    path = write_model_card(tmp_path / "card.md", study[1])
    before = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        write_model_card(path, study[1], model_path=tmp_path / "nowhere.skops")
    assert path.read_bytes() == before
