"""What a table of effects must say of its inference: few clusters of an arm, tiny cells, many singletons.

Rows are written only where they apply. Clusters are counted for each arm, and judged by the effective degrees of freedom of CR2
rather than by their number: 80 clusters in pairs, or 60 of which 3 are treated, are few.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.keys import FEW_FREEDOM, FEW_OF_AN_ARM, clusters_row, singletons_row, small_cells_row
from refino_eval.exhibits.numbers.drawn_units import drawn_units
from refino_eval.exhibits.numbers.study import Row, Study, cell

DRAWS = 1999
"""Re-randomisations of that test; all possible ones where they are fewer."""
MANY_SINGLETONS = 0.05
"""From this share of people in cells of one person HC1 is said to be too large."""
MANY_IN_SMALL_CELLS = 0.2
"""From this share of people in cells with one person of an arm, when standard deviations differ by `UNEQUAL`, HC variances are said
to be uncertain."""
UNEQUAL = 1.5


def inference_rows(
    table: est.EffectTable,
    values: pd.DataFrame,
    people: pd.DataFrame,
    inputs: est.RegressionInputs,
    study: Study,
    *,
    panel: str,
    seed: int,
    within_cells: bool = True,
) -> Iterator[Row]:
    """Yield what readers must know of the inference of effects, and the randomisation test where clusters are few.

    Parameters
    ----------
    table, values, people, inputs
        Effects of one treated arm, the outcomes, people and regression that they are of.
    study
        Of this pair of arms.
    panel
        Of the rows.
    seed
        Of the randomisation test.
    within_cells
        Whether the cells of the regression are those of random assignment, within which to re-randomise.
    """
    few = False
    for k, column in enumerate(table.outcomes):
        used = np.isfinite(values.iloc[:, k].to_numpy(dtype=float)) & inputs.rows
        if inputs.cluster is None:
            yield from _cell_rows(table, k, column, inputs, used, study.treated, panel)
            continue
        row, design = clusters_row(study.treated), _design(inputs.with_columns(inputs.of_outcome(column)), used)
        if design is not None and not inputs.covariance.counts_nested:
            yield cell(row, column, "n_cells", design.n_nested, int(table.n[k]), panel=panel)
        if inputs.two_way:
            # Clusters of arms and effective degrees of freedom are of one dimension; re-randomisation needs to know what was assigned.
            continue
        counts = [np.unique(inputs.cluster[used & (inputs.treated == arm)]).size for arm in (0, 1)]
        df = _effective_freedom(design)
        numbers = {"n_clusters": np.unique(inputs.cluster[used]).size, "n_treated": counts[1], "n_control": counts[0]}
        for statistic, value in numbers.items():
            yield cell(row, column, statistic, value, int(table.n[k]), panel=panel)
        yield cell(row, column, "df", df, int(table.n[k]), panel=panel)
        few = few or min(counts) < FEW_OF_AN_ARM or not df >= FEW_FREEDOM
    if few and within_cells and study.design == "randomised":
        yield from _randomisation(table, values, people, inputs, study, panel, seed)


def _design(inputs: est.RegressionInputs, used: np.ndarray) -> est.Design | None:
    """Return the regression of the people used; None where there is none."""
    try:
        return est.prepare(inputs.among(used))
    except UserError:
        return None


def _effective_freedom(design: est.Design | None) -> float:
    """Return the degrees of freedom of CR2; NaN where the regression has none."""
    try:
        return float("nan") if design is None else design.df("CR2")
    except UserError:
        return float("nan")


def _randomisation(
    table: est.EffectTable,
    values: pd.DataFrame,
    people: pd.DataFrame,
    inputs: est.RegressionInputs,
    study: Study,
    panel: str,
    seed: int,
) -> Iterator[Row]:
    """Re-randomise what was assigned; nothing where the data do not show what that was."""
    try:
        test = est.randomisation_test(
            values, inputs, units=drawn_units(None, people), draws=DRAWS, exhaustive=True, seed=seed
        )
    except UserError:
        return
    for k, column in enumerate(table.outcomes):
        yield cell(study.treated, column, "p_value_ri", test.p_value[k], int(table.n[k]), panel=panel)


def _cell_rows(
    table: est.EffectTable, k: int, column: str, inputs: est.RegressionInputs, used: np.ndarray, arm: str, panel: str
) -> Iterator[Row]:
    """Yield people in cells of one person under HC1, and in cells with one person of an arm where variances differ."""
    if not inputs.covariance.is_robust:
        return
    _, codes, size = np.unique(inputs.cells[used], return_inverse=True, return_counts=True)
    treated = np.bincount(codes, weights=inputs.treated[used])
    n, alone = int(used.sum()), int(np.count_nonzero(size == 1))
    if inputs.vcov == "HC1" and size.size > 1 and alone >= MANY_SINGLETONS * n:
        yield cell(singletons_row(arm), column, "count", alone, n, panel=panel)
        # HC1 multiplies by n / (n - K), to which a cell of one person adds one in n and in K.
        yield cell(singletons_row(arm), column, "ratio", np.sqrt(n / (n - alone)), n, panel=panel)
    inside = int(size[(size > 1) & ((treated == 1) | (size - treated == 1))].sum())
    ratio = table.sd_treated[k] / table.sd_control[k] if table.sd_control[k] > 0 else np.nan
    unequal = np.isfinite(ratio) and not 1 / UNEQUAL < ratio < UNEQUAL
    if inputs.covariance.leverage_power < 2 and inside >= MANY_IN_SMALL_CELLS * n and unequal:
        yield cell(small_cells_row(arm), column, "share", inside / n, n, panel=panel)
        yield cell(small_cells_row(arm), column, "ratio", ratio, n, panel=panel)
