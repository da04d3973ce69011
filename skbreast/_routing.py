"""Patient ids under the names by which an estimator's `fit` takes them."""

from sklearn import get_config
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRouter, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

__all__ = ["groups_for"]

_SEARCHES = GridSearchCV.__bases__  # what all searches stem from, the halving ones too


def groups_for(estimator, groups):
    """Return the keyword arguments of `fit` that patient ids are.

    Parameters
    ----------
    estimator : estimator
        Any. Searches hand groups to their splitter, though their signature says no more than
        ``**params``; steps of a pipeline get them by their own names. With metadata routing on,
        meta-estimators get them where somebody inside requests them.
    groups : array-like or None
        Patient ids.

    Returns
    -------
    dict of str to array-like
        Empty where nobody takes them.
    """
    if groups is None:
        return {}
    if get_config()["enable_metadata_routing"]:
        routing = get_routing_for_object(estimator)
        if isinstance(routing, MetadataRouter):
            return {"groups": groups} if routing.consumes("fit", {"groups"}) else {}
    if isinstance(estimator, Pipeline):
        steps = [(name, step) for name, step in estimator.steps if hasattr(step, "fit")]
        return {
            f"{name}__{key}": value
            for name, step in steps
            for key, value in groups_for(step, groups).items()
        }
    takes = isinstance(estimator, _SEARCHES) or has_fit_parameter(estimator, "groups")
    return {"groups": groups} if takes else {}
