"""Rows of the tidy form for results of the estimation room: an effect with its statistics, and a joint test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from refino_eval import estimation as est
from refino_eval.exhibits.numbers.number_sources import NumberSource
from refino_eval.exhibits.numbers.study import Row, cell

EFFECT = ("estimate", "std_error", "p_value", "conf_low", "conf_high")
"""The statistics of an effect, as results and the tidy form name them."""


def effect_rows(
    row: str,
    column: str,
    table: Any,
    place: int | tuple[int, int],
    *,
    statistics: Sequence[str] = (*EFFECT, "n"),
    panel: str = "",
    n: int | None = None,
) -> Iterator[Row]:
    """Return the statistics of one effect.

    Parameters
    ----------
    table
        A result whose attributes are arrays, with `sources`.
    place
        Index of the effect in these arrays.
    n
        People behind the effect; by default the table's own.
    """
    people = int(table.n[place]) if n is None else n
    for statistic in statistics:
        value = getattr(table, statistic)[place]
        yield cell(row, column, statistic, value, people, panel=panel, source=table.sources[place])


def joint_test_rows(
    row: str,
    column: str,
    test: est.WaldTest,
    *,
    panel: str = "",
    n: int | None = None,
    source: NumberSource | None = None,
) -> Iterator[Row]:
    """Return a joint test; `source` where it is not one of the coefficients of a regression."""
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell(row, column, statistic, value, n, panel=panel, source=source or test.source)
