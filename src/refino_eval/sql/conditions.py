"""Conditions on a column, compiled once: for SQL over clean registers and for columns in memory.

The values of a condition are converted to the form in which the column is kept, so that the same condition means the
same for a state, a covariate, a step of the population and a sample. A missing value never meets a condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from refino_eval.errors import UserError
from refino_eval.sql.quoting import NUMERIC, Kept, Scalar, code_text, identifier, kept_value, value_literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Mask = npt.NDArray[np.bool_]

Sign = Literal["IN", "NOT IN", ">=", "<="]


class Condition(Protocol):
    """What a condition of the configuration says (`refino_eval.config.definitions.Condition`)."""

    @property
    def column(self) -> str:
        """The column that it is about."""

    @property
    def is_in(self) -> tuple[Scalar, ...] | None:
        """Values of which the column's must be one."""

    @property
    def not_in(self) -> tuple[Scalar, ...] | None:
        """Values of which the column's must be none."""

    @property
    def in_groups(self) -> tuple[str, ...] | None:
        """Groups of codes, which `is_in` holds the codes of once the configuration is loaded."""

    @property
    def not_in_groups(self) -> tuple[str, ...] | None:
        """Groups of codes, which `not_in` holds the codes of."""

    @property
    def at_least(self) -> float | None:
        """Smallest value."""

    @property
    def at_most(self) -> float | None:
        """Largest value."""


class _Typed(Protocol):
    @property
    def type(self) -> str: ...


def comparisons(condition: Condition) -> list[tuple[Sign, tuple[Scalar, ...]]]:
    """Return the comparisons that make up a condition, which hold together.

    Raises
    ------
    UserError
        When groups were never replaced by their codes: the condition's register is not among the sources.
    """
    for groups, codes in ((condition.in_groups, condition.is_in), (condition.not_in_groups, condition.not_in)):
        if groups is not None and codes is None:
            raise UserError(
                f"A condition on '{condition.column}' names the groups {', '.join(groups)} of a code list, and its register is not "
                "among the sources of the evaluation, so the codes are not known. Add the register to `sources`."
            )
    parts: list[tuple[Sign, tuple[Scalar, ...] | None]] = [
        ("IN", condition.is_in),
        ("NOT IN", condition.not_in),
        (">=", None if condition.at_least is None else (condition.at_least,)),
        ("<=", None if condition.at_most is None else (condition.at_most,)),
    ]
    return [(sign, values) for sign, values in parts if values is not None]


def condition_problems(condition: Condition, column_type: str) -> list[str]:
    """Return what is wrong with a condition on a column of that type; each completes "State 'x', where, ..."."""
    problems: list[str] = []
    for sign, values in comparisons(condition):
        if sign in (">=", "<=") and column_type not in NUMERIC:
            problems.append(
                f"at_least and at_most compare numbers, and '{column_type}' is the type of '{condition.column}'; use `in` "
                "or `not_in`"
            )
            continue
        for value in values:
            try:
                value_literal(value, column_type)
            except ValueError as problem:
                problems.append(f"column '{condition.column}' (type {column_type}): the value {problem}")
    return list(dict.fromkeys(problems))


def condition_sql(condition: Condition, column_type: str, *, table: str = "s") -> str:
    """Write a condition on a column of a clean register as SQL.

    Parameters
    ----------
    condition
        Its values are in the column's natural unit (hours, kroner).
    column_type
        The column's type in its source.
    table
        Alias of the register in the query.
    """
    name = f"{table}.{identifier(condition.column)}"
    parts: list[str] = []
    for sign, values in comparisons(condition):
        listed = ", ".join(value_literal(value, column_type) for value in values)
        if sign in (">=", "<="):
            parts.append(f"{name} {sign} {listed}")
        elif values:
            parts.append(f"{name} {sign} ({listed})")
        else:
            # An empty list is allowed: nothing is among none, and everything known is among none of them.
            parts.append("1 = 0" if sign == "IN" else f"{name} IS NOT NULL")
    return " AND ".join(parts)


def conditions_sql(conditions: Iterable[Condition], columns: Mapping[str, _Typed], *, table: str = "s") -> str:
    """Write conditions that hold together as SQL; an empty text when there are none."""
    return " AND ".join(condition_sql(part, columns[part.column].type, table=table) for part in conditions)


def rows_that_meet(
    frame: pd.DataFrame, conditions: Sequence[Condition], columns: Mapping[str, _Typed] | None = None
) -> Mask:
    """Return which rows meet all conditions; without conditions every row does.

    Parameters
    ----------
    frame
        The rows.
    conditions
        Conditions on its columns.
    columns
        The columns of the register that the rows come from, by name. A column that is not among them (of a person
        table, or made by the program) is compared by the text of its codes, so that 1 and "1" are the same.

    Raises
    ------
    UserError
        When a column that is compared with a limit holds something that is not a number.
    """
    import numpy as np

    met = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        column = (columns or {}).get(condition.column)
        met &= _meets(frame[condition.column], condition, None if column is None else column.type)
    return met


def _meets(column: pd.Series, condition: Condition, column_type: str | None) -> Mask:
    import numpy as np

    met = column.notna().to_numpy(dtype=bool, copy=True)
    for sign, values in comparisons(condition):
        kept = values if column_type is None else tuple(kept_value(value, column_type) for value in values)
        if sign in (">=", "<="):
            number, limit = _numbers(column, condition.column), float(kept[0])  # type: ignore[arg-type]
            met &= number >= limit if sign == ">=" else number <= limit
        else:
            among = _among(column, kept, column_type)
            met &= among if sign == "IN" else ~among
    return np.asarray(met, dtype=bool)


def _among(column: pd.Series, values: Sequence[Scalar | Kept], column_type: str | None) -> Mask:
    import numpy as np
    import pandas as pd

    if column_type in ("date", "week"):
        days = pd.to_datetime(column.astype(object), errors="coerce")
        return np.asarray(days.isin([pd.Timestamp(str(value)) for value in values]), dtype=bool)
    if column_type in NUMERIC:
        return np.isin(_numbers(column, str(column.name)), [float(value) for value in values])  # type: ignore[arg-type]
    text = column.map(code_text, na_action="ignore").astype(object)
    return np.asarray(text.isin([code_text(value) for value in values]), dtype=bool)


def _numbers(column: pd.Series, name: str) -> npt.NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    lost = int((np.isnan(numbers) & column.notna().to_numpy(dtype=bool)).sum())
    if lost:
        raise UserError(
            f"A condition on the column '{name}' has a limit (at_least, at_most), which compares numbers, and {lost:,} rows "
            "hold something else. Use `in` or `not_in`, or correct the column."
        )
    return numbers
