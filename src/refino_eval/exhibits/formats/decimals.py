"""Which characters are lacking behind a number, so that the decimal marks of a column are beneath each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from refino_eval.exhibits.formats.widths import placed
from refino_eval.exhibits.layout.table import Part

MOST_APART = 3
"""A column whose numbers differ by more decimals than this holds different things, and is not aligned."""

_NUMBER = {
    mark: re.compile(rf"\(?[−+-]?\d[\d\s{thousands}]*{re.escape(mark)}(\d+)(\s?%)?(\))?")
    for mark, thousands in ((",", ""), (".", ","))
}


@dataclass(frozen=True)
class Tail:
    """What follows the decimal mark of a number: its decimals, a per cent sign, a parenthesis, stars."""

    decimals: int
    percent: str
    closing: str
    stars: int


def decimal_pads(part: Part, language: str) -> Mapping[tuple[int, int], str]:
    """Return what each number of the body lacks behind it, by row and first column; numbers that lack nothing are left out.

    Whole numbers stay at the right edge: a number of people has nothing in common with the decimals above it.
    """
    columns: dict[int, dict[int, Tail]] = defaultdict(dict)
    pattern = _NUMBER["," if language == "nb" else "."]
    for place, row in enumerate(part.body):
        for column, cell in placed(row):
            found = pattern.fullmatch(cell.text) if cell.span == 1 and cell.align == "right" else None
            if found is not None:
                decimals, percent, closing = found.groups(default="")
                columns[column][place] = Tail(len(decimals), percent, closing, len(cell.mark))
    pads = {}
    for column, tails in columns.items():
        lengths = [tail.decimals for tail in tails.values()]
        if max(lengths) - min(lengths) > MOST_APART:
            continue
        widest = (
            max(lengths),
            *(max(getattr(t, name) for t in tails.values()) for name in ("percent", "closing", "stars")),
        )
        for place, tail in tails.items():
            pad = "0" * (widest[0] - tail.decimals)
            pad += widest[1][len(tail.percent) :] + widest[2][len(tail.closing) :] + "*" * (widest[3] - tail.stars)
            if pad:
                pads[place, column] = pad
    return pads
