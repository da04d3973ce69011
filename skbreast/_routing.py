"""Patient ids under the names by which an estimator's `fit` takes them."""

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

__all__ = ["groups_for"]

_SEARCHES = GridSearchCV.__bases__  # what all searches stem from, the halving ones too


def groups_for(estimator, groups):
    """Return the keyword arguments of `fit` that patient ids are, without metadata routing.

    Parameters
    ----------
    estimator : estimator
        Any. Searches hand groups to their splitter, though their signature says no more than
        ``**params``; steps of a pipeline get them by their own names.
    groups : array-like or None
        Patient ids.

    Returns
    -------
    dict of str to array-like
        Empty where nobody takes them.
    """
    if groups is None:
        return {}
    if isinstance(estimator, Pipeline):
        steps = [(name, step) for name, step in estimator.steps if hasattr(step, "fit")]
        return {
            f"{name}__{key}": value
            for name, step in steps
            for key, value in groups_for(step, groups).items()
        }
    takes = isinstance(estimator, _SEARCHES) or has_fit_parameter(estimator, "groups")
    return {"groups": groups} if takes else {}
