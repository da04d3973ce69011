"""skops' schema, a tree of nodes: how it is laid out, checked before use, and made canonical.

A node says which `loader` makes which class, and has an `__id__`: nodes of one id are one object.
"""

import hashlib
import json

from skbreast.persistence._allowed import PATH, is_allowed
from skbreast.persistence._errors import Refused

__all__ = ["audit", "canonical", "parse_json"]

OLDEST_PROTOCOL = 2  # of skops 0.13, the oldest that this package takes
MAX_DEPTH = 100  # of nodes, about 25 estimators within each other
_COMMON = {"__class__", "__module__", "__loader__", "__id__"}
_ROOT = {"protocol", "_skops_version"}
_FIELDS = {
    "JsonNode": {"content": str, "is_json": bool},
    "DictNode": {"content": dict, "key_types": dict},
    "ListNode": {"content": list},
    "TupleNode": {"content": list},
    "SetNode": {"content": list},
    "SliceNode": {"content": dict},
    "DTypeNode": {"content": dict},
    "RandomStateNode": {"content": dict},
    "ConstructorFromReduceNode": {"content": dict},
    "TypeNode": {},
    "FunctionNode": {},
    "LossNode": {"__reduce__": dict, "content": dict},
}
_ARRAY = {"type": str, "file": str}
_ARRAY_OF_OBJECTS = {"type": str, "content": list, "shape": dict}


def parse_json(text):
    """Parse JSON whose keys come once each."""
    return json.loads(text, object_pairs_hook=_once_each)


def _once_each(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _fields(node):
    """Return which fields a node of its kind has; None for a kind that is not known."""
    loader = node["__loader__"]
    if loader == "NdArrayNode":
        return _ARRAY if node.get("type") == "numpy" else _ARRAY_OF_OBJECTS
    if loader == "ObjectNode":
        return {"content": dict} if "content" in node else {}
    return _FIELDS.get(loader)


def _children(node):
    """Return where the nodes within a node are: a container and a key of it for each."""
    if _fields(node) is None:
        return []
    content, places = node.get("content"), []
    if isinstance(content, list):
        places += [(content, number) for number in range(len(content))]
    elif node["__loader__"] == "DictNode":
        places += [(node, "key_types"), *((content, key) for key in content)]
    elif node["__loader__"] not in ("SliceNode", "JsonNode") and "content" in node:
        places.append((node, "content"))
    if "shape" in node:
        places.append((node, "shape"))
    if "__reduce__" in node:
        places.append((node["__reduce__"], "args"))
    return places


def canonical(schema):
    """Rewrite what skops noted so that the same model gives the same schema, on every system.

    Ids are counted instead of being places in memory, arrays are named in the order in which they
    are met, paths belong to no system, and arrays in memory maps are arrays.

    Parameters
    ----------
    schema : dict
        From skops; changed in place.

    Returns
    -------
    schema : dict
    names : dict of str to str
        For each file that skops wrote, its new name.
    """
    seen, names = {}, {}

    def rewrite(node):
        if node["__id__"] in seen:
            return seen[node["__id__"]]
        seen[node["__id__"]] = node
        node["__id__"] = len(seen)
        if node["__loader__"] == "ConstructorFromReduceNode" and _name(node).endswith("Path"):
            node["__module__"], node["__class__"] = PATH.split(".")
        if _name(node) == "numpy.memmap":
            node["__class__"] = "ndarray"
        if "file" in node:
            node["file"] = names.setdefault(node["file"], f"arrays/{len(names)}.npy")
        for holder, key in _children(node):
            holder[key] = rewrite(holder[key])
        return node

    return rewrite(schema), names


def _name(node):
    return f"{node['__module__']}.{node['__class__']}"


def audit(schema, arrays):
    """Check every node of a schema before anything is made of it.

    Parameters
    ----------
    schema : dict
        From the file.
    arrays : collection of str
        Names of the arrays that the file has.

    Returns
    -------
    set of str
        The classes of the objects.

    Raises
    ------
    Refused
        If it holds types that are not known to be data.
    ValueError
        If it is not what skops writes.
    """
    return _Audit(arrays).run(schema)


class _Audit:
    def __init__(self, arrays):
        self.arrays = set(arrays)
        self.fingerprints, self.ids_of_files = {}, {}
        self.classes, self.foreign = set(), set()

    def run(self, schema):
        protocol = schema.get("protocol") if isinstance(schema, dict) else None
        if type(protocol) is not int or protocol < OLDEST_PROTOCOL:  # skops looks for the newest
            raise ValueError("schema.json is of no protocol of skops that is known")
        root = {key: value for key, value in schema.items() if key not in _ROOT}
        self.visit(root, MAX_DEPTH)
        if self.foreign:
            raise Refused(
                "holds types that are not plain data, which are neither saved nor loaded: "
                f"{', '.join(sorted(self.foreign))}. Of a search, save its best_estimator_; of a "
                "classifier with callbacks, the one after set_callbacks(); of nearest neighbours, "
                "KNeighborsClassifier with algorithm='brute'; forests, boosted trees and others "
                "whose compiled code trusts what was learned cannot be saved."
            )
        if unused := self.arrays - self.ids_of_files.keys():
            raise ValueError(f"{sorted(unused)[0]} belongs to nothing")
        return self.classes

    def visit(self, node, depth):
        """Check a node and what is in it; return what tells it from others but for its ids."""
        if not depth:
            raise ValueError("schema.json is nested too deeply")
        _check_form(node)
        loader = node["__loader__"]
        if not is_allowed(loader, node["__module__"], node["__class__"]):
            self.foreign.add(_name(node))
            return b""
        if loader == "ObjectNode":
            self.classes.add(_name(node))
        _check_fields(node)
        _check_content(node)
        return self.compare(node, depth)

    def compare(self, node, depth):
        """Let nodes of one id be one object, and one array belong to one id."""
        number, file = node["__id__"], node.get("file")
        known = self.fingerprints.get(number, b"")
        if known is None:
            raise ValueError("an object is within itself")
        if file is not None and (
            file not in self.arrays or self.ids_of_files.setdefault(file, number) != number
        ):
            raise ValueError(f"{file!r} is not there, or belongs to two objects")
        self.fingerprints[number] = None  # until what is within is done
        found = self.fingerprint(node, depth)
        if known not in (b"", found):
            raise ValueError("two different objects are said to be one")
        self.fingerprints[number] = found
        return found

    def fingerprint(self, node, depth):
        places = _children(node)
        within = [(str(key), self.visit(holder[key], depth - 1).hex()) for holder, key in places]
        plain = [node.get("file")]
        if node["__loader__"] in ("JsonNode", "SliceNode"):
            plain.append(node["content"])
        parts = [node["__loader__"], _name(node), plain, within]
        return hashlib.sha256(json.dumps(parts).encode()).digest()


def _check_form(node):
    if not isinstance(node, dict):
        raise ValueError("schema.json is none of skops'")
    names = [node.get(key) for key in ("__loader__", "__module__", "__class__")]
    number = node.get("__id__")
    if not all(isinstance(name, str) for name in names) or type(number) is not int or number < 1:
        raise ValueError("an object in schema.json lacks its class or its id")


def _check_fields(node):
    fields = _fields(node)
    given = node.keys() - _COMMON
    optional = {"is_json"}
    if given - fields.keys() or fields.keys() - given - optional:
        raise ValueError(f"{_name(node)} has the fields {sorted(given)}")
    for name in given:
        if type(node[name]) is not fields[name]:
            raise ValueError(f"{name} of {_name(node)} is a {type(node[name]).__name__}")


def _check_content(node):
    """Check what skops takes on trust: scalars, slices, attributes, states of generators."""
    loader, content = node["__loader__"], node.get("content")
    if loader == "JsonNode":
        if isinstance(json.loads(content), list | dict):
            raise ValueError("a number or a text is said to be a container")
    elif loader == "SliceNode":
        fits = content.keys() == {"start", "stop", "step"}
        if not fits or any(type(each) not in (int, type(None)) for each in content.values()):
            raise ValueError(f"a slice has the fields {content}")
    elif loader == "DictNode":
        _check_key_types(node["key_types"])
    elif loader == "ObjectNode" and "content" in node:
        _check_attributes(node)
    elif loader == "RandomStateNode":
        _check_generator(content)
    elif loader == "LossNode" and node["__reduce__"].keys() != {"args"}:
        raise ValueError(f"{_name(node)} has the fields {sorted(node['__reduce__'])}")
    elif loader == "ConstructorFromReduceNode" and content.get("__loader__") != "TupleNode":
        raise ValueError("a path has no parts")


def _check_key_types(types):
    listed = types.get("content") if types.get("__loader__") == "ListNode" else None
    if not isinstance(listed, list) or any(
        not isinstance(each, dict) or each.get("__loader__") != "TypeNode" for each in listed
    ):
        raise ValueError("the keys of a dict have no types")


def _check_attributes(node):
    attributes = node["content"]
    if attributes.get("__loader__") not in ("DictNode", "JsonNode"):
        raise ValueError(f"{_name(node)} has no attributes")
    if attributes["__loader__"] == "DictNode":
        names = attributes.get("content")
        if not isinstance(names, dict) or any(name.startswith("__") for name in names):
            raise ValueError(f"{_name(node)} has attributes that are none")


def _check_generator(state):
    """Keep numpy within its state: it does not look itself where it starts to read."""
    try:
        where = json.loads(state["content"]["state"]["content"]["pos"]["content"])
        kind = json.loads(state["content"]["bit_generator"]["content"])
    except (KeyError, TypeError):
        raise ValueError("a random state is not one") from None
    if kind != "MT19937" or type(where) is not int or not 0 <= where <= 624:
        raise ValueError("a random state is not one")
