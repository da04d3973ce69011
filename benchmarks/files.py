"""Features from files: ours beside pure decoding, and beside Keras' own reading of folders."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from skbreast.datasets import make_patches

N_THREADS = 2


@cache
def written(n, height, width):
    """Write invented patches of a size as PNG and return their paths."""
    folder = Path(tempfile.mkdtemp(), "one_class")
    folder.mkdir()
    side = max(height, width)
    patches = make_patches(4, 4, patch_size=side, random_state=0).data[:, :height, :width]
    paths = [str(folder / f"{number}.png") for number in range(n)]
    for number, path in enumerate(paths):
        Image.fromarray(patches[number % len(patches)]).save(path)
    return np.array(paths)


def ours(n, height, width, **parameters):
    """Transform references with `TransferFeatureExtractor`."""
    from skbreast import TransferFeatureExtractor

    extractor = TransferFeatureExtractor(weights=None, random_state=0, **parameters)
    return partial(extractor.fit_transform, written(n, height, width))


def decode(n, height, width):
    """Only decode, on all cores."""
    from skbreast.reading import read_patch

    paths = written(n, height, width)

    def work():
        with ThreadPoolExecutor(N_THREADS) as pool:
            list(pool.map(lambda part: [read_patch(path) for path in part], np.split(paths, 16)))

    return work


def network_alone(n, height, width, **parameters):
    """Only run the network, on pixels of its own size."""
    from skbreast import TransferFeatureExtractor

    side = parameters["input_size"]
    patches = np.random.default_rng(0).integers(256, size=(n, side, side, 3)).astype(np.uint8)
    extractor = TransferFeatureExtractor(weights=None, random_state=0, **parameters)
    return partial(extractor.fit_transform, patches)


def keras_folder(n, height, width, input_size, backbone="efficientnet_lite0"):
    """Read with `image_dataset_from_directory` and call `keras.Model.predict`."""
    import skbreast._keras  # noqa: F401, I001
    import keras

    from skbreast._keras.frozen import get_frozen
    from skbreast._recipes import Recipe
    from skbreast.registry import get_backbone

    row = get_backbone(backbone)
    recipe = Recipe(backbone, None, row.middle_blocks, "avg", row.preprocessing, 0)
    model, folder = get_frozen(recipe).model, Path(written(n, height, width)[0]).parents[1]

    def work():
        images = keras.utils.image_dataset_from_directory(
            folder, image_size=(input_size, input_size), batch_size=64, shuffle=False, verbose=False
        )
        model.predict(images.map(lambda pixels, _: pixels), verbose=0)

    return work


def contests(quick):
    """Yield ``(title, sides, number of patches)``."""
    for height, width, n, side in ((50, 50, 2048, 112), (460, 700, 192, 224)):
        size = {"n": n, "height": height, "width": width}
        run = size | {"input_size": side}
        yield (
            f"from PNG files of {width} x {height} pixels, efficientnet_lite0 at {side}",
            {
                "TransferFeatureExtractor()": (
                    "benchmarks.files:ours",
                    run,
                ),
                "decoding alone, 2 threads": ("benchmarks.files:decode", size),
                "the network alone": ("benchmarks.files:network_alone", run),
                "image_dataset_from_directory and keras.Model.predict": (
                    "benchmarks.files:keras_folder",
                    size | {"input_size": side},
                ),
            },
            n,
        )
        if quick:
            return
