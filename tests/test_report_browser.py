"""The report in a real browser: nothing fails, nothing overflows, keys and contrast suffice."""

import base64
import io
import itertools
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from skbreast.datasets import load_breakhis, make_patches
from skbreast.evaluation import cross_validate_models, make_baselines, make_folds, make_model
from skbreast.model_selection import audit_patches
from skbreast.report import write_report

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
WIDTHS = (360, 1280)
POOR_CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const background = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const found = numbers(getComputedStyle(each).backgroundColor);
    if (found.length < 4 || found[3] > 0.99) return found;
  }
  return [255, 255, 255];
};
return [...document.body.querySelectorAll("*")]
  .filter((each) => [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  .filter((each) => each.checkVisibility() && !["SCRIPT", "STYLE"].includes(each.tagName))
  .map((each) => {
    const lights = [numbers(getComputedStyle(each).color), background(each)].map(luminance);
    const [low, high] = lights.sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), each.tagName, each.textContent.slice(0, 40)];
  })
  .filter(([ratio]) => ratio < 4.5);
"""


def _find_browser():
    """Return the paths of Chromium and its driver, which must be there where .ci/run got them."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        stop = pytest.fail if os.environ.get("SKBREAST_BROWSER") == "installed" else pytest.skip
        stop("no Chromium here: apt-get install chromium chromium-driver")
    return paths


def test_a_missing_browser_fails_where_it_must_not_be_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SKBREAST_BROWSER", "installed")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        _find_browser()
    monkeypatch.delenv("SKBREAST_BROWSER")
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        _find_browser()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    paths = _find_browser()
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(paths[1]))
    yield driver
    driver.quit()


def _write(folder, patches, models, **options):
    X, y, groups = patches.data, patches.target, patches.groups
    folds = make_folds(X, y, groups, n_splits=2)
    return write_report(
        folder / "report.html",
        cross_validate_models(models, X, y, groups, folds=folds),
        X,
        audit=audit_patches(X, y, groups, target_names=patches.target_names),
        target_names=patches.target_names,
        title="cnn on a_folder_whose_name_is_rather_long: training",
        protocol="Two folds by patient.",
        command="skbreast train a-rather-long/path/to/" + "patches/" * 20,
        n_shown=4,
        n_resamples=50,
        **options,
    )


@pytest.fixture(scope="module")
def invented(tmp_path_factory):
    patches = make_patches(12, 6, patch_size=32, random_state=0)
    network = make_model("cnn", max_epochs=2, random_state=0)
    model = network.fit(patches.data, patches.target)
    models = make_baselines() | {"cnn": network}
    return _write(tmp_path_factory.mktemp("report"), patches, models, model=model)


@pytest.fixture(scope="module")
def real(tmp_path_factory, real_data):
    patches = load_breakhis(real_data / "BreaKHis_v1", magnification=200, max_patches=120)
    return _write(tmp_path_factory.mktemp("report"), patches, make_baselines(), chosen="colour")


def _open(browser, path, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())
    return browser


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["invented", "real"])
def test_it_opens_without_errors_and_fits(browser, request, tmp_path, which, width):
    page = _open(browser, request.getfixturevalue(which), width)

    assert browser.get_log("browser") == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    broken = "return [...document.images].filter((each) => !each.naturalWidth).length"
    assert page.execute_script(broken) == 0
    loaded = "return performance.getEntriesByType('resource').map((each) => each.name)"
    assert [name for name in page.execute_script(loaded) if not name.startswith("data:")] == []
    seen = tmp_path / f"{which}-{width}.png"
    picture = page.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    seen.write_bytes(base64.b64decode(picture["data"]))
    assert seen.stat().st_size > 50_000


def _edges(page, box, *, scrolled):
    """Return how bright, 0…255, the left and the right edge of a box are, scrolled to an end."""
    place = page.execute_script(
        "arguments[0].scrollLeft = arguments[1] ? 1e5 : 0;"
        "const r = arguments[0].getBoundingClientRect();"
        "return {x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1}",
        box,
        scrolled,
    )
    options = {"captureBeyondViewport": True, "clip": place}
    picture = page.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L"))
    return [float(np.median(pixels[:, columns])) for columns in (slice(0, 3), slice(-3, None))]


@pytest.mark.slow
def test_boxes_that_scroll_show_it_at_the_edge_where_there_is_more(browser, invented):
    from selenium.webdriver.common.by import By

    page = _open(browser, invented, 360)
    boxes = page.find_elements(By.CSS_SELECTOR, ".scroll, .drawings")
    wide = "return arguments[0].scrollWidth > arguments[0].clientWidth"
    wide = [box for box in boxes if page.execute_script(wide, box)]
    assert {box.get_attribute("class").split()[0] for box in wide} == {"scroll", "drawings"}
    for box in wide:
        left, right = _edges(page, box, scrolled=False)
        assert left > 250 > 220 > right
        left, right = _edges(page, box, scrolled=True)
        assert left < 220 < 250 < right
    page = _open(browser, invented, 1280)
    for box in page.find_elements(By.CSS_SELECTOR, ".scroll"):
        assert min(_edges(page, box, scrolled=False)) > 250


@pytest.mark.slow
def test_everybody_can_read_it(browser, invented):
    page = _open(browser, invented, 1280)

    assert page.execute_script(POOR_CONTRAST) == []
    headings = "return [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])"
    levels = page.execute_script(headings)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.execute_script("return document.documentElement.lang") == "en"
    ids = page.execute_script("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_the_table_of_patients_is_sorted_from_the_keyboard(browser, invented):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = _open(browser, invented, 1280)
    table = page.find_element(By.CSS_SELECTOR, "table[data-sortable]")
    heading = table.find_elements(By.CSS_SELECTOR, "thead th")[3]

    def scores():
        cells = table.find_elements(By.CSS_SELECTOR, "tbody td:nth-child(4)")
        return [float(cell.get_attribute("data-value")) for cell in cells]

    before = scores()
    heading.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert scores() == sorted(before)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert scores() == sorted(before, reverse=True)
    assert browser.get_log("browser") == []


@pytest.mark.slow
def test_it_can_be_printed(browser, invented):
    page = _open(browser, invented, 1280)
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert json.dumps(browser.get_log("browser")) == "[]"
