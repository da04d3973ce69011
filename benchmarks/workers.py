"""Whether workers fight for cores: the same patches in one process and in two."""

from functools import partial

import numpy as np

from benchmarks.contest import Contest
from benchmarks.frozen import some_patches

SIDE, INPUT_SIZE = 50, 112


def extract(n, backend="loky", n_jobs=1, engine="auto"):
    """Compute features with joblib's workers."""
    import joblib

    from skbreast import TransferFeatureExtractor

    patches = some_patches(n, SIDE)
    extractor = TransferFeatureExtractor(input_size=INPUT_SIZE, engine=engine, n_jobs=n_jobs)
    if backend == "dask":
        from dask.distributed import Client

        globals()["client"] = Client(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None)
    if backend == "ray":
        import ray.util.joblib

        ray.util.joblib.register_ray()
        ray.init(num_cpus=n_jobs, log_to_driver=False)

    def work():
        with joblib.parallel_config(backend, n_jobs=n_jobs):
            extractor.fit_transform(patches)

    return work


def train(n, n_jobs):
    """Search four candidates for a small network in two folds."""
    from sklearn.model_selection import GridSearchCV

    from skbreast import PatchCNNClassifier

    grid = {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3]}
    model = PatchCNNClassifier(max_epochs=1, augment=None, random_state=0)
    search = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs, refit=False)
    return partial(search.fit, some_patches(n, SIDE), np.arange(n) % 2)


def contests(quick):
    """Yield extraction and training."""
    two = {"n_jobs": 2}
    extractions = {
        "one process": {},
        "2 processes of loky": two,
        "2 threads": {"backend": "threading"} | two,
        "2 workers of dask": {"backend": "dask"} | two,
        "2 workers of ray": {"backend": "ray"} | two,
    }
    keras = {name: {"engine": "keras"} | how for name, how in list(extractions.items())[:2]}
    note = (
        "Nothing is gained on one machine, whose cores one process uses already; nor is it lost. "
        "Ray starts its workers in each call, which takes it two seconds."
    )
    yield Contest("features with workers", _sides("extract", extractions, 1024), 1024, note=note)
    if not quick:
        title = "features with workers, engine='keras'"
        yield Contest(title, _sides("extract", keras, 1024), 1024)
        searches = {"one process": {"n_jobs": 1}, "2 processes of loky": two}
        yield Contest("trainings with workers", _sides("train", searches, 1024), 1024)


def _sides(function, hows, n):
    return {name: (f"benchmarks.workers:{function}", {"n": n} | how) for name, how in hows.items()}
