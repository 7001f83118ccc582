"""Multiplicity: p-values adjusted within families of tests, reported with the raw ones.

Families are declared before the results are known. Within each:

=================  ===================================================================================================
Bonferroni, Holm   family-wise error rate under any dependence (Holm 1979)
step-down max-|t|  family-wise error rate with the dependence that the draws show: Westfall and Young (1993, algorithm
                   2.8); with studentised statistics and the largest |t| this is Romano and Wolf (2005) too
Benjamini-Hochberg false discovery rate (1995), under independence or positive dependence
step-down min-p    the same by the smallest p in place of the largest |t|: balanced between tests (Romano and Wolf 2010)
sharpened q        two-stage false discovery rate of Benjamini, Krieger and Yekutieli (2006, definition 6), in the form
                   of Anderson (2008): the smallest rate at which the test is rejected. It can be below the raw p.
omnibus            is anything there at all? A randomisation test of the family (Young 2019)
=================  ===================================================================================================

The step-down and the omnibus test need joint draws from the null: those of `permutation_test.randomisation_test`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.estimation.core.arrays import FloatArray, IntArray
from refino_eval.estimation.randomisation.null_distribution import StatisticDraws, tie_bound

StepDown = Literal["max_t", "min_p"]


@dataclass(frozen=True)
class OmnibusTest:
    """Joint randomisation test of a family.

    ``statistic`` is the quadratic form of the statistics in their second moments over draws, of rank ``rank``.
    """

    statistic: float
    rank: int
    p_value: float
    draws: int


@dataclass(frozen=True, eq=False)
class MultiplicityTable:
    """Raw and adjusted p-values, every array of shape (T,), one value per test in a family.

    ``n_tests`` is the size of the test's family (tests without a p-value do not count, and have NaN throughout).
    ``p_resampled`` is the raw p of the draws, ``p_step_down`` the family-wise one; both NaN when there are no draws.
    ``q_sharpened`` is a rate of false discoveries, not a probability of a test. ``omnibus`` holds one test per family,
    when there are draws.
    """

    family: tuple[str, ...]
    names: tuple[str, ...]
    p_value: FloatArray
    p_resampled: FloatArray
    p_step_down: FloatArray
    p_bonferroni: FloatArray
    p_holm: FloatArray
    p_benjamini_hochberg: FloatArray
    q_sharpened: FloatArray
    n_tests: IntArray
    omnibus: Mapping[str, OmnibusTest]

    def to_frame(self) -> pd.DataFrame:
        """One row per test in a family; the family's omnibus p in ``p_omnibus``, NaN when there are no draws."""
        columns: dict[str, Any] = {
            "name" if entry.name == "names" else entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.name != "omnibus"
        }
        columns["p_omnibus"] = [self.omnibus[f].p_value if f in self.omnibus else np.nan for f in self.family]
        return pd.DataFrame(columns)


def multiplicity(
    p_values: npt.ArrayLike,
    *,
    names: Sequence[str],
    families: Mapping[str, Sequence[str]] | None = None,
    draws: StatisticDraws | None = None,
    method: StepDown = "max_t",
) -> MultiplicityTable:
    """Adjust p-values within families.

    Parameters
    ----------
    p_values
        Raw two-sided p-values, shape (J,), NaN where there is no test.
    names
        Names of the tests, J of them.
    families
        Family -> the names in it; None puts all in the family ``all``. A test may be in several families, or none.
    draws
        Joint draws of the same tests' statistics under the null, with the same names in any order.
    method
        How tests are put on one scale in the step-down; see `step_down`.

    Raises
    ------
    UserError
        When a family names an unknown test, one twice, or none; when p-values are not shares; when draws lack a test.
    """
    raw, listed = np.asarray(p_values, dtype=np.float64), tuple(names)
    chosen = {"all": listed} if families is None else {name: tuple(members) for name, members in families.items()}
    _check_families(raw, listed, chosen, draws)
    parts = [_family(members, raw, listed, draws, method) for members in chosen.values()]
    omnibus: dict[str, OmnibusTest] = {}
    if draws is not None:
        omnibus = {name: omnibus_test(_among(draws, members)) for name, members in chosen.items()}
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    family = tuple(name for name, members in chosen.items() for _ in members)
    return MultiplicityTable(
        family=family, names=tuple(n for members in chosen.values() for n in members), omnibus=omnibus, **columns
    )


def step_down(draws: StatisticDraws, method: StepDown = "max_t") -> FloatArray:
    """Adjust for testing all at once: step-down largest |t| or smallest p, shape (J,).

    Parameters
    ----------
    draws
        Joint draws of the tests' statistics.
    method
        ``max_t``: by |t|, which has more power, and gives tests whose null distribution has longer tails (few clusters in a
        subgroup) more of the error. ``min_p``: by each test's p among its draws, which is balanced between tests (Westfall and Young
        1993, algorithm 2.8; Romano and Wolf 2010), and needs many draws: no p is below 1 / (1 + R).

    Notes
    -----
    Hypotheses are ordered by |t|. The k-th is compared with the largest |t| among itself and all with smaller |t| in
    each draw, and adjusted p-values never fall along the order. Coefficients in place of studentised statistics are
    put on one scale first (their root mean square over draws and the observed value).
    """
    scaled = _on_scale_of_p(draws) if method == "min_p" else _on_one_scale(draws)
    adjusted = np.full(scaled.observed.size, np.nan)
    tested = np.flatnonzero(~np.isnan(scaled.observed))
    order = tested[np.argsort(-np.abs(scaled.observed[tested]), kind="stable")]
    bounds = tie_bound(scaled.observed, scaled.draws)
    largest, count = np.full(scaled.draws.shape[0], -np.inf), np.empty(order.size)
    # From the smallest |t| up, so that the running maximum is over the test itself and all with smaller |t|.
    for k in range(order.size - 1, -1, -1):
        np.maximum(largest, np.abs(scaled.draws[:, order[k]]), out=largest)
        count[k] = np.count_nonzero(largest >= bounds[order[k]])
    adjusted[order] = np.maximum.accumulate((1.0 + count) / (1.0 + largest.size))
    return adjusted


def omnibus_test(draws: StatisticDraws) -> OmnibusTest:
    """Test that no member of a family has an effect.

    Notes
    -----
    t'M^-t, with M the second moments of the statistics over all draws and the observed one, so that observed and
    re-randomised statistics are treated alike and the test is exact under the joint sharp null. This is the joint test
    of Young (2019) with the covariance over randomisations. Directions of M without variation do not count.
    """
    tested = ~np.isnan(draws.observed)
    everything = np.vstack((draws.observed[tested], draws.draws[:, tested]))
    finite = np.isfinite(everything).all(axis=1)
    if not tested.any() or not finite.any():
        return OmnibusTest(float("nan"), 0, float("nan"), draws.draws.shape[0])
    defined = everything[finite]
    scale = np.sqrt(np.mean(defined**2, axis=0))
    scaled = defined[:, scale > 0] / scale[scale > 0]
    values, vectors = np.linalg.eigh(scaled.T @ scaled / scaled.shape[0])
    kept = values > 1e-10 * values[-1]
    forms = np.full(everything.shape[0], np.inf)
    forms[finite] = np.sum((scaled @ vectors[:, kept]) ** 2 / values[kept], axis=1)
    # A draw without an estimate has an infinite form: it counts as extreme, like in the tests of single outcomes.
    bound = tie_bound(forms[:1], forms[1:, None])[0]
    p_value = (1 + np.count_nonzero(forms[1:] >= bound)) / forms.size
    return OmnibusTest(float(forms[0]), int(np.count_nonzero(kept)), float(p_value), forms.size - 1)


def bonferroni(p_values: FloatArray) -> FloatArray:
    """Return min(1, m p), shape (m,); NaN where there is no p-value, which then does not count."""
    return np.minimum(1.0, np.count_nonzero(~np.isnan(p_values)) * p_values)


def holm(p_values: FloatArray) -> FloatArray:
    """Return Holm's step-down p-values, shape (m,); NaN where there is no p-value, which then does not count."""
    m = int(np.count_nonzero(~np.isnan(p_values)))
    # Missing values sort last.
    order = np.argsort(p_values, kind="stable")[:m]
    adjusted = np.full(p_values.size, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate((m - np.arange(m)) * p_values[order]))
    return adjusted


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Return the smallest false discovery rate at which each test is rejected, shape (m,); NaN where there is no p-value."""
    m = int(np.count_nonzero(~np.isnan(p_values)))
    order = np.argsort(p_values, kind="stable")[:m]
    adjusted = np.full(p_values.size, np.nan)
    steps = p_values[order] * m / np.arange(1, m + 1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1])
    return adjusted


def sharpened_q(p_values: FloatArray) -> FloatArray:
    """Return two-stage sharpened q-values (Anderson 2008), shape (m,); NaN where there is no p-value, which then does not count.

    Notes
    -----
    At rate q, stage one is Benjamini-Hochberg at q' = q / (1 + q) with r rejections; stage two is
    Benjamini-Hochberg at q' m / (m - r). A test's q-value is the smallest q at which stage two rejects it, at most 1.
    Anderson (2008) searches q on a grid of .001; here it is solved: between two steps of stage one r is constant, and
    with a the stage-one adjusted p, rejection needs q' >= a (m - r) / m.
    """
    tested = ~np.isnan(p_values)
    if not tested.all():
        q_values = np.full(p_values.size, np.nan)
        q_values[tested] = sharpened_q(p_values[tested])
        return q_values
    m = p_values.size
    unbounded = np.sort(p_values) * m / np.arange(1, m + 1)
    steps = np.minimum.accumulate(unbounded[::-1])[::-1]
    own = np.empty(m)
    own[np.argsort(p_values, kind="stable")] = steps
    best = np.full(m, np.inf)
    lower = np.concatenate(([0.0], steps))
    upper = np.concatenate((steps, [np.inf]))
    for r in range(m + 1):
        # Stage one rejects exactly r tests at rates q' from the r-th step up to the next one.
        rate = np.maximum(lower[r], own * (m - r) / m)
        best = np.where(rate < upper[r], np.minimum(best, rate), best)
    # q' = q / (1 + q) solved for q: q' = .5 is q = 1, the most that a rate can be.
    return np.where(best < 0.5, best / (1.0 - np.minimum(best, 0.5)), 1.0)


def _check_families(
    raw: FloatArray, names: tuple[str, ...], families: Mapping[str, tuple[str, ...]], draws: StatisticDraws | None
) -> None:
    if raw.shape != (len(names),):
        raise UserError(f"There are {raw.size} p-values for {len(names)} names; give each test one of both.")
    problems = []
    wrong = int(np.count_nonzero((raw < 0) | (raw > 1)))
    if wrong:
        problems.append(f"p_values must lie between 0 and 1; {wrong} of {raw.size} do not.")
    if not families:
        problems.append("No family is declared; name at least one, or leave families out for one family of all tests.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    problems += [f"Test '{name}' is named {names.count(name)} times; name each once." for name in repeated]
    for family, members in families.items():
        problems += _family_problems(family, members, names, draws)
    raise_problems(problems)


def _family_problems(
    family: str, members: tuple[str, ...], names: tuple[str, ...], draws: StatisticDraws | None
) -> list[str]:
    problems = [] if members else [f"Family '{family}' has no members; name at least one test."]
    problems += [
        f"Family '{family}' names '{name}', which is not among the tests.{nearest(name, names)}"
        for name in members
        if name not in names
    ]
    twice = sorted({name for name in members if members.count(name) > 1})
    problems += [f"Family '{family}' names '{name}' twice; a test counts once." for name in twice]
    if draws is not None:
        absent = [name for name in members if name in names and name not in draws.names]
        problems += [
            f"The draws have no statistic '{name}' of family '{family}'.{nearest(name, draws.names)}" for name in absent
        ]
    return problems


def _family(
    members: tuple[str, ...],
    raw: FloatArray,
    names: tuple[str, ...],
    draws: StatisticDraws | None,
    method: StepDown,
) -> dict[str, np.ndarray]:
    """Every adjustment within one family, as columns in the order of its members."""
    p = raw[[names.index(name) for name in members]]
    tested = ~np.isnan(p)
    blank = np.full(p.size, np.nan)
    columns = {"p_value": p, "p_resampled": blank.copy(), "p_step_down": blank.copy()}
    if draws is not None:
        among = _among(draws, members)
        columns |= {"p_resampled": among.p_value, "p_step_down": step_down(among, method)}
    adjustments = {
        "p_bonferroni": bonferroni,
        "p_holm": holm,
        "p_benjamini_hochberg": benjamini_hochberg,
        "q_sharpened": sharpened_q,
    }
    columns |= {name: adjust(p) for name, adjust in adjustments.items()}
    return columns | {"n_tests": np.full(p.size, int(np.count_nonzero(tested)))}


def _among(draws: StatisticDraws, members: Sequence[str]) -> StatisticDraws:
    columns = [draws.names.index(name) for name in members]
    return StatisticDraws(tuple(members), draws.observed[columns], draws.draws[:, columns], draws.studentised)


def _on_scale_of_p(draws: StatisticDraws) -> StatisticDraws:
    """Replace each statistic by 1 less its p among the draws of its test and the observed one, the larger the more extreme."""
    everything = np.abs(np.vstack((draws.observed, draws.draws)))
    tested = ~np.isnan(draws.observed)
    ranks = np.full(everything.shape, np.nan)
    for j in np.flatnonzero(tested):
        # Ties within rounding count as equal, and equal statistics have the same p: the share that is at least as extreme.
        bounds = tie_bound(everything[:, j], everything[:, [j]])
        ranks[:, j] = np.searchsorted(np.sort(everything[:, j]), bounds, side="left") / everything.shape[0]
    return StatisticDraws(draws.names, ranks[0], ranks[1:])


def _on_one_scale(draws: StatisticDraws) -> StatisticDraws:
    """Divide coefficients by their root mean square; studentised statistics are left as they are."""
    if draws.studentised:
        return draws
    everything = np.vstack((draws.observed, draws.draws))
    scale = np.sqrt(np.nanmean(np.where(np.isfinite(everything), everything, np.nan) ** 2, axis=0))
    scale[~(scale > 0)] = 1.0
    return StatisticDraws(draws.names, draws.observed / scale, draws.draws / scale)
