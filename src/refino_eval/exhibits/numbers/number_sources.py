"""Where the numbers of exhibits come from, for verification: a regression, other numbers, or the reason for neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Source


class Reason(StrEnum):
    """Why no other program is asked for a number; `trail.reason_<value>` says it to a reader."""

    COSTS = "costs"
    CELLS = "average_over_cells"
    REWEIGHTED = "reweighted_people"
    LIKELIHOOD = "likelihood_model"
    SURVIVAL = "survival_curve"
    OUTCOMES = "several_outcomes"
    SAMPLES = "overlapping_samples"
    RATIO = "ratio_of_effects"
    DECOMPOSITION = "decomposition"
    GROUPS = "groups_share_clusters"
    SINGULAR = "singular_covariance"
    UNSTATED = "no_regression"


@dataclass(frozen=True)
class CopyOf:
    """A number of another exhibit, times a factor, by its keys without the statistic."""

    exhibit: str
    panel: str
    row: str
    column: str
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Derived:
    """A number that follows by arithmetic from estimates of several regressions and their standard errors.

    Attributes
    ----------
    parts
        The regressions.
    formula
        Function of the estimates and standard errors, each of shape (p,), which is given those of every engine.
    """

    parts: tuple[Source, ...]
    formula: Callable[[FloatArray, FloatArray], float]


NumberSource = Source | CopyOf | Derived | Reason


def difference_of_groups(sources: Sequence[Source], statistic: str, *, independent: bool) -> NumberSource:
    """Return the source of the second of two groups' effects less the first, or of its standard error."""
    if statistic == "estimate":
        return Derived(tuple(sources), lambda b, _: float(b[1] - b[0]))
    if not independent:
        return Reason.GROUPS
    return Derived(tuple(sources), lambda _, error: float(np.hypot(*error)))


def equality_of_groups(sources: Sequence[Source], *, independent: bool) -> NumberSource:
    """Return the source of the F of the test that groups which share nobody have one effect."""
    return Derived(tuple(sources), _equality) if independent else Reason.GROUPS


def _equality(b: FloatArray, error: FloatArray) -> float:
    """Sum of squared deviations from the precision-weighted mean, over the number of groups less one."""
    precision = error**-2.0
    return float(precision @ (b - precision @ b / precision.sum()) ** 2 / (b.size - 1))
