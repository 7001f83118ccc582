"""What holds between the numbers of a row where it holds in nearly all other rows of the table.

Two things do not follow from definitions alone, since a table may have been computed in another way: that a p-value belongs
to the confidence interval next to it (the level and the method are unknown), and that an estimate is close to the
difference of the two arms' means (it may be adjusted). Where nearly all rows of a table agree, the row that does not is suspect.
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
    """Yield p-values and estimates that disagree with their row where nearly all other rows agree."""
    for exhibit in document.exhibits:
        places = [place for key, place in document.places.items() if key[0] == exhibit]
        yield from _p_of_intervals(
            document, [p for p in places if {"estimate", "conf_low", "conf_high", "p_value"} <= set(p)]
        )
        yield from _estimates(document, [p for p in places if {"estimate", "mean_treated", "mean_control"} <= set(p)])


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


def _estimates(document: Document, places: Sequence[Place]) -> Iterator[Finding]:
    gaps = [_gap(place) for place in places]
    if not _nearly_all([gap is None or gap <= 1 for gap in gaps]):
        return
    for place, gap in zip(places, gaps, strict=True):
        at = place["estimate"]
        # An adjusted estimate may differ a little: a finding needs twice the width that nearly all rows keep within.
        if gap is not None and gap > 2 and not document.explained("differences", at.key):
            means = place["mean_treated"], place["mean_control"]
            yield finding_about(
                "audit.estimate_far_from_means", document, at, rule="differences", certainty="possible",
                suspects=[cell.key for cell in (at, *means)], treated=means[0].text, control=means[1].text,
            )  # fmt: skip


def _gap(place: Place) -> Fraction | None:
    """Return how far an estimate is from the difference of the means, in half widths of its interval or two standard errors."""
    if "conf_low" in place and "conf_high" in place:
        half = (place["conf_high"].range - place["conf_low"].range).high / 2
    elif "std_error" in place:
        half = 2 * place["std_error"].range.high
    else:
        return None
    difference = place["mean_treated"].range - place["mean_control"].range
    away = abs(place["estimate"].range - difference).low
    return away / half if half > 0 else None


def _nearly_all(agreeing: Sequence[bool]) -> bool:
    return sum(agreeing) >= max(FEWEST, 5 * (len(agreeing) - sum(agreeing)))
