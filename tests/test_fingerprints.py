"""What tells patches and files apart."""

import os
import time

import numpy as np
import pytest

from skbreast._fingerprints import (
    digest_array,
    digest_file,
    digest_patches,
    file_state,
    patch_files,
    reference_state,
)

LONG_AGO = time.time() - 3600


def test_digests_tell_pixels_shape_and_dtype_apart():
    patch = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    same = digest_array(patch)
    assert len(same) == 20
    assert digest_array(np.asfortranarray(patch)) == same
    assert digest_array(patch[::-1][::-1]) == same
    changed = patch.copy()
    changed[3, 3, 2] += 1
    others = [changed, patch.reshape(2, 8, 3), patch.astype(np.float32), patch.view(np.int8)]
    assert len({same, *map(digest_array, others)}) == 5


def test_digest_of_a_file_notices_a_change(tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"first")
    first = digest_file(path)
    assert first == digest_file(str(path))
    path.write_bytes(b"other")
    assert digest_file(path) != first
    assert file_state(tmp_path / "none") is None


def test_state_of_a_reference(tmp_path, monkeypatch):
    path = tmp_path / "patch.png"
    path.write_bytes(b"pixels")
    monkeypatch.chdir(tmp_path)
    assert reference_state("patch.png") == (str(path), None)  # it might change within a tick
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 10 * 10**9)
    name, state = reference_state("patch.png")
    assert (name, state) == reference_state(str(path))
    os.utime(path, (LONG_AGO, LONG_AGO))
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 10 * 10**9)
    assert reference_state(str(path))[1] not in (None, state)


def test_rows_of_a_file_have_names_of_their_own(tmp_path):
    names = {reference_state(f"{tmp_path}/cohort.h5#{row}")[0] for row in range(3)}
    assert names == {f"{tmp_path}/cohort.h5#{row}" for row in range(3)}
    assert reference_state(f"{tmp_path}/cohort.h5#0")[1] is None


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_names_that_are_no_text(tmp_path):
    reference = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")
    reference_state(reference)[0].encode("utf-8")


def test_digests_of_references_know_names_sizes_and_times(tmp_path):
    paths = [tmp_path / "a.h5", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(b"pixels")
        os.utime(path, (1, 1))
    references = [f"{paths[0]}#1", f"{paths[0]}#0", str(paths[1]), str(tmp_path / "none.png")]
    states = [(str(path), (6, 10**9)) for path in paths]
    assert patch_files(references) == [*states, (str(tmp_path / "none.png"), None)]
    digests = [digest_patches(references), digest_patches(references[::-1])]
    os.utime(paths[0], (1, 2))
    digests.append(digest_patches(references))
    paths[1].write_bytes(b"other pixels")
    os.utime(paths[1], (1, 1))
    digests.append(digest_patches(references))
    assert len(set(digests)) == 4
    patch = np.zeros((1, 2, 2, 3), np.uint8)
    assert digest_patches(patch) == digest_array(patch).hex()
