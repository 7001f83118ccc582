"""Stack files with the same columns: the rows of one after those of another, as of sites or years."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from refino_eval.config.evaluation import TableFile
from refino_eval.errors import UserError, nearest
from refino_eval.registers.readers.delivered_files import Header
from refino_eval.trial.table_columns import TableColumn
from refino_eval.trial.table_files import OpenTable, open_table

_NUMERIC = ("integer", "float", "single", "boolean")


@dataclass(frozen=True)
class StackedTable:
    """Files that are read as one.

    Attributes
    ----------
    tables
        The files, in order.
    entry
        The file as the evaluation names it.
    """

    tables: tuple[OpenTable, ...]
    entry: TableFile

    @property
    def name(self) -> str:
        """What messages call the files."""
        return ", ".join(table.name for table in self.tables)

    @property
    def where(self) -> str:
        """The key of the evaluation that names the first file."""
        return self.tables[0].where

    @property
    def header(self) -> Header:
        """The columns of all files, and the new one."""
        first = self.tables[0].header
        added = (self.entry.stacked_as,) if self.entry.stacked_as is not None else ()
        return Header((*first.names, *added), first.kinds)

    def columns(self, names: Iterable[str]) -> dict[str, TableColumn]:
        """Read some columns.

        Raises
        ------
        UserError
            As `OpenTable.columns`, for a column that is text in one file and a number in another, and if the number of rows is
            not the expected one.
        """
        wanted = list(dict.fromkeys(names))
        delivered = [name for name in wanted if name != self.entry.stacked_as]
        # The number of rows of each file is that of any of its columns.
        parts = [table.columns(delivered or [table.header.names[0]]) for table in self.tables]
        rows = [len(next(iter(part.values())).index) for part in parts]
        if self.entry.rows is not None and sum(rows) != self.entry.rows:
            raise UserError(
                f"{self.where}: the stacked files have {sum(rows):,} rows, and {self.entry.rows:,} are expected (`rows`). "
                "Check that they are the right ones and complete."
            )
        stacked = {name: _stacked([part[name] for part in parts], self.where) for name in delivered}
        if self.entry.stacked_as in wanted:
            index = np.repeat(np.arange(len(rows)), rows)
            stems = tuple(Path(table.name).stem for table in self.tables)
            stacked[self.entry.stacked_as] = TableColumn(self.entry.stacked_as, self.name, "text", stems, index)
        return stacked


def open_stack(folder: Path, entry: TableFile, *, where: str) -> OpenTable | StackedTable:
    """Open a file, or several that are stacked, and check that these have the same columns.

    Raises
    ------
    UserError
        When a file cannot be opened, or its columns are not those of the first.
    """
    if not entry.stack:
        return open_table(folder, entry, where=where)
    single = entry.model_copy(update={"rows": None})
    tables = [open_table(folder, single, where=where)]
    tables += [
        open_table(folder, single.model_copy(update={"file": file}), where=f"{where}, stack") for file in entry.stack
    ]
    expected = set(tables[0].header.names)
    problems = []
    for table in tables[1:]:
        there = set(table.header.names)
        for name in tables[0].header.names:
            if name not in there:
                problems.append(
                    f"{table.where}: '{table.name}' lacks the column '{name}' of '{tables[0].name}'.{nearest(name, there - expected)} "
                    "Stacked files have the same columns."
                )
        if extra := sorted(there - expected):
            problems.append(
                f"{table.where}: '{table.name}' has columns that '{tables[0].name}' lacks: {', '.join(extra[:5])}"
                f"{', ...' if len(extra) > 5 else ''}. Stacked files have the same columns."
            )
    if entry.stacked_as in expected:
        problems.append(
            f"{where}: the files have a column '{entry.stacked_as}' already. Choose another name for `stacked_as`."
        )
    if problems:
        raise UserError(*problems)
    return StackedTable(tuple(tables), entry)


def _stacked(parts: Sequence[TableColumn], where: str) -> TableColumn:
    """Return the rows of one column after those of another."""
    kinds = {part.kind for part in parts if part.values}
    if len(kinds) > 1 and not kinds <= set(_NUMERIC):
        raise UserError(
            f"{where}: the column '{parts[0].name}' is of different types in the stacked files ({', '.join(sorted(kinds))}). Write it "
            "in one way in all of them."
        )
    kind = kinds.pop() if len(kinds) == 1 else ("float" if kinds else parts[0].kind)
    position: dict[object, int] = {}
    index = []
    for part in parts:
        values = [float(value) if kind == "float" else value for value in part.values]
        own = np.asarray([position.setdefault(value, len(position)) for value in values] + [-1], dtype=np.int64)
        index.append(own[part.index])
    return replace(parts[0], kind=kind, values=tuple(position), index=np.concatenate(index))
