"""Features from files: ours beside pure decoding, and beside Keras' own reading of folders."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.contest import Contest
from benchmarks.frozen import TIMM_NAMES, embetter_encoder
from skbreast.datasets import make_patches
from skbreast.reading import read_patch

N_THREADS = 2


@cache
def _scratch():
    """Return a folder that goes when the process ends."""
    return tempfile.TemporaryDirectory()


@cache
def written(n, height, width):
    """Write invented patches of a size as PNG and return their paths."""
    folder = Path(_scratch().name, f"{n} of {height} x {width}", "one_class")
    folder.mkdir(parents=True)
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


def decode(n, height, width, how="read_patch"):
    """Only decode, on all cores."""
    paths, read = written(n, height, width), READERS[how]

    def work():
        with ThreadPoolExecutor(N_THREADS) as pool:
            list(pool.map(lambda part: [read(path) for path in part], np.split(paths, 16)))

    return work


def _with_pillow(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _with_opencv(path):
    import cv2

    cv2.setNumThreads(1)
    return cv2.imread(path, cv2.IMREAD_COLOR_RGB)


READERS = {"read_patch": read_patch, "Pillow": _with_pillow, "OpenCV": _with_opencv}


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


def torch_loader(n, height, width, input_size):
    """Read with a `DataLoader` of two workers and run the network of timm."""
    import timm
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Files(Dataset):
        paths = written(n, height, width)

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            with Image.open(self.paths[index]) as image:
                pixels = image.resize((input_size, input_size), Image.Resampling.BILINEAR)
            return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)

    model = timm.create_model(TIMM_NAMES["efficientnet_lite0"], pretrained=False, num_classes=0)
    model = model.eval().to(memory_format=torch.channels_last)
    loader = DataLoader(Files(), batch_size=64, num_workers=N_THREADS)

    def work():
        with torch.inference_mode():
            for batch in loader:
                model((batch.float() - 127.5) / 127.5)

    return work


def embetter_files(n, height, width):
    """Read with embetter's loader and encode with its encoder, which takes 224 pixels."""
    from embetter.vision import ImageLoader
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(ImageLoader(), embetter_encoder("efficientnet_lite0"))
    return partial(model.fit_transform, list(written(n, height, width)))


# height, width, patches, side of the network's input
SIZES = ((50, 50, 2048, 112), (460, 700, 512, 64), (460, 700, 512, 224))


def contests(quick):
    """Yield a contest for each size of files."""
    for height, width, n, side in SIZES[: 2 if quick else None]:
        size = {"n": n, "height": height, "width": width}
        run = size | {"input_size": side}
        sides = {
            "TransferFeatureExtractor()": ("ours", run),
            "decoding alone, read_patch": ("decode", size),
            "decoding alone, Pillow": ("decode", size | {"how": "Pillow"}),
            "decoding alone, OpenCV": ("decode", size | {"how": "OpenCV"}),
            "the network alone": ("network_alone", run),
            "image_dataset_from_directory, keras.Model.predict": ("keras_folder", run),
            "torch + timm, DataLoader": ("torch_loader", run),
        }
        if side == 224:  # embetter's encoder knows no other
            sides["embetter"] = ("embetter_files", size | {"n": 32})
        yield Contest(
            f"PNG files of {width} x {height} pixels, efficientnet_lite0 at {side}",
            {
                name: (f"benchmarks.files:{function}", how)
                for name, (function, how) in sides.items()
            },
            n,
            wanted={"decoding alone, read_patch": 0.9} if side == 64 else {},
            note="Decoding alone takes both cores, in threads, as does the network alone; what is "
            "lost to decoding alone is what resizing and the network take of the same cores. "
            "`read_patch` decodes with imagecodecs where it is installed, as here.",
        )
