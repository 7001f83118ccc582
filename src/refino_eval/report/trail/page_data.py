"""Trails of a page's numbers as compact data, in which sections that several numbers share occur once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from refino_eval.exhibits.layout.table import Cell
from refino_eval.exhibits.tidy import Key, number_text
from refino_eval.report.trail.locations import JOINT
from refino_eval.report.trail.trails import Section, Trails, address_of

MOST = 800
"""An exhibit with more numbers than this has no trails on the page; they are looked up by `trace`."""

CODE = -1
"""Stands for the section about the program, which changes with every definition and is the page's own."""

TRAIL = re.compile(r' data-trail="@(\d+)"')
"""The mark of a number in the part of an exhibit, where trails are counted from its first."""


class ExhibitTrails:
    """Collects the trails that the cells of one exhibit ask for.

    Parameters
    ----------
    trails
        Makes them.
    exhibit
        Its name.
    """

    def __init__(self, trails: Trails, exhibit: str) -> None:
        self._trails, self._exhibit = trails, exhibit
        self._sections: dict[Section, int] = {}
        self._made: dict[Key, int] = {}
        self._numbers: list[tuple[str, list[int]]] = []
        self._addresses: dict[str, str] = {}

    def marks(self, cell: Cell) -> str:
        """Return the attributes of the element that shows a cell: id, full number, and the index of its trail.

        The id is the number's name, so that an address of the page that ends with it leads to the number.
        """
        value = cell.number
        full = "" if value is None or not math.isfinite(value) else f' data-value="{number_text(value)}"'
        if cell.key is None or cell.key not in self._trails.numbers(self._exhibit):
            return full
        return f"{self._id(cell.key)}{full}{self._trail(cell.key)}"

    def as_part(self) -> dict[str, Any]:
        """Return everything as plain data: sections as a title and lines of three texts, and numbers as `TrailData` has them."""
        return {
            "sections": list(map(_texts_of, self._sections)),
            "numbers": self._numbers,
            "addresses": self._addresses,
        }

    def _id(self, key: Key) -> str:
        """Return the id of the first cell that shows a number; others that show it have none."""
        address = address_of(self._exhibit, key)
        if address in self._addresses:
            return ""
        # An id has no spaces, and is written as an address of a page writes it.
        self._addresses[address] = quote(address, safe=":,=/()")
        return f' id="{self._addresses[address]}"'

    def _trail(self, key: Key) -> str:
        if len(self._trails.numbers(self._exhibit)) > MOST:
            return ""
        if key not in self._made:
            trail = self._trails.follow(self._exhibit, key)
            code = self._trails.code
            parts = [CODE if part is code else self._index(part) for part in trail.sections]
            self._made[key] = len(self._numbers)
            self._numbers.append((trail.what, parts))
        return f' data-trail="@{self._made[key]}"'

    def _index(self, section: Section) -> int:
        return self._sections.setdefault(section, len(self._sections))


@dataclass
class TrailData:
    """The trails of all numbers of a page.

    Attributes
    ----------
    code
        The section about the program.
    sections
        Each different section, in order of first use: a title and lines of label, text and entry of the catalogue.
    numbers
        Each number: its words, and the indices of its sections. Its name is the id of its cell.
    addresses
        The name of each number that the page shows, as the command line takes it, with the id of its cell.
    """

    code: Section
    sections: dict[tuple[str, ...], int] = field(default_factory=dict)
    numbers: list[tuple[str, list[int]]] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)

    def placed(self, part: Mapping[str, Any], body: str) -> str:
        """Add the trails of an exhibit's numbers, and return its text with the page's indices of them."""
        first, index = len(self.numbers), dict[int, int]()
        for place in dict.fromkeys(place for _, places in part["numbers"] for place in places):
            section = _texts_of(self.code) if place == CODE else tuple(part["sections"][place])
            index[place] = self.sections.setdefault(section, len(self.sections))
        self.numbers += [(what, [index[place] for place in places]) for what, places in part["numbers"]]
        self.addresses |= part["addresses"]
        return TRAIL.sub(lambda mark: f' data-trail="{first + int(mark[1])}"', body)

    def as_data(self) -> dict[str, Any]:
        """Return everything as plain data, in which each text occurs once and is referred to by its index.

        `sections` are a title and lines of label, text and, if there is one, the entry of the catalogue; `numbers` are
        the parts of a number's words, which the page joins, and the indices of its sections.
        """
        texts: dict[str, int] = {}

        def index(text: str) -> int:
            return texts.setdefault(text, len(texts))

        return {
            "sections": [
                [index(title), [list(map(index, line)) for line in _lines(texts_of_lines)]]
                for title, *texts_of_lines in self.sections
            ],
            "numbers": [[[index(part) for part in what.split(JOINT)], parts] for what, parts in self.numbers],
            "texts": list(texts),
        }


def _lines(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts of each line, without the entry of the catalogue where there is none."""
    for start in range(0, len(texts), 3):
        yield texts[start : start + (3 if texts[start + 2] else 2)]


def _texts_of(section: Section) -> tuple[str, ...]:
    """Return a section as a title and three texts for each line: label, text, and entry of the catalogue or nothing."""
    return (section.title, *(text for fact in section.facts for text in (fact.label, fact.text, fact.entry)))
