"""Who took part in a training: noted without names, and found again by patient or picture."""

import hashlib
import json
import secrets

import numpy as np

import skbreast
from skbreast._patches import PatchSource
from skbreast._progress import progress_bar

__all__ = [
    "TRAINING_FILE",
    "find_known",
    "fingerprint_pictures",
    "make_training_record",
    "patients_of",
    "read_training",
]

TRAINING_FILE = "training.json"
RECORDED = {"model", "classes", "salt", "patients", "pictures"}
FINGERPRINT_SIZE = (64, 64)
FINGERPRINT_CHUNK = 256


def fingerprint_pictures(X, show):
    """Name pictures by their pixels, so that neither a copy nor another path hides one."""
    names = []
    with progress_bar("Fingerprints", len(X), show=show) as advance:
        for start in range(0, len(X), FINGERPRINT_CHUNK):
            part = X[start : start + FINGERPRINT_CHUNK]
            thumbnails = PatchSource(part, FINGERPRINT_SIZE).take(slice(None))
            names += [hashlib.sha256(thumbnail.tobytes()).hexdigest() for thumbnail in thumbnails]
            advance(len(part))
    return np.asarray(names)


def patients_of(bunch):
    """Return the patient ids of a Bunch as text; None where it has none."""
    return None if bunch.groups is None else np.asarray([str(group) for group in bunch.groups])


def find_known(pictures, patients, record):
    """Tell which patches belong to the training: by patient, or by a picture of that patient.

    The pictures decide even if patients bear other names now than in training, or none.
    """
    known = _in_record(pictures, record["pictures"], record["salt"])
    if patients is None:
        return known
    known |= _in_record(patients, record["patients"], record["salt"])
    return np.isin(patients, patients[known])


def _in_record(names, digests, salt):
    return np.isin([_digest(name, salt) for name in names], digests)


def _digest(unit, salt):
    return hashlib.sha256(f"{salt}:{unit}".encode()).hexdigest()


def _digests(names, salt):
    return sorted(_digest(name, salt) for name in np.unique(names))


def make_training_record(classes, pictures, groups, model, random_state):
    """Note what `evaluate_folder` needs to know; patients by salted digests, not by name."""
    salt = secrets.token_hex(16)
    return {
        "skbreast": skbreast.__version__,
        "model": model,
        "classes": classes,
        "random_state": random_state,
        "n_patches": len(pictures),
        "salt": salt,
        "patients": [] if groups is None else _digests(groups, salt),
        "pictures": _digests(pictures, salt),
    }


def read_training(folder):
    path = folder / TRAINING_FILE
    if folder.is_file():
        raise ValueError(f"{folder} is a file; the folder that skbreast train wrote is expected.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{folder} holds no {TRAINING_FILE}: a folder written by skbreast train is expected."
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    if not isinstance(record, dict) or not set(record) >= RECORDED:
        raise ValueError(f"{path} is damaged: it lacks what skbreast train writes.")
    return record
