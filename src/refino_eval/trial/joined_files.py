"""Join the files of a person table on an id, and count what each join left over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config.evaluation import Joined, PeopleFile
from refino_eval.errors import UserError, nearest
from refino_eval.trial.stacked_files import StackedTable, open_stack
from refino_eval.trial.table_columns import TableColumn
from refino_eval.trial.table_files import OpenTable


@dataclass(frozen=True)
class Joining:
    """The result of joining a file.

    Attributes
    ----------
    name
        The file's name without its ending, for the flow.
    without_row
        (n,) people for whom the file has no row.
    rows_left
        Rows of the file that belong to nobody.
    out
        Whether people without a row are excluded.
    """

    name: str
    without_row: np.ndarray
    rows_left: int
    out: bool


@dataclass(frozen=True)
class TableFiles:
    """The files of a person table with their headers read, under the names that their columns get when joined."""

    table: PeopleFile
    tables: tuple[OpenTable | StackedTable, ...]
    names: tuple[dict[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(name for names in self.names for name in names)

    def read(self, wanted: Iterable[str]) -> tuple[dict[str, TableColumn], int, tuple[Joining, ...]]:
        """Read some columns, joined.

        Returns
        -------
        columns, people, joinings
            The columns by name, in the first file's order of rows; how many rows; what each join left over.

        Raises
        ------
        UserError
            When a file cannot be read, repeats a key, or has no key in common with the others.
        """
        keys = [other.by for other in self.table.join]
        wanted = list(dict.fromkeys([*wanted, *keys]))
        columns = self._part(0, wanted)
        if not columns:
            columns = self._part(0, list(self.names[0])[:1])
        people = len(next(iter(columns.values())).index)
        joinings = []
        for number, other in enumerate(self.table.join, start=1):
            right = self._part(number, wanted, key=other.key or other.by)
            columns, joining = _joined(columns, right, other, self.tables[number])
            joinings.append(joining)
        return columns, people, tuple(joinings)

    def _part(self, number: int, wanted: Iterable[str], *, key: str = "") -> dict[str, TableColumn]:
        names = {name: source for name, source in self.names[number].items() if name in wanted}
        columns = self.tables[number].columns([*names.values(), *([key] if key else [])])
        return {name: columns[source] for name, source in names.items()} | ({_KEY: columns[key]} if key else {})


_KEY = "\0key"


def open_files(folder: Path, table: PeopleFile) -> TableFiles:
    """Open the files of a person table and check that they can be joined by their headers.

    Raises
    ------
    UserError
        When a file is missing or cannot be opened, has no column to join by, or has the name of a column that another
        file has.
    """
    tables = [open_stack(folder, table, where=f"{table.section}.file")]
    names = [{name: name for name in tables[0].header.names}]
    for number, other in enumerate(table.join):
        where = f"{table.section}.join[{number}]"
        opened = open_stack(folder, other, where=where)
        before = {name for part in names for name in part}
        key = other.key or other.by
        for column, valid, file in (
            (other.by, before, "the files before it"),
            (key, set(opened.header.names), opened.name),
        ):
            if column not in valid:
                raise UserError(f"{where}: the column '{column}' is not in {file}.{nearest(column, valid)}")
        own = {f"{other.prefix}{name}": name for name in opened.header.names if name != key}
        _check_names(other, opened, before, own)
        tables.append(opened)
        names.append(own)
    return TableFiles(table, tuple(tables), tuple(names))


def _check_names(other: Joined, opened: OpenTable | StackedTable, before: set[str], own: Iterable[str]) -> None:
    """Refuse a file with the name of a column that is there already."""
    key = other.key or other.by
    shared = [name for name in own if name in before] + ([key] if key != other.by and key in before else [])
    if shared:
        raise UserError(
            f"{opened.where}: {opened.name} has columns that are there already: {', '.join(shared[:5])}"
            f"{', ...' if len(shared) > 5 else ''}. Give it a prefix, for instance "
            f"`prefix: {Path(other.file).stem.lower()}_`."
        )


def _joined(
    left: dict[str, TableColumn], right: dict[str, TableColumn], other: Joined, opened: OpenTable | StackedTable
) -> tuple[dict[str, TableColumn], Joining]:
    where, by = opened.where, other.by
    key = right.pop(_KEY)
    mine, theirs = left[by].codes(exact=True), key.codes(exact=True)
    _check_keys(mine, theirs, other, opened)
    rows = np.where(mine.isna(), -1, pd.Index(theirs).get_indexer(pd.Index(mine)))
    if len(mine) and (rows < 0).all():
        raise UserError(
            f"{where}: no value of '{by}' occurs in the column '{key.name}' of {opened.name}. Check that both hold the same "
            "ids, written in the same way (leading zeros, blanks)."
        )
    _check_alike(mine[rows < 0], theirs[~theirs.index.isin(rows)], other, opened)
    joining = Joining(
        name=Path(other.file).stem,
        without_row=rows < 0,
        rows_left=len(theirs) - len(np.unique(rows[rows >= 0])),
        out=other.unmatched == "out",
    )
    if joining.without_row.any() and other.unmatched == "fault":
        raise UserError(
            f"{where}: {int(joining.without_row.sum()):,} of {len(mine):,} people have no row in {opened.name}. Correct the "
            "file, or state what to do with them (`unmatched: keep` or `out`)."
        )
    return left | {name: column.take(rows) for name, column in right.items()}, joining


def _check_alike(mine: pd.Series, theirs: pd.Series, other: Joined, opened: OpenTable | StackedTable) -> None:
    """Refuse ids without a partner that differ from each other only in leading zeros, decimals, blanks or signs."""
    alike = int(mine.dropna().map(_bare).isin(set(theirs.dropna().map(_bare))).sum())
    if alike:
        raise UserError(
            f"{opened.where}: {alike:,} values of '{other.by}' have no row in {opened.name}, but differ from values of its "
            f"column '{other.key or other.by}' only in leading zeros, decimals, blanks or signs. Write the ids in the same way."
        )


def _bare(code: str) -> str:
    return re.sub(r"[\W_]", "", re.sub(r"[.,]0+$", "", code.upper())).lstrip("0")


def _check_keys(mine: pd.Series, theirs: pd.Series, other: Joined, opened: OpenTable | StackedTable) -> None:
    repeated, unknown = int(theirs.dropna().duplicated().sum()), int(theirs.isna().sum())
    if repeated or unknown:
        raise UserError(
            f"{opened.where}: the column '{other.key or other.by}' of {opened.name} must identify its rows; {unknown:,} rows "
            f"have no value and {repeated:,} repeat one. Name another column, or make one row for each value."
        )
    if other.relation == "one_to_one" and (again := int(mine.dropna().duplicated().sum())):
        raise UserError(
            f"{opened.where}: {again:,} rows repeat a value of '{other.by}', so that rows of {opened.name} would be used for "
            "several people. If that is intended (a file of sites or households), state `relation: many_to_one`."
        )
