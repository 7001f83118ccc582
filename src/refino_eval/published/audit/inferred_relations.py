"""Relations that are inferred from a table.

A table often shows its own arithmetic: a column that is the difference of two others, a column for all, a block of shares
that adds up to a hundred. Such a relation is inferred when it holds, not trivially, in most cells where it can be checked;
the cells where it fails are then suspect. A relation that fails as often as it holds says nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

from refino_eval.config.base import Label
from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings_text import say_both
from refino_eval.published.audit.inferred_layout import (
    keys_of,
    named_totals_alone,
    products_of_columns,
    sums_of_neighbours,
)
from refino_eval.published.intervals import COUNTS
from refino_eval.published.relations import Check, Key, Relation, checks

MOST_SERIES = 8
"""Columns of one exhibit among which differences are looked for."""

LEVELS = ("mean", "share", "estimate", "difference", "count", "n", "value")
"""Statistics that may be differences of one another."""


def inferred_checks(document: Document) -> Iterator[Check]:
    """Yield the checks of all relations that the document's tables suggest."""
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        yield from _totals(document, cells)
        yield from _differences(document, cells)
        yield from _hundreds(document, cells)
        yield from _columns_for_all(document, cells)
        for candidates, reason in ((sums_of_neighbours(cells), "neighbours"), (products_of_columns(cells), "product")):
            for group in candidates:
                for candidate in group:
                    target, of = keys_of(candidate)
                    yield from _checks_of(
                        document, _relation(candidate.kind, reason, target, of, factor=candidate.factor)
                    )
    yield from _repeats(document)


def mostly(results: Sequence[Check], *, least: int, ratio: int) -> bool:
    """Return whether at least `least` checks hold informatively, and `ratio` times as many as fail."""
    holding = sum(1 for check in results if check.holds and informative(check))
    failing = sum(1 for check in results if not check.holds)
    return holding >= least and holding >= ratio * failing


def informative(check: Check) -> bool:
    """Return whether a check that holds is no coincidence: the number is large compared with its rounding interval."""
    width = check.implied.high - check.implied.low + check.printed.high - check.printed.low
    return abs(check.printed.middle) > 2 * width


def _checks_of(document: Document, relation: Relation) -> list[Check]:
    involved = {name for name in (relation.is_, *relation.of, *relation.weights) if name}
    keys = tuple(key for key in (tuple(name.split("/")) for name in involved) if key in document.cells)
    return list(checks(relation, keys, document.read)) if len(keys) == len(involved) else []


@cache
def _why(reason: str) -> Label:
    return say_both(f"audit.inferred_{reason}")


def _relation(
    kind: str, reason: str, target: Key, of: Sequence[Key], weights: Sequence[Key] = (), factor: str = "1"
) -> Relation:
    entry: dict[str, object] = {"kind": kind, "why": _why(reason), "is": "/".join(target), "factor": factor}
    entry |= {"of": ["/".join(key) for key in of]}
    return Relation.model_validate({**entry, "weights": ["/".join(key) for key in weights]})


def _series(cells: Sequence[Cell]) -> dict[tuple[str, str], dict[tuple[str, str], Cell]]:
    """Return column and statistic -> panel and row -> number."""
    results: dict[tuple[str, str], dict[tuple[str, str], Cell]] = {}
    for cell in cells:
        if cell.statistic in LEVELS and "/" not in "".join(cell.key):
            results.setdefault((cell.key[3], cell.statistic), {})[cell.key[1], cell.key[2]] = cell
    return results


def _differences(document: Document, cells: Sequence[Cell]) -> Iterator[Check]:
    """Yield checks of columns of which one is the difference of two others, in either direction."""
    series = _series(cells)
    if len(series) > MOST_SERIES:
        return
    order = list(series)
    for whole in order:
        for part, last in itertools.combinations([name for name in order if name != whole], 2):
            rows = [row for row in series[last] if row in series[whole] and row in series[part]]
            results = [
                check
                for row in rows
                for check in _checks_of(
                    document,
                    _relation(
                        "difference",
                        "difference",
                        series[last][row].key,
                        [series[whole][row].key, series[part][row].key],
                    ),
                )
            ]
            if mostly(results, least=3, ratio=3):
                yield from results


def _totals(document: Document, cells: Sequence[Cell]) -> Iterator[Check]:
    """Yield checks that counts in a row or column called all or total are sums of the others."""
    counts = [cell for cell in cells if cell.statistic in COUNTS and cell.statistic != "df"]
    for axis in (2, 3):
        results = []
        for total in counts:
            if total.key[axis] not in EVERYBODY:
                continue
            rest = (total.key[:axis], total.key[axis + 1 :])
            parts = [
                cell.key
                for cell in counts
                if (cell.key[:axis], cell.key[axis + 1 :]) == rest and cell.key[axis] not in EVERYBODY
            ]
            if len(parts) >= 2:
                results += _checks_of(document, _relation("sum", "total", total.key, parts))
        if mostly(results, least=2, ratio=1):
            yield from results
        else:
            yield from named_totals_alone(document, results)


def _hundreds(document: Document, cells: Sequence[Cell]) -> Iterator[Check]:
    """Yield checks that the shares of one panel add up to a hundred in all columns when they do in most."""
    blocks: dict[str, dict[str, list[Cell]]] = {}
    for cell in cells:
        if cell.statistic == "share" and cell.key[2] not in EVERYBODY:
            blocks.setdefault(cell.key[1], {}).setdefault(cell.key[3], []).append(cell)
    for columns in blocks.values():
        results = [check for members in columns.values() for check in _hundred(document, members)]
        near = [check for check in results if abs(check.implied.middle / check.printed.middle - 1) < Fraction(1, 5)]
        if len(near) == len(results) and mostly(results, least=1, ratio=1) and len(results) >= 2:
            yield from results


def _hundred(document: Document, members: Sequence[Cell]) -> Iterator[Check]:
    """Yield the check that the shares of one panel and column add up to a hundred (or one, with a % sign)."""
    keys = tuple(cell.key for cell in members)
    if len(keys) >= 2 and not any("/" in "".join(key) for key in keys):
        exhibit, panel, _, column, statistic = keys[0]
        total = 1 if all(cell.printed.percent for cell in members) else 100
        of = [f"{exhibit}/{panel}/+/{column}/{statistic}"]
        relation = Relation.model_validate({"kind": "shares", "why": _why("hundred"), "of": of, "total": total})
        yield from checks(relation, keys, document.read)


def _columns_for_all(document: Document, cells: Sequence[Cell]) -> Iterator[Check]:
    """Yield checks that a column whose size is the sum of the others' sizes contains their weighted means."""
    for total, groups in size_columns(cells):
        rows = {(cell.key[1], cell.key[2], cell.statistic): cell for cell in cells if cell.key[3] == total.key[3]}
        results = []
        for (panel, row, statistic), cell in rows.items():
            if statistic not in ("mean", "share"):
                continue
            keys = [(cell.key[0], panel, row, group.key[3], statistic) for group in groups]
            if all(key in document.cells for key in keys):
                results += _checks_of(
                    document, _relation("weighted_mean", "pooled", cell.key, keys, [g.key for g in groups])
                )
        if mostly(results, least=2, ratio=2):
            yield from results


def size_columns(cells: Sequence[Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Yield the size of a column with the sizes of the columns that add up to it."""
    sizes = [cell for cell in cells if cell.statistic == "n"]
    by_row: dict[tuple[str, str], list[Cell]] = {}
    for cell in sizes:
        by_row.setdefault((cell.key[1], cell.key[2]), []).append(cell)
    for row in by_row.values():
        for total in row:
            others = [cell for cell in row if cell is not total]
            if len(others) >= 2 and sum(cell.printed.value for cell in others) == total.printed.value:
                yield total, others


def _repeats(document: Document) -> Iterator[Check]:
    """Yield checks of keys that two exhibits share, where nearly all of their numbers are equal."""
    tables: dict[str, dict[tuple[str, ...], Cell]] = {}
    for cell in document.cells.values():
        if "/" not in "".join(cell.key):
            tables.setdefault(cell.key[0], {})[cell.key[1:]] = cell
    for first, second in itertools.combinations(tables, 2):
        shared = [rest for rest in tables[second] if rest in tables[first] and rest[3] not in COUNTS]
        if len(shared) < 5:
            continue
        results = [
            check
            for rest in shared
            for check in _checks_of(
                document, _relation("same", "repeat", tables[second][rest].key, [tables[first][rest].key])
            )
        ]
        if mostly(results, least=5, ratio=4):
            yield from results
