"""Relations that are inferred from a table.

A table often shows its own arithmetic: a column that is the difference of two others, a column for all, a block of shares
that adds up to a hundred. Such a relation is inferred when it holds, not trivially, in most cells where it can be checked;
the cells where it fails are then suspect. A relation that fails as often as it holds says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, lru_cache

from refino_eval.config.base import Label
from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings_text import say_both
from refino_eval.published.audit.inferred_layout import (
    Candidate,
    differences_of_lines,
    products_of_lines,
    sums_of_neighbours,
)
from refino_eval.published.audit.inferred_shares import hundreds, proportional_products, proportions
from refino_eval.published.audit.repeated_quantities import repeated_quantities
from refino_eval.published.intervals import COUNTS, Interval
from refino_eval.published.relations import Check, Key, Relation, checks


def inferred_checks(document: Document) -> Iterator[Check]:
    """Yield the checks of all relations that the document's tables suggest."""
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        yield from _totals(document, cells)
        yield from _columns_for_all(document, cells)
        results = [
            check
            for reason, candidate in _candidates(tuple(cells))
            for check in _checks_of(document, _stated(candidate, reason))
            if not _by_last_digit(document, check)
        ]
        yield from _additive(results)
    yield from _repeats(document)


def _by_last_digit(document: Document, check: Check) -> bool:
    """Return whether numbers taken as published miss by one unit of the last digit, as numbers with more digits may."""
    unit = Fraction(document.cells[check.target].printed.unit)
    nearly = Interval(check.printed.low - unit, check.printed.high + unit).meets(check.implied)
    return check.relation.exact and not check.holds and nearly


def _additive(results: Sequence[Check]) -> list[Check]:
    """Return all checks but those of sums over rows in columns that do not add up: a change in per cent, a mean, a rate.

    A column adds up nowhere if no sum of its rows holds in it and two fail, or one fails and no column of its statistic holds.
    """
    over_rows = [check for check in results if _is_over_rows(check)]
    holding = {check.target[3:] for check in over_rows if check.holds and informative(check)}
    failing = Counter(check.target[3:] for check in over_rows if not check.holds)
    statistics = {statistic for _, statistic in holding}
    nowhere = {at for at in failing.keys() - holding if failing[at] >= 2 or at[1] not in statistics}
    return [check for check in results if not (_is_over_rows(check) and check.target[3:] in nowhere)]


def _is_over_rows(check: Check) -> bool:
    """Return whether a check adds up numbers of one column and statistic."""
    return check.relation.kind in ("sum", "difference") and len({key[3:] for key in check.cells}) == 1


@lru_cache(maxsize=64)
def _candidates(cells: tuple[Cell, ...]) -> tuple[tuple[str, Candidate], ...]:
    """Return the relations that the numbers of a table show, each with its reason; kept, since a document is audited often."""
    return tuple((reason, candidate) for reason, groups in _groups(cells) for group in groups for candidate in group)


def _groups(cells: Sequence[Cell]) -> Iterator[tuple[str, Iterator[list[Candidate]]]]:
    """Yield the reasons for relations that the numbers of a table show, with these relations."""
    for axis in ("column", "row", "panel"):
        yield "difference", differences_of_lines(cells, axis)
        yield "neighbours", sums_of_neighbours(cells, axis)
        yield "product", products_of_lines(cells, axis)
        yield "proportion", proportions(cells, axis)
    yield "product", proportional_products(cells)
    for axis in ("column", "row"):
        yield "hundred", hundreds(cells, axis)


def _stated(candidate: Candidate, reason: str) -> Relation:
    """Return the relation that a candidate stands for."""
    of = ["/".join(cell.key) for cell in candidate.of]
    entry: dict[str, object] = {"kind": candidate.kind, "why": _why(reason), "of": of}
    if candidate.kind == "shares":
        return Relation.model_validate({**entry, "total": candidate.factor})
    entry |= {"is": "/".join(candidate.target.key), "factor": candidate.factor, "exact": candidate.exact}
    return Relation.model_validate(entry)


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


def named_totals_alone(document: Document, results: Sequence[Check]) -> Iterator[Check]:
    """Yield the checks of a total in a single row or column, where its parts nearly add up to it.

    A single sum cannot show whether the parts are all there: a total is suspect only if they miss it by less than a fifth.
    """
    if len(results) == 1 and not results[0].holds:
        check = results[0]
        if check.printed.middle and abs(check.implied.middle / check.printed.middle - 1) < Fraction(1, 5):
            yield check


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
    """Yield checks that numbers that are one quantity are equal, or each other's negative."""
    for repeat in repeated_quantities(document):
        if repeat.nearly:
            continue
        reason = "repeat" if repeat.sure == "likely" else "quantity"
        relation = _relation("same", reason, repeat.target.key, [repeat.of.key], (), str(repeat.sign))
        yield from _checks_of(document, relation.model_copy(update={"sure": repeat.sure}))
