"""p-values that belong to the confidence interval next to them where those of nearly all other rows of the table do.

This does not follow from definitions alone, since the level and the method of a table are unknown. Where nearly all rows of a table
agree, the row that does not is suspect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, span
from refino_eval.published.audit.significance import FEWEST_DF, LEVELS, critical, tail
from refino_eval.published.intervals import Interval

FEWEST = 6
"""Rows of a table that must agree, and five times as many as do not."""

SLACK = Fraction(1, 50)
"""Room for p-values of tests that are not quite those of the intervals."""

Place = Mapping[str, Cell]


def sister_rows(document: Document) -> Iterator[Finding]:
    """Yield p-values that disagree with their row where nearly all other rows agree."""
    for exhibit in document.exhibits:
        places = [place for key, place in document.places.items() if key[0] == exhibit]
        yield from _p_of_intervals(
            document, [p for p in places if {"estimate", "conf_low", "conf_high", "p_value"} <= set(p)]
        )


def _p_of_intervals(document: Document, places: Sequence[Place]) -> Iterator[Finding]:
    implied = {level: [_p_implied(place, level) for place in places] for level in LEVELS}
    agreeing = {
        level: [p is None or p.meets(place["p_value"].range) for p, place in zip(implied[level], places, strict=True)]
        for level in LEVELS
    }
    level = max(LEVELS, key=lambda one: sum(agreeing[one]))
    if not _nearly_all(agreeing[level]):
        return
    for place, agrees, p in zip(places, agreeing[level], implied[level], strict=True):
        at = place["p_value"]
        if not agrees and p is not None and not document.explained("p_value", at.key):
            parts = [place[name] for name in ("estimate", "conf_low", "conf_high")]
            yield finding_about(
                "audit.p_value_not_from_interval", document, at, rule="p_value", certainty="likely",
                fits=span(p, at.printed), suspects=[at.key, *(cell.key for cell in parts)],
                estimate=parts[0].text, low=parts[1].text, high=parts[2].text,
            )  # fmt: skip


def _p_implied(place: Place, level: Fraction) -> Interval | None:
    """Return the range of p that an estimate and its confidence interval at a level allow; None where it has no width."""
    half = (place["conf_high"].range - place["conf_low"].range).times(Fraction(1, 2))
    if half.low <= 0:
        return None
    size = abs(place["estimate"].range)
    low, high = size.low / half.high * critical(level, None), size.high / half.low * critical(level, FEWEST_DF)
    return Interval(tail(high, None) - SLACK, tail(low, FEWEST_DF) + SLACK)


def _nearly_all(agreeing: Sequence[bool]) -> bool:
    return sum(agreeing) >= max(FEWEST, 5 * (len(agreeing) - sum(agreeing)))
