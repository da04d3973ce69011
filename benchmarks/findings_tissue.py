"""What `TissueFilter` says of real patches, of blurred copies, and of strokes of pens over them."""

import numpy as np
from scipy.ndimage import gaussian_filter

from skbreast.color import optical_density_to_rgb, rgb_to_optical_density
from skbreast.datasets import load_breakhis, load_idc, load_patch_folder
from skbreast.reading import most_common_size, patch_size, read_patches
from skbreast.tissue import TissueFilter

SIGMAS = (1, 2, 4)  # of the blur, in pixels
NOISE = 2  # of a camera, in grey levels
PENS = {
    "blue": (15, 35, 135),
    "black": (20, 20, 25),
    "green": (12, 98, 54),
    "red": (196, 25, 34),
}  # on white, where they are opaque
UNEVEN = 0.2  # strokes of one pen are that much denser or less dense
WIDTHS = (0.25, 0.6)  # of strokes, as shares of the shorter side
STRENGTHS = {"opaque": 1.0, "translucent": 1.0, "half as dense": 0.5}


def data_sets(data):
    """Return the references of each data set; one magnification is one, since it is fitted so."""
    return {
        "IDC": load_idc(data / "IDC_regular_ps50_idx5").data,
        "BreakHis 100X": load_breakhis(data / "BreaKHis_v1", magnification=100).data,
        "BreakHis 200X": load_breakhis(data / "BreaKHis_v1", magnification=200).data,
        "UCSB": load_patch_folder(data / "ucsb_folders").data,
    }


def is_full_size(references):
    """Tell the patches of the usual size from those that a slide's border cut off."""
    usual = most_common_size(references)
    return np.array([patch_size(each) == usual for each in references])


def count_verdicts(verdict):
    """Return how many there are of each."""
    names = ("tissue", "background", "blur", "ink")
    return {name: int((verdict == name).sum()) for name in names}


def blurred(patches, sigma, noise, rng):
    """Return copies out of focus, as a camera with noise would see them."""
    soft = gaussian_filter(patches.astype(np.float32), (0, sigma, sigma, 0))
    soft += rng.normal(0, noise, soft.shape)
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)


def draw_stroke(rng, height, width):
    """Return where a straight stroke lies that passes through the middle half of a patch."""
    angle, across = rng.uniform(0, np.pi), rng.uniform(*WIDTHS) * min(height, width)
    row, column = rng.uniform(0.25, 0.75, 2) * (height, width)
    rows, columns = np.ogrid[:height, :width]
    distance = (rows - row) * np.cos(angle) - (columns - column) * np.sin(angle)
    return np.abs(distance) < across / 2


def paint(patch, pen, strength, rng):
    """Return a patch under a stroke: densities of ink and tissue add up, unless it is opaque."""
    stroke = draw_stroke(rng, *patch.shape[:2])
    ink = rgb_to_optical_density(PENS[pen]) * rng.uniform(1 - UNEVEN, 1 + UNEVEN)
    density = rgb_to_optical_density(patch)[stroke] * (strength != "opaque")
    painted = patch.copy()
    painted[stroke] = optical_density_to_rgb(density + STRENGTHS[strength] * ink)
    return painted


def share_called(verdict, tissue_filter, patches):
    """Return the share of patches that get a verdict."""
    return (tissue_filter.predict(patches) == verdict).mean()


def share_of_strokes(tissue_filter, patches, pen, strength):
    """Return the share called "ink" of patches under strokes, the same for all pens."""
    rng = np.random.default_rng(0)
    painted = np.stack([paint(patch, pen, strength, rng) for patch in patches])
    return share_called("ink", tissue_filter, painted)


def measure_set(references):
    """Return the verdicts on a data set, and on what was made of its patches of tissue."""
    tissue_filter = TissueFilter().fit(references)
    verdict, full = tissue_filter.predict(references), is_full_size(references)
    patches = read_patches(references[full & (verdict == "tissue")])
    print(count_verdicts(verdict[full]), flush=True)
    return {
        "max_blur": tissue_filter.max_blur_,
        "verdicts": count_verdicts(verdict[full]),
        "verdicts_at_borders": count_verdicts(verdict[~full]),
        "blur": {
            f"noise {noise}": {
                str(sigma): share_called(
                    "blur",
                    tissue_filter,
                    blurred(patches, sigma, noise, np.random.default_rng(sigma)),
                )
                for sigma in SIGMAS
            }
            for noise in (0, NOISE)
        },
        "ink": {
            pen: {each: share_of_strokes(tissue_filter, patches, pen, each) for each in STRENGTHS}
            for pen in PENS
        },
    }


def measure(data):
    """Return the findings by data set.

    Parameters
    ----------
    data : Path
        The folder of real patches.
    """
    return {name: measure_set(references) for name, references in data_sets(data).items()}
