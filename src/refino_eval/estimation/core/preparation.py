"""Preparation of a design: rows chosen, cells absorbed, collinear columns found, one QR decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells, nested_in
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Singletons,
    Vector,
    as_columns,
    as_treated,
    check_finite,
)
from refino_eval.estimation.core.controls import control_term
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.recording import note_design, note_dropped
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, unchecked_inputs
from refino_eval.recent_results import RecentResults, content_of

# A column whose variation within cells, or given earlier columns, is below this share of its own length is rounding.
COLLINEAR = 1e-9
Collinear = Literal["error", "drop"]


def prepare(
    treated: Vector | RegressionInputs, *, control_names: Sequence[str] | None = None, **options: Unpack[Options]
) -> Design:
    """Prepare the regression of any outcomes on treatment, cells and controls.

    Parameters
    ----------
    treated
        Assignment to treatment, 0 or 1, shape (n_rows,); or `RegressionInputs`, without options.
    control_names
        Names of the controls, when they are not a data frame's.
    options
        As in `RegressionInputs`; those about outcomes and inference are not used.

    Raises
    ------
    UserError
        When treatment is not 0 or 1, is constant within all cells, is collinear with the controls, or when inputs have
        other lengths, missing labels, non-finite controls or weights that are not positive.
    """
    if not isinstance(treated, RegressionInputs):
        treated = unchecked_inputs(as_treated(treated), control_names, **options)
    return design_of(treated)


def prepare_columns(
    columns: Columns,
    *,
    names: Sequence[str] | None = None,
    control_names: Sequence[str] | None = None,
    collinear: Collinear = "error",
    **options: Unpack[Options],
) -> Design:
    """Prepare a regression whose coefficients of interest are those of any columns (covariates, interactions).

    As `prepare`, except that ``columns`` (n_rows, f) take the place of treatment. ``collinear="drop"`` leaves collinear
    columns of interest out and names them in ``dropped``; ``focus`` then lists those that remain, if any.
    """
    values, labels = as_columns(columns, None, what="columns", names=names)
    inputs = unchecked_inputs(np.zeros(values.shape[0]), control_names, **options)
    return design_of(inputs, values, labels, collinear=collinear)


def design_of(
    inputs: RegressionInputs,
    columns: FloatArray | None = None,
    names: tuple[str, ...] = ("treated",),
    *,
    collinear: Collinear = "error",
) -> Design:
    """Prepare the regression on ``columns`` of interest (n_rows, f), treatment when None, given the inputs' cells and controls.

    Notes
    -----
    With ``inputs.interacted`` the regression is that of Lin (2013, Annals of Applied Statistics 7(1), eq. 5) with cells,

        y = a_c + z b + x'g + z (x - x_c)'d + e,

    x_c the (weighted) mean of the controls among the people in use of the cell (of all people in use where no cells are given). b
    is the average over cells of the difference between arms at the cell's mean of the controls, weighted as least squares with
    cell fixed effects weights cells, n_c p_c (1 - p_c): the estimand of the additive form. The interactions are controls in
    everything else: they cost degrees of freedom and count in the leverage.
    """
    inputs.refuse("A regression of several outcomes at once", "own_controls")
    focus = inputs.treated[:, None] if columns is None else columns
    used = _rows_in_use(inputs.cells, inputs.rows, inputs.singletons)
    controls, control_names = _controls_in_use(inputs, focus, names, used)
    n_controls, names = len(control_names), control_names + names
    raw = np.hstack((controls, focus[used]))
    check_finite(
        raw,
        names,
        what="Controls or columns of interest",
        remedy="Encode the missing values (build_controls), or leave out the people.",
    )
    weights = None if inputs.weights is None else inputs.weights[used]
    cluster = None if inputs.cluster is None else inputs.cluster[used]
    n_cluster_codes = 0 if inputs.cluster is None else int(inputs.cluster.max()) + 1
    columns_of = (names, n_controls, collinear, inputs.absorbed)
    codes = inputs.cells[used]
    # Exhibits of one job have most designs in common.
    design, columns_in_use = _DESIGNS.of(
        content_of(raw, used, codes, weights, cluster, inputs.n_rows, n_cluster_codes, *columns_of),
        lambda: _decomposed(raw, used, codes, weights, cluster, inputs.n_rows, n_cluster_codes, *columns_of),
        lambda made: sum(value.nbytes for value in (made[1], *vars(made[0]).values()) if isinstance(value, np.ndarray)),
    )
    # Engines of verification are given the columns of interest first.
    note_design(design, columns_in_use)
    note_dropped(name for name in design.dropped if name in control_names)
    return design


_DESIGNS = RecentResults[tuple[Design, FloatArray]](most=40_000_000)


def _decomposed(
    raw: FloatArray,
    used: IntArray,
    codes: IntArray,
    weights: FloatArray | None,
    cluster: IntArray | None,
    n_rows: int,
    n_cluster_codes: int,
    names: tuple[str, ...],
    n_controls: int,
    collinear: Collinear,
    absorbed: Sequence[str],
) -> tuple[Design, FloatArray]:
    """Return the design of columns (controls first), and those that are in it, those of interest first."""
    cells = build_cells(codes, weights=weights)
    root = None if weights is None else np.sqrt(weights)
    matrix, within = raw, cells.demean(raw)
    if root is not None:
        matrix, within = matrix * root[:, None], within * root[:, None]
    # Controls come before the columns of interest, so that of two collinear columns the later one is dropped, and the
    # last rows of the inverse triangle give the coefficients of interest.
    kept = _independent(matrix, within, len(names) - n_controls, names, collinear)
    n_focus = int(np.count_nonzero(kept >= n_controls))
    basis, lift = _orthonormal(within[:, kept], n_focus)
    listed = np.roll(kept, n_focus)
    columns, fixed_effects = raw[:, listed], _fixed_effects(absorbed, [names[k] for k in listed])
    columns.setflags(write=False)  # recordings share them
    design = Design(
        focus=tuple(names[k] for k in kept[kept.size - n_focus :]),
        controls=tuple(names[k] for k in kept[: kept.size - n_focus]),
        dropped=tuple(name for k, name in enumerate(names) if k not in set(kept.tolist())),
        rows=used,
        n_rows=n_rows,
        cells=cells,
        root_weights=root,
        cluster=cluster,
        basis=basis,
        lift=lift,
        leverage=cells.leverage + np.einsum("ik,ik->i", basis, basis),
        n_cluster_codes=n_cluster_codes,
        fixed_effects=fixed_effects,
        n_nested_dummies=0 if cluster is None else _nested_dummies(columns, fixed_effects, cluster),
    )
    if design.df_resid < 1:
        raise UserError(
            f"No degrees of freedom: {design.n} people in use, {cells.n_cells} cells and {kept.size} columns. "
            "Use coarser cells or fewer controls."
        )
    return design, columns


def _controls_in_use(
    inputs: RegressionInputs, focus: FloatArray, names: tuple[str, ...], used: IntArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the controls of the people in use, (n, k), with their interactions with each column of interest when asked for."""
    controls = inputs.controls[used]
    if not inputs.interacted or not controls.shape[1]:
        return controls, inputs.control_names
    weights = None if inputs.weights is None else inputs.weights[used]
    centred = build_cells(inputs.cells[used], weights=weights).demean(controls)
    parts = [focus[used][:, [k]] * centred for k in range(len(names))]
    listed = tuple(f"{name} x {of}" for of in names for name in inputs.control_names)
    return np.hstack((controls, *parts)), inputs.control_names + listed


def _fixed_effects(absorbed: Sequence[str], columns: Sequence[str]) -> IntArray:
    """Return which further fixed effect each column is a dummy of, 0 for other columns, shape (k,)."""
    number = {name: k for k, name in enumerate(absorbed, start=1)}
    return np.array([number.get(control_term(name), 0) for name in columns], dtype=np.int64)


def _nested_dummies(columns: FloatArray, fixed_effects: IntArray, cluster: IntArray) -> int:
    """Return how many columns are dummies of a fixed effect that is nested in clusters."""
    count = 0
    for number in np.unique(fixed_effects[fixed_effects > 0]):
        dummies = columns[:, fixed_effects == number]
        # The category without a dummy has the code 0.
        if nested_in((dummies @ np.arange(1, dummies.shape[1] + 1)).astype(np.int64), cluster):
            count += dummies.shape[1]
    return count


def _rows_in_use(codes: IntArray, rows: BoolArray, singletons: Singletons) -> IntArray:
    used = np.flatnonzero(rows)
    if singletons == "drop" and used.size:
        used = used[np.bincount(codes[used])[codes[used]] > 1]
    if not used.size:
        raise UserError(
            "The sample is empty: no person is left in use. Look at the sample flow for the step that lost them."
        )
    return used


def _independent(raw: FloatArray, within: FloatArray, f: int, names: tuple[str, ...], collinear: Collinear) -> IntArray:
    """Return the columns that are independent within cells, earlier ones first, the f of interest last."""
    length = np.sqrt(np.einsum("ik,ik->k", within, within))
    varies = length > COLLINEAR * np.sqrt(np.einsum("ik,ik->k", raw, raw))
    candidates = np.flatnonzero(varies)
    triangle = np.asarray(np.linalg.qr(within[:, candidates] / length[candidates], mode="r"))
    kept = candidates[_leading_columns(triangle)]
    lost = [k for k in range(len(names) - f, len(names)) if k not in set(kept.tolist())]
    if lost and collinear == "error":
        constant = [names[k] for k in lost if not varies[k]]
        problem = "is constant within every cell" if constant else "is collinear with the controls"
        raise UserError(
            f"'{names[lost[0]]}' {problem}, so that its effect cannot be distinguished from theirs ({raw.shape[0]} people in use). "
            + ("Use cells within which assignment varied." if constant else "Remove the control that repeats it.")
        )
    return kept


def _leading_columns(triangle: FloatArray) -> IntArray:
    """Return the columns of R (unit length) that are not combinations of those before them."""
    kept: list[int] = []
    directions = np.zeros((triangle.shape[0], 0))
    for k in range(triangle.shape[1]):
        column = triangle[:, k]
        # Projecting twice keeps the test exact to rounding when columns are nearly parallel.
        rest = column - directions @ (directions.T @ column)
        rest = rest - directions @ (directions.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > COLLINEAR:
            kept.append(k)
            directions = np.column_stack((directions, rest / length))
    return np.asarray(kept, dtype=np.int64)


def _orthonormal(within: FloatArray, n_focus: int) -> tuple[FloatArray, FloatArray]:
    """Return the basis Q of the columns, and the rows of R^-1 that give the last coefficients from Q'Y."""
    length = np.sqrt(np.einsum("ik,ik->k", within, within))
    # Columns of unit length keep the triangle's condition from depending on their units (a wage beside an indicator).
    basis, triangle = np.linalg.qr(within / length)
    inverse = np.linalg.solve(triangle, np.eye(length.size)) / length[:, None]
    return basis, np.asarray(inverse[length.size - n_focus :])
