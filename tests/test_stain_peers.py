"""Agreement with published code for the same methods, on real patches."""

import numpy as np
import pytest

from skbreast.color import (
    MACENKO_REFERENCE,
    ColorStatistics,
    color_statistics,
    exchange_colors,
    exchange_stains,
    macenko_stains,
)
from skbreast.datasets import load_breakhis, load_idc
from skbreast.reading import read_patches

normalizers = pytest.importorskip("torchstain.numpy.normalizers")

BETA = 0.15  # torchstain's least density, in natural logarithms, in any channel
SETS = {
    "IDC": lambda data: read_patches(load_idc(data / "IDC_regular_ps50_idx5").data[::50]),
    "BreakHis": lambda data: read_patches(
        load_breakhis(data / "BreaKHis_v1", magnification=200).data[::12]
    ),
}


@pytest.fixture(scope="module", params=SETS)
def patches(request, real_data):
    return SETS[request.param](real_data)


def test_macenko(patches):
    stains = macenko_stains(patches, min_density=BETA / np.log(10))
    ours = exchange_stains(patches, stains, MACENKO_REFERENCE, keep_residual=False)
    rows = np.flatnonzero(np.isfinite(stains.strengths[:, 0]))
    assert len(rows) > 0.7 * len(patches)
    angles, changes = [], []
    for row in rows:
        peer = normalizers.NumpyMacenkoNormalizer()
        theirs, _, _ = peer.normalize(patches[row], Io=240, beta=BETA, stains=False)
        changes.append(np.abs(theirs.astype(int) - ours[row]).mean())
        peer.fit(patches[row], Io=240, beta=BETA)
        vectors = peer.HERef.T / np.linalg.norm(peer.HERef.T, axis=1, keepdims=True)
        angles.append(np.degrees(np.arccos(np.clip((vectors * stains.vectors[row]).sum(1), -1, 1))))
    # It adds 1 to the light before the logarithm, and cuts off where we round.
    assert np.median(angles) < 0.3
    assert np.quantile(np.max(angles, axis=1), 0.98) < 2
    assert np.median(changes) < 1
    assert np.quantile(changes, 0.9) < 4


def test_reinhard(patches):
    statistics = color_statistics(patches)
    rows = np.flatnonzero(np.isfinite(statistics.means[:, 0]))
    target = ColorStatistics(*(each[rows[:1]] for each in statistics))
    ours = exchange_colors(patches, statistics, target)
    peer = normalizers.NumpyReinhardNormalizer()
    peer.fit(patches[rows[0]])
    for row in rows:
        change = peer.normalize(patches[row]).astype(int) - ours[row]
        # Half a grey level lies between cutting off and rounding. Large patches are measured on
        # some pixels.
        assert np.abs(change).mean() < 0.8
        assert np.quantile(np.abs(change), 0.99) <= 2
