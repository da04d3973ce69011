"""Predict many files into a CSV; a file that cannot be read is a line that says so."""

import csv
from pathlib import Path

import numpy as np

from skbreast._files import written_whole
from skbreast._progress import progress_bar
from skbreast._stacks import count_rows
from skbreast.datasets._base import walk_files
from skbreast.datasets._folder import SUFFIXES
from skbreast.reading import PatchReadError
from skbreast.references import format_reference, parse_reference

__all__ = ["find_references", "predict_to_csv"]

STACK_SUFFIXES = (".h5", ".hdf5")
CHUNK = 256


def predict_to_csv(model, classes, references, out, *, show=False):
    """Write a line for each patch: its class, the probabilities, or why it could not be read.

    Parameters
    ----------
    model : estimator
        Fitted, with `predict_proba`.
    classes : list of str
        Names of the classes.
    references : list of str
        Patch references.
    out : path-like
        The CSV file; it appears when it is complete.
    show : bool, default=False
        Whether progress is shown.

    Returns
    -------
    int
        Number of patches that could not be read.
    """
    failed = 0
    header = ["reference", "prediction", *(f"p_{name}" for name in classes), "error"]
    with (
        written_whole(out) as part,
        part.open("w", newline="", encoding="utf-8") as file,
        progress_bar("Predicting", len(references), show=show) as advance,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        for start in range(0, len(references), CHUNK):
            rows = _predict_rows(model, classes, references[start : start + CHUNK])
            failed += sum(bool(row[-1]) for row in rows)
            writer.writerows(rows)
            advance(len(rows))
    return failed


def _predict_rows(model, classes, references):
    try:
        probabilities = model.predict_proba(np.array(references, dtype=object))
    except PatchReadError as error:
        if len(references) == 1:
            return [[references[0], *[""] * (1 + len(classes)), str(error)]]
        half = len(references) // 2
        parts = (references[:half], references[half:])
        return [row for part in parts for row in _predict_rows(model, classes, part)]
    return [
        [reference, classes[row.argmax()], *(f"{value:.6f}" for value in row), ""]
        for reference, row in zip(references, probabilities, strict=True)
    ]


def find_references(paths):
    """Return patch references: of files, of folders all images, of HDF5 files all rows.

    Parameters
    ----------
    paths : list of str
        Files, folders, references.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a folder holds no image, or nothing bears a name.
    """
    references = []
    for path in paths:
        if Path(path).is_dir():
            found = [each for each in walk_files(path) if Path(each).suffix.lower() in SUFFIXES]
            if not found:
                raise ValueError(
                    f"{path} holds no image ({', '.join(SUFFIXES)}); give HDF5 files by name."
                )
            references += found
        elif Path(path).is_file() and Path(path).suffix.lower() in STACK_SUFFIXES:
            references += [format_reference(path, row) for row in range(count_rows(path))]
        elif Path(parse_reference(path).path).exists():
            references.append(path)
        else:
            raise ValueError(f"{path} does not exist.")
    return references
