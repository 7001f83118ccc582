"""The columns of a part of a table: what the heads above each say about its numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from refino_eval.published.reading.grids import GridCell, filled
from refino_eval.published.reading.head_words import ATTACHED, Head, head, in_parentheses, statistic_of
from refino_eval.published.reading.table_parts import Row, is_title

_EFFECTS = ("estimate", "difference")
_OF_NEIGHBOUR = (*ATTACHED, "mean_control", "mean_treated", "n", "df")
"""Statistics whose columns may describe another column, and then take its name."""

_OF_COLUMN_BEFORE = ("std_error", "conf_interval", "conf_low", "conf_high", "sd")
"""Statistics that describe the column before them; the others describe an effect alone."""


_OF_BOTH = ("p_value", "t_stat", "f_stat", "chi2", "difference")
"""Statistics that compare two groups of columns."""

_SECOND = re.compile(r"\s*(?:[(\[]|±|\+/-).*$")
_IN_FULL = re.compile(
    r"(?P<group>\w.*?)[\s,:_-]+\(?(?P<statistic>mean|gjennomsnitt|snitt|sd|std|standardavvik|n)\)?", re.IGNORECASE
)
_TEST = re.compile(r"(test )?statistic|test ?statistikk|testobservator", re.IGNORECASE)


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
        return tuple(_head(text) for text in self.texts)

    @cached_property
    def role(self) -> Head | None:
        """The innermost head that names a statistic."""
        return next((each for each in reversed(self._heads) if each.statistic), None)

    @cached_property
    def _naming(self) -> tuple[Head, ...]:
        """The heads that name the column.

        `Difference`, `Share` and `Number` are names and statistics at once; an interval over `Lower` and `Upper` is neither.
        """
        return tuple(
            each
            for each in self._heads
            if (each is not self.role and each.statistic != "conf_interval")
            or each.statistic in ("difference", "share", "count")
        )

    @property
    def spanner(self) -> str:
        """The name without the statistic, which columns that describe each other have in common."""
        return " – ".join(each.name for each in self._naming if each.name)

    @property
    def group(self) -> str:
        """The common heading within which this column can be described by a later one."""
        within = self._naming if self.role else self._naming[:-1]
        return " – ".join(each.name for each in within if each is not self.role and each.name)

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


def _head(text: str) -> Head:
    """Return what a head says; what it says about the number in parentheses is not a part of its name: `Effect (SE)`."""
    said = head(text)
    if not in_parentheses(text):
        return said
    name = _SECOND.sub("", said.name)
    before, _, last = name.rpartition(",")
    return replace(said, name=(before if before and statistic_of(last) else name).strip(" ,;:") or said.name)


def columns_of(heads: Sequence[Row], labels: int, width: int, used: Collection[int]) -> dict[int, Column]:
    """Return the columns of numbers by place; those that describe a column next to them take its name.

    Parameters
    ----------
    heads
        The rows of heads.
    labels, width
        How many columns hold labels, and how many there are.
    used
        Columns with numbers: the others (blank ones, words) have nothing to describe or to be described by.
    """
    spread = [row for row in spread_heads(heads, labels) if not is_title(row)]
    stacked = {at: _texts(spread, at) for at in range(labels, width)}
    shared = _groups_named_in_full(stacked)
    result: dict[int, Column] = {}
    # Of each common heading, the last column that another one can describe: its name and statistic.
    latest: dict[str, tuple[str, str]] = {}
    for at in range(labels, width):
        if at not in used:
            continue
        stack = HeadStack(shared.get(at, stacked[at]))
        name, statistic = stack.name, stack.merged.statistic
        if not statistic and _is_ratio(stack, result):
            statistic = "t_stat"
        if statistic in _OF_NEIGHBOUR:
            name = _described(stack, statistic, latest) or name
        else:
            latest[stack.group] = (name, statistic)
        name = name or (stack.role.name if stack.role else "") or f"({at - labels + 1})"
        result[at] = Column(name, replace(stack.merged, statistic=statistic), stack.second)
    return result


def _texts(heads: Sequence[Row], at: int) -> tuple[str, ...]:
    """Return the different heads above a column, the outermost first."""
    texts = (" ".join(row[at].text.split()) for row in heads)
    return tuple(dict.fromkeys(text for text in texts if text))


def _groups_named_in_full(stacked: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Return the heads of columns that repeat the name of their group, with the group's name above: `Treated mean`, `Treated SD`.

    Only where a group has a mean and a standard deviation: `Control mean` alone is a statistic of its own.
    """
    found = {at: match for at, texts in stacked.items() if texts and (match := _IN_FULL.fullmatch(texts[-1]))}
    statistics: dict[str, set[str]] = {}
    for match in found.values():
        statistics.setdefault(match["group"].lower(), set()).add(statistic_of(match["statistic"]))
    return {
        at: (*stacked[at][:-1], match["group"], match["statistic"])
        for at, match in found.items()
        if {"mean", "sd"} <= statistics[match["group"].lower()]
    }


def _is_ratio(stack: HeadStack, columns: dict[int, Column]) -> bool:
    """Return whether `statistic` heads a column after one of standard errors: it is the ratio of estimate and error."""
    if not columns or not stack.texts or not _TEST.fullmatch(stack.texts[-1]):
        return False
    return columns[max(columns)].head.statistic == "std_error"


def spread_heads(heads: Sequence[Row], labels: int) -> list[Row]:
    """Return the heads with each text of an upper row over the empty cells to its right.

    Files without merged cells (CSV, text) leave the cells under a common heading empty. Where cells are merged, an empty one is
    empty.
    """
    if any(not cell.origin for row in heads for cell in row[labels:]):
        return list(heads)
    return [row if filled(row) == [0] else _spread(row, heads[-1], labels) for row in heads[:-1]] + list(heads[-1:])


def _spread(row: Row, lower: Row, labels: int) -> Row:
    """Return one upper row of heads, filled to the right wherever the lowest row names a column.

    Where the columns below the last two headings begin alike, the last is as wide as the one before: a p-value after `Mean, SD`
    of two arms belongs to neither.
    """
    cells, last = list(row), GridCell()
    starts = [column for column in range(labels, len(row)) if row[column].text]
    end = len(row)
    if len(starts) > 1:
        before, start = starts[-2:]
        alike = [cell.text for cell in lower[before:start]] == [cell.text for cell in lower[start : 2 * start - before]]
        after = min(2 * start - before, len(row) - 1)
        if alike and start - before > 1 and statistic_of(lower[after].text) in _OF_BOTH:
            end = after
    for column in range(labels, len(row)):
        if row[column].text:
            last = row[column]
        elif lower[column].text and column < end:
            cells[column] = GridCell(last.text, last.place, last.head, origin=False)
    return cells


def _described(stack: HeadStack, own: str, latest: dict[str, tuple[str, str]]) -> str:
    """Return the name of the column that a column of standard errors, intervals, p-values or sizes describes, or nothing.

    Errors and intervals describe the column before them; p-values, means and sizes an effect before them. A p-value with a
    comma in its head (`p, equal effects`) is a test of its own.
    """
    name, statistic = latest.get("" if _TEST.fullmatch(stack.spanner) else stack.spanner, ("", ""))
    if own == "p_value" and stack.role is not None and "," in stack.role.name:
        return ""
    return name if own in _OF_COLUMN_BEFORE or statistic in _EFFECTS else ""
