"""Randomisation inference: tests and confidence sets from the distribution of random assignment itself.

The null is sharp (Fisher 1935): assignment changed nobody's outcome, so each person's outcome would have been the same
under any other assignment. The assignments that the trial could have had (`assignments`) then give the exact distribution
of any statistic. Studentised statistics are the default: under the sharp null they are as exact as the coefficient, and
where only the average effect is null (or variances differ between arms with unequal shares) they keep their size in
large samples, which the bare coefficient does not (Chung and Romano 2013; Wu and Ding 2021).

p = (1 + number of re-randomisations at least as extreme, by |t|) / (1 + re-randomisations), which never is 0 and has size
at most its level whatever their number (Phipson and Smyth 2010). A re-randomisation in which the effect cannot be estimated
counts as extreme. All outcomes share their re-randomisations, so that the joint distribution is right for families
(`multiplicity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov, studentising
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Vector,
    as_columns,
    as_vector,
    check_choice,
    check_length,
    ratio,
)
from refino_eval.estimation.core.outcome_groups import OutcomeGroup, assemble, group_outcomes
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
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
from refino_eval.estimation.randomisation.null_distribution import StatisticDraws
from refino_eval.estimation.randomisation.permutation_statistics import BlockStatistics, block_statistics, redrawn_group
from refino_eval.estimation.randomisation.refitted_draws import refitted_block

Statistic = Literal["studentised", "coefficient"]


@dataclass(frozen=True, eq=False)
class RandomisationTable:
    """Randomisation tests, every array of shape (J,), one value per outcome.

    Attributes
    ----------
    estimate, std_error, t
        As in `itt.EffectTable`, under ``vcov``: that of the inputs, or where it has Satterthwaite degrees of freedom the one
        that studentises (`covariances.studentising`).
    p_value
        Of the sharp null, two-sided.
    p_std_error
        Its Monte Carlo error, sqrt(p (1 - p) / (1 + draws)).
    exceed
        Re-randomisations at least as extreme.
    n, n_redrawn
        People in the regression, and units (people or clusters) that were re-randomised with them.
    n_undefined
        Re-randomisations without an estimate, counted as extreme.
    conf_set
        Constant effects of treatment that are not rejected at 1 - ``level`` (`exact_sets.ExactSet`), or None.
    late_set
        The same for constant effects of take-up (no effect of assignment except through it), or None.
    statistics
        The statistic in the re-randomisations, for `multiplicity`.
    exhaustive
        Whether all possible assignments were taken, so that p-values have no Monte Carlo error.
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
        """One row per outcome; sets as ``conf_kind, conf_low, conf_high, conf_pieces`` and the same for ``late_``."""
        columns: dict[str, Any] = {"outcome": self.outcomes}
        for entry in fields(self):
            if entry.name.endswith("_set"):
                columns |= _set_columns(entry.name.removesuffix("_set"), getattr(self, entry.name))
            elif entry.name not in ("outcomes", "statistics"):
                columns[entry.name] = getattr(self, entry.name)
        return pd.DataFrame(columns)


def randomisation_test(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    units: Labels | None = None,
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
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> RandomisationTable:
    """Test the sharp null that assignment changed nobody's outcome, for all outcomes with the same re-randomisations.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated, names, options
        As in `itt`. People without the outcome were assigned too, and are re-randomised: everybody in ``rows`` is. With
        clusters, clusters are re-randomised whole unless ``units`` says what was assigned.
    units
        What was assigned, as labels of people, when it was not the clusters (people: their own numbers; or
        households though errors are not clustered), shape (n,).
    statistic
        ``studentised`` by ``vcov``, or the ``coefficient`` alone.
    scheme
        ``complete``: as many treated in each cell as there were. ``bernoulli``: each unit independently.
    exhaustive
        Take every other assignment with the same numbers treated in place of draws when there are no more than ``draws``
        (scheme ``complete``).
    probabilities
        Assignment probabilities of people for ``bernoulli``, shape (n,); None means the cells' shares.
    assignments
        Other assignments that the trial could have had, 0/1 of shape (n, draws), in place of a scheme. For an exact
        test give every possible one except that which was observed.
    exact_sets
        Statistic by which to make confidence sets, or None for none.
    take_up
        Participation, for ``late_set``; needs ``exact_sets``.
    draws, seed, threads
        Re-randomisations; the seed of their blocks; blocks computed at the same time. The same seed gives the same numbers
        with any number of threads, and the first draws are the same however many follow.

    Raises
    ------
    UserError
        As `itt`; and when clusters were not assigned whole within cells, or take-up is missing.
    """
    inputs = regression_inputs(treated, **options)
    inputs.require_one_way("A randomisation test")
    check_choice(statistic, Statistic, what="statistic")
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    if exact_sets is not None:
        inputs.refuse("An exact confidence set", "interacted")
    directions = _directions(inputs, take_up, exact_sets)
    groups = group_outcomes(values, labels, inputs)
    unit_codes = inputs.cluster if units is None else encode(units, inputs.n_rows, what="units")
    chosen = _Choice(unit_codes, scheme, probabilities, assignments, seed)
    # Every assignment that was possible, where these are few, makes the test exact.
    listed = chosen.every_other(inputs, most=draws) if exhaustive else None
    mechanism = listed or chosen.mechanism(inputs)
    if isinstance(mechanism, GivenAssignments):
        draws = mechanism.n_draws
    vcov = studentising(inputs.vcov)
    how = _How(vcov, statistic, exact_sets, draws)
    tests = [_Test(group, values, directions, inputs, mechanism, how) for group in groups]

    def work(index: int) -> list[BlockStatistics]:
        block = mechanism.block(index)
        return [test.statistics(block) for test in tests]

    for span, results in over_blocks(work, draws, threads):
        for test, result in zip(tests, results, strict=True):
            test.take(span, result)
    columns = assemble([(test.columns, test.table(inputs.level)) for test in tests], len(labels))
    null = np.empty((draws, len(labels)))
    for test in tests:
        null[:, test.columns] = test.null
    statistics = StatisticDraws(labels, columns.pop("observed"), null, statistic == "studentised")
    p_value = statistics.p_value
    return RandomisationTable(
        outcomes=labels,
        **columns,
        p_value=p_value,
        p_std_error=np.zeros(len(labels)) if listed else np.sqrt(p_value * (1 - p_value) / (1 + draws)),
        exceed=statistics.exceed,
        n_redrawn=np.full(len(labels), mechanism.n_units),
        statistics=statistics,
        statistic=statistic,
        scheme="given" if isinstance(mechanism, GivenAssignments) and not listed else scheme,
        vcov=vcov,
        level=inputs.level,
        draws=draws,
        seed=seed,
        exhaustive=listed is not None,
    )


@dataclass(frozen=True, eq=False, repr=False)
class _Choice:
    """How the people in question came by their arm, as asked for; see `randomisation_test`."""

    units: IntArray | None
    scheme: Scheme
    probabilities: Vector | None
    assignments: npt.ArrayLike | None
    seed: int

    def every_other(self, inputs: RegressionInputs, *, most: int) -> GivenAssignments | None:
        """List all other assignments; None when they are more than ``most``, or the scheme is another."""
        if self.scheme != "complete" or self.assignments is not None or self.probabilities is not None:
            return None
        rows = np.flatnonzero(inputs.rows)
        cluster = None if self.units is None else self.units[rows]
        return every_other_assignment(inputs.treated[rows], inputs.cells[rows], cluster=cluster, most=most)

    def mechanism(self, inputs: RegressionInputs) -> CompleteDraw | BernoulliDraw | GivenAssignments:
        """Return the mechanism of the scheme, or the assignments that were given."""
        rows, n = np.flatnonzero(inputs.rows), inputs.n_rows
        if self.assignments is not None:
            if self.probabilities is not None:
                raise UserError("Give either probabilities or assignments: assignments are a complete description.")
            return GivenAssignments(given_assignments(self.assignments, n).assignments[rows])
        return build_mechanism(
            inputs.treated[rows],
            inputs.cells[rows],
            cluster=None if self.units is None else self.units[rows],
            scheme=self.scheme,
            probabilities=None if self.probabilities is None else as_probabilities(self.probabilities, n)[rows],
            seed=self.seed,
        )


@dataclass(frozen=True)
class _How:
    vcov: Vcov
    statistic: Statistic
    exact_sets: Statistic | None
    draws: int


class _Test:
    """The observed statistics of one group of outcomes, and room for those of its re-randomisations."""

    def __init__(
        self,
        group: OutcomeGroup,
        values: FloatArray,
        directions: FloatArray,
        inputs: RegressionInputs,
        mechanism: Mechanism,
        how: _How,
    ) -> None:
        outcomes = group.take(values)
        self.columns, self.how = group.columns, how
        self.group, self.values, self.mechanism = group, values, mechanism
        self.people = np.flatnonzero(inputs.rows)
        self.fit = group.design.fit(np.hstack((outcomes, directions)))
        crossed = how.exact_sets == "studentised"
        self.redrawn = redrawn_group(group.design, outcomes, directions, inputs, mechanism, crossed=crossed)
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

    def statistics(self, block: BoolArray) -> BlockStatistics:
        """Return the statistics of a block of re-randomisations."""
        if not self.group.inputs.interacted:
            return block_statistics(self.redrawn, block, self.how.vcov)
        # Interactions change with the assignment: each draw has a design of its own.
        b, variances = refitted_block(self.group, self.values, self.people, block[self.mechanism.unit])
        return BlockStatistics(b, variances, np.empty((0, *b.shape)), np.empty((0, b.shape[1])))

    def take(self, span: slice, block: BlockStatistics) -> None:
        """Store a block's draws, as many as the span holds."""
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
        sets = [self._sets(direction, level) for direction in range(2)]
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

    def _sets(self, direction: int, level: float) -> npt.NDArray[np.object_]:
        """Invert along one direction; None where it was not asked for or the outcome does not vary, shape (J,)."""
        count = self.null.shape[1]
        sets = np.full(count, None, dtype=object)
        if self.how.exact_sets is None or direction >= self.coefficients.shape[1] - count:
            return sets
        effects, w = self.fit.estimates, count + direction
        cov = self.fit.joint_cov(self.how.vcov) if self.how.exact_sets == "studentised" else None
        for j in np.flatnonzero(self.fit.tss_within[:count] > 0):
            pair = float(effects[j]), float(effects[w])
            redrawn = self.coefficients[:, j], self.coefficients[:, w]
            if cov is None:
                sets[j] = invert_coefficients(*pair, *redrawn, level=level)
                continue
            parts = self.variances[:, j], self.covariances[:, direction, j], self.direction_variances[:, direction]
            own = np.array([cov[j, j], cov[j, w], cov[w, w]])
            sets[j] = invert_studentised(*pair, own, *redrawn, np.column_stack(parts), level=level)
        return sets


def _directions(inputs: RegressionInputs, take_up: Vector | None, exact_sets: Statistic | None) -> FloatArray:
    """Variables along which effects are subtracted from outcomes: treatment, and take-up; shape (n, q)."""
    if exact_sets is None:
        if take_up is not None:
            raise UserError("take_up serves the exact set of its effect only; choose exact_sets, or leave it out.")
        return np.empty((inputs.n_rows, 0))
    check_choice(exact_sets, Statistic, what="statistic of the exact sets")
    if take_up is None:
        return inputs.treated[:, None]
    taken = as_vector(take_up, what="take_up")
    check_length(taken.size, inputs.n_rows, what="take_up")
    absent = int(np.count_nonzero(inputs.rows & ~np.isfinite(taken)))
    if absent:
        raise UserError(
            f"take_up is missing for {absent} of {np.count_nonzero(inputs.rows)} people; code it 0 where the arm had no "
            "access, or leave them out (rows=)."
        )
    return np.column_stack((inputs.treated, taken))


def _set_columns(prefix: str, sets: npt.NDArray[np.object_]) -> dict[str, list[Any]]:
    listed: list[ExactSet | None] = list(sets)
    return {
        f"{prefix}_kind": [None if one is None else one.kind for one in listed],
        f"{prefix}_low": [np.nan if one is None else one.low for one in listed],
        f"{prefix}_high": [np.nan if one is None else one.high for one in listed],
        f"{prefix}_pieces": [None if one is None else str(one) for one in listed],
    }
