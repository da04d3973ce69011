"""What was seen on each patch, as numbers, a verdict and a summary."""

from dataclasses import dataclass
from html import escape

import numpy as np

from skbreast._validation import import_optional, name_some

__all__ = ["VERDICTS", "TissueReport", "name_verdicts"]

VERDICTS = ("tissue", "background", "blur", "ink")
_N_NAMED = 3


def name_verdicts(tissue_fraction, blur, ink_fraction, *, min_tissue, max_blur, max_ink):
    """Return each patch's verdict; the first that holds of ink, background, blur, tissue."""
    spoilt = [ink_fraction > max_ink, tissue_fraction < min_tissue, blur > max_blur]
    return np.select(spoilt, ["ink", "background", "blur"], default="tissue")


@dataclass(frozen=True, eq=False, repr=False)
class TissueReport:
    """What :class:`TissueFilter` saw on each patch.

    Attributes
    ----------
    tissue_fraction : ndarray of shape (n_patches,), float64
        Share of the patch that is tissue, 0…1.
    blur : ndarray of shape (n_patches,), float64
        See :func:`blur_score`, 0…1. It says little of patches with hardly any tissue.
    ink_fraction : ndarray of shape (n_patches,), float64
        Share of the patch that ink colours, 0…1.
    verdict : ndarray of shape (n_patches,), str
        "tissue", "background", "blur" or "ink".
    limits : dict of str to float
        What the verdicts came from: `min_tissue`, `max_blur`, `max_ink`, `tissue_threshold`.
    references : ndarray of shape (n_patches,), object, or None
        The patches' references; None for arrays.
    """

    __module__ = "skbreast.tissue"  # the public place

    tissue_fraction: np.ndarray
    blur: np.ndarray
    ink_fraction: np.ndarray
    verdict: np.ndarray
    limits: dict
    references: np.ndarray | None = None

    def __len__(self):
        return len(self.verdict)

    @property
    def keep(self):
        """Patches whose verdict is "tissue": ndarray of shape (n_patches,), bool."""
        return self.verdict == "tissue"

    @property
    def counts(self):
        """Number of patches of each verdict, zeros too: dict of str to int."""
        return {name: int((self.verdict == name).sum()) for name in VERDICTS}

    def __str__(self):
        counts = self.counts
        lines = [f"{counts['tissue']:,} of {len(self):,} patches show sharp tissue."]
        width = len(f"{max(counts.values()):,}")
        for name, n in counts.items():
            line = f"  {name:<10}  {n:>{width},}  {n / max(len(self), 1):6.1%}"
            lines.append(line + (f"  {self._some(name)}" if n and name != "tissue" else ""))
        return "\n".join([*lines, f"  by {self._rule()}"])

    def __repr__(self):
        counts = ", ".join(f"{name}={n}" for name, n in self.counts.items())
        return f"<TissueReport of {len(self)} patches: {counts}>"

    def _repr_html_(self):
        return f"<pre>{escape(str(self))}</pre>"

    def _some(self, name):
        rows = np.flatnonzero(self.verdict == name)
        if self.references is None:
            return f"rows {name_some(rows.tolist(), limit=_N_NAMED)}"
        shown = self.references[rows[: _N_NAMED + 1]]
        return name_some(shown, limit=_N_NAMED, write=lambda each: repr(str(each)))

    def _rule(self):
        return ", ".join(f"{name} {value:.3g}" for name, value in self.limits.items())

    def frame(self):
        """Return a row a patch, for pandas.

        Returns
        -------
        pandas.DataFrame
            Columns patch (the reference, or the row's number), verdict, tissue_fraction, blur,
            ink_fraction.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_optional("pandas", extra="plot", purpose="TissueReport.frame")
        columns = {
            "patch": np.arange(len(self)) if self.references is None else self.references,
            "verdict": self.verdict,
            "tissue_fraction": self.tissue_fraction,
            "blur": self.blur,
            "ink_fraction": self.ink_fraction,
        }
        return pandas.DataFrame(columns)
