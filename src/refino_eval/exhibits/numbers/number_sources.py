"""Where the numbers of exhibits come from, for verification: a regression, other numbers, or the reason for neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Source
from refino_eval.estimation.verification.engines import Engine


class Reason(StrEnum):
    """Why no other program is asked for a number; `trail.reason_<value>` says it to a reader."""

    COSTS = "costs"
    MEANS = "mean_of_arm"
    CELLS = "average_over_cells"
    REWEIGHTED = "reweighted_people"
    SURVIVAL = "survival_curve"
    BOOTSTRAP = "bootstrap"
    OUTCOMES = "several_outcomes"
    SAMPLES = "overlapping_samples"
    RATIO = "ratio_of_effects"
    DECOMPOSITION = "decomposition"
    INFLUENCE = "influence_function"
    CONFOUNDING = "unobserved_confounding"
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
    """A number that follows by arithmetic from estimates of several regressions.

    Attributes
    ----------
    parts
        The regressions.
    formula
        Function of the estimates (p,) and their covariance (p, p), which is given those of every engine.
    people
        Where the estimates depend on each other: for each part the set of people that it is of, since parts of one set may
        share people. Empty where the covariances are not needed, or are 0.
    otherwise
        The reason where no engine knows these covariances.
    """

    parts: tuple[Source, ...]
    formula: Callable[[FloatArray, FloatArray], float]
    people: tuple[int, ...] = ()
    otherwise: Reason = Reason.UNSTATED


@dataclass(frozen=True, eq=False)
class Refitted:
    """A number that another program computes from the same people by itself, such as a coefficient of a likelihood model.

    Attributes
    ----------
    engine
        The program.
    value
        Asks it; called when the number is verified, and never otherwise.
    scale
        What a difference is measured against when the number is smaller: the standard error of an estimate.
    """

    engine: Engine
    value: Callable[[], float]
    scale: float = 0.0


NumberSource = Source | CopyOf | Derived | Refitted | Reason


def difference_of_groups(sources: Sequence[Source], statistic: str, *, independent: bool) -> NumberSource:
    """Return the source of the second of two groups' effects less the first, or of its standard error."""
    return _of_groups(sources, contrast(statistic, (-1.0, 1.0)), independent=independent or statistic == "estimate")


def equality_of_groups(sources: Sequence[Source], *, independent: bool) -> NumberSource:
    """Return the source of the F of the test that groups have one effect."""
    others = np.eye(len(sources) - 1)
    return _of_groups(sources, joint_f(np.hstack((-np.ones((len(others), 1)), others))), independent=independent)


def _of_groups(
    sources: Sequence[Source], formula: Callable[[FloatArray, FloatArray], float], *, independent: bool
) -> NumberSource:
    """Return a number of groups that share nobody, whose effects are independent unless they share clusters."""
    return Derived(tuple(sources), formula, () if independent else (0,) * len(sources), Reason.GROUPS)


def contrast(statistic: str, weights: Sequence[float]) -> Callable[[FloatArray, FloatArray], float]:
    """Return the formula of a weighted sum of estimates, or of its standard error."""
    w = np.asarray(weights)
    if statistic == "std_error":
        return lambda _, cov: float(np.sqrt(max(w @ cov @ w, 0.0)))
    return lambda b, _: float(w @ b)


def ratio(statistic: str) -> Callable[[FloatArray, FloatArray], float]:
    """Return the formula of the first estimate over the second with the other sign, or of its standard error (delta method)."""
    if statistic == "std_error":
        return lambda b, cov: contrast("std_error", (1.0 / b[1], -b[0] / b[1] ** 2))(b, cov)
    return lambda b, _: float(-b[0] / b[1])


def joint_f(loadings: FloatArray) -> Callable[[FloatArray, FloatArray], float]:
    """Return the formula of the F of the test that L b is 0; directions without variance do not count."""

    def f_stat(b: FloatArray, cov: FloatArray) -> float:
        effect, spread = loadings @ b, loadings @ cov @ loadings.T
        scale = np.sqrt(np.diag(spread))
        used = scale > 0
        t, correlation = effect[used] / scale[used], (spread / np.outer(scale, scale))[np.ix_(used, used)]
        inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
        return float(t @ inverse @ t / np.linalg.matrix_rank(correlation, hermitian=True, rtol=1e-10))

    return f_stat
