"""Rules of tests: estimate, standard error, t, p, interval and stars must tell one story.

Which story a print can tell is worked out exactly: the least and the greatest |t| that the printed estimate and standard
error allow, and so on. Only critical values are floats; they are widened by one part in a million, to the side of no finding.

The reference distribution is not printed, so both ends count: the normal, whose critical values are the smallest, and a t
distribution. Its degrees of freedom are those that the document declares, else a quarter of the sample (fixed effects
take some), else 30. A complaint that would vanish with as few as ten, for instance because errors are clustered in a
dozen offices, is at most likely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding, name_of, number, span
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import fits

CONVENTIONS = (("0.1", "0.05", "0.01"), ("0.05", "0.01", "0.001"))
"""Levels of one, two and three stars in use; which one a document uses is learned from its starred cells."""

FEWEST_DF = 10
UNKNOWN_DF = 30
SLACK = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class TRange:
    """The least and the greatest |t| that prints allow; no greatest when the standard error may be zero."""

    low: Fraction
    high: Fraction | None
    source: str


def inference(document: Document) -> Iterator[Finding]:
    """Yield what the rules of tests find, place by place, then table by table for stars."""
    for place in document.places.values():
        yield from _t_stat(document, place)
        yield from _p_value(document, place)
        yield from _interval(document, place)
    yield from _stars(document)


def t_range(place: Mapping[str, Cell], *, printed_t: bool = True) -> TRange | None:
    """Return the |t| that a place's numbers allow: from its printed t, else from estimate and standard error."""
    if printed_t and "t_stat" in place:
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
    size = document.common(("n",), cell)
    if size is not None and size.printed.value >= 40:
        return float(size.printed.value) / 4, False
    return float(UNKNOWN_DF), False


def levels_of(document: Document) -> tuple[tuple[Fraction, ...] | None, dict[str, tuple[Fraction, ...]]]:
    """Return the levels of stars that the document's cells show, and those that it declares, by exhibit.

    Learned are the levels of the convention that contradicts fewest starred cells whose t is known; none when fewer than
    three are starred.
    """
    declared = {}
    for relation in document.facts("stars"):
        for exhibit in document.exhibits:
            if any(pattern.split("/")[0] in ("*", exhibit) for pattern in relation.of):
                declared[exhibit] = tuple(Fraction(level) for level in relation.levels)
    starred = []
    for place in document.places.values():
        t = t_range(place)
        stars = max((cell.printed.stars for cell in place.values()), default=0)
        if t is not None and stars:
            starred.append((t, stars))
    if len(starred) < 3:
        return None, declared
    options = [tuple(Fraction(level) for level in convention) for convention in CONVENTIONS]
    wrong = [
        sum(_contradicts(t, stars, levels, float(UNKNOWN_DF)) is not None for t, stars in starred) for levels in options
    ]
    return options[wrong.index(min(wrong))], declared


def _contradicts(t: TRange, stars: int, levels: Sequence[Fraction], df: float | None) -> str | None:
    """Return `many` or `few` when the stars are too many or too few for every |t| of a range, else nothing."""
    if stars > len(levels):
        return None
    if stars and t.high is not None and t.high * (1 + SLACK) < critical(levels[stars - 1], None):
        return "many"
    if stars < len(levels) and t.low * (1 - SLACK) > critical(levels[stars], df):
        return "few"
    return None


def _stars(document: Document) -> Iterator[Finding]:
    """Complain about stars that t or p contradicts; a table without any star is told once."""
    learned, declared = levels_of(document)
    bare: list[tuple[Cell, TRange]] = []
    with_stars = {cell.key[0] for cell in document.cells.values() if cell.printed.stars}
    for place in document.places.values():
        cell = place.get("estimate") or place.get("t_stat")
        t = t_range(place)
        if cell is None or t is None:
            continue
        levels = declared.get(cell.key[0], learned)
        if levels is None or document.explained("stars", cell.key):
            continue
        stars = max(other.printed.stars for other in place.values())
        df, known = df_of(document, cell)
        verdict = _contradicts(t, stars, levels, df)
        if verdict is None:
            continue
        if cell.key[0] not in with_stars and cell.key[0] not in declared:
            bare.append((cell, t))
            continue
        sure = verdict == "many" or known or _contradicts(t, stars, levels, FEWEST_DF) is not None
        yield _wrong_stars(document, cell, place, t, levels, stars, "certain" if sure and declared else "likely")
    if bare:
        yield _bare_tables(document, bare)


def _right_stars(t: TRange, levels: Sequence[Fraction], df: float) -> str:
    """Return the stars that |t| can have."""
    options = ["*" * stars or "none" for stars in range(len(levels) + 1) if _contradicts(t, stars, levels, df) is None]
    return ", ".join(options)


def _wrong_stars(
    document: Document,
    cell: Cell,
    place: Mapping[str, Cell],
    t: TRange,
    levels: Sequence[Fraction],
    stars: int,
    certainty: str,
) -> Finding:
    high = "" if t.high is None else f", {number(t.high, 3)}"
    limit = ", ".join(f"{'*' * (k + 1)} {float(level):g}" for k, level in enumerate(levels))
    df, _ = df_of(document, cell)
    printed = "*" * stars
    others = [place[name].key for name in ("t_stat", "std_error") if name in place]
    return finding(
        document,
        cell.key,
        rule="stars",
        fits=_right_stars(t, levels, df),
        certainty=certainty,
        cells=others,
        nb=f"{name_of(cell.key)} er trykt {f'med {printed}' if stars else 'uten stjerner'}, men |t| ligger i "
        f"[{number(t.low, 3)}{high}] ({t.source}). Nivåene er {limit}.",
        en=f"{name_of(cell.key)} is printed {f'with {printed}' if stars else 'without stars'}, but |t| lies in "
        f"[{number(t.low, 3)}{high}] ({t.source}). The levels are {limit}.",
    )


def _bare_tables(document: Document, cells: Sequence[tuple[Cell, TRange]]) -> Finding:
    """Tell tables without stars once: whether to star is one decision."""
    first = cells[0][0]
    tables = ", ".join(dict.fromkeys(cell.key[0] for cell, _ in cells))
    told = ", ".join(f"{name_of(cell.key[:4])} ({t.source}, |t| >= {number(t.low, 2)})" for cell, t in cells[:6])
    return finding(
        document,
        first.key,
        rule="stars_missing",
        fits="",
        certainty="possible",
        cells=[cell.key for cell, _ in cells[1:]],
        nb=f"Uten stjerner: {tables}. Ved nivåene i dokumentets andre tabeller ville disse hatt dem: {told}.",
        en=f"Without any star: {tables}. At the levels of the document's other tables these would have them: {told}.",
    )


def _t_stat(document: Document, place: Mapping[str, Cell]) -> Iterator[Finding]:
    """Complain about a printed t that is not estimate / standard error, or has the other sign."""
    if "t_stat" not in place or "estimate" not in place or document.explained("t_stat", place["t_stat"].key):
        return
    t, estimate = place["t_stat"], place["estimate"]
    error = place.get("std_error")
    if error is not None and error.range.low > 0:
        implied = estimate.range / error.range
        if not implied.meets(t.range):
            fair = estimate.interval(cut=True) / error.interval(cut=True)
            yield finding(
                document,
                t.key,
                rule="t_stat",
                fits=span(implied, t.printed),
                certainty="possible" if fair.meets(t.interval(cut=True)) else "certain",
                cells=[estimate.key, error.key],
                nb=f"{name_of(t.key)} er «{t.text}», men {estimate.text} / {error.text} gir {span(implied, t.printed)}.",
                en=f"{name_of(t.key)} is «{t.text}», but {estimate.text} / {error.text} gives {span(implied, t.printed)}.",
            )
            return
    if (estimate.range.low > 0 and t.range.high < 0) or (estimate.range.high < 0 and t.range.low > 0):
        yield finding(
            document,
            estimate.key,
            rule="t_stat",
            fits=f"{-estimate.printed.value}",
            certainty="certain",
            cells=[t.key],
            nb=f"{name_of(estimate.key)} «{estimate.text}» og t-verdien «{t.text}» har ulikt fortegn.",
            en=f"{name_of(estimate.key)} «{estimate.text}» and its t-value «{t.text}» differ in sign.",
        )


def _p_value(document: Document, place: Mapping[str, Cell]) -> Iterator[Finding]:
    """Complain about a printed p-value that t rules out."""
    t = t_range(place)
    if "p_value" not in place or t is None or document.explained("p_value", place["p_value"].key):
        return
    p = place["p_value"]
    df, known = df_of(document, p)
    implied = _p_between(t, df)
    if implied.meets(p.range):
        return
    sure = known or not _p_between(t, float(FEWEST_DF)).meets(p.interval(cut=True))
    yield finding(
        document,
        p.key,
        rule="p_value",
        fits=span(implied, p.printed),
        certainty="certain" if sure else "likely",
        cells=[place[name].key for name in ("estimate", "std_error", "t_stat") if name in place],
        nb=f"{name_of(p.key)} er «{p.text}», men {t.source} gir p i {span(implied, p.printed)}.",
        en=f"{name_of(p.key)} is «{p.text}», but {t.source} gives p in {span(implied, p.printed)}.",
    )


def _p_between(t: TRange, df: float) -> Interval:
    """Return the p-values between the normal and a t distribution that a range of |t| allows."""
    low = Fraction(0) if t.high is None else tail(t.high, None)
    return Interval(low * (1 - SLACK), tail(t.low, df) * (1 + SLACK))


def _interval(document: Document, place: Mapping[str, Cell]) -> Iterator[Finding]:
    """Complain about a confidence interval that lies unevenly about its estimate, or does not fit the standard error."""
    if not {"conf_low", "conf_high", "estimate"} <= set(place) or document.explained("interval", place["conf_low"].key):
        return
    low, high, estimate = place["conf_low"], place["conf_high"], place["estimate"]
    half = (high.range - low.range).times(Fraction(1, 2))
    middle = (high.range + low.range).times(Fraction(1, 2))
    text_nb, text_en, fitting = "", "", ""
    if half.high < 0:
        text_nb, text_en = "nedre grense er større enn øvre", "the lower end exceeds the upper"
        fitting = f"[{high.text}, {low.text}]"
    elif not middle.meets(estimate.range):
        fitting = span(middle, estimate.printed)
        text_nb, text_en = f"midten er {fitting}, ikke {estimate.text}", f"its middle is {fitting}, not {estimate.text}"
    elif "std_error" in place and place["std_error"].range.low > 0:
        ratio = half / place["std_error"].range
        usual = [
            Interval(critical(level, None) * (1 - SLACK), critical(level, FEWEST_DF) * (1 + SLACK)) for level in LEVELS
        ]
        if any(ratio.meets(values) for values in usual):
            return
        fitting = span(half / Interval(critical(LEVELS[1], None), critical(LEVELS[1], FEWEST_DF)), estimate.printed)
        size = f"[{number(ratio.low, 2)}, {number(ratio.high, 2)}]"
        text_nb = f"halve bredden er {size} standardfeil «{place['std_error'].text}»; ved 95 prosent passer {fitting}"
        text_en = f"half its width is {size} standard errors «{place['std_error'].text}»; at 95 per cent {fitting} fits"
    else:
        return
    if not text_nb:
        return
    yield finding(
        document,
        low.key,
        rule="interval",
        fits=fitting,
        certainty="certain" if half.high < 0 else "likely",
        cells=[high.key, estimate.key],
        nb=f"{'/'.join(part for part in low.place if part)}: intervallet fra «{low.text}» til «{high.text}»: {text_nb}.",
        en=f"{'/'.join(part for part in low.place if part)}: the interval from «{low.text}» to «{high.text}»: {text_en}.",
    )


LEVELS = (Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))
"""Levels of usual confidence intervals: 90, 95 and 99 per cent."""
