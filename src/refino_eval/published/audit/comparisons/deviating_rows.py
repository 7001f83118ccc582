"""Standard errors and effects that deviate from what the other numbers of their row suggest, where those of other rows do not.

A table seldom states how its standard errors were computed, and covariates, weights and clusters change them. Yet they
change them about as much in each row. So in each row two things are predicted without them, and compared with what was published:

- the standard error, from the standard deviations of the groups, the variances of shares, or else the size of the means;
- the estimate, as the difference of the groups' means, with a deviation measured in standard errors.

A row is reported if it deviates several times as much as nearly all other rows of its table, and by a factor, or by a number of
standard errors, that adjustments do not make.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number
from refino_eval.published.audit.inferred_layout import is_difference
from refino_eval.published.audit.shares_and_counts import whole
from refino_eval.published.audit.significance import critical, t_range
from refino_eval.published.intervals import Interval, added, point

FEWEST = 5
"""Other rows that a row is compared with."""

TIMES = 4.0
"""How many times as much as nearly all other rows a row must deviate."""

FEW = 7
"""One row in so many may be exceptional: two numbers that were exchanged are wrong in two rows."""

FACTORS = {"sd": math.log(1.5), "share": math.log(1.5), "mean": math.log(5)}
"""Log factor from which a standard error is far from what is predicted, by what predicts it."""

ERRORS = 1.0
"""Number of standard errors from which an estimate is far from the difference of the means."""

IMPRECISE = 1.5
"""A standard error is known if the largest possible one is at most this many times the smallest."""

BEYOND = 3.0
"""Factor by which the means of a row may be outside the range of the others' for its standard error to be predicted from them."""

Ends = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """An estimate with its standard error, and the means of the two groups that it compares, or of one."""

    place: Mapping[str, Cell]
    estimate: Cell
    means: tuple[Cell, ...]
    deviations: tuple[Cell, Cell] | None
    error: Interval
    in_percent: bool

    @property
    def numbers(self) -> list[Cell]:
        """All numbers from which the standard error and its prediction follow."""
        own = [
            self.place[name]
            for name in ("std_error", "conf_low", "conf_high", "t_stat", "p_value")
            if name in self.place
        ]
        return [*own, self.estimate, *(self.deviations or self.means)]


def deviating_rows(document: Document) -> Iterator[Finding]:
    """Yield standard errors and estimates that deviate where those of nearly all other rows do not."""
    for exhibit in document.exhibits:
        rows = list(_comparisons(document, exhibit))
        groups: dict[tuple[str, ...], list[Comparison]] = {}
        for row in rows:
            # Where one column compares two others, each column is a series; else each cell is a comparison by itself.
            within = "mean_treated" in row.place or "mean_control" in row.place
            column = ("",) if within else (row.estimate.key[3], *(mean.key[3] for mean in row.means))
            groups.setdefault((*column, row.means[0].statistic), []).append(row)
        for group in (*groups.values(), *_with_one_mean(document, exhibit, {row.estimate for row in rows})):
            far = _far_errors(group)
            for row, others in far:
                yield from _far_error(document, row, others)
            # A wrong standard error makes the estimate seem far from the means.
            yield from _far_estimates(document, [row for row in group if row not in [other for other, _ in far]])


def _with_one_mean(document: Document, exhibit: str, known: Container[Cell]) -> Iterator[list[Comparison]]:
    """Yield the rows, or columns, of estimates of different outcomes, of which the table has one mean each."""
    lines: dict[tuple[object, ...], list[Comparison]] = {}
    for cell in document.of("estimate"):
        if cell.key[0] != exhibit or cell in known:
            continue
        place = document.places[cell.place]
        mean, error = document.common(("mean_control", "mean"), cell), error_of(place, cell)
        if mean is not None and error is not None and mean.printed.value:
            for axis in (2, 3):
                line = lines.setdefault((axis, cell.key[1], cell.key[axis]), [])
                line.append(Comparison(place, cell, (mean,), None, error, in_percent=False))
    for line in lines.values():
        if len({row.means[0] for row in line}) == len(line):
            yield line


def _comparisons(document: Document, exhibit: str) -> Iterator[Comparison]:
    """Yield the estimates of a table for which the means of two groups and a standard error are published."""
    lines: dict[tuple[str, ...], list[Mapping[str, Cell]]] = {}
    for key, place in document.places.items():
        if key[0] == exhibit:
            lines.setdefault(key[:3], []).append(place)
    for places in lines.values():
        for place in places:
            estimate = place.get("estimate") or place.get("difference")
            error = None if estimate is None else error_of(place, estimate)
            groups = _groups(place, places)
            if estimate is not None and error is not None and groups is not None:
                yield Comparison(place, estimate, *groups, error, whole(document, groups[0][0]) == 100)


def _groups(
    place: Mapping[str, Cell], places: Sequence[Mapping[str, Cell]]
) -> tuple[tuple[Cell, Cell], tuple[Cell, Cell] | None] | None:
    """Return the means and, where published, the standard deviations of the two groups that an estimate compares."""
    if "mean_treated" in place and "mean_control" in place:
        sds = [place[name] for name in ("sd_treated", "sd_control") if name in place]
        means = place["mean_treated"], place["mean_control"]
        return means, (sds[0], sds[1]) if len(sds) == 2 else None
    for statistic in ("mean", "share"):
        inside = [other for other in places if other is not place and _of_one_group(other.get(statistic))]
        if len(inside) == 2:
            one, other = inside
            both = "sd" in one and "sd" in other and statistic == "mean"
            return (one[statistic], other[statistic]), (one["sd"], other["sd"]) if both else None
    return None


def _of_one_group(cell: Cell | None) -> bool:
    """Return whether a number is that of a group, and not of everybody or a difference."""
    return cell is not None and cell.key[3] not in EVERYBODY and not is_difference(cell.key[:4])


def error_of(place: Mapping[str, Cell], estimate: Cell) -> Interval | None:
    """Return the standard error that a cell's numbers allow, or None where they leave it too uncertain."""
    from scipy.special import ndtri

    size = abs(estimate.range)
    if "std_error" in place:
        error = place["std_error"].range
    elif "conf_low" in place and "conf_high" in place:
        # At 95 per cent; another level changes all rows by the same factor.
        width = (place["conf_high"].range - place["conf_low"].range).times(Fraction(1, 2))
        error = width.times(1 / critical(Fraction(1, 20), None))
    elif "t_stat" in place and (t := t_range(place)) is not None and t.low > 0 and t.high:
        error = Interval(size.low / t.high, size.high / t.low)
    elif "p_value" in place and not place["p_value"].qualifier and place["p_value"].range.low > 0:
        high, low = (
            float(ndtri(1 - min(float(end), 1.0) / 2))
            for end in (place["p_value"].range.low, place["p_value"].range.high)
        )
        if low <= 0:
            return None
        error = Interval(size.low / Fraction(high), size.high / Fraction(low))
    else:
        return None
    return error if error.low > 0 and error.high <= IMPRECISE * error.low else None


def outlying(ends: Sequence[Ends], floor: float) -> list[int]:
    """Return which of some ranges are far from the others' median, compared with how far nearly all others are.

    Parameters
    ----------
    ends
        The lowest and the highest value that each number can be.
    floor
        Smallest distance that counts.
    """
    low, high = np.array(ends, dtype=float).reshape(-1, 2).T
    middle = (low + high) / 2
    result = []
    for k in range(len(middle)):
        others = np.delete(middle, k)
        centre = float(np.median(others))
        usual = np.sort(np.abs(others - centre))[: len(others) - len(others) // FEW]
        if max(low[k] - centre, centre - high[k]) > max(floor, TIMES * float(usual.max())):
            result.append(k)
    return result


def _far_errors(rows: Sequence[Comparison]) -> list[tuple[Comparison, list[float]]]:
    """Return the rows whose standard errors are far from their predictions, with the others' as multiples of what fits."""
    for source, floor in FACTORS.items():
        known = [(row, spread) for row in rows if (spread := _spread(row, source)) is not None]
        if source == "mean":
            known = _alike(known)
        if len(known) > FEWEST:
            ends = _best_power(known, (0.0, 0.5, 1.0) if source == "mean" else (1.0,))
            far = outlying(ends, floor)
            middle = [sum(of) / 2 for of in ends]
            # Several rows that are far from the others are of another kind.
            few = len(far) <= max(1, len(known) // FEW)
            return [
                (known[k][0], [math.exp(other - middle[k]) for j, other in enumerate(middle) if j != k])
                for k in (far if few else ())
            ]
    return []


def _alike(known: Sequence[tuple[Comparison, Ends]]) -> list[tuple[Comparison, Ends]]:
    """Return the rows in the unit of most rows and with means of about the others' size."""
    units = [row.means[0].unit for row, _ in known]
    usual = max(units, key=units.count, default="")
    rows = sorted(((row, spread) for row, spread in known if row.means[0].unit == usual), key=lambda one: one[1])
    while len(rows) > FEWEST and rows[-1][1][0] > BEYOND * rows[-2][1][1]:
        rows.pop()
    while len(rows) > FEWEST and BEYOND * rows[0][1][1] < rows[1][1][0]:
        rows.pop(0)
    return rows


def _spread(row: Comparison, source: str) -> Ends | None:
    """Return about how much an outcome varies, up to a factor that all rows have in common; None where it is unknown."""
    if source == "sd":
        ends = _root_of_squares(row.deviations or ())
    elif source == "share":
        ends = _of_shares(row) if row.means[0].statistic == "share" else (0.0, 0.0)
    else:
        size = added(abs(cell.range) for cell in row.means)
        ends = float(size.low), float(size.high)
    return ends if ends[0] > 0 else None


def _root_of_squares(deviations: Sequence[Cell]) -> Ends:
    """Return the root of the sum of squared standard deviations; zero without any."""
    squares = added(cell.range.squared() for cell in deviations) if deviations else point(0)
    return math.sqrt(squares.low), math.sqrt(squares.high)


def _of_shares(row: Comparison) -> Ends:
    """Return the root of the variances that the shares of the groups give."""
    scale = 1 if row.means[0].printed.percent or not row.in_percent else 100
    shares = [float(abs(cell.range).middle) / scale for cell in row.means]
    root = math.sqrt(sum(share * (1 - share) for share in shares if share < 1))
    return root, root


def _best_power(known: Sequence[tuple[Comparison, Ends]], powers: Sequence[float]) -> list[Ends]:
    """Return log standard errors minus the power of the log means that leaves the least variation."""
    options = [
        [
            (
                math.log(row.error.low) - power * math.log(spread[1]),
                math.log(row.error.high) - power * math.log(spread[0]),
            )
            for row, spread in known
        ]
        for power in powers
    ]
    return min(options, key=_variation)


def _variation(ends: Sequence[Ends]) -> float:
    middle = np.array(ends).mean(axis=1)
    return float(np.median(np.abs(middle - np.median(middle))))


def _far_error(document: Document, row: Comparison, others: Sequence[float]) -> Iterator[Finding]:
    numbers = row.numbers
    if not document.explained("magnitude", numbers[0].key):
        fits = [row.error.middle * Fraction(end) for end in (min(others), max(others))]
        decimals = numbers[0].printed.decimals + 1
        yield finding_about(
            "audit.error_far_from_prediction", document, numbers[0], rule="magnitude", certainty="possible",
            suspects=[cell.key for cell in numbers], rows=len(others), error=number(row.error.middle, decimals),
            range=f"[{number(fits[0], decimals)}, {number(fits[1], decimals)}]",
        )  # fmt: skip


def _far_estimates(document: Document, rows: Sequence[Comparison]) -> Iterator[Finding]:
    if len(rows) <= FEWEST or len(rows[0].means) < 2:
        return
    scale = 100 if rows[0].means[0].statistic == "share" and rows[0].in_percent else 1
    options = [
        [_gap(row, sign, factor) for row in rows]
        for sign in (1, -1)
        for factor in dict.fromkeys((Fraction(1), Fraction(1, scale)))
    ]
    gaps = min(options, key=lambda option: float(np.median([max(abs(low), abs(high)) for low, high in option])))
    far = outlying(gaps, ERRORS)
    if len(far) > max(1, len(rows) // FEW):
        return
    for k in far:
        row = rows[k]
        at = row.estimate
        if not document.explained("differences", at.key):
            yield finding_about(
                "audit.estimate_far_from_means", document, at, rule="differences", certainty="possible",
                suspects=[cell.key for cell in (at, *row.means)], treated=row.means[0].text,
                control=row.means[1].text,
            )  # fmt: skip


def _gap(row: Comparison, sign: int, factor: Fraction) -> Ends:
    """Return how far an estimate is from the difference of the means, in standard errors."""
    difference = (row.means[0].range - row.means[1].range).times(sign * factor)
    gap = row.estimate.range - difference
    return float(gap.low / row.error.high), float(gap.high / row.error.high)
