"""Saved models come back the same, and nothing that could run is opened."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.feature_store import FeatureStore
from skbreast.persistence import load, save
from skbreast.texture import ColorFeatures


@pytest.fixture(scope="module")
def patches():
    return make_patches(4, 4, patch_size=24, random_state=0)


def test_a_classifier_comes_back_with_its_predictions(tmp_path, patches):
    names = patches.target_names[patches.target]
    model = PatchCNNClassifier(max_epochs=1, random_state=0).fit(patches.data, names)

    loaded = load(save(model, tmp_path / "model.skops"))

    np.testing.assert_array_equal(
        loaded.predict_proba(patches.data), model.predict_proba(patches.data)
    )
    assert loaded.classes_.tolist() == ["benign", "malignant"]
    assert loaded.history_ == model.history_


def test_a_pipeline_and_a_dict_come_back(tmp_path, patches):
    store = FeatureStore(tmp_path / "store", max_bytes=10**8)
    extractor = TransferFeatureExtractor(layers="block2", memory=store)
    pipe = make_pipeline(extractor, LogisticRegression())
    models = {"transfer": pipe, "colour": make_pipeline(ColorFeatures(), LogisticRegression())}
    for model in models.values():
        model.fit(patches.data, patches.target)

    loaded = load(save(models, tmp_path / "models.skops"))

    for name, model in models.items():
        np.testing.assert_allclose(
            loaded[name].predict_proba(patches.data), model.predict_proba(patches.data)
        )


def test_a_path_of_weights_comes_back(tmp_path):
    extractor = TransferFeatureExtractor(weights=tmp_path / "weights.h5")
    assert load(save(extractor, tmp_path / "model.skops")).weights == tmp_path / "weights.h5"


def test_a_function_is_refused_and_the_older_file_stays(tmp_path):
    path = save(ColorFeatures(), tmp_path / "model.skops")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"model\.skops holds types that are not plain data"):
        save(FunctionTransformer(_anything), path)

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.skops"]


def _anything(X):
    return X


class _Hostile:
    def __reduce__(self):
        return (pytest.fail, ("code from the file has run",))


def test_a_pickle_is_never_opened(tmp_path):
    for name in ("model.pkl", "model.joblib", "model.skops"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(_Hostile()))
        with pytest.raises(ValueError, match="model"):
            load(path)


def test_a_foreign_type_is_named(tmp_path):
    path = tmp_path / "foreign.skops"
    skops.io.dump(FunctionTransformer(_anything), path)
    with pytest.raises(ValueError, match="_anything"):
        load(path)


@pytest.mark.parametrize("damage", ["truncated", "no schema", "not a zip", "bad schema"])
def test_damage_is_one_sentence(tmp_path, damage):
    path = save(ColorFeatures(), tmp_path / "model.skops")
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "not a zip":
        path.write_bytes(b"hello")
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            name = "schema.json" if damage == "bad schema" else "other.json"
            archive.writestr(name, json.dumps({"__class__": "x"}))
        path.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match=r"model\.skops"):
        load(path)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere.skops")
