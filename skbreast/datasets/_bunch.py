"""The Bunch that loaders return: scikit-learn's own, which shows itself in a notebook."""

import numpy as np
from sklearn.utils import Bunch

from skbreast._html import bar, block, escape_text, plain_text, table, thumbnail
from skbreast.reading import PatchReadError, iterate_patches

__all__ = ["PatchBunch", "pick_rows"]

_N_THUMBNAILS = 6
_MAX_CLASSES = 12


class PatchBunch(Bunch):
    """A Bunch of patches; in a notebook it tells what it holds and shows six of its patches.

    Only those six are read, when it is shown. What is missing, replaced by the user or no longer
    on disk is left out, or said. A console gets three lines, and no arrays.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> make_patches(6, 4, patch_size=32, random_state=0)
    <PatchBunch: Synthetic H&E patches
    24 patches, 6 patients, 32 x 32 pixels, uint8.
    Keys: data, target, target_names, groups, frame, DESCR>
    """

    def __repr__(self):
        lines = [_title(self), *([_count(self)] if _is_whole(self) else [])]
        lines.append(f"Keys: {', '.join(map(str, self)) or 'none'}")
        return f"<{type(self).__name__}: {chr(10).join(map(plain_text, lines))}>"

    def _repr_html_(self):
        if not _is_whole(self):
            lines = map(escape_text, repr(self).split("\n"))
            return f"<pre>{chr(10).join(lines)}</pre>"
        parts = [f"<p>{escape_text(_count(self))}</p>"]
        if self.get("protocol_descr"):
            parts.append(f'<p class="faint">{escape_text(self["protocol_descr"])}</p>')
        parts.append(_class_table(self))
        rows = pick_rows(self["target"], self.get("groups"), _N_THUMBNAILS)
        pictures = "".join(_thumbnails(self, rows))
        return block(_title(self), *parts, f'<div class="row">{pictures}</div>')


def pick_rows(target, groups, n_rows):
    """Choose a few rows that show much: classes in turn, each of another patient, evenly spaced.

    Parameters
    ----------
    target : array-like of shape (n_patches,)
        Class numbers.
    groups : array-like of shape (n_patches,) or None
        Patient ids.
    n_rows : int
        How many at most.

    Returns
    -------
    list of int
        By class.

    Examples
    --------
    >>> from skbreast.datasets._bunch import pick_rows
    >>> pick_rows([0, 0, 0, 1, 1, 1], ["a", "a", "b", "c", "c", "d"], 4)
    [0, 2, 3, 5]
    """
    target = np.asarray(target)
    groups = np.arange(len(target)) if groups is None else np.asarray(groups)
    classes = np.unique(target)[:n_rows]
    picked = []
    for number, label in enumerate(classes):
        of_class = np.flatnonzero(target == label)
        first = np.sort(of_class[np.unique(groups[of_class], return_index=True)[1]])
        n_due = n_rows // len(classes) + (number < n_rows % len(classes))
        places = np.linspace(0, len(first) - 1, min(n_due, len(first)))
        picked += first[places.astype(int)].tolist()
    return picked


def _is_whole(bunch):
    """Tell whether there are patches, and a label for each."""
    n_labels = _length(bunch.get("target"))
    return n_labels is not None and n_labels == _length(bunch.get("data"))


def _length(values):
    try:
        return len(values)
    except TypeError:  # None, a number, or an array that is one
        return None


def _title(bunch):
    lines = str(bunch.get("DESCR") or "").strip().splitlines()
    return lines[0] if lines else "Patches"


def _count(bunch):
    groups, parts = bunch.get("groups"), [f"{len(bunch['target']):,} patches"]
    if _length(groups) is None:
        parts.append("patients unknown: figures by patient, and splits by patient, need them")
    else:
        parts.append(f"{len(set(map(str, groups))):,} patients")
    shape = getattr(bunch["data"], "shape", ())
    if len(shape) == 4:
        parts.append(f"{shape[1]} x {shape[2]} pixels, {bunch['data'].dtype}")
    n_folds = _length(bunch.get("folds"))
    if n_folds is not None:
        parts.append(f"{n_folds} {'fold' if n_folds == 1 else 'folds'}")
    return ", ".join(parts) + "."


def _class_table(bunch):
    target, groups = np.asarray(bunch["target"]), bunch.get("groups")
    labels, counts = np.unique(target, return_counts=True)
    rows = []
    for label, count in list(zip(labels, counts, strict=True))[:_MAX_CLASSES]:
        share = count / len(target)
        row = [_class_name(bunch, label), str(label), f"{count:,}", f"{share:.1%}", bar(share)]
        if groups is not None:
            row.append(f"{len(np.unique(np.asarray(groups)[target == label])):,}")
        rows.append(row)
    header = ["class", "target", "patches", "share", ""]
    header += [] if groups is None else ["patients with it"]
    n_more = len(labels) - len(rows)
    return table(header, rows) + (f'<p class="faint">and {n_more} more classes</p>' * (n_more > 0))


def _class_name(bunch, label):
    names = bunch.get("target_names")
    whole = isinstance(label, np.integer)
    return str(names[label]) if names is not None and whole and label < len(names) else str(label)


def _thumbnails(bunch, rows):
    patches, problems = _read(bunch["data"], rows)
    groups = bunch.get("groups")
    for place, row in enumerate(rows):
        lines = [_class_name(bunch, bunch["target"][row])]
        lines += [] if groups is None else [groups[row]]
        yield thumbnail(patches.get(place), *lines, problem=problems.get(place))


def _read(data, rows):
    """Return the patches that can be read, and why the others cannot, by their place in `rows`."""
    if np.ndim(data) == 4:
        chosen = np.asarray(data)[rows]
        if chosen.dtype == np.uint8 and chosen.shape[-1] == 3:
            return dict(enumerate(chosen)), {}
        return {}, dict.fromkeys(range(len(rows)), f"{chosen.dtype} of shape {chosen.shape[1:]}")
    try:
        read = dict(iterate_patches([data[row] for row in rows]))
    except (ImportError, TypeError, ValueError) as error:
        return {}, dict.fromkeys(range(len(rows)), str(error))
    failed = {place for place, patch in read.items() if isinstance(patch, PatchReadError)}
    problems = {place: str(read.pop(place)) for place in failed}
    return read, problems
