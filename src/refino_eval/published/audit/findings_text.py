"""How a finding is put together and how its numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

from refino_eval.config.base import Label
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding, Quote
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Key
from refino_eval.published.values import Printed
from refino_eval.text import say

# A key in a text is between two characters of the private use area until its finding is put together.
_BEGIN, _END = "\ue000", "\ue001"
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
MOST_QUOTED = 12
"""Numbers that a finding quotes."""
NAMED_PARTS = (
    "estimate", "std_error", "t_stat", "p_value", "conf_low", "conf_high", "mean", "mean_treated", "mean_control", "sd",
    "share", "count", "value", "n", "n_treated", "n_control", "n_clusters", "r_squared", "f_stat", "chi2", "df", "all",
    "difference", "median", "stated", "q_value", "p_value_ri", "p_value_fwer", "p_value_wild", "sd_treated", "sd_control",
    "change",
)  # fmt: skip
"""Statistics, and rows and columns with a usual meaning, that have a name in the catalogue."""

_IN_QUOTES = re.compile(r"(«[^»]*»|“[^”]*”)")
_WORD = re.compile(r"(?<![\w/])[a-z]+_\w+(?![\w/])")
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


def name_of(key: Sequence[str]) -> str:
    """Return the name of a number: its exhibit and the parts of its key that are not empty.

    It is marked, so that `finding` replaces it by what the document calls the number, in each language.
    """
    return f"{_BEGIN}{'/'.join(part for part in key if part)}{_END}"


def short(key: Key, reference: Key) -> str:
    """Return the name of a number next to another one: only the parts that differ."""
    parts = [part for part, other in zip(key[1:], reference[1:], strict=True) if part != other and part]
    return name_of(parts) if key[0] == reference[0] and parts else name_of(key)


def plain_name(part: str, document: Document) -> Label:
    """Return what a document calls a part of a key; where it has no name for it, the part's words."""
    if part in document.names:
        return document.names[part]
    if part in NAMED_PARTS:
        return say_both(f"audit.part_{part}")
    words = part.replace("_", " ") or part
    return Label(nb=words, en=words)


def in_plain_names(text: str, document: Document, language: str) -> str:
    """Return a text with the marked keys replaced by the names of the document."""

    def replaced(match: re.Match[str]) -> str:
        names = [plain_name(part, document)[language] for part in match[1].split("/")]
        return " › ".join(dict.fromkeys(names))

    # Exhibits are also named without a mark; what is in quotation marks is as published.
    parts = _IN_QUOTES.split(_MARKED.sub(replaced, text))
    for index in range(0, len(parts), 2):
        parts[index] = _WORD.sub(lambda match: _exhibit_name(match[0], document, language), parts[index])
    return "".join(parts)


def _exhibit_name(word: str, document: Document, language: str) -> str:
    return document.names[word][language] if word in document.names and word in document.exhibits else word


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
    relation: Sequence[Key] = (),
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
    relation
        Keys of all numbers of the relations that fail.
    """
    members = tuple(dict.fromkeys([at, *cells]))
    lines = list(dict.fromkeys(document.cells[key].line for key in members))
    exhibit, panel, row, column, statistic = at
    all_quoted = list(dict.fromkeys([*members, *suspects, *relation]))[:MOST_QUOTED]
    quotes = [_quote(document, document.cells[key], at) for key in all_quoted]
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
        explanation=Label(
            nb=in_plain_names(comma(explanation.nb), document, "nb"), en=in_plain_names(explanation.en, document, "en")
        ),
        cells=members,
        suspects=tuple(suspects),
        relation=tuple(relation),
        names=tuple(plain_name(part, document) if part else Label(nb="", en="") for part in at),
        quotes=tuple(quotes),
    )


def _quote(document: Document, cell: Cell, at: Key) -> Quote:
    """Return a number with its name next to the number at fault: all of it for that number, else what differs."""
    name = name_of(cell.key[1:]) if cell.key == at else short(cell.key, at)
    return Quote(
        Label(nb=in_plain_names(name, document, "nb"), en=in_plain_names(name, document, "en")),
        cell.text,
        cell.line,
        cell.key,
        _stands_for(cell),
    )


def _stands_for(cell: Cell) -> str:
    """Return the values that round to a published number; nothing for a number that is not rounded."""
    interval = cell.range
    if interval.low == interval.high or cell.qualifier:
        return ""
    return span(interval, cell.printed)


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
    relation: Sequence[Key] = (),
    **values: object,
) -> Finding:
    """Return a finding about one number, explained by one text of the catalogue.

    The text may use `{number}` (its name), `{published}` and `{fits}` in addition to `values`.
    """
    text = say_both(key, **{"number": name_of(cell.key), "published": cell.text, "fits": fits, **values})
    return finding(
        document, cell.key, rule=rule, fits=fits, certainty=certainty, explanation=text, cells=cells, suspects=suspects,
        relation=relation,
    )  # fmt: skip
