"""Randomisation inference: the draw itself as the source of chance.

The null is sharp (Fisher 1935): the draw changed nobody's outcome, so each person's outcome would have been the same
under any other assignment. The assignments that the trial could have had (`redraws`) then give the exact distribution
of any statistic. Studentised statistics are the default: under the sharp null they are as exact as the coefficient, and
where only the average effect is null (or variances differ between arms with unequal shares) they keep their size in
large samples, which the bare coefficient does not (Chung and Romano 2013; Wu and Ding 2021).

p = (1 + number of redraws at least as extreme, by |t|) / (1 + redraws), which never is 0 and has size at most its
level whatever the number of redraws (Phipson and Smyth 2010). A redraw in which the effect cannot be estimated counts
as extreme. All outcomes share their redraws, so that the joint distribution is right for families (`multiplicity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Missing,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
    check_choice,
    check_cluster,
    check_length,
    check_level,
    ratio,
)
from refino_eval.estimation.core.outcome_groups import Pass, prepare_passes
from refino_eval.estimation.effects.itt import assemble
from refino_eval.estimation.randomisation.assignments import (
    BernoulliDraw,
    CompleteDraw,
    GivenAssignments,
    Mechanism,
    Scheme,
    as_probabilities,
    build_mechanism,
    every_other_assignment,
    given_assignments,
    over_blocks,
)
from refino_eval.estimation.randomisation.exact_sets import ExactSet, invert_coefficients, invert_studentised
from refino_eval.estimation.randomisation.permutation_statistics import BlockStatistics, block_statistics, redrawn_pass

Statistic = Literal["studentised", "coefficient"]

# Redraws nearer to the draw than this share are ties, computed twice.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class StatisticDraws:
    """One statistic a test, as observed and in draws from its null distribution.

    Attributes
    ----------
    names
        Names of the tests, J of them.
    observed
        Shape (J,); NaN where there is no test, infinite where an effect has no standard error.
    draws
        Shape (R, J), rows jointly drawn; infinite where a redraw gave no estimate.
    studentised
        Whether they are on the scale of t; coefficients are not, and families put them on one scale first.
    """

    names: tuple[str, ...]
    observed: FloatArray
    draws: FloatArray = field(repr=False)
    studentised: bool = True

    @property
    def exceed(self) -> IntArray:
        """Draws at least as extreme as observed, shape (J,)."""
        return count_exceeding(self.observed, self.draws)

    @property
    def p_value(self) -> FloatArray:
        """(1 + exceed) / (1 + R), shape (J,); NaN where nothing was observed."""
        return np.where(np.isnan(self.observed), np.nan, (1 + self.exceed) / (1 + self.draws.shape[0]))


@dataclass(frozen=True, eq=False)
class RandomisationTable:
    """Randomisation tests, every array of shape (J,), one value an outcome.

    Attributes
    ----------
    estimate, std_error, t
        As in `itt.EffectTable`, under ``vcov``.
    p_value
        Of the sharp null, two-sided.
    p_std_error
        Its Monte Carlo error, sqrt(p (1 - p) / (1 + draws)).
    exceed
        Redraws at least as extreme.
    n, n_redrawn
        People in the regression, and people (or clusters) redrawn with them.
    n_undefined
        Redraws without an estimate, counted as extreme.
    conf_set
        Constant effects of the draw that are not rejected at 1 - ``level`` (`exact_sets.ExactSet`), or None.
    late_set
        The same for constant effects of take-up (no effect of the draw but through it), or None.
    statistics
        The statistic as drawn, for `multiplicity`.
    exhaustive
        Whether the redraws are all that were possible, so that p-values have no Monte Carlo error.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    p_std_error: FloatArray
    exceed: IntArray
    n: IntArray
    n_redrawn: IntArray
    n_undefined: IntArray
    conf_set: npt.NDArray[np.object_]
    late_set: npt.NDArray[np.object_]
    statistics: StatisticDraws = field(repr=False)
    statistic: Statistic
    scheme: Scheme | Literal["given"]
    vcov: Vcov
    level: float
    draws: int
    seed: int
    exhaustive: bool = False

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome; sets as ``conf_kind, conf_low, conf_high, conf_pieces`` and the same for ``late_``."""
        columns: dict[str, Any] = {"outcome": self.outcomes}
        for entry in fields(self):
            if entry.name.endswith("_set"):
                columns |= _set_columns(entry.name.removesuffix("_set"), getattr(self, entry.name))
            elif entry.name not in ("outcomes", "statistics"):
                columns[entry.name] = getattr(self, entry.name)
        return pd.DataFrame(columns)


def randomisation_test(
    outcomes: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    units: Labels | None = None,
    vcov: Vcov = "HC1",
    statistic: Statistic = "studentised",
    scheme: Scheme = "complete",
    exhaustive: bool = False,
    probabilities: Vector | None = None,
    assignments: npt.ArrayLike | None = None,
    exact_sets: Statistic | None = None,
    take_up: Vector | None = None,
    draws: int = 10_000,
    seed: int = 1,
    threads: int = 1,
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> RandomisationTable:
    """Test the sharp null that the draw changed nobody's outcome, for all outcomes with the same redraws.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated
        The draw, 0 or 1, shape (n,).
    cells
        Cells within which people were drawn, and which the regression absorbs.
    cluster
        Clusters of the standard errors, with ``vcov`` CRV1; redrawn whole unless ``units`` says what was drawn.
    units
        What was drawn, as labels of people, when it was not the clusters (people by themselves: their own numbers; or households
        though errors are not clustered), shape (n,).
    exhaustive
        Take every other assignment with the same numbers treated in place of redraws when there are no more than ``draws``
        (scheme ``complete``).
    statistic
        ``studentised`` by ``vcov``, or the ``coefficient`` alone.
    scheme
        ``complete``: as many treated in each cell as there were. ``bernoulli``: each person by itself.
    probabilities
        Draw probabilities of people for ``bernoulli``, shape (n,); None means the cells' shares.
    assignments
        Other assignments that the trial could have had, 0/1 of shape (n, draws), in place of a scheme. For an exact
        test hand over every possible one but that which fell.
    exact_sets
        Statistic by which to make confidence sets, or None for none.
    take_up
        Participation, for ``late_set``; needs ``exact_sets``.
    draws, seed, threads
        Redraws; the seed of their blocks; blocks at work at once. The same seed gives the same numbers with any
        number of threads, and the first draws are the same however many follow.
    missing
        As in `itt`. People without the outcome were drawn too, and are redrawn: everybody in ``rows`` is.
    controls, weights, vcov, singletons, rows, level, names
        As in `itt`.

    Raises
    ------
    UserError
        As `itt`; and when clusters were not drawn whole within cells, or take-up is missing.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    check_choice(statistic, Statistic, what="statistic")
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    among = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    directions = _directions(drawn, take_up, among, exact_sets)
    passes = prepare_passes(
        values, found, drawn, cells=cells, controls=controls, weights=weights, cluster=cluster, singletons=singletons,
        missing=missing, rows=among,
    )  # fmt: skip
    redrawn = np.flatnonzero(among)
    drawn_units = cluster if units is None else units
    mechanism: CompleteDraw | BernoulliDraw | GivenAssignments | None = None
    if exhaustive and scheme == "complete" and assignments is None and probabilities is None:
        mechanism = every_other_assignment(
            drawn[redrawn],
            encode(cells, drawn.size)[redrawn],
            cluster=_unit_codes(drawn_units, drawn.size, redrawn),
            most=draws,
        )
    listed = mechanism is not None
    if mechanism is None:
        mechanism = choose_mechanism(
            drawn, redrawn, cells=cells, cluster=drawn_units, scheme=scheme, probabilities=probabilities,
            assignments=assignments, seed=seed,
        )  # fmt: skip
    if isinstance(mechanism, GivenAssignments):
        draws = mechanism.n_draws
    how = _How(vcov, statistic, exact_sets, draws)
    tests = [_Test(one, values, directions, drawn, mechanism, redrawn, how) for one in passes]

    def work(index: int) -> list[BlockStatistics]:
        block = mechanism.block(index)
        return [block_statistics(test.redrawn, block, vcov) for test in tests]

    for span, results in over_blocks(work, draws, threads):
        for test, result in zip(tests, results, strict=True):
            test.take(span, result)
    told = assemble([(test.columns, test.table(level)) for test in tests], len(found))
    null = np.empty((draws, len(found)))
    for test in tests:
        null[:, test.columns] = test.null
    statistics = StatisticDraws(found, told.pop("observed"), null, statistic == "studentised")
    p_value = statistics.p_value
    return RandomisationTable(
        outcomes=found,
        **told,
        p_value=p_value,
        p_std_error=np.zeros(len(found)) if listed else np.sqrt(p_value * (1 - p_value) / (1 + draws)),
        exceed=statistics.exceed,
        n_redrawn=np.full(len(found), mechanism.n_units),
        statistics=statistics,
        statistic=statistic,
        scheme="given" if isinstance(mechanism, GivenAssignments) and not listed else scheme,
        vcov=vcov,
        level=level,
        draws=draws,
        seed=seed,
        exhaustive=listed,
    )


def _unit_codes(units: Labels | None, n: int, rows: IntArray) -> IntArray | None:
    return None if units is None else encode(units, n, what="units")[rows]


def choose_mechanism(
    drawn: FloatArray,
    redrawn: IntArray,
    *,
    cells: Labels | None,
    cluster: Labels | None,
    scheme: Scheme,
    probabilities: Vector | None,
    assignments: npt.ArrayLike | None,
    seed: int,
) -> CompleteDraw | BernoulliDraw | GivenAssignments:
    """Describe how the people in rows ``redrawn`` came by their arm; see `randomisation_test`."""
    n = drawn.size
    if assignments is not None:
        if probabilities is not None:
            raise UserError("Give either probabilities or assignments: assignments say all about the draw.")
        return GivenAssignments(given_assignments(assignments, n).assignments[redrawn])
    return build_mechanism(
        drawn[redrawn],
        encode(cells, n)[redrawn],
        cluster=_unit_codes(cluster, n, redrawn),
        scheme=scheme,
        probabilities=None if probabilities is None else as_probabilities(probabilities, n)[redrawn],
        seed=seed,
    )


def count_exceeding(observed: FloatArray, draws: FloatArray) -> IntArray:
    """Count draws (R, J) at least as extreme as observed (J,), ties within rounding included."""
    return np.asarray(np.count_nonzero(np.abs(draws) >= tie_bound(observed, draws), axis=0))


def tie_bound(observed: FloatArray, draws: FloatArray) -> FloatArray:
    """From which |t| on a draw counts as extreme, shape (J,): the observed one less rounding."""
    typical = np.sqrt(np.nanmean(np.where(np.isfinite(draws), draws, 0.0) ** 2, axis=0))
    return np.asarray(np.abs(observed) * (1.0 - TIE) - TIE * typical)


@dataclass(frozen=True)
class _How:
    vcov: Vcov
    statistic: Statistic
    exact_sets: Statistic | None
    draws: int


class _Test:
    """One pass' observed statistics, and room for those of its redraws."""

    def __init__(
        self,
        one: Pass,
        values: FloatArray,
        directions: FloatArray,
        drawn: FloatArray,
        mechanism: Mechanism,
        redrawn: IntArray,
        how: _How,
    ) -> None:
        outcomes = one.take(values)
        self.columns, self.how = one.columns, how
        self.fit = one.design.fit(np.hstack((outcomes, directions)))
        crossed = how.exact_sets == "studentised"
        self.redrawn = redrawn_pass(one.design, outcomes, directions, drawn, mechanism, redrawn, crossed=crossed)
        self.redrawn.prepare()
        n_outcomes, n_directions = outcomes.shape[1], directions.shape[1]
        self.null = np.empty((how.draws, n_outcomes))
        self.n_undefined = 0
        wanted = how.draws if how.exact_sets is not None else 0
        self.coefficients = np.empty((wanted, n_outcomes + n_directions))
        wanted = how.draws if crossed else 0
        self.variances = np.empty((wanted, n_outcomes))
        self.covariances = np.empty((wanted, n_directions, n_outcomes))
        self.direction_variances = np.empty((wanted, n_directions))

    def take(self, span: slice, block: BlockStatistics) -> None:
        """Keep a block's draws, as many as the span holds."""
        count, n_outcomes = span.stop - span.start, self.null.shape[1]
        b = block.coefficients[:n_outcomes, :count]
        if self.how.statistic == "studentised":
            with np.errstate(divide="ignore", invalid="ignore"):
                b = b / np.sqrt(block.variances[:, :count])
        self.null[span] = np.where(np.isnan(b), np.inf, b).T
        self.n_undefined += int(np.count_nonzero(np.isnan(block.coefficients[0, :count])))
        if self.how.exact_sets is not None:
            self.coefficients[span] = block.coefficients[:, :count].T
        if self.how.exact_sets == "studentised":
            self.variances[span] = block.variances[:, :count].T
            self.covariances[span] = block.covariances[:, :, :count].transpose(2, 0, 1)
            self.direction_variances[span] = block.direction_variances[:, :count].T

    def table(self, level: float) -> dict[str, Any]:
        """Columns of the table, and the observed statistic."""
        count = self.null.shape[1]
        estimate = self.fit.estimates[:count]
        std_error = self.fit.std_errors(self.how.vcov)[0, :count]
        t = ratio(estimate, std_error, where=std_error > 0)
        statistic = np.where(std_error > 0, t, np.inf) if self.how.statistic == "studentised" else estimate
        sets = [self._sets(place, level) for place in range(2)]
        return {
            "estimate": estimate,
            "std_error": std_error,
            "t": t,
            "observed": np.where(self.fit.tss_within[:count] > 0, statistic, np.nan),
            "n": np.full(count, self.fit.design.n),
            "n_undefined": np.full(count, self.n_undefined),
            "conf_set": sets[0],
            "late_set": sets[1],
        }

    def _sets(self, place: int, level: float) -> npt.NDArray[np.object_]:
        """Invert along one direction; None where it was not asked for or the outcome does not vary, shape (J,)."""
        count = self.null.shape[1]
        sets = np.full(count, None, dtype=object)
        if self.how.exact_sets is None or place >= self.coefficients.shape[1] - count:
            return sets
        effects, w = self.fit.estimates, count + place
        cov = self.fit.joint_cov(self.how.vcov) if self.how.exact_sets == "studentised" else None
        for j in np.flatnonzero(self.fit.tss_within[:count] > 0):
            pair = float(effects[j]), float(effects[w])
            drawn = self.coefficients[:, j], self.coefficients[:, w]
            if cov is None:
                sets[j] = invert_coefficients(*pair, *drawn, level=level)
                continue
            parts = self.variances[:, j], self.covariances[:, place, j], self.direction_variances[:, place]
            own = np.array([cov[j, j], cov[j, w], cov[w, w]])
            sets[j] = invert_studentised(*pair, own, *drawn, np.column_stack(parts), level=level)
        return sets


def _directions(
    drawn: FloatArray, take_up: Vector | None, among: BoolArray, exact_sets: Statistic | None
) -> FloatArray:
    """Variables along which effects are taken away from outcomes: the draw, and take-up; shape (n, q)."""
    if exact_sets is None:
        if take_up is not None:
            raise UserError("take_up serves the exact set of its effect only; choose exact_sets, or leave it out.")
        return np.empty((drawn.size, 0))
    check_choice(exact_sets, Statistic, what="statistic of the exact sets")
    if take_up is None:
        return drawn[:, None]
    taken = as_vector(take_up, what="take_up")
    check_length(taken.size, drawn.size, what="take_up")
    absent = int(np.count_nonzero(among & ~np.isfinite(taken)))
    if absent:
        raise UserError(
            f"take_up is missing for {absent} of {np.count_nonzero(among)} people; code it 0 where the arm had no "
            "access, or leave them out (rows=)."
        )
    return np.column_stack((drawn, taken))


def _set_columns(prefix: str, sets: npt.NDArray[np.object_]) -> dict[str, list[Any]]:
    known: list[ExactSet | None] = list(sets)
    return {
        f"{prefix}_kind": [None if one is None else one.kind for one in known],
        f"{prefix}_low": [np.nan if one is None else one.low for one in known],
        f"{prefix}_high": [np.nan if one is None else one.high for one in known],
        f"{prefix}_pieces": [None if one is None else str(one) for one in known],
    }
