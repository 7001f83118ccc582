"""Rules about whole models: standard errors implied by stars, falling R², copied numbers, differing sample sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from statistics import median

from refino_eval.config.base import Label
from refino_eval.published.audit.comparisons.sibling_models import Siblings, typical
from refino_eval.published.audit.comparisons.unusual_numbers import CHANCE as EQUAL_BY_CHANCE
from refino_eval.published.audit.comparisons.unusual_numbers import expected_equal
from refino_eval.published.audit.document import Cell, Document, Model
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import decimal_of, distinct, finding_about, name_of, number, quoted
from refino_eval.published.audit.significance import FEWEST_DF, critical, levels_of, t_range
from refino_eval.published.audit.slips import is_slip, mistyped
from refino_eval.published.intervals import point
from refino_eval.published.relations import Key, match

Levels = tuple[Fraction, ...]
"""Significance levels of one, two and three stars."""

CONTRADICTS = Fraction(3, 2)
"""A standard error contradicts a sibling's when its smallest value is this many times the sibling's largest."""

ABOUT_AS_MANY = Fraction(5, 4)
"""Samples are about equally large when the larger is at most this many times the smaller."""

CHANCE = Fraction(1, 1000)
"""Equal numbers are reported as copied when their probability is smaller."""

SAME_NUMBERS = 4
"""Equal sizes of a table, or means of a row, among which one that differs by a typing error is suspect."""

NEARLY = Fraction(201, 200)
"""Sizes that differ by at most half a per cent are of one sample."""


def model_consistency(document: Document) -> Iterator[Finding]:
    """Yield the findings about whole models."""
    siblings = Siblings(document)
    yield from _stars_against_size(document, siblings)
    yield from _falling_fit(document)
    yield from _copied_run(document)
    yield from _twins(document, siblings)
    yield from _sizes(document)


def error_bounds(cell: Cell, levels: Sequence[Fraction]) -> tuple[Fraction, Fraction | None]:
    """Return the smallest and the largest standard error that an estimate with its stars can have.

    The largest follows from the stars that it has (the normal has the smallest critical value), the smallest from the star
    that it lacks (with few degrees of freedom, which raise the critical value).
    """
    size, stars = abs(cell.range), cell.printed.stars
    largest = size.high / critical(levels[stars - 1], None) if stars else None
    smallest = size.low / critical(levels[stars], FEWEST_DF) if stars < len(levels) else Fraction(0)
    return smallest, largest


def _stars_against_size(document: Document, siblings: Siblings) -> Iterator[Finding]:
    """Yield estimates whose stars require a standard error that at least two siblings rule out, the worst first."""
    inferred, declared = levels_of(document)
    conflicts = _conflicts(document, siblings, inferred, declared)
    while conflicts:
        worst = max(conflicts, key=lambda key: len(conflicts[key]))
        against = conflicts.pop(worst)
        if len(against) < 2:
            return
        for other in against:
            conflicts[other.key] = [cell for cell in conflicts[other.key] if cell.key != worst]
        if not document.explained("stars_size", worst):
            yield _against_size(document, document.cells[worst], against, declared.get(worst[0], inferred) or ())


def _conflicts(
    document: Document, siblings: Siblings, inferred: Levels | None, declared: Mapping[str, Levels]
) -> dict[Key, list[Cell]]:
    """Return, for each estimate without a known t, the siblings whose stars rule out its standard error."""
    conflicts: dict[Key, list[Cell]] = {}
    for cell in document.of("estimate"):
        levels = declared.get(cell.key[0], inferred)
        if levels is None or t_range(document.places[cell.place]) is not None or cell.printed.stars > len(levels):
            continue
        smallest, _ = error_bounds(cell, levels)
        for other in siblings.of(cell):
            if other.printed.stars > len(levels) or not _equally_large(document, cell, other):
                continue
            _, largest = error_bounds(other, declared.get(other.key[0], levels))
            if largest is not None and smallest > CONTRADICTS * largest:
                conflicts.setdefault(cell.key, []).append(other)
                conflicts.setdefault(other.key, []).append(cell)
    return conflicts


def _equally_large(document: Document, cell: Cell, other: Cell) -> bool:
    sizes = [document.common(("n",), one) for one in (cell, other)]
    if sizes[0] is None or sizes[1] is None:
        return False
    n, m = (Fraction(size.printed.value) for size in sizes if size is not None)
    return min(n, m) > 0 and max(n, m) <= ABOUT_AS_MANY * min(n, m)


def _against_size(document: Document, cell: Cell, against: Sequence[Cell], levels: Sequence[Fraction]) -> Finding:
    smallest, largest = error_bounds(cell, levels)
    bounds = [error_bounds(other, levels) for other in against]
    allowed = max((high for _, high in bounds if high is not None), default=Fraction(0))
    too_few = largest is None or smallest > allowed
    needed, given = (smallest, allowed) if largest is None or too_few else (largest, min(low for low, _ in bounds))
    digits = cell.printed.decimals + 1
    return finding_about(
        "audit.stars_too_few_for_size" if too_few else "audit.stars_too_many_for_size",
        document,
        cell,
        rule="stars_size",
        fits=f"{decimal_of(Fraction(cell.printed.value) / 10, digits):f}" if too_few else "",
        certainty="likely",
        others=distinct(against),
        needed=number(needed, digits),
        allowed=number(given, digits),
    )


def _falling_fit(document: Document) -> Iterator[Finding]:
    """Yield models with all regressors of another, on the same sample with the same mean, and a smaller R²."""
    worst: dict[Key, tuple[Cell, Cell, bool]] = {}
    for small, large, declared in _nested(document):
        one, two = _fit(document, small), _fit(document, large)
        if one is None or two is None or two.range.high >= one.range.low or document.explained("nested", two.key):
            continue
        before = worst.get(two.key)
        if before is None or before[0].printed.value < one.printed.value:
            worst[two.key] = (one, two, declared)
    for one, two, declared in worst.values():
        yield finding_about(
            "audit.r_squared_falls",
            document,
            two,
            rule="nested",
            fits=f">= {one.text}",
            certainty="certain" if declared else "likely",
            other=name_of(one.key),
            other_published=one.text,
        )


def _nested(document: Document) -> Iterator[tuple[Model, Model, bool]]:
    """Yield pairs of models of which the second contains the regressors of the first: declared, or inferred from rows."""
    for relation in document.facts("nested"):
        chain = [
            next((m for m in document.models if match(pattern, (m[0], m[1], "", m[2], "estimate")) is not None), None)
            for pattern in relation.of
        ]
        for small, large in combinations([model for model in chain if model is not None], 2):
            yield small, large, True
    for small, large in combinations(document.models, 2):
        for one, two in ((small, large), (large, small)):
            rows, more = set(document.models[one]), set(document.models[two])
            if len(rows) >= 2 and rows < more and _one_sample(document, one, two):
                yield one, two, False


def _fit(document: Document, model: Model) -> Cell | None:
    cell = next(iter(document.models[model].values()))
    return document.common(("r_squared",), cell)


def _one_sample(document: Document, one: Model, two: Model) -> bool:
    """Return whether two models have the same published size and mean."""
    cells = [next(iter(document.models[model].values())) for model in (one, two)]
    for statistics in (("n",), ("mean", "mean_control")):
        shared = [document.common(statistics, cell) for cell in cells]
        if shared[0] is None or shared[1] is None or shared[0].printed.value != shared[1].printed.value:
            return False
    return True


def _copied_run(document: Document) -> Iterator[Finding]:
    """Yield specifications with the same estimates as another in some columns, but not in all."""
    rows: dict[tuple[str, str], dict[str, dict[str, Cell]]] = {}
    for cell in document.of("estimate"):
        rows.setdefault((cell.key[0], cell.key[2]), {}).setdefault(cell.key[1], {})[cell.key[3]] = cell
    for panels in rows.values():
        for first, second in combinations(panels, 2):
            pairs = [(panels[first][c], cell) for c, cell in panels[second].items() if c in panels[first]]
            same = [pair for pair in pairs if pair[0].printed.value == pair[1].printed.value]
            if len(same) >= 3 and len(pairs) - len(same) >= 2:
                chance = _chance(document, same, [pair for pair in pairs if pair not in same])
                if chance is not None and chance < CHANCE and not document.explained("copied", same[0][1].key):
                    yield _run(document, same, len(pairs))


def _chance(
    document: Document, same: Sequence[tuple[Cell, Cell]], apart: Sequence[tuple[Cell, Cell]]
) -> Fraction | None:
    """Return the probability of equal numbers if these estimates differ, in standard errors, as much as the others do."""

    def error(cell: Cell) -> Fraction | None:
        std_error = document.places[cell.place].get("std_error")
        return Fraction(std_error.printed.value) if std_error is not None and std_error.printed.value else None

    shifts = [
        abs(Fraction(two.printed.value) - Fraction(one.printed.value)) / size
        for one, two in apart
        if (size := error(two)) is not None
    ]
    typical_shift = Fraction(median(shifts)) if shifts else Fraction(0)
    sizes = [(Fraction(two.printed.unit), error(two)) for _, two in same]
    if not typical_shift or any(size is None for _, size in sizes):
        return None
    chance = Fraction(1)
    for unit, size in sizes:
        chance *= min(Fraction(1), unit / (2 * typical_shift * (size or 1)))
    return chance


def _run(document: Document, same: Sequence[tuple[Cell, Cell]], columns: int) -> Finding:
    other, first = same[0]
    return finding_about(
        "audit.estimates_repeated",
        document,
        first,
        rule="copied",
        certainty="possible",
        cells=[cell.key for _, cell in same[1:]],
        number=name_of(first.key[:3]),
        other=name_of(other.key[:2]),
        same=len(same),
        columns=columns,
        estimates=quoted(cell for _, cell in same),
    )


def _twins(document: Document, siblings: Siblings) -> Iterator[Finding]:
    """Yield numbers that repeat another of their model: one far from its siblings, or estimate and t of two rows equal."""
    for rows in document.models.values():
        for one, two in combinations(rows.values(), 2):
            if one.text != two.text or document.explained("copied", two.key):
                continue
            t_one, t_two = (document.places[cell.place].get("t_stat") for cell in (one, two))
            if t_one is None or t_two is None:
                yield from _far_twin(document, siblings, one, two)
            elif t_one.printed.value and t_one.text == t_two.text and _seldom_equal(document, rows.values()):
                yield _twin(document, two, one, "possible", [t_two.key])


def _far_twin(document: Document, siblings: Siblings, one: Cell, two: Cell) -> Iterator[Finding]:
    """Yield the one of two equal estimates of at least three digits that is far from its siblings, if the other is not."""
    far = [cell for cell in (one, two) if _far(siblings, cell)] if _digits(one) >= 3 else []
    if len(far) == 1:
        yield _twin(document, far[0], two if far[0] is one else one, "likely", [])


def _seldom_equal(document: Document, estimates: Iterable[Cell]) -> bool:
    """Return whether two equal t of a model are unlikely to be chance, given how near each other its other t are."""
    places = (document.places[cell.place] for cell in estimates)
    ts = [place["t_stat"] for place in places if "t_stat" in place]
    return expected_equal([Fraction(t.printed.value) / Fraction(t.printed.unit) for t in ts]) < EQUAL_BY_CHANCE


def _digits(cell: Cell) -> int:
    """Return the number of significant digits of a published number, including trailing zeros."""
    return len("".join(sign for sign in cell.text if sign.isdigit()).lstrip("0"))


def _far(siblings: Siblings, cell: Cell) -> bool:
    """Return whether an estimate is more than three times larger or smaller than its siblings typically are."""
    others = [other for other in siblings.of(cell) if other.printed.value]
    if len(others) < 2 or not cell.printed.value:
        return False
    ratio = typical(others) / abs(Fraction(cell.printed.value))
    return not Fraction(1, 3) < ratio < 3


def _twin(document: Document, cell: Cell, other: Cell, certainty: str, more: Sequence[Key]) -> Finding:
    return finding_about(
        "audit.number_repeated",
        document,
        cell,
        rule="copied",
        certainty=certainty,
        cells=more,
        published=quoted([cell, *(document.cells[key] for key in more)]),
        other=other.key[2],
    )


def _sizes(document: Document) -> Iterator[Finding]:
    """Yield sizes that differ slightly: between the tables of one sample, and between columns of one table."""
    largest: dict[str, Cell] = {}
    for cell in document.of("n"):
        before = largest.get(cell.key[0])
        if before is None or cell.printed.value > before.printed.value:
            largest[cell.key[0]] = cell
    # A size that is zero or negative is impossible, and near no other one.
    positive = [cell for cell in largest.values() if cell.printed.value > 0]
    left = sorted(positive, key=lambda cell: -cell.printed.value)
    while left:
        group = [cell for cell in left if Fraction(left[0].printed.value) <= NEARLY * Fraction(cell.printed.value)]
        left = [cell for cell in left if cell not in group]
        unexplained = [cell for cell in group if not document.explained("sample", cell.key)]
        if len({cell.printed.value for cell in unexplained}) > 1:
            yield _differing(document, unexplained)
    yield from _odd_columns(document)
    yield from _mistyped_sizes(document)


def _mistyped_sizes(document: Document) -> Iterator[Finding]:
    """Yield the one size of a table, or mean of a row, that a typing error separates from all others."""
    for exhibit in document.exhibits:
        inside = [cell for cell in document.of("n", "mean", "mean_control") if cell.key[0] == exhibit]
        groups: dict[tuple[str, ...], list[Cell]] = {}
        for cell in inside:
            groups.setdefault(("n",) if cell.statistic == "n" else (cell.statistic, *cell.key[1:3]), []).append(cell)
        for cells in groups.values():
            value, count = Counter(cell.printed.value for cell in cells).most_common(1)[0]
            odd = [cell for cell in cells if cell.printed.value != value]
            if count < SAME_NUMBERS or len(odd) != 1 or document.explained("sample", odd[0].key):
                continue
            # A difference of less than half a per cent may be missing values.
            sizes = sorted([abs(odd[0].printed.value), abs(value)])
            if sizes[1] > NEARLY * Fraction(sizes[0]) and _separated(odd[0], value):
                yield finding_about(
                    "audit.size_differs_in_row", document, odd[0], rule="sample", fits=f"{value}",
                    certainty="possible", count=count, usual=f"{value}",
                )  # fmt: skip


def _separated(cell: Cell, right: Decimal) -> bool:
    """Return whether a typing error separates a number from another one."""
    return is_slip(cell, point(Fraction(right))) or mistyped(f"{cell.printed.value}", f"{right}")


def _differing(document: Document, group: Sequence[Cell]) -> Finding:
    common = Counter(cell.printed.value for cell in group).most_common(1)[0][0]
    odd = [cell for cell in group if cell.printed.value != common]
    sizes = [(cell.key[0], cell.text) for cell in group]
    return finding_about(
        "audit.sizes_differ_between_tables",
        document,
        odd[0],
        rule="sample",
        certainty="possible",
        cells=[cell.key for cell in odd[1:]],
        sizes=Label(
            nb=", ".join(f"{table} «{size}»" for table, size in sizes),
            en=", ".join(f"{table} “{size}”" for table, size in sizes),
        ),
    )


def _odd_columns(document: Document) -> Iterator[Finding]:
    """Yield sizes larger than the one size in at least three quarters of a row's columns; smaller ones may have missing values."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for cell in document.of("n"):
        rows.setdefault(cell.key[:3], []).append(cell)
    for cells in rows.values():
        value, count = Counter(cell.printed.value for cell in cells).most_common(1)[0]
        odd = [cell for cell in cells if cell.printed.value > value and not document.explained("sample", cell.key)]
        if odd and count >= 3 and 4 * count >= 3 * len(cells):
            yield finding_about(
                "audit.size_differs_in_row",
                document,
                odd[0],
                rule="sample",
                fits=f"{value}",
                certainty="possible",
                cells=[other.key for other in odd[1:]],
                count=count,
                usual=value,
            )
