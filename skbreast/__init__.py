"""Breast-biopsy patches, classified the scikit-learn way.

Two estimators stand here, with `save` and `load`; everything else is in modules such as `datasets`,
`reading`, `metrics`, `model_selection` and `evaluation`. Nothing is imported before it is used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
