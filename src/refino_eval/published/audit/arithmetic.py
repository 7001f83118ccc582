"""Rules of arithmetic: relations that are declared or inferred from a table, and which number is at fault when they fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.config.base import Label
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import CERTAINTIES, Finding
from refino_eval.published.audit.findings_text import (
    finding,
    finding_about,
    join,
    name_of,
    named,
    number,
    quoted,
    say_both,
    short,
    span,
)
from refino_eval.published.audit.inferred_relations import inferred_checks, informative
from refino_eval.published.audit.slips import most_probable_first, shifted_pairs
from refino_eval.published.intervals import Interval, added
from refino_eval.published.relations import Check, Key, Relation, checks

RULE_OF = {
    "sum": "sums", "shares": "sums", "difference": "differences", "product": "products", "ratio": "products",
    "weighted_mean": "means", "same": "repeats", "at_most": "order", "between": "order", "rising": "order",
    "bounds": "impossible",
}  # fmt: skip
MOST_SWAPS = 40
"""Failing checks among which exchanges are looked for; a table with more was transcribed wrongly as a whole."""

MOST_NAMED = 5
"""Numbers that an explanation names before it ends with an ellipsis."""

SAME = Fraction(1, 100)
"""A common factor that differs from one by less than this is not worth reporting."""


@dataclass(frozen=True)
class _Result:
    """A check, and whether the document declares its relation or its table only suggests it."""

    check: Check
    declared: bool


Failures = list[_Result]
Stage = Callable[[Document, Failures, list[_Result]], Iterator[tuple[Finding, Failures]]]


def arithmetic(document: Document) -> Iterator[Finding]:
    """Yield what breaks arithmetic, one finding per cause.

    The stages look for causes that explain several failures at once, the most specific first: two exchanged numbers, a
    number in a neighbouring cell, one factor or reason throughout a row or column, and last the single number at fault.
    Each stage sees only failures that no earlier one has explained.
    """
    results = list(_results(document))
    failures = [
        result
        for result in results
        if not result.check.holds and not document.explained(RULE_OF[result.check.relation.kind], result.check.target)
    ]
    stages: tuple[Stage, ...] = (_exchanged, _shifted, _shared_causes, _culprits)
    for stage in stages:
        for cause, explained in stage(document, failures, results):
            failures = _without(failures, explained)
            yield cause


def _without(failures: Failures, explained: Failures) -> Failures:
    return [failure for failure in failures if failure not in explained]


def _results(document: Document) -> Iterator[_Result]:
    """Yield every check, declared ones first; an inferred relation is left out where it is declared as well."""
    seen = set()
    for relation in document.relations:
        for check in checks(relation, document.keys, document.read):
            seen.add(frozenset(check.cells))
            yield _Result(check, True)
    for check in inferred_checks(document):
        if frozenset(check.cells) not in seen:
            seen.add(frozenset(check.cells))
            yield _Result(check, False)


# --- Two numbers exchanged -------------------------------------------------------------------------------------------


def _exchanged(document: Document, failures: Failures, results: list[_Result]) -> Iterator[tuple[Finding, Failures]]:
    """Yield exchanges of two numbers that repair at least two failures and break no relation that holds.

    Only numbers of one statistic in one row or column of one exhibit are exchanged.
    """
    left = failures[:MOST_SWAPS]
    for first in failures[:MOST_SWAPS]:
        for second in failures[:MOST_SWAPS]:
            if first not in left or second not in left or first is second:
                continue
            pair = _exchange(document, first.check, second.check)
            if pair is None or not _keeps(document, pair, results):
                continue
            a, b = pair
            repaired = [failure for failure in left if failure.check.again(_Exchanged(document, a, b)).holds]
            left = _without(left, repaired)
            yield (
                finding_about(
                    "audit.numbers_exchanged", document, a, rule="swap", fits=quoted([b, a]), certainty="likely",
                    cells=(b.key,), other=short(b.key, a.key), other_published=b.text, n=len(repaired),
                ),
                repaired,
            )  # fmt: skip


def _exchange(document: Document, first: Check, second: Check) -> tuple[Cell, Cell] | None:
    """Return two numbers whose exchange makes both checks hold."""
    for a in first.cells:
        for b in second.cells:
            if a in second.cells or b in first.cells or not _may_be_exchanged(a, b):
                continue
            pair = document.cells[a], document.cells[b]
            if all(check.again(_Exchanged(document, *pair)).holds for check in (first, second)):
                return pair
    return None


def _may_be_exchanged(a: Key, b: Key) -> bool:
    """Return whether two numbers are of one statistic in one exhibit, and share a row or a column."""
    return a != b and (a[0], a[4]) == (b[0], b[4]) and (a[2] == b[2] or a[3] == b[3])


def _keeps(document: Document, pair: tuple[Cell, Cell], results: list[_Result]) -> bool:
    """Return whether every relation that holds still holds when two numbers are exchanged."""
    keys = {cell.key for cell in pair}
    touched = [result.check for result in results if result.check.holds and not keys.isdisjoint(result.check.cells)]
    return all(check.again(_Exchanged(document, *pair)).holds for check in touched)


class _Exchanged:
    """The document as it would read with two numbers in each other's cells."""

    def __init__(self, document: Document, a: Cell, b: Cell) -> None:
        self.document, self.other = document, {a.key: b.key, b.key: a.key}

    def __call__(self, key: Key) -> Interval:
        return self.document.read(self.other.get(key, key))


# --- A number in a neighbouring cell ---------------------------------------------------------------------------------


def _shifted(document: Document, failures: Failures, results: list[_Result]) -> Iterator[tuple[Finding, Failures]]:
    """Yield numbers that are in a neighbouring cell: one slip, which leaves two cells wrong."""
    for missing, stray in shifted_pairs(document, [failure.check for failure in failures]):
        both = [failure for failure in failures if failure.check in (missing, stray)]
        home, away = document.cells[missing.target], document.cells[stray.target]
        wanted, there = span(missing.implied, home.printed), span(stray.implied, away.printed)
        text = say_both(
            "audit.number_in_next_cell",
            number=name_of(home.key),
            published=home.text,
            follows=_follows(missing, wanted),
            reason=_reason(missing.relation),
            other=short(away.key, home.key),
            other_published=away.text,
            fits=there,
            other_reason=_reason(stray.relation),
        )
        yield (
            finding(
                document, home.key, rule="displaced", fits=f"{wanted}; {there}", certainty=_certainty(document, both),
                cells=(away.key,), explanation=text,
            ),
            both,
        )  # fmt: skip


# --- One cause for several failures ----------------------------------------------------------------------------------


def _shared_causes(
    document: Document, failures: Failures, results: list[_Result]
) -> Iterator[tuple[Finding, Failures]]:
    """Yield one finding for failures that share a factor, a relation or a reason."""
    left = failures
    groups = [*_by_one_factor(failures), *_everywhere(failures, results), *_written_out(failures, results)]
    for group in groups:
        if all(failure in left for failure in group):
            left = _without(left, group)
            yield _blame(document, tuple(failure.check.target for failure in group), group), group


def _by_one_factor(failures: Failures) -> Iterator[Failures]:
    """Yield groups of failures of one kind in one row or column of an exhibit that one common factor would repair.

    Several numbers that are all five times what they should be have one cause: another unit, or another number of weeks.
    """
    left = failures
    for axis in (2, 3):
        groups: dict[tuple[str, ...], list[tuple[_Result, Interval]]] = {}
        for failure in left:
            factor = _factor(failure.check)
            if factor is not None:
                key = failure.check.target
                groups.setdefault((failure.check.relation.kind, key[0], key[1], key[axis]), []).append(
                    (failure, factor)
                )
        for members in groups.values():
            common = _intersection([factor for _, factor in members])
            if len(members) >= 2 and common is not None and not common.holds(1):
                group = [failure for failure, _ in members]
                left = _without(left, group)
                yield group


def _factor(check: Check) -> Interval | None:
    """Return the factor between a target and what is implied for it, or None where a factor has no meaning."""
    if check.relation.kind not in ("product", "ratio", "weighted_mean", "same"):
        return None
    if check.implied.holds(0) or check.printed.holds(0):
        return None
    return check.printed / check.implied


def _everywhere(failures: Failures, results: list[_Result]) -> Iterator[Failures]:
    """Yield the failures of declared relations that fail in every cell where they can be checked, two or more."""
    for relation in dict.fromkeys(failure.check.relation for failure in failures if failure.declared):
        group = [result for result in results if result.check.relation is relation]
        if len(group) >= 2 and all(result in failures for result in group):
            yield group


def _written_out(failures: Failures, results: list[_Result]) -> Iterator[Failures]:
    """Yield failures of relations that the file states number by number, with one reason, within a row or a column.

    They count as one relation, unless their checks have a number in common: then that number is the suspect.
    """
    for axis in (2, 3):
        stated: dict[tuple[object, ...], Failures] = {}
        for result in results:
            if result.declared:
                relation, at = result.check.relation, result.check.target
                words = (relation.kind, relation.reason("en"), relation.factor, relation.exact, relation.sure)
                stated.setdefault((*words, at[0], at[1], at[axis]), []).append(result)
        for group in stated.values():
            several = len({result.check.relation for result in group}) >= 2
            if several and all(result in failures for result in group) and not _in_all(group):
                yield group


def _in_all(group: Failures) -> set[Key]:
    """Return the numbers that take part in all checks."""
    return set.intersection(*(set(result.check.cells) for result in group))


# --- The number at fault ---------------------------------------------------------------------------------------------


def _culprits(document: Document, failures: Failures, results: list[_Result]) -> Iterator[tuple[Finding, Failures]]:
    """Yield the numbers at fault: those in most failures and in fewest checks that hold."""
    support = [result.check for result in results if result.check.holds and _supports(result)]
    holding = Counter(key for check in support for key in check.cells)
    while failures:
        failing = Counter(key for failure in failures for key in failure.check.cells)
        # A number that other relations support is not to blame because several others contradict it.
        # Of equals the first is taken, which is the first failure's target.
        # A number that one value would repair everywhere goes before one that each failure wants to be another.
        culprit = max(failing, key=lambda key: (not holding[key], _repairable(document, key, failures), failing[key]))
        if failing[culprit] == 1 or holding[culprit]:
            blamed = failures[:1]
            suspects = _of_one_failure(document, blamed[0].check, holding)
            yield _blame(document, suspects, blamed), blamed
        else:
            blamed = [failure for failure in failures if culprit in failure.check.cells]
            # Where relations cross in several numbers, each of these is a suspect.
            crossing = {key for key in _in_all(blamed) if not holding[key]}
            yield _blame(document, (culprit,), blamed, among=crossing), blamed
        failures = _without(failures, blamed)


def _supports(result: _Result) -> bool:
    """Return whether a check that holds says something about its numbers."""
    return result.declared or informative(result.check)


def _of_one_failure(document: Document, check: Check, holding: Counter[Key]) -> tuple[Key, ...]:
    """Return the suspects of a single failure: its target first, unless other checks support the target or show a typing error."""
    cells = [document.cells[key] for key in _unsupported(check, holding)]
    wanted = [solve(check, cell.key, _ranges(document, check)) for cell in cells]
    return tuple(cell.key for cell in most_probable_first(cells, wanted))


def _repairable(document: Document, key: Key, failures: Failures) -> bool:
    """Return whether one value of a number would make all failing checks hold in which it takes part; at least two."""
    checks = [failure.check for failure in failures if key in failure.check.cells]
    solutions = [solve(check, key, _ranges(document, check)) for check in checks] if len(checks) > 1 else []
    return bool(solutions) and _intersection([solution for solution in solutions if solution is not None]) is not None


def _unsupported(check: Check, holding: Counter[Key]) -> tuple[Key, ...]:
    """Return the numbers of a failing check that fewest other checks support, the target first if it is among them."""
    least = min(holding[key] for key in check.cells)
    return tuple(key for key in check.cells if holding[key] == least)


# --- The finding about failing checks --------------------------------------------------------------------------------


def _blame(
    document: Document, suspects: tuple[Key, ...], blamed: Failures, *, among: Collection[Key] | None = None
) -> Finding:
    """Return the finding about failing checks.

    Parameters
    ----------
    document
        The document that the numbers belong to.
    suspects
        The number at fault; of a single failure all numbers that may be; of a common cause the targets.
    blamed
        The failing checks.
    among
        All numbers of which at least one must be wrong, where these are more than `suspects`.
    """
    check = blamed[0].check
    target = document.cells[check.target]
    among = set(suspects) if among is None else among
    text = say_both(
        "audit.relation_fails",
        number=name_of(check.target),
        published=target.text,
        follows=_follows(check, span(check.implied, target.printed)),
        parts=_parts(document, check),
        reason=_reason(check.relation),
    )
    return finding(
        document,
        suspects[0],
        rule=RULE_OF[check.relation.kind],
        fits=_fits(document, suspects, blamed),
        certainty=_certainty(document, blamed),
        cells=suspects[1:] if len(suspects) == len(blamed) else (),
        suspects=tuple(key for key in document.keys if key in among),
        relation=tuple(dict.fromkeys(key for failure in blamed for key in failure.check.cells)),
        explanation=join([text, _extent(document, suspects, blamed)], " "),
    )


def _reason(relation: Relation) -> Label:
    return Label(nb=relation.reason("nb"), en=relation.reason("en"))


def _follows(check: Check, implied: str) -> Label:
    return say_both(f"audit.follows_{check.relation.kind}", implied=implied)


def _parts(document: Document, check: Check) -> Label:
    """Return the numbers that a check's target follows from, as the end of a clause; nothing when there are none."""
    others = [document.cells[key] for key in check.cells[1:]]
    if not others:
        return Label(nb="", en="")
    names = join([named(cell, check.target) for cell in others[:MOST_NAMED]], "; ")
    end = " ..." if len(others) > MOST_NAMED else ""
    end += "" if check.relation.factor == "1" else f" (× {check.relation.factor})"
    return Label(nb=f": {names.nb}{end}", en=f": {names.en}{end}")


def _extent(document: Document, suspects: tuple[Key, ...], blamed: Failures) -> Label:
    """Return how far a failure reaches: which other numbers it affects, or which number the relations leave suspect."""
    cell = document.cells[suspects[0]]
    if len(blamed) > 1 and len(suspects) == len(blamed):
        names = join([named(document.cells[key], suspects[0]) for key in suspects[1:MOST_NAMED]])
        common = _intersection([factor for failure in blamed if (factor := _factor(failure.check)) is not None])
        if common is None or abs(common.middle - 1) < SAME:
            return say_both("audit.same_for", numbers=names)
        return say_both("audit.same_for_by_factor", numbers=names, factor=number(common.middle, 2))
    if len(blamed) > 1:
        return say_both("audit.fails_elsewhere", published=cell.text, number=name_of(cell.key), n=len(blamed))
    if blamed[0].check.target == suspects[0]:
        return Label(nb="", en="")
    if blamed[0].check.target in suspects:
        return say_both(
            "audit.typing_error", published=cell.text, number=name_of(cell.key), fits=_fits(document, suspects, blamed)
        )
    texts = [document.cells[key].text for key in suspects[:3]]
    return say_both("audit.unsupported", numbers=join([Label(nb=f"«{text}»", en=f"“{text}”") for text in texts]))


def _fits(document: Document, suspects: tuple[Key, ...], blamed: Failures) -> str:
    """Return what would fit: for the target when it is a suspect, else for each suspect that can be solved for."""
    if len(suspects) == len(blamed) > 1:
        return "; ".join(
            span(failure.check.implied, document.cells[failure.check.target].printed) for failure in blamed
        )
    target = blamed[0].check.target
    options = []
    for key in suspects[:1] if target in suspects else suspects[:3]:
        cell = document.cells[key]
        solutions = [solve(failure.check, key, _ranges(document, failure.check)) for failure in blamed]
        common = _intersection([solution for solution in solutions if solution is not None])
        if common is not None:
            options.append((cell.text, span(common, cell.printed)))
    if len(options) == 1:
        return options[0][1]
    return "; ".join(f"{fitting} for «{text}»" for text, fitting in options)


def _ranges(document: Document, check: Check) -> dict[Key, Interval]:
    return {key: document.read(key) for key in check.cells}


def _intersection(intervals: Sequence[Interval]) -> Interval | None:
    """Return what lies in all intervals, or None when nothing does."""
    if not intervals:
        return None
    low, high = max(part.low for part in intervals), min(part.high for part in intervals)
    return Interval(low, high) if low <= high else None


def _certainty(document: Document, blamed: Failures) -> str:
    """Return how sure a failure is: possible when truncated digits explain it, likely when the relation is inferred.

    A declared relation that states how sure its failure is at most is taken at its word.
    """
    if all(failure.check.again(document.read_cut, exactly=document.read).holds for failure in blamed):
        return "possible"
    sure = (failure.check.relation.sure for failure in blamed)
    inferred = not any(failure.declared for failure in blamed)
    return max(min(sure, key=CERTAINTIES.index), "likely" if inferred else "certain", key=CERTAINTIES.index)


# --- Solving a relation for one of its numbers -----------------------------------------------------------------------


def solve(check: Check, key: Key, read: Mapping[Key, Interval]) -> Interval | None:
    """Return what a number of a check must be when all others are right, or None where the relation has no solution."""
    kind, factor = check.relation.kind, Fraction(check.relation.factor)
    if key == check.target and kind not in ("shares", "rising"):
        return check.implied
    in_a_sum = any(key in group and len(group) > 1 for group in check.groups)
    if kind not in _SOLUTIONS or not factor or (in_a_sum and kind not in ("sum", "shares")):
        return None
    members = [member for group in check.groups for member in group]
    return _SOLUTIONS[kind](check.printed.times(1 / factor), key, members, read)


def _solve_sum(total: Interval, key: Key, members: Sequence[Key], read: Mapping[Key, Interval]) -> Interval:
    return total - added(read[member] for member in members if member != key)


def _solve_difference(result: Interval, key: Key, members: Sequence[Key], read: Mapping[Key, Interval]) -> Interval:
    first = members[0]
    rest = added(read[member] for member in members[1:] if member != key)
    return result + rest if key == first else read[first] - rest - result


def _solve_same(result: Interval, key: Key, members: Sequence[Key], read: Mapping[Key, Interval]) -> Interval:
    return result


def _solve_product(result: Interval, key: Key, members: Sequence[Key], read: Mapping[Key, Interval]) -> Interval | None:
    others = [read[member] for member in members if member != key]
    if len(members) > 2 or any(other.holds(0) for other in others):
        return None
    return result / others[0] if others else result


_SOLUTIONS: Mapping[str, Callable[[Interval, Key, Sequence[Key], Mapping[Key, Interval]], Interval | None]] = {
    "sum": _solve_sum,
    "shares": _solve_sum,
    "difference": _solve_difference,
    "same": _solve_same,
    "product": _solve_product,
}
