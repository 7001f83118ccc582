"""Rules of tests: estimate, standard error, t, p, confidence interval and stars must be consistent.

What the published numbers allow is computed exactly: the smallest and the largest |t| of the published estimate and
standard error, and so on. Only critical values are floats; they are widened by one part in a million, towards no finding.

The reference distribution is not published, so both ends count: the normal, whose critical values are the smallest, and a t
distribution. Its degrees of freedom are those that the document declares, else a quarter of the sample (fixed effects
take some), else 30. A complaint that would vanish with as few as ten, for instance because errors are clustered in a
dozen offices, is at most likely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from refino_eval.config.base import Label
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, name_of, number, say_both, span
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import fits

CONVENTIONS = (("0.1", "0.05", "0.01"), ("0.05", "0.01", "0.001"))
"""Usual levels of one, two and three stars; the convention of a document is inferred from its starred cells."""

FEWEST_DF = 10
UNKNOWN_DF = 30
SLACK = Fraction(1, 1_000_000)
STRICTER = Fraction(1, 20)
"""Level that every convention marks."""


@dataclass(frozen=True)
class TRange:
    """The smallest and the largest |t| that the published numbers allow; no largest if the standard error may be zero."""

    low: Fraction
    high: Fraction | None
    source: str


def significance(document: Document) -> Iterator[Finding]:
    """Yield the findings about tests, cell by cell, then about stars, table by table."""
    for cells in document.places.values():
        yield from _t_stat(document, cells)
        yield from _p_value(document, cells)
        yield from _interval(document, cells)
    yield from _p_of_joint_tests(document)
    yield from _stars(document)


def t_range(place: Mapping[str, Cell], *, published_t: bool = True) -> TRange | None:
    """Return the |t| that the numbers of a cell allow: from the published t, else from estimate and standard error."""
    if published_t and "t_stat" in place:
        size = abs(place["t_stat"].range)
        return TRange(size.low, size.high, f"t = {place['t_stat'].text}")
    if "estimate" not in place or "std_error" not in place:
        return None
    estimate, error = abs(place["estimate"].range), place["std_error"].range
    if error.high <= 0:
        return None
    high = None if error.low <= 0 else estimate.high / error.low
    return TRange(estimate.low / error.high, high, f"{place['estimate'].text} / {place['std_error'].text}")


@cache
def critical(level: Fraction, df: float | None) -> Fraction:
    """Return the two-sided critical value of a t distribution, or of the normal for `df` None."""
    from scipy.special import ndtri, stdtrit

    tail = 1.0 - float(level) / 2.0
    return Fraction(float(ndtri(tail) if df is None else stdtrit(df, tail)))


def tail(t: Fraction, df: float | None) -> Fraction:
    """Return the two-sided p-value of |t|."""
    from scipy.special import ndtr, stdtr

    return Fraction(2.0 * float(ndtr(-float(t)) if df is None else stdtr(df, -float(t))))


def df_of(document: Document, cell: Cell) -> tuple[float, bool]:
    """Return the degrees of freedom to judge a cell by, and whether the document declares them."""
    for relation in document.facts("stars"):
        if relation.df and fits(relation.of, cell.key):
            return float(relation.df), True
    place = document.places[cell.place]
    if "df_residual" in place and "t_stat" in place and place["df_residual"].printed.value >= 1:
        return float(place["df_residual"].printed.value), True
    size = document.common(("n",), cell)
    if size is not None and size.printed.value >= 40:
        return float(size.printed.value) / 4, False
    return float(UNKNOWN_DF), False


def levels_of(document: Document) -> tuple[tuple[Fraction, ...] | None, dict[str, tuple[Fraction, ...]]]:
    """Return the levels of stars inferred from the document's cells, and those that it declares, by exhibit.

    The convention that contradicts fewest starred cells with a known t is inferred; none if fewer than three are starred, or if
    every convention contradicts more than half as many as it fits: then the stars mean something else.
    """
    starred = [(t, stars) for t, stars in _tests_with_stars(document) if stars]
    options = [tuple(Fraction(level) for level in convention) for convention in CONVENTIONS]
    wrong = [
        sum(_contradicts(t, stars, levels, float(UNKNOWN_DF)) is not None for t, stars in starred) for levels in options
    ]
    fitting = len(starred) >= 3 and 3 * min(wrong) <= len(starred)
    return options[wrong.index(min(wrong))] if fitting else None, _declared_levels(document)


def _tests_with_stars(document: Document) -> Iterator[tuple[TRange, int]]:
    """Yield the known |t| of each cell of the document's tables with the number of its stars."""
    for place in document.places.values():
        t = t_range(place)
        if t is not None:
            yield t, max(cell.printed.stars for cell in place.values())


def _declared_levels(document: Document) -> dict[str, tuple[Fraction, ...]]:
    """Return the levels that the document declares for its stars, by exhibit."""
    return {
        exhibit: tuple(Fraction(level) for level in relation.levels)
        for relation in document.facts("stars")
        for exhibit in document.exhibits
        if any(pattern.split("/")[0] in ("*", exhibit) for pattern in relation.of)
    }


def _contradicts(t: TRange, stars: int, levels: Sequence[Fraction], df: float | None) -> str | None:
    """Return `many` or `few` if the stars are too many or too few for every |t| of a range, else None."""
    if stars > len(levels):
        return None
    if stars and t.high is not None and t.high * (1 + SLACK) < critical(levels[stars - 1], None):
        return "many"
    if stars < len(levels) and t.low * (1 - SLACK) > critical(levels[stars], df):
        return "few"
    return None


def _stars(document: Document) -> Iterator[Finding]:
    """Report stars that t or p contradicts; tables without any star are reported once."""
    inferred, declared = levels_of(document)
    starless: list[tuple[Cell, TRange]] = []
    with_stars = {cell.key[0] for cell in document.cells.values() if cell.printed.stars} | set(declared)
    for cell, cells, t in _tested(document):
        levels = declared.get(cell.key[0], inferred)
        stars = max(other.printed.stars for other in cells.values())
        df, known = df_of(document, cell)
        verdict = None if levels is None else _contradicts(t, stars, levels, df)
        if levels is None or verdict is None:
            continue
        if cell.key[0] not in with_stars:
            # A table that publishes p-values needs no stars.
            starless += [(cell, t)] if "p_value" not in cells else []
            continue
        sure = verdict == "many" or known or _contradicts(t, stars, levels, FEWEST_DF) is not None
        yield _wrong_stars(document, cell, cells, t, levels, stars, "certain" if sure and declared else "likely")
    yield from _without_stars(document, starless, len(with_stars))


def _without_stars(document: Document, starless: Sequence[tuple[Cell, TRange]], with_stars: int) -> Iterator[Finding]:
    """Report the tables without stars that lack them, unless most of the document's tables have none.

    A table may mark fewer levels than others: only what two stars would mark shows that stars are missing.
    """
    strict = critical(STRICTER, float(UNKNOWN_DF))
    tables = {cell.key[0] for cell, t in starless if t.low * (1 - SLACK) > strict}
    if tables and len(tables) <= with_stars:
        yield _tables_without_stars(document, [(cell, t) for cell, t in starless if cell.key[0] in tables])


def _tested(document: Document) -> Iterator[tuple[Cell, Mapping[str, Cell], TRange]]:
    """Yield the estimates, or t-statistics, whose |t| is known, unless the document explains their stars."""
    for cells in document.places.values():
        cell, t = cells.get("estimate") or cells.get("t_stat"), t_range(cells)
        if cell is not None and t is not None and not document.explained("stars", cell.key):
            yield cell, cells, t


def _right_stars(t: TRange, levels: Sequence[Fraction], df: float) -> str:
    """Return the stars that |t| can have."""
    options = ["*" * stars or "none" for stars in range(len(levels) + 1) if _contradicts(t, stars, levels, df) is None]
    return ", ".join(options)


def _wrong_stars(
    document: Document,
    cell: Cell,
    cells: Mapping[str, Cell],
    t: TRange,
    levels: Sequence[Fraction],
    stars: int,
    certainty: str,
) -> Finding:
    high = "" if t.high is None else f", {number(t.high, 3)}"
    df, _ = df_of(document, cell)
    return finding_about(
        "audit.too_many_stars" if stars else "audit.no_stars",
        document,
        cell,
        rule="stars",
        fits=_right_stars(t, levels, df),
        certainty=certainty,
        cells=[cells[name].key for name in ("t_stat", "std_error") if name in cells],
        stars="*" * stars,
        range=f"[{number(t.low, 3)}{high}]",
        source=t.source,
        levels=", ".join(f"{'*' * (k + 1)} {float(level):g}" for k, level in enumerate(levels)),
    )


def _tables_without_stars(document: Document, cells: Sequence[tuple[Cell, TRange]]) -> Finding:
    """Report tables without stars once: whether to use stars is one decision."""
    examples = [f"{name_of(cell.key[:4])} ({t.source}, |t| >= {number(t.low, 2)})" for cell, t in cells[:6]]
    return finding_about(
        "audit.tables_without_stars",
        document,
        cells[0][0],
        rule="stars_missing",
        certainty="possible",
        cells=[cell.key for cell, _ in cells[1:]],
        tables=", ".join(dict.fromkeys(cell.key[0] for cell, _ in cells)),
        estimates=", ".join(examples),
    )


def _t_stat(document: Document, cells: Mapping[str, Cell]) -> Iterator[Finding]:
    """Report a published t that is not estimate / standard error, or has the other sign."""
    if "t_stat" not in cells or "estimate" not in cells or document.explained("t_stat", cells["t_stat"].key):
        return
    t, estimate, error = cells["t_stat"], cells["estimate"], cells.get("std_error")
    if error is not None and error.range.low > 0:
        implied = estimate.range / error.range
        if not implied.meets(t.range):
            truncated = estimate.interval(cut=True) / error.interval(cut=True)
            yield finding_about(
                "audit.t_not_ratio",
                document,
                t,
                rule="t_stat",
                fits=span(implied, t.printed),
                certainty="possible" if truncated.meets(t.interval(cut=True)) else "certain",
                cells=[estimate.key, error.key],
                source=f"{estimate.text} / {error.text}",
            )
            return
    if (estimate.range.low > 0 and t.range.high < 0) or (estimate.range.high < 0 and t.range.low > 0):
        yield finding_about(
            "audit.t_of_other_sign",
            document,
            estimate,
            rule="t_stat",
            fits=f"{-estimate.printed.value}",
            certainty="certain",
            cells=[t.key],
            t=t.text,
        )


def _p_value(document: Document, cells: Mapping[str, Cell]) -> Iterator[Finding]:
    """Report a published p-value that t rules out."""
    t = t_range(cells)
    if "p_value" not in cells or t is None or document.explained("p_value", cells["p_value"].key):
        return
    p = cells["p_value"]
    df, known = df_of(document, p)
    exact = "df_residual" in cells and "t_stat" in cells and "estimate" not in cells
    implied = _p_between(t, df, exact=exact)
    if implied.meets(p.range):
        return
    sure = known or not _p_between(t, float(FEWEST_DF)).meets(p.interval(cut=True))
    yield finding_about(
        "audit.p_value_not_from_t",
        document,
        p,
        rule="p_value",
        fits=span(implied, p.printed),
        certainty="certain" if sure else "likely",
        cells=[cells[name].key for name in ("estimate", "std_error", "t_stat") if name in cells],
        source=t.source,
    )


def _p_of_joint_tests(document: Document) -> Iterator[Finding]:
    """Report p-values that an F or a chi-square with published degrees of freedom rules out (statcheck).

    Degrees of freedom are counts, and stand where the statistic does: `df`, and for an F `df_residual`.
    """
    for cells in document.places.values():
        p, test = cells.get("p_value"), _joint_test(cells)
        if p is None or test is None or document.explained("p_value", p.key):
            continue
        implied, source, parts = test
        if not implied.meets(p.range):
            yield finding_about(
                "audit.p_value_not_from_test",
                document,
                p,
                rule="p_value",
                fits=span(implied, p.printed),
                certainty="certain" if not implied.meets(p.interval(cut=True)) else "possible",
                cells=[cells[name].key for name in parts],
                source=source,
            )


def _joint_test(cells: Mapping[str, Cell]) -> tuple[Interval, str, tuple[str, ...]] | None:
    """Return the p-values that an F or a chi-square allows, how it is written, and its parts; None without such a test."""
    from scipy.special import chdtrc, fdtrc

    if "df" not in cells or cells["df"].printed.value < 1:
        return None
    df = float(cells["df"].printed.value)
    if "f_stat" in cells and "df_residual" in cells:
        if cells["df_residual"].printed.value < 1:
            return None
        test, rest = cells["f_stat"], float(cells["df_residual"].printed.value)
        ends = [float(fdtrc(df, rest, max(float(end), 0.0))) for end in (test.range.high, test.range.low)]
        source = f"F({cells['df'].text}, {cells['df_residual'].text}) = {test.text}"
        parts: tuple[str, ...] = ("f_stat", "df", "df_residual")
    elif "chi2" in cells:
        test = cells["chi2"]
        ends = [float(chdtrc(df, max(float(end), 0.0))) for end in (test.range.high, test.range.low)]
        source = f"\N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO}({cells['df'].text}) = {test.text}"
        parts = ("chi2", "df")
    else:
        return None
    return Interval(Fraction(ends[0]) * (1 - SLACK), Fraction(ends[1]) * (1 + SLACK)), source, parts


def _p_between(t: TRange, df: float, *, exact: bool = False) -> Interval:
    """Return the p-values that a range of |t| allows between the normal and a t distribution, or with that alone."""
    low = Fraction(0) if t.high is None else tail(t.high, df if exact else None)
    return Interval(low * (1 - SLACK), tail(t.low, df) * (1 + SLACK))


def _interval(document: Document, cells: Mapping[str, Cell]) -> Iterator[Finding]:
    """Report a confidence interval that is not centred on its estimate, or does not fit the standard error."""
    if not {"conf_low", "conf_high", "estimate"} <= set(cells) or document.explained("interval", cells["conf_low"].key):
        return
    low, high, estimate = cells["conf_low"], cells["conf_high"], cells["estimate"]
    half = (high.range - low.range).times(Fraction(1, 2))
    middle = (high.range + low.range).times(Fraction(1, 2))
    if half.high < 0:
        fitting = f"[{high.text}, {low.text}]"
        reason = say_both("audit.interval_reversed")
    elif not middle.meets(estimate.range) and _usually_centred(document, low):
        fitting = span(middle, estimate.printed)
        reason = say_both("audit.interval_off_centre", middle=fitting, estimate=estimate.text)
    elif not middle.meets(estimate.range):
        return
    else:
        width = _wrong_width(half, estimate, cells.get("std_error"))
        if width is None:
            return
        fitting, reason = width
    yield finding_about(
        "audit.interval_inconsistent",
        document,
        low,
        rule="interval",
        fits=fitting,
        certainty="certain" if half.high < 0 else "likely",
        cells=[high.key, estimate.key],
        relation=[cells[name].key for name in ("conf_low", "conf_high", "estimate", "std_error") if name in cells],
        number=name_of(low.place),
        low=low.text,
        high=high.text,
        reason=reason,
    )


def _usually_centred(document: Document, low: Cell) -> bool:
    """Return whether fewer than half of the other intervals of a row, and of a column, are off the centre of their estimates.

    Intervals of ratios and prices, and bootstrap intervals, need not be symmetric. Two intervals show nothing yet.
    """
    lines: dict[int, list[bool]] = {2: [], 3: []}
    for key, place in document.places.items():
        if key[0] == low.key[0] and key != low.place and {"conf_low", "conf_high", "estimate"} <= set(place):
            middle = (place["conf_high"].range + place["conf_low"].range).times(Fraction(1, 2))
            for axis, centred in lines.items():
                if key[axis] == low.key[axis]:
                    centred.append(middle.meets(place["estimate"].range))
    return all(len(centred) < 1 or 2 * sum(centred) >= len(centred) for centred in lines.values())


def _wrong_width(half: Interval, estimate: Cell, error: Cell | None) -> tuple[str, Label] | None:
    """Return the standard error that would fit half the width of an interval, with the reason, or None if one fits."""
    if error is None or error.range.low <= 0:
        return None
    ratio = half / error.range
    usual = [
        Interval(critical(level, None) * (1 - SLACK), critical(level, FEWEST_DF) * (1 + SLACK)) for level in LEVELS
    ]
    if any(ratio.meets(values) for values in usual):
        return None
    fitting = span(half / Interval(critical(LEVELS[1], None), critical(LEVELS[1], FEWEST_DF)), estimate.printed)
    size = f"[{number(ratio.low, 2)}, {number(ratio.high, 2)}]"
    return fitting, say_both("audit.interval_wrong_width", ratio=size, std_error=error.text, fits=fitting)


LEVELS = (Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))
"""Levels of usual confidence intervals: 90, 95 and 99 per cent."""
