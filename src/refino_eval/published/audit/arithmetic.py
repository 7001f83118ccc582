"""Rules of arithmetic: declared relations and those that a table tells itself, and who is to blame when several fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import CERTAINTIES, Finding
from refino_eval.published.audit.findings_text import finding, name_of, number, quoted, short, span
from refino_eval.published.audit.inferred_relations import learned_checks
from refino_eval.published.audit.shifted_cells import displaced
from refino_eval.published.intervals import Interval, added
from refino_eval.published.relations import Check, Key, checks

RULE_OF = {
    "sum": "sums", "shares": "sums", "difference": "differences", "product": "products", "ratio": "products",
    "weighted_mean": "means", "same": "repeats", "at_most": "order", "between": "order", "rising": "order",
    "bounds": "impossible",
}  # fmt: skip
MOST_SWAPS = 40
"""Failing checks among which exchanges are looked for; a table with more is transcribed wrongly as a whole."""

SAME = Fraction(1, 100)
"""A common factor nearer to one than this tells a reader nothing."""

SAYS_NB = {
    "sum": "delene summerer seg til", "shares": "andelene summerer seg til", "difference": "differansen er",
    "product": "produktet er", "ratio": "forholdet er", "weighted_mean": "det veide gjennomsnittet er",
    "same": "det samme tallet er trykt som", "at_most": "den øvre grensen er", "between": "gruppene går over",
    "rising": "tallet foran er", "bounds": "grensene er",
}  # fmt: skip
SAYS_EN = {
    "sum": "the parts add up to", "shares": "the shares add up to", "difference": "the difference is",
    "product": "the product is", "ratio": "the ratio is", "weighted_mean": "the weighted mean is",
    "same": "the same number is printed as", "at_most": "the upper limit is", "between": "the groups span",
    "rising": "the number before is", "bounds": "the bounds are",
}  # fmt: skip


@dataclass(frozen=True)
class _Failure:
    """A check that fails, and whether the document declares it or its table only suggests it."""

    check: Check
    declared: bool


def arithmetic(document: Document) -> Iterator[Finding]:
    """Yield what breaks arithmetic, one finding a cause.

    Two failures that an exchange of two numbers mends are one exchange, and two of which one is the other's number beside its
    place are one displacement. Of the others, the number that takes part in most failures, and in fewest checks that hold,
    is the one at fault.
    """
    found = list(_checked(document))
    failures = [item for item in found if not item.check.holds]
    holding = Counter(key for item in found if item.check.holds for key in item.check.cells)
    failures = [
        item for item in failures if not document.explained(RULE_OF[item.check.relation.kind], item.check.target)
    ]
    for swap, mended in _exchanges(document, failures, found):
        failures = [item for item in failures if item not in mended]
        yield swap
    for missing, stray in displaced(document, [item.check for item in failures]):
        both = [item for item in failures if item.check in (missing, stray)]
        failures = [item for item in failures if item not in both]
        yield _beside(document, missing, stray, both)
    for together in [*_by_one_factor(failures), *_everywhere(found, failures)]:
        if any(item not in failures for item in together):
            continue
        failures = [item for item in failures if item not in together]
        yield _blame(document, tuple(item.check.target for item in together), together)
    while failures:
        failing = Counter(key for item in failures for key in item.check.cells)
        # A number that other relations support is not to blame because several others contradict it.
        # Of equals the first is taken, which is the first failure's target.
        culprit = max(failing, key=lambda key: (not holding[key], failing[key]))
        if failing[culprit] == 1 or holding[culprit]:
            # A single failure is told where it is found: its target, unless other checks support the target alone.
            suspects = _suspects(failures[0].check, holding)
            blamed = failures[:1]
        else:
            suspects, blamed = (culprit,), [item for item in failures if culprit in item.check.cells]
        failures = [item for item in failures if item not in blamed]
        yield _blame(document, suspects, blamed)


def _checked(document: Document) -> Iterator[_Failure]:
    """Yield every check, declared ones first; what a table suggests is left out where it is declared anyhow."""
    seen = set()
    for relation in document.relations:
        for check in checks(relation, document.keys, document.read):
            seen.add(frozenset(check.cells))
            yield _Failure(check, True)
    for check in learned_checks(document):
        if frozenset(check.cells) not in seen:
            seen.add(frozenset(check.cells))
            yield _Failure(check, False)


def _beside(document: Document, missing: Check, stray: Check, both: list[_Failure]) -> Finding:
    """Return the finding about a number that stands beside its place: one slip, which leaves two places wrong."""
    home, away = document.cells[missing.target], document.cells[stray.target]
    wanted, there = span(missing.implied, home.printed), span(stray.implied, away.printed)
    kind = missing.relation.kind
    return finding(
        document,
        home.key,
        rule="displaced",
        fits=f"{wanted}; {there}",
        certainty=_certainty(document, both),
        cells=(away.key,),
        nb=f"{name_of(home.key)} er trykt som «{home.text}», men {SAYS_NB[kind]} {wanted}. {missing.relation.reason('nb')} "
        f"Tallet står ved siden av, i {short(away.key, home.key)}: «{away.text}», der {there} ville passe. "
        f"{stray.relation.reason('nb')}",
        en=f"{name_of(home.key)} is printed as «{home.text}», but {SAYS_EN[kind]} {wanted}. {missing.relation.reason('en')} "
        f"The number stands beside its place, in {short(away.key, home.key)}: «{away.text}», where {there} would fit. "
        f"{stray.relation.reason('en')}",
    )


def _everywhere(found: list[_Failure], failures: list[_Failure]) -> Iterator[list[_Failure]]:
    """Yield declared relations that fail wherever they can be checked, in two places or more: one cause, not many slips.

    A relation that the file writes out number by number, with one reason, is one relation within a row or a column, unless
    its checks have a number in common: then that number is the suspect.
    """
    for relation in dict.fromkeys(item.check.relation for item in failures if item.declared):
        checked = [item for item in found if item.check.relation is relation]
        if len(checked) >= 2 and all(item in failures for item in checked):
            yield checked
    for axis in (2, 3):
        said: dict[tuple[object, ...], list[_Failure]] = {}
        for item in found:
            if item.declared:
                relation, at = item.check.relation, item.check.target
                words = (relation.kind, relation.reason("en"), relation.factor, relation.exact, relation.sure)
                said.setdefault((*words, at[0], at[1], at[axis]), []).append(item)
        for checked in said.values():
            common = set.intersection(*(set(item.check.cells) for item in checked))
            written_out = len({item.check.relation for item in checked}) >= 2 and not common
            if written_out and all(item in failures for item in checked):
                yield checked


def _by_one_factor(failures: list[_Failure]) -> Iterator[list[_Failure]]:
    """Yield groups of failures of one kind in one row or column of an exhibit that one common factor would mend.

    Several numbers that are all five times what they should be have one cause: another unit, or another number of weeks.
    """
    left = list(failures)
    for axis in (2, 3):
        groups: dict[tuple[str, ...], list[tuple[_Failure, Interval]]] = {}
        for item in left:
            ratio = _ratio(item.check)
            if ratio is not None:
                key = item.check.target
                groups.setdefault((item.check.relation.kind, key[0], key[1], key[axis]), []).append((item, ratio))
        for members in groups.values():
            common = _meeting([ratio for _, ratio in members])
            if len(members) >= 2 and common is not None and not common.holds(1):
                together = [item for item, _ in members]
                left = [item for item in left if item not in together]
                yield together


def _ratio(check: Check) -> Interval | None:
    """Return by what factor a target differs from what follows for it, or None where a factor says nothing."""
    if check.relation.kind not in ("product", "ratio", "weighted_mean", "same"):
        return None
    if check.implied.low <= 0 <= check.implied.high or check.printed.low <= 0 <= check.printed.high:
        return None
    return check.printed / check.implied


def _suspects(check: Check, holding: Counter[Key]) -> tuple[Key, ...]:
    """Return the numbers of one failing check that no other check supports, the target first where it is among them."""
    least = min(holding[key] for key in check.cells)
    return tuple(key for key in check.cells if holding[key] == least)


def solved(check: Check, key: Key, read: Mapping[Key, Interval]) -> Interval | None:
    """Return what a number of a check must be when all others are right, or None for kinds that cannot be turned round."""
    if key == check.target and check.relation.kind not in ("shares", "rising"):
        return check.implied
    kind, factor = check.relation.kind, Fraction(check.relation.factor)
    summed = any(key in group and len(group) > 1 for group in check.groups)
    if not factor or (summed and kind not in ("sum", "shares")):
        return None
    flat = [member for group in check.groups for member in group]
    others = added(read[member] for member in flat if member != key)
    own = check.printed.times(1 / factor)
    if kind in ("sum", "shares"):
        return own - others
    if kind == "difference":
        first = read[flat[0]]
        rest = added(read[member] for member in flat[1:] if member != key)
        return own + rest if key == flat[0] else first - rest - own
    if kind == "same":
        return check.printed
    if kind == "product" and len(flat) <= 2:
        other = next((read[member] for member in flat if member != key), None)
        if other is None:
            return own
        return None if other.holds(0) else own / other
    return None


def _blame(document: Document, suspects: tuple[Key, ...], blamed: list[_Failure]) -> Finding:
    """Return the finding about failing checks: of several, the number that all have; of one, those nobody supports."""
    check = blamed[0].check
    kind, target = check.relation.kind, document.cells[check.target]
    others = [document.cells[key] for key in check.cells[1:] if key != check.target]
    among = "; ".join(f"{short(cell.key, check.target)} «{cell.text}»" for cell in others[:5])
    among += " ..." if len(others) > 5 else ""
    times = "" if check.relation.factor == "1" else f" (× {check.relation.factor})"
    implied = span(check.implied, target.printed)
    also_nb, also_en = _also(document, suspects, blamed)
    return finding(
        document,
        suspects[0],
        rule=RULE_OF[kind],
        fits=_fits(document, suspects, blamed),
        certainty=_certainty(document, blamed),
        cells=suspects[1:] if len(suspects) == len(blamed) else (),
        nb=f"{name_of(check.target)} er trykt som «{target.text}», men {SAYS_NB[kind]} {implied}"
        f"{f': {among}{times}' if among else ''}. {check.relation.reason('nb')}{also_nb}",
        en=f"{name_of(check.target)} is printed as «{target.text}», but {SAYS_EN[kind]} {implied}"
        f"{f': {among}{times}' if among else ''}. {check.relation.reason('en')}{also_en}",
    )


def _also(document: Document, suspects: tuple[Key, ...], blamed: list[_Failure]) -> tuple[str, str]:
    """Return what is said further, in both languages: how many relations fail, and which number is the suspect."""
    cell, more = document.cells[suspects[0]], len(blamed) - 1
    if more and len(suspects) == len(blamed):
        common = _meeting([ratio for item in blamed if (ratio := _ratio(item.check)) is not None])
        names = ", ".join(f"{short(key, suspects[0])} «{document.cells[key].text}»" for key in suspects[1:5])
        if common is None or abs(common.middle - 1) < SAME:
            return f" Det samme gjelder {names}.", f" The same holds for {names}."
        factor = number(common.middle, 2)
        return (
            f" Det samme gjelder {names}: alle avviker med omtrent faktoren {factor}.",
            f" The same holds for {names}: all differ by a factor of about {factor}.",
        )
    if more:
        return (
            f" Tallet «{cell.text}» ({name_of(cell.key)}) inngår i {more + 1} sammenhenger som svikter.",
            f" The number «{cell.text}» ({name_of(cell.key)}) takes part in {more + 1} relations that fail.",
        )
    if blamed[0].check.target in suspects:
        return "", ""
    names = ", ".join(f"«{document.cells[key].text}»" for key in suspects[:3])
    return f" Andre sammenhenger støtter ikke {names}.", f" Other relations do not support {names}."


def _fits(document: Document, suspects: tuple[Key, ...], blamed: list[_Failure]) -> str:
    """Return what would fit: for the target when it is a suspect, else for each suspect that can be worked out."""
    if len(suspects) == len(blamed) > 1:
        return "; ".join(span(item.check.implied, document.cells[item.check.target].printed) for item in blamed)
    target = blamed[0].check.target
    asked = (target,) if target in suspects else suspects[:3]
    told = []
    for key in asked:
        fitting = [solved(item.check, key, _ranges(document, item.check)) for item in blamed]
        wanted = _meeting([interval for interval in fitting if interval is not None])
        if wanted is not None:
            told.append((document.cells[key], span(wanted, document.cells[key].printed)))
    if len(told) == 1:
        return told[0][1]
    return "; ".join(f"{text} for «{cell.text}»" for cell, text in told)


def _ranges(document: Document, check: Check) -> dict[Key, Interval]:
    return {key: document.read(key) for key in check.cells}


def _meeting(intervals: list[Interval]) -> Interval | None:
    """Return what lies in all intervals, or None when nothing does."""
    if not intervals:
        return None
    low, high = max(part.low for part in intervals), min(part.high for part in intervals)
    return Interval(low, high) if low <= high else None


def _certainty(document: Document, blamed: list[_Failure]) -> str:
    """Grade failures: certain when declared and not mended by cut digits, possible when a cut mends them all.

    A relation that says of itself how sure it is at most is taken at its word.
    """
    if all(item.check.again(document.read_cut, exactly=document.read).holds for item in blamed):
        return "possible"
    order = tuple(CERTAINTIES)
    return min((item.check.relation.sure if item.declared else "likely" for item in blamed), key=order.index)


def _exchanges(
    document: Document, failures: list[_Failure], found: list[_Failure]
) -> Iterator[tuple[Finding, list[_Failure]]]:
    """Yield exchanges of two numbers that mend two failures or more, with what they mend.

    Only numbers of one statistic in one row or column of one exhibit change places, and no relation that holds may break.
    """
    left = failures[:MOST_SWAPS]
    for first in failures[:MOST_SWAPS]:
        for second in failures[:MOST_SWAPS]:
            if first not in left or second not in left or first is second:
                continue
            pair = _exchange(document, first.check, second.check)
            if pair is None:
                continue
            a, b = (document.cells[key] for key in pair)
            touched = [item.check for item in found if item.check.holds and not set(pair).isdisjoint(item.check.cells)]
            if not all(check.again(_reading(document, a, b)).holds for check in touched):
                continue
            mended = [item for item in left if item.check.again(_reading(document, a, b)).holds]
            left = [item for item in left if item not in mended]
            yield _swap(document, a, b, len(mended)), mended


def _exchange(document: Document, first: Check, second: Check) -> tuple[Key, Key] | None:
    """Return two numbers whose exchange makes both checks hold."""
    for a in first.cells:
        for b in second.cells:
            if a == b or a in second.cells or b in first.cells or a[0] != b[0] or a[4] != b[4]:
                continue
            if a[2] != b[2] and a[3] != b[3]:
                continue
            read = _reading(document, document.cells[a], document.cells[b])
            if first.again(read).holds and second.again(read).holds:
                return a, b
    return None


class _reading:  # noqa: N801 - a reading of the prints, called like a function
    """The document as it would read with two numbers in each other's places."""

    def __init__(self, document: Document, a: Cell, b: Cell) -> None:
        self.document, self.other = document, {a.key: b.key, b.key: a.key}

    def __call__(self, key: Key) -> Interval:
        return self.document.read(self.other.get(key, key))


def _swap(document: Document, a: Cell, b: Cell, mended: int) -> Finding:
    return finding(
        document,
        a.key,
        rule="swap",
        fits=quoted([b, a]),
        certainty="likely",
        nb=f"{name_of(a.key)} «{a.text}» og {short(b.key, a.key)} «{b.text}» passer ikke hver for seg, men {mended} "
        "sammenhenger holder når de to bytter plass.",
        en=f"{name_of(a.key)} «{a.text}» and {short(b.key, a.key)} «{b.text}» do not fit where they stand, but {mended} "
        "relations hold when the two change places.",
        cells=(b.key,),
    )
