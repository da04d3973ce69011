"""Nobody is told: fits, features and reports ask for no address, nor does what they import."""

import subprocess
import sys

WATCHED = """
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        if event != "socket.connect" or isinstance(arguments[1], tuple):
            with open(sys.argv[1], "a") as file:  # from a forked process too
                print(event, arguments, file=file)
            raise ConnectionRefusedError(event)

sys.addaudithook(refuse)
"""
WORK = """
from skbreast import PatchCNNClassifier, TransferFeatureExtractor
from skbreast.datasets import make_patches
from skbreast.evaluation import cross_validate_models, make_baselines, make_folds
from skbreast.report import write_report

patches = make_patches(4, 3, patch_size=32, random_state=0)
X, y, groups = patches.data, patches.target, patches.groups
PatchCNNClassifier(max_epochs=1).fit(X, y).predict(X)
for engine in ("openvino", "onnxruntime", "auto", "keras"):
    TransferFeatureExtractor(engine=engine, layers="block1", input_size=32).fit_transform(X)
folds = make_folds(X, y, groups, n_splits=2)
found = cross_validate_models(make_baselines(), X, y, groups, folds=folds)
write_report(sys.argv[1] + ".html", found, X, n_resamples=20)
"""


def test_nobody_is_told(tmp_path):
    """OpenVINO, where it is imported as it is, sends usage statistics from a forked process."""
    log = tmp_path / "asked"
    process = subprocess.run(
        [sys.executable, "-c", WATCHED + WORK, str(log)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr
    assert not log.exists(), log.read_text()


def test_the_watch_sees_what_is_asked(tmp_path):
    code = WATCHED + "import urllib.request\nurllib.request.urlopen('https://localhost:9')"
    log = tmp_path / "asked"
    subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, check=False)
    assert "localhost" in log.read_text()
