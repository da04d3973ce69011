"""Cards and reports say which engine computed a network, in which precision."""

from importlib.metadata import version

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast._computing import computing_of
from skbreast.datasets import make_patches
from skbreast.model_card import write_model_card

KERAS = f"keras {version('keras')}, tensorflow {version('tensorflow')}"


@pytest.fixture(scope="module")
def patches():
    return make_patches(4, 2, patch_size=16, mpp=1.6, random_state=0)


def test_what_has_no_network_is_passed_over(patches):
    assert computing_of(LogisticRegression()) == []
    assert computing_of("No model: why.") == []
    assert computing_of(make_pipeline(TransferFeatureExtractor(), LogisticRegression())) == []


def test_a_network_behind_a_search_is_found_once(patches, tmp_path):
    extractor = TransferFeatureExtractor(layers="block2", input_size=32, engine="onnxruntime")
    pipeline = make_pipeline(extractor, LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1]}, cv=2)
    search.fit(patches.data, patches.target)
    engine = f"onnxruntime {version('onnxruntime')}"
    expected = {"network": "efficientnet_lite0", "engine": engine, "precision": "float32"}
    assert computing_of(search) == [expected]
    card = write_model_card(tmp_path / "card.md", search).read_text()
    assert f"| efficientnet\\_lite0 | {engine}, float32 |" in card


def test_the_precision_is_the_one_of_the_training(patches):
    model = PatchCNNClassifier(max_epochs=1, precision="bfloat16", random_state=0)
    model.fit(patches.data, patches.target)
    assert computing_of(model) == [
        {"network": "small", "engine": KERAS, "precision": model.precision_}
    ]
    assert model.precision_ == "bfloat16"
