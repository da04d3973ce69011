"""Synthetic H&E patches: invented patients for examples, tests and demonstrations."""

import numpy as np
from sklearn.utils import check_random_state

from skbreast._loaded import remember_patients
from skbreast._validation import check_flag, check_number, import_optional
from skbreast.color import STAIN_VECTORS, optical_density_to_rgb
from skbreast.datasets._base import has_pandas
from skbreast.datasets._bunch import PatchBunch
from skbreast.datasets._tissue import draw_tissue, morphology

__all__ = ["make_patches"]

TARGET_NAMES = ("benign", "malignant")

DESCR = """Synthetic H&E patches
---------------------

Invented by skbreast.datasets.make_patches: no tissue, no patient, no licence to ask for.

Haematoxylin (nuclei) and eosin (stroma, cytoplasm) are drawn as optical densities and turned
into RGB. Label 0 "benign": small, regular, evenly stained nuclei, part of them around glands.
Label 1 "malignant": larger, crowded, irregular nuclei of uneven size, paler chromatin, nucleoli.
Each patient has a stain, a brightness and a nuclear size of its own, so patches of one patient
resemble each other more than patches of one class: split by `groups`, never by patch.

Scores on these patches say that a pipeline works, nothing about tissue.
"""


def make_patches(
    n_patients=12,
    patches_per_patient=16,
    *,
    patch_size=64,
    mpp=0.8,
    positive_share=0.5,
    patient_labels=True,
    difficulty=0.25,
    random_state=None,
    return_X_y=False,
):
    """Invent H&E patches of invented patients.

    Two stains are drawn as optical densities: nuclei, stroma with fibres, epithelium, glands and
    fat. The classes differ in the size, crowding and shape of the nuclei. Each patient has an own
    stain and brightness, which makes colour a weak and treacherous feature, as in real tissue.

    Parameters
    ----------
    n_patients : int, default=12
        Number of patients.
    patches_per_patient : int, default=16
        Number of patches of each.
    patch_size : int, default=64
        Height and width in pixels, 16…1024.
    mpp : float, default=0.8
        Micrometres per pixel. A benign nucleus measures about 7 µm across, a malignant one 10 µm:
        8 and 12 pixels by default.
    positive_share : float, default=0.5
        Share of malignant patients, or of malignant patches if not `patient_labels`. 0…1.
    patient_labels : bool, default=True
        True: all patches of a patient have one label, as in BreakHis. False: patients are mixed
        to different degrees, as in IDC.
    difficulty : float, default=0.25
        0: the classes are far apart; 1: they are alike.
    random_state : int, RandomState or None, default=None
        The same int gives the same bytes. The patches of a patient don't depend on the number of
        patients after it.
    return_X_y : bool, default=False
        Return ``(data, target)`` only.

    Returns
    -------
    Bunch
        ``data``, uint8 of shape (n, patch_size, patch_size, 3); ``target``, int64 of shape (n,),
        0 benign, 1 malignant; ``target_names``; ``groups``, str of shape (n,), such as
        ``"patient-03"``; ``frame``, a DataFrame with a row a patch (None without pandas);
        ``DESCR``.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from skbreast.datasets import make_patches
    >>> patches = make_patches(4, 3, patch_size=32, random_state=0)
    >>> patches.data.shape, patches.data.dtype
    ((12, 32, 32, 3), dtype('uint8'))
    >>> patches.target.tolist()
    [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]
    """
    _check_arguments(n_patients, patches_per_patient, patch_size, mpp, positive_share, difficulty)
    check_flag(patient_labels, name="patient_labels")
    check_flag(return_X_y, name="return_X_y")
    entropy = check_random_state(random_state).randint(2**31 - 1)
    root = np.random.SeedSequence(entropy)
    phase = np.random.default_rng(root).random()
    data = np.empty((n_patients, patches_per_patient, patch_size, patch_size, 3), dtype=np.uint8)
    target = np.empty((n_patients, patches_per_patient), dtype=np.int64)
    for patient, seed in enumerate(root.spawn(n_patients)):
        rng = np.random.default_rng(seed)
        target[patient] = _draw_labels(
            rng, patient, phase, patches_per_patient, positive_share, patient_labels
        )
        _draw_patient(rng, target[patient], mpp, difficulty, out=data[patient])
    data, target = data.reshape(-1, *data.shape[2:]), target.ravel()
    patients = np.array([f"patient-{patient:02d}" for patient in range(n_patients)])
    groups = np.repeat(patients, patches_per_patient)
    remember_patients(data, groups)
    if return_X_y:
        return data, target
    return _as_bunch(data, target, groups)


def _as_bunch(data, target, groups):
    columns = {"patient": groups, "label": np.array(TARGET_NAMES)[target], "target": target}
    frame = None
    if has_pandas():
        pandas = import_optional("pandas", extra="plot", purpose="The frame of make_patches")
        frame = pandas.DataFrame(columns)
    return PatchBunch(
        data=data,
        target=target,
        target_names=np.array(TARGET_NAMES),
        groups=groups,
        frame=frame,
        DESCR=DESCR,
    )


def _draw_labels(rng, patient, phase, n_patches, positive_share, patient_labels):
    if patient_labels:
        # Evenly spread over the patients, whatever their number: no draw leaves a class empty.
        bounds = np.floor(positive_share * np.array([patient, patient + 1]) + phase)
        return np.full(n_patches, int(bounds[1] - bounds[0]))
    if positive_share in (0, 1):
        return np.full(n_patches, int(positive_share))
    share = rng.beta(3 * positive_share, 3 * (1 - positive_share))
    return (rng.random(n_patches) < share).astype(np.int64)


def _draw_patient(rng, labels, mpp, difficulty, *, out):
    stains = _draw_stains(rng)
    background = rng.uniform(225, 250) + rng.normal(0, 3, 3)
    size_factor = rng.normal(1, 0.05)
    for label, patch in zip(labels, out, strict=True):
        looks = morphology(label, difficulty)
        density = draw_tissue(rng, len(patch), mpp / size_factor, looks) @ stains
        rgb = optical_density_to_rgb(density, np.minimum(background, 255))
        noise = rng.normal(0, 2.5, rgb.shape)
        patch[...] = np.clip(np.rint(rgb + noise), 0, 255)


def _check_arguments(n_patients, patches_per_patient, patch_size, mpp, positive_share, difficulty):
    allowed = {
        "n_patients": (n_patients, 1, 1_000_000),
        "patches_per_patient": (patches_per_patient, 1, 1_000_000),
        "patch_size": (patch_size, 16, 1024),
        "mpp": (mpp, 0.2, 4),
        "positive_share": (positive_share, 0, 1),
        "difficulty": (difficulty, 0, 1),
    }
    for name, (value, low, high) in allowed.items():
        whole = name in ("n_patients", "patches_per_patient", "patch_size")
        check_number(value, name=name, low=low, high=high, integer=whole)


def _draw_stains(rng):
    """Draw a patient's haematoxylin and eosin: ``(2, 3)`` densities a unit of stain."""
    vectors = STAIN_VECTORS[:2] + rng.normal(0, 0.05, (2, 3))
    # Eosin of real slides absorbs more red and blue than the published vector.
    vectors[1] = 0.5 * vectors[1] + 0.5 * np.array([0.22, 0.80, 0.56])
    return np.maximum(vectors, 0.02) * np.exp(rng.normal(0, 0.17, (2, 1)))
