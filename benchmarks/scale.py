"""What extraction to files costs as patches grow: time and memory a patch, here and on a cluster.

``python -m benchmarks.scale`` measures 1,000 to 100,000 patches; ``--simulate 100000000`` sends so
many references through the bookkeeping and a cluster whose workers compute nothing. Both print
tables for ``docs/scaling.rst``.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZES = (1_000, 10_000, 100_000)
N_FILES, SIDE, CHUNK = 1_000, 50, 1_000
MB = 2**20


def memory():
    """Return resident bytes of this process, now and at most since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return [int(values[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")]


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def make_files(folder):
    from skimage.io import imsave

    rng = np.random.default_rng(0)
    for number in range(N_FILES):
        patch = rng.integers(100, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        imsave(folder / f"{number}.png", patch, check_contrast=False)


def references(folder, n):
    return np.array([f"{folder}/{number % N_FILES}.png" for number in range(n)], dtype=object)


def extract(folder, n, ending, scheduler=None):
    from skbreast import TransferFeatureExtractor
    from skbreast.extraction import extract_features

    extractor = TransferFeatureExtractor(layers="block2", input_size=32)
    names = references(folder, n)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, f"features.{ending}")
        wall, cpu = time.perf_counter(), time.process_time()
        extract_features(
            extractor, names, out, y=np.zeros(n, int), groups=names, chunk_size=CHUNK,
            scheduler=scheduler,
        )  # fmt: skip
        spent = time.perf_counter() - wall, time.process_time() - cpu
        files = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
        about = out / ("zarr.json" if ending == "zarr" else "_skbreast.json")
        return *spent, sum(files), len(files), about.stat().st_size


def child(folder, n, ending):
    """Measure one run in a process of its own, after its first chunk."""
    extract(folder, CHUNK, ending)
    before, _ = memory()
    forget_peak()
    wall, cpu, n_bytes, n_files, about = extract(folder, n, ending)
    row = {"wall": wall, "cpu": cpu, "before": before, "peak": memory()[1]}
    print(json.dumps(row | {"bytes": n_bytes, "files": n_files, "about": about}))


def here(folder, repeats, ending):
    print(f"\nhere, {ending}: patches, ms of CPU a patch, ms, peak MB, grown MB, files, manifest")
    for n in SIZES:
        rows = []
        for _ in range(repeats):
            call = [sys.executable, "-m", "benchmarks.scale", "--child", folder, str(n), ending]
            rows.append(json.loads(subprocess.check_output(call, text=True).splitlines()[-1]))
        median = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        grown = median["peak"] - median["before"]
        print(
            f"{n:>9,} {1000 * median['cpu'] / n:6.2f} {1000 * median['wall'] / n:6.2f} "
            f"{median['peak'] / MB:6.0f} {grown / MB:6.1f} {median['files']:.0f} "
            f"{median['about']:.0f} bytes/patch {median['bytes'] / n:.0f}",
            flush=True,
        )


def on_cluster(folder):
    import os

    from distributed import Client, LocalCluster

    def used():
        # the status of a worker, and the seconds that its processors spent
        return max(memory()), sum(os.times()[:2])

    print("\n2 workers: patches, ms a patch (CPU of workers), ms (wall), peak MB of each worker")
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        extract(folder, 4 * CHUNK, "zarr", client)
        for n in SIZES:
            client.run(forget_peak)
            before = client.run(used)
            wall, *_ = extract(folder, n, "zarr", client)
            after = client.run(used)
            cpu = sum(after[key][1] - before[key][1] for key in after)
            peaks = " and ".join(f"{after[key][0] / MB:.0f}" for key in after)
            print(f"{n:>9,} {1000 * cpu / n:6.2f} {1000 * wall / n:6.2f}  {peaks}", flush=True)


def simulate(n, chunk_size, n_names):
    """Send references through checks, digests and a cluster that computes nothing."""
    from distributed import Client, LocalCluster

    from skbreast import _chunk_runs, _extraction_about, extraction
    from skbreast._feature_files import ParquetFiles

    class Nothing(_chunk_runs.ChunkWork):
        def run(self, number, columns):
            Path(self.folder, f"chunk-{number:06d}.parquet").touch()
            return 0

    def step(name):
        nonlocal start
        now, peak = memory()
        seconds = time.perf_counter() - start
        print(
            f"{name:>30}: {seconds:8.1f} s, {now / MB:8.0f} MB, peak {peak / MB:8.0f}", flush=True
        )
        start = time.perf_counter()

    start = time.perf_counter()
    step("start")
    folder = "/a/folder/of/patches/with/a/name/of/usual/length/10253/0"
    several = [f"{folder}/10253_idx5_x{n}_class0.png" for n in range(min(n, n_names))]
    names = np.resize(np.array(several, dtype=object), n)
    step(f"{n:,} references")
    columns = _extraction_about.check_columns(names, None, None)
    step("checked")
    _extraction_about.digest(columns["references"])
    step("digest")
    with tempfile.TemporaryDirectory() as place:
        about = {"n_patches": n, "chunk_size": chunk_size}
        work = Nothing(None, ParquetFiles(place), about, place, "raise")
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
        with cluster, Client(cluster) as client:
            step("cluster")
            extraction._finish(work, columns, client, False)
            step(f"{len(work.files.done()):,} chunks sent and done")
            peaks = client.run(memory)
            print("workers:", [round(peak / MB) for _, peak in peaks.values()], "MB at most")
        work.files.done()
        step("cluster closed, chunks listed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", nargs=3)
    parser.add_argument("--simulate", type=int)
    parser.add_argument("--names", type=int, default=10**7, help="of files, in a simulation")
    parser.add_argument("--chunk", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.child:
        folder, n, ending = options.child
        return child(folder, int(n), ending)
    if options.simulate:
        return simulate(options.simulate, options.chunk, options.names)
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        here(folder, options.repeats, "zarr")
        here(folder, 1, "parquet")
        on_cluster(folder)
    return None


if __name__ == "__main__":
    main()
