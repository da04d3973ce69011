"""Ready models by name: baselines, frozen networks, and networks that are trained."""

import difflib
from functools import partial

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from skbreast.classifier import PatchCNNClassifier
from skbreast.registry import BACKBONES
from skbreast.texture import ColorFeatures, TextureFeatures
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["MODELS", "make_baselines", "make_model"]

STRENGTHS = [1e-4, 1e-3, 1e-2, 1e-1]
FINE_TUNED = "efficientnet_lite0"


def _dummy():
    return DummyClassifier(strategy="prior")


def _colour():
    return make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression(max_iter=1000))


def _texture(*, random_state=None):
    features = make_union(ColorFeatures(), TextureFeatures())
    return make_pipeline(features, HistGradientBoostingClassifier(random_state=random_state))


def _transfer(*, verbose=0, memory=None):
    features = TransferFeatureExtractor(verbose=verbose, memory=memory)
    return make_pipeline(features, StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def _tuned_transfer(*, verbose=0, memory=None):
    grid = {"logisticregression__C": STRENGTHS}
    model = _transfer(verbose=verbose, memory=memory)
    return GridSearchCV(model, grid, scoring="roc_auc_ovr", cv=StratifiedGroupKFold(3))


def _network(architecture, **options):
    given = {name: value for name, value in options.items() if value is not None}
    return PatchCNNClassifier(architecture, **given)


MODELS = {
    "dummy": (_dummy, "answers with the shares of the classes"),
    "colour": (_colour, "mean and deviation of the colours, logistic regression"),
    "texture": (_texture, "colours and texture, gradient boosting"),
    "transfer": (_transfer, "features of a frozen network, logistic regression"),
    "tuned-transfer": (_tuned_transfer, "the same, its C chosen by patients within the training"),
    "cnn": (partial(_network, "small"), "the small network, from scratch"),
    "resnet": (partial(_network, "resnet"), "the small residual network, from scratch"),
    "finetune": (partial(_network, FINE_TUNED), f"{FINE_TUNED}, fine-tuned"),
}
"""What each name stands for: a function that makes it, and what it is in a few words."""

_OPTIONS = {
    _texture: {"random_state"},
    _transfer: {"verbose", "memory"},
    _tuned_transfer: {"verbose", "memory"},
}
_NETWORK_OPTIONS = {"max_epochs", "random_state", "verbose", "input_size"}


def make_baselines():
    """Return what any model has to beat: a dummy, and colour alone.

    Returns
    -------
    dict of str to estimator
        Unfitted; "dummy" answers with the class shares, "colour" knows six numbers a patch.
    """
    return {name: make_model(name) for name in ("dummy", "colour")}


def make_model(
    name, *, max_epochs=None, random_state=None, verbose=0, memory=None, input_size=None
):
    """Return one of the ready models.

    Parameters
    ----------
    name : str
        "dummy": the shares of the classes; "colour": mean and deviation of the colours and
        logistic regression; "texture": these and texture, gradient boosting; "transfer": frozen
        features and logistic regression; "tuned-transfer": the same with C chosen in an inner
        cross-validation, by patients where `fit` gets `groups`; "cnn": the small network;
        "resnet"; "finetune": EfficientNet-Lite0, fine-tuned; or another backbone's name, which is
        fine-tuned.
    max_epochs : int, optional
        For the networks that are trained; by default the classifier's own.
    random_state : int, optional
        Seed of what draws.
    verbose : int, default=0
        1 shows the progress of networks.
    memory : str, path-like or FeatureStore, optional
        Where the frozen network's features are kept.
    input_size : int or (int, int), optional
        Size to which networks that are trained bring patches; by default that of the patches.

    Returns
    -------
    estimator
        Unfitted.

    Raises
    ------
    ValueError
        If there is no such model, or it has no epochs.

    Examples
    --------
    >>> from skbreast.evaluation import make_model
    >>> make_model("cnn", max_epochs=5)
    PatchCNNClassifier(max_epochs=5)
    """
    if name not in MODELS and name not in BACKBONES:
        known = (*MODELS, *BACKBONES)
        alike = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {alike[0]!r}?" if alike else ""
        raise ValueError(f"model must be one of {', '.join(known)}; got {name!r}.{hint}")
    make = MODELS[name][0] if name in MODELS else partial(_network, name)
    known = _NETWORK_OPTIONS if isinstance(make, partial) else _OPTIONS.get(make, set())
    if max_epochs is not None and "max_epochs" not in known:
        raise ValueError(f"epochs are for networks that are trained; the model {name!r} has none.")
    given = {
        "max_epochs": max_epochs,
        "random_state": random_state,
        "verbose": verbose,
        "memory": memory,
        "input_size": input_size,
    }
    return make(**{option: value for option, value in given.items() if option in known})
