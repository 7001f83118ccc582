"""How a finding is put together and how its numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

from refino_eval.config.base import Label
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Key
from refino_eval.published.values import Printed
from refino_eval.text import say

_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_QUOTED = re.compile(r"(«[^»]*»)")


def say_both(key: str, **values: object) -> Label:
    """Return a text of the catalogue in both languages; a value that is itself a `Label` is filled in by language."""

    def text(language: str) -> str:
        chosen = {name: value[language] if isinstance(value, Label) else value for name, value in values.items()}
        return say(key, language, **chosen)

    return Label(nb=text("nb"), en=text("en"))


def decimal_of(value: Fraction, decimals: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return an exact number as a decimal with a given number of digits after the point."""
    scaled = value * 10**decimals
    whole = Decimal(scaled.numerator // scaled.denominator)
    rest = scaled - Fraction(whole)
    if rest and (rounding == ROUND_CEILING or (rounding == ROUND_HALF_UP and rest >= Fraction(1, 2))):
        whole += 1
    return whole.scaleb(-decimals)


def number(value: Fraction, decimals: int) -> str:
    """Return an exact number as text with a given number of decimals."""
    rounded = decimal_of(value, decimals)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


def span(interval: Interval, printed: Printed) -> str:
    """Return an interval in the unit of a published number, rounded outwards to one digit more than was published."""
    percent = 2 if printed.percent else 0
    decimals = max(printed.decimals - percent, 0)
    low, high = interval.low * 10**percent, interval.high * 10**percent
    if decimal_of(low, decimals) == decimal_of(high, decimals):
        return number(low, decimals) + (" %" if percent else "")
    more = decimals + 1
    ends = f"{decimal_of(low, more, ROUND_FLOOR).normalize():f}, {decimal_of(high, more, ROUND_CEILING).normalize():f}"
    return f"[{ends}]" + (" %" if percent else "")


def name_of(key: Key) -> str:
    """Return the name of a number: its exhibit and the parts of its key that are not empty."""
    return "/".join(part for part in key if part)


def short(key: Key, reference: Key) -> str:
    """Return the name of a number next to another one: only the parts that differ."""
    parts = [part for part, other in zip(key[1:], reference[1:], strict=True) if part != other and part]
    return name_of(key) if key[0] != reference[0] else "/".join(parts) or name_of(key)


def named(cell: Cell, reference: Key) -> Label:
    """Return a number next to another one, with its published value: `women/share «12»`."""
    name = short(cell.key, reference)
    return Label(nb=f"{name} «{cell.text}»", en=f"{name} “{cell.text}”")


def quoted(cells: Iterable[Cell]) -> str:
    """Return the published values of several numbers."""
    return "; ".join(cell.text for cell in cells)


def distinct(cells: Iterable[Cell]) -> str:
    """Return the different published values of several numbers."""
    return "; ".join(dict.fromkeys(cell.text for cell in cells))


def join(parts: Iterable[Label], separator: str = ", ") -> Label:
    """Join texts in both languages; empty ones are left out."""
    texts = list(parts)
    return Label(
        nb=separator.join(text.nb for text in texts if text.nb), en=separator.join(text.en for text in texts if text.en)
    )


def comma(text: str) -> str:
    """Write decimal commas, except inside quotation marks, where a number is kept as published."""
    parts = _QUOTED.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = _POINT.sub(",", re.sub(r"(?<=\d), (?=-?\d)", "; ", parts[index]))
    return "".join(parts)


def finding(
    document: Document,
    at: Key,
    *,
    rule: str,
    fits: str,
    certainty: str,
    explanation: Label,
    cells: Sequence[Key] = (),
    suspects: Sequence[Key] = (),
) -> Finding:
    """Return a finding about one number, or about several of which it is the first.

    Parameters
    ----------
    document
        The document that the numbers belong to.
    at
        Key of the number at fault.
    rule, fits, certainty, explanation
        As in `Finding`; Norwegian decimal signs are set here.
    cells
        Keys of further numbers that the finding explains.
    suspects
        Keys of the numbers of which at least one must be wrong.
    """
    members = tuple(dict.fromkeys([at, *cells]))
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
        printed=quoted(document.cells[key] for key in (members if len(members) <= 4 else (at,))),
        fits=fits,
        certainty=certainty,
        source_line=", ".join(lines[:4]) + (", ..." if len(lines) > 4 else ""),
        explanation=Label(nb=comma(explanation.nb), en=explanation.en),
        cells=members,
        suspects=tuple(suspects),
    )


def finding_about(
    key: str,
    document: Document,
    cell: Cell,
    *,
    rule: str,
    certainty: str,
    fits: str = "",
    cells: Sequence[Key] = (),
    suspects: Sequence[Key] = (),
    **values: object,
) -> Finding:
    """Return a finding about one number, explained by one text of the catalogue.

    The text may use `{number}` (its name), `{published}` and `{fits}` in addition to `values`.
    """
    text = say_both(key, **{"number": name_of(cell.key), "published": cell.text, "fits": fits, **values})
    return finding(
        document, cell.key, rule=rule, fits=fits, certainty=certainty, explanation=text, cells=cells, suspects=suspects
    )
