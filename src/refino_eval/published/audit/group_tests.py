"""Tests of the difference between two groups: t and p must follow from means, standard deviations or shares, and sizes.

A table does not always state which test was used. Welch's and Student's t-tests, and for shares the pooled and the unpooled
test of two proportions and chi-square with Yates' correction, are tried; one is taken to be the table's if it gives the published
numbers in so many rows that this cannot be chance, and in at least twice as many as it does not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, quoted, span
from refino_eval.published.audit.inferred_layout import is_difference
from refino_eval.published.intervals import Interval

CHANCE = math.log(1e-3)
LEAST = 3
"""Rows that a test must fit."""

ANSWERED = 0.9
"""Share of a group that has a value of a variable, at the least, where the table does not say how many do."""

SLACK = 1e-6
"""Float errors allowed for in t and p."""


@dataclass(frozen=True)
class Group:
    """One group in a row: its mean or share, its standard deviation if there is one, and its size."""

    mean: Cell
    sd: Cell | None
    size: Cell


@dataclass(frozen=True)
class Compared:
    """One row: two groups and the published statistic (`t_stat` or `p_value`) of their difference."""

    cell: Cell
    groups: tuple[Group, Group]


Test = Callable[[tuple[float, float], tuple[float, float], tuple[float, float]], tuple[float, float]]
"""Function from two means, two standard deviations and two sizes to t and the degrees of freedom."""


def welch(means: tuple[float, float], sds: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float]:
    """Return Welch's t and its degrees of freedom."""
    parts = [sd**2 / n for sd, n in zip(sds, sizes, strict=True)]
    below = sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
    df = sum(parts) ** 2 / below if below else math.inf
    return _ratio(means[0] - means[1], sum(parts)), df


def student(means: tuple[float, float], sds: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float]:
    """Return Student's t with a pooled variance and its degrees of freedom."""
    df = sum(sizes) - 2
    pooled = sum((n - 1) * sd**2 for sd, n in zip(sds, sizes, strict=True)) / df
    return _ratio(means[0] - means[1], pooled * (1 / sizes[0] + 1 / sizes[1])), df


def proportions(
    means: tuple[float, float], sds: tuple[float, float], sizes: tuple[float, float]
) -> tuple[float, float]:
    """Return z of the pooled test of two proportions (the root of Pearson's chi-square)."""
    p = (means[0] * sizes[0] + means[1] * sizes[1]) / sum(sizes)
    return _ratio(means[0] - means[1], p * (1 - p) * (1 / sizes[0] + 1 / sizes[1])), math.inf


def unpooled(means: tuple[float, float], sds: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float]:
    """Return z of the test of two proportions with separate variances."""
    variance = sum(p * (1 - p) / n for p, n in zip(means, sizes, strict=True))
    return _ratio(means[0] - means[1], variance), math.inf


def corrected(means: tuple[float, float], sds: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float]:
    """Return the root of chi-square with Yates' correction."""
    gap = max(abs(means[0] - means[1]) - (1 / sizes[0] + 1 / sizes[1]) / 2, 0.0)
    return proportions((means[1] + gap, means[1]), sds, sizes) if gap == 0 else _corrected(means, sizes, gap)


def _corrected(means: tuple[float, float], sizes: tuple[float, float], gap: float) -> tuple[float, float]:
    p = (means[0] * sizes[0] + means[1] * sizes[1]) / sum(sizes)
    return _ratio(gap, p * (1 - p) * (1 / sizes[0] + 1 / sizes[1])), math.inf


def _ratio(gap: float, variance: float) -> float:
    return gap / math.sqrt(variance) if variance > 0 else math.inf


TESTS: Mapping[str, tuple[Test, ...]] = {"mean": (welch, student), "share": (proportions, unpooled, corrected)}


def group_tests(document: Document) -> Iterator[Finding]:
    """Yield t and p that the groups of their row rule out, where a test is known from the other rows."""
    for exhibit in document.exhibits:
        rows = list(_compared(document, exhibit))
        for kind, tests in TESTS.items():
            of_kind = [row for row in rows if (row.groups[0].sd is not None) == (kind == "mean")]
            ways = itertools.product(tests, (0, 1, -1)) if len(of_kind) > LEAST else ()
            results = [_results(of_kind, test, sign, document) for test, sign in ways]
            known = [result for result in results if result and _accepted(result)]
            if known:
                best = min(known, key=lambda result: sum(chance for _, _, chance in result))
                yield from _failures(document, best)


def _compared(document: Document, exhibit: str) -> Iterator[Compared]:
    """Yield the rows of a table with two groups and the statistic of a test."""
    rows: dict[tuple[str, ...], list[Mapping[str, Cell]]] = {}
    for key, place in document.places.items():
        if key[0] == exhibit:
            rows.setdefault(key[:3], []).append(place)
    for places in rows.values():
        groups = [group for place in places for group in _groups(document, place)]
        for name in ("t_stat", "p_value"):
            tested = [place[name] for place in places if name in place]
            if len(groups) == 2 and len(tested) == 1 and not tested[0].qualifier:
                yield Compared(tested[0], (groups[0], groups[1]))


def _groups(document: Document, place: Mapping[str, Cell]) -> Iterator[Group]:
    """Yield the groups of one cell of a table: a mean or share, or those of both arms."""
    cell = next(iter(place.values()))
    if cell.key[3] in EVERYBODY or is_difference(cell.key[:4]):
        return
    for mean, sd, size in (
        ("mean", "sd", "n"), ("share", "", "n"),
        ("mean_treated", "sd_treated", "n_treated"), ("mean_control", "sd_control", "n_control"),
    ):  # fmt: skip
        n = document.common((size,), cell) if mean in place and (sd in place or not sd) else None
        if n is not None and n.printed.value > 2:
            yield Group(place[mean], place.get(sd), n)


def _results(
    rows: Sequence[Compared], test: Test, sign: int, document: Document
) -> list[tuple[Compared, Interval, float]]:
    """Return each row with what a test implies for its statistic, and the log probability that this fits by chance.

    The sign of t is that of the first group's mean minus the second's (1), the reverse (-1), or none (0: t is published without a sign).
    """
    results = []
    for row in rows:
        implied = _implied(row, test, sign, document)
        if implied is None:
            continue
        own = row.cell.range
        if not implied.meets(own) and _fits_fewer(row, implied, test, sign, document):
            continue
        # Unrelated values of t lie within about three on either side of zero.
        usual = 1 if row.cell.statistic != "t_stat" else 6 if sign else 3
        width = float(implied.high - implied.low + own.high - own.low) / usual
        results.append((row, implied, math.log(min(width, 1.0)) if implied.meets(own) else 1.0))
    return results


def _fits_fewer(row: Compared, implied: Interval, test: Test, sign: int, document: Document) -> bool:
    """Return whether groups up to a tenth smaller would give the statistic: the variable may have missing values."""
    fewer = _implied(row, test, sign, document, answered=ANSWERED)
    hull = implied if fewer is None else Interval(min(implied.low, fewer.low), max(implied.high, fewer.high))
    return hull.meets(row.cell.range)


def _accepted(results: Sequence[tuple[Compared, Interval, float]]) -> bool:
    holding = [chance for *_, chance in results if chance < 0]
    return (
        len(holding) >= LEAST
        and len(holding) >= 2 * sum(chance > 0 for *_, chance in results)
        and sum(holding) + math.log(2) < CHANCE
    )


def _implied(row: Compared, test: Test, sign: int, document: Document, *, answered: float = 1.0) -> Interval | None:
    """Return the range of t, |t| or p that the rounded means, standard deviations and shares of two groups allow."""
    values = _statistics(row, test, document, answered)
    signed = [t for t, _ in values if math.isfinite(t)]
    if not signed:
        return None
    if row.cell.statistic == "t_stat" and sign:
        least, most = sorted((sign * min(signed), sign * max(signed)))
        return Interval(Fraction(least - SLACK), Fraction(most + SLACK))
    low = 0.0 if min(signed) <= 0 <= max(signed) else min(map(abs, signed))
    high = max(map(abs, signed))
    if row.cell.statistic == "t_stat":
        return Interval(Fraction(low * (1 - SLACK)), Fraction(high * (1 + SLACK)))
    return _p_between(low, high, min(df for _, df in values))


def _statistics(row: Compared, test: Test, document: Document, answered: float) -> list[tuple[float, float]]:
    """Return t and its degrees of freedom at all ends of the rounded numbers; none where a test has no meaning for them."""
    means = [_ends(group.mean.range, _scale(group, document)) for group in row.groups]
    sds = [(0.0,) if group.sd is None else _ends(group.sd.range, 1) for group in row.groups]
    of_shares = row.groups[0].sd is None
    inside = (0 <= end <= 1 for ends in means for end in ends) if of_shares else (end > 0 for sd in sds for end in sd)
    if not all(inside):
        return []
    sizes = answered * float(row.groups[0].size.printed.value), answered * float(row.groups[1].size.printed.value)
    return [test((a, b), (c, d), sizes) for a, b in itertools.product(*means) for c, d in itertools.product(*sds)]


def _p_between(low: float, high: float, df: float) -> Interval:
    """Return the two-sided p-values of a range of |t|."""
    from scipy.special import ndtr, stdtr

    ends = [2 * float(ndtr(-t) if math.isinf(df) else stdtr(df, -t)) for t in (high, low)]
    return Interval(Fraction(ends[0] * (1 - SLACK)), Fraction(min(ends[1] * (1 + SLACK), 1.0)))


def _scale(group: Group, document: Document) -> int:
    from refino_eval.published.audit.shares_and_counts import whole

    return whole(document, group.mean) if group.sd is None else 1


def _ends(interval: Interval, scale: int) -> tuple[float, float]:
    return float(interval.low) / scale, float(interval.high) / scale


def _failures(document: Document, results: Sequence[tuple[Compared, Interval, float]]) -> Iterator[Finding]:
    """Yield the rows that fail; where both statistics of a row do, its groups are suspect and it is one finding."""
    failing = [(row, implied) for row, implied, chance in results if chance > 0]
    of_row: dict[tuple[str, ...], list[Cell]] = {}
    for row, _ in failing:
        of_row.setdefault(row.cell.key[:3], []).append(row.cell)
    for row, implied in failing:
        tested = of_row[row.cell.key[:3]]
        if row.cell is not tested[0] or document.explained("group_tests", row.cell.key):
            continue
        numbers = [cell for group in row.groups for cell in (group.mean, group.sd) if cell is not None]
        suspects = numbers if len(tested) == 2 else [row.cell, *numbers]
        yield finding_about(
            "audit.test_not_from_groups",
            document,
            suspects[0],
            rule="group_tests",
            fits=span(implied, row.cell.printed),
            certainty="possible" if implied.meets(row.cell.interval(cut=True)) else "likely",
            suspects=[cell.key for cell in suspects],
            relation=[cell.key for cell in (row.cell, *numbers, *(group.size for group in row.groups))],
            groups=quoted(numbers),
        )
