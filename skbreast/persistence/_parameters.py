"""Parameters of a model that was loaded: those it lacks, and those it shall not have."""

import inspect

from skbreast.persistence._fitted import estimators_in

__all__ = ["PLACES", "settle_parameters"]

PLACES = ("memory", "checkpoint")
"""Parameters that name where an estimator writes."""


def settle_parameters(model):
    """Give estimators the parameters that came after they were saved, and no place to write to.

    Estimators of this package that lack a parameter of their constructor get its default. `memory`
    and `checkpoint` become None: the folder would be the choice of whoever wrote the file, and a
    `memory` of scikit-learn reads pickles, too.

    Parameters
    ----------
    model : estimator, or a container of them
        As it was made; changed in place.
    """
    for each in estimators_in(model):
        state, defaults = vars(each), _defaults(type(each))
        if type(each).__module__.startswith("skbreast."):
            for name in defaults.keys() - state.keys():
                setattr(each, name, defaults[name])
        for name in PLACES:
            if name in state:
                setattr(each, name, None)


def _defaults(kind):
    parameters = inspect.signature(kind.__init__).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}
