"""Mutated model files: a model that answers or a documented error; never a crash, hang or leak.

By hand: ``python tests/test_fuzz_models.py 2000`` sums up what comes of 2,000 files.
"""

import hashlib
import io
import json
import os
import re
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from test_fuzz_mutations import (
    INTERESTING,
    flip_bits,
    guard,
    mutate,
    overwrite_numbers,
    put_noise,
    remove_block,
    run_guarded,
    show,
    truncate,
)

from skbreast import load, save
from skbreast.datasets import make_patches
from skbreast.persistence._archive import write_sealed
from skbreast.texture import ColorFeatures

SEED = int(os.environ.get("SKBREAST_FUZZ_SEED", "1"))
N_SHORT = 500
N_LONG = 3000
MAX_BYTES = 2**26  # of a file, to `load`: the memory bound follows from it
SPARE_BYTES = 2**30
GOLDEN = Path(__file__).parent / "data" / "golden"
PATCHES = make_patches(6, 4, patch_size=16, random_state=0)
CLASSIFIERS = {
    "logistic": LogisticRegression(max_iter=2000, random_state=np.random.RandomState(0)),
    "svc": SVC(),
    "neighbors": KNeighborsClassifier(3, algorithm="brute"),
    "bayes": GaussianNB(),
    "calibrated": CalibratedClassifierCV(LinearDiscriminantAnalysis(), cv=2),
}


def make_sources(folder):
    """Return model files of both formats, ``{name: bytes}``."""
    sources = {path.name: path.read_bytes() for path in GOLDEN.glob("*.skops")}
    for name, classifier in CLASSIFIERS.items():
        pipe = make_pipeline(ColorFeatures(), StandardScaler(), classifier)
        path = save(pipe.fit(PATCHES.data, PATCHES.target), Path(folder, f"{name}.skops"))
        sources[path.name] = path.read_bytes()
    return sources


# Mutations by who knows the format: what they write has the right digests and the right seal.


def _members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _sealed(members, order=None):
    """Return a sealed file of members, whose digests the manifest gets first."""
    manifest = json.loads(members.get("manifest.json", "{}"))
    known = manifest.get("members", {})
    for name, content in members.items():
        if name in known:
            known[name] |= {"n_bytes": len(content), "sha256": _digest(content)}
    if "manifest.json" in members:
        members = members | {"manifest.json": json.dumps(manifest).encode()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sealed")
        write_sealed(path, {name: members[name] for name in order or members}, version=2)
        return path.read_bytes()


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def mutate_member(data, rng):
    """Mutate the bytes of one member."""
    members = _members(data)
    names = sorted(set(members) - {"manifest.json"})
    name = names[int(rng.integers(len(names)))]
    how = (flip_bits, overwrite_numbers, truncate, remove_block, put_noise)
    members[name] = how[int(rng.integers(len(how)))](members[name], rng)
    return _sealed(members)


def swap_members(data, rng):
    """Exchange the contents of two members."""
    members = _members(data)
    names = sorted(members)
    one, other = (names[int(n)] for n in rng.choice(len(names), 2, replace=False))
    members[one], members[other] = members[other], members[one]
    try:
        return _sealed(members)
    except (ValueError, AttributeError):  # the manifest is no JSON, or another
        return _zipped(members)


def reorder_members(data, rng):
    """Write the members in another order, or leave one out, or put one in."""
    members = _members(data)
    order = list(rng.permutation(sorted(members)))
    kind = int(rng.integers(3))
    if kind == 1:
        order = order[1:]
    if kind == 2:
        members["arrays/999.npy"] = rng.bytes(200)
        order.append("arrays/999.npy")
    return _sealed(members, order)


def change_words(data, rng):
    """Put other words and numbers in place of some of the schema or the manifest."""
    members = _members(data)
    name = ("schema.json", "manifest.json")[int(rng.random() < 0.2)]
    text = members.get(name, members["schema.json"]).decode()
    tokens = list(re.finditer(r'"[^"\\]*"|-?\d+(?:\.\d+)?|true|false|null', text))
    strings = sorted({token.group() for token in tokens})
    others = [*strings, '"os.system"', '"builtins.eval"', '"NaN"', "1e999", "[]", "{}", "null"]
    others += map(str, [*INTERESTING, -1, 2**63, 10**30])
    for token in rng.permutation(len(tokens))[: int(rng.integers(1, 4))]:
        start, stop = tokens[token].span()
        text = text[:start] + others[int(rng.integers(len(others)))] + text[stop:]
        tokens = list(re.finditer(r'"[^"\\]*"|-?\d+(?:\.\d+)?|true|false|null', text))
        if not tokens:
            break
    members[name if name in members else "schema.json"] = text.encode()
    try:
        return _sealed(members)
    except (ValueError, AttributeError, TypeError):
        return _zipped(members)


def claim_header(data, rng):
    """Give one array another dtype or shape in its header."""
    members = _members(data)
    names = sorted(name for name in members if name.endswith(".npy"))
    name = names[int(rng.integers(len(names)))]
    shapes = ["(2147483647,)", "(1, 99999, 99999)", "(-1,)", "()", "(0,)", "(3, 1)"]
    types = ["'|O'", "'<f8'", "'<i8'", "'|V999999'", "'<U99999'", "'<c16'"]
    content = members[name]
    how = (rb"'shape': \([^)]*\)", shapes) if rng.random() < 0.5 else (rb"'descr': '[^']*'", types)
    claim = how[1][int(rng.integers(len(how[1])))].encode()
    header = re.sub(how[0], how[0][:9] + b" " + claim, content[:128], count=1)
    members[name] = header[:128].ljust(128) + content[128:]
    return _sealed(members)


def pack_bomb(data, rng):
    """Put 64 MiB of one byte in place of one member, packed to some 64 KiB."""
    members = _members(data)
    names = sorted(members)
    members[names[int(rng.integers(len(names)))]] = b"[" * 2**26
    return _zipped(members, zipfile.ZIP_DEFLATED)


def _zipped(members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


KNOWING = (
    mutate_member, mutate_member, swap_members, reorder_members, change_words, change_words,
    change_words, claim_header, pack_bomb,
)  # fmt: skip


class Opener:
    """Model files, mutated one at a time, and how each is opened."""

    def __init__(self, folder):
        self.path = Path(folder, "case.skops")
        self.sources = make_sources(folder)

    def open_case(self, number):
        rng = np.random.default_rng([SEED, number])
        name = sorted(self.sources)[number % len(self.sources)]
        others = list(self.sources.values())
        mutation, data = mutate(self.sources[name], rng, others, KNOWING)
        self.path.write_bytes(data)
        found = {"kind": name, "mutation": mutation, "outcome": "read"}
        found["whole"] = data in others  # a splice of two files may be the second
        # With the end of a file of format 1, which has no seal, it is such a file.
        found["sealed"] = not data.endswith(self.sources["format-1.skops"][-64:])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            warnings.filterwarnings("ignore", ".*created on Python 2")  # numpy's, of a header
            try:
                model = load(self.path, max_bytes=MAX_BYTES)
            except ValueError as error:
                check_message(str(error), self.path)
                return found | {"outcome": "refused"}
        assert hasattr(model, "predict") or hasattr(model, "transform") or type(model) is dict
        return found


def check_message(message, path):
    assert message.startswith(str(path)), message
    assert message.isprintable(), repr(message)
    assert len(message) < 3000, len(message)


def check_run(cases, crashes, totals, n_cases):
    assert crashes == []
    assert len(cases) == n_cases
    assert {each["said"] for each in cases.values()} == {""}
    outcomes = {(each["outcome"], each["mutation"] in KNOWN) for each in cases.values()}
    # Of a sealed file every blind change is found; format 1 has no seal.
    for each in cases.values():
        sealed = each["sealed"] and each["kind"] != "format-1.skops"
        if sealed and not each["whole"] and each["mutation"] not in KNOWN:
            assert each["outcome"] == "refused", each
    assert ("read", True) in outcomes
    assert {outcome for outcome, _ in outcomes} == {"read", "refused"}
    (total,) = totals
    assert total["after"]["descriptors"] == total["before"]["descriptors"]
    assert total["after"]["threads"] == total["before"]["threads"]


KNOWN = {each.__name__ for each in KNOWING}


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_500_mutated_model_files_are_models_or_documented_errors():
    check_run(*run_guarded(__file__, N_SHORT), N_SHORT)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_3000_mutated_model_files_are_models_or_documented_errors():
    check_run(*run_guarded(__file__, N_LONG), N_LONG)


def test_what_is_mutated_is_read_when_it_is_whole(tmp_path):
    for name, data in make_sources(tmp_path).items():
        (tmp_path / name).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            assert load(tmp_path / name, max_bytes=MAX_BYTES) is not None


def main(start, stop):
    with tempfile.TemporaryDirectory() as folder:
        attempt = Opener(folder).open_case
        guard(range(int(start), int(stop)), attempt, spare_bytes=SPARE_BYTES)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        show(*run_guarded(__file__, int(sys.argv[1]), crashes_allowed=50))
    else:
        main(*sys.argv[1:])
