"""The audit of 10,000 patches, beside a tool that looks for duplicates in folders of images."""

import contextlib
import io
import tempfile
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.contest import Contest
from skbreast.datasets import make_patches

N_PATIENTS = 200
N_JOBS = 2


@cache
def _scratch():
    """Return a folder that goes when the process ends."""
    return tempfile.TemporaryDirectory()


def _invented(n, side):
    return make_patches(N_PATIENTS, n // N_PATIENTS, patch_size=side, random_state=0)


def _audit(patches, references):
    from skbreast.model_selection import audit_patches

    patients = np.unique(patches.groups, return_inverse=True)[1]
    split = np.where(patients < 0.7 * N_PATIENTS, "train", "test")
    return partial(
        audit_patches, references, patches.target, patches.groups, split=split, n_jobs=N_JOBS
    )


def _written(patches):
    folder = Path(_scratch().name)
    paths = [str(folder / f"{number}.png") for number in range(len(patches.data))]
    for path, patch in zip(paths, patches.data, strict=True):
        Image.fromarray(patch).save(path)
    return paths


def files(n, side):
    """Audit PNG files, with labels, patients and a split."""
    patches = _invented(n, side)
    return _audit(patches, _written(patches))


def arrays(n, side):
    """Audit an array, with labels, patients and a split."""
    patches = _invented(n, side)
    return _audit(patches, patches.data)


def cleanvision(n, side):
    """Look for what is alike, dark, light, odd in size or blurred among the same files."""
    from cleanvision import Imagelab

    _written(_invented(n, side))

    def work():
        with contextlib.redirect_stdout(io.StringIO()):
            Imagelab(data_path=_scratch().name).find_issues(n_jobs=N_JOBS, verbose=False)

    return work


def contests(quick):
    """Yield a contest for files, and one for arrays."""
    n = 2000 if quick else 10_000
    size = {"n": n, "side": 50}
    yield Contest(
        f"Audit of {n:,} PNG files of 50 x 50 pixels",
        {
            "audit_patches": ("benchmarks.audit:files", size),
            "cleanvision": ("benchmarks.audit:cleanvision", size),
        },
        n,
        allowed={"peak": 300},
        note="Wanted: 10,000 patches in under a minute on two cores. cleanvision finds exact and "
        "near duplicates by hashes, and odd sizes and lightness; it knows no patients, labels, "
        "splits, or turned copies.",
    )
    size = {"n": n, "side": 96}
    yield Contest(
        f"Audit of an array of {n:,} patches of 96 x 96 pixels",
        {"audit_patches": ("benchmarks.audit:arrays", size)},
        n,
        allowed={"peak": 300},
    )
