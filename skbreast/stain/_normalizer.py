"""What all stain normalisers share: measure each patch or group, and bring it to the target."""

import weakref
from collections.abc import Mapping

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skbreast._loaded import find_patients
from skbreast._pictures import PictureTransformer
from skbreast._rgb_patches import check_rgb_patches
from skbreast._validation import (
    check_choice,
    check_groups,
    check_n_jobs,
    check_number,
    keep_feature_count,
    name_some,
)
from skbreast._warn import warn_user
from skbreast.color import has_stain
from skbreast.color._densities import is_foreign
from skbreast.exceptions import UnchangedPatchesWarning
from skbreast.reading import most_common_size, read_patches
from skbreast.stain._looks import joined, measured_rows, pool_pixels, replaced, robust_mean, taken

__all__ = ["StainNormalizer"]

_TASK_BYTES = 2**21  # of pixels, that a thread works on at once
_N_REFERENCES = 256  # likewise
_unchanged = weakref.WeakKeyDictionary()  # `transform` leaves the estimator itself as it is


class StainNormalizer(PictureTransformer):
    """A normaliser in all but what it measures, and how it brings that to the target."""

    def fit(self, X, y=None, *, groups=None):
        """Learn the target.

        Parameters
        ----------
        X : array-like
            Patch references, or patches ``(n_patches, height, width, 3)``, raw pixels 0…255. The
            target is learned from them where `target` is None, and in any case the typical look,
            which is assumed where a patch shows too little to be measured.
        y : None
            Ignored.
        groups : array-like of shape (n_patches,), optional
            Patient or slide ids. The target is then the median over groups, so that none counts
            more for having more patches.

        Returns
        -------
        StainNormalizer
            Itself.

        Raises
        ------
        ValueError
            If a parameter or X is not as documented, or no patch has stain to be measured.
        """
        self._check_parameters()
        patches = check_rgb_patches(X)
        keep_feature_count(self, X, patches, reset=True)
        self.patch_size_ = tuple(int(side) for side in most_common_size(patches))
        typical = self._find_typical(X, patches, groups)
        self._keep_target(self._find_target(typical))
        self._keep_typical(self._target() if typical is None else typical)
        return self

    def transform(self, X, *, groups=None):
        """Bring patches to the target.

        Parameters
        ----------
        X : array-like
            Patch references, or patches ``(n_patches, height, width, 3)``, raw pixels 0…255.
        groups : array-like of shape (n_patches,), optional
            Patient or slide ids, for ``per="group"``. Where they are not given, those are taken
            that the loader of the patches knew.

        Returns
        -------
        ndarray of shape (n_patches, height, width, 3), uint8
            New patches. Those that show no stain are as they were.

        Raises
        ------
        ValueError
            If X is not as documented, or groups are needed and not known.

        Warns
        -----
        UnchangedPatchesWarning
            If patches pass unchanged; it counts them.
        """
        check_is_fitted(self)
        self._check_parameters()
        patches = check_rgb_patches(X)
        looks = None
        if self.per != "patch":
            looks = taken(*self._measure_groups(patches, self._find_groups(X, groups)))
        patches = self._read(patches)
        done = self._in_threads(
            delayed(self._normalize)(patches[part], None if looks is None else taken(looks, part))
            for part in _parts(patches)
        )
        normalized, measured = zip(*done, strict=True)
        self._tell_unchanged(np.flatnonzero(~np.concatenate(measured)), len(patches))
        return np.concatenate(normalized)

    def fit_transform(self, X, y=None, *, groups=None):
        """Learn the target, and bring the same patches to it.

        Parameters
        ----------
        X : array-like
            Patch references, or patches ``(n_patches, height, width, 3)``, raw pixels 0…255.
        y : None
            Ignored.
        groups : array-like of shape (n_patches,), optional
            Patient or slide ids.

        Returns
        -------
        ndarray of shape (n_patches, height, width, 3), uint8
            New patches.
        """
        return self.fit(X, y, groups=groups).transform(X, groups=groups)

    @property
    def n_unchanged_(self):
        """Number of patches that the last `transform` passed unchanged, in this process."""
        if self not in _unchanged:
            raise AttributeError("n_unchanged_ is there after transform.")
        return _unchanged[self]

    def _check_parameters(self):
        if not isinstance(self.per, Mapping):
            check_choice(self.per, name="per", choices=("patch", "group"))
        check_number(self.background, name="background", low=1, high=255)
        check_number(self.min_density, name="min_density", low=0, high=1)
        check_n_jobs(self.n_jobs)

    def _find_typical(self, X, patches, groups):
        """Return how the patches of `fit` look, the median; None if nothing can be measured."""
        owners = None
        if self.per == "patch" or (self.target is not None and not self._knows_groups(X, groups)):
            looks = self._measure_each(patches)
            owners = None if groups is None else check_groups(groups, n_samples=len(patches))
        else:
            looks, _ = self._measure_groups(patches, self._find_groups(X, groups))
        return robust_mean(looks, owners) if measured_rows(looks).any() else None

    def _find_target(self, typical):
        if isinstance(self.target, str):
            if self.target != "reference":
                raise ValueError(
                    'target must be None, "reference", a picture, several, or a list of patch '
                    f"references; got the string {self.target!r}: put a path into a list."
                )
            return self._reference()
        name = "X"
        if self.target is not None:
            looks = self._measure_each(_check_target(self.target))
            typical = robust_mean(looks) if measured_rows(looks).any() else None
            name = "target"
        if typical is None:
            raise ValueError(
                f"{name} has no patch with two stains to be measured: all are blank, black, of one "
                'colour or stain, marked with ink or too small. Give others, or target="reference".'
            )
        return typical

    def _knows_groups(self, X, groups):
        return isinstance(self.per, Mapping) or groups is not None or find_patients(X) is not None

    def _find_groups(self, X, groups):
        if isinstance(self.per, Mapping):
            groups = [self._look_up(each) for each in check_rgb_patches(X)]
            return check_groups(groups, n_samples=len(groups), name="per")
        groups = find_patients(X) if groups is None else groups
        if groups is None:
            raise ValueError(
                'per="group" needs groups, patient or slide ids of all patches in X; they are '
                "known without only for patches as a loader of this process gave them. For "
                "references elsewhere, per may be a dict from reference to id."
            )
        return check_groups(groups, n_samples=len(X))

    def _look_up(self, reference):
        if not isinstance(reference, str):
            raise ValueError("per is a dict of references, so X must be patch references.")
        if reference not in self.per:
            raise ValueError(f"per has no patient or slide id of the reference {reference!r}.")
        return self.per[reference]

    def _measure_each(self, patches):
        looks = self._in_threads(
            delayed(lambda part: self._measure(self._read(patches[part])))(part)
            for part in _parts(patches)
        )
        return joined(looks)

    def _measure_groups(self, patches, owners):
        """Return the looks of all groups, and which of them is each patch's."""
        names, rows = np.unique(owners, return_inverse=True)
        looks = self._in_threads(
            delayed(self._measure_group)(patches[rows == number]) for number in range(len(names))
        )
        return joined(looks), rows

    def _measure_group(self, patches):
        patches = self._read(patches)
        usable = has_stain(patches, background=self.background, min_density=self.min_density)
        return self._measure(pool_pixels(patches[usable] if usable.any() else patches))

    def _normalize(self, patches, looks):
        looks = self._measure(patches) if looks is None else looks
        looks = replaced(looks, ~measured_rows(looks), self._typical())
        foreign = is_foreign(patches, self.background, self.min_density)
        looks = replaced(looks, foreign, [np.nan] * len(looks))
        return self._exchange(patches, looks), ~foreign

    def _read(self, patches):
        if patches.ndim == 4:
            return patches
        return read_patches(patches, size=self.patch_size_, n_jobs=1)  # tasks are in threads

    def _in_threads(self, tasks):
        return list(Parallel(self.n_jobs, prefer="threads")(tasks))

    def _tell_unchanged(self, rows, n_patches):
        _unchanged[self] = len(rows)
        if len(rows):
            warn_user(
                f"{len(rows)} of {n_patches} patches pass unchanged, since they show no stain: "
                "blank, black, of one colour, marked with ink or too small (rows "
                f"{name_some(rows.tolist())}).",
                UnchangedPatchesWarning,
            )


def _parts(patches):
    n_bytes = patches[:1].nbytes if patches.ndim == 4 else _TASK_BYTES // _N_REFERENCES
    step = max(1, _TASK_BYTES // n_bytes)
    return [slice(start, start + step) for start in range(0, len(patches), step)]


def _check_target(target):
    if not hasattr(target, "__len__"):
        raise ValueError(
            'target must be None, "reference", one picture (height, width, 3), several, or patch '
            f"references; got {target!r}."
        )
    return check_rgb_patches([target] if np.ndim(target) == 3 else target, name="target")
