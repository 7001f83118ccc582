"""Several p-values of one test: from permutation or the bootstrap next to the usual one, or adjusted for many outcomes.

Two p-values of one hypothesis are close to each other, as close as in the other rows of the table. A p-value adjusted for the
family-wise error rate is not smaller than the unadjusted one, and within a family of outcomes it rises with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from refino_eval.published.audit.comparisons.deviating_rows import FEW, FEWEST, outlying
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about
from refino_eval.published.audit.significance import t_range

ONE_TEST = ("p_value", "p_value_ri", "p_value_wild")
"""Statistics that are p-values of the same hypothesis."""

FLOOR = 0.5
"""Difference of two z-values from which they are not those of one test."""

MOST = 60
"""Outcomes of one family among which the order is checked."""

ADJUSTED = 0.3
"""Difference of two z-values that simulation may make between an adjusted p-value and an unadjusted one."""

Place = Mapping[str, Cell]
Ends = tuple[float, float]


def several_p_values(document: Document) -> Iterator[Finding]:
    """Yield p-values that disagree with another one of their test, where those of the other rows agree, and wrong adjustments."""
    tables: dict[tuple[str, str], list[Place]] = {}
    for key, place in document.places.items():
        tables.setdefault(key[:2], []).append(place)
    for places in tables.values():
        for k, one in enumerate(("t", *ONE_TEST)):
            for other in ("t", *ONE_TEST)[k + 1 :]:
                # The usual p-value follows from t by a rule of its own.
                if (one, other) != ("t", "p_value"):
                    yield from _far(document, places, one, other)
        yield from _adjusted(document, [place for place in places if {"p_value", "p_value_fwer"} <= set(place)])


def _z(place: Place, name: str) -> Ends | None:
    """Return the ends of |z| of a p-value, or of the published t; None where it is not known or near zero or one."""
    from scipy.special import ndtri

    if name == "t":
        t = t_range(place)
        return None if t is None or t.high is None else (float(t.low), float(t.high))
    if name not in place or place[name].qualifier:
        return None
    low, high = place[name].range.low, min(place[name].range.high, Fraction(1))
    return (float(-ndtri(float(high) / 2)), float(-ndtri(float(low) / 2))) if 0 < low < high else None


def _far(document: Document, places: Sequence[Place], one: str, other: str) -> Iterator[Finding]:
    known = [(place, a, b) for place in places if (a := _z(place, one)) and (b := _z(place, other))]
    if len(known) <= FEWEST:
        return
    far = outlying([(a[0] - b[1], a[1] - b[0]) for _, a, b in known], FLOOR)
    for k in far if len(far) <= max(1, len(known) // FEW) else ():
        place = known[k][0]
        first = [
            place[name] for name in (("estimate", "std_error", "t_stat") if one == "t" else (one,)) if name in place
        ]
        at = place[other]
        if not document.explained("p_value", at.key):
            yield finding_about(
                "audit.p_values_far_apart", document, at, rule="p_value", certainty="possible",
                suspects=[cell.key for cell in (at, *first)], other=first[-1].text, rows=len(known) - 1,
            )  # fmt: skip


def _adjusted(document: Document, places: Sequence[Place]) -> Iterator[Finding]:
    """Yield adjusted p-values that are smaller than their own, or out of the order that all others keep."""
    wrong = [place for place in places if _smaller(place)]
    ordered = [place for place in places if place not in wrong]
    breaks = [place for place in ordered if _discordant(place, ordered)] if len(ordered) <= MOST else []
    # A number out of order is in disorder with others, which are in order among themselves.
    # The comparison of all pairs takes long in a large table, and many breaks are no errors.
    for place in breaks if FEWEST < len(ordered) <= MOST and len(breaks) <= FEW else ():
        rest = [other for other in ordered if other is not place]
        if not any(_discordant(other, rest) for other in rest):
            wrong.append(place)
    for place in wrong if len(wrong) <= max(1, len(places) // FEW) else ():
        p, adjusted = place["p_value"], place["p_value_fwer"]
        if not document.explained("p_value", adjusted.key):
            yield finding_about(
                "audit.adjusted_p_value", document, adjusted, rule="p_value", certainty="possible",
                suspects=[adjusted.key, p.key], p=p.text,
            )  # fmt: skip


def _smaller(place: Place) -> bool:
    """Return whether an adjusted p-value is smaller than the unadjusted one by more than simulation explains."""
    z, adjusted = _z(place, "p_value"), _z(place, "p_value_fwer")
    if z is None:
        return False
    return (math.inf if adjusted is None and place["p_value_fwer"].printed.value <= 0 else (adjusted or z)[0]) > z[
        1
    ] + ADJUSTED


def _discordant(place: Place, others: Sequence[Place]) -> bool:
    """Return whether an adjusted p-value is smaller than that of another row whose p-value is smaller, or the reverse."""
    p, adjusted = place["p_value"].range, place["p_value_fwer"].range
    return any(
        (one["p_value"].range.high < p.low and one["p_value_fwer"].range.low > adjusted.high)
        or (one["p_value"].range.low > p.high and one["p_value_fwer"].range.high < adjusted.low)
        for one in others
        if one is not place
    )
