"""Save and load fitted estimators as plain data: no pickle, nothing that can run."""

import zipfile
from pathlib import Path, PosixPath, WindowsPath

import skops.io

from skbreast._files import written_whole

__all__ = ["load", "save"]

_PATHS = (PosixPath, WindowsPath)  # what `weights` may be
TRUSTED = (
    "skbreast.classifier.PatchCNNClassifier",
    "skbreast.feature_store.FeatureStore",
    "skbreast.model_selection._threshold.SensitivityThresholdClassifierCV",
    "skbreast.reading.PatchReader",
    "skbreast.stain.MacenkoNormalizer",
    "skbreast.stain.ReinhardNormalizer",
    "skbreast.stain.StainJitter",
    "skbreast.stain.VahadaneNormalizer",
    "skbreast.texture.ColorFeatures",
    "skbreast.texture.NucleiFeatures",
    "skbreast.texture.PFTASFeatures",
    "skbreast.texture.TextureFeatures",
    "skbreast.tissue.TissueFilter",
    "skbreast.transfer.TransferFeatureExtractor",
    *(f"{path.__module__}.{path.__name__}" for path in _PATHS),
)
"""Our own classes, and paths; skops itself trusts those of scikit-learn, numpy and scipy."""


def save(estimator, path):
    """Save a fitted estimator, a pipeline, or a dict of them.

    The file is a skops archive: a schema and arrays, written beside its target, read back, and
    moved into place, so that no half-written file ever bears the name.

    Parameters
    ----------
    estimator : estimator or dict of str to estimator
        What to save.
    path : str or path-like
        The file to write, by convention ``*.skops``.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If it holds what cannot be saved as plain data, such as a function, a Keras network, or a
        forest of scikit-learn.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbreast.persistence import load, save
    >>> from skbreast.texture import ColorFeatures
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(ColorFeatures(), Path(folder) / "colour.skops")
    ...     load(path)
    ColorFeatures()
    """
    path = Path(path)
    with written_whole(path) as part:
        try:
            skops.io.dump(estimator, part, compression=zipfile.ZIP_DEFLATED)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"{path} cannot be written: {error}.") from error
        _check_types(part, path)
        skops.io.load(part, trusted=list(TRUSTED))  # what cannot be read back is not kept
    return path


def load(path):
    """Load what :func:`save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator or dict of str to estimator
        As it was saved.

    Raises
    ------
    ValueError
        If the file is no such archive, is damaged, or names a type that is not known to be data.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    if path.suffix in (".pkl", ".pickle", ".joblib", ".keras", ".h5"):
        raise ValueError(
            f"{path} can run code when it is loaded, so it is not opened; models are *.skops "
            "files written by skbreast.persistence.save."
        )
    with path.open("rb") as file:
        is_archive = zipfile.is_zipfile(file)
    if not is_archive:
        raise ValueError(f"{path} is no model file: a *.skops archive is expected.")
    _check_types(path, path)
    try:
        return skops.io.load(path, trusted=list(TRUSTED))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


def _check_types(file, path):
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(file=file)) - set(TRUSTED))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged or no model file: {error}.") from error
    if foreign:
        raise ValueError(
            f"{path} holds types that are not plain data, which are neither saved nor loaded: "
            f"{', '.join(foreign)}. Of a search, save its best_estimator_; of a classifier with "
            "callbacks, the one after set_callbacks(); forests and boosted trees cannot be saved."
        )
