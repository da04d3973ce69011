"""Name the patches that are background, out of focus or inked; never drop one unasked."""

from functools import partial

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skbreast._pictures import PictureTransformer
from skbreast._rgb_patches import check_rgb_patches
from skbreast._validation import (
    check_choice,
    check_n_jobs,
    check_number,
    keep_feature_count,
)
from skbreast._warn import warn_user
from skbreast.exceptions import PoorPatchesWarning
from skbreast.tissue._blocks import map_patches
from skbreast.tissue._blur_and_ink import blur_score, ink_fraction
from skbreast.tissue._masks import METHODS, count_levels, pooled_threshold, tissue_fraction
from skbreast.tissue._report import TissueReport, name_verdicts

__all__ = ["TissueFilter"]

# Of 9,000 real patches at usual sizes 0.1 % are above the lower limit, most of them out of focus;
# sharp pictures that are finer than their optics (BreakHis at 400X) reach 0.71.
_BLUR_LIMITS = (0.55, 0.8)
_SPREADS = 5


class TissueFilter(PictureTransformer):
    """Report which patches are background, blurred or inked.

    Nothing is dropped in a pipeline: a step that loses samples would leave labels and patients
    behind. `transform` hands on what it got and warns; to drop patches, say so::

        keep = TissueFilter().fit(X).report(X).keep
        X, y, groups = X[keep], y[keep], groups[keep]

    Drop by a rule fixed beforehand, test patches too, and say how many: which patches are hard
    to read is not independent of what they show.

    Parameters
    ----------
    min_tissue : float, default=0.1
        Share of tissue, 0…1, below which a patch is "background".
    max_blur : float or "auto", default="auto"
        :func:`blur_score`, 0…1, above which a patch is "blur". "auto" learns it in `fit`, since
        sharp pictures score differently by magnification: five robust standard deviations above
        the median of the patches with tissue, within 0.55…0.8. Fit each magnification by itself.
    max_ink : float, default=0.1
        Share of ink, 0…1, above which a patch is "ink".
    method : {"otsu", "saturation"}, default="otsu"
        What tissue is told by, see :func:`tissue_mask`.
    n_jobs : int, optional
        Number of threads, -1 for one a processor. None means 1, or what
        :func:`joblib.parallel_config` says.

    Attributes
    ----------
    tissue_threshold_ : float
        Otsu's threshold of all patches together, see :func:`tissue_threshold`.
    max_blur_ : float
        The limit of blur in use.
    n_features_in_ : int
        Height x width x 3 of the patches seen in `fit`. Not set for references.

    Notes
    -----
    A patch is "ink" if it has too much of it, whatever else it shows; then "background"; and only
    patches with enough tissue are judged for blur.

    At the defaults, fitted on each data set: of 7,042 patches of IDC 19 are "ink", 26 "background"
    and 4 "blur"; 570 pictures of BreakHis at 100X and 200X are all "tissue". Of copies blurred by
    a Gaussian of 1 px 7 % are "blur" on IDC and 3 to 4 % on BreakHis; of 2 px 99 and 100 %. The
    user guide has all that was measured.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.tissue import TissueFilter
    >>> patches = make_patches(n_patients=4, random_state=0).data
    >>> patches[:2] = 243
    >>> report = TissueFilter().fit(patches).report(patches)
    >>> report.verdict[:3].tolist(), report.keep[:3].tolist()
    (['background', 'background', 'tissue'], [False, False, True])
    """

    __module__ = "skbreast.tissue"  # saved files name the class by its public place

    def __init__(self, min_tissue=0.1, max_blur="auto", max_ink=0.1, method="otsu", n_jobs=None):
        self.min_tissue = min_tissue
        self.max_blur = max_blur
        self.max_ink = max_ink
        self.method = method
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Learn the threshold of tissue over all patches, and the limit of blur.

        Parameters
        ----------
        X : array-like
            RGB patches ``(n_patches, height, width, 3)`` 0…255, uint8 or float (rounded); or
            patch references, read some at a time and judged each in its own size.
        y : None
            Ignored.

        Returns
        -------
        TissueFilter
            Itself.

        Raises
        ------
        PatchReadError
            If a patch cannot be read.
        ValueError
            If X is no collection of RGB patches, or a parameter is out of its range.
        """
        self._check_parameters()
        patches = check_rgb_patches(X)
        keep_feature_count(self, X, patches, reset=True)
        counts, blurs = 0, []
        learn = partial(_learn_from, method=self.method, min_tissue=self.min_tissue)
        for _, (levels, blur) in map_patches(learn, patches, n_jobs=self.n_jobs):
            counts = counts + levels
            blurs.append(blur)
        self.tissue_threshold_ = pooled_threshold(counts, self.method)
        learned = _learn_max_blur(np.concatenate(blurs))
        self.max_blur_ = learned if self.max_blur == "auto" else float(self.max_blur)
        return self

    def report(self, X):
        """Look at patches and say what each of them shows.

        Parameters
        ----------
        X : array-like
            Patches as in `fit`.

        Returns
        -------
        TissueReport
            Fractions, blur and verdict of each patch, in the order of X.

        Raises
        ------
        NotFittedError
            If the filter is not fitted.
        PatchReadError
            If a patch cannot be read.
        ValueError
            If X is no collection of RGB patches.
        """
        check_is_fitted(self)
        self._check_parameters()
        patches = check_rgb_patches(X)
        measured = np.empty((3, len(patches)))
        measure = partial(_measure, method=self.method, threshold=self.tissue_threshold_)
        for rows, values in map_patches(measure, patches, n_jobs=self.n_jobs):
            measured[:, rows] = values
        limits = {
            "min_tissue": float(self.min_tissue),
            "max_blur": self.max_blur_,
            "max_ink": float(self.max_ink),
        }
        return TissueReport(
            *measured,
            verdict=name_verdicts(*measured, **limits),
            limits={**limits, "tissue_threshold": self.tissue_threshold_},
            references=patches if patches.ndim == 1 else None,
        )

    def predict(self, X):
        """Return the verdict on each patch.

        Parameters
        ----------
        X : array-like
            Patches as in `fit`.

        Returns
        -------
        ndarray of shape (n_patches,), str
            "tissue", "background", "blur" or "ink".

        Raises
        ------
        NotFittedError, PatchReadError, ValueError
            As in `report`.
        """
        return self.report(X).verdict

    def transform(self, X):
        """Return X as it is, all samples of it, and warn if there are poor patches among them.

        Parameters
        ----------
        X : array-like
            Patches as in `fit`.

        Returns
        -------
        array-like
            X itself.

        Raises
        ------
        NotFittedError, PatchReadError, ValueError
            As in `report`.

        Warns
        -----
        PoorPatchesWarning
            How many patches are background, blur or ink; once a call.
        """
        report = self.report(X)
        if not report.keep.all():
            poor = {name: n for name, n in report.counts.items() if n and name != "tissue"}
            warn_user(
                f"{sum(poor.values()):,} of {len(report):,} patches show no sharp tissue ("
                + ", ".join(f"{name} {n:,}" for name, n in poor.items())
                + "). All are handed on; TissueFilter.report(X) says which they are.",
                PoorPatchesWarning,
            )
        return X

    def _check_parameters(self):
        check_number(self.min_tissue, name="min_tissue", low=0, high=1)
        check_number(self.max_ink, name="max_ink", low=0, high=1)
        check_choice(self.method, name="method", choices=METHODS)
        check_n_jobs(self.n_jobs)
        if not isinstance(self.max_blur, str):
            check_number(self.max_blur, name="max_blur", low=0, high=1)
        elif self.max_blur != "auto":
            raise ValueError(f'max_blur must be "auto" or a number; got {self.max_blur!r}.')


def _learn_from(patches, *, method, min_tissue):
    """Return the levels of all patches together, and the blur of those with tissue."""
    counts = count_levels(patches, method).sum(axis=0)
    judged = tissue_fraction(patches, method=method) >= min_tissue
    return counts, blur_score(patches[judged])


def _learn_max_blur(blurs):
    if not len(blurs):
        return _BLUR_LIMITS[0]
    median = np.median(blurs)
    spread = 1.4826 * np.median(np.abs(blurs - median))  # a standard deviation, if it is normal
    return float(np.clip(median + _SPREADS * spread, *_BLUR_LIMITS))


def _measure(patches, *, method, threshold):
    tissue = tissue_fraction(patches, method=method, threshold=threshold)
    return np.stack([tissue, blur_score(patches), ink_fraction(patches)])
