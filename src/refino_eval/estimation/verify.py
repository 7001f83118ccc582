"""Numbers for release, estimated again by programs that share nothing with the kernel.

Each engine is asked in the way that makes it count as we do, and the ways in which it would silently give another
number are closed here:

statsmodels
    a dummy for every cell, Student's t; people fitted exactly are left out before HC2 and HC3 (their e^2 / (1 - h)
    would be 0 / 0), which changes nothing else.
linearmodels
    cells as categories, since `AbsorbingLS` reads an integer column as one continuous regressor; for take-up
    `IV2SLS` with a dummy for every cell, since two-stage least squares on demeaned data forgets the cells' degrees of freedom.
pyfixest
    ``fixef_rm="none"``, since its default drops singletons and so changes n and standard errors, and
    ``k_fixef="full"``; and without the factor n / (n - K) that it gives HC2 and HC3 too. Taken when installed.
textbook
    pseudo-inverses of the whole matrices, for HC2 and HC3, which few programs offer with cells.

Engines are imported when used.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from refino_eval.errors import UserFault
from refino_eval.estimation.balance import BalanceTable
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
)
from refino_eval.estimation.itt import EffectTable
from refino_eval.estimation.kernel import SATURATED, Design
from refino_eval.estimation.late import LateTable
from refino_eval.estimation.passes import prepare_passes
from refino_eval.estimation.preparation import prepare_columns

Engine = Literal["statsmodels", "linearmodels", "pyfixest", "textbook"]
TOLERANCE = 1e-8
# Above this many numbers a matrix of dummies is not built; the engines that absorb cells remain.
MOST_DUMMIES = 60_000_000
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
    UserFault
        When fewer than two engines can be asked, or the table has other outcomes.
    """
    drawn = as_treated(treated)
    values, names = _outcomes(outcomes, drawn.size, table.outcomes)
    beside = None if controls is None else as_columns(controls, drawn.size, what="controls")
    asked = _engines(engines, table.vcov, weighted=weights is not None, instrument=False)
    passes = prepare_passes(
        values, names, drawn, cells=cells, controls=None if beside is None else _frame(beside), weights=weights,
        cluster=cluster, singletons=singletons, missing=missing, rows=rows,
    )  # fmt: skip
    lines: list[_Line] = []
    for one in passes:
        problem = _problem(one.design, drawn[:, None], beside, table.vcov)
        used = one.design.used(one.take(values))
        for engine in asked:
            for j, (b, cov) in zip(one.columns, _ask(engine, problem, used), strict=True):
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
    asked = _engines(engines, table.vcov, weighted=weights is not None, instrument=True)
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
            first, first_cov = _ask(engine, problem, d[:, None])[0]
            # Full compliance leaves no residual, and an F that is infinite here and rounding there.
            f_stat = float(first[0] ** 2 / first_cov[0, 0]) if first_cov[0, 0] > SATURATED**2 else np.inf
            for j, (b, cov) in zip(one.columns, _ask(engine, problem, used, d), strict=True):
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
    asked = _engines(engines, table.vcov, weighted=weights is not None, instrument=False)
    design = prepare_columns(
        np.where(among[:, None], values, 0.0), names=names, cells=cells, weights=weights, cluster=cluster,
        singletons=singletons, rows=among, collinear="drop",
    )  # fmt: skip
    kept = [names.index(name) for name in design.focus]
    problem = _problem(design, values[:, kept], None, table.vcov)
    lines: list[_Line] = []
    for engine in asked:
        b, cov = _ask(engine, problem, design.used(drawn)[:, None])[0]
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


@dataclass(frozen=True, eq=False, repr=False)
class _Problem:
    """A regression as engines see it: columns of interest first, then controls; cells, weights and clusters."""

    columns: FloatArray
    n_focus: int
    cells: IntArray
    weights: FloatArray | None
    cluster: IntArray | None
    vcov: Vcov


_Answer = tuple[FloatArray, FloatArray]


def _outcomes(outcomes: Columns, n: int, expected: tuple[str, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    values, _ = as_columns(outcomes, n, what="outcomes")
    if values.shape[1] != len(expected):
        raise UserFault(
            f"The table has {len(expected)} rows and the data {values.shape[1]} columns; verify with the data that the table is of."
        )
    return values, expected


def _frame(beside: tuple[FloatArray, tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(beside[0], columns=[f"control {k}" for k in range(beside[0].shape[1])])


def _problem(
    design: Design, focus: FloatArray, beside: tuple[FloatArray, tuple[str, ...]] | None, vcov: Vcov
) -> _Problem:
    """Take the people in use, and the controls that are not combinations of others."""
    columns = focus
    if beside is not None:
        kept = [k for k in range(beside[0].shape[1]) if f"control {k}" in design.controls]
        columns = np.hstack((focus, beside[0][:, kept]))
    return _Problem(
        columns=design.used(columns),
        n_focus=focus.shape[1],
        cells=design.cells.codes,
        weights=None if design.root_weights is None else design.root_weights**2,
        cluster=design.cluster,
        vcov=vcov,
    )


def _engines(asked: Sequence[Engine] | None, vcov: Vcov, *, weighted: bool, instrument: bool) -> list[Engine]:
    """List the engines that offer the variance, at least two."""
    check_choice(vcov, Vcov, what="vcov")
    leverage = vcov in ("HC2", "HC3")
    offered: list[Engine] = ["statsmodels"]
    if not leverage:
        offered.append("linearmodels")
    if (
        importlib.util.find_spec("pyfixest") is not None
        and vcov != "HC0"
        and not (leverage and (weighted or instrument))
    ):
        offered.append("pyfixest")
    if leverage:
        offered.append("textbook")
    for name in asked or ():
        check_choice(name, Engine, what="engine")
    chosen = offered if asked is None else [name for name in asked if name in offered]
    if len(chosen) < 2:
        raise UserFault(
            f"Verifying needs two engines with vcov '{vcov}', and {len(chosen)} can be asked of: {', '.join(offered)}. "
            "Install the missing one, or leave the choice of engines open."
        )
    return chosen


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


def _ask(engine: Engine, problem: _Problem, outcomes: FloatArray, taken: FloatArray | None = None) -> list[_Answer]:
    """Ask one engine for coefficients of interest (of take-up, when given) and their covariance, one answer an outcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if taken is None:
            return _LEAST_SQUARES[engine](problem, outcomes)
        return _INSTRUMENTED[engine](problem, outcomes, taken)


def _dummies(problem: _Problem) -> FloatArray:
    n_cells = int(problem.cells.max()) + 1
    if problem.cells.size * n_cells > MOST_DUMMIES:
        raise UserFault(
            f"A dummy for each of {n_cells} cells and {problem.cells.size} people is too large to verify with; name engines that absorb "
            "cells (linearmodels, pyfixest)."
        )
    return np.asarray(problem.cells[:, None] == np.arange(n_cells), dtype=np.float64)


def _without_exact(problem: _Problem, outcomes: FloatArray) -> tuple[_Problem, FloatArray]:
    """Leave out people fitted exactly, until none is; their cells and columns go with them."""
    while True:
        root = np.ones(problem.cells.size) if problem.weights is None else np.sqrt(problem.weights)
        basis, values, _ = np.linalg.svd(
            np.hstack((problem.columns, _dummies(problem))) * root[:, None], full_matrices=False
        )
        basis = basis[:, values > 1e-10 * values[0]]
        inside = 1.0 - np.einsum("ik,ik->i", basis, basis) > 1e-9
        if inside.all():
            return problem, outcomes
        outcomes = outcomes[inside]
        problem = _Problem(
            columns=problem.columns[inside],
            n_focus=problem.n_focus,
            cells=np.unique(problem.cells[inside], return_inverse=True)[1],
            weights=None if problem.weights is None else problem.weights[inside],
            cluster=None if problem.cluster is None else problem.cluster[inside],
            vcov=problem.vcov,
        )


def _by_statsmodels(problem: _Problem, outcomes: FloatArray) -> list[_Answer]:
    import statsmodels.api as sm

    if problem.vcov in ("HC2", "HC3"):
        problem, outcomes = _without_exact(problem, outcomes)
    x = np.hstack((problem.columns, _dummies(problem)))
    options: dict[str, Any] = {"cov_type": "nonrobust" if problem.vcov == "iid" else problem.vcov, "use_t": True}
    if problem.vcov == "CRV1":
        options |= {"cov_type": "cluster", "cov_kwds": {"groups": problem.cluster}}
    weights: FloatArray | float = 1.0 if problem.weights is None else problem.weights
    answers: list[_Answer] = []
    shared: dict[str, Any] = {}
    for y in outcomes.T:
        model = sm.WLS(y, x, weights=weights)
        # The pseudo-inverse is of the columns alone; statsmodels takes it when it is there already.
        for name, value in shared.items():
            setattr(model, name, value)
        fit = model.fit(**options)
        shared = {name: getattr(model, name) for name in ("pinv_wexog", "normalized_cov_params", "rank")}
        f = problem.n_focus
        answers.append((np.asarray(fit.params)[:f], np.asarray(fit.cov_params())[:f, :f]))
    return answers


def _by_linearmodels(problem: _Problem, outcomes: FloatArray) -> list[_Answer]:
    from linearmodels.iv.absorbing import AbsorbingLS

    options = _linearmodels_options(problem)
    columns = pd.DataFrame(problem.columns, columns=[f"x{k}" for k in range(problem.columns.shape[1])])
    absorb = pd.DataFrame({"cell": pd.Categorical(problem.cells)})
    if absorb["cell"].cat.categories.size == 1:
        # One category has nothing to absorb and is the constant.
        return [_constant_only(columns, y, problem, options) for y in outcomes.T]
    answers = []
    for y in outcomes.T:
        weights = None if problem.weights is None else pd.Series(problem.weights)
        fit = AbsorbingLS(pd.Series(y, name="y"), columns, absorb=absorb, weights=weights).fit(**options)
        f = problem.n_focus
        answers.append((fit.params.to_numpy()[:f], fit.cov.to_numpy()[:f, :f]))
    return answers


def _linearmodels_options(problem: _Problem) -> dict[str, Any]:
    kind = {"iid": "unadjusted", "CRV1": "clustered"}.get(problem.vcov, "robust")
    options: dict[str, Any] = {"cov_type": kind, "debiased": problem.vcov != "HC0"}
    if problem.cluster is not None and kind == "clustered":
        options["clusters"] = pd.Series(problem.cluster)
    return options


def _constant_only(columns: pd.DataFrame, y: FloatArray, problem: _Problem, options: dict[str, Any]) -> _Answer:
    from linearmodels.iv import IV2SLS

    weights = None if problem.weights is None else pd.Series(problem.weights)
    fit = IV2SLS(pd.Series(y), columns.assign(constant=1.0), None, None, weights=weights).fit(**options)
    f = problem.n_focus
    return fit.params.to_numpy()[:f], fit.cov.to_numpy()[:f, :f]


def _by_pyfixest(problem: _Problem, outcomes: FloatArray) -> list[_Answer]:
    import pyfixest as pf

    leverage = problem.vcov in ("HC2", "HC3")
    if leverage:
        problem, outcomes = _without_exact(problem, outcomes)
    names = [f"x{k}" for k in range(problem.columns.shape[1])]
    # With leverage cells are columns; without they are absorbed.
    cells = " + C(cell)" if leverage and problem.cells.max() > 0 else "" if leverage else " | cell"
    answers = []
    for y in outcomes.T:
        fit = pf.feols(
            f"y ~ {' + '.join(names)}{cells}", _pyfixest_frame(problem, names, y), **_pyfixest_options(problem)
        )
        f = problem.n_focus
        cov = pd.DataFrame(fit._vcov, index=fit._coefnames, columns=fit._coefnames).loc[names[:f], names[:f]]
        answers.append((fit.coef()[names[:f]].to_numpy(), cov.to_numpy()))
    return answers


def _pyfixest_frame(problem: _Problem, names: list[str], y: FloatArray) -> pd.DataFrame:
    frame = pd.DataFrame(problem.columns, columns=names).assign(y=y, cell=problem.cells)
    if problem.weights is not None:
        frame["w"] = problem.weights
    if problem.cluster is not None:
        frame["g"] = problem.cluster
    return frame


def _pyfixest_options(problem: _Problem) -> dict[str, Any]:
    import pyfixest as pf

    vcov = {"CRV1": {"CRV1": "g"}, "HC1": "hetero"}.get(problem.vcov, problem.vcov)
    weights = None if problem.weights is None else "w"
    # HC2 and HC3 have no factor n / (n - K); pyfixest multiplies by it unless told.
    ssc = pf.ssc(k_adj=problem.vcov not in ("HC2", "HC3"), k_fixef="full")
    return {"vcov": vcov, "fixef_rm": "none", "ssc": ssc, "weights": weights}


def _by_textbook(problem: _Problem, outcomes: FloatArray) -> list[_Answer]:
    return _sandwich(problem, problem.columns, problem.columns, outcomes)


def _sandwich(
    problem: _Problem, regressors: FloatArray, instruments: FloatArray, outcomes: FloatArray
) -> list[_Answer]:
    """Two-stage least squares with a dummy for every cell; least squares when instruments are the regressors."""
    dummies = _dummies(problem)
    root = np.ones((outcomes.shape[0], 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
    x, z = np.hstack((regressors, dummies)) * root, np.hstack((instruments, dummies)) * root
    fitted = z @ (np.linalg.pinv(z) @ x)
    inverse = np.asarray(np.linalg.pinv(fitted), dtype=np.float64)
    leverage = np.einsum("ik,ki->i", fitted, inverse)
    answers = []
    for y in (outcomes * root).T:
        beta = inverse @ y
        cov = _sandwich_cov(problem, inverse[: problem.n_focus], y - x @ beta, leverage, x.shape[1])
        answers.append((beta[: problem.n_focus], cov))
    return answers


def _sandwich_cov(problem: _Problem, own: FloatArray, residual: FloatArray, leverage: FloatArray, k: int) -> FloatArray:
    """Covariance of the coefficients whose rows of the pseudo-inverse are ``own``."""
    n = residual.size
    if problem.vcov == "iid":
        return np.asarray(own @ own.T * float(residual @ residual) / (n - k))
    inside = 1.0 - leverage > 1e-9
    scores = own * np.where(inside, residual, 0.0)
    if problem.vcov == "CRV1" and problem.cluster is not None:
        groups = np.unique(problem.cluster, return_inverse=True)[1]
        sums = np.stack([np.bincount(groups, weights=row) for row in scores])
        g = sums.shape[1]
        return np.asarray(sums @ sums.T * g / (g - 1) * (n - 1) / (n - k))
    power = {"HC2": 0.5, "HC3": 1.0}.get(problem.vcov, 0.0)
    scores = scores / np.where(inside, 1.0 - leverage, 1.0) ** power
    return np.asarray(scores @ scores.T * (n / (n - k) if problem.vcov == "HC1" else 1.0))


def _take_up_by_statsmodels(problem: _Problem, outcomes: FloatArray, taken: FloatArray) -> list[_Answer]:
    """Indirect least squares: b = rho / pi, whose residual y - b d is that of its regression on the draw."""
    stages = _by_statsmodels(problem, np.column_stack((taken, outcomes)))
    pi = stages[0][0][0]
    ratios = np.array([stage[0][0] for stage in stages[1:]]) / pi
    apart = _by_statsmodels(problem, outcomes - taken[:, None] * ratios)
    return [(np.array([b]), cov[:1, :1] / pi**2) for b, (_, cov) in zip(ratios, apart, strict=True)]


def _take_up_by_linearmodels(problem: _Problem, outcomes: FloatArray, taken: FloatArray) -> list[_Answer]:
    from linearmodels.iv import IV2SLS

    exogenous = np.hstack((problem.columns[:, 1:], _dummies(problem)))
    answers = []
    for y in outcomes.T:
        model = IV2SLS(y, exogenous, taken, problem.columns[:, 0], weights=problem.weights)
        fit = model.fit(**_linearmodels_options(problem))
        answers.append((fit.params.to_numpy()[-1:], fit.cov.to_numpy()[-1:, -1:]))
    return answers


def _take_up_by_pyfixest(problem: _Problem, outcomes: FloatArray, taken: FloatArray) -> list[_Answer]:
    import pyfixest as pf

    names = [f"x{k}" for k in range(problem.columns.shape[1])]
    formula = f"y ~ {' + '.join(names[1:]) or '1'} | cell | d ~ x0"
    answers = []
    for y in outcomes.T:
        frame = _pyfixest_frame(problem, names, y).assign(d=taken)
        fit = pf.feols(formula, frame, **_pyfixest_options(problem))
        answers.append((np.array([fit.coef()["d"]]), np.array([[fit.se()["d"] ** 2]])))
    return answers


def _take_up_by_textbook(problem: _Problem, outcomes: FloatArray, taken: FloatArray) -> list[_Answer]:
    regressors = np.column_stack((taken, problem.columns[:, 1:]))
    return _sandwich(problem, regressors, problem.columns, outcomes)


_LEAST_SQUARES: dict[Engine, Callable[[_Problem, FloatArray], list[_Answer]]] = {
    "statsmodels": _by_statsmodels,
    "linearmodels": _by_linearmodels,
    "pyfixest": _by_pyfixest,
    "textbook": _by_textbook,
}
_INSTRUMENTED: dict[Engine, Callable[[_Problem, FloatArray, FloatArray], list[_Answer]]] = {
    "statsmodels": _take_up_by_statsmodels,
    "linearmodels": _take_up_by_linearmodels,
    "pyfixest": _take_up_by_pyfixest,
    "textbook": _take_up_by_textbook,
}
