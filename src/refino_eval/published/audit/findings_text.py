"""How a finding is put together and how its numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Key
from refino_eval.published.values import Printed

_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_QUOTED = re.compile(r"(«[^»]*»)")


def decimal_of(value: Fraction, decimals: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return an exact number as a decimal of so many digits after the point."""
    scaled = value * 10**decimals
    whole = Decimal(scaled.numerator // scaled.denominator)
    rest = scaled - Fraction(whole)
    if rest and (rounding == ROUND_CEILING or (rounding == ROUND_HALF_UP and rest >= Fraction(1, 2))):
        whole += 1
    return whole.scaleb(-decimals)


def number(value: Fraction, decimals: int) -> str:
    """Return an exact number with so many decimals."""
    rounded = decimal_of(value, decimals)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


def span(interval: Interval, printed: Printed) -> str:
    """Return an interval in the unit of a print, its ends rounded outwards to one digit more than the print shows."""
    percent = 2 if printed.percent else 0
    decimals = max(printed.decimals - percent, 0)
    low, high = interval.low * 10**percent, interval.high * 10**percent
    if decimal_of(low, decimals) == decimal_of(high, decimals):
        return number(low, decimals) + (" %" if percent else "")
    more = decimals + 1
    ends = f"{decimal_of(low, more, ROUND_FLOOR).normalize():f}, {decimal_of(high, more, ROUND_CEILING).normalize():f}"
    return f"[{ends}]" + (" %" if percent else "")


def name_of(key: Key) -> str:
    """Return how a number is named in an explanation: its exhibit and the parts of its key that are not empty."""
    return "/".join(part for part in key if part)


def short(key: Key, beside: Key) -> str:
    """Return how a number is named beside another: only by what differs, or by row and column."""
    parts = [part for part, other in zip(key[1:], beside[1:], strict=True) if part != other and part]
    return name_of(key) if key[0] != beside[0] else "/".join(parts) or name_of(key)


def quoted(cells: Iterable[Cell]) -> str:
    """Return the prints of several numbers."""
    return "; ".join(cell.text for cell in cells)


def comma(text: str) -> str:
    """Write decimal commas, except inside quotation marks, where a print stands as printed."""
    parts = _QUOTED.split(text)
    for place in range(0, len(parts), 2):
        parts[place] = _POINT.sub(",", re.sub(r"(?<=\d), (?=-?\d)", "; ", parts[place]))
    return "".join(parts)


def finding(
    document: Document,
    at: Key,
    *,
    rule: str,
    fits: str,
    certainty: str,
    nb: str,
    en: str,
    cells: Sequence[Key] = (),
) -> Finding:
    """Return a finding about one number, or about several of which it is the first.

    Parameters
    ----------
    document
        Where the numbers stand.
    at
        Key of the number at fault.
    rule, fits, certainty, nb, en
        As in `Finding`; Norwegian decimal signs are set here.
    cells
        Keys of all numbers that it explains; default: the number at fault.
    """
    members = tuple(dict.fromkeys([at, *cells]))
    here = document.cells[at]
    lines = list(dict.fromkeys(document.cells[key].line for key in members))
    exhibit, panel, row, column, statistic = at
    return Finding(
        document=document.name,
        exhibit=exhibit,
        panel=panel,
        row=row,
        column=column,
        statistic=statistic,
        rule=rule,
        printed=quoted(document.cells[key] for key in members) if len(members) <= 4 else here.text,
        fits=fits,
        certainty=certainty,
        source_line=", ".join(lines[:4]) + (", ..." if len(lines) > 4 else ""),
        nb=comma(nb),
        en=en,
        cells=members,
    )
