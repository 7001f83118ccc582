"""The printed numbers of a document as the audit's rules read them: by key, by place, by model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import pandas as pd

from refino_eval.published.intervals import Interval, point, stands_for
from refino_eval.published.relations import Key, Relation, fits
from refino_eval.published.values import KEYS, Printed, parse_printed

_YEAR = re.compile(r"(1[5-9]|20|21)\d\d")

Place = tuple[str, str, str, str]
Model = tuple[str, str, str]
"""Exhibit, panel and column: the estimates of one regression, a row each, or one outcome of it."""

EVERYBODY = ("all", "total", "joint_test")
"""Rows and columns that speak of a whole table."""


@dataclass(frozen=True)
class Cell:
    """One printed number: its key, its string, and what the string says."""

    key: Key
    text: str
    printed: Printed
    qualifier: str
    unit: str
    line: str

    @property
    def statistic(self) -> str:
        """What the number is."""
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
        """Whether the number is a calendar year, which nobody rounds.

        Its unit says so; where the file gives no unit, its row, column or statistic does (`year`, `year_of_start`) and it
        has a year's four digits, printed without a space.
        """
        if self.qualifier:
            return False
        named = any(part == "year" or part.startswith("year_") for part in self.key[2:])
        return self.unit == "year" or (not self.unit and named and _YEAR.fullmatch(self.text.strip()) is not None)

    def interval(self, *, cut: bool = False) -> Interval:
        """Return the numbers that the print can stand for."""
        if self.dated:
            return point(Fraction(self.printed.value))
        return stands_for(self.printed, statistic=self.statistic, qualifier=self.qualifier, cut=cut)

    @cached_property
    def range(self) -> Interval:
        """The numbers that round to the print."""
        return self.interval()


@dataclass(frozen=True)
class Document:
    """All printed numbers of a document and what is known of them."""

    name: str
    cells: Mapping[Key, Cell]
    relations: tuple[Relation, ...] = ()

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """All keys, in the document's order."""
        return tuple(self.cells)

    @cached_property
    def places(self) -> Mapping[Place, Mapping[str, Cell]]:
        """Place -> statistic -> number."""
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
        """Return what a number can stand for when it was rounded."""
        return self.cells[key].range

    def read_cut(self, key: Key) -> Interval:
        """Return what a number can stand for when it was rounded or cut."""
        return self.cells[key].interval(cut=True)

    def facts(self, kind: str) -> list[Relation]:
        """Return the relations of one kind."""
        return [relation for relation in self.relations if relation.kind == kind]

    def explained(self, rule: str, key: Key) -> bool:
        """Return whether the relations say that a rule's complaint about a number is explained."""
        return any(relation.rule == rule and fits(relation.of, key) for relation in self.facts("explained"))

    def common(self, statistics: Iterable[str], cell: Cell) -> Cell | None:
        """Return the number that a table prints once for many: of the same place, else of the column, else of all.

        Only a number that is the single one of its kind counts, since otherwise nobody can say which belongs.
        """
        wanted = tuple(statistics)
        here = self.places[cell.place]
        for statistic in wanted:
            if statistic in here:
                return here[statistic]
        exhibit, panel, _, column = cell.place
        panels, columns = ({panel}, None), ({column}, set(EVERYBODY), None)
        for kept in columns:
            for part in panels:
                found = [
                    other
                    for other in self._by_exhibit.get(exhibit, ())
                    if other.statistic in wanted
                    and (part is None or other.key[1] in part)
                    and (kept is None or other.key[3] in kept)
                ]
                if found:
                    return found[0] if len({other.printed.value for other in found}) == 1 else None
        return None

    @cached_property
    def _by_exhibit(self) -> Mapping[str, tuple[Cell, ...]]:
        """Exhibit -> its sizes, means and fits, which tables print once for many."""
        found: dict[str, list[Cell]] = {}
        for cell in self.cells.values():
            if cell.statistic in ("n", "n_treated", "n_control", "r_squared", "mean_control", "mean"):
                found.setdefault(cell.key[0], []).append(cell)
        return {exhibit: tuple(cells) for exhibit, cells in found.items()}


def document_of(published: pd.DataFrame, relations: tuple[Relation, ...] = (), *, name: str = "document") -> Document:
    """Return a document from published values.

    Parameters
    ----------
    published
        As `load_published` returns it.
    relations
        As `load_relations` returns them.
    name
        Of the document, for the findings.
    """
    cells = {}
    for record in published.to_dict("records"):
        key = tuple(str(record[name]) for name in KEYS)
        text = str(record["printed"])
        cells[key] = Cell(
            key=key,
            text=text,
            printed=parse_printed(text, rounded_to=str(record.get("rounded_to", ""))),
            qualifier=str(record.get("qualifier", "")),
            unit=str(record.get("unit", "")),
            line=str(record.get("source_line", "")),
        )
    return Document(name, cells, relations)


def relations_beside(path: Path) -> Path:
    """Return where the relations of a file of published values stand."""
    return path.with_name(f"{path.stem}.relations.yaml")
