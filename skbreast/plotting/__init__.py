"""Pictures of trainings, of figures by patient, of patches and of what a network looks at."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
