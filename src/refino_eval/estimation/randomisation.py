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

from refino_eval.errors import UserFault
from refino_eval.estimation.cells import encode
from refino_eval.estimation.exact_sets import ExactSet, invert_coefficients, invert_studentised
from refino_eval.estimation.inputs import (
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
)
from refino_eval.estimation.itt import assemble
from refino_eval.estimation.kernel import Fit
from refino_eval.estimation.passes import Pass, prepare_passes
from refino_eval.estimation.redraw_statistics import RedrawnPass, block_statistics, redrawn_pass
from refino_eval.estimation.redraws import Mechanism, Scheme, build_mechanism, given_assignments, over_blocks

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
    """

    names: tuple[str, ...]
    observed: FloatArray
    draws: FloatArray = field(repr=False)

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
    vcov: Vcov = "HC1",
    statistic: Statistic = "studentised",
    scheme: Scheme = "complete",
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
        Clusters, when these were what was drawn: they are redrawn whole, and ``vcov`` is CRV1.
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
    UserFault
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
    mechanism: Mechanism
    if assignments is not None:
        given = given_assignments(assignments, drawn.size)
        draws = given.assignments.shape[1]
        mechanism = type(given)(given.assignments[redrawn])
    else:
        mechanism = build_mechanism(
            drawn[redrawn],
            encode(cells, drawn.size)[redrawn],
            cluster=None if cluster is None else encode(cluster, drawn.size, what="cluster")[redrawn],
            scheme=scheme,
            probabilities=None if probabilities is None else as_vector(probabilities, what="probabilities")[redrawn],
            seed=seed,
        )
    tests = [_Test.of(one, values, directions, mechanism, redrawn, vcov, statistic, exact_sets) for one in passes]
    run_redraws(tests, mechanism, draws, threads)
    parts = [(test.columns, test.statistics(level)) for test in tests]
    told = assemble(parts, len(found))
    observed, null = told.pop("observed"), np.empty((draws, len(found)))
    for test in tests:
        null[:, test.columns] = test.null
    statistics = StatisticDraws(found, observed, null)
    return RandomisationTable(
        outcomes=found, **told, statistics=statistics, **_p_values(statistics), statistic=statistic,
        n_redrawn=np.full(len(found), mechanism.n_units), scheme=scheme if assignments is None else "given", vcov=vcov,
        level=level, draws=draws, seed=seed,
    )  # fmt: skip
