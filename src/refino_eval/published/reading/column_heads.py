"""The columns of a part of a table: what the heads above each say about its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from refino_eval.published.reading.grids import GridCell, filled
from refino_eval.published.reading.head_words import ATTACHED, Head, head, in_parentheses
from refino_eval.published.reading.table_parts import Row, is_title

_EFFECTS = ("estimate", "difference")
_OF_NEIGHBOUR = (*ATTACHED, "mean_control", "mean_treated", "n", "df")
"""Statistics whose columns may describe another column, and then take its name."""

_OF_COLUMN_BEFORE = ("std_error", "conf_interval", "conf_low", "conf_high", "sd")
"""Statistics that describe the column before them; the others describe an effect alone."""


@dataclass(frozen=True)
class Column:
    """A column of numbers: its name, the statistic of its head and of the number in parentheses, and its unit."""

    name: str
    head: Head
    second: str = ""


@dataclass(frozen=True)
class HeadStack:
    """The heads above one column, the outermost first."""

    texts: tuple[str, ...]

    @cached_property
    def _heads(self) -> tuple[Head, ...]:
        return tuple(head(text) for text in self.texts)

    @cached_property
    def role(self) -> Head | None:
        """The innermost head that names a statistic."""
        return next((each for each in reversed(self._heads) if each.statistic), None)

    @cached_property
    def _naming(self) -> tuple[Head, ...]:
        """The heads that name the column; `Difference`, `Share` and `Number` are names and statistics at once."""
        return tuple(
            each for each in self._heads if each is not self.role or each.statistic in ("difference", "share", "count")
        )

    @property
    def spanner(self) -> str:
        """The name without the statistic, which columns that describe each other have in common."""
        return " – ".join(each.name for each in self._naming)

    @property
    def group(self) -> str:
        """The common heading within which this column can be described by a later one."""
        within = self._naming if self.role else self._naming[:-1]
        return " – ".join(each.name for each in within if each is not self.role)

    @cached_property
    def merged(self) -> Head:
        """What all heads together say."""
        return Head(
            self.spanner,
            self.role.statistic if self.role else "",
            next((each.unit for each in reversed(self._heads) if each.unit), ""),
            next((each.size for each in self._heads if each.size), ""),
            any(each.relative for each in self._heads),
        )

    @property
    def second(self) -> str:
        """The statistic of the number in parentheses: `Mean (SD)`."""
        return next((word for text in reversed(self.texts) if (word := in_parentheses(text))), "")

    @property
    def name(self) -> str:
        """The name of the column on its own; columns of means and sds are named by what is around them."""
        if self.spanner or self.role is None or self.role.statistic in ("mean", "sd"):
            return self.spanner
        return self.role.name


def columns_of(heads: Sequence[Row], labels: int, width: int) -> dict[int, Column]:
    """Return the columns of numbers by place; those that describe a column next to them take its name."""
    spread = spread_heads(heads, labels)
    result: dict[int, Column] = {}
    # Of each common heading, the last column that another one can describe: its name and statistic.
    latest: dict[str, tuple[str, str]] = {}
    for at in range(labels, width):
        texts = (" ".join(row[at].text.split()) for row in spread if not is_title(row))
        stack = HeadStack(tuple(dict.fromkeys(text for text in texts if text)))
        name = stack.name
        if stack.merged.statistic in _OF_NEIGHBOUR:
            name = _described(stack, latest) or name
        else:
            latest[stack.group] = (name, stack.merged.statistic)
        name = name or (stack.role.name if stack.role else "") or f"({at - labels + 1})"
        result[at] = Column(name, stack.merged, stack.second)
    return result


def spread_heads(heads: Sequence[Row], labels: int) -> list[Row]:
    """Return the heads with each text of an upper row over the empty cells to its right.

    Files without merged cells (CSV, text) leave the cells under a common heading empty. Where cells are merged, an empty one is
    empty.
    """
    if any(not cell.origin for row in heads for cell in row[labels:]):
        return list(heads)
    return [row if filled(row) == [0] else _spread(row, heads[-1], labels) for row in heads[:-1]] + list(heads[-1:])


def _spread(row: Row, lower: Row, labels: int) -> Row:
    """Return one upper row of heads, filled to the right wherever the lowest row names a column."""
    cells, last = list(row), GridCell()
    for column in range(labels, len(row)):
        if row[column].text:
            last = row[column]
        elif lower[column].text:
            cells[column] = GridCell(last.text, last.place, last.head, origin=False)
    return cells


def _described(stack: HeadStack, latest: dict[str, tuple[str, str]]) -> str:
    """Return the name of the column that a column of standard errors, intervals, p-values or sizes describes, or nothing.

    Errors and intervals describe the column before them; p-values, means and sizes an effect before them. A p-value with a
    comma in its head (`p, equal effects`) is a test of its own.
    """
    name, statistic = latest.get(stack.spanner, ("", ""))
    if stack.merged.statistic == "p_value" and stack.role is not None and "," in stack.role.name:
        return ""
    return name if stack.merged.statistic in _OF_COLUMN_BEFORE or statistic in _EFFECTS else ""
