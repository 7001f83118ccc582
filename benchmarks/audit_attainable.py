"""Which planted errors any relation of the undamaged table contradicts: an upper bound for an audit without relations files.

The program shares no code with the rules of the audit, and it knows what they cannot know: the undamaged numbers. It lists the
relations that hold among these within rounding (`Relations`), and an error is attainable if the planted number breaks one.

A relation between the lines of a table (rows, columns, or statistics of one place) is listed if it holds in at least three
quarters of the positions where it can be checked, and if that would be chance with a probability below one in twenty,
counted over all relations of its form that were tried. An error that no relation contradicts changes a number that stands
alone: nobody can find it without another source.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]
Holds = Callable[[Floats, Floats], bool]

KEY = ["exhibit", "panel", "row", "column", "statistic"]
NUMBER = re.compile(r"-?\d[\d\s]*(?:[.,]\d+)?")
WHOLE = ("n", "n_treated", "n_control", "n_clusters", "count", "df", "df_residual")
PROBABILITIES = ("p_value", "p_value_ri", "p_value_wild", "p_value_fwer", "q_value", "r_squared")
NOT_NEGATIVE = ("std_error", "sd", "sd_treated", "sd_control", "f_stat", "chi2", "share", *WHOLE, *PROBABILITIES)
MOST_LINES = 60
CHANCE = math.log(0.05)
CONVENTIONS = ((0.1, 0.05, 0.01), (0.05, 0.01, 0.001))
FACTORS = (1.0, 100.0, 0.01, 1000.0, 0.001)


@dataclass(frozen=True)
class Relation:
    """A relation that holds in the undamaged table: its kind, the numbers that take part, and whether it holds for numbers."""

    kind: str
    cells: frozenset[int]
    holds: Holds


def read(frame: pd.DataFrame) -> tuple[Floats, Floats, list[int]]:
    """Return the values of a document, half the unit that each is rounded to, and its stars."""
    values, halves, stars = [], [], []
    for text, statistic in zip(frame["printed"].astype(str), frame["statistic"], strict=True):
        match = NUMBER.search(text.replace("−", "-"))
        digits = re.sub(r"\s", "", match[0]).replace(",", ".") if match else "nan"
        value = float(digits)
        half = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits else 0
        if statistic in WHOLE:
            half = 0.0
        elif zeros >= 2:
            half = 0.5 * 10.0**zeros
        values.append(value)
        halves.append(half)
        stars.append(text.count("*"))
    return np.array(values), np.array(halves), stars


class Relations:
    """The relations that hold in a document, and which of them a damaged version breaks."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame.reset_index(drop=True)
        self.value, self.half, self.stars = read(self.frame)
        self.statistic = [str(name) for name in self.frame["statistic"]]
        self.keys = [tuple(map(str, key)) for key in self.frame[KEY].to_numpy()]
        self.places: dict[tuple[str, ...], dict[str, int]] = {}
        self.sizes: dict[str, list[int]] = {}
        self.means: dict[tuple[str, ...], list[int]] = {}
        for at, key in enumerate(self.keys):
            self.places.setdefault(key[:4], {})[key[4]] = at
            if key[4] == "n":
                self.sizes.setdefault(key[0], []).append(at)
            if key[4] in ("mean", "share"):
                self.means.setdefault(key[:3], []).append(at)
        self.levels = self._levels()
        self.listed = [
            relation
            for kind in (self._lines, self._within_places, self._granular, self._tests, self._repeats, self._alike)
            for relation in kind()
            if relation.holds(self.value, self.half)
        ]

    def broken(self, changed: pd.DataFrame, wrong: Sequence[int]) -> set[str]:
        """Return the kinds of relations that the planted numbers break; empty if nothing contradicts them."""
        value, half, stars = read(changed)
        touched = set(wrong)
        kinds = {
            relation.kind for relation in self.listed if touched & relation.cells and not relation.holds(value, half)
        }
        for at in wrong:
            if self._impossible(at, value[at]) and not self._impossible(at, self.value[at]):
                kinds.add("impossible")
        if self._contradicts_stars(value, half, stars, touched):
            kinds.add("stars")
        if self._rows_equal(changed, touched):
            kinds.add("equal rows")
        return kinds

    # --- Relations between lines ---------------------------------------------------------------------------------

    def _tables(self) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
        """Yield each table as lines by positions (-1 where a number is missing), along each axis."""
        for _, part in self.frame.groupby("exhibit", sort=False):
            columns = part["column"].astype(str) + "|" + part["statistic"].astype(str)
            rows = part["panel"].astype(str) + "|" + part["row"].astype(str)
            of_row = rows + "|" + part["statistic"].astype(str)
            place = rows + "|" + part["column"].astype(str)
            yield "row", _grid(part, of_row, part["column"].astype(str))
            yield "column", _grid(part, columns, rows)
            yield "statistic", _grid(part, part["statistic"].astype(str), place)
            if part["panel"].nunique() > 2:
                inside = part["row"].astype(str) + "|" + columns
                yield "panel", _grid(part, part["panel"].astype(str), inside)
            for _, block in part.groupby("panel", sort=False):
                if len(block) < len(part):
                    yield "row", _grid(block, of_row[block.index], block["column"].astype(str))

    def _lines(self) -> Iterator[Relation]:
        for axis, grid in self._tables():
            if len(grid) > MOST_LINES or grid.shape[1] < 1:
                continue
            if axis != "statistic":
                yield from self._sums(grid)
                yield from self._hundreds(grid)
                yield from self._ordered(grid)
            yield from self._three(grid)
            yield from self._proportional(grid)
            yield from self._pooled(grid)

    def _of(self, grid: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        missing = grid < 0
        return np.where(missing, np.nan, self.value[grid]), np.where(missing, 0.0, self.half[grid])

    def _sums(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield lines that are the sum of a block of lines next to them, of all others, or of those that are no part of a sum."""
        left = list(range(len(grid)))
        for _ in range(3):
            value, half = self._of(grid[left])
            blocks = []
            number = len(left)
            for whole in range(number):
                for size in range(2, min(15, number - 1) + 1):
                    for start in (whole - size, whole + 1):
                        if start >= 0 and start + size <= number:
                            blocks.append((whole, list(range(start, start + size))))
                if number > 3:
                    blocks.append((whole, [line for line in range(number) if line != whole]))
            members, totals = set(), set()
            for whole, block in blocks:
                parts = value[block]
                scale = np.abs(parts).sum(axis=0) - np.abs(parts).max(axis=0)
                slack = half[whole] + half[block].sum(axis=0)
                scale = np.minimum(scale, np.abs(value[whole]))
                # That one line is the sum of all others is expected, and no choice among many blocks.
                tried = 2 if len(block) == number - 1 else len(blocks)
                if _convincing(value[whole] - parts.sum(axis=0), slack, scale, tried):
                    members |= {left[k] for k in block}
                    totals.add(left[whole])
                    for position in range(grid.shape[1]):
                        cells = [grid[left[whole], position], *(grid[left[k], position] for k in block)]
                        yield from _linear("sum", cells, [1.0, *[-1.0] * len(block)], 0.0)
            after = [line for line in left if line not in members - totals]
            if not members or len(after) == len(left) or len(after) < 3:
                return
            left = after

    def _hundreds(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield blocks of shares that add up to a hundred or to one."""
        shares = [k for k, line in enumerate(grid) if all(self.statistic[at] == "share" for at in line if at >= 0)]
        value, half = self._of(grid[shares])
        blocks = [(i, j) for i in range(len(shares)) for j in range(i + 2, len(shares) + 1)]
        for whole in (100.0, 1.0):
            for i, j in blocks:
                total, slack = value[i:j].sum(axis=0), half[i:j].sum(axis=0)
                if _convincing(
                    total - whole, slack, np.full(len(total), whole / 2), 1 if j - i == len(shares) else len(blocks)
                ):
                    for position in range(grid.shape[1]):
                        cells = [grid[shares[k], position] for k in range(i, j)]
                        yield from _linear("sum", cells, [1.0] * len(cells), whole)

    def _ordered(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield lines that rise (or fall) throughout, as nearly all lines of their table do."""
        lines = [[at for at in line if at >= 0] for line in grid]
        lines = [line for line in lines if len(line) >= 5]
        for sign in (1.0, -1.0):
            rising = [line for line in lines if (sign * np.diff(self.value[line]) >= 0).all()]
            certain = sum(-math.lgamma(len(line) + 1) for line in rising) < CHANCE
            if rising and certain and len(rising) >= 0.75 * len(lines):
                for line in rising:
                    for before, after in itertools.pairwise(line):
                        yield Relation("order", frozenset((before, after)), _rises(before, after, sign))

    def _three(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield lines that are the sum, product or ratio of two others; a difference is a sum."""
        if len(grid) < 3 or grid.shape[1] < 2:
            return
        value, half = self._of(grid)
        size = np.abs(value)
        tried = len(grid) ** 3
        varies = np.array([len(np.unique(line[~np.isnan(line)])) > 1 for line in value])
        pairs = np.array(list(itertools.combinations(range(len(grid)), 2)))
        first, second = pairs[:, 0], pairs[:, 1]
        for whole in range(len(grid)):
            slack = half[whole] + half[first] + half[second]
            scale = np.minimum(np.minimum(size[first], size[second]), size[whole])
            apart = (first != whole) & (second != whole)
            for k in _mostly(value[whole] - value[first] - value[second], slack, scale, apart):
                if _convincing(value[whole] - value[first[k]] - value[second[k]], slack[k], scale[k], tried):
                    for position in range(grid.shape[1]):
                        cells = [grid[line, position] for line in (whole, first[k], second[k])]
                        yield from _linear("difference", cells, [1.0, -1.0, -1.0], 0.0)
            apart &= varies[first] & varies[second]
            one = (size[first] == 1) | (size[second] == 1)
            for factor in FACTORS if grid.shape[1] >= 3 else ():
                product = factor * value[first] * value[second]
                loose = half[first] * size[second] + half[second] * size[first] + half[first] * half[second]
                slack, scale = half[whole] + factor * loose, np.where(one, 0.0, size[whole])
                for k in _mostly(value[whole] - product, slack, scale, apart):
                    if _convincing(value[whole] - product[k], slack[k], scale[k], tried * len(FACTORS)):
                        for position in range(grid.shape[1]):
                            cells = [int(grid[line, position]) for line in (whole, first[k], second[k])]
                            if min(cells) >= 0:
                                yield Relation("product", frozenset(cells), _multiplies(cells, factor))

    def _proportional(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield lines that are a constant multiple of another one, or of the product of two others.

        A document may have calculated with the numbers as published or with more digits: both are tried.
        """
        value, half = self._of(grid)
        number = len(grid)
        varies = [len(np.unique(line[~np.isnan(line)])) > 1 for line in value]
        pairs = list(itertools.combinations([k for k in range(number) if varies[k]], 2)) if number <= 12 else []
        for whole, of, exact in itertools.product(
            range(number), [*((k,) for k in range(number)), *pairs], (False, True)
        ):
            if whole in of:
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = value[whole] / value[list(of)].prod(axis=0)
                loose = 0.0 if exact else (half[list(of)] / np.abs(value[list(of)])).sum(axis=0)
                wide = np.abs(ratio) * (half[whole] / np.abs(value[whole]) + loose)
            known = np.flatnonzero(np.isfinite(ratio) & np.isfinite(wide) & (ratio != 0))
            if len(known) < 4:
                continue
            order = known[np.argsort(wide[known])]
            factor = float(np.median(ratio[order[: max(3, len(order) // 2)]]))
            inside = np.abs(ratio[known] - factor) <= 2 * wide[known] + 1e-12
            chances = np.sort(np.minimum(2 * wide[known][inside] / abs(factor), 1.0))[1:]
            certain = float(np.log(np.maximum(chances, 1e-12)).sum()) + (len(of) + 1) * math.log(number) < CHANCE
            # Means of two groups are similar in all rows without being in proportion.
            alike = len(of) == 1 and 0.25 < abs(factor) < 4
            if inside.sum() >= 0.75 * len(known) and certain and not alike:
                for position in known[inside]:
                    cells = [int(grid[k, position]) for k in (whole, *of)]
                    yield Relation("proportion", frozenset(cells), _is_multiple(cells, factor, exact))

    def _pooled(self, grid: npt.NDArray[np.int64]) -> Iterator[Relation]:
        """Yield lines that lie between two others wherever these differ, always at about one weight."""
        if not 3 <= len(grid) <= 30 or grid.shape[1] < 3:
            return
        value, half = self._of(grid)
        for whole in range(len(grid)):
            for a, b in itertools.combinations([k for k in range(len(grid)) if k != whole], 2):
                with np.errstate(divide="ignore", invalid="ignore"):
                    gap = value[a] - value[b]
                    weight = (value[whole] - value[b]) / gap
                    wide = (half[whole] + half[a] + 2 * half[b]) / np.abs(gap)
                known = np.flatnonzero(np.isfinite(weight) & (wide < 0.5))
                if len(known) < 4:
                    continue
                middle = float(np.median(weight[known]))
                inside = np.abs(weight[known] - middle) <= 2 * wide[known]
                chances = np.sort(np.minimum(2 * wide[known][inside], 1.0))[1:]
                certain = float(np.log(np.maximum(chances, 1e-12)).sum()) + math.log(len(grid) ** 3) < CHANCE
                if 0.02 < middle < 0.98 and certain and inside.sum() >= 0.75 * len(known):
                    for position in known[inside]:
                        cells = [int(grid[k, position]) for k in (whole, a, b)]
                        yield Relation("mean of groups", frozenset(cells), _weighs(cells, middle))

    # --- Relations within a place --------------------------------------------------------------------------------

    def _within_places(self) -> Iterator[Relation]:
        for place in self.places.values():
            yield from self._of_estimate(place)
            for suffix in ("", "_treated", "_control"):
                mean, sd = place.get(f"mean{suffix}"), place.get(f"sd{suffix}")
                if mean is not None and sd is not None and 0 < self.value[mean] < 1:
                    yield Relation("sd of yes/no", frozenset((mean, sd)), _is_binary(mean, sd))
            if "p_value" in place and "df" in place:
                for name in ("f_stat", "chi2"):
                    cells = [place[key] for key in (name, "df", "df_residual", "p_value") if key in place]
                    if name in place and (name == "chi2" or len(cells) == 4):
                        yield Relation("p", frozenset(cells), _p_of_joint(cells))

    def _of_estimate(self, place: dict[str, int]) -> Iterator[Relation]:
        """Yield the relations between an estimate, its standard error, t, p and interval."""
        b, se, t, p = (place.get(name) for name in ("estimate", "std_error", "t_stat", "p_value"))
        low, high = place.get("conf_low"), place.get("conf_high")
        if b is not None and se is not None and t is not None:
            yield Relation("t", frozenset((b, se, t)), _is_ratio(b, se, t))
        if b is not None and t is not None:
            yield Relation("sign", frozenset((b, t)), lambda value, half: value[b] * value[t] >= 0)
        if p is not None and (t is not None or (b is not None and se is not None)):
            tested = (t,) if t is not None else (b, se)
            rest = place.get("df_residual") if b is None else None
            cells = [at for at in (*tested, rest, p) if at is not None]
            yield Relation("p", frozenset(cells), _p_of_t([at for at in tested if at is not None], rest, p))
        if low is not None and high is not None:
            yield Relation("interval", frozenset((low, high)), lambda value, half: value[low] <= value[high])
        if b is not None and low is not None and high is not None:
            middle = frozenset((b, low, high))
            yield from _linear("interval", [b, low, high], [2.0, -1.0, -1.0], 0.0)
            yield Relation("interval", middle, lambda value, half: value[low] <= value[b] <= value[high])
            if se is not None:
                yield Relation("interval", frozenset((se, low, high)), _has_width(se, low, high))
            if p is not None:
                yield Relation("p", frozenset((b, low, high, p)), _p_of_interval(b, low, high, p))
        if b is not None and "mean_treated" in place and "mean_control" in place:
            means = [b, place["mean_treated"], place["mean_control"]]
            yield from _linear("difference", means, [1.0, -1.0, 1.0], 0.0)
            if low is not None and high is not None:
                yield Relation("difference", frozenset((*means, low, high)), _near_means(means, low, high))
        if b is not None and (t is not None or se is not None):
            yield from self._near_columns(b, t, se)

    def _near_columns(self, b: int, t: int | None, se: int | None) -> Iterator[Relation]:
        """Yield that an adjusted estimate is within two standard errors of the difference between its row's two means."""
        row = self.keys[b][:3]
        means = [at for at in self.means.get(row, ()) if self.keys[at][3] != self.keys[b][3]]
        if len(means) == 2:
            cells = frozenset(at for at in (b, *means, t, se) if at is not None)
            yield Relation("difference", cells, _near_difference(b, means, t, se))

    # --- Whole counts --------------------------------------------------------------------------------------------

    def _size(self, at: int) -> int | None:
        """Return the size of a number's group: of its place, else the only one of its column, else of its table."""
        exhibit, _, _, column, _ = self.keys[at]
        sizes = self.sizes.get(exhibit, [])
        own = [k for k in sizes if self.keys[k][3] == column]
        for chosen in (own, sizes):
            if chosen and len({self.value[k] for k in chosen}) == 1:
                return chosen[0]
        return None

    def _granular(self) -> Iterator[Relation]:
        """Yield shares and means that are whole numbers divided by the size, where that says something in most of a line."""
        groups: dict[tuple[str, ...], list[tuple[int, int, float]]] = {}
        for at, name in enumerate(self.statistic):
            size = self._size(at) if name in ("share", "mean") else None
            if size is None or not self.value[size] >= 2:
                continue
            exhibit, _, row, column, _ = self.keys[at]
            whole = 100.0 if name == "share" else 1.0
            groups.setdefault((exhibit, name, row if name == "mean" else column), []).append((at, size, whole))
        for members in groups.values():
            tested = [(at, size, whole, 2 * self.half[at] / whole * self.value[size]) for at, size, whole in members]
            tested = [each for each in tested if each[3] < 0.8]
            holding = [each for each in tested if _is_whole(*each[:3])(self.value, self.half)]
            chance = sum(math.log(max(each[3], 1e-9)) for each in holding)
            if len(holding) >= 0.75 * len(tested) and chance < CHANCE:
                for at, size, whole, _ in holding:
                    yield Relation("whole counts", frozenset((at, size)), _is_whole(at, size, whole))
        for place in self.places.values():
            if "count" in place and "share" in place:
                size = self._size(place["share"])
                if size is not None:
                    cells = [place["count"], place["share"], size]
                    yield Relation("per cent of n", frozenset(cells), _is_share(cells))

    # --- Tests of groups -----------------------------------------------------------------------------------------

    def _tests(self) -> Iterator[Relation]:
        """Yield t and p that a usual test of two groups gives, and p that chi-square gives, where one test fits most rows."""
        rows: dict[tuple[str, ...], list[dict[str, int]]] = {}
        for key, place in self.places.items():
            rows.setdefault(key[:3], []).append(place)
        for exhibit in dict.fromkeys(key[0] for key in rows):
            own = [places for key, places in rows.items() if key[0] == exhibit]
            for test in ("welch", "student", "proportions", "unpooled"):
                listed = [relation for places in own for relation in self._two_groups(places, test)]
                holding = [relation for relation in listed if relation.holds(self.value, self.half)]
                if len(holding) >= 3 and len(holding) >= 0.75 * len(listed):
                    yield from holding
            yield from self._categories(own)

    def _two_groups(self, places: Sequence[dict[str, int]], test: str) -> Iterator[Relation]:
        name = "mean" if test in ("welch", "student") else "share"
        groups = []
        for place in places:
            at = place.get(name)
            size = None if at is None else self._size(at)
            # A column of all, or of differences, has a name that says so.
            named = at is not None and re.match("all|total|diff|joint", self.keys[at][3])
            if at is not None and size is not None and not named and (name == "share" or "sd" in place):
                groups.append((at, place.get("sd", at), size))
        tested = [place[key] for place in places for key in ("t_stat", "p_value") if key in place]
        if len(groups) == 2:
            for at in tested:
                cells = frozenset((at, *itertools.chain(*groups)))
                yield Relation("test of groups", cells, _tests_groups(groups, at, test, self.statistic[at] == "t_stat"))

    def _categories(self, rows: Sequence[Sequence[dict[str, int]]]) -> Iterator[Relation]:
        """Yield p-values that the counts of a row and of those after it, up to the next p-value, give."""
        block: list[Sequence[dict[str, int]]] = []
        for places in [*rows, []]:
            if block and (not places or any("p_value" in place for place in places)):
                p = [place["p_value"] for place in block[0] if "p_value" in place]
                table = [[place["count"] for place in line if "count" in place] for line in block]
                table = [line for line in table if line]
                if len(p) == 1 and len(table) > 1 and len({len(line) for line in table}) == 1 and len(table[0]) > 1:
                    cells = frozenset((p[0], *itertools.chain(*table)))
                    yield Relation("test of groups", cells, _tests_counts(table, p[0]))
                block = []
            if block or any("p_value" in place for place in places):
                block.append(places)

    # --- Repeated and similar numbers ----------------------------------------------------------------------------

    def _repeats(self) -> Iterator[Relation]:
        """Yield equal numbers of the same names in two tables that mostly agree, and lines that have one number throughout."""
        named: dict[tuple[object, ...], list[int]] = {}
        for at, key in enumerate(self.keys):
            kind = "level" if key[4] in ("count", "n", "value", "mean", "share") else key[4]
            named.setdefault((frozenset(key[2:4]), kind), []).append(at)
        pairs: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for cells in named.values():
            for one, other in itertools.combinations(cells, 2):
                tables = self.keys[one][0], self.keys[other][0]
                if tables[0] != tables[1]:
                    pairs.setdefault(tables, []).append((one, other))
        for members in pairs.values():
            equal = [pair for pair in members if _is_equal(*pair)(self.value, self.half) and self.value[pair[0]]]
            if len(equal) >= 2 and len(equal) >= 0.75 * len(members):
                for pair in equal:
                    yield Relation("repeated", frozenset(pair), _is_equal(*pair))
        yield from self._repeated_lines()
        for _, grid in self._tables():
            for line in grid:
                known = [int(at) for at in line if at >= 0]
                if len(known) >= 4 and len({self.value[at] for at in known}) == 1 and self.value[known[0]]:
                    for one, other in itertools.pairwise(known):
                        yield Relation("repeated", frozenset((one, other)), _is_equal(one, other))

    def _repeated_lines(self) -> Iterator[Relation]:
        """Yield equal numbers of two lines of different tables that agree position by position, up to sign."""
        lines: dict[tuple[str, str, str], dict[str, int]] = {}
        for at, key in enumerate(self.keys):
            lines.setdefault((key[0], "row", key[2]), {})[key[3]] = at
            lines.setdefault((key[0], "column", key[3]), {})[key[2]] = at
        for (one, first), (other, second) in itertools.combinations(lines.items(), 2):
            common = [(first[name], second[name]) for name in first if name in second]
            if one[0] == other[0] or len(common) < 3:
                continue
            for sign in (1.0, -1.0):
                equal = [
                    pair for pair in common if _is_equal(*pair, sign)(self.value, self.half) and self.value[pair[0]]
                ]
                chance = sum(
                    math.log(min(max(self.half[a] + self.half[b], 0.5) / abs(self.value[a]), 1.0)) for a, b in equal
                )
                if len(equal) >= 0.75 * len(common) and chance + 2 * math.log(len(lines)) < CHANCE:
                    for pair in equal:
                        yield Relation("repeated", frozenset(pair), _is_equal(*pair, sign))

    def _alike(self) -> Iterator[Relation]:
        """Yield numbers that are within a factor of five of the others of their line, or of their ratio to a neighbouring line."""
        for axis, grid in self._tables():
            if axis == "panel" or len(grid) > 4 * MOST_LINES:
                continue
            for line in grid:
                known = [int(at) for at in line if at >= 0 and self.value[at]]
                for at in known if len({self.statistic[at] for at in known}) == 1 else ():
                    others = [other for other in known if other != at]
                    if len(others) >= 3:
                        yield Relation("magnitude", frozenset((at,)), self._in_range(at, others))
            for one, other in itertools.pairwise(grid):
                pairs = [
                    (int(a), int(b))
                    for a, b in zip(one, other, strict=True)
                    if min(a, b) >= 0 and self.value[a] * self.value[b]
                ]
                if len(pairs) >= 5 and len({self.statistic[at] for pair in pairs for at in pair}) == 1:
                    for pair in pairs:
                        yield Relation(
                            "magnitude", frozenset(pair), self._in_ratio(pair, [p for p in pairs if p != pair])
                        )

        for exhibit in dict.fromkeys(key[0] for key in self.keys):
            tested = [
                (place["estimate"], place["std_error"])
                for key, place in self.places.items()
                if key[0] == exhibit and {"estimate", "std_error"} <= set(place) and self.value[place["std_error"]] > 0
            ]
            for pair in tested if len(tested) > 4 else ():
                most = max(abs(self.value[b] / self.value[se]) for b, se in tested if (b, se) != pair)
                yield Relation("magnitude", frozenset(pair), _within_errors(*pair, 5 * max(most, 2.0)))

    def _in_range(self, at: int, others: Sequence[int]) -> Holds:
        sizes = np.abs(self.value[list(others)])
        low, high = sizes.min() / 5, sizes.max() * 5
        return lambda value, half: bool(low <= abs(value[at]) + half[at] and abs(value[at]) - half[at] <= high)

    def _in_ratio(self, pair: tuple[int, int], others: Sequence[tuple[int, int]]) -> Holds:
        ratios = [abs(self.value[a] / self.value[b]) for a, b in others]
        low, high = min(ratios) / 5, max(ratios) * 5
        a, b = pair
        return lambda value, half: bool(
            low * (abs(value[b]) - half[b]) <= abs(value[a]) + half[a]
            and abs(value[a]) - half[a] <= high * (abs(value[b]) + half[b])
        )

    # --- What needs no relation, or all numbers ------------------------------------------------------------------

    def _impossible(self, at: int, value: float) -> bool:
        name = self.statistic[at]
        above = (name in PROBABILITIES and value > 1) or (name == "share" and value > 100)
        return bool(above or (name in NOT_NEGATIVE and value < 0) or (name in WHOLE and value % 1))

    def _levels(self) -> tuple[float, ...] | None:
        """Return the levels of stars that fit nearly all tests of the document; None without stars or such levels."""
        if not any(self.stars):
            return None
        fits = {
            levels: [
                self._stars_fit(place, self.value, self.half, self.stars, levels) for place in self.places.values()
            ]
            for levels in CONVENTIONS
        }
        levels = max(CONVENTIONS, key=lambda levels: fits[levels].count(True) - fits[levels].count(False))
        return levels if fits[levels].count(True) >= 4 * max(fits[levels].count(False), 1) else None

    def _stars_fit(
        self, place: dict[str, int], value: Floats, half: Floats, stars: Sequence[int], levels: Sequence[float]
    ) -> bool | None:
        """Return whether the stars of a place follow from its p or t; None without either."""
        count = max(stars[at] for at in place.values())
        if "p_value" in place:
            low, high = (
                value[place["p_value"]] - half[place["p_value"]],
                value[place["p_value"]] + half[place["p_value"]],
            )
        elif "t_stat" in place or {"estimate", "std_error"} <= set(place):
            cells = [place["t_stat"]] if "t_stat" in place else [place["estimate"], place["std_error"]]
            low, high = _p_range(cells, None, value, half)
        else:
            return None
        above = low > levels[count - 1] if 0 < count <= len(levels) else False
        below = high < levels[count] if count < len(levels) else False
        return not (above or below)

    def _contradicts_stars(self, value: Floats, half: Floats, stars: Sequence[int], touched: set[int]) -> bool:
        if self.levels is None:
            return False
        places = [place for place in self.places.values() if touched & set(place.values())]
        return any(
            self._stars_fit(place, self.value, self.half, self.stars, self.levels) is True
            and self._stars_fit(place, value, half, stars, self.levels) is False
            for place in places
        )

    def _rows_equal(self, changed: pd.DataFrame, touched: set[int]) -> bool:
        """Return whether a row has become equal to another one in numbers with at least six digits altogether."""
        table = {self.keys[at][0] for at in touched}
        now, before = self._texts(changed, table), self._texts(self.frame, table)
        for one, other in itertools.combinations(now, 2):
            same = now[one] == now[other] and len(now[one]) >= 2
            digits = sum(character.isdigit() for text in now[one].values() for character in text.lstrip("0.,"))
            if same and digits >= 6 and before.get(one) != before.get(other):
                return True
        return False

    def _texts(self, frame: pd.DataFrame, tables: set[str]) -> dict[tuple[str, ...], dict[tuple[str, str], str]]:
        rows: dict[tuple[str, ...], dict[tuple[str, str], str]] = {}
        for key, text in zip(self.keys, frame["printed"], strict=True):
            if key[0] in tables and key[4] not in WHOLE[:3]:
                rows.setdefault(tuple(key[:3]), {})[key[3], key[4]] = str(text)
        return rows


# --- Helpers ---------------------------------------------------------------------------------------------------------


def _grid(part: pd.DataFrame, lines: pd.Series, positions: pd.Series) -> npt.NDArray[np.int64]:
    line, position = pd.factorize(lines)[0], pd.factorize(positions)[0]
    grid = np.full((line.max() + 1, position.max() + 1), -1, dtype=np.int64)
    grid[line, position] = part.index.to_numpy()
    return grid


def _mostly(miss: Floats, slack: Floats, scale: Floats, allowed: npt.NDArray[np.bool_]) -> Sequence[int]:
    """Return which of many relations hold in three quarters of their positions, before chance is ruled out."""
    checked = ~np.isnan(miss) & ~np.isnan(scale)
    holds = checked & (np.abs(miss) <= slack + 1e-9 * (1 + scale))
    enough = (holds.sum(axis=-1) >= 2) & (holds.sum(axis=-1) >= 0.75 * checked.sum(axis=-1))
    return [int(k) for k in np.flatnonzero(enough & allowed)]


def _convincing(miss: Floats, slack: Floats, scale: Floats, tried: int) -> bool:
    """Return whether a relation holds in three quarters of the positions and too often for chance."""
    checked = ~np.isnan(miss) & ~np.isnan(scale)
    holds = checked & (np.abs(miss) <= slack + 1e-9 * (1 + scale))
    if not holds.any() or holds.sum() < 0.75 * checked.sum():
        return False
    width = np.maximum(2 * slack[holds], 1.0 if (slack[holds] == 0).all() else 0.0)
    with np.errstate(divide="ignore"):
        chance = np.where(scale[holds] > 0, np.minimum(width / scale[holds], 1.0), 1.0)
    return float(np.log(np.maximum(chance, 1e-12)).sum()) + math.log(max(tried, 1)) < CHANCE


def _linear(kind: str, cells: Sequence[int], factors: Sequence[float], total: float) -> Iterator[Relation]:
    """Yield the relation that numbers times factors add up to a total, within rounding; nothing if a number is missing."""
    if min(cells) < 0:
        return
    at, factor = np.array(cells), np.array(factors)

    def holds(value: Floats, half: Floats) -> bool:
        slack = float(np.abs(factor) @ half[at])
        return bool(abs(float(factor @ value[at]) - total) <= slack + 1e-9 * (1 + abs(value[at]).max()))

    yield Relation(kind, frozenset(map(int, cells)), holds)


def _rises(before: int, after: int, sign: float) -> Holds:
    return lambda value, half: bool(sign * (value[after] - value[before]) + half[after] + half[before] >= 0)


def _multiplies(cells: Sequence[int], factor: float) -> Holds:
    whole, a, b = cells

    def holds(value: Floats, half: Floats) -> bool:
        slack = half[whole] + factor * (half[a] * abs(value[b]) + half[b] * abs(value[a]) + half[a] * half[b])
        return bool(abs(value[whole] - factor * value[a] * value[b]) <= slack + 1e-9 * abs(value[whole]))

    return holds


def _is_multiple(cells: Sequence[int], factor: float, exact: bool) -> Holds:
    whole, of = cells[0], cells[1:]

    def holds(value: Floats, half: Floats) -> bool:
        implied = factor * float(np.prod(value[of]))
        loose = 0.0 if exact or not implied else abs(implied) * float((half[of] / np.abs(value[of])).sum())
        return bool(abs(value[whole] - implied) <= 2 * (half[whole] + loose) + 1e-9 * abs(value[whole]))

    return holds


def _weighs(cells: Sequence[int], weight: float) -> Holds:
    whole, a, b = cells
    return lambda value, half: bool(
        abs(value[whole] - weight * value[a] - (1 - weight) * value[b])
        <= 2 * (half[whole] + half[a] + 2 * half[b]) + 1e-9 * abs(value[whole])
    )


def _is_equal(one: int, other: int, sign: float = 1.0) -> Holds:
    return lambda value, half: bool(abs(value[one] - sign * value[other]) <= half[one] + half[other] + 1e-9)


def _is_ratio(b: int, se: int, t: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        return bool(
            abs(value[b] - value[t] * value[se])
            <= half[b] + half[t] * abs(value[se]) + half[se] * abs(value[t]) + half[se] * half[t]
        )

    return holds


def _is_binary(mean: int, sd: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        ends = np.clip([value[mean] - half[mean], value[mean] + half[mean]], 0, 1)
        least, most = np.sqrt(ends * (1 - ends)).min(), np.sqrt(ends * (1 - ends)).max()
        most = 0.5 if ends[0] <= 0.5 <= ends[1] else most
        return bool(least - half[sd] - 1e-9 <= value[sd] <= most * 1.03 + half[sd] + 1e-9)

    return holds


def _p_range(cells: Sequence[int], df: float | None, value: Floats, half: Floats) -> tuple[float, float]:
    """Return the p-values that a t, or an estimate and its standard error, allow between the normal and a t with ten df."""
    low, high = max(abs(value[cells[0]]) - half[cells[0]], 0.0), abs(value[cells[0]]) + half[cells[0]]
    if len(cells) == 2:
        error = value[cells[1]], half[cells[1]]
        if sum(error) <= 0:
            return 0.0, 1.0
        low, high = low / sum(error), high / max(error[0] - error[1], 1e-12)
    if df is not None:
        return float(2 * stats.t.sf(high, df)), float(2 * stats.t.sf(low, df))
    return float(2 * stats.norm.sf(high)), float(2 * stats.t.sf(low, 10))


def _p_of_t(cells: Sequence[int], rest: int | None, p: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        df = None if rest is None or value[rest] < 1 else float(value[rest])
        low, high = _p_range(cells, df, value, half)
        return bool(low - half[p] - 1e-9 <= value[p] <= high + half[p] + 1e-9)

    return holds


def _p_of_joint(cells: Sequence[int]) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        test, df, p = cells[0], float(value[cells[1]]), cells[-1]
        if df < 1 or (len(cells) == 4 and value[cells[2]] < 1):
            return False
        ends = np.array([value[test] + half[test], max(value[test] - half[test], 0.0)])
        tail = stats.chi2.sf(ends, df) if len(cells) == 3 else stats.f.sf(ends, df, float(value[cells[2]]))
        return bool(tail[0] - half[p] - 1e-9 <= value[p] <= tail[1] + half[p] + 1e-9)

    return holds


def _has_width(se: int, low: int, high: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        width, slack = (value[high] - value[low]) / 2, (half[high] + half[low]) / 2
        return any(
            z * 0.995 * (value[se] - half[se]) <= width + slack and width - slack <= z * 1.1 * (value[se] + half[se])
            for z in (1.645, 1.96, 2.576)
        )

    return holds


def _p_of_interval(b: int, low: int, high: int, p: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        width, slack = (value[high] - value[low]) / 2, (half[high] + half[low]) / 2
        if width <= slack:
            return False
        least = max(abs(value[b]) - half[b], 0.0) / (width + slack) * 1.96
        most = (abs(value[b]) + half[b]) / (width - slack) * 2.23
        return bool(2 * stats.norm.sf(most) - half[p] - 1e-6 <= value[p] <= 2 * stats.t.sf(least, 10) + half[p] + 1e-6)

    return holds


def _near_means(means: Sequence[int], low: int, high: int) -> Holds:
    b, treated, control = means
    return lambda value, half: bool(
        abs(value[b] - value[treated] + value[control]) <= value[high] - value[low] + half[means].sum()
    )


def _near_difference(b: int, means: Sequence[int], t: int | None, se: int | None) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        error = abs(value[b] / value[t]) if t is not None and value[t] else value[se] if se is not None else math.nan
        slack = float(half[[b, *means]].sum())
        away = abs(abs(value[b]) - abs(value[means[0]] - value[means[1]])) - slack
        return bool(not math.isfinite(error) or away <= 2 * (error + half[b]))

    return holds


def _within_errors(b: int, se: int, most: float) -> Holds:
    return lambda value, half: bool(abs(value[b]) - half[b] <= most * (value[se] + half[se]))


def _is_whole(at: int, size: int, whole: float) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        low, high = (value[at] - half[at]) * value[size] / whole, (value[at] + half[at]) * value[size] / whole
        return math.floor(high + 1e-9) >= math.ceil(low - 1e-9)

    return holds


def _is_share(cells: Sequence[int]) -> Holds:
    count, share, size = cells
    return lambda value, half: bool(
        value[size] > 0
        and min(abs(whole * value[count] / value[size] - value[share]) for whole in (1.0, 100.0)) <= half[share] + 1e-9
    )


def _tests_groups(groups: Sequence[tuple[int, int, int]], at: int, test: str, is_t: bool) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        results = []
        for signs in itertools.product((-1, 0, 1), repeat=4):
            m = [value[group[0]] + half[group[0]] * sign for group, sign in zip(groups, signs[:2], strict=True)]
            s = [value[group[1]] + half[group[1]] * sign for group, sign in zip(groups, signs[2:], strict=True)]
            n = [value[group[2]] for group in groups]
            if min(n) < 3:
                return False
            results.append(_statistic(test, m, s, n, is_t))
        known = [result for result in results if math.isfinite(result)]
        if not known:
            return False
        low, high = min(known), max(known)
        observed = abs(value[at]) if is_t else value[at]
        return bool(low - half[at] - 1e-6 <= observed <= high + half[at] + 1e-6)

    return holds


def _statistic(test: str, m: Sequence[float], s: Sequence[float], n: Sequence[float], is_t: bool) -> float:
    """Return |t| or p of a test of two groups."""
    df = n[0] + n[1] - 2
    if test == "welch":
        parts = [sd**2 / size for sd, size in zip(s, n, strict=True)]
        variance = sum(parts)
        below = sum(part**2 / (size - 1) for part, size in zip(parts, n, strict=True))
        df = variance**2 / below if below else df
    elif test == "student":
        pooled = sum((size - 1) * sd**2 for sd, size in zip(s, n, strict=True)) / df
        variance = pooled * (1 / n[0] + 1 / n[1])
    else:
        m = [share / 100 for share in m] if max(m) > 1 else m
        every = (m[0] * n[0] + m[1] * n[1]) / (n[0] + n[1])
        shares = [every, every] if test == "proportions" else m
        variance = sum(share * (1 - share) / size for share, size in zip(shares, n, strict=True))
        df = math.inf
    if variance <= 0:
        return math.nan
    t = abs(m[0] - m[1]) / math.sqrt(variance)
    return t if is_t else float(2 * (stats.norm.sf(t) if math.isinf(df) else stats.t.sf(t, df)))


def _tests_counts(table: Sequence[Sequence[int]], p: int) -> Holds:
    def holds(value: Floats, half: Floats) -> bool:
        counts = value[np.array(table)]
        if (counts < 0).any() or (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
            return False
        return any(
            abs(float(stats.chi2_contingency(counts, correction=corrected)[1]) - value[p]) <= half[p] + 1e-9
            for corrected in (False, True)
        )

    return holds
