from . import benchmarking as benchmarking
from . import color as color
from . import datasets as datasets
from . import evaluation as evaluation
from . import exceptions as exceptions
from . import export as export
from . import extraction as extraction
from . import inspection as inspection
from . import metrics as metrics
from . import model_card as model_card
from . import model_selection as model_selection
from . import networks as networks
from . import persistence as persistence
from . import plotting as plotting
from . import reading as reading
from . import references as references
from . import registry as registry
from . import report as report
from . import stain as stain
from . import texture as texture
from . import tissue as tissue
from .classifier import PatchCNNClassifier as PatchCNNClassifier
from .persistence import load as load
from .persistence import save as save
from .transfer import TransferFeatureExtractor as TransferFeatureExtractor

__version__: str
