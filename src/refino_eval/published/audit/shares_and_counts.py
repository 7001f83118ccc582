"""Rules of shares, counts and standard deviations: possible values of a share of n people or of a binary variable's spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding, finding_about, join, name_of, number, say_both, span
from refino_eval.published.audit.inferred_layout import is_difference
from refino_eval.published.audit.inferred_relations import size_columns
from refino_eval.published.audit.significance import tail
from refino_eval.published.audit.slips import is_slip, mistyped
from refino_eval.published.intervals import COUNTS, Interval, point
from refino_eval.published.relations import Key, fill, fits, match

FEWEST = 20
"""People assumed behind a standard deviation when their number is not published."""

MEANS = ("mean", "mean_treated", "mean_control")
MANY = 8
"""Means of a table among which a single negative one is an error of sign."""
DURATIONS = ("persons", "people", "months", "weeks", "days", "hours", "years")
"""Units of numbers that are never negative, unless they are differences."""
RARELY = 0.03
"""Probability with which the standard deviation of another variable fits, where a typing error explains the only other one."""
BY_CHANCE = 0.05
"""A row is binary if its standard deviations would fit its shares by chance with less than this probability."""


def shares_and_counts(document: Document) -> Iterator[Finding]:
    """Yield the findings about shares, counts and standard deviations."""
    yield from _misgrouped(document)
    yield from _impossible(document)
    yield from _single_negatives(document)
    yield from _share_counts(document)
    yield from _binary_deviations(document)
    yield from _pooled_deviations(document)
    yield from _two_shares(document)


def whole(document: Document, cell: Cell) -> int:
    """Return what a share of everybody is published as: 100 in per cent, 1 for a fraction or a number with a % sign.

    In a file without units, a table is in per cent when any of its shares exceeds 1.5.
    """
    if cell.printed.percent:
        return 1
    if cell.unit:
        return 100 if cell.unit.startswith("percent") else 1
    others = (c for c in document.of("share") if c.key[0] == cell.key[0] and not c.printed.percent)
    return 100 if any(abs(c.printed.value) > Fraction(3, 2) for c in others) else 1


def _misgrouped(document: Document) -> Iterator[Finding]:
    """Report numbers whose digits are not in groups of three, or begin with a zero."""
    for cell in document.cells.values():
        if cell.printed.misgrouped and not document.explained("grouping", cell.key):
            whole_number = cell.printed.value % 1 == 0 and not cell.printed.percent
            right = f"{int(cell.printed.value):,}".replace(",", " ") if whole_number else ""
            yield finding_about(
                "audit.digits_misgrouped", document, cell, rule="grouping", fits=right, certainty="certain"
            )


def _impossible(document: Document) -> Iterator[Finding]:
    """Report values that a statistic cannot have."""
    for cell in document.cells.values():
        allowed = _possible(document, cell)
        if allowed is None or document.explained("impossible", cell.key):
            continue
        low, high = (None, None) if cell.statistic == "share" and _is_change(document, cell) else allowed
        if _within(cell, low, high) and not _broken(cell):
            continue
        limits = f"[{'' if low is None else low}, {'...' if high is None else high}]"
        yield finding_about(
            "audit.value_impossible",
            document,
            cell,
            rule="impossible",
            fits=limits,
            certainty="certain",
            statistic=cell.statistic,
            limits=limits,
        )


def _within(cell: Cell, low: int | None, high: int | None) -> bool:
    """Return whether a number can be between limits; a zero with a minus sign is below zero."""
    own = cell.range
    if low == 0 and own.holds(0) and cell.text.strip("( ").startswith(("-", "\N{MINUS SIGN}")):
        return False
    return (low is None or own.high >= low) and (high is None or own.low <= high)


def _is_change(document: Document, cell: Cell) -> bool:
    """Return whether shares in a column are changes: its name says so, or at least two of them are negative."""
    column = [other for other in document.of("share") if (other.key[0], other.key[3]) == (cell.key[0], cell.key[3])]
    return is_difference(cell.key[:4]) or sum(other.range.high < 0 for other in column) >= 2


def _single_negatives(document: Document) -> Iterator[Finding]:
    """Report the only negative mean of a table with many, where its column is otherwise like another column."""
    for exhibit in document.exhibits:
        means = [cell for cell in document.of(*MEANS) if cell.key[0] == exhibit]
        negative = [cell for cell in means if cell.range.high < 0]
        if len(negative) != 1 or len(means) < MANY or document.explained("sign", negative[0].key):
            continue
        cell = negative[0]
        for other in means:
            if other.key[:3] == cell.key[:3] and other is not cell and _alike(means, cell, other):
                yield finding_about(
                    "audit.only_negative", document, cell, rule="sign", certainty="possible",
                    fits=cell.text.replace("-", ""), n=len(means) - 1,
                )  # fmt: skip
                break


def _alike(means: Sequence[Cell], cell: Cell, other: Cell) -> bool:
    """Return whether the columns of two means have about the same size in this row and in most of at least three others."""
    columns = [
        {mean.key[1:3]: abs(mean.range) for mean in means if mean.key[3:] == like.key[3:]} for like in (cell, other)
    ]
    rows = {row for row in columns[0] if row in columns[1]}
    similar = {
        row
        for row in rows
        if 2 * columns[1][row].high <= 3 * columns[0][row].low and 2 * columns[0][row].high <= 3 * columns[1][row].low
    }
    return cell.key[1:3] in similar and len(rows) >= 4 and 4 * len(similar) >= 3 * len(rows)


def _possible(document: Document, cell: Cell) -> tuple[int | None, int | None] | None:
    """Return the smallest and the largest possible value of a statistic, or None where any value is possible."""
    if cell.statistic in ("p_value", "p_value_ri", "p_value_wild", "p_value_fwer", "q_value", "r_squared"):
        return 0, 1
    if cell.statistic == "share":
        return 0, whole(document, cell)
    if cell.statistic in ("std_error", "sd", "sd_treated", "sd_control", "f_stat", "chi2") or cell.statistic in COUNTS:
        return 0, None
    if cell.statistic in ("value", "mean") and cell.unit in DURATIONS and not is_difference(cell.key[:4]):
        return 0, None
    binary = any(fits(relation.of, cell.key) for relation in document.facts("binary"))
    return (0, 1) if binary and cell.statistic in ("mean", "mean_treated", "mean_control") else None


def _broken(cell: Cell) -> bool:
    """Return whether a count of people is published with a fraction."""
    return cell.statistic in ("n", "n_treated", "n_control", "count") and cell.printed.value % 1 != 0


def _share_counts(document: Document) -> Iterator[Finding]:
    """Report shares of n people that no whole count gives (GRIM)."""
    declared = list(_declared_counts(document))
    listed = {cell.key for cell, _ in declared}
    others = [cell for cell in document.of("share") if cell.key not in listed and not is_difference(cell.key[:4])]
    for cell, size in [*declared, *((cell, document.common(("n",), cell)) for cell in others)]:
        if size is None or size.printed.value < 1:
            continue
        scale = whole(document, cell) if cell.statistic == "share" else 1
        exempt = cell.qualifier or document.explained("share_counts", cell.key)
        if not exempt and not counts_within(cell.range, int(size.printed.value), scale):
            yield _not_a_count(document, cell, size, scale)


def _not_a_count(document: Document, cell: Cell, size: Cell, scale: int) -> Finding:
    n = int(size.printed.value)
    cut = bool(counts_within(cell.interval(cut=True), n, scale))
    near = sorted({math.floor(cell.printed.value * n / scale), math.ceil(cell.printed.value * n / scale)})
    values = [number(Fraction(count * scale * (100 if cell.printed.percent else 1), n), 3) for count in near]
    options = ", ".join(f"{count}/{n} = {share}" for count, share in zip(near, values, strict=True))
    text = say_both("audit.share_not_a_count", number=name_of(cell.key), published=cell.text, size=n, options=options)
    return finding(
        document,
        cell.key,
        rule="share_counts",
        fits=options,
        certainty="possible" if cut else "likely",
        explanation=join([text, *([say_both("audit.may_be_truncated")] if cut else [])], " "),
        relation=[cell.key, size.key],
    )


def _declared_counts(document: Document) -> Iterator[tuple[Cell, Cell]]:
    """Yield shares with the count that the relations declare as their denominator."""
    for relation in document.facts("counts"):
        for cell in document.cells.values():
            for pattern in relation.of:
                stars = match(pattern, cell.key)
                if stars is None or relation.is_ is None:
                    continue
                key = tuple(fill(relation.is_, stars).split("/"))
                if key in document.cells:
                    yield cell, document.cells[key]


def counts_within(share: Interval, n: int, scale: int = 1) -> range:
    """Return the whole counts whose share of `n`, times `scale`, lies in an interval.

    Parameters
    ----------
    share
        The values that the published share can be.
    n
        Number of people.
    scale
        100 for a share in per cent, 1 for a fraction.
    """
    least = max(math.ceil(share.low * n / scale), 0)
    most = min(math.floor(share.high * n / scale), n)
    return range(least, most + 1)


def deviation_range(share: Interval, n: int | None) -> Interval:
    """Return the possible variances of a binary variable, with divisor n or n - 1.

    Where n is not published, twenty people are assumed.
    """
    low, high = (min(max(end, Fraction(0)), Fraction(1)) for end in (share.low, share.high))
    ends = [p * (1 - p) for p in (low, high)]
    top = Fraction(1, 4) if low <= Fraction(1, 2) <= high else max(ends)
    people = FEWEST if n is None or n < 2 else n
    return Interval(min(ends), top * Fraction(people, people - 1))


@dataclass(frozen=True)
class Spread:
    """A mean with its standard deviation, read as those of a binary variable of which everybody is `whole`."""

    mean: Cell
    sd: Cell
    whole: int
    chance: float
    """How probable it is that the two fit by chance; 1 if they do not fit."""

    @property
    def share(self) -> Interval:
        """The share that the mean is."""
        return self.mean.range.times(Fraction(1, self.whole))


def _binary_deviations(document: Document) -> Iterator[Finding]:
    """Report standard deviations of binary variables that do not follow from the share (DEBIT)."""
    for rows in _spreads(document).values():
        chances = [spread.chance for row in rows for spread in row]
        often = sum(chance < 1 for chance in chances) >= max(4, 0.6 * len(chances))
        for row in rows:
            declared = any(fits(relation.of, row[0].mean.key) for relation in document.facts("binary"))
            binary = declared or _is_binary(row, often) or _is_binary_but_for_a_slip(document, row)
            failing = [spread for spread in row if spread.chance == 1] if binary else []
            for spread in failing:
                if not document.explained("binary_sd", spread.sd.key):
                    yield _wrong_deviation(document, spread, declared)


def _spreads(document: Document) -> Mapping[str, Sequence[Sequence[Spread]]]:
    """Return the means with standard deviations by exhibit and row; in per cent where these fit better than fractions."""
    tables: dict[str, dict[Key, list[tuple[Cell, Cell]]]] = {}
    for place in document.places.values():
        for suffix in ("", "_treated", "_control"):
            mean, sd = place.get(f"mean{suffix}"), place.get(f"sd{suffix}")
            if mean is not None and sd is not None and sd.range.high > 0:
                row = (*mean.key[1:3], mean.key[3] if suffix else "")
                tables.setdefault(mean.key[0], {}).setdefault(row, []).append((mean, sd))
    return {
        exhibit: [
            min(
                ([_spread(document, mean, sd, whole) for mean, sd in row] for whole in _wholes(row)),
                key=lambda spreads: math.prod(spread.chance for spread in spreads),
            )
            for row in rows.values()
        ]
        for exhibit, rows in tables.items()
    }


def _wholes(row: Sequence[tuple[Cell, Cell]]) -> tuple[int, ...]:
    """Return what everybody may be in a row of shares: 1, or also 100 if a share cannot be a fraction."""
    return (1, 100) if any(mean.range.low > 1 for mean, _ in row) else (1,)


def _is_binary(row: Sequence[Spread], often: bool) -> bool:
    """Return whether the numbers of a row show that its variable is binary.

    A standard deviation that fits the share to its last digit would be chance in few rows, and at least twice as many columns
    of the row fit as do not. Where a table's rows fit that often, one fitting column of a row with two is enough.
    """
    own = [spread.chance for spread in row if spread.chance < 1]
    failing = len(row) - len(own)
    return bool(own) and math.prod(own) < BY_CHANCE and (len(own) >= 2 * failing or (often and len(own) >= failing))


def _is_binary_but_for_a_slip(document: Document, row: Sequence[Spread]) -> bool:
    """Return whether one standard deviation of a row fits its share closely, and a typing error makes the only other one."""
    fitting = [spread for spread in row if spread.chance < RARELY]
    failing = [spread for spread in row if spread.chance == 1]
    if len(row) != 2 or len(fitting) != 1 or len(failing) != 1:
        return False
    sd, share = failing[0].sd, failing[0].share
    if share.low < 0 or share.high > 1:
        return False
    wanted, unit = _root_range(share, _people(document, failing[0].mean), failing[0].whole), Fraction(sd.printed.unit)
    half = Fraction(1, 2)
    first, last = math.ceil(wanted.low / unit - half), math.floor(wanted.high / unit + half)
    texts = [f"{Decimal(k) * sd.printed.unit:f}" for k in range(first, min(last, first + FEWEST) + 1)]
    # What was typed wrongly had been rounded like the standard deviation that fits.
    rounding = Fraction(fitting[0].sd.printed.unit) / 2
    rounded = Interval(wanted.low - rounding, wanted.high + rounding)
    return is_slip(sd, rounded) or any(mistyped(f"{sd.printed.value:f}", text) for text in texts)


def _spread(document: Document, mean: Cell, sd: Cell, whole: int) -> Spread:
    """Return a mean and its standard deviation, with the probability that they fit by chance."""
    share = Spread(mean, sd, whole, 1.0)
    if share.share.high < 0 or share.share.low > 1:
        return share
    allowed = deviation_range(share.share, _people(document, mean))
    own = sd.range.times(Fraction(1, whole))
    if not allowed.meets(own.squared()):
        return share
    width = float(_root(allowed.high) - _root(allowed.low) + own.high - own.low)
    return Spread(mean, sd, whole, min(2 * width, 0.99))


def _people(document: Document, cell: Cell) -> int | None:
    size = document.common(("n",), cell)
    return None if size is None else int(size.printed.value)


def _wrong_deviation(document: Document, spread: Spread, declared: bool) -> Finding:
    mean, sd, whole = spread.mean, spread.sd, spread.whole
    if spread.share.high < 0 or spread.share.low > 1:
        return finding_about(
            "audit.value_impossible", document, mean, rule="binary_sd", fits=f"[0, {whole}]", certainty="likely",
            cells=[sd.key], statistic="mean", limits=f"[0, {whole}]",
        )  # fmt: skip
    people = _people(document, mean)
    ends = _root_range(spread.share, people, whole)
    cut = [cell.interval(cut=True).times(Fraction(1, whole)) for cell in (mean, sd)]
    fair = deviation_range(cut[0], people).meets(cut[1].squared())
    return finding_about(
        "audit.deviation_not_binary",
        document,
        sd,
        rule="binary_sd",
        fits=span(ends, sd.printed),
        certainty="possible" if fair else "certain" if declared else "likely",
        cells=[mean.key],
        share=mean.text,
    )


def _root_range(share: Interval, people: int | None, whole: int) -> Interval:
    """Return the standard deviations that a binary variable can have, in the unit of its mean."""
    square = deviation_range(share, people)
    return Interval(_root(square.low) * whole, _root(square.high) * whole)


def _root(value: Fraction) -> Fraction:
    """Return a square root to twelve decimals."""
    return Fraction(math.isqrt(int(value * 10**24)), 10**12)


def _pooled_deviations(document: Document) -> Iterator[Finding]:
    """Report overall standard deviations that the means and standard deviations of the groups rule out."""
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        for total, groups in size_columns(cells):
            for cell in cells:
                if cell.statistic == "sd" and cell.key[3] == total.key[3]:
                    yield from _pooled_deviation(document, cell, total, groups)


def _pooled_deviation(document: Document, sd: Cell, total: Cell, groups: Sequence[Cell]) -> Iterator[Finding]:
    def at(column: str, statistic: str) -> Key:
        return (*sd.key[:3], column, statistic)

    needed = [at(group.key[3], statistic) for group in groups for statistic in ("mean", "sd")]
    if not all(key in document.cells for key in needed) or document.explained("means", sd.key):
        return
    size = Fraction(total.printed.value)
    n = [Fraction(group.printed.value) for group in groups]
    means = [document.read(at(group.key[3], "mean")) for group in groups]
    spread = point(0)
    for weight, group in zip(n, groups, strict=True):
        spread += document.read(at(group.key[3], "sd")).squared().times(weight / size)
    # Between groups: the sum over pairs of w_i w_j (m_i - m_j)^2, which needs no mean of all.
    for i in range(len(groups)):
        for j in range(i):
            spread += (means[i] - means[j]).squared().times(n[i] * n[j] / size**2)
    # Divisors n or n - 1, by group and for all, move a variance by less than one part in the smallest group.
    slack = 1 / min(n)
    allowed = Interval(spread.low * (1 - slack), spread.high * (1 + slack))
    if allowed.meets(sd.range.squared()):
        return
    yield finding_about(
        "audit.deviation_not_pooled",
        document,
        sd,
        rule="means",
        fits=span(Interval(_root(allowed.low), _root(allowed.high)), sd.printed),
        certainty="possible" if allowed.meets(sd.interval(cut=True).squared()) else "likely",
        relation=[sd.key, *needed],
    )


def _two_shares(document: Document) -> Iterator[Finding]:
    """Report p-values of a difference between two shares that are far from what the shares give.

    The test used is not published (chi-square, exact, regression with fixed effects), so only z-values more than one
    standard error apart count.
    """
    for cell in document.of("p_value"):
        if not 0 < cell.printed.value <= 1 or document.explained("two_shares", cell.key):
            continue
        pair, sizes = _shares_with_sizes(document, cell)
        if not len(pair) == len(sizes) == 2 or _of_a_block(document, cell):
            continue
        z = _z([c.printed.value / whole(document, c) for c in pair], [int(size.printed.value) for size in sizes])
        if z is not None and not _near_p(z, cell):
            yield finding_about(
                "audit.p_value_of_shares",
                document,
                cell,
                rule="two_shares",
                fits=number(tail(z, None), cell.printed.decimals),
                certainty="likely",
                relation=[other.key for other in (cell, *pair, *sizes)],
                first=pair[0].text,
                second=pair[1].text,
            )


def _shares_with_sizes(document: Document, cell: Cell) -> tuple[list[Cell], list[Cell]]:
    """Return the shares of a number's row that are no differences, and the sizes of their groups where published."""
    shares = [c for c in document.of("share") if c.key[:3] == cell.key[:3] and not is_difference(c.key[:4])]
    return shares, [size for share in shares if (size := document.common(("n",), share)) is not None]


def _near_p(z: Fraction, p: Cell) -> bool:
    """Return whether |z| is within one standard error of what a p-value stands for."""
    from scipy.special import ndtri

    ends = min(float(p.range.high), 1.0), max(float(p.range.low), 1e-9)
    low, high = (Fraction(float(-ndtri(end / 2))) for end in ends)
    # `<0.001` and 0.000 can be any p-value near zero: no z is too large for them.
    return low - 1 <= z and (z <= high + 1 or p.range.low <= 0)


def _of_a_block(document: Document, cell: Cell) -> bool:
    """Return whether the next row has shares and no p-value: then the p-value may be that of a variable of several rows."""
    rows = list(dict.fromkeys(place[2] for place in document.places if place[:2] == cell.key[:2]))
    after = rows[rows.index(cell.key[2]) + 1 :][:1]
    places = [numbers for place, numbers in document.places.items() if place[:2] == cell.key[:2] and place[2] in after]
    return any("share" in place for place in places) and not any("p_value" in place for place in places)


def _z(values: Sequence[object], sizes: Sequence[int]) -> Fraction | None:
    """Return |z| of the pooled test of two shares, or None where the shares have no variance."""
    p = [Fraction(str(value)) for value in values]
    pooled = (p[0] * sizes[0] + p[1] * sizes[1]) / (sizes[0] + sizes[1])
    variance = pooled * (1 - pooled) * (Fraction(1, sizes[0]) + Fraction(1, sizes[1]))
    return abs(p[0] - p[1]) / _root(variance) if variance > 0 else None
