"""What the normalisers by stain vectors share: the target's two stains, and the exchange."""

from skbreast._validation import check_flag
from skbreast._warn import warn_user
from skbreast.color import Stains, exchange_stains
from skbreast.stain._normalizer import StainNormalizer

__all__ = ["StainVectorNormalizer"]


class StainVectorNormalizer(StainNormalizer):
    """A normaliser that exchanges haematoxylin and eosin, in all but how it finds them."""

    def _check_parameters(self):
        super()._check_parameters()
        check_flag(self.keep_residual, name="keep_residual")

    def _keep_target(self, target):
        if target.vectors[0, 1].argmax() != 1:
            warn_user(
                "The eosin of the target does not absorb green most, which colours pictures "
                "oddly; choose another target, or set background to the brightness of the glass."
            )
        self.stain_vectors_, self.stain_strengths_ = target.vectors[0], target.strengths[0]

    def _keep_typical(self, look):
        self.typical_vectors_, self.typical_strengths_ = look.vectors[0], look.strengths[0]

    def _typical(self):
        return Stains(self.typical_vectors_[None], self.typical_strengths_[None])

    def _target(self):
        return Stains(self.stain_vectors_[None], self.stain_strengths_[None])

    def _exchange(self, patches, looks):
        return exchange_stains(
            patches,
            looks,
            self._target(),
            background=self.background,
            keep_residual=self.keep_residual,
        )
