"""Features of frozen networks, from arrays: ours, and what one would otherwise take."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.contest import Contest

BATCH = 64
TIMM_NAMES = {
    "efficientnet_lite0": "tf_efficientnet_lite0",
    "resnet50": "resnet50",
    "densenet121": "densenet121",
}


def some_patches(n, side):
    """Return random pixels: what they show does not matter to a network's speed."""
    return np.random.default_rng(0).integers(256, size=(n, side, side, 3)).astype(np.uint8)


def ours(backbone, n, side, **parameters):
    """Transform an array with `TransferFeatureExtractor`."""
    from skbreast import TransferFeatureExtractor

    extractor = TransferFeatureExtractor(
        backbone, weights=None, layers="last", input_size=side, random_state=0, **parameters
    )
    return partial(extractor.fit_transform, some_patches(n, side))


def _keras_model(backbone, side):
    import skbreast._keras  # noqa: F401 - starts Keras without its greetings
    from skbreast._keras.frozen import get_frozen
    from skbreast._recipes import Recipe
    from skbreast.registry import get_backbone

    preprocessing = get_backbone(backbone).preprocessing
    return get_frozen(Recipe(backbone, None, ("last",), "avg", preprocessing, 0)).model


def keras_predict(backbone, n, side):
    """Call `keras.Model.predict`."""
    model, patches = _keras_model(backbone, side), some_patches(n, side)
    return partial(model.predict, patches, batch_size=BATCH, verbose=0)


def openvino_loop(backbone, n, side, precision="bf16", batch=16):
    """Run the same graph with OpenVINO's own queue of requests, and nothing around it."""
    import openvino

    from skbreast._open_engines import get_engine
    from skbreast._recipes import Recipe
    from skbreast.registry import get_backbone
    from skbreast.transfer import _write

    preprocessing = get_backbone(backbone).preprocessing
    recipe = Recipe(backbone, None, ("last",), "avg", preprocessing, 0)
    graph = get_engine(recipe, "openvino", "float32", partial(_write, recipe))._graph.clone()
    graph.reshape([batch, side, side, 3])
    entry = openvino.preprocess.PrePostProcessor(graph)
    entry.input().tensor().set_element_type(openvino.Type.u8)
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
    queue = openvino.AsyncInferQueue(
        openvino.Core().compile_model(entry.build(), "CPU", options), 4
    )
    patches, results = some_patches(n, side), [None] * (n // batch)

    def take(request, number):
        results[number] = request.get_output_tensor(0).data.copy()

    queue.set_callback(take)

    def work():
        for number in range(n // batch):
            queue.start_async({0: patches[number * batch : (number + 1) * batch]}, number)
        queue.wait_all()
        return np.concatenate(results)

    return work


def onnxruntime_loop(backbone, n, side):
    """Run the same graph with ONNX Runtime, batch by batch."""
    import onnxruntime
    import tf2onnx  # noqa: F401 - so that it counts as missing before anything is built

    from skbreast._keras.export import WRITERS

    scratch = tempfile.TemporaryDirectory()
    path = Path(scratch.name, "graph.onnx")
    from skbreast._keras.frozen import get_frozen
    from skbreast._recipes import Recipe
    from skbreast.registry import get_backbone

    preprocessing = get_backbone(backbone).preprocessing
    WRITERS["onnxruntime"](
        get_frozen(Recipe(backbone, None, ("last",), "avg", preprocessing, 0)), path
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name, patches = session.get_inputs()[0].name, some_patches(n, side)

    def work():
        for start in range(0, n, BATCH):
            session.run(None, {name: patches[start : start + BATCH].astype(np.float32)})

    return work


def torch_timm(backbone, n, side, bfloat16=False):
    """Run the network of timm by the same name."""
    import timm
    import torch

    model = timm.create_model(TIMM_NAMES[backbone], pretrained=False, num_classes=0).eval()
    model = model.to(memory_format=torch.channels_last)
    patches = some_patches(n, side)

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            for start in range(0, n, BATCH):
                batch = torch.from_numpy(patches[start : start + BATCH]).permute(0, 3, 1, 2)
                model((batch.float() - 127.5) / 127.5)

    return work


def embetter_encoder(backbone):
    """Return embetter's encoder around a network of timm."""
    import embetter.vision
    import timm

    create = timm.create_model
    # Its constructor downloads weights; random ones are as fast.
    timm.create_model = lambda *args, **kwargs: create(*args, **kwargs | {"pretrained": False})
    encoder = embetter.vision.TimmEncoder(TIMM_NAMES[backbone])
    timm.create_model = create
    return encoder


def embetter(backbone, n, side):
    """Encode pictures with embetter's encoder, which takes them one by one."""
    from PIL import Image

    encoder = embetter_encoder(backbone)
    pictures = [Image.fromarray(patch) for patch in some_patches(n, side)]
    return partial(encoder.transform, pictures)


SIDES = {
    "TransferFeatureExtractor()": "ours",
    'TransferFeatureExtractor(engine="keras")': "ours",
    "a bare OpenVINO loop": "openvino_loop",
    "ONNX Runtime": "onnxruntime_loop",
    "keras.Model.predict": "keras_predict",
    "torch + timm": "torch_timm",
    "torch + timm, bfloat16": "torch_timm",
    "embetter": "embetter",
}
OPTIONS = {
    'TransferFeatureExtractor(engine="keras")': {"engine": "keras"},
    "torch + timm, bfloat16": {"bfloat16": True},
    "embetter": {"n": 32},  # it takes a minute for a thousand
}
# backbone, side, patches, times as fast as keras.Model.predict that is wanted
SIZES = (
    ("efficientnet_lite0", 112, 1024, 4.5),
    ("efficientnet_lite0", 224, 512, 4.5),
    ("resnet50", 224, 128, 6),
    ("densenet121", 224, 128, 4.5),
)
NOTE = (
    "What is wanted beside `keras.Model.predict` is for processors with AMX. With AVX512-BF16 "
    "alone bfloat16 is at most twice as fast as float32, and the bare loop shows where its limit "
    "lies. embetter encodes patches one by one."
)


def contests(quick):
    """Yield a contest for each network."""
    for backbone, side, n, times in SIZES[:1] if quick else SIZES:
        arguments = {"backbone": backbone, "n": n, "side": side}
        sides = {
            name: (f"benchmarks.frozen:{function}", arguments | OPTIONS.get(name, {}))
            for name, function in SIDES.items()
        }
        wanted = {"keras.Model.predict": times, "a bare OpenVINO loop": 0.9}
        title = f"frozen features: {backbone}, {side} x {side} pixels"
        yield Contest(title, sides, n, wanted=wanted, note=NOTE)
