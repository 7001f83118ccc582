"""The published numbers of a document as the rules of the audit read them: by key, by cell, by model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import pandas as pd

from refino_eval.config.base import Label
from refino_eval.published.intervals import Interval, point, stands_for
from refino_eval.published.relations import Key, Relation, fits
from refino_eval.published.values import KEYS, Printed, parse_printed

_YEAR = re.compile(r"(1[5-9]|20|21)\d\d")

Place = tuple[str, str, str, str]
Model = tuple[str, str, str]
"""Exhibit, panel and column: the estimates of one regression, a row each, or one outcome of it."""

EVERYBODY = ("all", "total", "sum", "overall", "everybody", "alle", "totalt", "i_alt", "joint_test")
"""Rows and columns that describe a whole table."""


@dataclass(frozen=True)
class Cell:
    """One published number: its key, its text, and the number that the text states."""

    key: Key
    text: str
    printed: Printed
    qualifier: str
    unit: str
    line: str

    @property
    def statistic(self) -> str:
        """The statistic that the number is."""
        return self.key[4]

    @property
    def place(self) -> Place:
        """Exhibit, panel, row and column."""
        return self.key[0], self.key[1], self.key[2], self.key[3]

    @property
    def model(self) -> Model:
        """Exhibit, panel and column."""
        return self.key[0], self.key[1], self.key[3]

    @property
    def dated(self) -> bool:
        """Whether the number is a calendar year, which is never rounded.

        Its unit says so; where the file gives no unit, its row, column or statistic does (`year`, `year_of_start`) and it
        has the four digits of a year without a space.
        """
        if self.qualifier:
            return False
        named = any(part == "year" or part.startswith("year_") for part in self.key[2:])
        return self.unit == "year" or (not self.unit and named and _YEAR.fullmatch(self.text.strip()) is not None)

    def interval(self, *, cut: bool = False) -> Interval:
        """Return the values that the published number can be: rounded, or also truncated."""
        if self.dated:
            return point(Fraction(self.printed.value))
        return stands_for(self.printed, statistic=self.statistic, qualifier=self.qualifier, cut=cut)

    @cached_property
    def range(self) -> Interval:
        """The values that round to the published number."""
        return self.interval()


@dataclass(frozen=True)
class Document:
    """All published numbers of a document, its declared relations, and the other documents that these name."""

    name: str
    cells: Mapping[Key, Cell]
    relations: tuple[Relation, ...] = ()
    others: Mapping[str, Document] = field(default_factory=dict)
    names: Mapping[str, Label] = field(default_factory=dict)
    """Parts of keys -> the names that the document gives them."""

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """All keys, in the document's order."""
        return tuple(self.cells)

    @cached_property
    def places(self) -> Mapping[Place, Mapping[str, Cell]]:
        """Exhibit, panel, row and column -> statistic -> number."""
        found: dict[Place, dict[str, Cell]] = {}
        for cell in self.cells.values():
            found.setdefault(cell.place, {})[cell.statistic] = cell
        return found

    @cached_property
    def models(self) -> Mapping[Model, Mapping[str, Cell]]:
        """Exhibit, panel, column -> row -> estimate."""
        found: dict[Model, dict[str, Cell]] = {}
        for cell in self.of("estimate"):
            found.setdefault(cell.model, {})[cell.key[2]] = cell
        return found

    @cached_property
    def exhibits(self) -> tuple[str, ...]:
        """Exhibits in the document's order."""
        return tuple(dict.fromkeys(key[0] for key in self.cells))

    def of(self, *statistics: str) -> list[Cell]:
        """Return all numbers of some statistics."""
        return [cell for cell in self.cells.values() if cell.statistic in statistics]

    def read(self, key: Key) -> Interval:
        """Return the values that a number can be if it was rounded."""
        return self.cells[key].range

    def read_cut(self, key: Key) -> Interval:
        """Return the values that a number can be if it was rounded or truncated."""
        return self.cells[key].interval(cut=True)

    def facts(self, kind: str) -> list[Relation]:
        """Return the relations of one kind."""
        return [relation for relation in self.relations if relation.kind == kind]

    def explained(self, rule: str, key: Key) -> bool:
        """Return whether the relations declare a rule's complaint about a number as explained."""
        return any(relation.rule == rule and fits(relation.of, key) for relation in self.facts("explained"))

    def common(self, statistics: Iterable[str], cell: Cell) -> Cell | None:
        """Return the number that a table reports once for many: of the same cell, else of the column, else of all.

        The first place where any such number is found decides; different values there leave it unknown which applies.
        """
        wanted = tuple(statistics)
        here = self.places[cell.place]
        for statistic in wanted:
            if statistic in here:
                return here[statistic]
        exhibit, panel, _, column = cell.place
        candidates = [other for other in self._by_exhibit.get(exhibit, ()) if other.statistic in wanted]
        of_panel = [other for other in candidates if other.key[1] == panel]
        for columns in ((column,), EVERYBODY, None):
            for members in (of_panel, candidates):
                found = [other for other in members if columns is None or other.key[3] in columns]
                if found:
                    return found[0] if len({other.printed.value for other in found}) == 1 else None
        return None

    @cached_property
    def _by_exhibit(self) -> Mapping[str, tuple[Cell, ...]]:
        """Exhibit -> its sizes, means and R², which tables report once for many numbers."""
        found: dict[str, list[Cell]] = {}
        for cell in self.cells.values():
            if cell.statistic in ("n", "n_treated", "n_control", "r_squared", "mean_control", "mean"):
                found.setdefault(cell.key[0], []).append(cell)
        return {exhibit: tuple(cells) for exhibit, cells in found.items()}


def document_of(
    published: pd.DataFrame,
    relations: tuple[Relation, ...] = (),
    *,
    name: str = "document",
    others: Mapping[str, Document] | None = None,
    names: Mapping[str, Label] | None = None,
) -> Document:
    """Return a document from published values.

    Parameters
    ----------
    published
        As `load_published` returns it.
    relations
        As `load_relations` returns them.
    name
        Name of the document, for the findings.
    others
        Documents that the relations name, by name.
    names
        Parts of keys -> the names that the document gives them.
    """
    cells = {}
    for record in published.to_dict("records"):
        key = tuple(str(record[name]) for name in KEYS)
        text = str(record["printed"])
        cells[key] = Cell(
            key=key,
            text=str(record.get("quoted", "")) or text,
            printed=parse_printed(text, rounded_to=str(record.get("rounded_to", ""))),
            qualifier=str(record.get("qualifier", "")),
            unit=str(record.get("unit", "")),
            line=str(record.get("source_line", "")),
        )
    return Document(name, cells, relations, others or {}, names or {})


def relations_file(path: Path) -> Path:
    """Return the file of relations that belongs to a file of published values."""
    return path.with_name(f"{path.stem}.relations.yaml")
