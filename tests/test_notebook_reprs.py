"""What notebooks show of data sets, predictions and reports."""

import copy
import io
import pickle
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from sklearn.utils import Bunch

from skbreast import _html
from skbreast.datasets import load_idc, load_patch_folder, load_protocol, make_patches
from skbreast.datasets._bunch import PatchBunch, pick_rows
from skbreast.evaluation import Predictions
from skbreast.model_selection import audit_patches
from skbreast.tissue import TissueFilter

_VOID = {"img", "br", "hr"}


class Page(HTMLParser):
    """Read HTML, and fail where a tag is not closed."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.rows, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)

    def all(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


def show(thing):
    html = thing._repr_html_()
    assert html.isascii()
    assert "<script" not in html
    assert "http" not in html
    return Page(html)


@pytest.fixture
def patches():
    return make_patches(6, 4, patch_size=32, random_state=0)


def picture_of(address):
    head, _, body = address.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(b64decode(body)))


# The helpers


def test_names_cannot_change_the_page():
    assert _html.escape_text("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert _html.escape_text("a\u202eb\n") == "a\\u202eb\\n"
    assert _html.escape_text(12) == "12"
    table = Page(_html.table(["<i>"], [["<td>", "&"]], caption="</table>"))
    assert table.rows == [["<i>"], ["<td>", "&"]]


def test_pictures_are_inlined_and_shrunk():
    pixels = np.full((40, 200, 3), (200, 80, 160), dtype=np.uint8)
    picture = picture_of(_html.data_uri(pixels, max_side=100))
    assert picture.size == (100, 20)
    np.testing.assert_allclose(np.asarray(picture)[10, 50], (200, 80, 160), atol=3)
    assert picture_of(_html.data_uri(pixels)).size == (200, 40)


@pytest.mark.parametrize(("share", "width"), [(0, 0), (0.256, 26), (1, 100), (1.2, 100)])
def test_a_bar_is_as_long_as_its_share(share, width):
    assert f"width:{width}%" in _html.bar(share)


def test_text_has_the_colour_of_the_notebook():
    style = _html.block("title").partition("<style>")[2].partition("</style>")[0]
    assert "inherit" in style
    assert "color:#" not in style
    assert "background:#" not in style


# Bunches


def test_it_stays_a_bunch(patches):
    assert isinstance(patches, Bunch)
    copies = [
        pickle.loads(pickle.dumps(patches)),
        copy.copy(patches),
        copy.deepcopy(patches),
    ]
    for each in copies:
        assert type(each) is PatchBunch
        assert list(each) == list(patches)
        assert dir(each) == sorted(patches)
        np.testing.assert_array_equal(each.data, patches.data)
    copies[0].more = 1
    assert copies[0]["more"] == 1
    assert "more" not in patches
    plain = Bunch(**patches)
    assert list(plain) == list(patches)
    with pytest.raises(AttributeError):
        _ = patches.nothing


def test_a_bunch_tells_what_it_holds(patches):
    page = show(patches)
    assert "Synthetic H&E patches" in page.text
    assert "24 patches, 6 patients, 32 x 32 pixels, uint8." in page.text
    assert [[cell for cell in row if cell] for row in page.rows[1:]] == [
        ["benign", "0", "12", "50.0%", "3"],
        ["malignant", "1", "12", "50.0%", "3"],
    ]
    pictures = page.all("img")
    assert len(pictures) == 6
    assert pictures[0]["alt"] == "Patch: benign, patient-00"
    assert {picture["alt"].split()[2] for picture in pictures} == set(patches.groups)
    assert picture_of(pictures[0]["src"]).size == (32, 32)


def test_a_console_gets_three_lines(patches, real_data):
    assert repr(patches).splitlines() == [
        "<PatchBunch: Synthetic H&E patches",
        "24 patches, 6 patients, 32 x 32 pixels, uint8.",
        "Keys: data, target, target_names, groups, frame, DESCR>",
    ]
    assert str(patches) == repr(patches)
    idc = load_idc(real_data / "IDC_regular_ps50_idx5")
    assert len(repr(idc)) < 300
    assert "array(" not in repr(idc)
    folds = load_protocol(real_data / "IDC_regular_ps50_idx5", n_splits=3)
    assert ", 3 folds." in repr(folds)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"data": 3, "target": np.zeros(3)},
        {"data": None, "target": [1], "groups": [1, 2]},
        {"data": np.array(1), "target": np.array(1)},
        {"data": [[1], [1, 2]], "target": ["a", None], "groups": [[1], "x"], "folds": 4},
        {"data": ["a"], "target": [1], "groups": [None], "DESCR": "a\u202eb", 3: "number"},
    ],
)
def test_a_broken_bunch_has_a_repr_too(content):
    bunch = PatchBunch()
    bunch.update(content)
    assert repr(bunch).startswith("<PatchBunch: ")
    assert repr(bunch).endswith(f"Keys: {', '.join(map(str, content)) or 'none'}>")
    assert "\u202e" not in repr(bunch)


def test_rows_are_picked_from_all_classes_and_many_patients():
    target = [0] * 8 + [1] * 4
    groups = ["a", "a", "b", "b", "c", "c", "d", "d", "a", "a", "e", "e"]
    assert pick_rows(target, groups, 6) == [0, 2, 6, 8, 10]
    assert pick_rows(target, None, 4) == [0, 7, 8, 11]
    assert pick_rows([], None, 6) == []
    assert len(pick_rows(range(50), None, 6)) == 6


def test_only_the_pictures_shown_are_read(patches, tmp_path):
    rows = pick_rows(patches.target, patches.groups, 6)
    pixels, patches.data = patches.data, np.array([object() for _ in range(24)])
    for row in rows:
        patches.data[row] = str(tmp_path / f"{row}.png")
        Image.fromarray(pixels[row]).save(patches.data[row])
    page = show(patches)
    assert len(page.all("img")) == 6
    assert "cannot be read" not in page.text


def test_pictures_that_cannot_be_read_are_said(patches):
    patches.data = np.array([f"/no/<such>/{row}.png" for row in range(24)], dtype=object)
    page = show(patches)
    assert page.text.count("cannot be read") == 6
    assert not page.all("img")
    assert "there is no such file" in page.all("span")[-1]["title"]


def test_names_in_a_bunch_are_escaped(patches):
    patches.target_names = np.array(["<b>low", "high"])
    patches.groups = np.char.add("<i>", patches.groups)
    patches.DESCR = "<h1>Mine\nmore"
    page = show(patches)
    assert "<h1>Mine" in page.text
    assert not {"b", "h1"} & {tag for tag, _ in page.tags}
    assert page.rows[1][0] == "<b>low"


def test_a_bunch_that_the_user_changed_is_shown_too(patches):
    changed = PatchBunch(**{**patches, "groups": None, "target_names": None, "DESCR": None})
    page = show(changed)
    assert "patients unknown" in page.text
    assert "patients with it" not in page.text
    assert page.rows[1][0] == "0"
    changed.data = changed.data.astype(np.float32)
    assert show(changed).text.count("cannot be read") == 6
    changed.data = changed.data[:3]
    assert changed._repr_html_().startswith("<pre>")
    assert PatchBunch()._repr_html_() == "<pre>&lt;PatchBunch: Patches\nKeys: none&gt;</pre>"


def test_folders_and_protocols_show_themselves(tmp_path, patches):
    for row, (patch, label, patient) in enumerate(
        zip(patches.data, patches.target, patches.groups, strict=True)
    ):
        folder = tmp_path / patches.target_names[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(patch).save(folder / f"{patient}_{row}.png")
    own = load_patch_folder(tmp_path, groups_pattern=r"/(patient-\d+)_")
    assert type(own) is PatchBunch
    assert len(show(own).all("img")) == 6
    folds = load_protocol(tmp_path, groups_pattern=r"/(patient-\d+)_", n_splits=2)
    text = show(folds).text
    assert "24 patches, 6 patients, 2 folds." in text
    assert folds.protocol_descr in text


def test_real_patches_show_themselves(real_data):
    idc = load_idc(real_data / "IDC_regular_ps50_idx5", max_patches=300, random_state=0)
    page = show(idc)
    assert "Invasive ductal carcinoma patches (IDC)" in page.text
    assert len(page.all("img")) == 6
    assert len(idc._repr_html_()) < 60_000


# Predictions and reports


@pytest.fixture
def predictions():
    y_true, y_pred = np.array([0, 0, 0, 1, 1, 0]), np.array([0, 0, 1, 1, 0, 0])
    return Predictions(
        y_true,
        np.eye(2)[y_pred],
        y_pred,
        groups=np.array(["a", "a", "b", "b", "c", "d"]),
        folds=np.array([0, 0, 0, 0, 1, 1]),
        classes=np.array(["<low>", "high"]),
    )


def test_predictions_count_what_can_be_counted_at_once(predictions):
    page = show(predictions)
    assert "Predictions of 6 patches, 4 patients, 2 folds" in page.text
    assert "Accuracy by patch 66.7%; always naming the most common class: 66.7%." in page.text
    assert page.rows == [
        ["class", "patches", "predicted", "recall"],
        ["<low>", "4", "4", "75.0%"],
        ["high", "2", "2", "50.0%"],
        ["fold", "patches", "patients", "accuracy"],
        ["0", "4", "2", "75.0%"],
        ["1", "2", "2", "50.0%"],
    ]


def test_predictions_of_one_fold_and_of_none(predictions):
    page = show(predictions.take(predictions.folds == 0))
    assert "By fold" not in page.text
    assert "1 fold" in page.text
    assert "0 patches" in show(predictions.take([False] * 6)).text


def test_predictions_without_patients_or_with_many_folds():
    n_patches = 40
    y_true = np.tile([0, 1], 20)
    rows = np.arange(n_patches)
    predictions = Predictions(y_true, np.eye(3)[y_true], y_true, rows, rows // 2)
    page = show(predictions)
    assert "40 patches, each its own patient, 20 folds" in page.text
    assert ["and 8 more folds"] in page.rows
    assert ["2", "0", "0"] in page.rows  # a class that nobody has lacks a recall


def test_reports_show_themselves(patches):
    audit = audit_patches(patches.data, patches.target, patches.groups)
    assert "Audit of the data" in Page(audit._repr_html_()).text
    tissue = TissueFilter().fit(patches.data).report(patches.data)
    assert "24 patches show sharp tissue" in Page(tissue._repr_html_()).text
