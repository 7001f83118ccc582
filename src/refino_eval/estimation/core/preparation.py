"""Preparing a design: inputs checked, rows chosen, cells absorbed, collinear columns found, one QR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells, encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Singletons,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
    check_choice,
    check_finite,
    check_length,
)
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.recording import note_design

# A column whose variation within cells, or beside earlier columns, is below this share of its own length is rounding.
COLLINEAR = 1e-9


def prepare(
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    control_names: Sequence[str] | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    singletons: Singletons = "keep",
    rows: BoolArray | None = None,
) -> Design:
    """Prepare the regression of any outcomes on the draw, cells and controls.

    Parameters
    ----------
    treated
        The draw, 0 or 1, shape (n_rows,).
    cells
        Labels within which the draw is random; None means one cell.
    controls
        Columns, shape (n_rows, k), finite in the rows in use. Collinear ones are dropped and named.
    control_names
        Names of the controls, when they are not a data frame's.
    weights
        Probability weights, positive.
    cluster
        Cluster labels, for CRV1.
    singletons
        ``"keep"`` one-person cells in n and K (areg), or ``"drop"`` them (reghdfe). The estimate is the same.
    rows
        Rows to use, boolean of shape (n_rows,); None means all.

    Raises
    ------
    UserError
        When the draw is not 0/1, is constant within all cells, is collinear with the controls, or when inputs have
        other lengths, missing labels, non-finite controls or weights that are not positive.
    """
    drawn = as_treated(treated)
    columns = None if controls is None else as_columns(controls, drawn.size, what="controls", names=control_names)
    return _prepare(
        (drawn[:, None], ("treated",)),
        columns,
        cells,
        weights,
        cluster,
        singletons=singletons,
        rows=rows,
        collinear="error",
    )


def prepare_columns(
    columns: Columns,
    *,
    names: Sequence[str] | None = None,
    cells: Labels | None = None,
    controls: Columns | None = None,
    control_names: Sequence[str] | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    singletons: Singletons = "keep",
    rows: BoolArray | None = None,
    collinear: Literal["error", "drop"] = "error",
) -> Design:
    """Prepare a regression whose coefficients of interest are those of any columns (covariates, interactions).

    As `prepare`, except that ``columns`` (n_rows, f) take the draw's place. ``collinear="drop"`` leaves collinear
    columns of interest out and names them in ``dropped``; ``focus`` then lists those that remain,
    if any.
    """
    wanted = as_columns(columns, None, what="columns", names=names)
    n = wanted[0].shape[0]
    beside = None if controls is None else as_columns(controls, n, what="controls", names=control_names)
    return _prepare(wanted, beside, cells, weights, cluster, singletons=singletons, rows=rows, collinear=collinear)


_Named = tuple[FloatArray, tuple[str, ...]]


def _prepare(
    wanted: _Named,
    beside: _Named | None,
    cells: Labels | None,
    weights: Vector | None,
    cluster: Labels | None,
    *,
    singletons: Singletons,
    rows: BoolArray | None,
    collinear: Literal["error", "drop"],
) -> Design:
    n_rows, f = wanted[0].shape
    check_choice(singletons, Singletons, what="singletons convention")
    beside = beside if beside is not None else (np.empty((n_rows, 0)), ())
    codes = encode(cells, n_rows)
    groups = None if cluster is None else encode(cluster, n_rows, what="cluster")
    weight = None if weights is None else _checked_weights(weights, n_rows)
    used = _rows_in_use(codes, rows, singletons)
    names = beside[1] + wanted[1]
    matrix = raw = np.hstack((beside[0], wanted[0]))[used]
    check_finite(
        matrix,
        names,
        what="Controls or columns of interest",
        remedy="Encode the missing values (build_controls), or leave out the people.",
    )
    absorbed = build_cells(codes[used], weights=None if weight is None else weight[used])
    root = None if weight is None else np.sqrt(weight[used])
    within = absorbed.demean(matrix)
    if root is not None:
        matrix, within = matrix * root[:, None], within * root[:, None]
    kept = _independent(matrix, within, f, names, collinear)
    n_focus = int(np.count_nonzero(kept >= len(beside[1])))
    basis, lift = _orthonormal(within[:, kept], n_focus)
    design = Design(
        focus=tuple(names[k] for k in kept[kept.size - n_focus :]),
        controls=tuple(names[k] for k in kept[: kept.size - n_focus]),
        dropped=tuple(name for k, name in enumerate(names) if k not in set(kept.tolist())),
        rows=used,
        n_rows=n_rows,
        cells=absorbed,
        root_weights=root,
        cluster=None if groups is None else groups[used],
        basis=basis,
        lift=lift,
        leverage=absorbed.leverage + np.einsum("ik,ik->i", basis, basis),
    )
    if design.df_resid < 1:
        raise UserError(
            f"No degrees of freedom: {design.n} people in use, {absorbed.n_cells} cells and {kept.size} columns. "
            "Use coarser cells or fewer controls."
        )
    note_design(design, raw[:, np.roll(kept, n_focus)])
    return design


def _checked_weights(weights: Vector, n_rows: int) -> FloatArray:
    weight = as_vector(weights, what="weights")
    check_length(weight.size, n_rows, what="weights")
    wrong = int(np.count_nonzero(~(np.isfinite(weight) & (weight > 0))))
    if wrong:
        raise UserError(
            f"weights must be positive numbers; {wrong} of {n_rows} rows are not. Leave out people with weight 0."
        )
    return weight


def _rows_in_use(codes: IntArray, rows: BoolArray | None, singletons: Singletons) -> IntArray:
    used = np.arange(codes.size) if rows is None else np.flatnonzero(as_mask(rows, codes.size))
    if singletons == "drop" and used.size:
        used = used[np.bincount(codes[used])[codes[used]] > 1]
    if not used.size:
        raise UserError(
            "The sample is empty: no person is left in use. Look at the sample flow for the step that lost them."
        )
    return used


def _independent(
    raw: FloatArray, within: FloatArray, f: int, names: tuple[str, ...], collinear: Literal["error", "drop"]
) -> IntArray:
    """Find the columns that are independent within cells, earlier ones first, the f of interest last."""
    length = np.sqrt(np.einsum("ik,ik->k", within, within))
    varies = length > COLLINEAR * np.sqrt(np.einsum("ik,ik->k", raw, raw))
    candidates = np.flatnonzero(varies)
    triangle = np.asarray(np.linalg.qr(within[:, candidates] / length[candidates], mode="r"))
    kept = candidates[_leading_columns(triangle)]
    lost = [k for k in range(len(names) - f, len(names)) if k not in set(kept.tolist())]
    if lost and collinear == "error":
        constant = [names[k] for k in lost if not varies[k]]
        fault = "is constant within every cell" if constant else "is collinear with the controls"
        raise UserError(
            f"'{names[lost[0]]}' {fault}, so that its effect cannot be told from theirs ({raw.shape[0]} people in use). "
            + ("Use cells within which the draw varied." if constant else "Remove the control that repeats it.")
        )
    return kept


def _leading_columns(triangle: FloatArray) -> IntArray:
    """Find the columns of R (unit length) that are not combinations of those before them."""
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
    basis, triangle = np.linalg.qr(within / length)
    inverse = np.linalg.solve(triangle, np.eye(length.size)) / length[:, None]
    return basis, np.asarray(inverse[length.size - n_focus :])
