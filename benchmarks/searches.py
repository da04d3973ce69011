"""A search over what follows the features: with the store, with Pipeline(memory=), and bare."""

import tempfile

import numpy as np

from benchmarks.frozen import some_patches

N_PATCHES, SIDE, FOLDS, CANDIDATES = 300, 50, 5, 10


def transfer_search(how):
    """Search ten candidates in five folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    from skbreast import TransferFeatureExtractor

    X, y = some_patches(N_PATCHES, SIDE), np.arange(N_PATCHES) % 2
    engine = "keras" if how == "keras" else "auto"

    def work():
        with tempfile.TemporaryDirectory() as folder:
            features = TransferFeatureExtractor(
                engine=engine, memory=folder if how == "store" else None
            )
            classifier = LogisticRegression(C=0.01, max_iter=50)
            pipe = Pipeline(
                [("features", features), ("classifier", classifier)],
                memory=folder if how == "pipeline" else None,
            )
            grid = {"classifier__C": np.logspace(-6, -2, CANDIDATES)}
            GridSearchCV(pipe, grid, cv=FOLDS).fit(X, y)

    return work


def contests(quick):
    """Yield ``(title, sides, number of patches)``."""
    sides = {
        "TransferFeatureExtractor(memory=folder)": "store",
        "Pipeline(memory=folder)": "pipeline",
        "no memory": "bare",
        'no memory, engine="keras"': "keras",
    }
    if quick:
        sides.popitem()
    title = f"search of {CANDIDATES} candidates in {FOLDS} folds over {N_PATCHES} patches"
    yield (
        title,
        {
            name: ("benchmarks.searches:transfer_search", {"how": how})
            for name, how in sides.items()
        },
        N_PATCHES,
    )
