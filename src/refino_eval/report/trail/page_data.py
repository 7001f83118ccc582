"""Trails of a page's numbers as compact data, in which sections that several numbers share occur once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from refino_eval.exhibits.layout.table import Cell
from refino_eval.exhibits.tidy import Key, number_text
from refino_eval.report.trail.locations import JOINT
from refino_eval.report.trail.trails import Fact, Section, Trails, address_of

MOST = 800
"""An exhibit with more numbers than this has no trails on the page; they are looked up by `trace`."""


@dataclass
class TrailData:
    """Collects the trails that cells of the page ask for.

    Attributes
    ----------
    trails
        Makes them.
    sections
        Each different section, in order of first use.
    numbers
        Each number: its words, and the indices of its sections. Its name is the id of its cell.
    addresses
        The name of each number that the page shows, as the command line takes it, with the id of its cell.
    """

    trails: Trails
    sections: dict[Section, int] = field(default_factory=dict)
    numbers: list[tuple[str, list[int]]] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    _indices: dict[tuple[str, Key], int] = field(default_factory=dict)

    def offers(self, exhibit: str) -> bool:
        """Whether the page carries the trails of an exhibit's numbers."""
        return len(self.trails.numbers(exhibit)) <= MOST

    def marks(self, exhibit: str, cell: Cell) -> str:
        """Return the attributes of the element that shows a cell: id, full number, and the index of its trail.

        The id is the number's name, so that an address of the page that ends with it leads to the number.
        """
        value = cell.number
        full = "" if value is None or not math.isfinite(value) else f' data-value="{number_text(value)}"'
        if cell.key is None or cell.key not in self.trails.numbers(exhibit):
            return full
        return f"{self._id(exhibit, cell.key)}{full}{self._trail(exhibit, cell.key)}"

    def _id(self, exhibit: str, key: Key) -> str:
        """Return the id of the first cell that shows a number; others that show it have none."""
        address = address_of(exhibit, key)
        if address in self.addresses:
            return ""
        # An id has no spaces, and is written as an address of a page writes it.
        self.addresses[address] = quote(address, safe=":,=/()")
        return f' id="{self.addresses[address]}"'

    def _trail(self, exhibit: str, key: Key) -> str:
        if not self.offers(exhibit):
            return ""
        if (exhibit, key) not in self._indices:
            trail = self.trails.follow(exhibit, key)
            parts = [self.sections.setdefault(part, len(self.sections)) for part in trail.sections]
            self._indices[exhibit, key] = len(self.numbers)
            self.numbers.append((trail.what, parts))
        return f' data-trail="{self._indices[exhibit, key]}"'

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
                [index(part.title), [[index(text) for text in _line(fact)] for fact in part.facts]]
                for part in self.sections
            ],
            "numbers": [[[index(part) for part in what.split(JOINT)], parts] for what, parts in self.numbers],
            "texts": list(texts),
        }


def _line(fact: Fact) -> tuple[str, ...]:
    return (fact.label, fact.text, fact.entry) if fact.entry else (fact.label, fact.text)
