"""What a person sees at the command line."""

import inspect
import os
import re
import shutil
import signal
import sys

import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from skbreast import benchmarking, diagnostics
from skbreast._keras import training
from skbreast.cli import KINDS, app
from skbreast.datasets import LOADERS, make_patches
from skbreast.diagnostics import diagnose
from skbreast.evaluation import make_model

run = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})


def _invoke(*arguments):
    return run.invoke(app, [str(each) for each in arguments])


def test_help_names_the_commands():
    result = _invoke("--help")

    assert result.exit_code == 0
    for command in (
        "demo",
        "train",
        "evaluate",
        "predict",
        "audit",
        "benchmark",
        "doctor",
        "export",
        "extract",
    ):
        assert command in result.output


def test_version_is_told():
    result = _invoke("--version")

    assert result.exit_code == 0
    assert re.fullmatch(r"skbreast \d+\.\d+\.\d+\n", result.stdout)


def test_a_model_is_not_replaced_unasked(tmp_path, real_data):
    (tmp_path / "model.skops").touch()
    result = _invoke("train", real_data / "pcam", "--out", tmp_path)

    assert result.exit_code == 1
    assert "holds a model; give another --out, or --overwrite." in result.stderr


def test_demo_replaces_no_model_elsewhere(tmp_path):
    (tmp_path / "model.skops").touch()
    result = _invoke("demo", "--out", tmp_path)

    assert result.exit_code == 1
    assert "holds a model; give another --out, or --overwrite." in result.stderr


def test_doctor_tells_versions_and_devices():
    result = _invoke("doctor")

    assert result.exit_code == 0
    assert re.search(r"tensorflow\s+2\.", result.output)
    assert re.search(r"devices\s+\S+", result.output)
    assert "efficientnet_lite0" in result.output
    assert re.search(r"features\s+(openvino|onnxruntime|keras) in (float|bfloat)", result.output)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "nowhere", "--out", "m"), "nowhere is not a folder."),
        (("train", "nowhere", "--out", "m", "--model", "magic"), "model must be one of"),
        (("train", "nowhere", "--out", "m", "--checkpoint", "c"), "checkpoint is for networks"),
        (("evaluate", "nowhere", "nowhere"), "nowhere is not a folder."),
        (("predict", "nowhere", "nowhere"), "nowhere does not exist."),
    ],
)
def test_mistakes_are_one_sentence_and_status_1(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = _invoke(*arguments)

    assert result.exit_code == 1
    assert f"Error: {sentence}" in result.stderr
    assert "Traceback" not in result.output


def test_an_option_of_another_data_set_is_refused(real_data, tmp_path):
    result = _invoke("train", real_data / "pcam", "--out", tmp_path, "--magnification", 40)

    assert result.exit_code == 1
    assert "--magnification is not for data of the kind 'pcam'." in result.stderr


def test_doctor_says_what_is_slow_and_why(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SKBREAST_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(diagnostics, "resolve_engine", lambda *_, **__: ("keras", "float32"))
    brakes = "\n".join(finding for name, finding in diagnose()["speed"] if name == "slow:")
    assert 'pip install "skbreast[openvino]"' in brakes
    assert "file is a file; a folder is expected. Set SKBREAST_CACHE." in brakes
    assert "1 of " in brakes or os.cpu_count() == 1


def test_options_by_kind_are_those_of_the_loaders():
    assert KINDS.keys() == LOADERS.keys()
    offered = set.union(*KINDS.values())
    for kind, load in LOADERS.items():
        assert KINDS[kind] == offered & set(inspect.signature(load).parameters)


@pytest.mark.slow
def test_train_evaluate_and_predict_on_ucsb(real_data, tmp_path):
    data, model = real_data / "ucsb_folders", tmp_path / "model"
    groups = ("--groups-pattern", r"([^/]+)_(?:benign|malignant)")
    common = (*groups, "--resamples", 50)

    report = ("--report", tmp_path / "train.html")
    training = ("--out", model, "--folds", 2, "--holdout", 0.4)
    result = _invoke("train", data, *training, *common, *report)
    assert result.exit_code == 0, result.output
    assert f"Report: {tmp_path / 'train.html'}\n" in result.stdout
    _check_report(tmp_path / "train.html", "training", "was fitted to all patches", "train/test")
    assert "30 patches (15 benign, 15 malignant), 5 patients" in result.stderr
    assert re.search(r"transfer\s+[01]\.\d{3}", result.stdout)
    assert "2-fold cross-validation by patients: 3 patients, 18 patches" in result.stdout
    assert "Model (transfer) and results" in result.stdout

    result = _invoke("evaluate", model, data, *common, "--report", tmp_path / "evaluate.html")
    assert result.exit_code == 0, result.output
    _check_report(tmp_path / "evaluate.html", "evaluation", "A saved model, judged on 12 patches")
    assert "Left out: 18 patches of 3 patients" in result.stderr
    assert "Only 2 patients" in result.stderr
    assert "12 patches of 2 patients" in result.stdout

    out = tmp_path / "predictions.csv"
    readme = real_data / "README.md"
    result = _invoke("predict", model, data / "train", readme, "--out", out)
    assert result.exit_code == 1
    assert "1 of " in result.stderr
    assert out.read_text().count("\n") > 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "options"),
    [
        ("pcam", ("--split", "train", "--folds", 2)),
        ("BreaKHis_v1", ("--magnification", 100, "--folds", 2, "--max-patches", 80)),
        ("idc_whole_slides", ("--folds", 2, "--max-patches", 80)),
    ],
)
def test_the_other_data_sets_run_through_train(real_data, tmp_path, folder, options):
    result = _invoke("train", real_data / folder, "--out", tmp_path, "--resamples", 50, *options)

    assert result.exit_code == 0, result.output
    assert (tmp_path / "model.skops").is_file()
    assert ("no patient ids" in result.stderr) == (folder == "pcam")


def test_an_interruption_leaves_no_model_half_trained(real_data, tmp_path, monkeypatch):
    def start(program, *_):
        return lambda *_: signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(training.Program, "start", start)
    options = ("--split", "train", "--model", "cnn", "--folds", 2, "--max-patches", 40)
    result = _invoke("train", real_data / "pcam", "--out", tmp_path / "model", *options)

    assert result.exit_code == 130
    assert result.stderr.rstrip().endswith("Interrupted.")
    assert not list(tmp_path.rglob("model.skops"))


def test_an_interrupted_training_goes_on(class_folder, tmp_path, monkeypatch):
    kept, start, n_steps = tmp_path / "kept", training.Program.start, []

    def counted(program, *arguments):
        step = start(program, *arguments)

        def stepped(*batch):
            n_steps.append(0)
            if len(n_steps) in (3, 7):  # of one an epoch
                signal.raise_signal(signal.SIGINT)
            return step(*batch)

        return stepped

    def train(name, *more):
        call = ("train", class_folder, "--out", tmp_path / name, *BY_PATIENT, "--resamples", 20)
        return _invoke(*call, "--model", "cnn", "--folds", 2, "--epochs", 4, *more)

    uninterrupted = train("whole")
    assert uninterrupted.exit_code == 0, uninterrupted.output
    monkeypatch.setattr(training.Program, "start", counted)
    assert train("other", "--checkpoint", kept).exit_code == 130
    assert len(list(kept.iterdir())) == 1
    at = 3 + 4 - 2 + 2  # in the second fold
    assert train("other", "--checkpoint", kept).exit_code == 130
    assert len(n_steps) == at
    assert len(list(kept.iterdir())) == 2
    resumed = train("other", "--checkpoint", kept)
    assert resumed.exit_code == 0, resumed.output
    assert len(n_steps) == at + 4 - 1 + 4  # nothing of the first fold
    assert list(kept.iterdir()) == []
    results = (tmp_path / "whole" / "results.md").read_text()
    assert (tmp_path / "other" / "results.md").read_text() == results


@pytest.mark.slow
def test_demo_runs_offline_and_ends_in_a_table(tmp_path):
    report = tmp_path / "demo" / "report.html"
    result = _invoke("demo", "--out", tmp_path / "demo", "--report", report)

    assert result.exit_code == 0, result.output
    for model in ("dummy", "colour", "transfer", "cnn"):
        assert re.search(rf"{model}\s+[01]\.\d{{3}}", result.stdout)
    assert (tmp_path / "demo" / "model.skops").is_file()
    assert "not a medical device" in result.stdout
    _check_report(report, "demo", "Source: invented patients.", data="invented patients")


def _check_report(path, what, *sentences, data="ucsb_folders"):
    page = path.read_text(encoding="utf-8")
    assert f"<h1>transfer on {data}: {what}</h1>" in page
    for title in ("Results", "Data", "Decisions", "Patches", "What the model looks at", "Limits"):
        assert f">{title}</h2>" in page
    for sentence in (*sentences, "Audit of the data"):
        assert sentence in page


@pytest.fixture
def class_folder(tmp_path):
    bunch = make_patches(6, 4, patch_size=32, random_state=0)
    for row, (pixels, label, patient) in enumerate(
        zip(bunch.data, bunch.target, bunch.groups, strict=True)
    ):
        path = tmp_path / "data" / bunch.target_names[label] / f"{patient}_{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "data"


BY_PATIENT = ("--groups-pattern", "(patient-[0-9]+)_")


def test_a_benchmark_is_shown_kept_and_gone_on_with(class_folder, tmp_path):
    out = tmp_path / "study"
    call = ["benchmark", class_folder, *BY_PATIENT, "--out", out, "--folds", 2, "--resamples", 20]
    first = _invoke(*call, "--models", "dummy")
    assert first.exit_code == 0, first.output
    assert "2 class-balanced, shuffled folds by patient of 6 patients" in _one_line(first.stdout)
    assert "Differences" not in first.stdout
    finished = (out / "folds" / "dummy" / "fold-1.npz").stat().st_mtime_ns

    report = tmp_path / "report.html"
    second = _invoke(*call, "--models", "dummy, colour", "--report", report)
    assert second.exit_code == 0, second.output
    page = report.read_text(encoding="utf-8")
    assert "This page is about colour, whose AUC is the highest of 2" in page
    assert "2 class-balanced, shuffled folds by patient" in page
    assert "Differences to colour on the same test patches" in _one_line(second.stdout)
    assert (out / "folds" / "dummy" / "fold-1.npz").stat().st_mtime_ns == finished
    assert "| colour |" in (out / "results.md").read_text()

    other = _invoke(*call, "--models", "dummy", "--seed", 1)
    assert other.exit_code == 1
    assert "holds a benchmark of other folds" in _one_line(other.stderr)


def test_a_report_that_cannot_be_written_is_said_first(class_folder, tmp_path, monkeypatch):
    call = ("train", class_folder, "--out", tmp_path / "model", "--report")
    result = _invoke(*call, tmp_path)
    assert result.exit_code == 1
    assert f"--report {tmp_path} is a folder" in _one_line(result.stderr)

    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = _invoke(*call, tmp_path / "report.html")
    assert result.exit_code == 1
    assert 'pip install "skbreast[report]"' in _one_line(result.stderr)
    assert not (tmp_path / "model").exists()


def test_a_wrong_name_does_not_wait_for_the_data(tmp_path):
    result = _invoke(
        "benchmark", tmp_path / "nowhere", "--out", tmp_path, "--models", "dummy,color"
    )
    assert result.exit_code == 1
    assert "Did you mean 'colour'?" in _one_line(result.stderr)


def test_an_audit_of_clean_patches_ends_well(class_folder, tmp_path):
    result = _invoke("audit", class_folder, *BY_PATIENT, "--html", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    assert "No leak found in 24 patches of 6 patients" in result.stdout
    assert "<section" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("other", ["validation", "test"])
def test_an_audit_finds_copies_in_each_part(class_folder, tmp_path, other):
    root = tmp_path / "parts"
    for part in ("train", "validation", "test"):
        for name in ("benign", "malignant"):
            (root / part / name).mkdir(parents=True)
    for number, path in enumerate(sorted(class_folder.rglob("*.png"))):
        part = ("train", "validation", "test")[number % 3]
        shutil.copy(path, root / part / path.parent.name / path.name)
    clean = _invoke("audit", root)
    assert clean.exit_code == 0, clean.output
    leaked = sorted((root / "train").rglob("*.png"))[0]
    copied = root / other / leaked.parent.name / "\x1b[31mcopy.png"
    Image.open(leaked).transpose(Image.Transpose.ROTATE_90).save(copied)
    result = _invoke("audit", root, "--csv", tmp_path / "findings.csv")
    assert result.exit_code == 3, result.output
    text = _one_line(result.stdout)
    assert "LEAKS in 25 patches" in text
    assert f"train/{other} 1 of" in text
    assert "\x1b" not in result.stdout
    table = (tmp_path / "findings.csv").read_text()
    assert "copies_across_sides" in table
    assert "\x1b" not in table


def test_an_audit_of_three_patients_needs_no_folds(tmp_path, class_folder):
    for path in class_folder.rglob("patient-0[3-5]*"):
        path.unlink()
    result = _invoke("audit", class_folder, *BY_PATIENT)
    assert result.exit_code == 0, result.output
    assert "12 patches of 3 patients" in result.stdout


def test_folds_of_another_layout_are_refused(class_folder, tmp_path):
    result = _invoke("audit", class_folder, "--folds-dir", tmp_path)
    assert result.exit_code == 1
    assert "--folds-dir is not for data of the kind 'folder'" in _one_line(result.stderr)


def test_a_model_that_fails_in_a_benchmark_is_told(class_folder, tmp_path, monkeypatch):
    models = {"dummy": make_model("dummy"), "plain": LogisticRegression()}  # takes no references
    monkeypatch.setattr(benchmarking, "make_models", lambda *_, **__: models)
    call = ("benchmark", class_folder, *BY_PATIENT, "--out", tmp_path / "study", "--folds", 2)
    result = _invoke(*call, "--resamples", 20)
    assert result.exit_code == 1
    assert "1 of 2 models failed (plain); the same command" in _one_line(result.stderr)
    text = (tmp_path / "study" / "results.md").read_text()
    assert "| plain | failed in fold 1: ValueError: " in text
    assert "| dummy | 0.500" in text


def _one_line(text):
    return " ".join(text.split())
