"""What rules of Macenko's method cost, what cannot be measured, and where references come from."""

import warnings

import numpy as np
from skimage.exposure import match_histograms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from skbreast.color import (
    MACENKO_REFERENCE,
    REINHARD_REFERENCES,
    STAIN_VECTORS,
    VAHADANE_REFERENCE,
    Stains,
    exchange_stains,
    macenko_stains,
    mix_stains,
    rgb_to_optical_density,
    vahadane_stains,
)
from skbreast.datasets import load_breakhis, load_idc
from skbreast.datasets._tissue import draw_tissue, morphology
from skbreast.evaluation import cross_validate_patients, make_model, summarise
from skbreast.exceptions import UnchangedPatchesWarning
from skbreast.reading import read_patches
from skbreast.stain import MacenkoNormalizer, ReinhardNormalizer, VahadaneNormalizer
from skbreast.texture import ColorFeatures

BACKGROUND = 240
MIN_DENSITIES = {"published": 0.15 / np.log(10), "ours": 0.01}
KNOWN_STAINS = {"Ruifrok": STAIN_VECTORS[:2], "Macenko": MACENKO_REFERENCE.vectors[0]}
N_DRAWN = 100  # patches, half of each class
NOISE = 2  # of a camera, in grey levels
N_POOLED = 2**16  # pixels whose histogram all patches are brought to


def load_sets(data):
    """Return IDC and each magnification of BreakHis."""
    breakhis = data / "BreaKHis_v1"
    return {
        "IDC": load_idc(data / "IDC_regular_ps50_idx5"),
        "BreakHis 100X": load_breakhis(breakhis, magnification=100),
        "BreakHis 200X": load_breakhis(breakhis, magnification=200),
    }


# --- which pixels count -------------------------------------------------------------------------


def draw_known(vectors):
    """Return patches of the tissue of make_patches, mixed from known stains, with noise."""
    rng = np.random.default_rng(0)
    looks = [morphology(label, 0.25) for label in (0, 1)]
    amounts = np.stack([draw_tissue(rng, 64, 0.8, looks[row % 2]) for row in range(N_DRAWN)])
    patches = mix_stains(amounts, vectors, background=BACKGROUND)
    noisy = patches + rng.normal(0, NOISE, patches.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def degrees(first, second):
    """Return the angles between vectors."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip((first * second).sum(axis=-1) / lengths, -1, 1)))


def eosin_off(vectors):
    """Return by how much found eosin is off in the median patch, by rule, in degrees."""
    patches = draw_known(vectors)
    return {
        rule: np.nanmedian(
            degrees(macenko_stains(patches, min_density=least).vectors[:, 1], vectors[1])
        )
        for rule, least in MIN_DENSITIES.items()
    }


def share_counted(patches, min_density):
    """Return the share of pixels that count in the median patch."""
    density = rgb_to_optical_density(patches, background=BACKGROUND).min(axis=-1)
    return np.median((density >= min_density).mean(axis=(1, 2)))


# --- the residual and what cannot be measured -----------------------------------------------------


def change_without_residual(patches):
    """Return by how many grey levels the median patch changes when it is brought to itself."""
    stains = macenko_stains(patches)
    changes = []
    for row in np.flatnonzero(np.isfinite(stains.strengths).all(axis=1)):
        own = Stains(*(each[row : row + 1] for each in stains))
        same = exchange_stains(patches[row : row + 1], own, own, keep_residual=False)
        changes.append(np.abs(same.astype(int) - patches[row]).mean())
    return np.median(changes)


def count_unmeasured(patches):
    """Return how many patches pass unchanged, and how many are taken for typical ones."""
    counts = {}
    methods = {
        "Macenko": (MacenkoNormalizer, macenko_stains),
        "Vahadane": (VahadaneNormalizer, vahadane_stains),
    }
    for name, (normalizer, find) in methods.items():
        fitted = normalizer().fit(patches)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnchangedPatchesWarning)
            fitted.transform(patches)
        unknown = int(np.isnan(find(patches).strengths).any(axis=1).sum())
        counts[name] = {"unchanged": fitted.n_unchanged_, "typical": unknown - fitted.n_unchanged_}
    return counts


# --- histogram matching -------------------------------------------------------------------------


class HistogramMatcher(TransformerMixin, BaseEstimator):
    """Bring the histogram of each channel to that of pixels from all over the training patches."""

    def fit(self, X, y=None):
        pixels = X.reshape(-1, 1, 3)
        self.pooled_ = np.random.default_rng(0).choice(pixels, N_POOLED, replace=False)
        return self

    def transform(self, X):
        matched = [match_histograms(patch, self.pooled_, channel_axis=-1) for patch in X]
        return np.rint(matched).astype(np.uint8)


def auc_by_matching(idc, patches):
    """Return the area under the curve of a frozen network, with and without matching."""
    transfer = make_model("transfer")
    models = {"as they are": transfer, "matched": make_pipeline(HistogramMatcher(), transfer)}
    areas = {}
    for name, model in models.items():
        found = cross_validate_patients(model, patches, idc.target, idc.groups)
        areas[name] = summarise(found, n_resamples=100)["auc"].estimate
        print(name, areas[name], flush=True)
    return areas


# --- the shipped references ---------------------------------------------------------------------


def normalized(patches, patients, target):
    """Return patches with the stains of a target."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnchangedPatchesWarning)
        return MacenkoNormalizer(target).fit_transform(patches, groups=patients)


def spread_between_patients(patches, patients):
    """Return how far the mean colours of patients lie apart: a standard deviation, in CIELAB."""
    colours = ColorFeatures(spaces=("lab",)).fit_transform(patches)[:, :3]
    of_patients = [colours[patients == each].mean(axis=0) for each in np.unique(patients)]
    return float(np.linalg.norm(np.std(of_patients, axis=0)))


def spread_by_target(patches, patients):
    """Return that spread as patches are, and after normalising to either kind of target."""
    return {
        "as they are": spread_between_patients(patches, patients),
        "learned": spread_between_patients(normalized(patches, patients, None), patients),
        "shipped": spread_between_patients(normalized(patches, patients, "reference"), patients),
    }


def looks_of(data_set):
    """Return the medians over patients of patches that were brought to Macenko's reference."""
    patches = normalized(read_patches(data_set.data), data_set.groups, "reference")
    vahadane = VahadaneNormalizer().fit(patches, groups=data_set.groups)
    reinhard = ReinhardNormalizer().fit(patches, groups=data_set.groups)
    return {
        "VAHADANE_REFERENCE": {
            "vectors": vahadane.stain_vectors_.tolist(),
            "strengths": vahadane.stain_strengths_.tolist(),
        },
        'REINHARD_REFERENCES["lab"]': {
            "means": reinhard.means_.tolist(),
            "deviations": reinhard.deviations_.tolist(),
        },
    }


def compare_references(idc, breakhis):
    """Return the shipped references beside the mean of what both data sets say today."""
    of_idc, of_breakhis = looks_of(idc), looks_of(breakhis)
    shipped = {
        "VAHADANE_REFERENCE": VAHADANE_REFERENCE,
        'REINHARD_REFERENCES["lab"]': REINHARD_REFERENCES["lab"],
    }
    return {
        name: {
            key: {
                "shipped": value[0].tolist(),
                "found": np.mean([of_idc[name][key], of_breakhis[name][key]], axis=0).tolist(),
                "IDC": of_idc[name][key],
                "BreakHis": of_breakhis[name][key],
            }
            for key, value in reference._asdict().items()
        }
        for name, reference in shipped.items()
    }


def measure(data):
    """Return all findings.

    Parameters
    ----------
    data : Path
        The folder of real patches.
    """
    sets = load_sets(data)
    patches = {name: read_patches(each.data) for name, each in sets.items()}
    return {
        "eosin_off": {name: eosin_off(vectors) for name, vectors in KNOWN_STAINS.items()},
        "counted": {
            rule: share_counted(patches["IDC"], least) for rule, least in MIN_DENSITIES.items()
        },
        "without_residual": {name: change_without_residual(each) for name, each in patches.items()},
        "patches": len(patches["IDC"]),
        "unmeasured": count_unmeasured(patches["IDC"]),
        "references": compare_references(sets["IDC"], load_breakhis(data / "BreaKHis_v1")),
        "spread": {
            name: spread_by_target(patches[name], each.groups) for name, each in sets.items()
        },
        "auc": auc_by_matching(sets["IDC"], patches["IDC"]),
    }
