"""Trails of a page's numbers as compact data, in which sections that several numbers share occur once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from refino_eval.exhibits.layout.table import Cell
from refino_eval.exhibits.tidy import Key, number_text
from refino_eval.report.trail.trails import Section, Trails

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
        Each number: its words, its address, its value, and the indices of its sections.
    """

    trails: Trails
    sections: dict[Section, int] = field(default_factory=dict)
    numbers: list[tuple[str, str, str, list[int]]] = field(default_factory=list)
    _indices: dict[tuple[str, Key], int] = field(default_factory=dict)

    def offers(self, exhibit: str) -> bool:
        """Whether the page carries the trails of an exhibit's numbers."""
        return len(self.trails.numbers(exhibit)) <= MOST

    def marks(self, exhibit: str, cell: Cell) -> str:
        """Return the attributes of the element that shows a cell: its full number, and the index of its trail."""
        value = cell.number
        attributes = "" if value is None or not math.isfinite(value) else f' data-value="{number_text(value)}"'
        if cell.key is None or not self.offers(exhibit) or cell.key not in self.trails.numbers(exhibit):
            return attributes
        return f'{attributes} data-trail="{self._index(exhibit, cell.key)}"'

    def _index(self, exhibit: str, key: Key) -> int:
        if (exhibit, key) not in self._indices:
            trail = self.trails.follow(exhibit, key)
            parts = [self.sections.setdefault(part, len(self.sections)) for part in trail.sections]
            self._indices[exhibit, key] = len(self.numbers)
            self.numbers.append((trail.what, trail.address, number_text(trail.value), parts))
        return self._indices[exhibit, key]

    def as_data(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "sections": [[part.title, [[fact.label, fact.text] for fact in part.facts]] for part in self.sections],
            "numbers": self.numbers,
        }
