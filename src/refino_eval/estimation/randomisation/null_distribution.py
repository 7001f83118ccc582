"""Statistics as observed and in re-randomisations: p-values, and the rule for ties."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray, IntArray

# Statistics nearer to the observed one than this share are ties, computed twice.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class StatisticDraws:
    """One statistic per test, as observed and in draws from its null distribution.

    Attributes
    ----------
    names
        Names of the tests, J of them.
    observed
        Shape (J,); NaN where there is no test, infinite where an effect has no standard error.
    draws
        Shape (R, J), each row one re-randomisation; infinite where it gave no estimate.
    studentised
        Whether they are on the scale of t; coefficients are not, and families put them on one scale first.
    """

    names: tuple[str, ...]
    observed: FloatArray
    draws: FloatArray = field(repr=False)
    studentised: bool = True

    def of(self, test: int) -> StatisticDraws:
        """Return one of the tests."""
        return StatisticDraws((self.names[test],), self.observed[[test]], self.draws[:, [test]], self.studentised)

    @property
    def exceed(self) -> IntArray:
        """Draws at least as extreme as observed, shape (J,)."""
        return count_exceeding(self.observed, self.draws)

    @property
    def p_value(self) -> FloatArray:
        """(1 + exceed) / (1 + R), shape (J,); NaN where nothing was observed."""
        return np.where(np.isnan(self.observed), np.nan, (1 + self.exceed) / (1 + self.draws.shape[0]))


def count_exceeding(observed: FloatArray, draws: FloatArray) -> IntArray:
    """Count draws (R, J) at least as extreme as observed (J,), ties within rounding included."""
    return np.asarray(np.count_nonzero(np.abs(draws) >= tie_bound(observed, draws), axis=0))


def tie_bound(observed: FloatArray, draws: FloatArray) -> FloatArray:
    """Return the |t| from which a draw counts as extreme, shape (J,): the observed one less rounding."""
    # The observed assignment and its mirror image occur among the draws with the same |t| up to rounding, and must count: else p
    # could be below that of the exact test. The second term serves an observed statistic near 0.
    typical = np.sqrt(np.nanmean(np.where(np.isfinite(draws), draws, 0.0) ** 2, axis=0))
    return np.asarray(np.abs(observed) * (1.0 - TIE) - TIE * typical)
