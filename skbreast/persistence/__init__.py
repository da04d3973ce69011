"""Save and load fitted estimators as plain data: no pickle, nothing that can run.

A model file is a zip archive that skops can read as well: ``schema.json`` (which objects there are
and what they hold) and ``arrays/*.npy``, with two things of ours. ``manifest.json`` names the
format, the classes, the parameters, the versions, and the digest of each other member. The seal, at
the very end, is the SHA-256 of every byte before it. Arrays are not compressed, so that a file
takes about as much memory as it is long. The same model makes the same bytes.

Loading looks before it builds, in this order: the size; the seal; the names and sizes of the
members; their digests; the headers of the arrays; each object of the schema, against a list of
classes that hold data only; skops' own audit. Only then are objects made, and the shapes of their
fitted state are compared with what they are part of. The seal finds damage, and says nothing of who
wrote the file: what a model answers is its maker's word.

Formats: 2 is written. 1, a plain skops archive, can still be loaded.
"""

from skbreast.persistence._load import load
from skbreast.persistence._save import save

__all__ = ["load", "save"]
