"""How time and memory grow with the number of files: from a thousand to a hundred thousand."""

from functools import partial

import numpy as np

from benchmarks.contest import Contest
from benchmarks.files import written

SIDE = 50
N_FILES = 1000  # which are named again and again


def extract(n):
    """Compute cheap features of references, so that what surrounds the network shows."""
    from skbreast import TransferFeatureExtractor

    references = np.resize(written(N_FILES, SIDE, SIDE), n)
    extractor = TransferFeatureExtractor(
        weights=None, layers="block1", input_size=32, random_state=0
    )
    extractor.fit_transform(references[:16])  # imports
    return partial(extractor.fit_transform, references)


def contests(quick):
    """Yield the contest of sizes."""
    sizes = (4_000, 1_000) if quick else (100_000, 10_000, 1_000)
    sides = {f"{n:,} references": ("benchmarks.growth:extract", {"n": n}) for n in sizes}
    yield Contest(
        "cheap features of small PNG files, by their number",
        sides,
        sizes[0],
        wanted=dict.fromkeys(list(sides)[1:], 0.9),
        allowed={"peak": 300},
        note="A time that grows with the number of files, and no faster, is a ratio of one. Of the "
        "features themselves there are 16 a patch here; default ones take 1.7 kB a patch.",
    )
