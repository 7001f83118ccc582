"""Numbers of exhibits of kind `design`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.design.model import DesignExhibit
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: DesignExhibit, context: Context) -> Iterator[Row]:
    """Return the cells of the random assignment and what they sum to."""
    cohort = context.cohort
    table = est.design_table(cohort["treated"].to_numpy(), cohort["cell"])
    for k, name_of_cell in enumerate(table.cell):
        n = int(table.n[k])
        yield cell(str(name_of_cell), "all", "n", n, n)
        yield cell(str(name_of_cell), "all", "n_treated", table.n_treated[k], n)
        yield cell(str(name_of_cell), "all", "share", table.share[k], n)
        yield cell(str(name_of_cell), "all", "weight", table.weight_share[k], n)
    for key, value in vars(table.summary).items():
        yield cell("summary", key, "value", value, table.summary.n)
