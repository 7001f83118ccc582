"""Randomisation tests of one interaction: the draw and its product with a moderator are redrawn together.

Which null? The plain sharp null says that the draw changed nobody's outcome. Rejecting it by the interaction's
statistic does not say that effects differ, only that they are not all 0. The null of one constant effect says more: with
the estimated effect taken away, Y - b z, people are redrawn as if that were everybody's outcome without treatment (the
plug-in test of Ding, Feller and Miratrix 2016; exact but for the estimate of b).

For each redraw z and z x g are residualised on cells, controls and g, then the second on the first, giving u; so
b = u'Y~ / u'u, with residuals e = Y~ - a z~ - u b. Robust variances need sum u^2 e^2, again products of matrices
people x draws with people x outcomes. Slower than the main effect's test by a small factor, and exact like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserFault
from refino_eval.estimation.heterogeneity import interaction_name
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
    check_choice,
    ratio,
)
from refino_eval.estimation.itt import assemble
from refino_eval.estimation.passes import Pass, prepare_passes
from refino_eval.estimation.preparation import prepare_columns
from refino_eval.estimation.randomisation import StatisticDraws, choose_mechanism
from refino_eval.estimation.redraw_statistics import (
    NO_VARIATION,
    RedrawnPass,
    divide_by_slack,
    project,
    redrawn_pass,
    residuals_of,
)
from refino_eval.estimation.redraws import GivenAssignments, Mechanism, Scheme, over_blocks

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
    UserFault
        As `itt.itt`; and when the interaction cannot be told from the draw and the controls.
    """
    check_choice(null, Null, what="null")
    check_choice(vcov, Vcov, what="vcov")
    if vcov == "CRV1":
        raise UserFault(
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
        return [interaction_statistics(one.redrawn, block, one.moderator, vcov) for one in ready]

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
    redrawn: RedrawnPass
    moderator: FloatArray


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
    )
    fit = design.fit(outcomes)
    estimate, std_error = fit.coefficients[1], fit.std_errors(vcov)[1]
    if null == "constant_effect":
        # What the outcomes would have been without treatment, were the effect the same for all.
        outcomes = outcomes - drawn[:, None] * one.design.fit(outcomes).estimates
    part = redrawn_pass(one.design, outcomes, np.empty((drawn.size, 0)), mechanism, redrawn)
    part.prepare()
    observed = {
        "estimate": estimate,
        "std_error": std_error,
        "t": ratio(estimate, std_error, where=std_error > 0),
        "n": np.full(estimate.shape, design.n),
    }
    return _Prepared(one.columns, observed, part, moderator[part.rows])


def interaction_statistics(one: RedrawnPass, drawn: BoolArray, moderator: FloatArray, vcov: Vcov) -> FloatArray:
    """Return the interaction's t in every redraw of a block, shape (J, B), NaN where it has no estimate.

    Parameters
    ----------
    one
        Outcomes residualised on cells and controls, the moderator among them.
    drawn
        Shape (units, B).
    moderator
        Of the people of ``one``, in its order, shape (n,).
    vcov
        ``iid`` or ``HC0`` to ``HC3``.
    """
    found = project(one, drawn)
    z = residuals_of(one, drawn, found, slice(None))
    u, length = _interaction_residuals(one, drawn, moderator, z, found.squares)
    outcomes = one.outcomes.T
    a = found.loadings[: one.n_effects] / found.squares
    b = outcomes @ u / length
    df = one.df_resid - 1
    if vcov == "iid":
        rss = one.quadratic.sum(axis=1)[:, None] - a**2 * found.squares - b**2 * length
        return np.asarray(b / np.sqrt(rss / df / length))
    scaled = u * u
    if vcov in ("HC2", "HC3"):
        inverse, own = np.nan_to_num(1.0 / found.squares), np.nan_to_num(1.0 / length)
        slack = one.slack[:, None] - z * z * inverse - scaled * own
        divide_by_slack(scaled, slack, twice=vcov == "HC3")
    beside = scaled * z
    second = one.quadratic @ scaled - 2 * a * (outcomes @ beside) + a**2 * np.einsum("ib,ib->b", beside, z)
    cubes = scaled * u
    third = outcomes @ cubes - a * np.einsum("ib,ib->b", beside, u)
    middle = second - 2 * b * third + b**2 * np.einsum("ib,ib->b", cubes, u)
    factor = one.n / df if vcov == "HC1" else 1.0
    return np.asarray(b * length / np.sqrt(np.maximum(middle, 0.0) * factor))


def _interaction_residuals(
    one: RedrawnPass, drawn: BoolArray, moderator: FloatArray, z: FloatArray, squares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Residuals of z x g on cells, controls and z~, shape (n, B), and their squared lengths."""
    product = drawn[one.unit] * moderator[:, None]
    weighted = product if one.root is None else product * (one.root**2)[:, None]
    starts = np.flatnonzero(np.r_[True, one.codes[1:] != one.codes[:-1]])
    product -= (np.add.reduceat(weighted, starts, axis=0) / one.totals[:, None])[one.codes]
    if one.root is not None:
        product *= one.root[:, None]
    product -= one.basis @ (one.basis.T @ product)
    whole = np.einsum("ib,ib->b", product, product)
    product -= z * (np.einsum("ib,ib->b", z, product) / np.where(np.isnan(squares), np.inf, squares))
    length = np.einsum("ib,ib->b", product, product)
    length[~(length > NO_VARIATION * whole) | np.isnan(squares)] = np.nan
    return product, length
