"""scikit-learn's callbacks where it has them (1.9 and later), and nothing where it has not."""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn 1.7 and 1.8

    class CallbackSupportMixin:
        """Stands in for scikit-learn's, which adds `set_callbacks`."""

    def with_callbacks(method):
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "EpochTasks", "with_callbacks"]


class EpochTasks:
    """Tell an estimator's callbacks of a fit and of its epochs.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        The estimator in its `fit`, which :func:`with_callbacks` decorates.
    n_epochs : int
        The most epochs that can come.
    X, y : ndarray
        What it learns from, as scorers want it.
    sample_weight : ndarray of shape (n_patches,), optional
        Passed on to scorers.
    """

    def __init__(self, estimator, n_epochs, *, X, y, sample_weight=None):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._arguments = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = self._epoch = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
            self._fit.call_on_fit_task_begin(**self._arguments)

    def begin_epoch(self):
        """Tell that an epoch begins."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._arguments)

    def end_epoch(self, attributes):
        """Tell that an epoch has ended.

        Parameters
        ----------
        attributes : callable
            Returns the fitted attributes of an estimator that stops here; called only where a
            callback asks for it.

        Returns
        -------
        bool
            Whether a callback wants the training to stop.
        """
        return self._fit is not None and bool(
            self._epoch.call_on_fit_task_end(
                **self._arguments, reconstruction_attributes=attributes
            )
        )

    def end(self):
        """Tell that the fit has ended."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self._arguments, reconstruction_attributes=dict)
