"""Randomisation tests of one interaction: the draw and its product with a moderator are redrawn together.

Which null? The plain sharp null says that the draw changed nobody's outcome. Rejecting it by the interaction's
statistic does not say that effects differ, only that they are not all 0. The null of one constant effect says more: with
the estimated effect taken away, Y - b z, people are redrawn as if that were everybody's outcome without treatment (the
plug-in test of Ding, Feller and Miratrix 2016; exact but for the estimate of b).

For each redraw z and z x g are residualised on cells, controls and g, then the second on the first, giving u; so
b = u'Y~ / u'u, with residuals e = Y~ - a z~ - u b. All inner products but the robust variance's are sums over z itself,
since z^2 = z; sum u^2 e^2 expands into products of matrices people x draws with people x outcomes (`redraw_statistics`).
Slower than the main effect's test by a small factor, and exact like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError
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
    check_choice,
    ratio,
)
from refino_eval.estimation.core.outcome_groups import Pass, prepare_passes
from refino_eval.estimation.core.preparation import prepare_columns
from refino_eval.estimation.effects.heterogeneity import interaction_name
from refino_eval.estimation.effects.itt import assemble
from refino_eval.estimation.randomisation.assignments import GivenAssignments, Mechanism, Scheme, over_blocks
from refino_eval.estimation.randomisation.permutation_statistics import (
    NO_VARIATION,
    Projection,
    RedrawnPass,
    divide_by_slack,
    project,
    redrawn_pass,
    residuals_of,
)
from refino_eval.estimation.randomisation.permutation_test import StatisticDraws, choose_mechanism

Null = Literal["constant_effect", "no_effect"]


@dataclass(frozen=True, eq=False)
class InteractionTest:
    """Randomisation tests of one interaction, every array of shape (J,), one value an outcome.

    ``estimate``, ``std_error`` and ``t`` of the interaction under ``vcov``; ``p_value`` by |t| under ``null``, with its
    Monte Carlo error; ``n_undefined`` redraws without an estimate, counted as extreme.
    """

    outcomes: tuple[str, ...]
    moderator: str
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    p_std_error: FloatArray
    n: IntArray
    n_undefined: IntArray
    statistics: StatisticDraws = field(repr=False)
    null: Null
    scheme: Scheme | Literal["given"]
    vcov: Vcov
    draws: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome."""
        columns = ("estimate", "std_error", "t", "p_value", "p_std_error", "n", "n_undefined")
        frame = pd.DataFrame({"outcome": self.outcomes} | {name: getattr(self, name) for name in columns})
        frame.insert(1, "moderator", self.moderator)
        return frame.assign(null=self.null, scheme=self.scheme, vcov=self.vcov, draws=self.draws, seed=self.seed)


def interaction_test(
    outcomes: Columns,
    treated: Vector,
    moderator: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    vcov: Vcov = "HC1",
    null: Null = "constant_effect",
    scheme: Scheme = "complete",
    probabilities: Vector | None = None,
    assignments: npt.ArrayLike | None = None,
    draws: int = 10_000,
    seed: int = 1,
    threads: int = 1,
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    names: Sequence[str] | None = None,
) -> InteractionTest:
    """Test whether the effect of the draw varies with a moderator, by redrawing.

    Parameters
    ----------
    outcomes, treated, cells, controls, weights, singletons, missing, rows, names
        As in `itt.itt`; the moderator's own column is added to the controls.
    moderator
        Shape (n,), measured before the draw.
    vcov
        ``iid`` or ``HC0`` to ``HC3``; clusters are not supported here.
    null
        ``constant_effect``: the same effect for all, at its estimate. ``no_effect``: none for anybody.
    scheme, probabilities, assignments, draws, seed, threads
        As in `randomisation.randomisation_test`.

    Raises
    ------
    UserError
        As `itt.itt`; and when the interaction cannot be told from the draw and the controls.
    """
    check_choice(null, Null, what="null")
    check_choice(vcov, Vcov, what="vcov")
    if vcov == "CRV1":
        raise UserError(
            "Randomisation tests of interactions are not made for clustered draws; use heterogeneity.interactions with CRV1."
        )
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    column, (label,) = as_columns(moderator, drawn.size, what="moderator")
    beside = column if controls is None else np.hstack((as_columns(controls, drawn.size, what="controls")[0], column))
    among = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    passes = prepare_passes(
        values, found, drawn, cells=cells, controls=beside, weights=weights, cluster=None, singletons=singletons,
        missing=missing, rows=among,
    )  # fmt: skip
    redrawn = np.flatnonzero(among)
    mechanism = choose_mechanism(
        drawn, redrawn, cells=cells, cluster=None, scheme=scheme, probabilities=probabilities, assignments=assignments,
        seed=seed,
    )  # fmt: skip
    if isinstance(mechanism, GivenAssignments):
        draws = mechanism.n_draws
    ready = [
        _prepare(one, values, drawn, column[:, 0], label, cells, beside, weights, vcov, null, mechanism, redrawn)
        for one in passes
    ]

    def work(index: int) -> list[FloatArray]:
        block = mechanism.block(index)
        return [interaction_statistics(one.redrawn, block, vcov) for one in ready]

    statistics = np.empty((draws, len(found)))
    for span, results in over_blocks(work, draws, threads):
        for one, result in zip(ready, results, strict=True):
            statistics[span, one.columns] = result[:, : span.stop - span.start].T
    observed = assemble([(one.columns, one.observed) for one in ready], len(found))
    undefined = np.isnan(statistics)
    told = StatisticDraws(found, observed["t"], np.where(undefined, np.inf, statistics))
    p_value = told.p_value
    return InteractionTest(
        outcomes=found,
        moderator=label,
        **observed,
        p_value=p_value,
        p_std_error=np.sqrt(p_value * (1 - p_value) / (1 + draws)),
        n_undefined=np.count_nonzero(undefined, axis=0),
        statistics=told,
        null=null,
        scheme="given" if isinstance(mechanism, GivenAssignments) else scheme,
        vcov=vcov,
        draws=draws,
        seed=seed,
    )


@dataclass(frozen=True, eq=False, repr=False)
class _Prepared:
    """One pass: its outcomes' numbers, observed statistics, and what its redraws need."""

    columns: IntArray
    observed: dict[str, np.ndarray]
    redrawn: InteractedPass


def _prepare(
    one: Pass,
    values: FloatArray,
    drawn: FloatArray,
    moderator: FloatArray,
    label: str,
    cells: Labels | None,
    controls: FloatArray,
    weights: Vector | None,
    vcov: Vcov,
    null: Null,
    mechanism: Mechanism,
    redrawn: IntArray,
) -> _Prepared:
    outcomes = one.take(values)
    used = np.zeros(drawn.size, dtype=bool)
    used[one.design.rows] = True
    design = prepare_columns(
        np.column_stack((drawn, drawn * moderator)),
        names=["treated", interaction_name(label)],
        cells=cells,
        controls=controls,
        weights=weights,
        rows=used,
        collinear="drop",
    )
    if len(design.focus) < 2:
        raise UserError(
            f"'{interaction_name(label)}' cannot be told from cells, controls and the draw ({design.n} people in use): "
            f"the moderator '{label}' or the draw does not vary where it should. Choose another moderator."
        )
    fit = design.fit(outcomes)
    estimate, std_error = fit.coefficients[1], fit.std_errors(vcov)[1]
    if null == "constant_effect":
        # What the outcomes would have been without treatment, were the effect the same for all.
        outcomes = outcomes - drawn[:, None] * one.design.fit(outcomes).estimates
    part = redrawn_pass(one.design, outcomes, np.empty((drawn.size, 0)), drawn, mechanism, redrawn)
    interacted = InteractedPass(part, moderator[part.rows])
    interacted.prepare()
    observed = {
        "estimate": estimate,
        "std_error": std_error,
        "t": ratio(estimate, std_error, where=std_error > 0),
        "n": np.full(estimate.shape, design.n),
    }
    return _Prepared(one.columns, observed, interacted)


def interaction_statistics(one: InteractedPass, drawn: BoolArray, vcov: Vcov) -> FloatArray:
    """Return the interaction's t in every redraw of a block, shape (J, B), NaN where it has no estimate.

    Parameters
    ----------
    one
        Outcomes residualised on cells and controls, the moderator among them.
    drawn
        Shape (units, B).
    vcov
        ``iid`` or ``HC0`` to ``HC3``.
    """
    main, own = project(one.base, drawn), _project_product(one, drawn)
    count = one.base.n_effects
    found = _orthogonalise(one, main, own)
    a = main.loadings[:count] / main.squares
    b = (own.loadings[:count] - found.slope * main.loadings[:count]) / found.length
    df = one.base.df_resid - 1
    if vcov == "iid":
        rss = one.base.quadratic.sum(axis=1)[:, None] - a**2 * main.squares - b**2 * found.length
        return np.asarray(b / np.sqrt(rss / df / found.length))
    second, third, fourth = _products(one, drawn, main, own, found, a, vcov)
    middle = np.maximum(second - 2 * b * third + b**2 * fourth, 0.0)
    return np.asarray(b * found.length / np.sqrt(middle * (one.base.n / df if vcov == "HC1" else 1.0)))


@dataclass(frozen=True, eq=False, repr=False)
class InteractedPass:
    """A pass and the moderator of its people, in its order, shape (n,)."""

    base: RedrawnPass
    moderator: FloatArray

    @cached_property
    def weighted(self) -> FloatArray:
        """Moderator times weights, shape (n,)."""
        return self.moderator if self.base.root is None else self.moderator * self.base.root**2

    @cached_property
    def linear(self) -> FloatArray:
        """What z is multiplied with to load z x g on outcomes and controls; last the squares' row."""
        return np.ascontiguousarray(np.vstack((self.base.linear * self.moderator, self.weighted * self.moderator)))

    def prepare(self) -> None:
        """Make what all blocks share before threads ask for it."""
        self.base.prepare()
        _ = self.weighted, self.linear


@dataclass(frozen=True, eq=False, repr=False)
class _Product:
    """z x g: loadings on outcomes and controls, sums in cells, and the sum of its squares, over B redraws."""

    loadings: FloatArray
    sums: FloatArray
    squares: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class _Orthogonal:
    """u = residual of z x g on cells, controls and z~: its slope on z~ and u'u (NaN without variation), shape (B,)."""

    slope: FloatArray
    length: FloatArray


def _project_product(one: InteractedPass, drawn: BoolArray) -> _Product:
    loadings = np.zeros((one.linear.shape[0], drawn.shape[1]))
    sums = np.zeros((one.base.totals.size, drawn.shape[1]))
    for tile in one.base.tiles:
        z = drawn[one.base.unit[tile]].astype(np.float64)
        loadings += one.linear[:, tile] @ z
        z *= one.weighted[tile][:, None]
        codes = one.base.codes[tile]
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        sums[codes[starts]] += np.add.reduceat(z, starts, axis=0)
    return _Product(loadings[:-1], sums, loadings[-1])


def _orthogonalise(one: InteractedPass, main: Projection, own: _Product) -> _Orthogonal:
    count = one.base.n_effects
    gains, others = main.loadings[count:], own.loadings[count:]
    cross = own.sums.sum(axis=0) - np.einsum("cb,cb->b", np.broadcast_to(main.means, own.sums.shape), own.sums)
    cross -= np.einsum("kb,kb->b", gains, others)
    between = np.einsum("cb,cb->b", own.sums, own.sums / one.base.totals[:, None])
    whole = own.squares - between - np.einsum("kb,kb->b", others, others)
    length = whole - cross**2 / main.squares
    length[~(length > NO_VARIATION * own.squares)] = np.nan
    return _Orthogonal(slope=cross / main.squares, length=length)


def _products(
    one: InteractedPass,
    drawn: BoolArray,
    main: Projection,
    own: _Product,
    found: _Orthogonal,
    a: FloatArray,
    vcov: Vcov,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum g u^2 (Y~ - a z~)^2, g u^3 (Y~ - a z~) and g u^4, shapes (J, B), (J, B) and (B,)."""
    base = one.base
    second, third = np.zeros_like(a), np.zeros_like(a)
    fourth = np.zeros(a.shape[1])
    means, gains = own.sums / base.totals[:, None], own.loadings[base.n_effects :]
    slope = np.nan_to_num(found.slope)
    inverse, other = np.nan_to_num(1.0 / main.squares), np.nan_to_num(1.0 / found.length)
    for tile in base.tiles:
        z = residuals_of(base, drawn, main, tile)
        u = drawn[base.unit[tile]] * one.moderator[tile][:, None] - means[base.codes[tile]]
        if base.root is not None:
            u *= base.root[tile][:, None]
        u -= base.basis[tile] @ gains
        u -= slope * z
        scaled, outcomes = u * u, base.cubic[:, tile]
        if vcov in ("HC2", "HC3"):
            slack = base.slack[tile][:, None] - z * z * inverse - scaled * other
            divide_by_slack(scaled, slack, twice=vcov == "HC3")
        beside = scaled * z
        second += base.quadratic[:, tile] @ scaled - 2 * a * (outcomes @ beside)
        second += a**2 * np.einsum("ib,ib->b", beside, z)
        third -= a * np.einsum("ib,ib->b", beside, u)
        scaled *= u
        third += outcomes @ scaled
        fourth += np.einsum("ib,ib->b", scaled, u)
    return second, third, fourth
