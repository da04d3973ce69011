"""`--report`: whose page it is, and that no report costs what was found before."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from skbreast.cli import app
from skbreast.cli._report import report_benchmark, report_run
from skbreast.datasets import make_patches
from skbreast.evaluation import cross_validate_models, make_baselines, make_folds, summarise
from skbreast.runs import RunResult

run = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture(scope="module")
def bunch():
    return make_patches(10, 3, patch_size=32, random_state=0)


@pytest.fixture(scope="module")
def found(bunch):
    X, y, groups = bunch.data, bunch.target, bunch.groups
    folds = make_folds(X, y, groups, n_splits=2)
    predictions = cross_validate_models(make_baselines(), X, y, groups, folds=folds)
    figures = {name: summarise(each, n_resamples=20) for name, each in predictions.items()}
    model = make_baselines()["colour"].fit(X, y)
    return RunResult(figures, predictions, X, groups, ["a", "b"], "colour", model, "Two folds.")


def _report(write, folder, found, bunch, **options):
    path = folder / "report.html"
    write(path, found, bunch, seed=0, n_resamples=20, **options)
    return path.read_text(encoding="utf-8")


def _title(page):
    [title], [heading] = (re.findall(f"<{tag}>([^<]*)</{tag}>", page) for tag in ("title", "h1"))
    assert title == heading
    return title


def test_a_page_is_called_after_data_and_command(found, bunch, tmp_path):
    bunch = bunch | {"kind": "idc", "DESCR": "Carcinoma patches\n====\nMany of them."}
    bunch = type(make_patches(2, 1, patch_size=16))(**bunch)
    page = _report(report_run, tmp_path, found, bunch, data=tmp_path / "IDC_regular")
    assert _title(page) == "colour on IDC_regular: training"
    assert "<p>Source: Carcinoma patches, folder IDC_regular.</p>" in page
    assert "<p>Many of them.</p>" in page
    assert str(tmp_path) not in page.partition("How to reproduce")[0]

    tested = replace(found, counts={"patches": 24})
    page = _report(report_run, tmp_path, tested, bunch)
    assert _title(page) == "colour on Carcinoma patches: evaluation"
    assert "<p>Source: Carcinoma patches.</p>" in page

    bunch.kind = "invented"
    assert _title(_report(report_run, tmp_path, found, bunch)) == (
        "colour on invented patients: demo"
    )


def test_a_benchmark_says_why_there_are_no_maps(found, bunch, tmp_path):
    models = {
        name: SimpleNamespace(predictions=each, figures=found.figures[name], error=None)
        for name, each in found.predictions.items()
    }
    study = SimpleNamespace(models=models, protocol="Two folds.", notes=["A note."])
    given = type(bunch)(**bunch, kind="folder", folds=None)
    page = _report(report_benchmark, tmp_path, study, given, data=tmp_path)
    assert _title(page).endswith(f" on {tmp_path.name}: benchmark")
    section = page.partition('<h2 id="maps">')[2].partition("</section>")[0]
    assert "No model is fitted to all patches in a benchmark, so there are no maps." in section


def test_an_audit_that_fails_costs_no_page(found, bunch, tmp_path, capsys):
    groups = found.groups.astype(object)
    groups[3] = None  # which the audit refuses
    given = type(bunch)(**bunch, kind="folder")
    page = _report(report_run, tmp_path, replace(found, groups=groups), given)
    said = "The audit of the patches failed, so this report cannot say whether there are leaks: "
    assert f'<p class="warning">{said}groups lacks the patient of 1 patches' in page
    assert said in " ".join(capsys.readouterr().err.split())
    assert '<h2 id="patients">' in page


@pytest.fixture
def class_folder(bunch, tmp_path):
    rows = zip(bunch.data, bunch.target, bunch.groups, strict=True)
    for row, (pixels, label, patient) in enumerate(rows):
        path = tmp_path / "data" / bunch.target_names[label] / f"{patient}_{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "data"


def _invoke(*arguments):
    result = run.invoke(app, [str(each) for each in arguments])
    assert "Traceback" not in result.output
    return result, " ".join(result.stderr.split())


@pytest.mark.slow
def test_a_report_that_fails_costs_no_result(class_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("skbreast.report._page.MAX_BYTES", 1000)
    data = (class_folder, "--groups-pattern", "(patient-[0-9]+)_", "--resamples", 20)
    model, report = tmp_path / "model", tmp_path / "report.html"
    training = ("--model", "cnn", "--epochs", 1, "--folds", 2, "--holdout", 0.4)

    result, told = _invoke("train", *data, "--out", model, *training, "--report", report)
    assert result.exit_code == 1
    assert f"The report {report} was not written, all else was done: The report would" in told
    assert (model / "model.skops").is_file()
    assert "Model (cnn) and results" in result.stdout

    result, told = _invoke("evaluate", model, *data, "--report", report)
    assert result.exit_code == 1
    assert "was not written, all else was done" in told
    assert re.search(r"cnn\s+[01]\.\d{3}", result.stdout)

    out = tmp_path / "study"
    options = ("--out", out, "--models", "dummy", "--folds", 2, "--report", report)
    result, told = _invoke("benchmark", *data, *options)
    assert result.exit_code == 1
    assert "was not written, all else was done" in told
    assert "| dummy |" in (out / "results.md").read_text(encoding="utf-8")
    assert not report.exists()
