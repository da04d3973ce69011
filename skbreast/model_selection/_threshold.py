"""A decision threshold for a wanted sensitivity, chosen on patients that were held out."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import (
    FixedThresholdClassifier,
    check_cv,
)
from sklearn.utils import check_consistent_length, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skbreast._guards import warn_of_folds, warn_of_missing_groups
from skbreast._patients import by_patient, check_labels
from skbreast._routing import groups_for
from skbreast._validation import check_choice, check_n_jobs, check_number
from skbreast.datasets._folds import make_folds
from skbreast.metrics import patient_labels, patient_scores, threshold_at_sensitivity
from skbreast.model_selection._held_out_scores import fit_and_score, positive_scores

__all__ = ["SensitivityThresholdClassifierCV"]

_RESPONSES = ("predict_proba", "decision_function")
_AGGREGATES = ("mean", "max", "top_k")


def _has(method):
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), method))


class SensitivityThresholdClassifierCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Decide at the threshold that reaches a wanted sensitivity on patients held out.

    The classifier is fitted once a fold and scores the patches of the fold's held-out patients.
    The threshold is the highest one at which all these scores together reach the wanted
    sensitivity. Then the classifier is fitted anew on everything; what it scores at or above the
    threshold is called positive.

    Parameters
    ----------
    estimator : classifier
        A binary classifier or a pipeline, with `predict_proba` or `decision_function`.
    sensitivity : float, default=0.95
        The wanted share of positives that are found, above 0 and at most 1.
    by : {"patch", "patient"}, default="patch"
        What is counted. "patient" needs `groups` and one label a patient, and compares the
        patients' scores with the threshold.
    aggregate : {"mean", "max", "top_k"}, default="mean"
        How patches' scores become a patient's, see :func:`skbreast.metrics.patient_scores`;
        without effect where patches are counted. (Votes would need a threshold of their own.)
    cv : int, splitter or iterable, default=5
        Folds. An integer means ``StratifiedGroupKFold`` over the patients in `groups`, or
        ``StratifiedKFold`` where there are none; shuffled.
    pos_label : int, float, bool or str, default=None
        The positive class. None means the second of `classes_`.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        What scores; "auto" takes probabilities if there are any.
    n_jobs : int, default=None
        Folds fitted at the same time. None means 1, or what :func:`joblib.parallel_config` says.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling where `cv` is an integer.

    Attributes
    ----------
    threshold_ : float
        A score from here on is positive.
    sensitivity_, specificity_ : float
        Share of held-out positives at or above the threshold, and of held-out negatives below.
    estimator_ : classifier
        Fitted on everything.
    classes_ : ndarray of shape (2,)
        The labels.
    n_features_in_ : int
        As `estimator_` has it, if it does.
    feature_names_in_ : ndarray
        As `estimator_` has it, if it does.

    See Also
    --------
    skbreast.metrics.threshold_at_sensitivity : The same from scores that are at hand.
    sklearn.model_selection.TunedThresholdClassifierCV : The threshold of the best average score.
    sklearn.model_selection.FixedThresholdClassifier : A threshold that is known.

    Notes
    -----
    ``TunedThresholdClassifierCV`` serves where one figure is to be as high as possible, such as
    balanced accuracy. It cannot promise a sensitivity: it looks for the highest *average over
    folds* of a score of *patch labels*, on an even grid of thresholds between which it
    interpolates. "Sensitivity at least .95" is no such average; small folds would count as much
    as large ones; and the scores of a patient's patches never meet.

    The threshold is chosen with the patients at hand, so on new ones the sensitivity lies around
    the wanted one, not always above. `sensitivity_` and `specificity_` are those at which it was
    chosen. For a figure to report, cross-validate this classifier, or keep patients aside. Weights
    of samples reach the fit, not the choice of the threshold.

    Patient ids reach the `fit` of `estimator` if it knows `groups`: also in steps of a pipeline,
    and in searches, which hand them to their splitter. With metadata routing, they and other
    parameters go where they were requested; this class itself requests `groups` by default.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbreast.model_selection import SensitivityThresholdClassifierCV
    >>> rng = np.random.default_rng(0)
    >>> patients = np.repeat(np.arange(40), 10)
    >>> y = patients % 2
    >>> X = rng.normal(size=(400, 1)) + y[:, None]
    >>> model = SensitivityThresholdClassifierCV(
    ...     LogisticRegression(), sensitivity=0.9, random_state=0
    ... ).fit(X, y, groups=patients)
    >>> model.sensitivity_, bool(model.threshold_ < 0.5)
    (0.9, True)
    """

    # as scikit-learn's own splitters ask for groups without being told to
    __metadata_request__fit: ClassVar = {"groups": True}

    def __init__(
        self,
        estimator,
        *,
        sensitivity=0.95,
        by="patch",
        aggregate="mean",
        cv=5,
        pos_label=None,
        response_method="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.sensitivity = sensitivity
        self.by = by
        self.aggregate = aggregate
        self.cv = cv
        self.pos_label = pos_label
        self.response_method = response_method
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y, *, groups=None, **params):
        """Choose the threshold out of fold, then fit the classifier on everything.

        Parameters
        ----------
        X : array-like of n_patches
            Whatever `estimator` takes.
        y : array-like of shape (n_patches,)
            Labels, of two classes.
        groups : array-like of shape (n_patches,), default=None
            Patient ids. Without them every patch is taken for its own patient.
        **params : dict
            For the `fit` of `estimator`. What has one entry a patch is split like `X`.

        Returns
        -------
        SensitivityThresholdClassifierCV
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range, `y` isn't binary, lengths differ, patients are
            to be counted without `groups` or have several labels, or folds are too many for the
            patients.

        Warns
        -----
        PatientLeakageWarning
            If the folds of a `cv` of your own have patients on both sides.
        UnknownPatientsWarning
            If `groups` is missing although the loader of the patches knew the patients.
        """
        self._check_parameters()
        (X,) = indexable(X)
        y = _check_two_classes(y)
        groups = self._check_patients(X, y, groups)
        positive = self._positive(np.unique(y))
        params = self._params_of_fit(groups, params)
        folds = self._folds(X, y, groups)
        rows, scores = self._score_held_out(X, y, positive, params, folds)
        self._choose(y[rows] == positive, scores, groups[rows] if self.by == "patient" else None)
        self.estimator_ = clone(self.estimator).fit(X, y, **params)
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict(self, X):
        """Classify patches, each by its own score.

        Parameters
        ----------
        X : array-like of n_patches
            Whatever `estimator` takes.

        Returns
        -------
        ndarray of shape (n_patches,)
            Labels. Where the threshold was chosen for patients, each patch is taken for a patient
            with this one patch; :meth:`predict_patients` takes them together.
        """
        return self._fixed().predict(X)

    def predict_patients(self, X, groups):
        """Classify patients, each by the scores of all its patches.

        Parameters
        ----------
        X : array-like of n_patches
            Whatever `estimator` takes.
        groups : array-like of shape (n_patches,)
            Patient ids.

        Returns
        -------
        patient_ids : ndarray of shape (n_patients,)
            The unique ids, sorted.
        labels : ndarray of shape (n_patients,)
            The patients' labels, in the same order.
        """
        check_is_fitted(self)
        positive = self._positive(self.classes_)
        scores = positive_scores(self.estimator_, X, self._response(), positive)
        ids, scores = patient_scores(scores, groups, aggregate=self.aggregate)
        negative = self.classes_[self.classes_ != positive][0]
        return ids, np.where(scores >= self.threshold_, positive, negative)

    @_has("predict_proba")
    def predict_proba(self, X):
        """Return the probabilities of the classifier, which the threshold leaves as they are.

        Parameters
        ----------
        X : array-like of n_patches
            Whatever `estimator` takes.

        Returns
        -------
        ndarray of shape (n_patches, 2)
            Probabilities, in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @_has("decision_function")
    def decision_function(self, X):
        """Return the decision function of the classifier, which the threshold leaves as it is.

        Parameters
        ----------
        X : array-like of n_patches
            Whatever `estimator` takes.

        Returns
        -------
        ndarray of shape (n_patches,)
            Higher means the second of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def get_metadata_routing(self):
        """Return who is handed which metadata.

        Returns
        -------
        MetadataRouter
            `groups` for this class, and what `estimator` requests for its `fit`.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _check_parameters(self):
        check_number(self.sensitivity, name="sensitivity", low=0, high=1, open_low=True)
        check_choice(self.by, name="by", choices=("patch", "patient"))
        check_choice(self.response_method, name="response_method", choices=("auto", *_RESPONSES))
        check_n_jobs(self.n_jobs)
        check_choice(self.aggregate, name="aggregate", choices=_AGGREGATES)

    def _check_patients(self, X, y, groups):
        check_consistent_length(X, y)
        if groups is None:
            if self.by == "patient":
                raise ValueError("by='patient' needs groups, the patient of each patch.")
            warn_of_missing_groups(X, what="The choice of a threshold")
            return None
        patients = by_patient(groups, n_samples=len(y))
        groups = patients.ids[patients.codes]
        if self.by == "patient":
            patient_labels(y, groups)  # raises where labels belong to patches
        return groups

    def _positive(self, classes):
        if self.pos_label is None:
            return classes[1]
        if self.pos_label not in classes.tolist():
            raise ValueError(
                f"pos_label={self.pos_label!r} is not one of the classes {classes.tolist()}."
            )
        return classes[classes.tolist().index(self.pos_label)]

    def _params_of_fit(self, groups, params):
        if not get_config()["enable_metadata_routing"]:
            return params | groups_for(self.estimator, groups)
        given = params if groups is None else {**params, "groups": groups}
        return process_routing(self, "fit", **given)["estimator"]["fit"]

    def _folds(self, X, y, groups):
        cv = self.cv
        if isinstance(cv, Integral):
            check_number(cv, name="cv", low=2, integer=True)
            _check_enough(cv, y, groups)
            cv = make_folds(X, y, groups, n_splits=int(cv), random_state=self.random_state)
        folds = list(check_cv(cv, y, classifier=True).split(X, y, groups))
        if groups is not None:
            warn_of_folds(folds, groups)
        if any(len(np.unique(y[train])) < 2 for train, _ in folds):
            raise ValueError(
                f"{len(folds)} folds leave a training part without one of the classes, since too "
                "few patients have it; ask for fewer folds."
            )
        return folds

    def _score_held_out(self, X, y, positive, params, folds):
        response = self._response()
        scores = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_and_score)(self.estimator, X, y, params, fold, response, positive)
            for fold in folds
        )
        return np.concatenate([test for _, test in folds]), np.concatenate(scores)

    def _choose(self, y_true, y_score, groups):
        if groups is not None:
            y_true = patient_labels(y_true, groups)[1]
            y_score = patient_scores(y_score, groups, aggregate=self.aggregate)[1]
        self.threshold_ = threshold_at_sensitivity(y_true, y_score, sensitivity=self.sensitivity)
        above = y_score >= self.threshold_
        self.sensitivity_ = float(above[y_true].mean())
        self.specificity_ = float((~above[~y_true]).mean())

    def _response(self):
        if self.response_method != "auto":
            return self.response_method
        return next((each for each in _RESPONSES if hasattr(self, each)), _RESPONSES[0])

    def _fixed(self):
        check_is_fitted(self)
        return FixedThresholdClassifier(
            self.estimator_,
            threshold=self.threshold_,
            pos_label=self._positive(self.classes_),
            response_method=self._response(),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _check_two_classes(y):
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind != "binary":
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {kind}."
        )
    y = check_labels(column_or_1d(y, warn=True), name="y")
    if not len(y):
        raise ValueError("y is empty, 0 patches; at least one of each class is needed.")
    if len(np.unique(y)) < 2:
        raise ValueError(f"y holds one class, {y[0]!r}; two classes are needed.")
    return y


def _check_enough(n_splits, y, groups):
    units, what = (y, "patches") if groups is None else (groups, "patients")
    n_units = [len(units[y == label]) for label in np.unique(y)]
    if groups is not None:
        n_units = [len(np.unique(groups))]
    if min(n_units) < n_splits:
        raise ValueError(
            f"cv={n_splits} folds need at least {n_splits} {what}"
            f"{' of each class' if groups is None else ''}; there are {min(n_units)}."
        )
