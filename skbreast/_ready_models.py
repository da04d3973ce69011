"""Ready models by name: baselines, frozen networks, and networks that are trained."""

import difflib
from functools import partial

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skbreast.classifier import PatchCNNClassifier
from skbreast.registry import BACKBONES
from skbreast.stain import (
    MacenkoNormalizer,
    ReinhardNormalizer,
    StainJitter,
    VahadaneNormalizer,
)
from skbreast.texture import ColorFeatures, NucleiFeatures, PFTASFeatures, TextureFeatures
from skbreast.transfer import TransferFeatureExtractor

__all__ = ["MODELS", "make_baselines", "make_model"]

STRENGTHS = [1e-4, 1e-3, 1e-2, 1e-1]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FINE_TUNED = "efficientnet_lite0"


def _dummy():
    return DummyClassifier(strategy="prior")


def _colour():
    return make_pipeline(ColorFeatures(), StandardScaler(), LogisticRegression(max_iter=1000))


def _texture(*, random_state=None):
    colors = ColorFeatures(spaces=("rgb", "lab", "hed"), quantiles=QUANTILES)
    features = make_union(colors, TextureFeatures(), NucleiFeatures())
    return make_pipeline(features, HistGradientBoostingClassifier(random_state=random_state))


def _pftas_svm():
    # The published classifier knows no probabilities; these are fitted to its own scores, in folds
    # that know no patients: its ranks count, its probabilities less. C and gamma are the defaults.
    machine = CalibratedClassifierCV(SVC(), ensemble=False)
    return make_pipeline(PFTASFeatures(), StandardScaler(), machine)


def _pftas_forest(*, random_state=None):
    forest = RandomForestClassifier(500, random_state=random_state)
    return make_pipeline(PFTASFeatures(), forest)


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


def _jittered_cnn(**options):
    strengths = {"stain_sigma": 0.2, "stain_shift": 0.04, "brightness": 0.1, "contrast": 0.2}
    return _network("small", augment=StainJitter(stain_angle=5, **strengths), **options)


MODELS = {
    "dummy": (_dummy, "answers with the shares of the classes"),
    "colour": (_colour, "mean and deviation of the colours, logistic regression"),
    "texture": (_texture, "colours, texture and nuclei, gradient boosting"),
    "pftas-svm": (_pftas_svm, "Spanhol's features, support vector machine"),
    "pftas-forest": (_pftas_forest, "Spanhol's features, random forest"),
    "transfer": (_transfer, "features of a frozen network, logistic regression"),
    "tuned-transfer": (_tuned_transfer, "the same, its C chosen by patients within the training"),
    "cnn": (partial(_network, "small"), "the small network, from scratch"),
    "plain-cnn": (partial(_network, "small", augment="geometric"), "cnn without stain jitter"),
    "jittered-cnn": (_jittered_cnn, "cnn with four times the stain jitter"),
    "resnet": (partial(_network, "resnet"), "the small residual network, from scratch"),
    "finetune": (partial(_network, FINE_TUNED), f"{FINE_TUNED}, fine-tuned"),
}
"""What each name stands for: a function that makes it, and what it is in a few words."""

NORMALIZERS = {
    "reinhard": ReinhardNormalizer,
    "macenko": MacenkoNormalizer,
    "vahadane": VahadaneNormalizer,
    "reinhard_by_patient": partial(ReinhardNormalizer, per="group"),
    "macenko_by_patient": partial(MacenkoNormalizer, per="group"),
    "vahadane_by_patient": partial(VahadaneNormalizer, per="group"),
}
"""What may stand before a model's name and a dash: the stains are normalised first."""

_NETWORK_OPTIONS = {"max_epochs", "random_state", "verbose", "input_size", "checkpoint"}
_OPTIONS = {
    _jittered_cnn: _NETWORK_OPTIONS,
    _texture: {"random_state"},
    _pftas_forest: {"random_state"},
    _transfer: {"verbose", "memory"},
    _tuned_transfer: {"verbose", "memory"},
}


def make_baselines():
    """Return what any model has to beat: a dummy, and colour alone.

    Returns
    -------
    dict of str to estimator
        Unfitted; "dummy" answers with the class shares, "colour" knows six numbers a patch.
    """
    return {name: make_model(name) for name in ("dummy", "colour")}


def make_model(
    name,
    *,
    max_epochs=None,
    random_state=None,
    verbose=0,
    memory=None,
    input_size=None,
    checkpoint=None,
):
    """Return one of the ready models.

    Parameters
    ----------
    name : str
        "dummy": the shares of the classes; "colour": mean and deviation of the colours and
        logistic regression; "texture": colours, texture and nuclei, gradient boosting;
        "pftas-svm", "pftas-forest": the baselines of Spanhol 2016; "transfer": frozen features
        and logistic regression; "tuned-transfer": the same with C chosen in an inner
        cross-validation, by patients where `fit` gets `groups`; "cnn": the small network;
        "plain-cnn", "jittered-cnn": the same without, and with four times the stain jitter;
        "resnet"; "finetune": EfficientNet-Lite0, fine-tuned; or another backbone's name, which is
        fine-tuned. In front of any, "reinhard-", "macenko-" or "vahadane-" normalises the stain
        of each patch, "macenko_by_patient-" and the like that of each patient.
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
    checkpoint : path-like, optional
        Folder in which networks that are trained keep where they stand; needs a `random_state`.

    Returns
    -------
    estimator
        Unfitted.

    Raises
    ------
    ValueError
        If there is no such model, or it has no epochs or checkpoints.

    Examples
    --------
    >>> from skbreast.evaluation import make_model
    >>> make_model("cnn", max_epochs=5)
    PatchCNNClassifier(max_epochs=5)
    """
    normalizer, _, rest = str(name).partition("-")
    if normalizer in NORMALIZERS and rest.partition("-")[0] not in NORMALIZERS:
        model = make_model(
            rest,
            max_epochs=max_epochs,
            random_state=random_state,
            verbose=verbose,
            memory=memory,
            input_size=input_size,
            checkpoint=checkpoint,
        )
        steps = [each for _, each in model.steps] if isinstance(model, Pipeline) else [model]
        return make_pipeline(NORMALIZERS[normalizer](), *steps)
    if name not in MODELS and name not in BACKBONES:
        known = (*MODELS, *BACKBONES)
        alike = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {alike[0]!r}?" if alike else ""
        raise ValueError(
            f"model must be one of {', '.join(known)}, with {'-, '.join(NORMALIZERS)}- in front or "
            f"not; got {name!r}.{hint}"
        )
    make = MODELS[name][0] if name in MODELS else partial(_network, name)
    known = _NETWORK_OPTIONS if isinstance(make, partial) else _OPTIONS.get(make, set())
    if max_epochs is not None and "max_epochs" not in known:
        raise ValueError(f"epochs are for networks that are trained; the model {name!r} has none.")
    if checkpoint is not None and "checkpoint" not in known:
        raise ValueError(
            f"checkpoint is for networks that are trained; the model {name!r} has none."
        )
    given = {
        "max_epochs": max_epochs,
        "random_state": random_state,
        "verbose": verbose,
        "memory": memory,
        "input_size": input_size,
        "checkpoint": checkpoint,
    }
    return make(**{option: value for option, value in given.items() if option in known})
