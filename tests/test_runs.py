"""Train into a folder, evaluate and predict from it."""

import csv
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skbreast import PatchCNNClassifier, evaluation, runs
from skbreast.batch_prediction import find_references, predict_to_csv
from skbreast.datasets import load_patch_folder, make_patches
from skbreast.evaluation import make_baselines, make_model
from skbreast.runs import evaluate_folder, open_model, train_into


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory):
    """A class folder of invented patches; the patient stands in the file's name."""
    root = tmp_path_factory.mktemp("patches")
    bunch = make_patches(8, 4, patch_size=24, random_state=0)
    for number, (patch, label, group) in enumerate(
        zip(bunch.data, bunch.target, bunch.groups, strict=True)
    ):
        folder = root / bunch.target_names[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(patch).save(folder / f"{group}_{number}.png")
    return root


@pytest.fixture(scope="module")
def bunch(image_folder):
    return load_patch_folder(image_folder, groups_pattern=r"(patient-\d+)")


@pytest.fixture(scope="module")
def trained(bunch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model = {"colour again": make_baselines()["colour"]}
    found = train_into(folder, bunch, model, n_splits=2, holdout=0.25, n_resamples=20)
    return folder, found


def test_training_writes_model_baselines_and_results(trained):
    folder, found = trained

    names = {"model.skops", "baselines.skops", "training.json", "results.json", "results.md"}
    names |= {"model_card.md", "model_card.json"}
    assert {each.name for each in folder.iterdir()} == names
    assert list(found.figures) == ["dummy", "colour", "colour again"]
    assert found.predictions.keys() == found.figures.keys()
    assert len(found.X) == len(found.groups) == 24
    assert found.chosen == "colour again"
    assert found.model.predict(found.X).shape == (24,)
    written = json.loads((folder / "results.json").read_text())
    assert written["figures"]["dummy"]["auc"]["estimate"] == 0.5
    assert "6 patients, 24 patches" in written["protocol"]
    assert "| colour again |" in (folder / "results.md").read_text()


def test_the_model_card_is_about_the_model_that_is_saved(trained):
    folder, found = trained

    card = json.loads((folder / "model_card.json").read_text())
    content = (folder / "model.skops").read_bytes()
    assert card["name"] == "colour again"
    assert card["model"]["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["data"]["n_patients"] == 6
    assert [each["name"] for each in card["data"]["classes"]] == found.target_names
    assert card["split"]["protocol"] == found.protocol
    written = json.loads((folder / "results.json").read_text())
    assert card["figures"] == written["figures"]
    text = (folder / "model_card.md").read_text()
    assert "not for diagnosis" in text
    assert "| colour again |" in text


def test_a_model_that_cannot_be_fitted_fails_before_the_baselines_run(bunch, tmp_path, monkeypatch):
    fitted = []

    def fit_copy(model, *_):
        fitted.append(model)
        raise OSError("no weights")

    monkeypatch.setattr(evaluation, "fit_copy", fit_copy)
    with pytest.raises(OSError, match="no weights"):
        train_into(tmp_path / "model", bunch, {"mine": "model"}, n_splits=2)
    assert fitted == ["model"]
    assert not (tmp_path / "model").exists()


def test_what_cannot_be_written_is_said_before_any_work(bunch, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "fit_copy", None)  # no fit may begin
    file = tmp_path / "file"
    file.touch()
    model = make_baselines()["colour"]
    for folder in (file, file / "below"):
        with pytest.raises(NotADirectoryError, match="file is a file; a folder is expected"):
            train_into(folder, bunch, {"mine": model})
    with pytest.raises(ValueError, match="models: 'dummy' is the name of a baseline"):
        train_into(tmp_path / "model", bunch, {"dummy": model})


def test_a_model_that_cannot_be_saved_is_said_before_any_work(bunch, tmp_path, monkeypatch):
    monkeypatch.setattr(runs.evaluation, "cross_validate_models", lambda *_, **__: 1 / 0)
    with pytest.raises(ValueError, match=r"model\.skops holds types.*HistGradientBoosting"):
        train_into(tmp_path, bunch, {"texture": make_model("texture")})


def test_a_folder_in_place_of_a_file_is_said(bunch, trained, tmp_path):
    model, classes = open_model(trained[0])
    with pytest.raises(IsADirectoryError, match="is a folder; the name of a file is expected"):
        predict_to_csv(model, classes, bunch.data.tolist(), tmp_path)
    with pytest.raises(NotADirectoryError, match=r"model\.skops is a file; a folder is expected"):
        predict_to_csv(model, classes, [], trained[0] / "model.skops" / "out.csv")
    with pytest.raises(NotADirectoryError, match=r"model\.skops is a file; a folder is expected"):
        predict_to_csv(model, classes, [], trained[0] / "model.skops" / "below" / "out.csv")
    with pytest.raises(ValueError, match=r"is a file; the folder that skbreast train wrote"):
        open_model(trained[0] / "model.skops")


def test_a_saved_model_shows_no_progress(bunch, tmp_path):
    model = make_model("cnn", max_epochs=1, random_state=0, verbose=1)
    train_into(tmp_path, bunch, {"cnn": model}, n_splits=2, n_resamples=20)
    assert model.verbose == 1
    assert open_model(tmp_path)[0].verbose == 0


def test_a_saved_model_names_no_folder_of_its_training(bunch, tmp_path):
    model = make_pipeline(
        PatchCNNClassifier(max_epochs=1, random_state=0, checkpoint=tmp_path / "anna"),
        memory=str(tmp_path / "anna"),
    )
    found = train_into(tmp_path / "model", bunch, {"cnn": model}, n_splits=2, n_resamples=20)
    assert model[0].checkpoint == tmp_path / "anna"
    assert found.model[0].checkpoint is found.model.memory is None
    for file in (tmp_path / "model").iterdir():
        assert b"anna" not in file.read_bytes()
    with zipfile.ZipFile(tmp_path / "model" / "model.skops") as archive:
        assert not any(b"anna" in archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("failing", ["write_results", "save", "write_json", "write_model_card"])
def test_an_older_model_stays_until_all_of_the_new_one_is_written(
    bunch, tmp_path, monkeypatch, failing
):
    model = {"c": make_baselines()["colour"]}
    train_into(tmp_path, bunch, model, n_splits=2, n_resamples=10)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}

    def fail(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(runs, failing, fail)
    with pytest.raises(OSError, match="the disk is full"):
        train_into(tmp_path, bunch, model, n_splits=2, n_resamples=10, random_state=1)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_model_that_was_half_moved_is_none(bunch, tmp_path, monkeypatch):
    model = {"c": make_baselines()["colour"]}
    train_into(tmp_path, bunch, model, n_splits=2, n_resamples=10)
    replace, left = Path.replace, [2]

    def fail(path, target):
        left[0] -= path.parent.suffix == ".new" and not path.name.startswith(".")
        if left[0] < 0:
            raise OSError("power cut")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="power cut"):
        train_into(tmp_path, bunch, model, n_splits=2, n_resamples=10, random_state=1)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"holds no training\.json"):
        open_model(tmp_path)
    train_into(tmp_path, bunch, model, n_splits=2, n_resamples=10)
    assert open_model(tmp_path)[1] == ["benign", "malignant"]


def test_hidden_files_and_folders_of_that_name_are_no_patches(tmp_path):
    for name in ("a.png", ".hidden.png", ".thumbs/b.png", "folder.png/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_references([str(tmp_path)])
    assert found == [str(tmp_path / "a.png"), str(tmp_path / "folder.png" / "c.jpg")]


def test_no_patient_id_stands_in_the_folder(trained):
    folder, _ = trained
    for file in folder.iterdir():
        assert b"patient-0" not in file.read_bytes()


def test_evaluation_leaves_out_the_patients_of_training(trained, bunch):
    folder, _ = trained
    found = evaluate_folder(folder, bunch, n_resamples=20)

    assert found.counts == {"patches": 8, "patients": 2, "known_patches": 24, "known_patients": 6}
    assert list(found.figures) == ["dummy", "colour", "colour again"]
    assert found.figures["dummy"]["auc"].n_patients == 2
    assert found.protocol.startswith("A saved model, judged on 8 patches of 2 patients that it was")
    assert len(found.X) == len(found.predictions["colour again"].y_true) == 8


def test_patients_of_training_are_known_by_their_pictures_whatever_they_are_called(
    trained, image_folder
):
    unnamed = load_patch_folder(image_folder)
    counts = evaluate_folder(trained[0], unnamed, n_resamples=10).counts
    assert counts["known_patches"] == 24

    renamed = load_patch_folder(image_folder, groups_pattern=r"patient-(\d+)")
    counts = evaluate_folder(trained[0], renamed, n_resamples=10).counts
    assert (counts["known_patches"], counts["known_patients"]) == (24, 6)


def test_evaluation_refuses_what_it_was_trained_on(tmp_path, bunch):
    train_into(tmp_path, bunch, {"c": make_baselines()["colour"]}, n_splits=2, n_resamples=10)
    with pytest.raises(
        ValueError, match=r"8 patients of the data were in the training .* leaves 0"
    ):
        evaluate_folder(tmp_path, bunch)


def test_evaluation_refuses_other_classes(trained, bunch):
    other = Bunch(**{**bunch, "target_names": np.array(["normal", "tumour"])})
    with pytest.raises(ValueError, match=r"the data have others: \['normal', 'tumour'\]"):
        evaluate_folder(trained[0], other)


def test_classes_that_are_named_but_absent_do_no_harm(tmp_path, bunch):
    more = Bunch(
        **{**bunch, "target_names": np.array(["adenosis", "benign", "malignant", "other"])}
    )
    more["target"] = bunch.target + 1
    model = {"c": make_baselines()["colour"]}
    train_into(tmp_path, more, model, n_splits=2, holdout=0.25, n_resamples=10)

    fitted, classes = open_model(tmp_path)
    assert classes == ["benign", "malignant"]
    assert fitted.predict_proba(bunch.data[:2]).shape == (2, 2)
    found = evaluate_folder(tmp_path, bunch, n_resamples=10)
    assert found.counts["patients"] == 2
    assert "auc" in found.figures["c"]


def test_a_folder_that_is_no_model_is_said(tmp_path, bunch):
    with pytest.raises(ValueError, match=r"holds no training\.json"):
        evaluate_folder(tmp_path, bunch)
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        evaluate_folder(tmp_path, bunch)
    (tmp_path / "training.json").write_text("[]")
    with pytest.raises(ValueError, match="is damaged"):
        evaluate_folder(tmp_path, bunch)


def test_without_patient_ids_patches_are_the_unit(tmp_path, image_folder):
    bunch = load_patch_folder(image_folder)
    model = {"c": make_baselines()["colour"]}
    train_into(tmp_path, bunch, model, n_splits=2, holdout=0.5, n_resamples=10)
    moved = tmp_path / "moved"
    shutil.copytree(image_folder, moved)
    counts = evaluate_folder(tmp_path, load_patch_folder(moved), n_resamples=10).counts

    assert counts["patches"] == counts["patients"] == counts["known_patches"] == 16
    text = (tmp_path / "results.md").read_text()
    assert "no patient ids" in text
    assert "| model | AUC | balanced accuracy | F1 | accuracy |" in text


def test_predictions_go_to_a_csv_with_a_line_for_each_file(tmp_path, trained, image_folder):
    broken = tmp_path / "broken, indeed.png"
    broken.write_bytes(b"no picture")
    references = [*find_references([str(image_folder)]), str(broken)]
    out = tmp_path / "out" / "predictions.csv"

    model, classes = open_model(trained[0])
    failed = predict_to_csv(model, classes, references, out)

    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert failed == 1
    assert [row["reference"] for row in rows] == references
    assert "is no PNG" in rows[-1]["error"]
    assert rows[-1]["prediction"] == ""
    probabilities = np.array([[float(r["p_benign"]), float(r["p_malignant"])] for r in rows[:-1]])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=2e-6)
    np.testing.assert_allclose(
        probabilities, model.predict_proba(np.array(references[:-1], dtype=object)), atol=1e-6
    )


def test_paths_that_lead_nowhere_are_said(tmp_path):
    with pytest.raises(ValueError, match="holds no image"):
        find_references([str(tmp_path)])
    with pytest.raises(ValueError, match=r"missing\.png does not exist"):
        find_references([str(tmp_path / "missing.png")])
    with pytest.raises(ValueError, match="does not exist"):
        find_references([f"{tmp_path}/cohort.h5#3"])


def test_an_hdf5_file_stands_for_all_its_rows(real_data, tmp_path):
    path = real_data / "pcam" / "camelyonpatch_level_2_split_test_x.h5"
    references = find_references([str(path), f"{path}#7"])

    assert references == [f"{path}#{row}" for row in [*range(50), 7]]
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(b"no HDF5")
    with pytest.raises(ValueError, match=r"damaged\.h5 cannot be read"):
        find_references([str(damaged)])


def test_a_notebook_shows_figures_and_how_they_were_obtained(trained):
    html = trained[1]._repr_html_()
    assert "2-fold cross-validation by patients" in html
    assert "<table>" in html
    assert '<th scope="row">colour again</th>' in html
