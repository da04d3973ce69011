"""Files that somebody made: damaged, hostile, or of tomorrow. Nothing in them runs."""

import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Lasso, LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from skbreast.datasets import make_patches
from skbreast.persistence import load, save
from skbreast.persistence._allowed import _SCIKIT_LEARN
from skbreast.persistence._archive import write_sealed
from skbreast.persistence._arrays import check_array
from skbreast.persistence._save import _take_apart
from skbreast.texture import ColorFeatures


@pytest.fixture(scope="module")
def model():
    patches = make_patches(4, 4, patch_size=24, random_state=0)
    pipe = make_pipeline(ColorFeatures(), LogisticRegression(max_iter=2000, random_state=_seed()))
    return pipe.fit(patches.data, patches.target)


def _seed():
    return np.random.RandomState(0)


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """A file that loads; it is read, never written."""
    path = save(model, tmp_path_factory.mktemp("whole") / "model.skops")
    load(path)
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forge(path, whole, *, version=2, **changed):
    """Write a file as somebody would who knows the format: digests, classes and seal are right.

    `schema` is a function that changes the schema; `arrays` are contents by name, and `manifest` a
    function that changes the manifest at last.
    """
    members = members_of(whole)
    manifest = json.loads(members.pop("manifest.json"))
    members |= changed.get("arrays", {})
    schema = json.loads(members["schema.json"])
    schema = changed.get("schema", lambda each: each)(schema) or schema
    members["schema.json"] = json.dumps(schema).encode()
    manifest["classes"] = sorted(_classes(schema))
    for name, content in members.items():
        known = manifest["members"].setdefault(name, {})
        known |= {"n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if name.endswith(".npy") and "arrays" in changed:
            known |= dict(zip(("dtype", "shape"), _header(content), strict=True))
    changed.get("manifest", lambda each: each)(manifest)
    members = {"manifest.json": json.dumps(manifest).encode(), **members}
    write_sealed(path, members, version=version)
    return path


def _header(content):
    try:
        return check_array(content)
    except ValueError:
        return "?", []


def _classes(node):
    if isinstance(node, list):
        return {name for each in node for name in _classes(each)}
    if not isinstance(node, dict):
        return set()
    own = {f"{node.get('__module__')}.{node['__class__']}"} if _is_object(node) else set()
    return own | {name for each in node.values() for name in _classes(each)}


def _is_object(node):
    return node.get("__loader__") == "ObjectNode" and isinstance(node.get("__class__"), str)


def test_a_forgery_without_changes_loads(whole, tmp_path):
    assert load(forge(tmp_path / "same.skops", whole)).steps[0][0] == "colorfeatures"


# Damage


def test_every_changed_bit_is_found(whole, tmp_path):
    content = whole.read_bytes()
    rng = np.random.default_rng(0)
    n_bits = 8 * len(content)
    with zipfile.ZipFile(whole) as archive:
        directory = archive.start_dir
    places = {
        *rng.choice(n_bits, 600, replace=False).tolist(),
        *rng.integers(8 * directory, n_bits, 300).tolist(),
        *range(8 * 64),  # the first header
        *range(n_bits - 8 * 130, n_bits),  # the end of the directory, and the seal
    }
    path = tmp_path / "model.skops"
    for place in places:
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"model\.skops is damaged or no model file: "):
            load(path)
    assert len(places) > 1500


def test_every_cut_and_every_addition_is_found(whole, tmp_path):
    content = whole.read_bytes()
    path = tmp_path / "model.skops"
    cuts = [*range(0, len(content), 61), len(content) - 1]
    changed = [content[:n] for n in cuts] + [content[n:] for n in cuts[1:]]
    changed += [content + b"\0", b"\0" + content, content + content, content + b"\n"]
    for each in changed:
        path.write_bytes(each)
        with pytest.raises(ValueError, match=r"model\.skops is damaged or no model file"):
            load(path)


def test_a_part_of_zeros_is_found(whole, tmp_path):
    content = bytearray(whole.read_bytes())
    content[1000:1512] = bytes(512)
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(ValueError, match="seal does not fit"):
        load(tmp_path / "model.skops")


@pytest.mark.parametrize("damage", ["truncated", "no schema", "not a zip", "bad schema", "empty"])
def test_damage_to_the_first_format_is_one_sentence(tmp_path, damage):
    path = tmp_path / "model.skops"
    skops.io.dump(ColorFeatures(), path)
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage in ("not a zip", "empty"):
        path.write_bytes(b"hello" if damage == "not a zip" else b"")
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            name = "schema.json" if damage == "bad schema" else "0.npy"
            archive.writestr(name, json.dumps({"__class__": "x"}))
        path.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match=r"model\.skops is damaged or no model file"):
        load(path)


# What could run


class _Hostile:
    def __reduce__(self):
        return (pytest.fail, ("code from the file has run",))


def test_a_pickle_is_never_opened(tmp_path):
    for name in ("model.pkl", "model.JOBLIB", "model.skops", "model.h5"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(_Hostile()))
        with pytest.raises(ValueError, match="model"):
            load(path)


def test_a_pickle_in_an_array_is_never_opened(whole, tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([_Hostile()]), allow_pickle=True)
    for content in (stream.getvalue(), pickle.dumps(_Hostile())):
        path = forge(tmp_path / "model.skops", whole, arrays={"arrays/0.npy": content})
        with pytest.raises(ValueError, match="damaged"):
            load(path)


def _node(loader, full_name, number=10**6, **fields):
    module, _, name = full_name.rpartition(".")
    node = {"__loader__": loader, "__module__": module, "__class__": name, "__id__": number}
    return {**node, **fields}


def _text(value, number=10**6 + 1):
    return _node("JsonNode", "builtins.str", number, content=json.dumps(value), is_json=True)


def _dict(number=10**6 + 2, **values):
    types = [_node("TypeNode", "builtins.str", number + 2) for _ in values]
    key_types = _node("ListNode", "builtins.list", number + 1, content=types)
    return _node("DictNode", "builtins.dict", number, content=values, key_types=key_types)


def _tuple(*values, number=10**6 + 9):
    return _node("TupleNode", "builtins.tuple", number, content=list(values))


FOREIGN = {
    "a function": _node("FunctionNode", "os.system"),
    "a module that is imported": _node("FunctionNode", "this.s"),
    "a ufunc of another module": _node("FunctionNode", "this.log"),
    "a function of numpy": _node("FunctionNode", "numpy.load"),
    "a type": _node("TypeNode", "builtins.eval"),
    "a call": _node("ConstructorFromReduceNode", "builtins.print", content=_tuple(_text("x"))),
    "an object": _node("ObjectNode", "subprocess.Popen", content=_dict(args=_text("ls"))),
    "an estimator as a call": _node(
        "ConstructorFromReduceNode", "sklearn.svm._classes.SVC", content=_tuple(_text(1))
    ),
    "a search with a scorer": _node("ObjectNode", "sklearn.metrics._scorer._Scorer"),
    "a partial": _node(
        "PartialNode",
        "functools.partial",
        content={each: _text(0) for each in ("func", "args", "kwds", "namespace")},
    ),
    "a method": _node(
        "MethodNode",
        "builtins.str",
        content={"func": "__class__.__mro__", "obj": _text("x")},
    ),
    "an operator": _node("OperatorFuncNode", "operator.methodcaller", attrs=_tuple(_text("x"))),
    "bytes": _node("BytesNode", "builtins.bytes", file="schema.json"),
    "a sparse matrix": _node(
        "SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="arrays/0.npy"
    ),
    "a memory map": _node("NdArrayNode", "numpy.memmap", type="numpy", file="arrays/0.npy"),
    "a tree": _node("TreeNode", "sklearn.tree._tree.Tree", __reduce__={"args": _tuple()}),
    "a loss that is none": _node(
        "LossNode", "sklearn._loss._loss.os.system", __reduce__={"args": _tuple()}, content=_dict()
    ),
    "a generator": _node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={"bit_generator": _dict(bit_generator=_text("seed")), "seed_seq": _dict()},
    ),
    "a class of ours that is not in the list": _node("ObjectNode", "skbreast.runs.RunResult"),
    "a named tuple": _node("TupleNode", "sklearn.utils._tags.Tags", content=[]),
}


def _put(value, name="intercept_scaling"):
    """Return a change of the schema: a parameter of the logistic regression gets another value."""

    def change(schema):
        steps = schema["content"]["content"]["steps"]
        logistic = steps["content"][1]["content"][1]
        assert logistic["__class__"] == "LogisticRegression"
        logistic["content"]["content"][name] = value

    return change


@pytest.mark.parametrize("what", FOREIGN)
def test_types_that_are_no_data_are_named_and_not_touched(whole, tmp_path, what):
    node = FOREIGN[what]
    path = forge(tmp_path / "model.skops", whole, schema=_put(node))
    named = re.escape(f"{node['__module__']}.{node['__class__']}")
    with pytest.raises(ValueError, match=rf"model\.skops holds types .* neither.* {named}"):
        load(path)
    assert "this" not in sys.modules


@pytest.mark.parametrize("what", FOREIGN)
def test_nor_are_they_in_the_first_format(tmp_path, what):
    path = tmp_path / "model.skops"
    skops.io.dump(LogisticRegression(), path)
    schema = json.loads(members_of(path)["schema.json"])
    schema["content"]["content"]["C"] = FOREIGN[what]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ValueError, match=r"model\.skops holds types"):
        load(path)
    assert "this" not in sys.modules


def test_a_function_in_a_file_of_skops_is_named(tmp_path):
    path = tmp_path / "foreign.skops"
    skops.io.dump(FunctionTransformer(_seed), path)
    with pytest.raises(ValueError, match="_seed"):
        load(path)


MALFORMED = {
    "a container that says it is a number": _text([1, 2]),
    "a field too many": _text(1) | {"file": "arrays/0.npy"},
    "a loader that is no text": _text(1) | {"__loader__": ["JsonNode"]},
    "an id that is none": _text(1) | {"__id__": True},
    "no id": {key: value for key, value in _text(1).items() if key != "__id__"},
    "keys that are no types": _node(
        "DictNode", "builtins.dict", content={"a": _text(1)}, key_types=_tuple(_text("str"))
    ),
    "an attribute that is none": _node(
        "ObjectNode", "sklearn.svm._classes.SVC", content=_dict(__class__=_text("x"))
    ),
    "attributes that are a list": _node(
        "ObjectNode", "sklearn.svm._classes.SVC", content=_tuple(_text("x"))
    ),
    "an array that is not there": _node(
        "NdArrayNode", "numpy.ndarray", type="numpy", file="arrays/999.npy"
    ),
    "an array elsewhere": _node(
        "NdArrayNode", "numpy.ndarray", type="numpy", file="../../../etc/passwd"
    ),
    "an array of two objects": _node(
        "NdArrayNode", "numpy.ndarray", type="numpy", file="arrays/0.npy"
    ),
    "a slice of something": _node(
        "SliceNode", "builtins.slice", content={"start": 0, "stop": "x", "step": None}
    ),
    "a path without parts": _node(
        "ConstructorFromReduceNode", "pathlib.Path", content=_text("/etc/passwd")
    ),
    "a random state of another kind": _node(
        "RandomStateNode",
        "numpy.random.mtrand.RandomState",
        content=_dict(bit_generator=_text("PCG64")),
    ),
    "two objects of one id": _tuple(_text(1, 77_000), _text(2, 77_000)),
    "an object within itself": _tuple(_tuple(_text(1), number=77_000), number=77_000),
    "depth": None,
}


def _deep(levels):
    node = _text(1)
    for level in range(levels):
        node = _tuple(node, number=10**7 + level)
    return node


@pytest.mark.parametrize("what", MALFORMED)
def test_what_skops_does_not_write_is_damage(whole, tmp_path, what):
    node = _deep(150) if what == "depth" else MALFORMED[what]
    path = forge(tmp_path / "model.skops", whole, schema=_put(node))
    with pytest.raises(ValueError, match=r"model\.skops is damaged or no model file"):
        load(path)


def test_depth_beyond_any_parser_is_damage(whole, tmp_path):
    members = members_of(whole)
    members["schema.json"] = b"[" * 10**6
    write_sealed(tmp_path / "model.skops", members, version=2)
    with pytest.raises(ValueError, match=r"model\.skops is damaged"):
        load(tmp_path / "model.skops")


@pytest.mark.parametrize("place", [-1, 625, 10**9, 1.5, "0"])
def test_a_random_state_that_reads_elsewhere_is_damage(whole, tmp_path, place):
    def change(schema):
        steps = schema["content"]["content"]["steps"]
        logistic = steps["content"][1]["content"][1]
        state = logistic["content"]["content"]["random_state"]["content"]["content"]["state"]
        state["content"]["pos"]["content"] = json.dumps(place)
        state["content"]["pos"]["__id__"] = 10**6

    with pytest.raises(ValueError, match="a random state is not one"):
        load(forge(tmp_path / "model.skops", whole, schema=change))


# Sizes and shapes


def _npy(header_shape, content, descr="<f8"):
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": header_shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (_npy((10**6, 10**6), b""), "takes 8000000000000 bytes; there are 0"),
        (_npy((3,), bytes(16)), "takes 24 bytes; there are 16"),
        (_npy((1,), bytes(16)), "takes 8 bytes; there are 16"),
        (_npy((0, 10**18), b""), "takes 0 bytes"),
        (_npy((-1,), b""), "shape"),
        (_npy((10**12,), b"", descr="|S0"), "neither numbers nor texts"),
        (_npy((1,), bytes(8), descr="|O"), "neither numbers nor texts"),
        (_npy((1,), bytes(8), descr="|V8"), "neither numbers nor texts"),
        (_npy((1,), bytes(8), descr="<M8[s]"), "neither numbers nor texts"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_535, "damaged"),
        (b"\x93NUMPY\x09\x00", "damaged"),
        (b"", "damaged"),
    ],
)
def test_arrays_that_promise_what_is_not_there_are_damage(whole, tmp_path, array, message):
    path = forge(tmp_path / "model.skops", whole, arrays={"arrays/0.npy": array})
    with pytest.raises(ValueError, match=message):
        load(path)


def test_an_array_of_another_shape_than_the_manifest_says_is_damage(whole, tmp_path):
    def lie(manifest):
        manifest["members"]["arrays/0.npy"]["shape"] = [1]

    with pytest.raises(ValueError, match="describes other members"):
        load(forge(tmp_path / "model.skops", whole, manifest=lie))


def test_wrong_shapes_are_found_once_the_model_is_made(whole, tmp_path):
    def coefficients(members):
        shape = [1, 6]
        found = [name for name, each in members.items() if each.get("shape") == shape]
        assert len(found) == 1
        return found[0]

    members = json.loads(members_of(whole)["manifest.json"])["members"]
    array = _npy((1, 5), bytes(40))
    path = forge(tmp_path / "model.skops", whole, arrays={coefficients(members): array})
    with pytest.raises(ValueError, match=r"coef_ of LogisticRegression has the shape \(1, 5\)"):
        load(path)


# Fitted states that compiled code would follow out of its arrays


def _points(n_features=5):
    rng = np.random.default_rng(0)
    return rng.random((30, n_features)), np.arange(30) % 3


def _fitted(estimator):
    return estimator.fit(*_points())


def _svc(**parameters):
    return _fitted(SVC(**parameters))


def _cut(name):
    return lambda model: setattr(model, name, getattr(model, name)[:, :1].copy())


def _set(name, value):
    return lambda model: setattr(model, name, value)


def _n(model):
    return len(model.support_)


FORGED = {
    "counts of another sum": (
        _svc,
        lambda m: setattr(m, "_n_support", np.array([10**9, _n(m) - 10**9, 0], np.int32)),
        "_n_support of SVC",
    ),
    "counts below nought": (
        _svc,
        lambda m: setattr(m, "_n_support", np.array([_n(m) + 9, -9, 0], np.int32)),
        "_n_support of SVC",
    ),
    "counts that overflow": (
        _svc,
        lambda m: setattr(m, "_n_support", np.array([2**31 - 1, 2**31 - 1, 2 + _n(m)], np.int32)),
        "_n_support of SVC",
    ),
    "too few counts": (_svc, lambda m: setattr(m, "_n_support", m._n_support[:1]), "_n_support"),
    "no counts": (_svc, lambda m: delattr(m, "_n_support"), "_n_support of SVC"),
    "coefficients cut": (_svc, _cut("_dual_coef_"), "_dual_coef_ of SVC"),
    "coefficients of fewer classes": (
        _svc,
        lambda m: setattr(m, "_dual_coef_", m._dual_coef_[:1]),
        "_dual_coef_ of SVC",
    ),
    "vectors cut": (_svc, _cut("support_vectors_"), "support_vectors_ of SVC"),
    "fewer vectors": (
        _svc,
        lambda m: setattr(m, "support_vectors_", m.support_vectors_[:1]),
        "support_vectors_ of SVC",
    ),
    "more indices than vectors": (
        _svc,
        lambda m: setattr(m, "support_", np.arange(1000, dtype=np.int32)),
        "_n_support of SVC",
    ),
    "no intercepts": (_svc, _set("_intercept_", np.zeros(1)), "_intercept_ of SVC"),
    "sigmoids cut": (_svc, _set("_probA", np.zeros(1)), "_probA of SVC"),
    "one sigmoid": (_svc, _set("_probB", np.zeros(3)), "_probB of SVC"),
    "features unknown": (_svc, lambda m: delattr(m, "n_features_in_"), "n_features_in_ of SVC"),
    "more features": (_svc, _set("n_features_in_", 50), "support_vectors_ of SVC"),
    "another kernel": (_svc, _set("kernel", "precomputed"), "kernel .* of SVC"),
    "a kernel that is called": (_svc, _set("kernel", np.add), "kernel .* of SVC"),
    "another machine": (_svc, _set("_impl", "epsilon_svr"), "_impl of SVC"),
    "sparse": (_svc, _set("_sparse", True), "_sparse of SVC"),
    "more classes": (_svc, _set("classes_", np.arange(4)), "_n_support of SVC"),
    "a check that is no check": (
        _svc,
        _set("_validate_for_predict", np.positive),
        "SVC has a method _validate_for_predict",
    ),
    "nu": (lambda: _fitted(NuSVC(nu=0.3)), _cut("_dual_coef_"), "_dual_coef_ of NuSVC"),
    "regression": (lambda: _fitted(SVR()), _cut("_dual_coef_"), "_dual_coef_ of SVR"),
    "regression by nu": (lambda: _fitted(NuSVR()), _cut("support_vectors_"), "support_vectors_"),
    "one class": (
        lambda: _fitted(OneClassSVM()),
        lambda m: setattr(m, "_n_support", np.zeros(3, np.int32)),
        "_n_support of OneClassSVM",
    ),
    "centres cut": (lambda: _fitted(KMeans(2)), _cut("cluster_centers_"), "cluster_centers_"),
    "features of centres": (
        lambda: _fitted(KMeans(2)),
        lambda m: (_cut("cluster_centers_")(m), delattr(m, "n_features_in_")),
        "n_features_in_ of KMeans",
    ),
    "threads": (lambda: _fitted(KMeans(2)), _set("_n_threads", 10**6), "_n_threads of KMeans"),
    "counts of centres": (
        lambda: _fitted(MiniBatchKMeans(2)),
        _set("_counts", np.zeros(1)),
        "_counts of MiniBatchKMeans",
    ),
    "neighbours cut": (
        lambda: _fitted(KNeighborsClassifier(algorithm="brute")),
        _cut("_fit_X"),
        "_fit_X of KNeighborsClassifier",
    ),
    "labels cut": (
        lambda: _fitted(KNeighborsClassifier(algorithm="brute")),
        lambda m: setattr(m, "_y", m._y[:2]),
        "_y of KNeighborsClassifier",
    ),
    "labels of no class": (
        lambda: _fitted(KNeighborsClassifier(algorithm="brute")),
        lambda m: setattr(m, "_y", m._y + 10**6),
        "_y of KNeighborsClassifier",
    ),
    "more neighbours than there are": (
        lambda: _fitted(KNeighborsClassifier(algorithm="brute")),
        _set("n_neighbors", 31),
        "n_neighbors of KNeighborsClassifier",
    ),
    "a distance of two features": (
        lambda: _fitted(KNeighborsRegressor(algorithm="brute")),
        _set("effective_metric_", "haversine"),
        "effective_metric_ of KNeighborsRegressor",
    ),
    "norms of fewer": (
        lambda: _fitted(KNeighborsRegressor(algorithm="brute")),
        _set("effective_metric_params_", {"Y_norm_squared": np.zeros(1)}),
        "effective_metric_params_ of KNeighborsRegressor",
    ),
    "a start elsewhere": (
        lambda: _fitted(SGDClassifier(average=True)),
        _set("_standard_coef", np.zeros((3, 1))),
        "_standard_coef of SGDClassifier",
    ),
    "a warm start elsewhere": (
        lambda: _fitted(Lasso(warm_start=True)),
        lambda m: (_set("coef_", np.zeros(1))(m), delattr(m, "n_features_in_")),
        "n_features_in_ of Lasso",
    ),
}


def forge_fitted(path, model):
    """Write a model as `save` does, but for the trial that would find what is wrong with it."""
    write_sealed(path, _take_apart(model, path), version=2)
    return path


@pytest.mark.parametrize("where", ["alone", "in an array", "in a set"])
@pytest.mark.parametrize("what", FORGED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_state_that_leads_out_of_its_arrays_is_refused(tmp_path, what, where):
    make, change, message = FORGED[what]
    model = make()
    if where == "in an array":
        holder = SVC()
        holder.C = np.array([model, None], dtype=object)
    elif where == "in a set":
        holder = SVC()
        holder.C = {model}
    else:
        holder = model
    load(forge_fitted(tmp_path / "whole.skops", holder))
    change(model)
    path = forge_fitted(tmp_path / "model.skops", holder)
    with pytest.raises(ValueError, match=rf"model\.skops is damaged .*{message}"):
        load(path)


@pytest.mark.parametrize(
    "model",
    [
        _svc(),
        SVC().fit(_points()[0], np.arange(30) % 2),
        NuSVC(nu=0.3, kernel="poly").fit(*_points()),
        SVR().fit(*_points()),
        SVR(epsilon=100).fit(*_points()),  # without vectors
        NuSVR(kernel="linear").fit(*_points()),
        OneClassSVM().fit(*_points()),
        KMeans(2).fit(_points()[0].astype(np.float32)),
        MiniBatchKMeans(2).fit(*_points()),
        KNeighborsClassifier(algorithm="brute").fit((255 * _points()[0]).astype(int), _points()[1]),
        KNeighborsRegressor(algorithm="brute", metric="cosine").fit(*_points()),
        SGDClassifier(average=True, random_state=0).fit(*_points()),
        IsotonicRegression().fit(_points(1)[0], _points()[1]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_honest_states_predict_the_same(tmp_path, model):
    X = _points(getattr(model, "n_features_in_", 1))[0].astype(
        np.float32 if isinstance(model, KMeans) else float
    )
    loaded = load(save(model, tmp_path / "model.skops"))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    if hasattr(model, "partial_fit"):
        loaded.partial_fit(*_points())


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
def test_probabilities_of_machines_come_back(tmp_path):
    model = _svc(probability=True, random_state=0)
    loaded = load(save(model, tmp_path / "model.skops"))
    X = _points()[0]
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("model", [SVC(), KMeans().set_output(transform="default"), SVR()])
def test_what_is_not_fitted_has_no_state_to_fit(tmp_path, model):
    assert repr(load(save(model, tmp_path / "model.skops"))) == repr(model)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        HistGradientBoostingClassifier(max_iter=1),
        IsolationForest(n_estimators=1),
        NearestCentroid(),
        OneHotEncoder(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_compiled_code_without_a_rule_is_refused(tmp_path, model):
    with pytest.raises(ValueError, match=rf"{type(model).__name__}.* cannot be saved"):
        save(_fitted(model), tmp_path / "model.skops")
    with pytest.raises(ValueError, match=type(model).__name__):
        load(_dumped(tmp_path / "model.skops", clone(model)))


def _dumped(path, model):
    skops.io.dump(model, path)
    return path


def test_the_list_of_estimators_names_none_that_is_not_there():
    there = {f"{each.__module__}.{each.__name__}" for _, each in all_estimators()}
    assert there >= _SCIKIT_LEARN
    assert len(there - _SCIKIT_LEARN) > 50


def _zip(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def _seal(path):
    """Seal an archive as the second format is."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"skbreast model, format 2, sha256 " + b"0" * 64
    content = path.read_bytes()[:-64]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())
    return path


def test_a_bomb_is_not_unpacked(whole, tmp_path):
    zeros, members = bytes(5 * 10**7), members_of(whole)
    bombs = [
        _zip(tmp_path / "a.skops", [("schema.json", zeros)]),
        _zip(tmp_path / "b.skops", [("schema.json", b"{}"), ("1.npy", zeros)]),
        _seal(_zip(tmp_path / "c.skops", [("manifest.json", zeros)])),
        _seal(_zip(tmp_path / "d.skops", [*members.items(), ("arrays/99.npy", zeros)])),
        _seal(_zip(tmp_path / "e.skops", [*members.items(), ("arrays/98.json", zeros)])),
    ]
    tracemalloc.start()
    for path in bombs:
        with pytest.raises(
            ValueError, match=rf"{path.name} is damaged .*(bytes|member|packed|way)"
        ):
            load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7


def test_a_bomb_of_one_place_named_often_is_not_unpacked(tmp_path):
    path = _zip(tmp_path / "model.skops", [("schema.json", b"{}"), *_named(b"x" * 10**5)])
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        directory, first = archive.start_dir, archive.infolist()[1].header_offset
    place = directory
    while (place := content.find(b"PK\x01\x02", place + 1)) > 0:  # all point at the first array
        content[place + 42 : place + 46] = first.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.skops is damaged"):
        load(path)


def _named(content):
    return [(f"{number}.npy", content) for number in range(1, 200)]


def test_a_size_that_is_a_lie_is_damage(tmp_path):
    path = tmp_path / "model.skops"
    skops.io.dump(ColorFeatures(), path)
    content = bytearray(path.read_bytes())
    directory = content.rfind(b"PK\x01\x02")
    for offset in (20, 24):  # packed and unpacked
        content[directory + offset : directory + offset + 4] = (10**9).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.skops is damaged .*room|bytes"):
        load(path)


def test_files_longer_than_allowed_are_not_read(whole):
    with pytest.raises(ValueError, match=r"bytes, more than max_bytes=1,000"):
        load(whole, max_bytes=1000)
    with pytest.raises(ValueError, match="max_bytes must be an integer"):
        load(whole, max_bytes=0)


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere.skops")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(ValueError, match="/dev/zero is no plain file"):
        load("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_to_which_nobody_writes_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "model.skops")
    code = f"import skbreast; skbreast.load({str(tmp_path / 'model.skops')!r})"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "model.skops is no plain file." in found.stderr


# Names of members


@pytest.mark.parametrize(
    "name",
    [
        "../schema.json",
        "/etc/passwd",
        "arrays/../../x.npy",
        "arrays\\0.npy",
        "arrays/00.npy",
        "arrays/0.npy\0.py",
        "ARRAYS/0.npy",
        "arrays/0.pkl",
        "payload.py",
        "__init__.py",
    ],
)
def test_members_of_other_names_are_damage(whole, tmp_path, name):
    members = members_of(whole)
    manifest = json.loads(members["manifest.json"])
    manifest["members"][name] = {"n_bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    members["manifest.json"] = json.dumps(manifest).encode()
    placeholder = "n" * len(name)  # zipfile itself would mend some of them
    path = tmp_path / "model.skops"
    write_sealed(path, {**members, placeholder: b"x"}, version=2)
    content = path.read_bytes()[:-64].replace(placeholder.encode(), name.encode())
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())
    with pytest.raises(ValueError, match=r"model\.skops is damaged .*(member|differ)"):
        load(path)
    assert [each.name for each in tmp_path.iterdir()] == ["model.skops"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_damage(whole, tmp_path):
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("schema.json", "schema.json"):
            archive.writestr(name, members_of(whole)["schema.json"])
    with pytest.raises(ValueError, match="two of its members bear the same name"):
        load(path)


def test_keys_that_come_twice_are_damage(whole, tmp_path):
    members = members_of(whole)
    members["manifest.json"] = members["manifest.json"].replace(b"{", b'{"format": 2, ', 1)
    write_sealed(tmp_path / "model.skops", members, version=2)
    with pytest.raises(ValueError, match="a key comes twice"):
        load(tmp_path / "model.skops")


def test_members_that_belong_to_nothing_are_damage(whole, tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    path = forge(tmp_path / "model.skops", whole, arrays={"arrays/99.npy": stream.getvalue()})
    with pytest.raises(ValueError, match=r"arrays/99\.npy belongs to nothing"):
        load(path)


@pytest.mark.parametrize("missing", ["manifest.json", "schema.json", "arrays/0.npy"])
def test_a_member_that_is_missing_is_damage(whole, tmp_path, missing):
    members = members_of(whole)
    del members[missing]
    write_sealed(tmp_path / "model.skops", members, version=2)
    with pytest.raises(ValueError, match=r"model\.skops is damaged"):
        load(tmp_path / "model.skops")


def test_a_file_whose_seal_was_taken_off_is_damage(whole, tmp_path):
    """It must not pass for a file of the first format, which has no seal."""
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members_of(whole).items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"it has a member 'manifest\.json'"):
        load(path)


def test_members_that_are_encrypted_are_damage(whole, tmp_path):
    content = bytearray(whole.read_bytes()[:-64])
    place = content.rfind(b"PK\x01\x02")
    content[place + 8] |= 1
    path = tmp_path / "model.skops"
    path.write_bytes(bytes(content) + hashlib.sha256(content).hexdigest().encode())
    with pytest.raises(ValueError, match="stored in a way that is not ours"):
        load(path)


# Versions


def test_a_newer_format_says_what_it_needs(whole, tmp_path):
    def tomorrow(manifest):
        manifest["format"] = 3
        manifest["needs"]["skbreast"] = "9.1.0"

    path = forge(tmp_path / "model.skops", whole, manifest=tomorrow, version=3)
    with pytest.raises(
        ValueError, match=r"is of format 3; this is skbreast .* Install skbreast 9\.1\.0 or newer"
    ):
        load(path)
    write_sealed(path, {"strange": b"?"}, version=12)
    with pytest.raises(ValueError, match=r"is of format 12; .* Install a newer skbreast"):
        load(path)


def test_a_format_before_the_first_is_damage(whole, tmp_path):
    for version in (0, 1):
        write_sealed(tmp_path / "model.skops", members_of(whole), version=version)
        with pytest.raises(ValueError, match=r"model\.skops is damaged"):
            load(tmp_path / "model.skops")


def test_a_manifest_that_names_other_classes_is_damage(whole, tmp_path):
    def lie(manifest):
        manifest["classes"] = ["sklearn.dummy.DummyClassifier"]

    with pytest.raises(ValueError, match="names other classes than there are"):
        load(forge(tmp_path / "model.skops", whole, manifest=lie))


@pytest.mark.parametrize("protocol", [True, "2", -1, 1, 99, None])
def test_a_protocol_that_skops_does_not_have_is_refused(whole, tmp_path, protocol):
    def change(schema):
        schema["protocol"] = protocol

    with pytest.raises(ValueError, match=r"model\.skops"):
        load(forge(tmp_path / "model.skops", whole, schema=change))


def test_one_array_that_many_objects_share_is_kept_once(tmp_path):
    shared = np.arange(1000.0)
    machine = SVC().fit([[0.0], [1.0]], [0, 1])
    machine.extra_, machine.more_ = shared, [shared] * 50
    path = save(machine, tmp_path / "model.skops")
    loaded = load(path)
    assert path.stat().st_size < 30_000
    assert loaded.more_[7] is loaded.extra_
    np.testing.assert_array_equal(loaded.extra_, shared)


def _places(value, found):
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            found.append((value, key))
            _places(each, found)
    return found


SCRAPS = [None, True, 0, -1, 2**70, 1.5, "", "x", "[]", "null", "1e999", [], {}, [1], {"a": 1}]
SCRAPS += ["ListNode", "DictNode", "ObjectNode", "TypeNode", "numpy", "ndarray", "arrays/1.npy"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_schema_says_the_error_is_the_documented_one(whole, tmp_path, seed):
    rng = np.random.default_rng(seed)
    n_refused = 0

    def scramble(schema):
        places = _places(schema, [])
        for _ in range(rng.integers(1, 4)):
            holder, key = places[rng.integers(len(places))]
            holder[key] = SCRAPS[rng.integers(len(SCRAPS))]

    for _ in range(60):
        path = forge(tmp_path / "model.skops", whole, schema=scramble)
        try:
            load(path)
        except ValueError as error:  # and no other
            n_refused += str(error).startswith(f"{path} ")
    assert n_refused > 40
