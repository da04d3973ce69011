"""Training: two epochs of one and the same small network, ours and wrapped by others."""

from functools import partial

import numpy as np

from benchmarks.contest import Contest
from benchmarks.frozen import some_patches

SIDE, BATCH, EPOCHS = 50, 64, 2


def _data(size):
    return some_patches(size, SIDE), np.arange(size) % 2


def ours(size, **parameters):
    """Fit `PatchCNNClassifier`."""
    from skbreast import PatchCNNClassifier

    model = PatchCNNClassifier(
        max_epochs=EPOCHS, batch_size=BATCH, augment=None, random_state=0, **parameters
    )
    return partial(model.fit, *_data(size))


def plain_keras(size):
    """Compile the same network once and call its `fit`."""
    import skbreast._keras  # noqa: F401
    from skbreast.networks import build_network

    model = build_network("small", (SIDE, SIDE, 3), 2)
    model.compile("adamw", loss="sparse_categorical_crossentropy")
    return partial(model.fit, *_data(size), batch_size=BATCH, epochs=EPOCHS, verbose=0)


def tagged_scikeras(side, **parameters):
    """Return scikeras' classifier around the same network, with the tags that scikit-learn asks."""
    from scikeras.wrappers import KerasClassifier
    from sklearn.utils import ClassifierTags

    from skbreast.networks import build_network

    class Tagged(KerasClassifier):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
            return tags

    return Tagged(
        build_network,
        model__architecture="small",
        model__input_shape=(side, side, 3),
        model__n_classes=2,
        loss="sparse_categorical_crossentropy",
        optimizer="adamw",
        optimizer__learning_rate=1e-3,
        verbose=0,
        **parameters,
    )


def scikeras(size):
    """Fit scikeras' classifier."""
    model = tagged_scikeras(SIDE, batch_size=BATCH, epochs=EPOCHS)
    return partial(model.fit, *_data(size))


def skorch(size):
    """Fit skorch's classifier around the same network, written for torch."""
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            layers, width = [], 6
            for number, filters in enumerate((32, 64, 128, 256)):
                layers += [nn.MaxPool2d(2)] if number else []
                layers += [
                    nn.Conv2d(width, filters, 3, padding=1, bias=False),
                    nn.BatchNorm2d(filters),
                    nn.ReLU(),
                ]
                width = filters
            self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.own, self.head = nn.InstanceNorm2d(3), nn.Linear(width, 2)

        def forward(self, x):
            x = (x.float() - 128) / 64
            return self.head(self.body(torch.cat([x, self.own(x)], dim=1)))

    model = NeuralNetClassifier(
        Small,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=1e-3,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        train_split=None,
        verbose=0,
    )
    X, y = _data(size)
    return partial(model.fit, np.ascontiguousarray(np.moveaxis(X, 3, 1)).astype(np.float32), y)


def contests(quick):
    """Yield the contest."""
    size = 512 if quick else 2048
    sides = {
        "PatchCNNClassifier()": ("benchmarks.training:ours", {"size": size}),
        'PatchCNNClassifier(precision="float32")': (
            "benchmarks.training:ours",
            {"size": size, "precision": "float32"},
        ),
        "keras.Model.fit": ("benchmarks.training:plain_keras", {"size": size}),
        "scikeras": ("benchmarks.training:scikeras", {"size": size}),
        "skorch": ("benchmarks.training:skorch", {"size": size}),
    }
    title = f"{EPOCHS} epochs of the small network on {SIDE} x {SIDE} pixels"
    wanted = {"keras.Model.fit": 2.5, "scikeras": 2.5, "skorch": 4}
    note = (
        "What is wanted is for processors with AMX. With AVX512-BF16 alone bfloat16 is at most "
        "twice as fast as float32, and nine tenths of a step are convolutions. All sides train the "
        "same network; skorch's is written for torch and computes in float32."
    )
    yield Contest(title, sides, EPOCHS * size, wanted=wanted, note=note)
