"""Names from outside, of patients, classes, files and models, are text wherever they are shown."""

import csv
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier

from skbreast.batch_prediction import find_references, predict_to_csv
from skbreast.datasets import load_patch_folder, make_patches
from skbreast.evaluation import cross_validate_models, make_folds
from skbreast.model_selection import audit_patches
from skbreast.reading import PatchReadError, read_patch
from skbreast.report import write_report

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</table></style></script><h1>",
    "{{ 7 * 7 }}{% for a in b %}",
    "javascript:alert(1)",
    "<!--",
    "&lt;script&gt;&#x27;",
    "a\u202eb\u2066",
    "a\x1b[31m\x07\x00b",
    "=cmd|'/c calc'!A1",
    "$\\frac{1$ %s {0} \\n",
)


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def study():
    patches = make_patches(len(HOSTILE), 2, patch_size=24, random_state=0)
    y = patches.target
    models = {name: DummyClassifier(strategy="stratified", random_state=0) for name in "ab"}
    folds = make_folds(patches.data, y, patches.groups, n_splits=2)
    return patches, cross_validate_models(models, patches.data, y, patches.groups, folds=folds)


def make_page(study, path, names):
    """A report in which every name is one of `names`."""
    patches, predictions = study
    named = dict(zip(sorted(set(patches.groups)), names, strict=True))
    groups = np.array([named[patient] for patient in patches.groups])
    judged = {}
    for model, (_, found) in zip(names[:2], sorted(predictions.items()), strict=True):
        judged[model] = replace(found, groups=np.array([named[each] for each in found.groups]))
    write_report(
        path,
        judged,
        patches.data,
        target_names=list(names[2:4]),
        chosen=names[0],
        audit=audit_patches(patches.data, patches.target, groups),
        source=names[4],
        protocol=names[5],
        command=names[6],
        n_resamples=20,
        n_shown=4,
        random_state=0,
    )
    return path.read_text(encoding="utf-8")


def test_a_report_is_the_same_page_whatever_the_names(study, tmp_path):
    page = make_page(study, tmp_path / "hostile.html", HOSTILE)
    plain = [f"name{number}" for number in range(len(HOSTILE))]
    known = Structure(make_page(study, tmp_path / "plain.html", plain))
    found = Structure(page)
    assert found.tags == known.tags
    assert "{{ 7 * 7 }}" in " ".join(found.text)
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert not (value or "").lower().startswith("javascript:")
    assert not {each for name in HOSTILE for each in name if not each.isprintable()} & set(page)


def test_names_of_files_are_kept_exactly_in_a_csv(tmp_path):
    names = [name.replace("/", "|").replace("\0", "") + ".png" for name in HOSTILE]
    patches = make_patches(4, 3, patch_size=16, random_state=0)
    for name, patch in zip(names, patches.data, strict=True):
        Image.fromarray(patch).save(tmp_path / name, format="PNG")
    (tmp_path / 'broken,\n"quoted".png').write_bytes(b"nothing")
    references = find_references([str(tmp_path)])
    assert len(references) == len(names) + 1

    class Reading(DummyClassifier):
        def predict_proba(self, X):
            return super().predict_proba([read_patch(reference).mean() for reference in X])

    model = Reading(strategy="prior").fit(np.zeros((2, 1)), [0, 1])
    out = tmp_path / "out.csv"
    assert predict_to_csv(model, list(HOSTILE[:2]), references, out) == 1
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["reference", "prediction", *(f"p_{name}" for name in HOSTILE[:2]), "error"]
    assert [row[0] for row in rows[1:]] == references
    assert all(len(row) == 5 for row in rows)
    (error,) = [row[-1] for row in rows[1:] if row[-1]]
    assert error.isprintable()


@pytest.mark.parametrize("name", HOSTILE)
def test_errors_about_files_can_be_printed(tmp_path, name):
    with pytest.raises(PatchReadError) as caught:
        read_patch(tmp_path / name)
    assert str(caught.value).isprintable()


def test_classes_and_patients_from_folders_are_text(tmp_path):
    for number, name in enumerate(HOSTILE[:4]):
        folder = tmp_path / name.replace("/", "|")
        folder.mkdir()
        for patch in range(2):
            (folder / f"<b>{number}</b>_{patch}.png".replace("/", "|")).touch()
    bunch = load_patch_folder(tmp_path, groups_pattern=r"<b>(\d)")
    assert len(bunch.target_names) == 4
    page = Structure(bunch._repr_html_())
    assert not {"script", "b", "h1"} & {tag for tag, _ in page.tags}
    assert all(not name.startswith("on") for name, _ in page.attributes)
