"""Searches: over what follows the features, and over a network trained anew for each candidate."""

import tempfile
from functools import partial

import numpy as np

from benchmarks.contest import Contest
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


def network_search(how):
    """Train 37 times; one training before it starts everything up."""
    from sklearn.model_selection import GridSearchCV

    from skbreast.datasets import make_patches

    bunch = make_patches(16, 8, patch_size=24, mpp=1.0, random_state=0)
    model, rate = NETWORKS[how]()
    grid = {rate: [10**-n for n in range(1, 7)], "batch_size": [16, 32]}
    model.fit(bunch.data, bunch.target).predict(bunch.data)
    return partial(GridSearchCV(model, grid, cv=3).fit, bunch.data, bunch.target)


def _ours(architecture):
    from skbreast import PatchCNNClassifier

    model = PatchCNNClassifier(architecture, max_epochs=1, augment=None, precision="float32")
    return model, "learning_rate"


def _by_function():
    from skbreast.networks import build_network

    return _ours(partial(build_network, "small"))


def _scikeras():
    from benchmarks.training import tagged_scikeras

    return tagged_scikeras(24, batch_size=16, epochs=1), "optimizer__learning_rate"


def _plain_wrapper():
    """Wrap Keras as one does by hand: a network built and compiled in every fit."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    from skbreast.networks import build_network

    class PlainWrapper(ClassifierMixin, BaseEstimator):
        def __init__(self, learning_rate=1e-3, batch_size=16):
            self.learning_rate = learning_rate
            self.batch_size = batch_size

        def fit(self, X, y):
            import keras

            self.classes_ = np.unique(y)
            self.model_ = build_network("small", X.shape[1:], len(self.classes_))
            optimizer = keras.optimizers.AdamW(self.learning_rate)
            self.model_.compile(optimizer, loss="sparse_categorical_crossentropy")
            self.model_.fit(X, y, batch_size=self.batch_size, epochs=1, verbose=0)
            return self

        def predict(self, X):
            return self.classes_[self.model_.predict(X, verbose=0).argmax(axis=1)]

    return PlainWrapper(), "learning_rate"


NETWORKS = {
    "PatchCNNClassifier()": partial(_ours, "small"),
    "PatchCNNClassifier(a function)": _by_function,
    "scikeras": _scikeras,
    "a plain wrapper of Keras": _plain_wrapper,
}


def contests(quick):
    """Yield both searches."""
    hows = {
        "TransferFeatureExtractor(memory=folder)": "store",
        "Pipeline(memory=folder)": "pipeline",
        "no memory": "bare",
        'no memory, engine="keras"': "keras",
    }
    if quick:
        hows.popitem()
    yield Contest(
        f"search of {CANDIDATES} candidates in {FOLDS} folds over {N_PATCHES} patches",
        _sides("transfer_search", hows),
        1,
        wanted={"no memory": 10, "Pipeline(memory=folder)": 3},
    )
    networks = {name: name for name in (*NETWORKS,)[: 2 if quick else None]}
    yield Contest(
        "search that trains a small network 37 times",
        _sides("network_search", networks),
        1,
        wanted={"scikeras": 6},
        allowed={"growth": 30},
        note="All train the network of `skbreast.networks.build_network`. Keras keeps about 30 kB "
        "for each variable ever made, and a function of the user's has to be called in every fit.",
    )


def _sides(function, hows):
    return {name: (f"benchmarks.searches:{function}", {"how": how}) for name, how in hows.items()}
