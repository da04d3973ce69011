from . import (
    datasets as datasets,
    metrics as metrics,
    model_selection as model_selection,
    reading as reading,
    references as references,
    registry as registry,
    texture as texture,
)
from .classifier import PatchCNNClassifier as PatchCNNClassifier
from .transfer import TransferFeatureExtractor as TransferFeatureExtractor

__version__: str
