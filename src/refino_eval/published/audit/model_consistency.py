"""Rules about whole models: what stars say of standard errors, R² that falls, numbers that were copied, sizes that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from statistics import median

from refino_eval.published.audit.document import Cell, Document, Model
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import decimal_of, finding, name_of, number, quoted
from refino_eval.published.audit.sibling_models import Sisters, typical
from refino_eval.published.audit.significance import FEWEST_DF, critical, levels_of, t_range
from refino_eval.published.relations import Key, match

CONTRADICTS = Fraction(3, 2)
"""A standard error contradicts a sister's when its least value is this many times the sister's greatest."""

ABOUT_AS_MANY = Fraction(5, 4)
"""Samples about as large: the larger is at most this many times the smaller."""

CHANCE = Fraction(1, 1000)
"""Equal prints are told as copied when their chance is smaller."""

NEARLY = Fraction(201, 200)
"""Sizes that differ, but by half a per cent at most, are of one sample."""


def models(document: Document) -> Iterator[Finding]:
    """Yield what the rules about whole models find."""
    known = Sisters(document)
    yield from _stars_against_size(document, known)
    yield from _falling_fit(document)
    yield from _copied_run(document)
    yield from _twins(document, known)
    yield from _sizes(document)


def error_bounds(cell: Cell, levels: Sequence[Fraction]) -> tuple[Fraction, Fraction | None]:
    """Return the least and the greatest standard error that an estimate with its stars can have.

    The greatest follows from the stars that it has (the normal's critical value is the smallest there is), the least from
    the one that it lacks (with few degrees of freedom, which make the star harder to earn).
    """
    size, stars = abs(cell.range), cell.printed.stars
    greatest = size.high / critical(levels[stars - 1], None) if stars else None
    least = size.low / critical(levels[stars], FEWEST_DF) if stars < len(levels) else Fraction(0)
    return least, greatest


def _stars_against_size(document: Document, known: Sisters) -> Iterator[Finding]:
    """Find estimates whose stars ask for a standard error that two sisters or more rule out."""
    learned, declared = levels_of(document)
    conflicts: dict[Key, list[Cell]] = {}
    for cell in document.of("estimate"):
        if t_range(document.places[cell.place]) is not None:
            continue
        levels = declared.get(cell.key[0], learned)
        if levels is None or cell.printed.stars > len(levels):
            continue
        least, _ = error_bounds(cell, levels)
        for other in known.of(cell):
            if other.printed.stars > len(levels) or not _as_many(document, cell, other):
                continue
            _, greatest = error_bounds(other, declared.get(other.key[0], levels))
            if greatest is not None and least > CONTRADICTS * greatest:
                conflicts.setdefault(cell.key, []).append(other)
                conflicts.setdefault(other.key, []).append(cell)
    while conflicts:
        worst = max(conflicts, key=lambda key: len(conflicts[key]))
        against = conflicts.pop(worst)
        if len(against) < 2:
            return
        for other in against:
            conflicts[other.key] = [cell for cell in conflicts[other.key] if cell.key != worst]
        if not document.explained("stars_size", worst):
            cell = document.cells[worst]
            yield _against_size(document, cell, against, declared.get(worst[0], learned) or ())


def _as_many(document: Document, cell: Cell, other: Cell) -> bool:
    sizes = [document.common(("n",), one) for one in (cell, other)]
    if sizes[0] is None or sizes[1] is None:
        return False
    n, m = (Fraction(size.printed.value) for size in sizes if size is not None)
    return min(n, m) > 0 and max(n, m) <= ABOUT_AS_MANY * min(n, m)


def _against_size(document: Document, cell: Cell, against: Sequence[Cell], levels: Sequence[Fraction]) -> Finding:
    least, greatest = error_bounds(cell, levels)
    bounds = [error_bounds(other, levels) for other in against]
    allowed = max((high for _, high in bounds if high is not None), default=Fraction(0))
    digits = cell.printed.decimals + 1
    told = "; ".join(dict.fromkeys(other.text for other in against))
    if greatest is None or least > allowed:
        moved = f"{decimal_of(Fraction(cell.printed.value) / 10, digits):f}"
        asks, given = number(least, digits), number(allowed, digits)
        fits, nb, en = moved, (f"minst {asks}", f"høyst {given}"), (f"at least {asks}", f"at most {given}")
        hint_nb, hint_en = (
            f" {moved} ville passe, eller stjerner mangler.",
            f" {moved} would fit, or stars are missing.",
        )
    else:
        asks, given = number(greatest, digits), number(min(low for low, _ in bounds), digits)
        fits, nb, en = "", (f"høyst {asks}", f"minst {given}"), (f"at most {asks}", f"at least {given}")
        hint_nb, hint_en = " Færre stjerner ville passe.", " Fewer stars would fit."
    return finding(
        document,
        cell.key,
        rule="stars_size",
        fits=fits,
        certainty="likely",
        nb=f"{name_of(cell.key)} «{cell.text}» krever en standardfeil på {nb[0]}, men søstermodeller på et like stort utvalg "
        f"({told}) krever {nb[1]}.{hint_nb}",
        en=f"{name_of(cell.key)} «{cell.text}» asks for a standard error of {en[0]}, but sister models on as large a sample "
        f"({told}) ask for {en[1]}.{hint_en}",
    )


def _falling_fit(document: Document) -> Iterator[Finding]:
    """Find models with all regressors of another, on the same sample with the same mean, and a smaller R²."""
    worst: dict[Key, tuple[Cell, Cell, bool]] = {}
    for small, large, declared in _nested(document):
        one, two = _fit(document, small), _fit(document, large)
        if one is None or two is None or two.range.high >= one.range.low or document.explained("nested", two.key):
            continue
        before = worst.get(two.key)
        if before is None or before[0].printed.value < one.printed.value:
            worst[two.key] = (one, two, declared)
    for one, two, declared in worst.values():
        yield finding(
            document,
            two.key,
            rule="nested",
            fits=f">= {one.text}",
            certainty="certain" if declared else "likely",
            nb=f"{name_of(two.key)} er «{two.text}», men modellen har alle forklaringsvariablene til {name_of(one.key)} «{one.text}» "
            "og flere, på like mange personer med samme gjennomsnitt. R² kan da ikke falle.",
            en=f"{name_of(two.key)} is «{two.text}», but the model has all regressors of {name_of(one.key)} «{one.text}» and more, "
            "on as many people with the same mean. R² cannot fall then.",
        )


def _nested(document: Document) -> Iterator[tuple[Model, Model, bool]]:
    """Yield pairs of models of which the second holds the first's regressors: declared, or told by their rows."""
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
    """Return whether two models print the same size and the same mean."""
    cells = [next(iter(document.models[model].values())) for model in (one, two)]
    for statistics in (("n",), ("mean", "mean_control")):
        found = [document.common(statistics, cell) for cell in cells]
        if found[0] is None or found[1] is None or found[0].printed.value != found[1].printed.value:
            return False
    return True


def _copied_run(document: Document) -> Iterator[Finding]:
    """Find specifications that print the same estimates as another in part of the columns, but not in all."""
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
    """Return the chance that estimates print alike when they differ, in standard errors, as much as the others do."""

    def error(cell: Cell) -> Fraction | None:
        found = document.places[cell.place].get("std_error")
        return Fraction(found.printed.value) if found is not None and found.printed.value else None

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
    first, other = same[0][1], same[0][0]
    told = "; ".join(cell.text for _, cell in same)
    return finding(
        document,
        first.key,
        rule="copied",
        fits="",
        certainty="possible",
        cells=[cell.key for _, cell in same[1:]],
        nb=f"{name_of(first.key[:3])} har de samme estimatene som {name_of(other.key[:2])} i {len(same)} av {columns} kolonner "
        f"({told}), mens de andre kolonnene skiller seg. Det er neppe tilfeldig.",
        en=f"{name_of(first.key[:3])} has the same estimates as {name_of(other.key[:2])} in {len(same)} of {columns} columns "
        f"({told}), while the other columns differ. That is hardly chance.",
    )


def _twins(document: Document, known: Sisters) -> Iterator[Finding]:
    """Find numbers of one model that repeat a neighbour: one far from its sisters, or estimate and t of two rows alike."""
    for rows in document.models.values():
        for one, two in combinations(rows.values(), 2):
            if one.text != two.text or document.explained("copied", two.key):
                continue
            ts = [document.places[cell.place].get("t_stat") for cell in (one, two)]
            if ts[0] is not None and ts[1] is not None:
                if ts[0].printed.value and ts[0].text == ts[1].text:
                    yield _twin(document, two, one, "possible", [ts[1].key])
            elif _digits(one) >= 3:
                far = [cell for cell in (one, two) if _far(known, cell)]
                if len(far) == 1:
                    yield _twin(document, far[0], two if far[0] is one else one, "likely", [])


def _digits(cell: Cell) -> int:
    """Return how many significant digits a print shows, trailing zeros included."""
    return len("".join(sign for sign in cell.text if sign.isdigit()).lstrip("0"))


def _far(known: Sisters, cell: Cell) -> bool:
    """Return whether an estimate is three times larger or smaller than its sisters typically are."""
    others = [other for other in known.of(cell) if other.printed.value]
    if len(others) < 2 or not cell.printed.value:
        return False
    ratio = typical(others) / abs(Fraction(cell.printed.value))
    return not Fraction(1, 3) < ratio < 3


def _twin(document: Document, cell: Cell, other: Cell, certainty: str, more: Sequence[Key]) -> Finding:
    shown = quoted([cell, *(document.cells[key] for key in more)])
    return finding(
        document,
        cell.key,
        rule="copied",
        fits="",
        certainty=certainty,
        cells=more,
        nb=f"{name_of(cell.key)} «{shown}» er det samme som {other.key[2]} i samme modell; det kan være kopiert.",
        en=f"{name_of(cell.key)} «{shown}» is the same as {other.key[2]} of the same model; it may have been copied.",
    )


def _sizes(document: Document) -> Iterator[Finding]:
    """Find sizes that differ a little: between the tables of one sample, told once, and between columns of one table."""
    largest: dict[str, Cell] = {}
    for cell in document.of("n"):
        before = largest.get(cell.key[0])
        if before is None or cell.printed.value > before.printed.value:
            largest[cell.key[0]] = cell
    left = sorted(largest.values(), key=lambda cell: -cell.printed.value)
    while left:
        group = [cell for cell in left if Fraction(left[0].printed.value) <= NEARLY * Fraction(cell.printed.value)]
        left = [cell for cell in left if cell not in group]
        told = [cell for cell in group if not document.explained("sample", cell.key)]
        if len({cell.printed.value for cell in told}) > 1:
            yield _differing(document, told)
    yield from _odd_columns(document)


def _differing(document: Document, group: Sequence[Cell]) -> Finding:
    told = ", ".join(f"{cell.key[0]} «{cell.text}»" for cell in group)
    common = Counter(cell.printed.value for cell in group).most_common(1)[0][0]
    odd = [cell for cell in group if cell.printed.value != common]
    return finding(
        document,
        odd[0].key,
        rule="sample",
        fits="",
        certainty="possible",
        cells=[cell.key for cell in odd[1:]],
        nb=f"Antallet varierer litt mellom tabellene uten at det forklares: {told}.",
        en=f"The number of people varies a little between tables, and nothing explains it: {told}.",
    )


def _odd_columns(document: Document) -> Iterator[Finding]:
    """Find a size that differs from that of at least three quarters of a row's columns."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for cell in document.of("n"):
        rows.setdefault(cell.key[:3], []).append(cell)
    for cells in rows.values():
        value, count = Counter(cell.printed.value for cell in cells).most_common(1)[0]
        odd = [cell for cell in cells if cell.printed.value != value and not document.explained("sample", cell.key)]
        if odd and count >= 3 and 4 * count >= 3 * len(cells):
            cell = odd[0]
            yield finding(
                document,
                cell.key,
                rule="sample",
                fits=f"{value}",
                certainty="possible",
                cells=[other.key for other in odd[1:]],
                nb=f"{name_of(cell.key)} er «{cell.text}», mens {count} andre kolonner i raden har {value}.",
                en=f"{name_of(cell.key)} is «{cell.text}», while {count} other columns of the row have {value}.",
            )
