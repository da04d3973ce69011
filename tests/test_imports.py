"""What importing starts: nothing heavy, and once TensorFlow does start, no chatter."""

import os
import pkgutil
import re
import subprocess
import sys
import textwrap

import pytest

import skbreast

HEAVY = ("tensorflow", "keras", "matplotlib", "h5py", "openvino")
STARTS = {"skbreast.__main__"}


def run_python(code, **environment):
    """Run code in a fresh interpreter whose TensorFlow is as a user has it."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def public_modules():
    found = pkgutil.walk_packages(skbreast.__path__, "skbreast.")
    names = ("skbreast", *(module.name for module in found if module.name not in STARTS))
    return [name for name in names if not any(part[0] == "_" for part in name.split("."))]


def test_the_walk_finds_the_public_modules():
    names = public_modules()
    assert {"skbreast.classifier", "skbreast.transfer", "skbreast.registry"} <= set(names)
    assert not any("_keras" in name for name in names)


def test_importing_public_modules_starts_nothing_heavy():
    result = run_python(f"""
        import importlib, sys
        for name in {public_modules()!r}:
            importlib.import_module(name)
            heavy = [package for package in {HEAVY!r} if package in sys.modules]
            assert not heavy, f"{{name}} imports {{heavy}}"
        """)
    assert result.returncode == 0, result.stderr
    assert result.stdout == result.stderr == ""


def test_help_waits_for_no_scientific_package():
    result = run_python("""
        import sys
        from skbreast.cli import app
        try:
            app(["--help"])
        finally:
            heavy = {"numpy", "scipy", "sklearn", "pandas", "PIL"} & set(sys.modules)
            assert not heavy, f"--help imports {heavy}"
        """)
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout


def test_attributes_of_the_package_are_found_when_asked_for():
    result = run_python(f"""
        import sys
        import skbreast
        assert "sklearn" not in sys.modules, "importing skbreast imports scikit-learn"
        skbreast.PatchCNNClassifier(), skbreast.TransferFeatureExtractor()
        skbreast.datasets.make_patches, skbreast.metrics.patient_scores
        assert {{"PatchCNNClassifier", "registry", "reading"}} <= set(dir(skbreast))
        assert not [package for package in {HEAVY!r} if package in sys.modules]
        try:
            skbreast.no_such_thing
        except AttributeError:
            print("refused")
        """)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "refused\n"


@pytest.mark.slow
def test_fitting_says_nothing_unless_asked():
    result = run_python("""
        import sys
        import numpy as np
        from skbreast import PatchCNNClassifier
        X = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
        for verbose in (0, 1):
            for n_channels in (3, 1):
                model = PatchCNNClassifier(max_epochs=1, batch_size=5, verbose=verbose)
                model.fit(X[..., :n_channels], [0, 1] * 6).predict(X[..., :n_channels])
            print("border")
            print("border", file=sys.stderr)
        """)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "border\nborder\n"
    quiet, verbose, _ = result.stderr.split("border\n")
    assert quiet == ""
    assert "Training" in verbose
    assert "1/1" in verbose
    assert re.search(r"\d:\d\d:\d\d +\d:\d\d:\d\d loss \d\.\d{3}, accuracy", verbose)


def test_real_messages_of_the_start_are_passed_on():
    result = run_python("""
        import os
        from skbreast._keras import held_back
        with held_back():
            os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may see\\n")
            os.write(2, b"W0000 driver.cc:9] The driver is too old for this card\\n")
            os.write(2, b"To enable the following instructions: AVX2, rebuild TensorFlow with\\n")
            os.write(2, b"no end of line")
        os.write(2, b"\\nafterwards\\n")
        with held_back():
            os.write(2, b"the reason\\n")
            raise RuntimeError("the start failed")
        """)
    assert result.returncode == 1
    assert result.stderr.startswith(
        "W0000 driver.cc:9] The driver is too old for this card\n"
        "no end of line\nafterwards\nthe reason\nTraceback"
    )
    assert result.stderr.endswith("RuntimeError: the start failed\n")


def test_who_sets_the_log_level_has_it_their_way():
    result = run_python("import skbreast._keras", TF_CPP_MIN_LOG_LEVEL="0")
    assert result.returncode == 0
    assert "oneDNN" in result.stderr or "TensorFlow" in result.stderr
