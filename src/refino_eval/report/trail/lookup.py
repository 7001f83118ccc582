"""Finding a number by its name: `exhibit:row:column:statistic`, and the panel where the exhibit has several.

A row may hold a colon itself (`population:area_left`): every reading of the name is tried, the one without a panel first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from refino_eval.errors import UserError, nearest
from refino_eval.report.trail.locations import Key
from refino_eval.report.trail.trails import Trails

FORM = "exhibit:row:column:statistic, with the panel after another colon or in --panel"


def find_number(trails: Trails, name: str, *, panel: str | None = None) -> tuple[str, Key]:
    """Return the exhibit and key of a number.

    Parameters
    ----------
    trails
        The run.
    name
        For instance ``table_8_1:treated:wage:estimate``.
    panel
        The panel, where the name does not say it; by default the only one that has the number, else that of the
        exhibit's first specification.

    Raises
    ------
    UserError
        When there is no such number: which part is not there, and the nearest that is.
    """
    exhibit, *rest = name.split(":")
    made = made_exhibits(trails)
    if exhibit not in made:
        raise UserError(f"There is no exhibit '{exhibit}' among the numbers of this run.{nearest(exhibit, made)}")
    if len(rest) < 3:
        raise UserError(f"'{name}' does not name one number: write {FORM}.{_examples(exhibit, trails)}")
    keys = trails.numbers(exhibit)
    for row, column, statistic, told in _readings(rest, panel):
        found = [key for key in keys if key[1:] == (row, column, statistic) and told in (None, key[0])]
        if found:
            return exhibit, _one(exhibit, name, found, trails)
    # Of several readings the one that goes furthest is what was meant.
    told_misses = [
        _miss(exhibit, (told, row, column, what), keys) for row, column, what, told in _readings(rest, panel)
    ]
    raise UserError(max(told_misses)[1])


def made_exhibits(trails: Trails) -> list[str]:
    """Return the exhibits whose numbers the run has made."""
    inputs = trails.inputs
    return [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]


def _readings(rest: list[str], panel: str | None) -> Iterable[tuple[str, str, str, str | None]]:
    yield ":".join(rest[:-2]), rest[-2], rest[-1], panel
    if panel is None and len(rest) > 3:
        yield ":".join(rest[:-3]), rest[-3], rest[-2], rest[-1]


def _one(exhibit: str, name: str, found: list[Key], trails: Trails) -> Key:
    """Return one of several panels: that of the exhibit's first specification."""
    if len(found) == 1:
        return found[0]
    entry = trails.definitions.exhibits[exhibit]
    first = next(iter(getattr(entry, "specifications", ())), getattr(entry, "specification", ""))
    chosen = [key for key in found if key[0] in (first, "")]
    if chosen:
        return chosen[0]
    panels = ", ".join(f"'{key[0]}'" for key in found)
    raise UserError(
        f"'{name}' stands in several panels of {exhibit}: {panels}. Say which after another colon, or in --panel."
    )


def _miss(exhibit: str, wanted: tuple[str | None, str, str, str], keys: Collection[Key]) -> tuple[int, str]:
    """Return how many parts of a name lead somewhere, in the order in which they are written, and what to say of the next."""
    left = list(keys)
    for found, (place, what) in enumerate(((1, "row"), (2, "column"), (3, "statistic"), (0, "panel"))):
        value = wanted[place]
        there = [key for key in left if value in (None, key[place])]
        if value is not None and not there:
            among = "" if len(left) == len(keys) else " there"
            return found, f"{exhibit} has no {what} '{value}'{among}.{nearest(value, {key[place] for key in left})}"
        left = there
    raise AssertionError("every part is there")


def _examples(exhibit: str, trails: Trails) -> str:
    panel, row, column, statistic = next(iter(trails.numbers(exhibit)))
    return f" For instance {':'.join((exhibit, row, column, statistic, *([panel] if panel else [])))}."
