"""Numbers for release, estimated again by programs that share nothing with the kernel.

The engines, and the ways in which each would silently give another number, stand in `engines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    Labels,
    Missing,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
)
from refino_eval.estimation.core.kernel import SATURATED, Design
from refino_eval.estimation.core.outcome_groups import prepare_passes
from refino_eval.estimation.core.preparation import prepare_columns
from refino_eval.estimation.effects.balance import BalanceTable
from refino_eval.estimation.effects.itt import EffectTable
from refino_eval.estimation.effects.late import LateTable
from refino_eval.estimation.verification.engines import Engine, Problem, ask, engines_offered

TOLERANCE = 1e-8
VERDICTS = ("agrees", "differs")


class VerificationError(Exception):
    """A number that another engine does not give: a fault of the program, or of the engine."""


def require_agreement(found: pd.DataFrame) -> None:
    """Raise when an engine differs, naming outcome, statistic, engine and both values.

    Raises
    ------
    VerificationError
    """
    wrong = found[found["verdict"] != "agrees"]
    if len(wrong):
        lines = [
            f"{row.outcome}, {row.statistic}: {row.value!r} here, {row.engine_value!r} by {row.engine}"
            for row in wrong.head(10).itertuples()
        ]
        raise VerificationError(f"{len(wrong)} of {len(found)} comparisons differ:\n" + "\n".join(lines))


def verify_itt(
    table: EffectTable,
    outcomes: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    engines: Sequence[Engine] | None = None,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Estimate a table of effects again by other engines.

    Parameters
    ----------
    table
        What `itt.itt` gave; its vcov is the one asked of the engines.
    outcomes, treated, cells, controls, weights, cluster, singletons, missing, rows
        As given to `itt`.
    engines
        Those to ask; None asks all that are installed and offer the vcov.
    tolerance
        Largest relative difference that agrees. An estimate's is relative to the larger of it and its standard
        error, since an effect of about 0 has no relative precision of its own.

    Returns
    -------
    DataFrame
        One row an outcome, statistic (``estimate``, ``std_error``, ``f_stat`` = t^2) and engine: outcome, statistic,
        value, engine, engine_value, difference (relative), verdict (``agrees`` or ``differs``).

    Raises
    ------
    UserError
        When fewer than two engines can be asked, or the table has other outcomes.
    """
    drawn = as_treated(treated)
    values, names = _outcomes(outcomes, drawn.size, table.outcomes)
    beside = None if controls is None else as_columns(controls, drawn.size, what="controls")
    asked = engines_offered(engines, table.vcov, weighted=weights is not None, instrument=False)
    passes = prepare_passes(
        values, names, drawn, cells=cells, controls=None if beside is None else _frame(beside), weights=weights,
        cluster=cluster, singletons=singletons, missing=missing, rows=rows,
    )  # fmt: skip
    lines: list[_Line] = []
    for one in passes:
        problem = _problem(one.design, drawn[:, None], beside, table.vcov)
        used = one.design.used(one.take(values))
        for engine in asked:
            for j, (b, cov) in zip(one.columns, ask(engine, problem, used), strict=True):
                told = (float(table.estimate[j]), float(table.std_error[j]))
                lines += _compare(names[j], engine, told, (float(b[0]), float(np.sqrt(cov[0, 0]))))
    return _told(lines, tolerance)


def verify_late(
    table: LateTable,
    outcomes: Columns,
    take_up: Vector,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    engines: Sequence[Engine] | None = None,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Estimate a table of effects of take-up again by other engines.

    As `verify_itt`, with ``first_stage_f`` from the engine's own regression of take-up on the draw. statsmodels, which
    has no robust two-stage least squares, is asked for the ratio of two regressions and the residual's variance.
    """
    drawn = as_treated(treated)
    values, names = _outcomes(outcomes, drawn.size, table.outcomes)
    taken = as_vector(take_up, what="take_up")
    beside = None if controls is None else as_columns(controls, drawn.size, what="controls")
    asked = engines_offered(engines, table.vcov, weighted=weights is not None, instrument=True)
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    among = everyone & np.isfinite(taken)
    passes = prepare_passes(
        values, names, drawn, cells=cells, controls=None if beside is None else _frame(beside), weights=weights,
        cluster=cluster, singletons=singletons, missing=missing, rows=among,
    )  # fmt: skip
    lines: list[_Line] = []
    for one in passes:
        problem = _problem(one.design, drawn[:, None], beside, table.vcov)
        used, d = one.design.used(one.take(values)), one.design.used(taken)
        for engine in asked:
            first, first_cov = ask(engine, problem, d[:, None])[0]
            # Full compliance leaves no residual, and an F that is infinite here and rounding there.
            f_stat = float(first[0] ** 2 / first_cov[0, 0]) if first_cov[0, 0] > SATURATED**2 else np.inf
            for j, (b, cov) in zip(one.columns, ask(engine, problem, used, d), strict=True):
                told = (float(table.estimate[j]), float(table.std_error[j]))
                lines += _compare(names[j], engine, told, (float(b[0]), float(np.sqrt(cov[0, 0]))))
                lines.append(_Line(names[j], "first_stage_f", float(table.first_stage_f[j]), engine, f_stat, 0.0))
    return _told(lines, tolerance)


def verify_balance(
    table: BalanceTable,
    covariates: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    singletons: Singletons = "keep",
    rows: BoolArray | None = None,
    engines: Sequence[Engine] | None = None,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Estimate the draw's regression on all covariates again: coefficients, standard errors and the joint F.

    As `verify_itt`; the column ``outcome`` names the covariate, and ``joint_test`` the joint F.
    """
    drawn = as_treated(treated)
    values, names = _outcomes(covariates, drawn.size, table.covariates)
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    among = everyone & np.isfinite(values).all(axis=1)
    asked = engines_offered(engines, table.vcov, weighted=weights is not None, instrument=False)
    design = prepare_columns(
        np.where(among[:, None], values, 0.0), names=names, cells=cells, weights=weights, cluster=cluster,
        singletons=singletons, rows=among, collinear="drop",
    )  # fmt: skip
    kept = [names.index(name) for name in design.focus]
    problem = _problem(design, values[:, kept], None, table.vcov)
    lines: list[_Line] = []
    for engine in asked:
        b, cov = ask(engine, problem, design.used(drawn)[:, None])[0]
        errors = np.sqrt(np.diag(cov))
        for place, k in enumerate(kept):
            told = (float(table.together.estimate[k]), float(table.together.std_error[k]))
            lines += _compare(names[k], engine, told, (float(b[place]), float(errors[place])))
        joint = float(b @ np.linalg.solve(cov, b)) / len(kept)
        lines.append(_Line("joint_test", "f_stat", table.joint_test.f_stat, engine, joint, 0.0))
    return _told(lines, tolerance)


@dataclass(frozen=True)
class _Line:
    """One comparison; ``scale`` is what a difference is measured against when the value is smaller."""

    outcome: str
    statistic: str
    value: float
    engine: str
    engine_value: float
    scale: float


def _outcomes(outcomes: Columns, n: int, expected: tuple[str, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    values, _ = as_columns(outcomes, n, what="outcomes")
    if values.shape[1] != len(expected):
        raise UserError(
            f"The table has {len(expected)} rows and the data {values.shape[1]} columns; verify with the data that the table is of."
        )
    return values, expected


def _frame(beside: tuple[FloatArray, tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(beside[0], columns=[f"control {k}" for k in range(beside[0].shape[1])])


def _problem(
    design: Design, focus: FloatArray, beside: tuple[FloatArray, tuple[str, ...]] | None, vcov: Vcov
) -> Problem:
    """Take the people in use, and the controls that are not combinations of others."""
    columns = focus
    if beside is not None:
        kept = [k for k in range(beside[0].shape[1]) if f"control {k}" in design.controls]
        columns = np.hstack((focus, beside[0][:, kept]))
    return Problem(
        columns=design.used(columns),
        n_focus=focus.shape[1],
        cells=design.cells.codes,
        weights=None if design.root_weights is None else design.root_weights**2,
        cluster=design.cluster,
        vcov=vcov,
    )


def _compare(outcome: str, engine: str, ours: tuple[float, float], theirs: tuple[float, float]) -> list[_Line]:
    with np.errstate(divide="ignore", invalid="ignore"):
        f_ours, f_theirs = (np.square(np.divide(b, error)) for b, error in (ours, theirs))
    return [
        _Line(outcome, "estimate", ours[0], engine, theirs[0], abs(ours[1])),
        _Line(outcome, "std_error", ours[1], engine, theirs[1], 0.0),
        # An F of about 0 is as precise as its t, whose own scale is 1.
        _Line(outcome, "f_stat", float(f_ours), engine, float(f_theirs), min(1.0, float(np.sqrt(f_ours)))),
    ]


def _told(lines: list[_Line], tolerance: float) -> pd.DataFrame:
    rows = []
    for line in lines:
        gap = abs(line.value - line.engine_value)
        same = line.value == line.engine_value or (np.isnan(line.value) and np.isnan(line.engine_value))
        size = max(abs(line.value), line.scale)
        difference = 0.0 if same else (gap / size if size > 0 else np.inf)
        verdict = VERDICTS[0] if difference <= tolerance else VERDICTS[1]
        rows.append((line.outcome, line.statistic, line.value, line.engine, line.engine_value, difference, verdict))
    columns = ["outcome", "statistic", "value", "engine", "engine_value", "difference", "verdict"]
    return pd.DataFrame(rows, columns=columns)
